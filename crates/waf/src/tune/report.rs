//! What was chosen and what was not, in words and numbers for a surface.

use std::collections::BTreeMap;

use estate::NewExclusion;
use model::{RequestId, Timestamp};
use serde::Serialize;

use super::choose::{Chosen, Rejected, Unit, Weighed};
use super::evidence::{Evidence, Group};
use super::outcome::{Outcome, outcome};
use super::seen::Seen;
use super::standing::Who;

/// LIMIT: things that are told as left alone, most requests first; the rest is counted.
const LEFT_ALONE_MAX: usize = 100;

/// What tuning comes to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Tuned {
    /// What is proposed, most requests first.
    pub proposals: Vec<Proposal>,
    /// What is not, and why; most requests first.
    pub left_alone: Vec<LeftAlone>,
    /// Those for which there was no room in this list.
    pub left_alone_more: u64,
    /// Requests that were refused, or would have been, and are known one by one.
    pub requests: u64,
    /// Those of them that all proposals together would have let on.
    pub would_pass: u64,
    /// Those that what is excepted by now lets on.
    pub excepted: u64,
    /// Those of which the record does not say enough, or whose rules are not in force any more.
    pub unknown: u64,
}

/// An exclusion that is proposed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Proposal {
    /// The rule.
    pub rule: u64,
    /// What it says.
    pub message: String,
    /// Where it stands: `coreruleset/rules/….conf:45`.
    pub place: String,
    /// The route.
    pub route: String,
    /// `ARGS:comment`; `null` for every place on the route.
    pub target: Option<String>,
    /// What speaks for it.
    pub evidence: Evidence,
    /// The same in words.
    pub evidence_text: &'static str,
    /// Requests that the rule met there, of nobody who looks like an attacker.
    pub requests: u64,
    /// More of the same senders, counted together within a second.
    pub alike: u64,
    /// From so many who are signed in.
    pub principals: u64,
    /// From so many addresses.
    pub addresses: u64,
    /// The first of them.
    pub first: Timestamp,
    /// The last of them.
    pub last: Timestamp,
    /// What they were answered, where rules only observe.
    pub answered: Vec<Answered>,
    /// One of them.
    pub example: Example,
    /// How many of them would have passed with this alone.
    pub alone: u64,
    /// How many of them would have passed with all that is proposed.
    pub together: u64,
    /// How many rules had not been asked yet when one of these was refused: what they say is not
    /// known.
    pub unasked: u64,
    /// Requests that look like attacks and met the rule there. None would have passed.
    pub attacks: u64,
    /// What it makes rules blind for.
    pub blinds: String,
    /// The last day.
    pub until: String,
    /// Lines for the estate.
    pub lines: String,
}

/// Answers of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// The first digit of the status.
    pub class: u16,
    /// How many.
    pub count: u64,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Its id.
    pub request_id: Option<RequestId>,
    /// When it began.
    pub time: Timestamp,
    /// `POST shop.example/posts`.
    pub request: String,
}

/// Something that is not proposed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeftAlone {
    /// A sender, or `rule 942100 at ARGS:comment on posts`.
    pub what: String,
    /// The rule, where it is about one.
    pub rule: Option<u64>,
    /// The route, where it is about one.
    pub route: Option<String>,
    /// The place, where it is about one.
    pub target: Option<String>,
    /// How many requests.
    pub requests: u64,
    /// Why.
    pub why: String,
    /// One of them.
    pub example: Option<Example>,
}

pub(super) fn write(chosen: &Chosen<'_>, weighed: Weighed<'_, '_>, until: &str) -> Tuned {
    let mut left = senders(weighed);
    left.extend(chosen.rejected.iter().map(|one| rejected(one, chosen)));
    left.sort_by_key(|one| std::cmp::Reverse(one.requests));
    let more = left.len().saturating_sub(LEFT_ALONE_MAX);
    left.truncate(LEFT_ALONE_MAX);
    let passes = |seen: &&&Seen| chosen.lets_on(seen, None, weighed);
    let mut tuned = Tuned {
        left_alone: left,
        left_alone_more: size(more).saturating_add(chosen.left_out),
        requests: size(weighed.open.len() + weighed.attacks.len()),
        would_pass: size(weighed.open.iter().filter(passes).count()),
        ..Tuned::default()
    };
    for at in 0..chosen.candidates.len() {
        tuned.proposals.extend(proposal(chosen, at, weighed, until));
    }
    tuned
}

