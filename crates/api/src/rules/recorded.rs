//! What an event says of a request that met rules, whichever version of the gateway wrote it.
//!
//! SECURITY: names in it were chosen by strangers. They are passed on as texts and bounded; whoever
//! shows them escapes them.

use estate::NewExclusion;
use model::{Event, EventId, PrincipalKind, RequestId, Timestamp};
use serde::Serialize;
use serde_json::Value;
use waf::Known;
use waf::tune::{Decided, Except, Seen, SeenMatch, can_name, outcome};

/// LIMIT: matches, places of a match and bytes of a text that are taken from an event.
const MATCHES_MAX: usize = 64;
const PLACES_MAX: usize = 32;
const TEXT_BYTES_MAX: usize = 512;
/// Places of a match that gateways recorded before they said whether there were more.
const OLD_PLACES: usize = 3;

/// A request that met rules.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuledRequest {
    /// Its event.
    pub event: EventId,
    /// When it began.
    pub time: Timestamp,
    /// Its id.
    pub request_id: Option<RequestId>,
    /// `GET shop.example/path`.
    pub request: String,
    /// Its route.
    pub route: String,
    /// `waf.match`.
    pub code: String,
    /// Whether it was only observed.
    pub is_observed: bool,
    /// What its rules added up to.
    pub score: Option<i64>,
    /// What ended it; none in records of gateways that did not say it yet.
    pub decision: Option<RuledDecision>,
    /// What the service answered, where rules only observe.
    pub answered: Option<u16>,
    /// Which rules, and where.
    pub rules: Vec<RuledMatch>,
    /// How many requests of the same sender it stands for.
    pub count: u64,
}

/// What ended a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuledDecision {
    /// The rule.
    pub rule: u64,
    /// The sum that it compared; none for a rule that looks at the request itself.
    pub sum: Option<RuledSum>,
}

/// A sum, when a rule compared it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuledSum {
    /// The TX variable.
    pub name: String,
    /// What it came to.
    pub score: i64,
    /// From where on the rule refuses, where that is known.
    pub threshold: Option<i64>,
}

/// A rule that a request met.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuledMatch {
    /// The rule.
    pub id: u64,
    /// What it says.
    pub message: String,
    /// The file that it stands in, and the line; empty where that is not recorded.
    pub place: String,
    /// What it added to the sum that decided.
    pub score: i64,
    /// Targets, each with the beginning of its value.
    pub found: Vec<(String, String)>,
    /// Where an exclusion would have to name it: the targets of the first link of its chain.
    pub places: Vec<String>,
    /// Whether these are all.
    pub is_whole: bool,
}

/// Whether an event is of something that rules of `[waf]` met.
pub(crate) fn is_of_rules(event: &Event) -> bool {
    let step = event.detail.get("step").and_then(Value::as_str);
    event.kind.starts_with("gateway.request.") && step == Some("waf")
}

impl RuledRequest {
    /// What `event` says.
    pub(crate) fn of(event: &Event) -> Self {
        let detail = |name: &str| event.detail.get(name);
        let part = |name: &str| {
            detail(name)
                .map(|value| text(Some(value)))
                .unwrap_or_default()
        };
        let decision = detail("decision").and_then(RuledDecision::of);
        let rules = detail("rules").and_then(Value::as_array);
        let rules = rules.into_iter().flatten().take(MATCHES_MAX);
        let answered = detail("answered").and_then(Value::as_u64);
        Self {
            event: event.id,
            time: event.time,
            request_id: event.request_id,
            request: format!("{} {}{}", part("method"), part("host"), part("path")),
            route: route(event).to_owned(),
            code: part("code"),
            is_observed: part("mode") == "observe",
            score: detail("score").and_then(Value::as_i64),
            answered: answered.and_then(|status| u16::try_from(status).ok()),
            rules: rules
                .filter_map(|one| RuledMatch::of(one, decision.is_some()))
                .collect(),
            decision,
            count: detail("count").and_then(Value::as_u64).unwrap_or(1).max(1),
        }
    }

