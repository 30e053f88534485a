//! Answers of services, looked at as they pass: against the route's OpenAPI document, and for what
//! traffic shows of an API (`learn = true`).
//!
//! Never holds an answer up and never changes one. What is too long, compressed or a stream is not
//! looked into; its status and header fields still are.

use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use estate::Mode;
use http::{HeaderValue, Method, header};
use http_body::{Frame, SizeHint};
use model::{Principal, RequestId, Timestamp};
use openapi::{Document, Found, Keyword, Operation, Place, Violations, learn};

use crate::body::{Carried, Held, Room};
use crate::book::Book;
use crate::caller::Caller;
use crate::exchange::{BoxError, Outgoing};
use crate::flow::Flow;
use crate::inspect::BodyKind;
use crate::metrics::{Meter, RouteSlot};
use crate::records::{Recorder, Refusal};
use crate::reply::{Known, Reply, ReplyFields};
use crate::state::Chosen;
use crate::steps::forward;
use crate::upstream::ResponseBody;

/// LIMIT: bytes of an answer that are kept to be looked into.
const KEEP_BYTES_MAX: usize = 64 * 1024;

/// An answer's body on its way, and what is noted of it.
#[derive(Debug)]
pub(crate) struct Compared {
    body: ResponseBody,
    kept: Option<Kept>,
    notes: Option<Box<Notes>>,
}

#[derive(Debug)]
struct Kept {
    bytes: Vec<u8>,
    room: Room,
}

/// What is known of an exchange while its answer passes.
#[derive(Debug)]
struct Notes {
    document: Option<Arc<Document>>,
    learning: Option<Box<Learning>>,
    /// Path as the service got it.
    path: String,
    method: Method,
    status: u16,
    fields: ReplyFields,
    record: Record,
}

/// An answer that has passed.
#[derive(Clone, Copy, Debug)]
struct Seen<'a> {
    method: &'a str,
    /// Path as the service got it.
    path: &'a str,
    status: u16,
    fields: &'a ReplyFields,
    /// `None` where it was not kept.
    body: Option<&'a [u8]>,
}

/// Where an answer is none of those that its document describes.
#[derive(Debug)]
struct Fault {
    code: &'static str,
    text: String,
    place: String,
}

/// What a record of the exchange says.
#[derive(Debug)]
struct Record {
    recorder: Option<Recorder>,
    meter: Arc<Meter>,
    slot: RouteSlot,
    time: Timestamp,
    id: RequestId,
    client: IpAddr,
    host: String,
    path: String,
    route: String,
    principal: Option<Principal>,
}

/// What is learnt from a request besides its answer.
#[derive(Debug)]
pub(crate) struct Learning {
    book: Arc<Book>,
    query: Option<String>,
    kind: Option<HeaderValue>,
    request: Held,
    source: u64,
}

/// Takes down what a route that learns needs once the answer comes: before the request is sent, for
/// its head is gone afterwards.
pub(crate) fn begin(flow: &Flow<'_>, carried: &Carried) -> Option<Box<Learning>> {
    if !flow.chosen()?.route.learn {
        return None;
    }
    Some(Box::new(Learning {
        book: Arc::clone(&flow.shared.book),
        query: flow.head.uri.query().map(str::to_owned),
        kind: flow.head.headers.get(header::CONTENT_TYPE).cloned(),
        // Nothing looks into a body that is passed on as it comes.
        request: match carried {
            Carried::Held(held) => held.replay(),
            Carried::Streamed(_) => Held::empty(),
        },
        source: flow.shared.book.source(flow.client),
    }))
}

