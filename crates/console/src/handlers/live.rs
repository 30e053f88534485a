//! Live updates as server-sent events: new records of the trail, and the numbers of the gateway.
//!
//! A stream carries only what the page it belongs to may show, and ends when the session does.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use api::Services;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::{HeaderMap, HeaderValue, header};
use model::{Event, own};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Interval;
use trail::{Query, Record};

use super::{Answer, gateway};
use crate::error::WebError;
use crate::parameters::Parameters;
use crate::session::Session;

/// LIMIT: open streams of everybody together.
static STREAMS: Semaphore = Semaphore::const_new(512);
/// How often an idle stream shows that it is alive, and the session is looked at again.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often numbers are sent.
const NUMBERS: Duration = Duration::from_secs(2);

/// What a stream is about.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Topic {
    what: What,
    #[serde(flatten)]
    search: super::trail::Search,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Trail,
    Numbers,
}

/// `GET /live`.
pub(crate) async fn open(
    State(services): State<Services>,
    session: Session,
    headers: HeaderMap,
    Parameters(topic): Parameters<Topic>,
) -> Answer {
    let permit = STREAMS.try_acquire().map_err(|_| WebError::Failed {
        kind: model::ErrorKind::Limit,
        text: "too many live pages are open".to_owned(),
    })?;
    let mut stream = Stream {
        session,
        records: None,
        numbers: None,
        heartbeat: tokio::time::interval(HEARTBEAT),
        waiting: VecDeque::new(),
        ended: false,
        services,
        _permit: permit,
    };
    match topic.what {
        What::Trail => {
            stream.session.require(own::TRAIL_READ)?;
            let query = topic
                .search
                .query(stream.services.clock.now())
                .map_err(WebError::Malformed)?;
            let receiver = stream.services.trail.subscribe();
            if let Some(missed) = since(&stream.services, &headers, &query).await? {
                stream
                    .waiting
                    .push_back(frame("missed", &missed.to_string()));
            }
            stream.records = Some((receiver, query));
        }
        What::Numbers => {
            stream.session.require(own::GATEWAY_READ)?;
            stream.numbers = Some(tokio::time::interval(NUMBERS));
        }
    }
    Ok(answer(stream))
}

/// How many matching records came since the browser's last one, after a connection broke.
async fn since(
    services: &Services,
    headers: &HeaderMap,
    query: &Query,
) -> Result<Option<usize>, WebError> {
    let last: Option<u64> = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    let Some(last) = last else { return Ok(None) };
    let page = services.trail.search(query).await?;
    let missed = page.records.iter().filter(|r| r.index > last).count();
    Ok((missed > 0).then_some(missed))
}

fn answer(stream: Stream) -> Response {
    let frames = stream::unfold(stream, |mut stream| async move {
        let frame = stream.next().await?;
        Some((Ok::<_, Infallible>(frame), stream))
    });
    let kind = HeaderValue::from_static("text/event-stream");
    ([(header::CONTENT_TYPE, kind)], Body::from_stream(frames)).into_response()
}

fn frame(event: &str, data: &str) -> Bytes {
    // INVARIANT: `data` is one line; it is a number or JSON.
    format!("event: {event}\ndata: {data}\n\n").into()
}

struct Stream {
    services: Services,
    session: Session,
    records: Option<(broadcast::Receiver<Arc<Record>>, Query)>,
    numbers: Option<Interval>,
    heartbeat: Interval,
    waiting: VecDeque<Bytes>,
    ended: bool,
    _permit: SemaphorePermit<'static>,
}

/// What happened first.
enum Happened {
    Record(Arc<Record>),
    Missed(u64),
    Closed,
    Numbers,
    Heartbeat,
}

impl Stream {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(frame) = self.waiting.pop_front() {
            return Some(frame);
        }
        if self.ended {
            return None;
        }
        match self.wait().await {
            // Only that there is one: the page asks for its content, and is authorised again.
            Happened::Record(record) => {
                Some(format!("id: {0}\nevent: event\ndata: {0}\n\n", record.index).into())
            }
            Happened::Missed(count) => Some(frame("missed", &count.to_string())),
            Happened::Closed => None,
            Happened::Numbers => {
                let numbers = gateway::numbers(&self.services);
                let json = serde_json::to_string(&numbers).unwrap_or_default();
                Some(frame("stats", &json))
            }
            Happened::Heartbeat if self.still_signed_in().await => {
                Some(Bytes::from_static(b":\n\n"))
            }
            Happened::Heartbeat => {
                self.ended = true;
                Some(frame("ended", "0"))
            }
        }
    }

    async fn wait(&mut self) -> Happened {
        tokio::select! {
            happened = record(&mut self.records) => happened,
            () = tick(&mut self.numbers) => Happened::Numbers,
            _ = self.heartbeat.tick() => Happened::Heartbeat,
        }
    }

    async fn still_signed_in(&self) -> bool {
        let visit = &self.session.visit;
        let Some(cookie) = visit.session() else {
            return false;
        };
        let asked = self
            .services
            .identity
            .authenticate_session(cookie, visit.request_id(), Some(visit.source()))
            .await;
        let needed = if self.numbers.is_some() {
            own::GATEWAY_READ
        } else {
            own::TRAIL_READ
        };
        // SECURITY: a right that was taken away ends the stream, as the end of the session does.
        matches!(asked, Ok(Some(ctx)) if ctx.require(&own::permission(needed)).is_ok())
    }
}

async fn record(source: &mut Option<(broadcast::Receiver<Arc<Record>>, Query)>) -> Happened {
    let Some((receiver, query)) = source else {
        return std::future::pending().await;
    };
    loop {
        match receiver.recv().await {
            Ok(record) if matches(query, &record.event) => return Happened::Record(record),
            Ok(_) => {}
            Err(RecvError::Lagged(count)) => return Happened::Missed(count),
            Err(RecvError::Closed) => return Happened::Closed,
        }
    }
}

async fn tick(interval: &mut Option<Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}

/// Whether an event belongs to a search: what [`trail::Trail::search`] would find.
fn matches(query: &Query, event: &Event) -> bool {
    let kind = query
        .kind
        .as_deref()
        .is_none_or(|prefix| event.kind.starts_with(prefix));
    let actor = query
        .actor
        .as_deref()
        .is_none_or(|actor| event.actor.id == actor || event.actor.name == actor);
    let text = query.text.as_deref().is_none_or(|text| {
        let all = serde_json::to_string(event).unwrap_or_default();
        all.to_lowercase().contains(&text.to_lowercase())
    });
    kind && actor
        && text
        && query.outcome.is_none_or(|outcome| event.outcome == outcome)
        && query.severity.is_none_or(|least| event.severity >= least)
        && query
            .source
            .is_none_or(|source| event.source == Some(source))
        && query.since.is_none_or(|since| event.time >= since)
        && query.until.is_none_or(|until| event.time < until)
}
