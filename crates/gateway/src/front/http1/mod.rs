//! One HTTP/1 connection (RFC 9112), from its first head to its end: heads are read by `wire`,
//! bodies as the handler asks for them, answers written as they come, one after the other.
//!
//! A head is refused or it becomes a request, in one reading: there is no second parser that could
//! see something else in it.

mod answer;
mod io;
mod relay;

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Version, header};
use http_body::Frame;
use tokio::io::{AsyncRead, AsyncWrite};

use self::answer::Answer;
use self::io::{Io, Next, Sent};
use super::Handler;
use super::connection::Stop;
use super::service::Service;
use super::worker::Settings;
use crate::exchange::{BoxError, Incoming, Outgoing, Source, WebSocket};
use crate::reply::Reply;

/// What the connection and the body of its present request both reach.
type Shared<S> = Mutex<Io<S>>;

fn lock<S>(io: &Shared<S>) -> MutexGuard<'_, Io<S>> {
    io.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the answer to a request depends on besides what it says.
#[derive(Clone, Debug)]
struct Asked {
    method: Method,
    version: Version,
    /// Whether the client wants to go on afterwards (RFC 9112 §9.3).
    keeps: bool,
}

impl Asked {
    fn of(request: &Request<()>) -> Self {
        Self {
            method: request.method().clone(),
            version: request.version(),
            keeps: keeps(request.version(), request.headers()),
        }
    }

    /// By somebody whose head could not be read.
    fn unknown() -> Self {
        Self {
            method: Method::GET,
            version: Version::HTTP_11,
            keeps: false,
        }
    }
}

fn keeps(version: Version, headers: &HeaderMap) -> bool {
    let closes = lists(headers, b"close");
    !closes && (version != Version::HTTP_10 || lists(headers, b"keep-alive"))
}

/// Serves a connection until it ends.
pub(super) async fn serve<S, H>(
    stream: S,
    service: Arc<Service<H>>,
    settings: &Settings,
    drain: net::Guard,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let io = Arc::new(Mutex::new(Io::new(stream, settings.wire)));
    let mut stop = Stop::new(drain);
    while exchange(&io, &service, &mut stop).await {}
    std::future::poll_fn(|cx| lock(&io).poll_close(cx)).await;
}

/// One request and its answer; `false` when no other may follow.
async fn exchange<S, H>(io: &Arc<Shared<S>>, service: &Service<H>, stop: &mut Stop) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let next = std::future::poll_fn(|cx| {
        let mut io = lock(io);
        if let Some(word) = stop.poll(cx) {
            io.leave(word);
        }
        io.poll_head(cx)
    });
    let mut request = match next.await {
        Next::Request(request) => request,
        Next::Refused(refusal) => {
            let response = service.refuse(refusal);
            send(io, service, &Asked::unknown(), response, stop).await;
            return false;
        }
        Next::End => return false,
    };
    let asked = Asked::of(&request);
    if wants_websocket(request.headers()) {
        request.extensions_mut().insert(WebSocket);
    }
    let body = if lock(io).body_is_read() {
        Incoming::Empty
    } else {
        Incoming::Stream(Arc::clone(io) as Arc<dyn Source>)
    };
    let mut request = request.map(|()| body);
    let response = match service.settle(&mut request) {
        Some(response) => response,
        None => {
            // Pinned here and not handed over: a future is copied whole, with all it might await.
            let handling = pin!(service.handle(request));
            let Some(response) = answered(io, handling, stop).await else {
                return false;
            };
            response
        }
    };
    if !matches!(response.body, Outgoing::Tunnel(_)) {
        return send(io, service, &asked, response, stop).await;
    }
    let Reply {
        status,
        fields,
        body,
    } = response;
    let head = Reply {
        status,
        fields,
        body: Outgoing::Empty,
    };
    if send(io, service, &asked, head, stop).await
        && let Outgoing::Tunnel(tunnel) = body
    {
        relay::run(io, tunnel, stop).await;
    }
    false
}

/// Whether another protocol is asked for by both fields that this takes (RFC 9110 §7.8); `wire`
/// lets no other protocol through.
fn wants_websocket(headers: &HeaderMap) -> bool {
    let is_websocket =
        |value: &header::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"websocket");
    headers.get(header::UPGRADE).is_some_and(is_websocket) && lists(headers, b"upgrade")
}

/// Whether `Connection` lists an option.
fn lists(headers: &HeaderMap, option: &[u8]) -> bool {
    let mut options = headers
        .get_all(header::CONNECTION)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    options.any(|one| one.trim_ascii().eq_ignore_ascii_case(option))
}

/// The answer of the handler; `None` when the client went away before.
async fn answered<S>(
    io: &Shared<S>,
    mut handling: Pin<&mut impl Future<Output = Reply>>,
    stop: &mut Stop,
) -> Option<Reply>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    std::future::poll_fn(|cx| {
        if let Poll::Ready(response) = handling.as_mut().poll(cx) {
            return Poll::Ready(Some(response));
        }
        let mut io = lock(io);
        if let Some(word) = stop.poll(cx) {
            io.leave(word);
        }
        io.poll_gone(cx).map(|()| None)
    })
    .await
}

/// Writes the answer; whether another request may follow.
async fn send<S, H>(
    io: &Arc<Shared<S>>,
    service: &Service<H>,
    asked: &Asked,
    response: Reply,
    stop: &mut Stop,
) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Handler,
{
    let mut answer = {
        // A body that is passed on is still being read: what comes of it is no one else's.
        let is_streamed = Arc::strong_count(io) > 1;
        let mut io = lock(io);
        if let Some(word) = stop.due() {
            io.leave(word);
        }
        io.skip_go_on();
        // What is left of the body cannot be told from a next head once nobody follows it.
        let keeps = asked.keeps && !is_streamed && io.skip_body() && !io.is_leaving();
        Answer::new(asked, keeps, response, || service.handler.time())
    };
    let sent = std::future::poll_fn(|cx| {
        loop {
            // Before the lock is taken: the answer may move its request's body on, which takes it.
            let waits = answer.poll_more(cx)?.is_pending();
            let mut io = lock(io);
            if let Some(word) = stop.poll(cx) {
                io.leave(word);
            }
            if ready!(io.poll_send(&mut answer, waits, cx))? == Sent::Whole {
                return Poll::Ready(Ok::<_, BoxError>(()));
            }
        }
    });
    match sent.await {
        Ok(()) => answer.keeps(),
        Err(error) => {
            tracing::debug!(%error, "an answer was not sent to its end");
            lock(io).break_off();
            false
        }
    }
}

impl<S> Source for Shared<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let content = ready!(lock(self).poll_content(cx));
        Poll::Ready(content.map(|content| content.map(Frame::data)))
    }

    fn left(&self) -> Option<u64> {
        lock(self).content_left()
    }

    fn is_ended(&self) -> bool {
        lock(self).body_is_read()
    }
}

#[cfg(test)]
mod tests;