fn proposal(
    chosen: &Chosen<'_>,
    at: usize,
    weighed: Weighed<'_, '_>,
    until: &str,
) -> Option<Proposal> {
    let one = chosen.candidates.get(at)?;
    let group = chosen.groups.get(&one.unit)?;
    let (first, last) = (group.first?, group.last?);
    let met = |seen: &&&Seen| meets(seen, &one.unit);
    let own: Vec<&Seen> = weighed.open.iter().filter(met).copied().collect();
    let alone = own.iter().map(|seen| {
        let only = std::slice::from_ref(&one.except).iter();
        outcome(seen, &only.chain(weighed.present), weighed.known)
    });
    let together = own
        .iter()
        .filter(|seen| chosen.lets_on(seen, None, weighed));
    let unasked = own.iter().filter_map(|seen| {
        let rule = seen.decision?.rule;
        weighed.known.after(rule)
    });
    let message = last.reasons().find(|met| met.id == one.unit.rule);
    let target = one.unit.place.map(str::to_owned);
    let example = example(last);
    let reason = reason(group, &example);
    let new = NewExclusion {
        rule: one.unit.rule,
        target: one.unit.place,
        route: Some(one.unit.route),
        reason: &reason,
        until,
    };
    Some(Proposal {
        rule: one.unit.rule,
        message: message.map(|met| met.message.clone()).unwrap_or_default(),
        place: weighed
            .known
            .rule(one.unit.rule)
            .map(|rule| rule.place.clone())
            .unwrap_or_default(),
        route: one.unit.route.to_owned(),
        evidence: one.evidence,
        evidence_text: one.evidence.text(),
        requests: group.requests,
        alike: group.alike,
        principals: size(group.principals.len()),
        addresses: size(group.addresses.len()),
        first: first.time,
        last: last.time,
        answered: answered(&group.answered),
        alone: size(alone.filter(|outcome| outcome.is_let_on()).count()),
        together: size(together.count()),
        unasked: size(unasked.max().unwrap_or(0)),
        attacks: size(weighed.attacks.iter().filter(met).count()),
        blinds: blinds(&one.unit),
        until: until.to_owned(),
        // What a stranger named is not written where it could mean anything else.
        lines: new.lines().ok()?,
        target,
        example,
    })
}

/// Whether a request stands on a rule at a place.
fn meets(seen: &Seen, unit: &Unit<'_>) -> bool {
    let at = |places: &[String]| {
        unit.place
            .is_none_or(|place| places.iter().any(|own| own == place))
    };
    seen.route == unit.route
        && seen
            .reasons()
            .any(|one| one.id == unit.rule && at(&one.places))
}

fn answered(classes: &BTreeMap<u16, u64>) -> Vec<Answered> {
    let one = |(class, count): (&u16, &u64)| Answered {
        class: *class,
        count: *count,
    };
    classes.iter().map(one).collect()
}

fn example(seen: &Seen) -> Example {
    Example {
        request_id: seen.request_id,
        time: seen.time,
        request: seen.request.clone(),
    }
}

/// Nothing of it was chosen by a stranger.
fn reason(group: &Group<'_>, example: &Example) -> String {
    let people = match group.principals.len() {
        0 => format!("{} addresses", group.addresses.len()),
        1 => "1 principal".to_owned(),
        n => format!("{n} principals"),
    };
    let such = example
        .request_id
        .map(|id| format!(", such as {id}"))
        .unwrap_or_default();
    format!(
        "false positives: {} requests of {people}{such}",
        group.requests
    )
}

fn blinds(unit: &Unit<'_>) -> String {
    let (rule, route) = (unit.rule, unit.route);
    match unit.place {
        Some(place) => format!(
            "rule {rule} no longer looks at `{place}` on route `{route}`: an attack that it alone finds \
             there passes"
        ),
        None => format!(
            "rule {rule} no longer looks at anything on route `{route}`: an attack that it alone finds \
             passes, wherever it stands"
        ),
    }
}

/// Senders that look like attackers.
fn senders(weighed: Weighed<'_, '_>) -> Vec<LeftAlone> {
    let mut senders: BTreeMap<Who, (u64, &Seen)> = BTreeMap::new();
    for seen in weighed.attacks {
        let sender = senders.entry(Who::of(seen));
        let (requests, last) = sender.or_insert_with(|| (0, seen));
        *requests = requests.saturating_add(seen.alike).saturating_add(1);
        if seen.time >= last.time {
            *last = seen;
        }
    }
    let one = |(who, (requests, last)): (Who, (u64, &Seen))| LeftAlone {
        what: who.text(),
        rule: None,
        route: None,
        target: None,
        requests,
        why: format!(
            "looks like an attacker: {}",
            weighed.standing.against(&who).unwrap_or_default()
        ),
        example: Some(example(last)),
    };
    senders.into_iter().map(one).collect()
}

fn rejected(one: &Rejected<'_>, chosen: &Chosen<'_>) -> LeftAlone {
    let Unit { route, rule, place } = one.unit;
    let at = place
        .map(|place| format!(" at {place}"))
        .unwrap_or_default();
    let group = chosen.groups.get(&one.unit);
    LeftAlone {
        what: format!("rule {rule}{at} on {route}"),
        rule: Some(rule),
        route: Some(route.to_owned()),
        target: place.map(str::to_owned),
        requests: group.map_or(0, |group| group.requests),
        why: one.why.clone(),
        example: one.example.map(example),
    }
}

impl Outcome {
    /// In words, of one request.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Passes => "this request would have passed the rules".to_owned(),
            Self::NotHere(more) => format!(
                "this request would not have been refused there; what the {more} rules after that say \
                 is not known"
            ),
            Self::Refused => "this request would have been refused all the same".to_owned(),
            Self::Unknown => {
                "whether this request would have passed is not known: its record does not say \
                 enough"
                    .to_owned()
            }
        }
    }
}

fn size(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
