use testkit::{FakeClock, SeededEntropy};

use super::*;

#[test]
fn a_flapping_address_leaves_a_few_events_and_then_one_a_minute() {
    let clock = FakeClock::new();
    let left: Arc<Mutex<Vec<Event>>> = Arc::default();
    let events = Arc::clone(&left);
    let sink = move |event| events.lock().unwrap().push(event);
    let report = Report::new(
        Arc::new(clock.clone()),
        Arc::new(SeededEntropy::new(1)),
        Some(Arc::new(sink)),
    );
    let service: Arc<str> = Arc::from("orders");
    let flap = |times: u32, address: &str| {
        for time in 0..times {
            let is_well = time % 2 == 1;
            let said = Said {
                topic: Topic::Health,
                kind: if is_well {
                    "gateway.upstream.healthy"
                } else {
                    "gateway.upstream.unhealthy"
                },
                severity: Severity::Medium,
                text: "it changed".to_owned(),
            };
            report.say(&service, Some(address.to_owned()), said);
        }
    };
    let taken = || std::mem::take(&mut *left.lock().unwrap());
    flap(100, "10.0.0.1:80");
    flap(1, "10.0.0.2:80");
    assert_eq!(taken().len(), 4 + 1, "each address counts for itself");
    report.turn();
    assert!(taken().is_empty());
    clock.advance(Duration::from_secs(60));
    report.turn();
    let held = taken();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].detail["count"], 96);
    assert_eq!(held[0].kind, "gateway.upstream.healthy", "the last holds");
    assert!(
        held[0].message.contains("96 changes"),
        "{}",
        held[0].message
    );
    // It goes on: one event for the minute, nothing beside it.
    flap(10, "10.0.0.1:80");
    assert!(taken().is_empty());
    clock.advance(Duration::from_secs(60));
    report.turn();
    assert_eq!(taken().len(), 1);
    // After a quiet minute the next change is news again.
    clock.advance(Duration::from_secs(60));
    report.turn();
    flap(1, "10.0.0.1:80");
    let news = taken();
    assert_eq!(news.len(), 1);
    assert_eq!(news[0].detail["address"], "10.0.0.1:80");
    assert_eq!(news[0].target.as_ref().unwrap().id, "orders");
}
