//! The way of one request: every step in order, each in its own file. The first that refuses ends
//! it; nothing of a refused request reaches a service.

use std::sync::Arc;
use std::time::Duration;

use estate::{AuthRequest, Mode};
use http::request::Parts;
use http::{Request, Response, StatusCode, header};
use model::RequestId;

use crate::again;
use crate::answer;
use crate::body::Carried;
use crate::caller::{Caller, Proof};
use crate::compare;
use crate::exchange::{Connection, Incoming, Outgoing};
use crate::flow::{Flow, Host};
use crate::limiter::Held;
use crate::records;
use crate::refused::{Refused, step_of};
use crate::reply::Reply;
use crate::shared::Shared;
use crate::sign_in;
use crate::state::State;
use crate::steps::{
    address, authenticate, authorise, ban, body, certificate, client, cors, forward, grpc, inspect,
    limits, path, respond, route, same_origin, sanitize, size, snapshot, sni, validate, waf,
    websocket,
};

/// Answers one request; never fails.
pub(crate) async fn handle(
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Reply {
    let Some(state) = shared.state.load_full() else {
        // Nothing listens before the first estate; a request here is from another time.
        let mut response = Response::new(Outgoing::Empty);
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        return response.into();
    };
    if let Some(recorder) = &shared.recorder {
        recorder.room().await;
    }
    let (head, body) = request.into_parts();
    let mut under_way = UnderWay {
        flow: known(&shared, &state, &connection, (head, Some(body))),
        over: false,
    };
    let flow = &mut under_way.flow;
    let asked = websocket::is_asked(flow).then(|| flow.head.clone());
    let mut decided = None;
    let (response, refused) = match decide(flow).await {
        Ok(mut response) => {
            if let (Outgoing::Tunnel(tunnel), Some(head)) = (&mut response.body, asked) {
                let (shared, connection) = (Arc::clone(&shared), Arc::clone(&connection));
                let id = flow.id;
                let allowed =
                    move |active| still_allowed(&shared, &connection, (&head, id), active);
                tunnel.allowed = Some(Box::new(allowed));
            } else if again::is_long(flow, &response.body) {
                let question = again::Question::new(flow, &shared, &connection);
                response = response.map(|body| again::watch(body, question));
            }
            if let Some(permits) = flow.permits.take() {
                response = response.map(|body| Held::hold(body, permits));
            }
            (response, None)
        }
        Err(refused) => {
            decided = Some(refused.status);
            // An upstream that fails is no decision: it stands in the traffic record alone.
            if step_of(refused.code) != "upstream" {
                flow.record(&refused, Mode::Block);
            }
            (answer::refused(flow, &refused), Some(refused.code))
        }
    };
    // Who calls gets the status elsewhere than in HTTP's.
    let status = decided.filter(|_| flow.is_call);
    let status = status.unwrap_or(response.status);
    under_way.record(&response, status, refused);
    response
}

/// What is recorded of a request whose client left before it had an answer; no such answer is
/// ever sent.
const GONE: (u16, &str) = (499, "client.gone");

/// A request that is in no record yet.
///
/// SECURITY: a client that leaves ends the work on its request wherever that waits, and the service
/// may have it by then. It is recorded all the same.
struct UnderWay<'a> {
    flow: Flow<'a>,
    over: bool,
}

impl UnderWay<'_> {
    fn record(&mut self, response: &Reply, status: StatusCode, refused: Option<&'static str>) {
        use http_body::Body as _;
        self.over = true;
        let bytes_out = response.body.size_hint().exact().unwrap_or(0);
        record(&self.flow, status.as_u16(), bytes_out, refused);
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if !self.over {
            let (status, code) = GONE;
            record(&self.flow, status, 0, Some(code));
        }
    }
}

async fn decide(flow: &mut Flow<'_>) -> Result<Reply, Refused> {
    client::know(flow);
    ban::check(flow)?;
    address::check(flow)?;
    path::settle(flow)?;
    sni::check(flow)?;
    certificate::check(flow)?;
    if flow.console {
        // Boxed, as the other rare ways: a future is copied whole, with all it might await.
        return Box::pin(console(flow)).await;
    }
    if flow.path().starts_with(sign_in::OWN) {
        return Box::pin(sign_in::answer(flow)).await;
    }
    route::find(flow)?;
    if let Some(response) = cors::preflight(flow) {
        return Ok(response);
    }
    size::check(flow)?;
    snapshot::check(flow)?;
    if let Some(issuer) = authenticate::unknown_key(flow) {
        Box::pin(issuer.settle(flow.started, &flow.shared.keeper)).await;
    }
    authenticate::check(flow)?;
    same_origin::check(flow)?;
    authorise::check(flow)?;
    match limits::store(flow) {
        None => limits::check(flow)?,
        Some(store) => Box::pin(limits::check_together(flow, store)).await?,
    }
    limits::at_once(flow)?;
    inspect::head(flow)?;
    waf::head(flow)?;
    validate::head(flow)?;
    websocket::check(flow)?;
    let mut carried = body::take(flow).await?;
    if let Carried::Held(held) = &carried {
        authorise::body(flow, held).await?;
        inspect::body(flow, held).await?;
    }
    if flow.judged.is_some() {
        Box::pin(waf::body(flow, &carried)).await?;
        waf::ask_plainly(flow);
    }
    if let Carried::Held(held) = &mut carried {
        validate::body(flow, held).await?;
        if sanitize::is_wanted(flow, held) {
            *held = Box::pin(sanitize::body(flow, std::mem::take(held))).await?;
        }
    }
    let mut response = if websocket::is_asked(flow) {
        Box::pin(forward::websocket(flow)).await?
    } else {
        let learning = compare::begin(flow, &carried);
        let mut response = forward::send(flow, carried).await?;
        compare::attach(flow, learning, &mut response);
        if flow.judged.is_some() {
            response = Box::pin(waf::answer(flow, response)).await?;
        }
        response
    };
    respond::dress(flow, &mut response.fields);
    Ok(response)
}

