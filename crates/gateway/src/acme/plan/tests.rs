use model::Clock as _;
use proptest::prelude::*;
use testkit::FakeClock;

use super::*;

const HOUR: Duration = Duration::from_hours(1);

#[test]
fn certificate_of_six_days_is_renewed_as_surely_as_one_of_ninety() {
    for (days, part, earliest, latest) in [(6, 3, 93, 97), (90, 3, 1350, 1441), (6, 2, 64, 73)] {
        let clock = FakeClock::new();
        let begin = clock.now();
        let end = begin.after(24 * HOUR * days);
        let at = renewal("shop.example", begin, end, part);
        // The clock is moved by hand, an hour at a time, until the renewal is due.
        let mut hours = 0;
        while clock.now() < at {
            clock.advance(HOUR);
            hours += 1;
        }
        assert!((earliest..=latest).contains(&hours), "{days} {hours}");
        assert!(!is_expiring(clock.now(), begin, end, part));
        clock.advance(end.since(clock.now()) * 6 / 10);
        assert!(is_expiring(clock.now(), begin, end, part), "{days}");
    }
}

#[test]
fn pauses_grow_to_half_a_day_and_shrink_while_time_runs_out() {
    let minutes = |failures, left| pause(failures, left, None, 0).as_secs() / 60;
    assert_eq!([1, 2, 3, 4].map(|n| minutes(n, None)), [1, 2, 4, 8]);
    assert_eq!(minutes(40, None), 720);
    assert_eq!(minutes(40, Some(48 * HOUR)), 360);
    assert_eq!(minutes(40, Some(HOUR)), 7);
    assert_eq!(minutes(40, Some(Duration::ZERO)), 1);
}

#[test]
fn authority_that_asks_for_time_gets_it_up_to_a_day() {
    assert_eq!(pause(1, None, Some(2 * HOUR), 0), 2 * HOUR);
    assert_eq!(pause(1, Some(HOUR), Some(2 * HOUR), 0), 2 * HOUR);
    assert_eq!(pause(1, None, Some(10_000 * HOUR), 0), 24 * HOUR);
    assert_eq!(
        pause(5, None, Some(Duration::ZERO), 0),
        pause(5, None, None, 0)
    );
}

proptest! {
    #[test]
    fn renewal_lies_within_the_life_and_leaves_what_was_asked_for(
        host in "[a-z.]{0,40}", life_s in 1_u64..400_000_000, part in 1_u32..10,
    ) {
        let begin = Timestamp::from_millis(1_700_000_000_000);
        let life = Duration::from_secs(life_s);
        let end = begin.after(life);
        let at = renewal(&host, begin, end, part);
        prop_assert!(at <= end.before(life / part));
        prop_assert!(at >= end.before(life / part + life / part / SPREAD));
    }

    #[test]
    fn pause_is_never_shorter_than_a_minute_nor_longer_than_a_day(
        failures in any::<u32>(), left in any::<Option<u32>>(), asked in any::<Option<u32>>(),
        jitter in any::<u8>(),
    ) {
        let seconds = |s: Option<u32>| s.map(|s| Duration::from_secs(s.into()));
        let pause = pause(failures, seconds(left), seconds(asked), jitter);
        prop_assert!((PAUSE_MIN..=ASKED_MAX).contains(&pause), "{pause:?}");
    }
}
