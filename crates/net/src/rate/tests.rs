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

proptest! {
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
