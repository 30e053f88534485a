//! One request on an HTTP/2 connection, until its answer begins: its head made anew, its body sent
//! as the service takes it.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use estate::Failure;
use h2::client::ResponseFuture;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, Version, header, uri};

use super::body::Http2Body;
use super::link::Seat;
use crate::body::{Carried, Refused};
use crate::deadline::Deadline;
use crate::hop;
use crate::reply::Reply;
use crate::trailers;
use crate::upstream::patience::{Over, Patience, Until, Waits};
use crate::upstream::pool::{Home, Turn};
use crate::upstream::request::{ServiceFields, ServiceHead, ServiceRequest};
use crate::upstream::{Failed, ResponseBody, Timeouts, retry};

/// LIMIT: fields of a response's head.
const FIELDS_MAX: usize = 100;
/// LIMIT: interim responses before the final one (RFC 9110 §15.2).
const INTERIM_MAX: u32 = 16;

/// Room for one request. Dropped before its answer has ended, it tells the service to stop.
#[derive(Debug)]
pub(super) struct Call {
    seat: Seat,
    home: Home,
    is_tls: bool,
}

/// Why there is no response.
type Lost = retry::Lost<ServiceRequest>;

/// A body on its way to the service.
#[derive(Debug)]
pub(super) struct Upload {
    /// Nothing once its end is sent, or the service wants no more.
    stream: Option<SendStream<Bytes>>,
    body: Carried,
    /// What of it is read and not sent.
    piece: Bytes,
    /// Bytes sent.
    sent: u64,
    /// Nothing can be sent before the client sends more of a streamed body.
    awaits_client: bool,
}

impl Call {
    pub(super) fn new(seat: Seat, home: Home, is_tls: bool) -> Self {
        Self { seat, home, is_tls }
    }

    /// Sends the request, and waits for the head of the response. `turn` may want another address
    /// to be asked after an answer of some status, and is there then.
    pub(super) async fn ask(
        mut self,
        mut request: ServiceRequest,
        timeouts: &Timeouts,
        turn: &mut Turn,
    ) -> Result<Reply<ResponseBody>, Lost> {
        let head = head(&request, self.is_tls).ok_or(Lost::Failed(Failed::Broken))?;
        let ready = poll_fn(|cx| self.seat.sender.poll_ready(cx)).await;
        let sent = ready.and_then(|()| {
            self.seat
                .sender
                .send_request(head, request.body.is_end_stream())
        });
        let (mut response, stream) = match sent {
            Ok(sent) => sent,
            // It takes no more requests: this one never left.
            Err(error) => {
                tracing::debug!(%error, "an HTTP/2 connection takes no request");
                self.seat.end_link();
                if !error.is_io() && !error.is_go_away() {
                    return Err(Lost::Failed(Failed::Broken));
                }
                return Err(Lost::Unsent(Box::new(request)));
            }
        };
        let mut upload = Upload::new(stream, std::mem::take(&mut request.body));
        let mut patience = Patience::new(self.home.timeouts(), timeouts);
        let response = match wait(&mut upload, &mut response, &mut patience).await {
            Ok(response) => response,
            Err(why) => return Err(self.lost(&why, request, upload)),
        };
        self.seat.heard();
        let status = response.status();
        if response.headers().len() > FIELDS_MAX || status.is_informational() {
            self.home.failed(Failure::Reset);
            return Err(Lost::Failed(Failed::Broken));
        }
        self.home.answered(status.as_u16());
        if status.is_server_error() && turn.gives_up(status, &(&request.method, &upload.body)) {
            return Err(again(Lost::Unwanted, Failed::Broken, request, upload.body));
        }
        upload.body.answered();
        self.receive(response, upload, &request, (timeouts, patience.until))
            .map_err(Lost::Failed)
    }

    fn receive(
        self,
        response: Response<RecvStream>,
        upload: Upload,
        asked: &ServiceRequest,
        (timeouts, until): (&Timeouts, Until),
    ) -> Result<Reply<ResponseBody>, Failed> {
        let (mut head, stream) = response.into_parts();
        hop::strip(&mut head.headers);
        let length = length(&head.headers);
        let is_bodyless = asked.method == Method::HEAD || stream.is_end_stream();
        let exact = if is_bodyless { None } else { length };
        if exact.is_some_and(|length| length > timeouts.response_max) {
            return Err(Failed::TooLarge);
        }
        let body = Http2Body::new(
            (self.seat, self.home),
            upload,
            stream,
            (exact, asked.takes_trailers),
            timeouts,
            until,
        );
        Ok(Reply {
            status: head.status,
            fields: head.headers.into(),
            body: ResponseBody::Http2(Box::new(body)),
        })
    }

