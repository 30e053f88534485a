//! A service as all workers share it: its addresses, what is remembered about them, and what
//! keeps a service in trouble from being asked too much.
//!
//! On a request's way nothing here is locked: the set of addresses is swapped whole, the rest are
//! numbers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use estate::{Failure, HashKey, NoneHealthy, Reach};
use model::{Severity, SharedClock};

use super::around::Around;
use super::breaker::{Breaker, Turned};
use super::budget::Budget;
use super::member::{Endpoint, Member, Shards};
use super::report::{Report, Said, Topic};
use super::room::Room;
use super::ticks::{Now, ticks};

/// An address that takes no connection is passed over for so long the first time.
const DOWN_FOR: Duration = Duration::from_secs(2);
/// For how long a trial may go unheard of.
const TRIAL_FOR: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: Arc<str>,
    pub(super) reach: Reach,
    clock: SharedClock,
    report: Arc<Report>,
    workers: usize,
    set: ArcSwap<Set>,
    /// Changes with `set`; read instead of it.
    generation: AtomicU64,
    ejecting: Mutex<()>,
    pub(super) requests: Shards,
    pub(super) budget: Budget,
    pub(super) breaker: Option<Breaker>,
    pub(super) room: Option<Room>,
    /// Requests that the breaker let not through.
    pub(super) held_off: AtomicU64,
    /// Requests sent again, and those for which there was no budget.
    pub(super) retries: AtomicU64,
    pub(super) retries_withheld: AtomicU64,
    /// No estate leads here any more.
    retired: AtomicBool,
}

/// The addresses at one moment.
#[derive(Debug, Default)]
pub(super) struct Set {
    pub(super) members: Box<[Arc<Member>]>,
    /// Connections of another epoch are not used any more.
    pub(super) epoch: u64,
}

impl Group {
    /// `before` is the same service as the last version had it: what is known of an address
    /// that stays is kept.
    pub(super) fn new(
        name: Arc<str>,
        reach: Reach,
        around: &Around,
        before: Option<&Self>,
    ) -> Self {
        let capacity = &reach.capacity;
        let room = capacity
            .requests
            .map(|requests| Room::new(requests, capacity.waiting, capacity.wait));
        let group = Self {
            breaker: reach.breaker.as_ref().map(Breaker::new),
            budget: Budget::new(reach.retries.budget.0),
            room,
            clock: Arc::clone(&around.clock),
            report: Arc::clone(&around.report),
            workers: around.workers,
            set: ArcSwap::from_pointee(Set::default()),
            generation: AtomicU64::new(0),
            ejecting: Mutex::default(),
            requests: Shards::new(around.workers),
            held_off: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            retries_withheld: AtomicU64::new(0),
            retired: AtomicBool::new(false),
            name,
            reach,
        };
        if let Some(before) = before {
            let set = before.set.load();
            let is_probed = group.reach.health.is_some();
            let kept = |member: &Arc<Member>| {
                // Nobody would ever find it well again.
                match is_probed || !member.is_unwell() {
                    true => Arc::clone(member),
                    false => Member::new(member.endpoint.clone(), around.workers),
                }
            };
            group.set.store(Arc::new(Set {
                members: set.members.iter().map(kept).collect(),
                epoch: 0,
            }));
        }
        group
    }

    /// The addresses are exactly these. Connections to others finish what they have.
    pub(super) fn place(&self, endpoints: impl IntoIterator<Item = Endpoint>) {
        let before = self.set.load_full();
        let is_first = before.members.is_empty();
        let now = ticks(&*self.clock);
        let mut members: Vec<Arc<Member>> = Vec::new();
        for endpoint in endpoints {
            if members.iter().any(|member| member.endpoint == endpoint) {
                continue;
            }
            let kept = before
                .members
                .iter()
                .find(|member| member.endpoint == endpoint);
            members.push(kept.cloned().unwrap_or_else(|| {
                let member = Member::new(endpoint, self.workers);
                if !is_first {
                    member.rise_from(now);
                }
                member
            }));
        }
        let same = members.len() == before.members.len()
            && members
                .iter()
                .zip(&before.members)
                .all(|(new, old)| Arc::ptr_eq(new, old));
        if !same {
            self.swap(members.into(), before.epoch);
        }
    }

    /// Connections from before are not used any more.
    pub(super) fn renew(&self) {
        let before = self.set.load_full();
        self.swap(before.members.clone(), before.epoch.wrapping_add(1));
    }

    fn swap(&self, members: Box<[Arc<Member>]>, epoch: u64) {
        self.set.store(Arc::new(Set { members, epoch }));
        self.generation.fetch_add(1, Ordering::Release);
    }

