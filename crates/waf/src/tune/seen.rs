//! A request that rules refused, or would have, as far as it is recorded: never what it held.

use std::net::IpAddr;

use model::{RequestId, Timestamp};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it began.
    pub time: Timestamp,
    /// Its id.
    pub request_id: Option<RequestId>,
    /// `POST shop.example/posts`.
    pub request: String,
    /// Its route.
    pub route: String,
    /// Who sent it.
    pub source: Option<IpAddr>,
    /// Whom the gateway knew it to be of; none of somebody who did not sign in.
    pub principal: Option<String>,
    /// What it was answered in the end, where the rules only observe.
    pub answered: Option<u16>,
    /// How many of the same sender were counted together with it within its second. What they
    /// matched is not recorded.
    pub alike: u64,
    /// Whether the built-in inspection had found something before.
    pub is_found_before: bool,
    /// Why it was refused; none where that is not recorded.
    pub decision: Option<Decided>,
    /// What matched.
    pub matches: Vec<SeenMatch>,
}

/// What ended a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The rule.
    pub rule: u64,
    /// The sum that it compared, and from where on it refuses, as far as that is known; none for a
    /// rule that looks at the request itself.
    pub sum: Option<(i64, Option<i64>)>,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenMatch {
    /// Its id.
    pub id: u64,
    /// What it says.
    pub message: String,
    /// Where: `ARGS:comment`.
    pub places: Vec<String>,
    /// Whether these are all places.
    pub is_whole: bool,
    /// What it added to the sum.
    pub score: i64,
}

impl Seen {
    /// Matches that the refusal stands on: those that added to the sum, or the rule itself.
    pub(super) fn reasons(&self) -> impl Iterator<Item = &SeenMatch> {
        let decided = self.decision;
        self.matches.iter().filter(move |one| match decided {
            Some(Decided { sum: Some(_), .. }) => one.score > 0,
            Some(Decided { rule, sum: None }) => one.id == rule,
            None => false,
        })
    }

    /// How much of the way to a refusal it went: 1 for as far as needed, 4 for four times as far.
    pub(super) fn weight(&self) -> i64 {
        match self.decision.and_then(|one| one.sum) {
            Some((score, Some(threshold))) if threshold > 0 => score / threshold,
            _ => 1,
        }
    }
}
