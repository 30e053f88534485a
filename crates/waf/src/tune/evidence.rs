//! What speaks for it that matches are false positives, and how much.
//!
//! Nothing here is proof: whoever has accounts or addresses enough can bring all of it about. So a
//! proposal says what it stands on, and nothing is applied by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use super::seen::Seen;
use super::standing::{Standing, Who, neighbourhood};

/// So many different people who are signed in do not all attack in the same way.
const PEOPLE: usize = 3;
/// Somebody who is signed in does the same again and again.
const HABIT_REQUESTS: u64 = 5;
/// Strangers: from so many neighbourhoods.
const STRANGERS: usize = 5;
/// Strangers: who met no more rules than these in all.
const RULES_OF_STRANGERS: usize = 3;
/// Over at least so long, unless many people are signed in: a wave of attacks is over sooner.
const SPREAD: Duration = Duration::from_secs(3600);

/// What a proposal stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Several people who are signed in.
    People,
    /// Somebody who is signed in, again and again.
    Habit,
    /// Nobody is signed in: addresses far apart, over some time, each with little else.
    Strangers,
}

impl Evidence {
    /// In words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::People => "several principals who are signed in",
            Self::Habit => "a principal who is signed in, again and again",
            Self::Strangers => {
                "nobody was signed in: whoever has many addresses can bring this about, so look at \
                 the requests first"
            }
        }
    }
}

/// The requests that met the same rule at the same place of a route, and were no attacker's.
#[derive(Debug, Default)]
pub(super) struct Group<'s> {
    pub(super) requests: u64,
    pub(super) alike: u64,
    pub(super) principals: BTreeSet<&'s str>,
    pub(super) addresses: BTreeSet<IpAddr>,
    /// Neighbourhoods of requests of which nobody was signed in.
    strangers: BTreeSet<IpAddr>,
    /// The most rules that one of their senders met in all.
    rules_max: usize,
    /// How many the built-in inspection had found before.
    found_before: u64,
    /// Answers by class, where rules only observe.
    pub(super) answered: BTreeMap<u16, u64>,
    pub(super) first: Option<&'s Seen>,
    pub(super) last: Option<&'s Seen>,
}

impl<'s> Group<'s> {
    pub(super) fn add(&mut self, seen: &'s Seen, who: &Who, standing: &Standing) {
        self.alike = self.alike.saturating_add(seen.alike);
        self.requests += 1;
        if seen.is_found_before {
            self.found_before += 1;
        }
        if let Some(source) = seen.source {
            self.addresses.insert(source);
        }
        match &seen.principal {
            Some(id) => drop(self.principals.insert(id)),
            None => self.strangers.extend(seen.source.map(neighbourhood)),
        }
        self.rules_max = self.rules_max.max(standing.rules(who));
        if let Some(status) = seen.answered {
            *self.answered.entry(status / 100).or_default() += 1;
        }
        if self.first.is_none_or(|first| seen.time < first.time) {
            self.first = Some(seen);
        }
        if self.last.is_none_or(|last| seen.time >= last.time) {
            self.last = Some(seen);
        }
    }

    /// What speaks for false positives; else why there is too little.
    pub(super) fn evidence(&self) -> Result<Evidence, String> {
        if self.found_before * 2 > self.requests {
            return Err("the built-in inspection finds attacks in most of them as well".to_owned());
        }
        let known: u64 = self.answered.values().sum();
        let well: u64 = [2, 3]
            .iter()
            .filter_map(|class| self.answered.get(class))
            .sum();
        if well * 2 < known {
            return Err(format!(
                "{} of {known} were answered with an error, as attempts are",
                known - well
            ));
        }
        let long = self.spread() >= SPREAD;
        if self.principals.len() >= PEOPLE {
            return Ok(Evidence::People);
        }
        if !self.principals.is_empty() && self.requests >= HABIT_REQUESTS && long {
            return Ok(Evidence::Habit);
        }
        let few_rules = self.rules_max <= RULES_OF_STRANGERS;
        if self.strangers.len() >= STRANGERS && long && few_rules {
            // Attacks come from many addresses as well; a service that is asked for what it does
            // answers so.
            if known * 2 >= self.requests && well * 10 >= known * 9 {
                return Ok(Evidence::Strangers);
            }
            return Err(
                "nobody was signed in, and what the service makes of such requests is not known, as \
                 it is while rules only observe"
                    .to_owned(),
            );
        }
        Err(self.too_little(long))
    }

    fn spread(&self) -> Duration {
        match (self.first, self.last) {
            (Some(first), Some(last)) => last.time.since(first.time),
            _ => Duration::ZERO,
        }
    }

    fn too_little(&self, long: bool) -> String {
        let number = |n: u64, one: &str, more: &str| match n {
            1 => format!("1 {one}"),
            n => format!("{n} {more}"),
        };
        let requests = number(self.requests, "request", "requests");
        let size = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let who = match self.principals.len() {
            0 => number(
                size(self.addresses.len()),
                "address, nobody signed in",
                "addresses, nobody signed in",
            ),
            people => number(size(people), "principal", "principals"),
        };
        let when = if long { "" } else { " within an hour" };
        format!("too little tells it from an attack: {requests} of {who}{when}")
    }
}
