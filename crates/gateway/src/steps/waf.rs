//! The rules that `[waf]` names: a request is held to them before its service sees it, and an
//! answer before its client does.
//!
//! Never says to a client which rule it met. A body that cannot be read, and work that cannot be
//! finished, are never taken for silence of the rules.

use std::sync::Arc;

use bytes::Bytes;
use estate::{Mode, RouteWaf, WhenSpent};
use http::{HeaderValue, Method, StatusCode, header};
use seclang::Ruleset;

use crate::body::{Carried, Held};
use crate::exchange::Outgoing;
use crate::flow::Flow;
use crate::refused::{More, Refused};
use crate::reply::Reply;
use crate::ruled::{Begun, Exchange, INLINE_BYTES_MAX, Judged, Kept, Part, Told, answered, hold};
use crate::steps::{forward, inspect};

/// When to try again while there is no place for a body.
const PLACE_AFTER: std::time::Duration = std::time::Duration::from_secs(1);

/// A route's rules, and how they are meant there.
fn own<'a>(flow: &Flow<'a>) -> Option<(&'a Arc<Ruleset>, RouteWaf)> {
    let chosen = flow.chosen()?;
    Some((chosen.compiled.rules.as_ref()?, chosen.route.waf?))
}

/// Phase 1: what the head says.
pub(crate) fn head(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let Some((rules, own)) = own(flow) else {
        return Ok(());
    };
    let waf = flow.state.estate().waf.as_ref();
    let budget_bytes = waf.map_or(0, |waf| waf.budget.0);
    let began = flow.shared.clock.monotonic();
    let exchange = Arc::new(Exchange::of(flow));
    let transaction = exchange.begin(rules, budget_bytes);
    let judged = Box::new(Judged {
        exchange,
        transaction: Some(Box::new(transaction)),
        told: 0,
        budget_bytes,
        took: flow.shared.clock.monotonic().saturating_sub(began),
    });
    let took = judged.took;
    let settled = settle(flow, own, judged, Part::Request);
    if flow.judged.is_none() {
        flow.shared.metrics.judged(took);
    }
    settled
}

/// Phase 2: arguments, and the body where it is held.
pub(crate) async fn body(flow: &mut Flow<'_>, carried: &Carried) -> Result<(), Refused> {
    let (Some((_, own)), Some(judged)) = (own(flow), flow.judged.take()) else {
        return Ok(());
    };
    let held = match carried {
        Carried::Held(held) if !held.is_empty() => held,
        // Nobody looks into a body that is passed on as it comes.
        Carried::Held(_) | Carried::Streamed(_) => return finish(flow, own, judged, b""),
    };
    if let Err(refused) = inspect::readable(flow) {
        flow.shared.metrics.judged(judged.took);
        // Where the inspection only observes, it has said so already.
        if own.mode == Mode::Observe && flow.observed.iter().any(|one| one.code == refused.code) {
            return Ok(());
        }
        return flow.enforce(own.mode, refused);
    }
    match held
        .as_slice()
        .filter(|bytes| bytes.len() <= INLINE_BYTES_MAX)
    {
        Some(bytes) => finish(flow, own, judged, bytes),
        None => Box::pin(long(flow, own, judged, held)).await,
    }
}

/// A body that was changed after the rules saw it, once more.
pub(crate) async fn cleaned(flow: &mut Flow<'_>, held: &Held) -> Result<(), Refused> {
    match (own(flow), flow.judged.take()) {
        (Some((_, own)), Some(judged)) => Box::pin(long(flow, own, judged, held)).await,
        _ => Ok(()),
    }
}

/// The same of a request without a body, for asking what would happen.
pub(crate) fn without_body(flow: &mut Flow<'_>) -> Result<(), Refused> {
    match (own(flow), flow.judged.take()) {
        (Some((_, own)), Some(judged)) => finish(flow, own, judged, b""),
        _ => Ok(()),
    }
}

fn finish<'a>(
    flow: &mut Flow<'a>,
    own: RouteWaf,
    mut judged: Box<Judged<'a>>,
    body: &[u8],
) -> Result<(), Refused> {
    let began = flow.shared.clock.monotonic();
    if let Some(transaction) = &mut judged.transaction {
        transaction.request_body(body);
    }
    let took = flow.shared.clock.monotonic().saturating_sub(began);
    judged.took = judged.took.saturating_add(took);
    flow.shared.metrics.judged(judged.took);
    settle(flow, own, judged, Part::Request)
}

