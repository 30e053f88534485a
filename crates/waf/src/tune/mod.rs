//! Which exclusions would have let false positives pass: out of what is recorded of refusals, and
//! applied by nobody.
//!
//! A proposal says what speaks for it, how many requests would have passed, and what it makes rules
//! blind for. What looks like an attack is left alone, with the reason.

mod choose;
mod evidence;
mod outcome;
mod report;
mod seen;
mod standing;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::IpAddr;

use estate::Exclusion;

use crate::known::Known;
use choose::{Chosen, Weighed};
use standing::{Standing, Who};

pub use choose::can_name;
pub use evidence::Evidence;
pub use outcome::{Except, Outcome, outcome};
pub use report::{Answered, Example, LeftAlone, Proposal, Tuned};
pub use seen::{Decided, Seen, SeenMatch};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// Everything that rules refused, or would have. LIMIT: the time that it takes grows with their
    /// number, so callers bound it.
    pub seen: &'q [Seen],
    /// Addresses of strangers in whose requests another detector found an attack.
    pub inspected: &'q BTreeSet<IpAddr>,
    /// What is excepted already.
    pub exclusions: &'q [Exclusion],
    /// The rules in force.
    pub known: &'q Known,
    /// The last day of what is proposed, `2027-03-31`.
    pub until: &'q str,
}

/// Weighs what was seen.
#[must_use]
pub fn propose(question: &Question<'_>) -> Tuned {
    let standing = Standing::of(question.seen, question.inspected, question.known);
    let present: Vec<Except> = question.exclusions.iter().map(Except::from).collect();
    let (mut open, mut attacks) = (Vec::new(), Vec::new());
    let (mut excepted, mut unknown) = (0, 0);
    for one in question.seen {
        if standing.against(&Who::of(one)).is_some() {
            attacks.push(one);
        } else if outcome(one, &present.iter(), question.known).is_let_on() {
            excepted += 1;
        } else if one
            .decision
            .is_none_or(|one| question.known.rule(one.rule).is_none())
        {
            unknown += 1;
        } else {
            open.push(one);
        }
    }
    let weighed = Weighed {
        open: &open,
        attacks: &attacks,
        standing: &standing,
        present: &present,
        known: question.known,
    };
    let chosen = Chosen::of(weighed);
    let mut tuned = report::write(&chosen, weighed, question.until);
    tuned.excepted = excepted;
    tuned.unknown = unknown;
    tuned
}