    /// What it means that there is no answer.
    fn lost(&self, why: &Waited, request: ServiceRequest, upload: Upload) -> Lost {
        // SECURITY: what a client does, or leaves undone, must not make an address look bad.
        match why {
            Waited::Body(why) => Lost::Failed(Failed::Body(*why)),
            Waited::Over(over) => {
                if over.is_of_the_address(upload.is_streaming()) {
                    self.home.failed(Failure::Timeout);
                }
                match over {
                    Over::Head => again(Lost::Late, over.failed(), request, upload.body),
                    over => Lost::Failed(over.failed()),
                }
            }
            Waited::Flooded => {
                self.home.failed(Failure::Reset);
                Lost::Failed(Failed::Broken)
            }
            Waited::Error(error) => self.broken(error, request, upload),
        }
    }

    fn broken(&self, error: &h2::Error, request: ServiceRequest, upload: Upload) -> Lost {
        tracing::debug!(%error, "a request over HTTP/2 got no answer");
        let is_refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
        let is_left = error.is_go_away();
        if is_left || error.is_io() {
            self.seat.end_link();
        }
        // INVARIANT: a stream ends with the service's GOAWAY only when its number is higher than
        // the last one that was processed (RFC 9113 §6.8).
        if error.is_remote() && (is_refused || is_left) {
            return again(Lost::Unprocessed, Failed::TooMany, request, upload.body);
        }
        // One that ends while its client lets it wait is tired of the client.
        if !upload.awaits_client() {
            self.home.failed(Failure::Reset);
        }
        if error.is_io() {
            return again(Lost::Unanswered, Failed::Broken, request, upload.body);
        }
        Lost::Failed(Failed::Broken)
    }
}

/// With the request, where that can be sent from its beginning.
fn again(
    lost: fn(Box<ServiceRequest>) -> Lost,
    failed: Failed,
    request: ServiceRequest,
    body: Carried,
) -> Lost {
    match body.again() {
        Some(body) => lost(Box::new(ServiceRequest { body, ..request })),
        None => Lost::Failed(failed),
    }
}

/// Why no head came.
#[derive(Debug)]
enum Waited {
    /// The request has no end.
    Body(Refused),
    Over(Over),
    /// Interim answers without end.
    Flooded,
    Error(h2::Error),
}

/// Sends the body until the head of the response is here.
async fn wait(
    upload: &mut Upload,
    response: &mut ResponseFuture,
    patience: &mut Patience,
) -> Result<Response<RecvStream>, Waited> {
    let mut deadline = Deadline::unset();
    let mut interim = 0_u32;
    poll_fn(|cx| {
        upload.poll_send(cx).map_err(Waited::Body)?;
        while let Poll::Ready(Some(Ok(_))) = response.poll_informational(cx) {
            interim = interim.saturating_add(1);
            if interim > INTERIM_MAX {
                return Poll::Ready(Err(Waited::Flooded));
            }
        }
        if let Poll::Ready(response) = Pin::new(&mut *response).poll(cx) {
            return Poll::Ready(response.map_err(Waited::Error));
        }
        let over = patience.poll_over(upload.waits(), &mut deadline, cx);
        over.map(|over| Err(Waited::Over(over)))
    })
    .await
}

/// The length an answer declares, when it is one number.
fn length(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?;
    text.parse().ok()
}

/// The request's head for this hop alone; nothing where it is none of HTTP/2.
fn head(request: &ServiceRequest, is_tls: bool) -> Option<Request<()>> {
    let ServiceHead::Fields(all) = &request.head else {
        return None;
    };
    let ServiceFields { uri, fields } = &**all;
    let (_, authority) = fields.iter().find(|(name, _)| *name == header::HOST)?;
    let target = uri.path_and_query().cloned();
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
    *head.method_mut() = request.method.clone();
    *head.version_mut() = Version::HTTP_2;
    *head.uri_mut() = uri;
    let headers = head.headers_mut();
    headers.reserve(fields.len());
    for (name, value) in fields {
        if *name != header::HOST {
            headers.append(name, value.clone());
        }
    }
    let sends = [Method::POST, Method::PUT, Method::PATCH].contains(&request.method);
    match request.body.length() {
        Some(length) if length > 0 || sends => {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        _ => {}
    }
    if request.takes_trailers {
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
            sent: 0,
            awaits_client: false,
        }
    }

    /// What is waited for.
    fn waits(&self) -> Waits {
        match &self.stream {
            None => Waits::Answer,
            Some(_) if self.awaits_client => Waits::Client(self.sent),
            Some(_) => Waits::Service(self.sent),
        }
    }

    /// Whether some of a streamed body is still to come, and the service takes it.
    pub(super) const fn is_streaming(&self) -> bool {
        self.stream.is_some() && self.body.is_streamed()
    }

    /// Whether nothing can be sent before the client sends more.
    pub(super) const fn awaits_client(&self) -> bool {
        self.stream.is_some() && self.awaits_client
    }

    /// Sends on as much as the service takes; whether some of a streamed body moved. A service
    /// that wants no more of it may still answer.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> Result<bool, Refused> {
        let mut moved = false;
        self.awaits_client = false;
        while let Some(stream) = &mut self.stream {
            if self.piece.is_empty() {
                match self.body.poll_frame(cx) {
                    Poll::Pending => {
                        self.awaits_client = true;
                        break;
                    }
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
            let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            self.sent = self.sent.saturating_add(length);
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
