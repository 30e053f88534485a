//! The trail: search, one event, the newest checkpoint, and a live stream.

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Method, header};
use model::{ErrorKind, Outcome, Severity, Timestamp, own};
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use trail::{Query, Record};

use super::{Answer, ok};
use crate::body::{Params, id};
use crate::endpoint::{Endpoint, Needs, Param, path, query};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::schema;
use crate::services::Services;

const LIMIT_DEFAULT: u32 = 50;
/// LIMIT: records of one page, as the trail itself caps them.
const LIMIT_MAX: u32 = 500;
/// How often an idle stream says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The endpoints of this module.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/trail",
            Needs::Permission(own::TRAIL_READ),
            ("searchTrail", "Search the trail, newest first"),
            get(search),
        )
        .params(search_params())
        .answers(200, page_schema()),
        Endpoint::new(
            Method::GET,
            "/trail/stream",
            Needs::Permission(own::TRAIL_READ),
            (
                "streamTrail",
                "New records as they come, one JSON object per line (or as server-sent events \
                      with `Accept: text/event-stream`); an empty line is a heartbeat, \
                      `{\"missed\":n}` says that the reader was too slow for n records",
            ),
            get(stream),
        )
        .answers(200, record_schema()),
        Endpoint::new(
            Method::GET,
            "/trail/checkpoint",
            Needs::Permission(own::TRAIL_READ),
            (
                "trailCheckpoint",
                "The newest signed checkpoint (C2SP signed note)",
            ),
            get(checkpoint),
        )
        .answers(200, checkpoint_schema()),
        Endpoint::new(
            Method::GET,
            "/trail/{id}",
            Needs::Permission(own::TRAIL_READ),
            ("trailEvent", "One event"),
            get(find),
        )
        .params([path(
            "id",
            "`evt_…`, looked for among the newest, or the leaf index",
        )])
        .answers(200, record_schema()),
    ]
}

fn search_params() -> [Param; 10] {
    [
        query("text", "string", "Text that must occur"),
        query(
            "kind",
            "string",
            "What the kind begins with: `identity.session`",
        ),
        query("actor", "string", "Id or name of who did it"),
        query("outcome", "string", "`success`, `failure` or `refused`"),
        query(
            "severity",
            "string",
            "At least: `low`, `medium`, `high`, `critical`",
        ),
        query("source", "string", "Client address"),
        query("since", "string", "Not before, RFC 3339"),
        query("until", "string", "Before, RFC 3339"),
        query(
            "before",
            "integer",
            "Leaf index to go on beneath: `next` of the last page",
        ),
        query(
            "limit",
            "integer",
            "Records of a page, 1 to 500; 50 by default",
        ),
    ]
}

fn record_schema() -> serde_json::Value {
    schema::object(&[
        ("index", schema::count()),
        ("leaf_hash", schema::text()),
        ("event", schema::open()),
    ])
}

fn page_schema() -> serde_json::Value {
    schema::object(&[
        ("records", schema::list(&record_schema())),
        ("next", schema::maybe(&schema::count())),
    ])
}

fn checkpoint_schema() -> serde_json::Value {
    schema::object(&[
        ("checkpoint", schema::text()),
        ("key", schema::text()),
        ("size", schema::count()),
    ])
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    text: Option<String>,
    kind: Option<String>,
    actor: Option<String>,
    outcome: Option<Outcome>,
    severity: Option<Severity>,
    source: Option<IpAddr>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    before: Option<u64>,
    limit: Option<u32>,
}

async fn search(State(services): State<Services>, Params(asked): Params<Search>) -> Answer {
    let limit = asked.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::new(
            ErrorKind::Invalid,
            format!("`limit` is 1 to {LIMIT_MAX}"),
        ));
    }
    let page = services
        .trail
        .search(&Query {
            text: asked.text,
            kind: asked.kind,
            actor: asked.actor,
            outcome: asked.outcome,
            severity: asked.severity,
            source: asked.source,
            since: asked.since,
            until: asked.until,
            before: asked.before,
            limit,
        })
        .await?;
    ok(&page)
}

async fn find(State(services): State<Services>, Path(text): Path<String>) -> Answer {
    let found = match text.parse::<u64>() {
        Ok(index) => services.trail.read(index).await?,
        Err(_) => services.trail.find(id(&text)?).await?,
    };
    let record = found
        .ok_or_else(|| Problem::new(ErrorKind::NotFound, format!("there is no event `{text}`")))?;
    ok(&record)
}

async fn checkpoint(State(services): State<Services>) -> Answer {
    let checkpoint = services.trail.checkpoint();
    ok(&serde_json::json!({
        "checkpoint": checkpoint.to_string(),
        "key": services.facts.trail_key,
        "size": checkpoint.claimed().size,
    }))
}

/// How a live record is written.
#[derive(Clone, Copy, Debug)]
enum Wire {
    Lines,
    Events,
}

impl Wire {
    fn record(self, record: &Record) -> Bytes {
        let text = serde_json::to_string(record).unwrap_or_default();
        match self {
            Self::Lines => format!("{text}\n").into(),
            Self::Events => format!("id: {}\nevent: record\ndata: {text}\n\n", record.index).into(),
        }
    }

    fn missed(self, count: u64) -> Bytes {
        match self {
            Self::Lines => format!("{{\"missed\":{count}}}\n").into(),
            Self::Events => format!("event: missed\ndata: {count}\n\n").into(),
        }
    }

    fn heartbeat(self) -> Bytes {
        match self {
            Self::Lines => Bytes::from_static(b"\n"),
            Self::Events => Bytes::from_static(b":\n\n"),
        }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Lines => "application/x-ndjson",
            Self::Events => "text/event-stream",
        })
    }
}

async fn stream(
    State(services): State<Services>,
    Caller(_): Caller,
    headers: HeaderMap,
) -> Response {
    let events = headers
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.as_bytes().starts_with(b"text/event-stream"));
    let wire = if events { Wire::Events } else { Wire::Lines };
    // LIMIT: the channel is bounded; a slow reader is told how much it missed.
    let receiver = services.trail.subscribe();
    let frames = stream::unfold(receiver, move |mut receiver| async move {
        let frame = match tokio::time::timeout(HEARTBEAT, receiver.recv()).await {
            Err(_) => wire.heartbeat(),
            Ok(Ok(record)) => wire.record(&record),
            Ok(Err(RecvError::Lagged(count))) => wire.missed(count),
            Ok(Err(RecvError::Closed)) => return None,
        };
        Some((Ok::<_, Infallible>(frame), receiver))
    });
    (
        [(header::CONTENT_TYPE, wire.content_type())],
        Body::from_stream(frames),
    )
        .into_response()
}
