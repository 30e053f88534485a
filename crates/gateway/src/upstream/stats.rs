//! How services stand, for metrics and for control.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::breaker::BreakerState;
use super::group::{Group, KINDS};
use super::member::{Member, Standing, WHOLE};
use super::target::Target;
use super::ticks::Now;
use crate::link::protocol::{AddressStats, BreakerWord, Condition, ServiceStats};

impl Target {
    /// How it stands, with at most so many of its addresses.
    pub(crate) fn stats(&self, addresses_max: usize) -> ServiceStats {
        let group = &*self.group;
        let set = group.set();
        let now = Now::of(&**group.clock());
        let addresses: Vec<_> = set
            .members
            .iter()
            .take(addresses_max)
            .map(|member| group.address(member, &now))
            .collect();
        let left_out = set.members.len().saturating_sub(addresses.len());
        ServiceStats {
            requests: group.requests.sum(),
            under_way: set.members.iter().map(|one| one.under_way.sum()).sum(),
            waiting: group.room.as_ref().map_or(0, |room| room.waiting().into()),
            crowded_out: group
                .room
                .as_ref()
                .map_or(0, |room| room.refused.load(Ordering::Relaxed)),
            retries: group.retries.load(Ordering::Relaxed),
            retries_withheld: group.retries_withheld.load(Ordering::Relaxed),
            retries_left: group.budget.left(&group.requests, now.ticks()),
            breaker: group
                .breaker
                .as_ref()
                .map(|breaker| match breaker.state(now.ticks()) {
                    BreakerState::Closed => BreakerWord::Closed,
                    BreakerState::Open => BreakerWord::Open,
                    BreakerState::HalfOpen => BreakerWord::HalfOpen,
                }),
            held_off: group.held_off.load(Ordering::Relaxed),
            left_out: u64::try_from(left_out).unwrap_or(u64::MAX),
            addresses,
        }
    }
}

impl Group {
    fn address(&self, member: &Member, now: &Now<'_>) -> AddressStats {
        let condition = match member.standing(now, self.reach.slow_start) {
            _ if member.is_unwell() => Condition::Unwell,
            Standing::Out | Standing::Trial => Condition::Ejected,
            Standing::Rising(_) => Condition::Rising,
            Standing::Well => Condition::Well,
        };
        let share_percent = match member.standing(now, self.reach.slow_start) {
            Standing::Rising(share) => share.saturating_mul(100) / WHOLE,
            Standing::Well => 100,
            Standing::Out | Standing::Trial => 0,
        };
        let failures: BTreeMap<String, u64> = KINDS
            .iter()
            .zip(&member.failed)
            .map(|(kind, count)| ((*kind).to_owned(), count.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let told = member.told().clone();
        // An address alone is never passed over: whoever looks is told all the same.
        let failing = member.failing();
        let kind = told.last_failure.map(|(_, kind)| kind);
        let fails = kind.filter(|_| failing > 0);
        let fails = fails.map(|kind| format!("its requests fail ({kind})"));
        AddressStats {
            address: member.endpoint.to_string(),
            condition,
            share_percent,
            under_way: member.under_way.sum(),
            connections: member.connections.load(Ordering::Relaxed).into(),
            failures,
            ejections: member.ejections.load(Ordering::Relaxed),
            since: told.since,
            why: told.why.or(fails),
            last_failure: told.last_failure.map(|(at, _)| at),
            failing: failing.into(),
            probes: member.probes.load(Ordering::Relaxed),
            probes_failed: member.probes_failed.load(Ordering::Relaxed),
        }
    }
}
