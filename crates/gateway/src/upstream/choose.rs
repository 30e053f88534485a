//! Which of a service's addresses a request goes to. Pure, without allocation: a choice among
//! addresses that are all well reads a few numbers and no clock.
//!
//! *Least requests*: the one with the fewest under way; among many, the better of two drawn.
//! *Hash*: the one that scores highest for the request's key (rendezvous hashing), so that an
//! address that leaves moves only what was its own; one with a quarter more to do than the average
//! is passed over.
//!
//! Loads are those of the worker that chooses: the kernel spreads connections over workers, and
//! asking for the others' counts would make each request wait for theirs.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::member::{Member, Standing, WHOLE};
use super::ticks::Now;

/// Up to so many addresses are all looked at; of more, two are drawn.
const ALL_MAX: usize = 16;
/// How often one is drawn until two are found that take a request.
const DRAWS: u64 = 8;

/// What a choice goes by.
#[derive(Debug)]
pub(super) struct Choice<'a> {
    pub(super) members: &'a [Arc<Member>],
    pub(super) worker: usize,
    /// Places that were tried already.
    pub(super) tried: &'a [usize],
    /// What the request has in common with others.
    pub(super) key: Option<u64>,
    /// Different for each choice of a worker.
    pub(super) turn: u64,
    pub(super) slow_start: Option<Duration>,
    /// Requests under way to one address over all workers, at most.
    pub(super) room: Option<u32>,
    /// For how long a trial is waited for.
    pub(super) patience: u64,
    pub(super) now: &'a Now<'a>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    /// This one.
    Place(usize),
    /// Every address that is well has as many requests as it may.
    Full,
    /// None is well.
    NoneWell,
    /// All were tried.
    Exhausted,
}

/// How strictly a growing share is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rising {
    /// An address takes its share and no more.
    Bounded,
    /// Only such are left.
    Taken,
}

impl Choice<'_> {
    /// The best that is well.
    pub(super) fn best(&self) -> Chosen {
        // A trial that another request claimed in between is none: look again, at most once for
        // each address.
        for _ in 0..=self.members.len() {
            let found = self
                .pick(Rising::Bounded)
                .or_else(|| self.pick(Rising::Taken));
            let Some(place) = found else {
                return self.why_none();
            };
            let Some(member) = self.members.get(place) else {
                break;
            };
            let is_trial = self.standing(member) == Standing::Trial;
            if !is_trial || member.claim_trial(self.now.ticks(), self.patience) {
                return Chosen::Place(place);
            }
        }
        self.why_none()
    }

    /// The best of all, however they are.
    pub(super) fn whichever(&self) -> Chosen {
        let untried = self.untried().filter(|(_, member)| self.has_room(member));
        let least = untried.min_by_key(|(_, member)| member.under_way.load(self.worker));
        least.map_or_else(|| self.why_none(), |(place, _)| Chosen::Place(place))
    }

    fn why_none(&self) -> Chosen {
        let mut untried = self.untried().peekable();
        if untried.peek().is_none() {
            return Chosen::Exhausted;
        }
        let full = untried
            .any(|(_, member)| self.standing(member) != Standing::Out && !self.has_room(member));
        if full { Chosen::Full } else { Chosen::NoneWell }
    }

    fn standing(&self, member: &Member) -> Standing {
        member.standing(self.now, self.slow_start)
    }

    fn has_room(&self, member: &Member) -> bool {
        let under_way = || member.under_way_limited.load(Ordering::Relaxed);
        self.room.is_none_or(|room| under_way() < room)
    }

    fn untried(&self) -> impl Iterator<Item = (usize, &Member)> {
        let count = self.members.len();
        let first = usize::try_from(self.turn % u64::try_from(count.max(1)).unwrap_or(1));
        let first = first.unwrap_or(0);
        let places = (first..count).chain(0..first);
        places
            .filter(|place| !self.tried.contains(place))
            .filter_map(|place| Some((place, &**self.members.get(place)?)))
    }

    fn pick(&self, rising: Rising) -> Option<usize> {
        match self.key {
            Some(key) => self.by_hash(key, rising),
            None if self.members.len() <= ALL_MAX => self.least(rising),
            None => self.drawn(rising).or_else(|| self.least(rising)),
        }
    }

    /// Whether it takes this request.
    fn takes(&self, place: usize, member: &Member, rising: Rising) -> bool {
        let stands = match self.standing(member) {
            Standing::Well | Standing::Trial => true,
            Standing::Out => false,
            Standing::Rising(_) if rising == Rising::Taken => true,
            Standing::Rising(share) => {
                // By key, so that what has moved to it stays with it.
                let draw = match self.key {
                    Some(key) => mix(key ^ member.hash.rotate_left(17)),
                    None => mix(self.turn ^ u64::try_from(place).unwrap_or(0).rotate_left(32)),
                };
                draw % WHOLE < share
            }
        };
        stands && self.has_room(member)
    }

    fn least(&self, rising: Rising) -> Option<usize> {
        let mut best = None;
        for (place, member) in self.untried() {
            let under_way = member.under_way.load(self.worker);
            let is_better = best.is_none_or(|(_, least)| under_way < least);
            if is_better && self.takes(place, member, rising) {
                best = Some((place, under_way));
            }
        }
        best.map(|(place, _)| place)
    }

    fn drawn(&self, rising: Rising) -> Option<usize> {
        let count = u64::try_from(self.members.len()).unwrap_or(1).max(1);
        let mut first: Option<(usize, u64)> = None;
        for draw in 0..DRAWS {
            let place = mix(self.turn.wrapping_mul(DRAWS).wrapping_add(draw)) % count;
            let place = usize::try_from(place).unwrap_or(0);
            let Some(member) = self.members.get(place) else {
                continue;
            };
            let is_new = first.is_none_or(|(other, _)| other != place);
            if !is_new || self.tried.contains(&place) || !self.takes(place, member, rising) {
                continue;
            }
            let under_way = member.under_way.load(self.worker);
            match first {
                None => first = Some((place, under_way)),
                Some((_, other)) if under_way < other => return Some(place),
                Some((other, _)) => return Some(other),
            }
        }
        first.map(|(place, _)| place)
    }

    fn by_hash(&self, key: u64, rising: Rising) -> Option<usize> {
        let (mut count, mut sum) = (0_u64, 0_u64);
        for member in self.members {
            if self.standing(member) != Standing::Out {
                count = count.saturating_add(1);
                sum = sum.saturating_add(member.under_way.load(self.worker));
            }
        }
        // A quarter more than the average, this request included, and one at least.
        let all = sum.saturating_add(1).saturating_mul(5);
        let bound = all.div_ceil(count.max(1).saturating_mul(4)).max(1);
        let (mut best, mut any) = (None, None);
        for (place, member) in self.untried() {
            if !self.takes(place, member, rising) {
                continue;
            }
            let score = mix(key ^ member.hash);
            if any.is_none_or(|(_, highest)| score > highest) {
                any = Some((place, score));
            }
            let under_way = member.under_way.load(self.worker);
            if under_way < bound && best.is_none_or(|(_, highest)| score > highest) {
                best = Some((place, score));
            }
        }
        best.or(any).map(|(place, _)| place)
    }
}

/// Spreads a number over all numbers (the finisher of SplitMix64).
pub(super) const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests;