/// A long body: off the worker's thread, few at a time, by a transaction of its own that begins
/// with the head again.
async fn long<'a>(
    flow: &mut Flow<'a>,
    own: RouteWaf,
    mut judged: Box<Judged<'a>>,
    held: &Held,
) -> Result<(), Refused> {
    let Some((rules, _)) = self::own(flow) else {
        return Ok(());
    };
    let length = usize::try_from(held.len()).unwrap_or(usize::MAX);
    let Some(place) = flow.shared.places.take(flow.client, length).await else {
        flow.shared.metrics.judged(judged.took);
        return no_place(flow, own);
    };
    let Some(bytes) = inspect::gather(held).await else {
        flow.shared.metrics.judged(judged.took);
        let text = "the body is too long to be looked into";
        let refused = Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "waf.too_long", text);
        return flow.enforce(own.mode, refused);
    };
    let began = flow.shared.clock.monotonic();
    let (rules, exchange) = (Arc::clone(rules), Arc::clone(&judged.exchange));
    let spent = judged
        .transaction
        .as_ref()
        .map_or(0, |one| one.spent_bytes());
    let budget_bytes = judged.budget_bytes.saturating_sub(spent);
    let looking = tokio::task::spawn_blocking(move || {
        let mut transaction = exchange.begin(&rules, budget_bytes);
        transaction.request_body(&bytes);
        drop(place);
        let spent = transaction.spent_bytes();
        (Told::of(&transaction, Part::Request, 0), spent)
    });
    let Ok((told, spent)) = looking.await else {
        flow.shared.metrics.judged(judged.took);
        return flow.enforce(own.mode, unfinished("waf.failed"));
    };
    let took = flow.shared.clock.monotonic().saturating_sub(began);
    flow.shared.metrics.judged(judged.took.saturating_add(took));
    judged.transaction = None;
    judged.budget_bytes = budget_bytes.saturating_sub(spent);
    let goes_on = decide(flow, own, told, Part::Request)?;
    flow.judged = goes_on.then_some(judged);
    Ok(())
}

/// What the rules said so far is told, and carried out.
fn settle<'a>(
    flow: &mut Flow<'a>,
    own: RouteWaf,
    judged: Box<Judged<'a>>,
    part: Part,
) -> Result<(), Refused> {
    let Some(transaction) = &judged.transaction else {
        return Ok(());
    };
    let told = Told::of(transaction, part, judged.told);
    let goes_on = decide(flow, own, told, part)?;
    // What would have been refused goes no further with the rules: blocking would not, either.
    flow.judged = goes_on.then_some(judged);
    Ok(())
}

/// Carries out what the rules said; whether they are to be asked further.
fn decide(flow: &mut Flow<'_>, own: RouteWaf, told: Told, part: Part) -> Result<bool, Refused> {
    // What was told after phase 1 is part of what phase 2 stands on, and counts once.
    for one in &told.matches {
        if !flow.rules.contains(&one.id) {
            flow.rules.push(one.id);
            flow.shared.metrics.matched(flow.slot(), one.id);
        }
    }
    if told.is_spent {
        flow.shared.metrics.spent();
        match own.when_spent {
            WhenSpent::Pass => flow.enforce(Mode::Observe, unfinished("waf.unfinished"))?,
            WhenSpent::Block => flow.enforce(own.mode, unfinished("waf.spent"))?,
        }
        return Ok(false);
    }
    if told.is_unreadable {
        let text = "the request cannot be read to its end";
        let refused = Refused::new(StatusCode::BAD_REQUEST, "waf.unreadable", text);
        flow.enforce(own.mode, refused.with(more(told)))?;
        return Ok(false);
    }
    if told.ended {
        let (code, text) = match part {
            Part::Request => ("waf.match", "the request looks like an attack"),
            Part::Answer => ("waf.answer", "the answer is withheld"),
        };
        let refused = Refused::new(StatusCode::FORBIDDEN, code, text);
        flow.enforce(own.mode, refused.with(more(told)))?;
        return Ok(false);
    }
    Ok(true)
}

fn more(told: Told) -> More {
    More {
        matches: told.matches,
        score: told.score,
        decision: told.decision,
        ..More::default()
    }
}

fn unfinished(code: &'static str) -> Refused {
    let text = "the request takes too long to look into";
    Refused::new(StatusCode::FORBIDDEN, code, text)
}

/// No place is free for a long body: the route's choice, as when a budget is spent.
fn no_place(flow: &mut Flow<'_>, own: RouteWaf) -> Result<(), Refused> {
    match own.when_spent {
        WhenSpent::Pass => flow.enforce(Mode::Observe, unfinished("waf.unfinished")),
        WhenSpent::Block => {
            let text = "too many long bodies are being looked into right now";
            let refused = Refused::new(StatusCode::SERVICE_UNAVAILABLE, "waf.busy", text);
            flow.enforce(own.mode, refused.retry_after(PLACE_AFTER))
        }
    }
}

/// Before the service is asked: rules that look into answers cannot look into compressed ones.
pub(crate) fn ask_plainly(flow: &mut Flow<'_>) {
    let wants = flow.judged.is_some() && own(flow).is_some_and(|(_, own)| own.answers);
    if wants && flow.head.headers.contains_key(header::ACCEPT_ENCODING) {
        let identity = HeaderValue::from_static("identity");
        flow.head.headers.insert(header::ACCEPT_ENCODING, identity);
    }
}