    pub(super) fn set(&self) -> Arc<Set> {
        self.set.load_full()
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// What requests are told apart by.
    pub(super) fn hashed_by(&self) -> Option<&HashKey> {
        match &self.reach.balance {
            estate::Balance::Hash(key) => Some(key),
            estate::Balance::LeastRequests => None,
        }
    }

    pub(super) fn clock(&self) -> &SharedClock {
        &self.clock
    }

    pub(super) fn now(&self) -> u64 {
        ticks(&*self.clock)
    }

    /// For how long a trial is waited for.
    pub(super) fn patience(&self) -> u64 {
        let patience = self.reach.outliers.eject.min(TRIAL_FOR);
        u64::try_from(patience.as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether requests go to addresses that are not well when none is.
    pub(super) fn tries_all(&self) -> bool {
        let health = self.reach.health.as_ref();
        health.is_none_or(|health| health.none_healthy == NoneHealthy::Try)
    }

    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Relaxed)
    }

    /// One request got an answer of the service.
    pub(super) fn answered(&self, member: &Member, status: u16, is_trial: bool) {
        let failure = Failure::Status(status);
        if status >= 502 && self.reach.outliers.on.contains(&failure) {
            self.failed(member, failure, is_trial);
            return;
        }
        let now = Now::of(&*self.clock);
        if member.answered(&now) {
            member.changed(self.clock.now(), None);
            self.report.say(
                &self.name,
                Some(member.endpoint.to_string()),
                Said {
                    topic: Topic::Ejection,
                    kind: "gateway.upstream.restored",
                    severity: Severity::Info,
                    text: "it answers again and gets requests".to_owned(),
                },
            );
        }
        if let Some(breaker) = &self.breaker {
            let turned = breaker.record(true, is_trial, now.ticks());
            self.turned(turned);
        }
    }

    /// One request came to nothing.
    pub(super) fn failed(&self, member: &Member, failure: Failure, is_trial: bool) {
        if let Some(count) = member.failed.get(kind_of(failure)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let kind = KINDS.get(kind_of(failure)).copied().unwrap_or("other");
        member.told().last_failure = Some((self.clock.now(), kind));
        let outliers = &self.reach.outliers;
        let counts = outliers.on.contains(&failure);
        let now = self.now();
        if let Some(breaker) = &self.breaker {
            let turned = breaker.record(!counts, is_trial, now);
            self.turned(turned);
        }
        if !counts || !member.may_be_ejected(now) {
            return;
        }
        let failures = member.failed_again();
        if failure == Failure::Connect {
            self.eject(member, DOWN_FOR.min(outliers.eject), now, failure);
        } else if failures >= outliers.failures || member.is_on_trial() {
            self.eject(member, outliers.eject, now, failure);
        }
    }

    /// Passes an address over, unless too many are already.
    fn eject(&self, member: &Member, base: Duration, now: u64, why: Failure) {
        let turn = self.ejecting();
        let set = self.set.load();
        let count = set.members.len();
        if count <= 1 {
            return;
        }
        let share = usize::from(self.reach.outliers.share_max.0);
        let allowed = count.saturating_mul(share) / 100;
        let others = set.members.iter().filter(|other| {
            !std::ptr::eq(&***other, member) && (other.is_ejected(now) || other.is_unwell())
        });
        if others.count() >= allowed.max(1) || !member.may_be_ejected(now) {
            return;
        }
        let max = self.reach.outliers.eject_max;
        let long = member.eject(now, base, max);
        member.changed(self.clock.now(), Some(format!("its requests fail ({why})")));
        drop(turn);
        self.report.say(
            &self.name,
            Some(member.endpoint.to_string()),
            Said {
                topic: Topic::Ejection,
                kind: "gateway.upstream.ejected",
                severity: Severity::Low,
                text: format!(
                    "it is passed over for {} ({why})",
                    model::format_duration(long)
                ),
            },
        );
    }

    fn turned(&self, turned: Option<Turned>) {
        let said = match turned {
            None => return,
            Some(Turned::Opened) => Said {
                topic: Topic::Breaker,
                kind: "gateway.breaker.opened",
                severity: Severity::Medium,
                text: "too many requests fail: it gets none but one now and then".to_owned(),
            },
            Some(Turned::Closed) => Said {
                topic: Topic::Breaker,
                kind: "gateway.breaker.closed",
                severity: Severity::Info,
                text: "requests succeed: it gets all of them again".to_owned(),
            },
        };
        self.report.say(&self.name, None, said);
    }

    /// What a probe found.
    pub(super) fn probed(&self, member: &Member, word: Result<(), String>) {
        let Some(health) = &self.reach.health else {
            return;
        };
        let limits = (health.rise, health.fall);
        member.probes.fetch_add(1, Ordering::Relaxed);
        if word.is_err() {
            member.probes_failed.fetch_add(1, Ordering::Relaxed);
        }
        let changed = member.probed(word.is_ok(), limits, self.now());
        if changed.is_some() {
            member.changed(self.clock.now(), word.as_ref().err().cloned());
        }
        let said = match (changed, word) {
            (Some(true), _) => Said {
                topic: Topic::Health,
                kind: "gateway.upstream.healthy",
                severity: Severity::Info,
                text: "it is well again and gets requests".to_owned(),
            },
            (Some(false), Err(why)) => Said {
                topic: Topic::Health,
                kind: "gateway.upstream.unhealthy",
                severity: Severity::Medium,
                text: format!("it is not well and gets no requests: {why}"),
            },
            _ => return,
        };
        self.say(Some(member.endpoint.to_string()), said);
    }

    /// Leaves an event.
    pub(super) fn say(&self, address: Option<String>, said: Said) {
        self.report.say(&self.name, address, said);
    }

    /// Once a second.
    pub(super) fn turn(&self) {
        self.budget.turn(&self.requests, self.now());
        self.report.turn();
    }

    fn ejecting(&self) -> MutexGuard<'_, ()> {
        self.ejecting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Words for the kinds of failure that are counted.
pub(super) const KINDS: [&str; 4] = ["connect", "reset", "timeout", "status"];

const fn kind_of(failure: Failure) -> usize {
    match failure {
        Failure::Connect => 0,
        Failure::Reset => 1,
        Failure::Timeout => 2,
        Failure::Status(_) => 3,
    }
}