/// Looks at an answer that is here, and watches any other pass.
pub(crate) fn attach(flow: &Flow<'_>, learning: Option<Box<Learning>>, reply: &mut Reply) {
    let operation = flow.operation.filter(|one| one.checks_responses());
    let Some(chosen) = flow
        .chosen()
        .filter(|_| operation.is_some() || learning.is_some())
    else {
        return;
    };
    let path = flow.path();
    let path = forward::stripped(path, &chosen).unwrap_or(path);
    let body = match &reply.body {
        Outgoing::Upstream(ResponseBody::Whole(bytes)) => Some(bytes.as_ref()),
        Outgoing::Upstream(body) if !body.is_end_stream() => {
            let kept = reads(&reply.fields, body.size_hint().exact()).then(|| Kept {
                bytes: Vec::new(),
                room: Room::new(&flow.shared.budget),
            });
            let notes = Some(Box::new(Notes {
                document: chosen
                    .compiled
                    .document
                    .clone()
                    .filter(|_| operation.is_some()),
                learning,
                path: path.to_owned(),
                method: flow.head.method.clone(),
                status: reply.status.as_u16(),
                fields: reply.fields.clone(),
                record: Record::of(flow, &chosen),
            }));
            watch(&mut reply.body, kept, notes);
            return;
        }
        _ => Some(&[][..]),
    };
    let length = body.and_then(|body| u64::try_from(body.len()).ok());
    let is_read = length == Some(0) || reads(&reply.fields, length);
    let seen = Seen {
        method: flow.head.method.as_str(),
        path,
        status: reply.status.as_u16(),
        fields: &reply.fields,
        body: body.filter(|_| is_read && flow.head.method != Method::HEAD),
    };
    if let Some(fault) = operation.and_then(|operation| seen.fault(operation)) {
        Record::of(flow, &chosen).tell(&seen, &fault);
    }
    if let Some(learning) = learning {
        learning.learn(&seen, &chosen.route.name, flow.time);
    }
}

fn watch(body: &mut Outgoing, kept: Option<Kept>, notes: Option<Box<Notes>>) {
    *body = match std::mem::take(body) {
        Outgoing::Upstream(body) => Outgoing::Compared(Box::new(Compared { body, kept, notes })),
        other => other,
    };
}

/// Whether a body is worth keeping: as it stands, and JSON, or else no stream and short.
fn reads(fields: &ReplyFields, length: Option<u64>) -> bool {
    let is_short = length
        .is_some_and(|length| usize::try_from(length).is_ok_and(|length| length <= KEEP_BYTES_MAX));
    if fields.has(Known::ContentEncoding) {
        return false;
    }
    is_short || BodyKind::of(kind(fields).as_ref()) == Ok(BodyKind::Json)
}

/// What an answer says its body is.
fn kind(fields: &ReplyFields) -> Option<HeaderValue> {
    HeaderValue::from_bytes(fields.get(&header::CONTENT_TYPE)?).ok()
}

impl Compared {
    /// See `http_body::Body::poll_frame`.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = self.body.poll_frame(cx);
        match &polled {
            Poll::Pending => return polled,
            // An answer that broke off says nothing about the service's answers.
            Poll::Ready(Some(Err(_))) => self.notes = None,
            Poll::Ready(Some(Ok(frame))) => {
                let keeps = frame.data_ref().is_none_or(|data| self.keep(data));
                if !keeps {
                    self.kept = None;
                }
            }
            Poll::Ready(None) => {}
        }
        if matches!(polled, Poll::Ready(None)) || self.body.is_end_stream() {
            if let Some(notes) = self.notes.take() {
                notes.finish(self.kept.as_ref().map(|kept| kept.bytes.as_slice()));
            }
            self.kept = None;
        }
        polled
    }

    fn keep(&mut self, data: &Bytes) -> bool {
        let Some(kept) = &mut self.kept else {
            return true;
        };
        let fits = kept.bytes.len().saturating_add(data.len()) <= KEEP_BYTES_MAX;
        if !fits || !kept.room.grow(data.len()) {
            return false;
        }
        kept.bytes.extend_from_slice(data);
        true
    }

    /// See `http_body::Body::is_end_stream`.
    pub(crate) fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    /// See `http_body::Body::size_hint`.
    pub(crate) fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Notes {
    /// The whole answer has passed; `body` is `None` where it was not kept.
    fn finish(&self, body: Option<&[u8]>) {
        let seen = Seen {
            method: self.method.as_str(),
            path: &self.path,
            status: self.status,
            fields: &self.fields,
            body,
        };
        if let Some(document) = &self.document
            && let Found::Operation(operation, _) = document.find(seen.method, seen.path)
            && let Some(fault) = seen.fault(operation)
        {
            self.record.tell(&seen, &fault);
        }
        if let Some(learning) = &self.learning {
            learning.learn(&seen, &self.record.route, self.record.time);
        }
    }
}

