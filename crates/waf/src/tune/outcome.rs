//! What would have become of a request if some matches had not been: counted, not guessed.
//!
//! Where a record does not say enough, the answer is that it is not known. A match counts as gone
//! only when no place is left that it could have met.

use estate::Exclusion;

use super::seen::{Decided, Seen, SeenMatch};
use crate::known::Known;

/// What would have become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing would have refused it.
    Passes,
    /// What refused it would not have; so many rules after that had not been asked yet.
    NotHere(usize),
    /// It would have been refused all the same.
    Refused,
    /// The record does not say enough.
    Unknown,
}

impl Outcome {
    /// Whether what refused the request would not have.
    #[must_use]
    pub fn is_let_on(self) -> bool {
        matches!(self, Self::Passes | Self::NotHere(_))
    }
}

/// Something that is excepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Except {
    /// The rule; none where a tag says which.
    pub rule: Option<u64>,
    /// The tag.
    pub tag: Option<String>,
    /// Only these targets; all when empty.
    pub targets: Vec<String>,
    /// Only on this route.
    pub route: Option<String>,
}

impl From<&Exclusion> for Except {
    fn from(one: &Exclusion) -> Self {
        Self {
            rule: one.rule,
            tag: one.tag.clone(),
            targets: one.targets.clone(),
            route: one.route.clone(),
        }
    }
}

impl Except {
    /// One rule on one route, at one place or everywhere.
    #[must_use]
    pub fn of(rule: u64, route: Option<&str>, place: Option<&str>) -> Self {
        Self {
            rule: Some(rule),
            tag: None,
            targets: place.map(estate::excepted).unwrap_or_default(),
            route: route.map(str::to_owned),
        }
    }

    fn means(&self, rule: u64, route: &str, known: &Known) -> bool {
        let is_rule = match (self.rule, &self.tag) {
            (Some(own), _) => own == rule,
            (None, Some(tag)) => known
                .rule(rule)
                .is_some_and(|one| one.tags.iter().any(|own| own == tag)),
            (None, None) => false,
        };
        is_rule && self.route.as_ref().is_none_or(|own| own == route)
    }

    /// A target without a name means all values of its collection; names are compared as the engine
    /// does.
    fn has(&self, place: &str) -> bool {
        let collection = place.split_once(':').map_or(place, |(name, _)| name);
        self.targets
            .iter()
            .any(|target| target.eq_ignore_ascii_case(place) || target == collection)
    }
}

/// Whether a match would not have been.
pub(super) fn is_gone<'e>(
    one: &SeenMatch,
    route: &str,
    excepted: impl Iterator<Item = &'e Except> + Clone,
    known: &Known,
) -> bool {
    let own = excepted.filter(|except| except.means(one.id, route, known));
    if own.clone().any(|except| except.targets.is_empty()) {
        return true;
    }
    let mut places = one.places.iter();
    one.is_whole
        && !one.places.is_empty()
        && places.all(|place| own.clone().any(|except| except.has(place)))
}

/// What would have become of a request if this had been excepted.
pub fn outcome<'e>(
    seen: &Seen,
    excepted: &(impl Iterator<Item = &'e Except> + Clone),
    known: &Known,
) -> Outcome {
    let Some(Decided { rule, sum }) = seen.decision else {
        return Outcome::Unknown;
    };
    let gone = |one: &&SeenMatch| is_gone(one, &seen.route, excepted.clone(), known);
    let is_let_on = match sum {
        Some((score, threshold)) => {
            let gone = seen.reasons().filter(gone);
            let less = gone.fold(0_i64, |sum, one| sum.saturating_add(one.score));
            // Where it is not known from where on a sum counts, nothing of it may be left.
            less > 0 && score.saturating_sub(less) < threshold.unwrap_or(1)
        }
        None => seen.reasons().any(|one| gone(&one)),
    };
    match (is_let_on, known.after(rule)) {
        (false, _) => Outcome::Refused,
        (true, Some(0)) => Outcome::Passes,
        (true, Some(more)) => Outcome::NotHere(more),
        (true, None) => Outcome::Unknown,
    }
}
