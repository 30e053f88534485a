use std::num::NonZeroU32;

use governor::clock::FakeRelativeClock;
use governor::{Quota, RateLimiter as Reference};
use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn rate(count: u32, per_ms: u64) -> Rate {
    Rate { count, per_ms }
}

#[test]
fn burst_is_the_whole_count_and_refills_evenly() {
    let limiter = RateLimiter::new(100);
    let ten = rate(10, 1000);
    for left in (0..10).rev() {
        let decision = limiter.check("a", ten, SECOND);
        assert!(decision.allowed);
        assert_eq!(decision.remaining, left);
    }
    let refused = limiter.check("a", ten, SECOND);
    assert!(!refused.allowed);
    assert_eq!(refused.retry_after, Duration::from_millis(100));
    assert_eq!(refused.reset, SECOND);
    assert!(limiter.check("b", ten, SECOND).allowed);
    let later = SECOND + Duration::from_millis(99);
    assert!(!limiter.check("a", ten, later).allowed);
    assert!(
        limiter
            .check("a", ten, SECOND + Duration::from_millis(100))
            .allowed
    );
}

#[test]
fn refused_attempts_cost_nothing() {
    let limiter = RateLimiter::new(100);
    let one = rate(1, 1000);
    assert!(limiter.check("a", one, SECOND).allowed);
    for ms in 0..999 {
        assert!(
            !limiter
                .check("a", one, SECOND + Duration::from_millis(ms))
                .allowed
        );
    }
    assert!(limiter.check("a", one, 2 * SECOND).allowed);
}

#[test]
fn memory_is_bounded_under_a_flood_of_keys() {
    let limiter = RateLimiter::new(1000);
    for key in 0..100_000_u32 {
        limiter.check(key, rate(5, 60_000), SECOND);
    }
    assert!(limiter.len() <= 1100, "{}", limiter.len());
}

#[test]
fn sweep_forgets_those_who_are_back_at_their_full_burst() {
    let limiter = RateLimiter::new(1000);
    limiter.check("a", rate(1, 1000), SECOND);
    limiter.sweep(SECOND);
    assert_eq!(limiter.len(), 1);
    limiter.sweep(3 * SECOND);
    assert!(limiter.is_empty());
}

#[test]
fn what_costs_more_is_taken_whole_or_not_at_all() {
    let limiter = RateLimiter::new(100);
    let ten = rate(10, 1000);
    assert_eq!(limiter.take("a", ten, 7, SECOND).remaining, 3);
    let refused = limiter.take("a", ten, 4, SECOND);
    assert!(!refused.allowed);
    assert_eq!(refused.remaining, 3);
    assert_eq!(refused.retry_after, Duration::from_millis(100));
    assert!(limiter.take("a", ten, 3, SECOND).allowed);
    assert!(!limiter.take("b", ten, 11, SECOND).allowed);
}

#[test]
fn looking_counts_nothing_and_what_is_given_back_is_there_again() {
    let limiter = RateLimiter::new(100);
    let ten = rate(10, 1000);
    assert!(limiter.look(&"a", ten, 10, SECOND).allowed);
    assert_eq!(limiter.look(&"a", ten, 10, SECOND).remaining, 10);
    assert!(limiter.is_empty());
    limiter.take("a", ten, 6, SECOND);
    assert!(!limiter.look(&"a", ten, 5, SECOND).allowed);
    limiter.give_back(&"a", ten, 6);
    assert_eq!(limiter.look(&"a", ten, 1, SECOND).remaining, 10);
    limiter.give_back(&"never seen", ten, 6);
}

proptest! {
    #[test]
    fn agrees_with_the_reference_whatever_it_costs(
        count in 1..50_u32,
        steps in proptest::collection::vec((0..200_u64, 1..60_u32), 1..200),
    ) {
        let clock = FakeRelativeClock::default();
        let interval = Duration::from_millis(20);
        let quota = Quota::with_period(interval).unwrap()
            .allow_burst(NonZeroU32::new(count).unwrap());
        let reference = Reference::direct_with_clock(quota, clock.clone());
        let ours = RateLimiter::new(10);
        let mut now = Duration::from_secs(1000);
        for (step, cost) in steps {
            let step = Duration::from_millis(step) / 4;
            clock.advance(step);
            now += step;
            let expected = reference.check_n(NonZeroU32::new(cost).unwrap());
            // What the burst never holds is an error there, and refused here.
            let expected = expected.is_ok_and(|said| said.is_ok());
            let rate = rate(count, 20 * u64::from(count));
            let looked = ours.look(&(), rate, cost, now);
            let decision = ours.take((), rate, cost, now);
            prop_assert_eq!(decision.allowed, expected);
            prop_assert_eq!((looked.allowed, looked.retry_after), (decision.allowed, decision.retry_after));
        }
    }

    #[test]
    fn what_is_given_back_leaves_no_trace(
        count in 1..20_u32,
        steps in proptest::collection::vec((0..200_u64, 1..20_u32, any::<bool>()), 1..100),
    ) {
        let (with, without) = (RateLimiter::new(10), RateLimiter::new(10));
        let rate = rate(count, 1000);
        let mut now = SECOND;
        for (step, cost, keep) in steps {
            now += Duration::from_millis(step);
            if keep {
                let (a, b) = (with.take((), rate, cost, now), without.take((), rate, cost, now));
                prop_assert_eq!(a, b);
            } else if with.take((), rate, cost, now).allowed {
                with.give_back(&(), rate, cost);
            }
        }
    }

    #[test]
    fn agrees_with_the_reference(
        count in 1..50_u32,
        steps in proptest::collection::vec(0..200_u64, 1..200),
    ) {
        let clock = FakeRelativeClock::default();
        // A period that the count divides, so that neither rounds.
        let interval = Duration::from_millis(20);
        let quota = Quota::with_period(interval).unwrap()
            .allow_burst(NonZeroU32::new(count).unwrap());
        let reference = Reference::direct_with_clock(quota, clock.clone());
        let ours = RateLimiter::new(10);
        let mut now = Duration::from_secs(1000);
        for step in steps {
            let step = Duration::from_millis(step) / 4;
            clock.advance(step);
            now += step;
            let decision = ours.check((), rate(count, 20 * u64::from(count)), now);
            prop_assert_eq!(decision.allowed, reference.check().is_ok());
        }
    }

    #[test]
    fn never_more_than_the_rate_beyond_one_burst(
        count in 1..20_u32,
        steps in proptest::collection::vec(0..500_u64, 1..300),
    ) {
        let ours = RateLimiter::new(10);
        let start = Duration::from_secs(5);
        let mut now = start;
        let mut allowed = 0_u64;
        for step in steps {
            now += Duration::from_millis(step);
            allowed += u64::from(ours.check((), rate(count, 1000), now).allowed);
        }
        let elapsed_ms = u64::try_from((now - start).as_millis()).unwrap();
        let most = u64::from(count) + elapsed_ms * u64::from(count) / 1000 + 1;
        prop_assert!(allowed <= most, "{} > {}", allowed, most);
    }
}