impl Seen<'_> {
    fn fault(&self, operation: &Operation) -> Option<Fault> {
        // "Not modified" stands for an answer that came before (RFC 9110 §15.4.5); a part of one
        // is not what the document describes (§15.3.7).
        if self.status == 304 {
            return None;
        }
        let body = self.body.filter(|_| self.status != 206);
        let mut violations = Violations::new();
        operation.check_response(self.status, self.fields, body, &mut violations);
        let first = violations.iter().next()?;
        let code = match (first.keyword, &first.place) {
            (Keyword::Status, _) => "validate.response_status",
            (Keyword::MediaType, _) | (_, Place::ContentType) => "validate.response_media_type",
            (_, Place::Header(_)) => "validate.response_header",
            _ => "validate.response_body",
        };
        Some(Fault {
            code,
            text: format!("the answer of `{}`: {first}", operation.name()),
            place: first.place.to_string(),
        })
    }
}

impl Record {
    fn of(flow: &Flow<'_>, chosen: &Chosen<'_>) -> Self {
        Self {
            recorder: flow.shared.recorder.clone(),
            meter: Arc::clone(&flow.shared.metrics),
            slot: chosen.slot,
            time: flow.time,
            id: flow.id,
            client: flow.client,
            host: flow.host.name().to_owned(),
            path: flow.path().to_owned(),
            route: chosen.route.name.clone(),
            principal: flow.caller.as_ref().map(Caller::principal).cloned(),
        }
    }

    fn tell(&self, seen: &Seen<'_>, fault: &Fault) {
        self.meter.observed_at(self.slot, fault.code);
        let Some(recorder) = &self.recorder else {
            return;
        };
        recorder.refused(Refusal {
            time: self.time,
            request_id: self.id,
            source: self.client,
            host: &self.host,
            method: seen.method,
            path: &self.path,
            route: Some(&self.route),
            principal: self.principal.as_ref(),
            code: fault.code,
            text: &fault.text,
            status: seen.status,
            mode: Mode::Observe,
            after: None,
            rule: None,
            argument: Some(&fault.place),
            matches: &[],
            score: None,
            decision: None,
            answered: None,
        });
    }
}

impl Learning {
    /// Learns from what the service took. Of a refusal of its own only that it came: whatever it
    /// refused would become part of what is proposed. Unknown paths and methods are nobody's API.
    fn learn(&self, seen: &Seen<'_>, route: &str, time: Timestamp) {
        let taken = (200..400).contains(&seen.status);
        let refused = (400..500).contains(&seen.status) && !matches!(seen.status, 404 | 405);
        if !taken && !refused {
            return;
        }
        let request = self.request.as_slice();
        let request = request.filter(|bytes| taken && !bytes.is_empty());
        let response = seen.body.filter(|bytes| !bytes.is_empty());
        self.book.observe(
            route,
            time,
            &learn::Exchange {
                method: seen.method,
                path: seen.path,
                query: self.query.as_deref().filter(|_| taken),
                request: request.map(|body| learn::Content {
                    content_type: self.kind.as_ref().map(HeaderValue::as_bytes),
                    body,
                }),
                status: seen.status,
                response: response.map(|body| learn::Content {
                    content_type: seen.fields.get(&header::CONTENT_TYPE),
                    body,
                }),
                source: self.source,
            },
        );
    }
}