/// Phases 3 and 4, unless the route leaves them out: the answer's head, and its body where it is
/// short, text, and no stream.
pub(crate) async fn answer(flow: &mut Flow<'_>, reply: Reply) -> Result<Reply, Refused> {
    let (Some((rules, own)), Some(mut judged)) = (own(flow), flow.judged.take()) else {
        return Ok(reply);
    };
    if !own.answers {
        return Ok(reply);
    }
    let began = flow.shared.clock.monotonic();
    let status = reply.status.as_u16();
    let transaction = judged
        .transaction
        .get_or_insert_with(|| Box::new(judged.exchange.begin(rules, judged.budget_bytes)));
    judged.told = transaction.matches().len();
    answered(transaction, status, &reply.fields);
    let wants = transaction.wants_response_body() && transaction.interruption().is_none();
    judged.took = flow.shared.clock.monotonic().saturating_sub(began);
    if !wants || !has_text(flow, &reply) {
        if wants && !is_empty(&reply) {
            flow.shared.metrics.unseen();
        }
        return judge(flow, own, judged, reply, b"");
    }
    let max = ::waf::ANSWER_BYTES_MAX;
    let Reply {
        status,
        fields,
        body,
    } = reply;
    let with = |body| Reply {
        status,
        fields,
        body,
    };
    let kept = hold(body, max, &flow.shared.budget).await;
    match kept.map_err(|error| forward::broke_off(flow, &error))? {
        Kept::Passes(body) => {
            flow.shared.metrics.unseen();
            judge(flow, own, judged, with(body), b"")
        }
        Kept::Whole(bytes, trailers, _room) => {
            let body = match trailers {
                None => Outgoing::Full(bytes.clone()),
                some => Outgoing::Begun(Box::new(Begun::new(bytes.clone(), Outgoing::Empty, some))),
            };
            let reply = with(body);
            if bytes.len() <= INLINE_BYTES_MAX {
                return judge(flow, own, judged, reply, &bytes);
            }
            Box::pin(long_answer(flow, own, judged, reply, bytes)).await
        }
    }
}

/// Whether there is a body that stands as it is. A part of one is looked into as far as it goes:
/// which part it is was the client's choice.
fn has_text(flow: &Flow<'_>, reply: &Reply) -> bool {
    let mut encoded = reply.fields.all(&header::CONTENT_ENCODING);
    let is_plain = |coding: &[u8]| coding.eq_ignore_ascii_case(b"identity");
    flow.head.method != Method::HEAD && encoded.all(is_plain) && !is_empty(reply)
}

fn judge<'a>(
    flow: &mut Flow<'a>,
    own: RouteWaf,
    mut judged: Box<Judged<'a>>,
    reply: Reply,
    body: &[u8],
) -> Result<Reply, Refused> {
    let began = flow.shared.clock.monotonic();
    if let Some(transaction) = &mut judged.transaction {
        transaction.response_body(body);
        transaction.finish();
    }
    let took = flow.shared.clock.monotonic().saturating_sub(began);
    flow.shared.metrics.judged(judged.took.saturating_add(took));
    settle(flow, own, judged, Part::Answer)?;
    Ok(reply)
}

/// A long answer, off the worker's thread.
async fn long_answer<'a>(
    flow: &mut Flow<'a>,
    own: RouteWaf,
    judged: Box<Judged<'a>>,
    reply: Reply,
    bytes: Bytes,
) -> Result<Reply, Refused> {
    let Some((rules, _)) = self::own(flow) else {
        return Ok(reply);
    };
    let Some(place) = flow.shared.places.take_for_answer(bytes.len()).await else {
        no_place(flow, own)?;
        return Ok(reply);
    };
    let began = flow.shared.clock.monotonic();
    let spent = judged
        .transaction
        .as_ref()
        .map_or(0, |one| one.spent_bytes());
    let budget_bytes = judged.budget_bytes.saturating_sub(spent);
    let (rules, exchange) = (Arc::clone(rules), Arc::clone(&judged.exchange));
    let (status, fields) = (reply.status.as_u16(), reply.fields.clone());
    let looking = tokio::task::spawn_blocking(move || {
        let mut transaction = exchange.begin(&rules, budget_bytes);
        let known = transaction.matches().len();
        answered(&mut transaction, status, &fields);
        transaction.response_body(&bytes);
        transaction.finish();
        drop(place);
        Told::of(&transaction, Part::Answer, known)
    });
    let Ok(told) = looking.await else {
        flow.enforce(own.mode, unfinished("waf.failed"))?;
        return Ok(reply);
    };
    let took = flow.shared.clock.monotonic().saturating_sub(began);
    flow.shared.metrics.judged(judged.took.saturating_add(took));
    decide(flow, own, told, Part::Answer)?;
    Ok(reply)
}

fn is_empty(reply: &Reply) -> bool {
    use http_body::Body as _;
    reply.body.is_end_stream()
}

#[cfg(test)]
mod tests;
