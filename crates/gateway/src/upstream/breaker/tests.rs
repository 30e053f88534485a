use estate::Percent;

use super::*;

fn breaker() -> Breaker {
    Breaker::new(&estate::Breaker {
        failures: Percent(50),
        window: Duration::from_secs(10),
        requests_min: 10,
        open: Duration::from_secs(5),
    })
}

/// Records attempts one after the other; what they changed.
fn record(breaker: &Breaker, good: u32, failed: u32, now: u64) -> Vec<Turned> {
    let attempts = (0..good).map(|_| true).chain((0..failed).map(|_| false));
    attempts
        .filter_map(|is_good| breaker.record(is_good, false, now))
        .collect()
}

#[test]
fn opens_at_its_share_and_not_before_enough_was_tried() {
    let few = breaker();
    assert!(record(&few, 0, 9, 1000).is_empty());
    assert_eq!(few.ask(1000), Word::Go);
    let enough = breaker();
    assert!(record(&enough, 10, 9, 1000).is_empty());
    assert_eq!(record(&enough, 0, 1, 1000), [Turned::Opened]);
    assert_eq!(enough.ask(1000), Word::Wait(5000));
    assert_eq!(enough.ask(5999), Word::Wait(1));
    assert_eq!(enough.state(1000), BreakerState::Open);
}

#[test]
fn what_failed_before_the_window_is_forgotten() {
    let breaker = breaker();
    assert!(record(&breaker, 0, 9, 1000).is_empty());
    assert!(record(&breaker, 0, 9, 12_000).is_empty());
    assert_eq!(breaker.ask(12_000), Word::Go);
}

#[test]
fn one_request_sees_and_what_it_finds_decides() {
    let breaker = breaker();
    record(&breaker, 0, 10, 1000);
    assert_eq!(breaker.ask(6000), Word::Trial);
    assert_eq!(breaker.state(6000), BreakerState::HalfOpen);
    assert_eq!(breaker.ask(6000), Word::Wait(5000), "there is one trial");
    // Those that were under way when it opened say nothing.
    assert_eq!(breaker.record(true, false, 6001), None);
    assert_eq!(breaker.ask(6001), Word::Wait(4999));
    assert_eq!(breaker.record(false, true, 6100), None);
    assert_eq!(breaker.ask(6100), Word::Wait(5000));
    assert_eq!(breaker.ask(11_100), Word::Trial);
    assert_eq!(breaker.record(true, true, 11_200), Some(Turned::Closed));
    assert_eq!(breaker.ask(11_200), Word::Go);
    assert!(record(&breaker, 0, 9, 11_300).is_empty(), "it begins anew");
}

#[test]
fn a_trial_nobody_hears_of_makes_room_for_the_next() {
    let breaker = breaker();
    record(&breaker, 0, 10, 1000);
    assert_eq!(breaker.ask(6000), Word::Trial);
    assert_eq!(breaker.ask(10_999), Word::Wait(1));
    assert_eq!(breaker.ask(11_000), Word::Trial);
}
