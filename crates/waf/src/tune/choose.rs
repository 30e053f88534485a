//! Which exclusions are proposed: as narrow as evidence goes, as few as are needed, and none that
//! would have let something through that looks like an attack.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::{Evidence, Group};
use super::outcome::{Except, outcome};
use super::seen::Seen;
use super::standing::{Standing, Who};
use crate::known::Known;

/// More places than these of one rule on one route are not named one by one.
const PLACES_MAX: usize = 6;
/// LIMIT: rules at places that are told apart.
const UNITS_MAX: usize = 5000;
/// LIMIT: exclusions that are weighed against each other.
const CANDIDATES_MAX: usize = 64;

/// A rule on a route, at one place or everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Unit<'s> {
    pub(super) route: &'s str,
    pub(super) rule: u64,
    pub(super) place: Option<&'s str>,
}

impl Unit<'_> {
    fn except(&self) -> Except {
        Except::of(self.rule, Some(self.route), self.place)
    }
}

/// A unit that evidence speaks for.
#[derive(Debug)]
pub(super) struct Candidate<'s> {
    pub(super) unit: Unit<'s>,
    pub(super) except: Except,
    pub(super) evidence: Evidence,
}

/// A unit that is not proposed.
#[derive(Debug)]
pub(super) struct Rejected<'s> {
    pub(super) unit: Unit<'s>,
    pub(super) why: String,
    pub(super) example: Option<&'s Seen>,
}

/// What was chosen.
#[derive(Debug)]
pub(super) struct Chosen<'s> {
    pub(super) groups: BTreeMap<Unit<'s>, Group<'s>>,
    pub(super) candidates: Vec<Candidate<'s>>,
    pub(super) rejected: Vec<Rejected<'s>>,
    /// Units for which there was no room.
    pub(super) left_out: u64,
}

/// The requests that are weighed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weighed<'s, 'w> {
    /// Those of nobody who looks like an attacker.
    pub(super) open: &'w [&'s Seen],
    /// The others.
    pub(super) attacks: &'w [&'s Seen],
    pub(super) standing: &'w Standing,
    /// What is excepted already.
    pub(super) present: &'w [Except],
    pub(super) known: &'w Known,
}

/// Whether an exclusion can name a place: not where names mean something to rules, nor what is no value
/// of a request.
#[must_use]
pub fn can_name(place: &str) -> bool {
    let is_own = ["TX", "MATCHED_", "RULE"]
        .iter()
        .any(|own| place.starts_with(own));
    !is_own && estate::can_except(place)
}

/// The units that a request stands on: each place, or the rule where places cannot be named.
fn units(seen: &Seen) -> BTreeSet<Unit<'_>> {
    let mut units = BTreeSet::new();
    for one in seen.reasons() {
        let unit = |place| Unit {
            route: &seen.route,
            rule: one.id,
            place,
        };
        let can_be_named = one.is_whole && one.places.iter().all(|place| can_name(place));
        if can_be_named && !one.places.is_empty() {
            units.extend(one.places.iter().map(|place| unit(Some(place.as_str()))));
        } else {
            units.insert(unit(None));
        }
    }
    units
}

impl<'s> Chosen<'s> {
    pub(super) fn of(weighed: Weighed<'s, '_>) -> Self {
        let mut chosen = Self {
            groups: BTreeMap::new(),
            candidates: Vec::new(),
            rejected: Vec::new(),
            left_out: 0,
        };
        chosen.group(weighed);
        chosen.propose();
        chosen.widen(weighed);
        chosen.candidates.sort_by_key(|one| {
            let group = chosen.groups.get(&one.unit);
            std::cmp::Reverse(group.map_or(0, |group| group.requests))
        });
        let more = chosen.candidates.len().saturating_sub(CANDIDATES_MAX);
        chosen.left_out += u64::try_from(more).unwrap_or(u64::MAX);
        chosen.candidates.truncate(CANDIDATES_MAX);
        // INVARIANT: each turn takes a candidate away, or is the last.
        while chosen.veto(weighed) {}
        chosen.spare(weighed);
        chosen
    }

    fn group(&mut self, weighed: Weighed<'s, '_>) {
        for seen in weighed.open {
            let who = Who::of(seen);
            for unit in units(seen) {
                if self.groups.len() >= UNITS_MAX && !self.groups.contains_key(&unit) {
                    self.left_out += 1;
                    continue;
                }
                let group = self.groups.entry(unit).or_default();
                group.add(seen, &who, weighed.standing);
            }
        }
    }

    fn propose(&mut self) {
        for (unit, group) in &self.groups {
            match group.evidence() {
                Ok(evidence) => self.candidates.push(Candidate {
                    unit: *unit,
                    except: unit.except(),
                    evidence,
                }),
                Err(why) => self.rejected.push(Rejected {
                    unit: *unit,
                    why,
                    example: group.last,
                }),
            }
        }
    }

