use super::*;

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn three_late_answers_in_a_row_open_it_and_one_in_time_forgets_them() {
    let circuit = Circuit::default();
    assert!(!circuit.late(at(0)) && !circuit.late(at(1)));
    circuit.answered();
    assert!(!circuit.late(at(2)) && !circuit.late(at(3)));
    assert_eq!(circuit.gate(at(3)), Gate::Ask);
    assert!(circuit.late(at(4)));
    assert_eq!(circuit.gate(at(5)), Gate::Away);
    // Those that were under way say nothing new.
    assert!(!circuit.late(at(5)) && !circuit.failed(at(5)));
}

#[test]
fn one_at_a_time_tries_it_with_growing_pauses() {
    let circuit = Circuit::default();
    assert!(circuit.failed(at(0)));
    assert_eq!(circuit.gate(at(99)), Gate::Away);
    assert_eq!(circuit.gate(at(100)), Gate::Try);
    assert_eq!(circuit.gate(at(101)), Gate::Away);
    let mut now = 101;
    for pause in [200, 400, 800, 1600, 3200, 5000, 5000] {
        circuit.still_away(at(now));
        assert_eq!(circuit.pause(at(now)), at(pause));
        assert_eq!(circuit.gate(at(now + pause - 1)), Gate::Away);
        now += pause;
        assert_eq!(circuit.gate(at(now)), Gate::Try);
    }
    assert!(circuit.back(at(now)));
    assert!(!circuit.back(at(now)));
    assert_eq!(circuit.gate(at(now)), Gate::Ask);
}

#[test]
fn trial_that_nobody_reports_is_followed_by_another() {
    let circuit = Circuit::default();
    circuit.failed(at(0));
    assert_eq!(circuit.gate(at(100)), Gate::Try);
    assert_eq!(circuit.gate(at(5099)), Gate::Away);
    assert_eq!(circuit.gate(at(5100)), Gate::Try);
}

#[test]
fn who_comes_and_goes_is_tried_as_rarely_as_before() {
    let circuit = Circuit::default();
    circuit.failed(at(0));
    circuit.back(at(100));
    circuit.failed(at(200));
    assert_eq!(circuit.pause(at(200)), at(200));
    circuit.back(at(400));
    circuit.failed(at(500));
    assert_eq!(circuit.pause(at(500)), at(400));
    circuit.back(at(1000));
    circuit.failed(at(12_000));
    assert_eq!(circuit.pause(at(12_000)), at(100));
    assert_eq!(circuit.generation(), 4);
}
