//! One request on an HTTP/2 connection, until its answer begins: its head made anew, its body sent
//! as the service takes it.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{Reason, RecvStream, SendStream};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, Version, header, uri};
use tokio::time::Instant;

use super::body::Http2Body;
use super::link::Seat;
use crate::body::{Carried, Refused};
use crate::deadline::Deadline;
use crate::hop;
use crate::trailers;
use crate::upstream::pool::Home;
use crate::upstream::{Failed, ResponseBody, Timeouts};

/// LIMIT: fields of a response's head.
const FIELDS_MAX: usize = 100;

/// Room for one request. Dropped before its answer has ended, it tells the service to stop.
#[derive(Debug)]
pub(super) struct Call {
    seat: Seat,
    home: Home,
    is_tls: bool,
}

/// Why there is no response; with the request, where it may be sent again.
#[derive(Debug)]
pub(super) enum Lost {
    /// Its connection takes no more requests, this one included.
    Unsent(Box<Request<Carried>>),
    /// The service did not process it, and says so.
    Unprocessed(Option<Box<Request<Carried>>>),
    /// Its connection, which had served before, ended without a word.
    Unanswered(Option<Box<Request<Carried>>>),
    /// For another reason.
    Failed(Failed),
}

/// A body on its way to the service.
#[derive(Debug)]
pub(super) struct Upload {
    /// Nothing once its end is sent, or the service wants no more.
    stream: Option<SendStream<Bytes>>,
    body: Carried,
    /// What of it is read and not sent.
    piece: Bytes,
}

impl Call {
    pub(super) fn new(seat: Seat, home: Home, is_tls: bool) -> Self {
        Self { seat, home, is_tls }
    }

    /// Sends the request, and waits for the head of the response.
    pub(super) async fn ask(
        mut self,
        request: Request<Carried>,
        timeouts: &Timeouts,
    ) -> Result<Response<ResponseBody>, Lost> {
        let (parts, body) = request.into_parts();
        let head = head(&parts, &body, self.is_tls).ok_or(Lost::Failed(Failed::Broken))?;
        let ready = poll_fn(|cx| self.seat.sender.poll_ready(cx)).await;
        let sent = ready.and_then(|()| self.seat.sender.send_request(head, body.is_end_stream()));
        let (mut response, stream) = match sent {
            Ok(sent) => sent,
            // It takes no more requests: this one never left.
            Err(error) => {
                tracing::debug!(%error, "an HTTP/2 connection takes no request");
                self.seat.end_link();
                if !error.is_io() && !error.is_go_away() {
                    return Err(Lost::Failed(Failed::Broken));
                }
                let request = Request::from_parts(parts, body);
                return Err(Lost::Unsent(Box::new(request)));
            }
        };
        let mut upload = Upload::new(stream, body);
        match wait(&mut upload, &mut response, timeouts).await {
            Ok(response) => {
                self.home.answered(true);
                self.seat.heard();
                upload.body.answered();
                self.receive(response, upload, &parts, timeouts)
                    .map_err(Lost::Failed)
            }
            Err(Waited::Failed(failed)) => {
                // SECURITY: what a client does or says must not make an address look bad.
                let is_late = failed == Failed::ResponseTimeout;
                if is_late && upload.stream.is_none() && !timeouts.are_over() {
                    self.home.answered(false);
                }
                Err(Lost::Failed(failed))
            }
            Err(Waited::Error(error)) => Err(self.lost(&error, parts, upload.body)),
        }
    }

    fn receive(
        self,
        response: Response<RecvStream>,
        upload: Upload,
        asked: &Parts,
        timeouts: &Timeouts,
    ) -> Result<Response<ResponseBody>, Failed> {
        let (mut head, stream) = response.into_parts();
        if head.headers.len() > FIELDS_MAX || head.status.is_informational() {
            return Err(Failed::Broken);
        }
        hop::strip(&mut head.headers);
        let length = length(&head.headers);
        let is_bodyless = asked.method == Method::HEAD || stream.is_end_stream();
        let exact = if is_bodyless { None } else { length };
        if exact.is_some_and(|length| length > timeouts.response_max) {
            return Err(Failed::TooLarge);
        }
        let takes_trailers = asked.extensions.get::<trailers::Taken>().is_some();
        let body = Http2Body::new(
            (self.seat, self.home),
            upload,
            stream,
            (exact, takes_trailers),
            timeouts,
        );
        head.version = Version::HTTP_11;
        Ok(Response::from_parts(
            head,
            ResponseBody::Http2(Box::new(body)),
        ))
    }

    /// What an error before any answer means.
    fn lost(&self, error: &h2::Error, parts: Parts, body: Carried) -> Lost {
        tracing::debug!(%error, "a request over HTTP/2 got no answer");
        let is_refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
        let is_left = error.is_go_away();
        if is_left || error.is_io() {
            self.seat.end_link();
        }
        // INVARIANT: a stream ends with the service's GOAWAY only when its number is higher than
        // the last one that was processed (RFC 9113 §6.8).
        if error.is_remote() && (is_refused || is_left) {
            return Lost::Unprocessed(again(parts, body));
        }
        self.home.answered(false);
        if error.is_io() && !self.seat.is_first && parts.method.is_idempotent() {
            return Lost::Unanswered(again(parts, body));
        }
        Lost::Failed(Failed::Broken)
    }
}