    /// One exclusion of a rule on a route takes the place of those at its places, where these are many
    /// or some cannot be named.
    fn widen(&mut self, weighed: Weighed<'s, '_>) {
        let mut places: BTreeMap<(&str, u64), usize> = BTreeMap::new();
        for Candidate { unit, .. } in &self.candidates {
            let count = places.entry((unit.route, unit.rule)).or_default();
            *count += if unit.place.is_some() {
                1
            } else {
                PLACES_MAX + 1
            };
        }
        let wide: BTreeSet<(&str, u64)> = places
            .into_iter()
            .filter(|(_, count)| *count > PLACES_MAX)
            .map(|(of, _)| of)
            .collect();
        let is_wide = |unit: &Unit<'_>| wide.contains(&(unit.route, unit.rule));
        self.candidates.retain(|one| !is_wide(&one.unit));
        self.rejected.retain(|one| !is_wide(&one.unit));
        for (route, rule) in &wide {
            let unit = Unit {
                route,
                rule: *rule,
                place: None,
            };
            let mut group = Group::default();
            for seen in weighed.open.iter().filter(|seen| seen.route == *route) {
                if seen.reasons().any(|one| one.id == *rule) {
                    group.add(seen, &Who::of(seen), weighed.standing);
                }
            }
            if let Ok(evidence) = group.evidence() {
                self.candidates.push(Candidate {
                    unit,
                    except: unit.except(),
                    evidence,
                });
            }
            self.groups.insert(unit, group);
        }
    }

    /// What is excepted on a route, but for one.
    fn excepts<'c>(
        &'c self,
        route: &'c str,
        but: Option<usize>,
    ) -> impl Iterator<Item = &'c Except> + Clone {
        let all = self.candidates.iter().enumerate();
        all.filter(move |(at, one)| Some(*at) != but && one.unit.route == route)
            .map(|(_, one)| &one.except)
    }

    /// Whether a request would have been let on with all that is left, but for one, and what is
    /// excepted already.
    pub(super) fn lets_on(
        &self,
        seen: &Seen,
        but: Option<usize>,
        weighed: Weighed<'_, '_>,
    ) -> bool {
        let own = self.excepts(&seen.route, but);
        outcome(seen, &own.chain(weighed.present), weighed.known).is_let_on()
    }

    /// SECURITY: takes away what an attack would have passed by. Whether anything was.
    fn veto(&mut self, weighed: Weighed<'s, '_>) -> bool {
        let passing = |seen: &&&Seen| self.lets_on(seen, None, weighed);
        let passing: Vec<&Seen> = weighed.attacks.iter().filter(passing).copied().collect();
        let Some(example) = passing.first().copied() else {
            return false;
        };
        let needs = |at: &usize| !self.lets_on(example, Some(*at), weighed);
        let touches = |at: &usize| {
            let one = self.candidates.get(*at);
            one.is_some_and(|one| {
                one.unit.route == example.route
                    && example.reasons().any(|met| met.id == one.unit.rule)
            })
        };
        let all = 0..self.candidates.len();
        let mut guilty: Vec<usize> = all.clone().filter(needs).collect();
        if guilty.is_empty() {
            guilty = all.filter(touches).collect();
        }
        let count = passing.len();
        let taken = guilty.len();
        for at in guilty.into_iter().rev() {
            let one = self.candidates.remove(at);
            let requests = if count == 1 { "request" } else { "requests" };
            self.rejected.push(Rejected {
                unit: one.unit,
                why: format!(
                    "it would also have let {count} {requests} through that look like attacks"
                ),
                example: Some(example),
            });
        }
        taken > 0
    }

    /// Takes away what no request needs, that with the fewest requests first. What is needed by then is
    /// needed afterwards, so that one turn is enough.
    fn spare(&mut self, weighed: Weighed<'s, '_>) {
        for at in (0..self.candidates.len()).rev() {
            let Some(unit) = self.candidates.get(at).map(|one| one.unit) else {
                continue;
            };
            let own = weighed.open.iter().filter(|seen| {
                seen.route == unit.route && seen.reasons().any(|one| one.id == unit.rule)
            });
            let mut helped = own.filter(|seen| self.lets_on(seen, None, weighed));
            if helped.any(|seen| !self.lets_on(seen, Some(at), weighed)) {
                continue;
            }
            let one = self.candidates.remove(at);
            let example = self.groups.get(&one.unit).and_then(|group| group.last);
            let passes = example.is_some_and(|seen| self.lets_on(seen, None, weighed));
            if !passes {
                self.rejected.push(Rejected {
                    unit: one.unit,
                    why: self.in_vain(example),
                    example,
                });
            }
        }
    }

    /// Why an exclusion would not have sufficed.
    fn in_vain(&self, example: Option<&Seen>) -> String {
        let others = example.into_iter().flat_map(units).filter(|unit| {
            let mut left = self.candidates.iter();
            !left.any(|one| one.unit == *unit)
        });
        let mut rules: Vec<String> = others.map(|unit| unit.rule.to_string()).collect();
        rules.sort();
        rules.dedup();
        format!(
            "it would not have sufficed: these requests stand on {}, and not all of that is proposed",
            match rules.as_slice() {
                [one] => format!("rule {one}"),
                many => format!("rules {}", many.join(", ")),
            }
        )
    }
}
