//! Whether an answer that goes on for long may go on: the question a WebSocket is asked, without
//! what its client once showed.

use std::net::IpAddr;
use std::sync::Arc;

use estate::Mode;
use http::{HeaderValue, Method, Request, Uri, header};
use http_body::Body as _;
use model::RequestId;

use crate::caller::Caller;
use crate::exchange::{Connection, Outgoing};
use crate::flow::Flow;
use crate::pipeline;
use crate::refused::Refused;
use crate::shared::Shared;
use crate::steps::{authenticate, authorise, ban, certificate, route, snapshot};
use crate::trailers;
use crate::watched::Watched;

/// What was decided about, as far as it is decided about again.
#[derive(Debug)]
pub(crate) struct Question {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    id: RequestId,
    method: Method,
    /// Its canonical form.
    uri: Uri,
    host: HeaderValue,
    client: IpAddr,
    secure: bool,
    caller: Option<Caller>,
    /// A call whose client takes trailers.
    is_call: bool,
}

/// Whether the end of an answer of a route's service is not known, so that it may go on for long.
/// One whose length is known ends by itself.
pub(crate) fn is_long(flow: &Flow<'_>, body: &Outgoing) -> bool {
    let comes = matches!(
        body,
        Outgoing::Upstream(_) | Outgoing::Compared(_) | Outgoing::Begun(_)
    );
    let is_open = comes && body.size_hint().exact().is_none();
    is_open && flow.route.is_some()
}

/// Asks `question` for as long as `body` comes.
pub(crate) fn watch(body: Outgoing, question: Question) -> Outgoing {
    let is_call = question.is_call;
    let allowed = Box::new(move |_| question.is_allowed());
    Outgoing::Watched(Box::new(Watched::new(body, allowed, is_call)))
}

impl Question {
    /// About a request that was let through.
    pub(crate) fn new(flow: &Flow<'_>, shared: &Arc<Shared>, connection: &Arc<Connection>) -> Self {
        Self {
            shared: Arc::clone(shared),
            connection: Arc::clone(connection),
            id: flow.id,
            method: flow.head.method.clone(),
            uri: flow.head.uri.clone(),
            host: flow.host.value().clone(),
            client: flow.client,
            secure: flow.secure,
            caller: flow.caller.clone(),
            is_call: flow.is_call && flow.head.extensions.get::<trailers::Taken>().is_some(),
        }
    }

    /// Whether it would be let through now: the estate, rights, sessions and bans may have changed
    /// since. What is not so any more is recorded.
    fn is_allowed(&self) -> bool {
        let Some(state) = self.shared.state.load_full() else {
            return false;
        };
        let mut request = Request::new(None);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.host.clone());
        let mut flow = pipeline::begin(&self.shared, &state, &self.connection, request);
        flow.again = true;
        flow.id = self.id;
        flow.client = self.client;
        flow.secure = self.secure;
        match self.decide(&mut flow) {
            Ok(()) => true,
            Err(refused) => {
                flow.record(&refused, Mode::Block);
                false
            }
        }
    }

    fn decide(&self, flow: &mut Flow<'_>) -> Result<(), Refused> {
        ban::check(flow)?;
        certificate::check(flow)?;
        route::find(flow)?;
        snapshot::check(flow)?;
        authenticate::again(flow, self.caller.as_ref())?;
        authorise::check(flow)
    }
}
