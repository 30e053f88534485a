//! What an evaluation says: a verdict, and for each rule that matched, why.

use std::ops::Range;

use crate::place::Place;

/// What is to be done with the request or the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Let it go on.
    Pass,
    /// Do not.
    Interrupt(Interruption),
}

/// How a rule ends an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Answer with the status.
    Deny,
    /// Close the connection without an answer.
    Drop,
    /// Answer with a redirection to this address.
    Redirect(Vec<u8>),
}

/// A rule's decision to end an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interruption {
    /// The rule's id; zero when a limit of the engine decided.
    pub rule: u64,
    /// Where the rule stands; none when a limit of the engine decided.
    pub place: Option<Place>,
    /// In which phase, 1 to 5.
    pub phase: u8,
    /// The status to answer with.
    pub status: u16,
    /// What else to do.
    pub action: Action,
}

/// A value that a rule met.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The target: `ARGS:id`.
    pub target: Vec<u8>,
    /// The value as the operator saw it, after transformations: at most 4 KiB of it, with what was
    /// found in it.
    pub value: Vec<u8>,
    /// How many bytes of the whole value stand before `value`.
    pub begins: usize,
    /// What the operator found, in `value`; none of an operator that judges a value as a whole, and of
    /// one that was found in a value longer than 16 KiB.
    pub matched: Option<Range<usize>>,
}

impl Found {
    /// One of these parts.
    #[must_use]
    pub fn new(
        target: Vec<u8>,
        value: Vec<u8>,
        begins: usize,
        matched: Option<Range<usize>>,
    ) -> Self {
        Self {
            target,
            value,
            begins,
            matched,
        }
    }
}

/// A rule that matched, with its whole chain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Match {
    /// Its id.
    pub id: u64,
    /// Where it stands.
    pub place: Place,
    /// The phase it ran in, 1 to 5.
    pub phase: u8,
    /// Whether the rule wants to be told of (`log`, not `nolog`).
    pub logged: bool,
    /// Whether the rule wants the exchange to be kept (`auditlog`, not `noauditlog`).
    pub audited: bool,
    /// `msg`, expanded; of the last link that has one.
    pub message: Vec<u8>,
    /// `logdata`, expanded; of the last link that has one.
    pub logdata: Vec<u8>,
    /// 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// `tag`, expanded.
    pub tags: Vec<Vec<u8>>,
    /// `ver`.
    pub version: Vec<u8>,
    /// What the last link met, at most sixteen values.
    pub found: Vec<Found>,
    /// Where the first link of a chain met something, at most sixteen targets; empty for a rule that
    /// is no chain. Without these targets the chain would not have begun.
    pub first: Vec<Vec<u8>>,
    /// Whether `found` and `first` are all that was met.
    pub is_whole: bool,
    /// Where each link of its chain stands, the first one first; only of a rule that wants to be
    /// told of.
    pub links: Vec<Place>,
    /// The TX variables that it raised; only of a rule that wants to be told of.
    pub raised: Vec<Raised>,
}

/// A TX variable that a rule added to: `setvar:tx.score=+5`, once for each value that it met.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Raised {
    /// Its name, in lower case.
    pub name: Vec<u8>,
    /// By how much, in all.
    pub by: i64,
}
