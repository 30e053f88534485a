//! Refusals as events: the first of its kind at once, the rest of its second in one.

use std::net::IpAddr;

use ahash::AHashMap;
use estate::Mode;
use model::{
    Class, Clock, Entropy, Event, EventId, Outcome, Principal, Severity, Target, Timestamp,
    activity, ocsf,
};
use serde_json::{Map, json};

use super::Refusal;
use crate::refused::{Effect, effect_of, step_of};

/// LIMIT: kinds of refusals counted apart within one second; the rest count together by route and
/// code, of which the estate has so many.
const KINDS_MAX: usize = 4096;
/// LIMIT: events that wait for the writer.
const READY_MAX: usize = 20_000;
/// LIMIT: bytes of any text of a client in an event.
const TEXT_BYTES_MAX: usize = 300;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    second: i64,
    kinds: AHashMap<Kind, Rest>,
    ready: Vec<Event>,
    /// Events that found no room.
    pub(super) dropped: u64,
}

/// Refusals of one kind differ in nothing that matters within a second.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    who: Who,
    /// Whoever counts refusals of a route must not be told of another's.
    route: Option<String>,
    code: &'static str,
    observed: bool,
    after: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    Principal(String),
    Address(IpAddr),
    Others,
}

/// What came after the first.
#[derive(Debug)]
struct Rest {
    count: u64,
    last: Option<Event>,
}

impl Refusals {
    /// Adds one; whether it is news that somebody may be waiting for.
    pub(super) fn add(
        &mut self,
        refusal: Refusal<'_>,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> bool {
        self.turn(clock.now());
        let mut kind = Kind {
            who: match refusal.principal {
                Some(principal) => Who::Principal(principal.id.to_string()),
                None => Who::Address(refusal.source),
            },
            route: refusal.route.map(str::to_owned),
            code: refusal.code,
            observed: refusal.mode == Mode::Observe,
            after: refusal.after,
        };
        if self.kinds.len() >= KINDS_MAX && !self.kinds.contains_key(&kind) {
            kind.who = Who::Others;
        }
        if let Some(rest) = self.kinds.get_mut(&kind) {
            rest.count += 1;
            let event = || event(&refusal, clock, entropy);
            rest.last.get_or_insert_with(event).time = refusal.time;
            return false;
        }
        let rest = Rest {
            count: 0,
            last: None,
        };
        self.kinds.insert(kind, rest);
        self.push(event(&refusal, clock, entropy));
        true
    }

    /// An event that is no refusal, delivered beside them.
    pub(super) fn note(&mut self, event: Event) {
        self.push(event);
    }

    /// Takes what is ready at `now`.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<Event> {
        self.turn(now);
        std::mem::take(&mut self.ready)
    }

    /// Takes everything, the second that is not over included.
    pub(super) fn take_all(&mut self) -> Vec<Event> {
        self.end_second();
        std::mem::take(&mut self.ready)
    }

    fn turn(&mut self, now: Timestamp) {
        if now.as_secs() != self.second {
            self.second = now.as_secs();
            self.end_second();
        }
    }

    fn end_second(&mut self) {
        for (kind, rest) in std::mem::take(&mut self.kinds) {
            let Some(mut event) = rest.last else {
                continue;
            };
            event.detail.insert("count".to_owned(), json!(rest.count));
            if kind.who == Who::Others {
                event.source = None;
                event.actor = Principal::anonymous();
            }
            if rest.count > 1 {
                let times = rest.count;
                event.message = format!("{} ({times} times within a second)", event.message);
            }
            self.push(event);
        }
    }

    fn push(&mut self, event: Event) {
        if self.ready.len() >= READY_MAX {
            self.dropped += 1;
        } else {
            self.ready.push(event);
        }
    }
}

fn event(refusal: &Refusal<'_>, clock: &dyn Clock, entropy: &dyn Entropy) -> Event {
    let step = step_of(refusal.code);
    let observed = refusal.mode == Mode::Observe;
    let is_request = !refusal.method.is_empty();
    let kind = match (is_request, observed) {
        (false, _) => "gateway.connection.refused",
        (true, false) => "gateway.request.refused",
        (true, true) => "gateway.request.would_refuse",
    };
    let mut detail = Map::new();
    let mut put = |name: &str, value: serde_json::Value| {
        detail.insert(name.to_owned(), value);
    };
    put("step", json!(step));
    put("code", json!(refusal.code));
    put("status", json!(refusal.status));
    put("reason", json!(shown(refusal.text)));
    if is_request {
        put("method", json!(shown(refusal.method)));
        put("host", json!(shown(refusal.host)));
        put("path", json!(shown(refusal.path)));
    }
    if observed {
        put("mode", json!("observe"));
        let effect = match effect_of(refusal.code) {
            Effect::Refuses => "refuse",
            Effect::Cleans => "clean",
            Effect::Notes => "note",
        };
        put("effect", json!(effect));
    }
    if let Some(before) = refusal.after {
        put("after", json!(before));
    }
    if let Some(rule) = refusal.rule {
        put("rule", json!(rule));
    }
    if let Some(argument) = refusal.argument {
        put("argument", json!(shown(argument)));
    }
    ruled(refusal, &mut put);
    Event {
        id: EventId::new(clock, entropy),
        time: refusal.time,
        class: Class::Traffic,
        kind: kind.into(),
        class_uid: ocsf::HTTP_ACTIVITY,
        activity_id: activity::OTHER,
        outcome: if observed {
            Outcome::Success
        } else {
            Outcome::Refused
        },
        severity: severity(step),
        actor: refusal
            .principal
            .cloned()
            .unwrap_or_else(Principal::anonymous),
        target: refusal.route.map(|route| Target {
            kind: "route".into(),
            id: route.to_owned(),
        }),
        source: Some(refusal.source),
        request_id: Some(refusal.request_id),
        message: message(refusal, step),
        detail,
    }
}

/// What rules of `[waf]` said.
fn ruled(refusal: &Refusal<'_>, put: &mut dyn FnMut(&str, serde_json::Value)) {
    if !refusal.matches.is_empty() {
        put("rules", json!(refusal.matches));
    }
    if let Some(score) = refusal.score {
        put("score", json!(score));
    }
    if let Some(decision) = refusal.decision {
        put("decision", json!(decision));
    }
    if let Some(status) = refusal.answered {
        put("answered", json!(status));
    }
}

fn message(refusal: &Refusal<'_>, step: &str) -> String {
    let verb = match refusal.mode {
        Mode::Block => "refused",
        Mode::Observe => "would have refused",
    };
    if refusal.method.is_empty() {
        return format!(
            "{step} {verb} a connection: {} ({})",
            refusal.text, refusal.code
        );
    }
    format!(
        "{step} {verb} {} {}{}: {}",
        shown(refusal.method),
        shown(refusal.host),
        shown(refusal.path),
        shown(refusal.text)
    )
}

fn severity(step: &str) -> Severity {
    match step {
        "inspect" | "waf" => Severity::High,
        "authorise" | "ban" => Severity::Medium,
        _ => Severity::Low,
    }
}

/// SECURITY: what a client sent must not look like another line, nor fill a page.
fn shown(text: &str) -> String {
    let cut = text
        .get(..text.floor_char_boundary(TEXT_BYTES_MAX))
        .unwrap_or("");
    let mut out = String::with_capacity(cut.len());
    for character in cut.chars() {
        if character.is_control() {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    if cut.len() < text.len() {
        out.push('…');
    }
    out
}
