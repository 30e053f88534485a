use proptest::prelude::*;

use super::*;

fn counted(times: &[u64]) -> Latency {
    let mut latency = Latency::default();
    for us in times {
        latency.add_one(Duration::from_micros(*us));
    }
    latency
}

/// The nearest rank of the times themselves.
fn exact(times: &[u64], of_ten_thousand: u64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let all = u64::try_from(sorted.len()).unwrap();
    let rank = (all * of_ten_thousand).div_ceil(10_000).max(1);
    #[expect(clippy::cast_precision_loss, reason = "times of a test are small")]
    let us = sorted[usize::try_from(rank).unwrap() - 1] as f64;
    us
}

#[test]
fn classes_follow_one_another_without_a_gap() {
    let mut end = 0;
    for class in 0..u16::try_from(CLASSES).unwrap() {
        let (begin, width) = extent(class);
        assert_eq!(begin, end, "class {class}");
        assert!(width * PARTS <= begin || width == 1, "class {class}");
        assert_eq!(class_of(begin), usize::from(class));
        assert_eq!(class_of(begin + width - 1), usize::from(class));
        end = begin + width;
    }
    assert_eq!(end, 1 << TOP_BITS);
    assert_eq!(class_of(u64::MAX), CLASSES - 1);
}

#[test]
fn nothing_counted_is_no_time() {
    assert_eq!(Latency::default().quantile(9_900), Duration::ZERO);
    assert_eq!(Latency::default().count(), 0);
    assert_eq!(Latency::default().total(), Duration::ZERO);
    assert_eq!(counted(&[5, 5, 7]).total(), Duration::from_micros(17));
}

#[test]
fn counters_that_went_back_began_anew() {
    let before = counted(&[10, 10, 500]);
    let after = counted(&[10]);
    assert_eq!(after.since(&before), after);
    assert_eq!(counted(&[10, 10, 10, 500]).since(&before), counted(&[10]));
}

#[test]
fn classes_that_do_not_exist_count_nowhere() {
    let strange: Latency = serde_json::from_str("[[60000,7],[9,1],[3,1],[9,2]]").unwrap();
    assert_eq!(strange.count(), 4);
    assert_eq!(strange.quantile(10_000), Duration::from_micros(9));
    assert_eq!(strange.quantile(1), Duration::from_micros(3));
}

proptest! {
    #[test]
    fn quantiles_are_said_within_the_error(
        times in prop::collection::vec(
            prop_oneof![0_u64..64, 0_u64..20_000, 0_u64..(1 << TOP_BITS)], 1..400),
        of in prop_oneof![
            Just(1_u64), Just(5_000), Just(9_000), Just(9_900), Just(9_990), Just(10_000), 1_u64..10_000],
    ) {
        let said = counted(&times).quantile(of).as_secs_f64() * 1e6;
        let exact = exact(&times, of);
        prop_assert!(
            (said - exact).abs() <= exact * ERROR_PERCENT_MAX / 100.0 + 1e-6,
            "{said} for {exact}"
        );
    }

    #[test]
    fn what_was_added_can_be_taken_away_again(
        some in prop::collection::vec(0_u64..100_000, 0..100),
        more in prop::collection::vec(0_u64..100_000, 0..100),
    ) {
        let mut both = counted(&some);
        both.add(&counted(&more));
        prop_assert_eq!(both.count(), u64::try_from(some.len() + more.len()).unwrap());
        prop_assert_eq!(both.since(&counted(&some)), counted(&more));
        let text = serde_json::to_string(&both).unwrap();
        prop_assert_eq!(serde_json::from_str::<Latency>(&text).unwrap(), both);
    }
}