fn again(parts: Parts, body: Carried) -> Option<Box<Request<Carried>>> {
    let body = body.again()?;
    Some(Box::new(Request::from_parts(parts, body)))
}

enum Waited {
    Failed(Failed),
    Error(h2::Error),
}

/// Sends the body until the head of the response is here.
async fn wait(
    upload: &mut Upload,
    response: &mut ResponseFuture,
    timeouts: &Timeouts,
) -> Result<Response<RecvStream>, Waited> {
    let mut deadline = Deadline::unset();
    deadline.set(patience(timeouts));
    poll_fn(|cx| {
        let moved = upload.poll_send(cx);
        if moved.map_err(|why| Waited::Failed(Failed::Body(why)))? {
            // Who is still taking its request in need not answer it yet.
            deadline.set(patience(timeouts));
        }
        if let Poll::Ready(response) = Pin::new(&mut *response).poll(cx) {
            return Poll::Ready(response.map_err(Waited::Error));
        }
        let passed = deadline.poll_passed(cx);
        passed.map(|()| Err(Waited::Failed(Failed::ResponseTimeout)))
    })
    .await
}

/// How long the head may take from now on.
fn patience(timeouts: &Timeouts) -> Duration {
    let left = |ends: Instant| ends.saturating_duration_since(Instant::now());
    let left = timeouts.ends.map_or(Duration::MAX, left);
    timeouts.response.min(left)
}

/// The length an answer declares, when it is one number.
fn length(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?;
    text.parse().ok()
}

/// The request's head for this hop alone: whatever framing came from outside ends here.
fn head(parts: &Parts, body: &Carried, is_tls: bool) -> Option<Request<()>> {
    let authority = parts.headers.get(header::HOST)?;
    let target = parts.uri.path_and_query().cloned();
    let uri = Uri::builder()
        .scheme(if is_tls {
            uri::Scheme::HTTPS
        } else {
            uri::Scheme::HTTP
        })
        .authority(authority.as_bytes())
        .path_and_query(target.unwrap_or(uri::PathAndQuery::from_static("/")))
        .build()
        .ok()?;
    let mut head = Request::new(());
    *head.method_mut() = parts.method.clone();
    *head.version_mut() = Version::HTTP_2;
    *head.uri_mut() = uri;
    let headers = head.headers_mut();
    headers.reserve(parts.headers.len());
    for (name, value) in &parts.headers {
        let is_own = [header::HOST, header::CONTENT_LENGTH, header::EXPECT].contains(name);
        if !is_own && !hop::is_hop_by_hop(name) {
            headers.append(name, value.clone());
        }
    }
    let sends = [Method::POST, Method::PUT, Method::PATCH].contains(&parts.method);
    match body.length() {
        Some(length) if length > 0 || sends => {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        _ => {}
    }
    if parts.extensions.get::<trailers::Taken>().is_some() {
        headers.insert(header::TE, trailers::TE);
    }
    Some(head)
}

impl Upload {
    fn new(stream: SendStream<Bytes>, body: Carried) -> Self {
        let is_over = body.is_end_stream();
        Self {
            stream: (!is_over).then_some(stream),
            body,
            piece: Bytes::new(),
        }
    }

    /// Sends on as much as the service takes; whether some of a streamed body moved. A service
    /// that wants no more of it may still answer.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> Result<bool, Refused> {
        let mut moved = false;
        while let Some(stream) = &mut self.stream {
            if self.piece.is_empty() {
                match self.body.poll_frame(cx) {
                    Poll::Pending => break,
                    Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                        Ok(data) => self.piece = data,
                        Err(frame) => {
                            let fields = frame.into_trailers().unwrap_or_default();
                            self.end(|stream| stream.send_trailers(fields));
                            continue;
                        }
                    },
                    Poll::Ready(Some(Err(why))) => {
                        // The service never sees an end of it (RFC 9113 §8.1).
                        stream.send_reset(Reason::CANCEL);
                        self.stream = None;
                        return Err(why);
                    }
                    Poll::Ready(None) => {
                        self.end(|stream| stream.send_data(Bytes::new(), true));
                        continue;
                    }
                }
                if self.piece.is_empty() {
                    continue;
                }
            }
            stream.reserve_capacity(self.piece.len());
            if stream.capacity() == 0 {
                match stream.poll_capacity(cx) {
                    Poll::Pending => break,
                    Poll::Ready(Some(Ok(_))) => continue,
                    Poll::Ready(_) => {
                        tracing::debug!("an upstream takes no more of a request");
                        self.stop();
                        break;
                    }
                }
            }
            let piece = self.piece.split_to(stream.capacity().min(self.piece.len()));
            let is_last = self.piece.is_empty() && self.body.is_end_stream();
            moved = true;
            if is_last {
                self.end(|stream| stream.send_data(piece, true));
            } else if stream.send_data(piece, false).is_err() {
                self.stop();
            }
        }
        Ok(moved && self.body.is_streamed())
    }

    /// Sends the last of it.
    fn end(&mut self, send: impl FnOnce(&mut SendStream<Bytes>) -> Result<(), h2::Error>) {
        if let Some(stream) = &mut self.stream
            && let Err(error) = send(stream)
        {
            tracing::debug!(%error, "an upstream takes no more of a request");
        }
        self.stop();
    }

    fn stop(&mut self) {
        self.stream = None;
        self.piece = Bytes::new();
    }
}
