//! What answers the requests of a connection: refusals of the wire are answered here, targets are
//! brought into one form, and everything else goes to the handler.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::uri::PathAndQuery;
use http::{Request, Response, StatusCode, Uri};
use http_body::{Body, Frame, SizeHint};

use super::wire::Wire;
use super::{Handler, challenge, http2};
use crate::exchange::{BoxError, Connection, Incoming, Outgoing};
use crate::hop;
use crate::reply::Reply;
use crate::trailers;
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
    pub(super) wire: Arc<Wire>,
    pub(super) sending: Arc<Sending>,
    pub(super) fields_max: usize,
}

impl<H: Handler> Service<H> {
    /// Answers one request that broke no rule of the wire, its target in origin form.
    pub(super) async fn respond(&self, mut request: Request<Incoming>) -> Reply {
        hop::strip(request.headers_mut());
        if self.purpose != Purpose::Https
            && let Some(page) = challenge::answer(&*self.handler, &request)
        {
            return page.into();
        }
        match self.purpose {
            Purpose::Redirect { port } => redirect(&request, port).into(),
            Purpose::Https | Purpose::Plain => {
                let handler = Arc::clone(&self.handler);
                handler.handle(Arc::clone(&self.connection), request).await
            }
        }
    }

    /// Notes what was refused, and answers it.
    pub(super) fn refuse(&self, refusal: Refusal) -> Reply {
        let status = refusal.status();
        self.handler
            .refused(self.connection.peer, refusal.code(), status.as_u16());
        refused(refusal).into()
    }

    /// Answers one request of an HTTP/2 connection.
    pub(super) async fn serve(
        self: Arc<Self>,
        mut request: Request<hyper::body::Incoming>,
    ) -> Result<Response<Counted>, Infallible> {
        self.wire.accept();
        let in_flight = InFlight(Arc::clone(&self.wire));
        let response = match http2::check(&mut request, self.fields_max) {
            Err(refusal) => self.refuse(refusal),
            Ok(()) => {
                let path = request.uri().path_and_query().cloned();
                if request.headers().contains_key(header::TE) {
                    // `check` let no other word through.
                    request.extensions_mut().insert(trailers::Taken);
                }
                *request.uri_mut() = Uri::from(path.unwrap_or(PathAndQuery::from_static("/")));
                self.respond(request.map(Incoming::Http2)).await
            }
        };
        let sending = Arc::clone(&self.sending);
        let response = response.into_response();
        Ok(response.map(|body| Counted::new(body, in_flight, sending)))
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

/// One request that is not answered to its end.
#[derive(Debug)]
struct InFlight(Arc<Wire>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.answered();
    }
}

/// How the answers of one connection get on, so that a client that reads nothing is noticed where
/// one socket carries many answers.
#[derive(Debug, Default)]
pub(super) struct Sending {
    open: AtomicUsize,
    waiting: AtomicUsize,
    moved: AtomicU64,
}

impl Sending {
    /// Answers that wait for the client, not for an upstream.
    pub(super) fn blocked(&self) -> bool {
        self.open.load(Ordering::Relaxed) > self.waiting.load(Ordering::Relaxed)
    }

    /// Counts up while anything moves.
    pub(super) fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }
}

/// An answer's body with its connection's counters.
#[derive(Debug)]
pub(super) struct Counted {
    body: Outgoing,
    _in_flight: InFlight,
    sending: Arc<Sending>,
    waiting: bool,
}

impl Counted {
    fn new(body: Outgoing, in_flight: InFlight, sending: Arc<Sending>) -> Self {
        sending.open.fetch_add(1, Ordering::Relaxed);
        Self {
            body,
            _in_flight: in_flight,
            sending,
            waiting: false,
        }
    }

    fn set_waiting(&mut self, waiting: bool) {
        match (self.waiting, waiting) {
            (false, true) => self.sending.waiting.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.sending.waiting.fetch_sub(1, Ordering::Relaxed),
            _ => return,
        };
        self.waiting = waiting;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.set_waiting(false);
        self.sending.open.fetch_sub(1, Ordering::Relaxed);
        self.sending.moved.fetch_add(1, Ordering::Relaxed);
    }
}

impl Body for Counted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        this.set_waiting(frame.is_pending());
        this.sending.moved.fetch_add(1, Ordering::Relaxed);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