/// Whether who opened a WebSocket might open it now: the estate, rights, sessions and bans may have
/// changed since. What is not so any more is recorded.
fn still_allowed(
    shared: &Shared,
    connection: &Connection,
    (head, id): (&Parts, RequestId),
    active: bool,
) -> bool {
    let Some(state) = shared.state.load_full() else {
        return false;
    };
    let request = Request::from_parts(head.clone(), None);
    let mut flow = begin(shared, &state, connection, request);
    flow.again = true;
    flow.id = id;
    match decide_again(&mut flow) {
        Ok(()) => {
            // Who says nothing does not use their session.
            if active && let Some(Proof::Session(session)) = flow.caller.as_ref().map(|c| &c.proof)
            {
                shared.directory.used(session, flow.time);
            }
            true
        }
        Err(refused) => {
            flow.record(&refused, Mode::Block);
            false
        }
    }
}

fn decide_again(flow: &mut Flow<'_>) -> Result<(), Refused> {
    client::know(flow);
    ban::check(flow)?;
    path::settle(flow)?;
    certificate::check(flow)?;
    route::find(flow)?;
    snapshot::check(flow)?;
    authenticate::check(flow)?;
    authorise::check(flow)?;
    websocket::check(flow)
}

/// The console decides for itself who may see what; here it is only counted and bounded.
async fn console(flow: &mut Flow<'_>) -> Result<Reply, Refused> {
    let signs_in = flow.path().starts_with("/sign-in") || flow.path().starts_with("/enrol");
    if signs_in && flow.head.method == http::Method::POST {
        address::sign_in(flow)?;
    }
    if !flow.secure {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "route.clear",
            "the console is reached over https only",
        ));
    }
    let held = body::hold(flow).await?;
    forward::control(flow, held.into()).await
}

/// What is known of a request before the first step.
pub(crate) fn begin<'a>(
    shared: &'a Shared,
    state: &'a State,
    connection: &'a Connection,
    request: Request<Option<Incoming>>,
) -> Flow<'a> {
    known(shared, state, connection, request.into_parts())
}

fn known<'a>(
    shared: &'a Shared,
    state: &'a State,
    connection: &'a Connection,
    (head, body): (Parts, Option<Incoming>),
) -> Flow<'a> {
    let host = Host::of(head.headers.get(header::HOST));
    let console = host.name() == state.estate().console.host;
    let is_call = connection.http2 && grpc::is_call(&head.headers);
    let time = shared.clock.now();
    Flow {
        time,
        started: shared.clock.monotonic(),
        id: RequestId::made_at(time, &shared.ids),
        client: connection.peer.ip().to_canonical(),
        secure: connection.secure,
        shared,
        state,
        connection,
        host,
        head,
        body,
        route: None,
        is_call,
        operation: None,
        console,
        caller: None,
        body_bytes: 0,
        limit: None,
        sent: None,
        permits: None,
        observed: Vec::new(),
        judged: None,
        rules: Vec::new(),
        asked: AuthRequest::Off,
        again: false,
    }
}

/// Counts the request and leaves its line in the traffic records.
fn record(flow: &Flow<'_>, status: u16, bytes_out: u64, refused: Option<&'static str>) {
    let shared = flow.shared;
    let now = shared.clock.monotonic();
    let took = now.saturating_sub(flow.started);
    // What comes after the service's answer takes no time that anybody would miss, so that the
    // clock is asked once for both.
    let service = flow.sent.map(|sent| now.saturating_sub(sent));
    shared.metrics.request(flow.slot(), status, took, service);
    flow.record_late(refused.is_none().then_some(status));
    let Some(recorder) = &shared.recorder else {
        return;
    };
    recorder.request(&records::RequestLine {
        time: flow.time,
        request_id: flow.id,
        source: &flow.client_text(),
        host: flow.host.name(),
        method: flow.head.method.as_str(),
        path: flow.path(),
        route: flow.route_name(),
        slot: flow.slot(),
        status,
        took: took.min(Duration::from_secs(24 * 3600)),
        bytes_in: flow.body_bytes,
        bytes_out,
        principal: flow.caller.as_ref().map(Caller::principal),
        refused,
        observed: &flow.observed,
        rules: &flow.rules,
    });
}