    /// The same for weighing what could be excepted; `event` is its event.
    pub(crate) fn seen(self, event: &Event) -> Seen {
        let is_known = event.actor.kind != PrincipalKind::Anonymous;
        Seen {
            time: self.time,
            request_id: self.request_id,
            request: self.request,
            route: self.route,
            source: event.source,
            principal: is_known.then(|| event.actor.id.to_string()),
            answered: self.answered,
            alike: self.count.saturating_sub(1),
            // What other steps say, such as that nobody is signed in, says nothing of an attack.
            is_found_before: text(event.detail.get("after")).starts_with("inspect."),
            decision: self.decision.map(|one| one.decided()),
            matches: self.rules.into_iter().map(RuledMatch::seen).collect(),
        }
    }

    /// What would have become of it with an exclusion, in words.
    #[must_use]
    pub fn outcome(&self, new: &NewExclusion<'_>, known: &Known) -> String {
        let except = Except::of(new.rule, new.route, new.target);
        let seen = Seen {
            time: self.time,
            request_id: self.request_id,
            request: self.request.clone(),
            route: self.route.clone(),
            source: None,
            principal: None,
            answered: self.answered,
            alike: 0,
            is_found_before: false,
            decision: self.decision.as_ref().map(RuledDecision::decided),
            matches: self.rules.iter().cloned().map(RuledMatch::seen).collect(),
        };
        outcome(&seen, &std::iter::once(&except), known).text()
    }
}

impl RuledDecision {
    fn of(value: &Value) -> Option<Self> {
        let number = |value: &Value, name: &str| value.get(name).and_then(Value::as_i64);
        let sum = value.get("sum").and_then(|sum| {
            Some(RuledSum {
                name: text(sum.get("name")),
                score: number(sum, "score")?,
                threshold: number(sum, "threshold"),
            })
        });
        // A sum that cannot be read is not the same as none.
        if sum.is_none() && value.get("sum").is_some() {
            return None;
        }
        Some(Self {
            rule: value.get("rule").and_then(Value::as_u64)?,
            sum,
        })
    }

    fn decided(&self) -> Decided {
        Decided {
            rule: self.rule,
            sum: self.sum.as_ref().map(|sum| (sum.score, sum.threshold)),
        }
    }
}

impl RuledMatch {
    /// `is_told`: the record is of a gateway that says whether it left places out.
    fn of(rule: &Value, is_told: bool) -> Option<Self> {
        let list = |name: &str| rule.get(name).and_then(Value::as_array);
        let found = list("found").into_iter().flatten().take(PLACES_MAX);
        let found: Vec<(String, String)> = found
            .map(|found| (text(found.get("target")), text(found.get("value"))))
            .collect();
        let first = list("first").into_iter().flatten().take(PLACES_MAX);
        let first: Vec<String> = first.map(|name| text(Some(name))).collect();
        let is_cut = rule.get("is_cut").and_then(Value::as_bool) == Some(true);
        let is_whole = !is_cut && (is_told || found.len() < OLD_PLACES);
        Some(Self {
            id: rule.get("id").and_then(Value::as_u64)?,
            message: text(rule.get("message")),
            place: text(rule.get("place")),
            score: rule.get("score").and_then(Value::as_i64).unwrap_or(0),
            places: if first.is_empty() {
                found.iter().map(|(target, _)| target.clone()).collect()
            } else {
                first
            },
            found,
            is_whole,
        })
    }

    /// The places that an exclusion can name.
    #[must_use]
    pub fn choices(&self) -> Vec<String> {
        let places = self.places.iter().filter(|place| can_name(place));
        places.cloned().collect()
    }

    fn seen(self) -> SeenMatch {
        SeenMatch {
            id: self.id,
            message: self.message,
            places: self.places,
            is_whole: self.is_whole,
            score: self.score,
        }
    }
}

/// Of which route an event is.
pub(crate) fn route(event: &Event) -> &str {
    event.target.as_ref().map_or("-", |target| &target.id)
}

fn text(value: Option<&Value>) -> String {
    let text = value.and_then(Value::as_str).unwrap_or("");
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    text.get(..end).unwrap_or("").to_owned()
}
