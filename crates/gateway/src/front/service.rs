//! What answers the requests of a connection: refusals of the wire are answered here, targets are
//! brought into one form, and everything else goes to the handler.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::uri::PathAndQuery;
use http::{Request, Response, StatusCode};

use super::{Handler, challenge};
use crate::exchange::{Connection, Incoming, Outgoing};
use crate::hop;
use crate::reply::Reply;
use crate::wire::Refusal;

/// What a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// TLS, and requests.
    Https,
    /// Requests in clear: behind another terminator, or for measuring.
    Plain,
    /// Sends everyone to HTTPS.
    Redirect {
        /// The port HTTPS listens on.
        port: u16,
    },
}

/// One connection, as the service of its requests sees it.
#[derive(Debug)]
pub(super) struct Service<H> {
    pub(super) handler: Arc<H>,
    pub(super) connection: Arc<Connection>,
    pub(super) purpose: Purpose,
}

impl<H: Handler> Service<H> {
    /// Brings one request that broke no rule of the wire, its target in origin form, into the form
    /// the handler takes; or the answer, where that needs no handler.
    pub(super) fn settle(&self, request: &mut Request<Incoming>) -> Option<Reply> {
        hop::strip(request.headers_mut());
        if self.purpose == Purpose::Https {
            return None;
        }
        if let Some(page) = challenge::answer(&*self.handler, request) {
            return Some(page.into());
        }
        match self.purpose {
            Purpose::Redirect { port } => Some(redirect(request, port).into()),
            Purpose::Https | Purpose::Plain => None,
        }
    }

    /// The handler's answer to a request that is settled.
    pub(super) fn handle(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Reply> + use<H> {
        let handler = Arc::clone(&self.handler);
        handler.handle(Arc::clone(&self.connection), request)
    }

    /// Notes what was refused, and answers it.
    pub(super) fn refuse(&self, refusal: Refusal) -> Reply {
        let status = refusal.status();
        self.handler
            .refused(self.connection.peer, refusal.code(), status.as_u16());
        refused(refusal).into()
    }
}

/// A refusal of the wire, in plain text: whoever sent this is no browser.
fn refused(refusal: Refusal) -> Response<Outgoing> {
    let text = Bytes::from(format!(
        "{}: {}\n",
        refusal.status().as_u16(),
        refusal.text()
    ));
    let mut response = Response::new(Outgoing::Full(text));
    *response.status_mut() = refusal.status();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// 308 keeps method and body (RFC 9110 §15.4.9); the next request is then sent over TLS.
fn redirect(request: &Request<Incoming>, port: u16) -> Response<Outgoing> {
    let mut response = Response::new(Outgoing::Empty);
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let location = host.map(without_port).and_then(|host| {
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", PathAndQuery::as_str);
        let path = if path == "*" { "/" } else { path };
        let location = match port {
            443 => format!("https://{host}{path}"),
            _ => format!("https://{host}:{port}{path}"),
        };
        HeaderValue::try_from(location).ok()
    });
    match location {
        Some(location) => {
            *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
            response.headers_mut().insert(header::LOCATION, location);
        }
        None => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    response
}

pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}
