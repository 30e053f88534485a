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
use http::{HeaderMap, HeaderValue, Method, Response, header};
use http_body::{Frame, SizeHint};
use model::{Principal, RequestId, Timestamp};
use openapi::{Document, Found, Keyword, Place, Violations, learn};

use crate::body::{Budget, Carried, Held, Room};
use crate::book::Book;
use crate::caller::Caller;
use crate::contract::Head;
use crate::exchange::{BoxError, Outgoing};
use crate::flow::Flow;
use crate::inspect::BodyKind;
use crate::metrics::{Meter, RouteSlot};
use crate::records::{Recorder, Refusal};
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
pub(crate) struct Notes {
    document: Option<Arc<Document>>,
    learning: Option<Learning>,
    /// Path as the service got it.
    path: String,
    method: Method,
    status: u16,
    headers: HeaderMap,
    record: Record,
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
struct Learning {
    book: Arc<Book>,
    query: Option<String>,
    kind: Option<HeaderValue>,
    request: Held,
    source: u64,
}

/// Takes down what is needed once the answer comes; nothing on most routes. Before the request is
/// sent: its head is gone afterwards.
pub(crate) fn begin(flow: &Flow<'_>, carried: &Carried) -> Option<Box<Notes>> {
    let chosen = flow.chosen()?;
    let checks = flow.operation.is_some_and(|one| one.checks_responses());
    if !checks && !chosen.route.learn {
        return None;
    }
    let path = flow.path();
    let learning = chosen.route.learn.then(|| Learning {
        book: Arc::clone(&flow.shared.book),
        query: flow.head.uri.query().map(str::to_owned),
        kind: flow.head.headers.get(header::CONTENT_TYPE).cloned(),
        // Nothing looks into a body that is passed on as it comes.
        request: match carried {
            Carried::Held(held) => held.replay(),
            Carried::Streamed(_) => Held::empty(),
        },
        source: flow.shared.book.source(flow.client),
    });
    Some(Box::new(Notes {
        document: chosen.compiled.document.clone().filter(|_| checks),
        learning,
        path: forward::stripped(path, &chosen).unwrap_or(path).to_owned(),
        method: flow.head.method.clone(),
        status: 0,
        headers: HeaderMap::new(),
        record: Record {
            recorder: flow.shared.recorder.clone(),
            meter: Arc::clone(&flow.shared.metrics),
            slot: chosen.slot,
            time: flow.time,
            id: flow.id,
            client: flow.client,
            host: flow.host.name().to_owned(),
            path: path.to_owned(),
            route: chosen.route.name.clone(),
            principal: flow.caller.as_ref().map(Caller::principal).cloned(),
        },
    }))
}

/// Watches the answer pass.
pub(crate) fn attach(
    notes: Option<Box<Notes>>,
    budget: &Arc<Budget>,
    response: &mut Response<Outgoing>,
) {
    let Some(mut notes) = notes else {
        return;
    };
    notes.status = response.status().as_u16();
    notes.headers = response.headers().clone();
    match std::mem::take(response.body_mut()) {
        Outgoing::Upstream(body) if !body.is_end_stream() => {
            let kept = notes.reads(body.size_hint().exact()).then(|| Kept {
                bytes: Vec::new(),
                room: Room::new(budget),
            });
            let notes = Some(notes);
            *response.body_mut() = Outgoing::Compared(Box::new(Compared { body, kept, notes }));
        }
        other => {
            *response.body_mut() = other;
            let body: Option<&[u8]> = if notes.method == Method::HEAD {
                None
            } else {
                Some(&[])
            };
            notes.finish(body);
        }
    }
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
    /// Whether the body is worth keeping: as it stands, and JSON, or else no stream and short.
    fn reads(&self, length: Option<u64>) -> bool {
        let is_short = length.is_some_and(|length| {
            usize::try_from(length).is_ok_and(|length| length <= KEEP_BYTES_MAX)
        });
        let kind = BodyKind::of(self.headers.get(header::CONTENT_TYPE));
        let is_read = kind == Ok(BodyKind::Json) || is_short;
        is_read && !self.headers.contains_key(header::CONTENT_ENCODING)
    }

    /// The whole answer has passed; `body` is `None` where it was not kept.
    fn finish(&self, body: Option<&[u8]>) {
        if let Some(document) = &self.document {
            self.check(document, body);
        }
        if let Some(learning) = &self.learning {
            self.learn(learning, body);
        }
    }

    fn check(&self, document: &Document, body: Option<&[u8]>) {
        // "Not modified" stands for an answer that came before (RFC 9110 §15.4.5); a part of one
        // is not what the document describes (§15.3.7).
        if self.status == 304 {
            return;
        }
        let body = body.filter(|_| self.status != 206);
        let Found::Operation(operation, _) = document.find(self.method.as_str(), &self.path) else {
            return;
        };
        let mut violations = Violations::new();
        operation.check_response(self.status, &Head(&self.headers), body, &mut violations);
        let Some(first) = violations.iter().next() else {
            return;
        };
        let code = match (first.keyword, &first.place) {
            (Keyword::Status, _) => "validate.response_status",
            (Keyword::MediaType, _) | (_, Place::ContentType) => "validate.response_media_type",
            (_, Place::Header(_)) => "validate.response_header",
            _ => "validate.response_body",
        };
        let record = &self.record;
        record.meter.observed_at(record.slot, code);
        let Some(recorder) = &record.recorder else {
            return;
        };
        recorder.refused(Refusal {
            time: record.time,
            request_id: record.id,
            source: record.client,
            host: &record.host,
            method: self.method.as_str(),
            path: &record.path,
            route: Some(&record.route),
            principal: record.principal.as_ref(),
            code,
            text: &format!("the answer of `{}`: {first}", operation.name()),
            status: self.status,
            mode: Mode::Observe,
            after: None,
            rule: None,
            argument: Some(&first.place.to_string()),
            matches: &[],
            score: None,
        });
    }

    /// Learns from what the service took. Of a refusal of its own only that it came: whatever it
    /// refused would become part of what is proposed. Unknown paths and methods are nobody's API.
    fn learn(&self, learning: &Learning, body: Option<&[u8]>) {
        let taken = (200..400).contains(&self.status);
        let refused = (400..500).contains(&self.status) && !matches!(self.status, 404 | 405);
        if !taken && !refused {
            return;
        }
        let content =
            |kind: Option<&'_ HeaderValue>| kind.map(HeaderValue::as_bytes).map(<[u8]>::to_vec);
        let (sent, said) = (
            content(learning.kind.as_ref()),
            content(self.headers.get(header::CONTENT_TYPE)),
        );
        let request = learning.request.as_slice();
        let request = request.filter(|bytes| taken && !bytes.is_empty());
        let response = body.filter(|bytes| !bytes.is_empty());
        learning.book.observe(
            &self.record.route,
            self.record.time,
            &learn::Exchange {
                method: self.method.as_str(),
                path: &self.path,
                query: learning.query.as_deref().filter(|_| taken),
                request: request.map(|body| learn::Content {
                    content_type: sent.as_deref(),
                    body,
                }),
                status: self.status,
                response: response.map(|body| learn::Content {
                    content_type: said.as_deref(),
                    body,
                }),
                source: learning.source,
            },
        );
    }
}
