use super::*;
use crate::traffic::StepNumbers;

const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// What a route counted that had so many requests, a fifth of them refused, each of so many
/// microseconds, of which the service had half.
fn counted(requests: u64, us: u64) -> BTreeMap<String, Flow> {
    let mut flow = Flow {
        requests,
        statuses: [0, requests, 0, 0, 0],
        ..Flow::default()
    };
    let step = StepNumbers {
        refused: requests / 5,
        would_refuse: requests / 10,
    };
    flow.steps.insert("inspect".to_owned(), step);
    for _ in 0..requests.min(1000) {
        flow.latency.add_one(Duration::from_micros(us));
        flow.service.add_one(Duration::from_micros(us / 2));
    }
    BTreeMap::from([("orders".to_owned(), flow)])
}

fn after(seconds: u32) -> Timestamp {
    START.after(EVERY * seconds)
}

/// Fifty requests a second.
fn filled(seconds: u32) -> History {
    let history = History::default();
    for second in 0..seconds {
        history.add(after(second), counted(u64::from(second) * 50, 0));
    }
    history
}

#[test]
fn rates_are_what_grew_per_second_in_every_window() {
    let history = filled(3601);
    assert_eq!(history.now(None), (50.0, 10.0));
    assert_eq!(history.now(Some("orders")), (50.0, 10.0));
    assert_eq!(history.now(Some("none")), (0.0, 0.0));
    for (window, requests) in [
        (Window::Second, 50),
        (Window::TenSeconds, 500),
        (Window::Minute, 3000),
    ] {
        let lately = history.lately(Some(&["orders"]), window);
        assert_eq!(lately.requests, requests, "{window:?}");
        assert_eq!(
            (lately.rate, lately.seconds),
            (50.0, window.length().as_secs_f64())
        );
        assert_eq!(lately.would_refuse_rate, 5.0, "{window:?}");
        assert_eq!(lately.statuses["2xx"], 50.0, "{window:?}");
        assert_eq!(lately.steps["inspect"].refused, requests / 5);
    }
    let rates = history.rates(None);
    assert_eq!(rates.times.len(), 60);
    assert!(rates.served.iter().all(|rate| (rate - 40.0).abs() < 1e-9));
    assert!(
        rates
            .would_refuse
            .iter()
            .all(|rate| (rate - 5.0).abs() < 1e-9)
    );
    assert!(rates.times.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(history.rates_finely(Some("orders")).times.len(), 360);
}

#[test]
fn times_of_a_window_are_of_that_window_alone() {
    let history = History::default();
    history.add(after(0), counted(900, 100_000));
    let mut now = counted(900, 100_000);
    for _ in 0..10 {
        let flow = now.get_mut("orders").unwrap();
        flow.requests += 1;
        flow.latency.add_one(Duration::from_micros(400));
        flow.service.add_one(Duration::from_micros(300));
    }
    history.add(after(1), now);
    let lately = history.lately(None, Window::Second);
    assert_eq!(lately.requests, 10);
    let near = |time: Duration, us: f64| (time.as_secs_f64() * 1e6 - us).abs() <= us / 32.0;
    assert!(
        near(lately.p50, 400.0) && near(lately.p999, 400.0),
        "{lately:?}"
    );
    assert!(near(lately.service_p99, 300.0), "{lately:?}");
    let share = lately.service_percent.unwrap();
    assert!((70.0..80.0).contains(&share), "{share}");
}

#[test]
fn without_samples_nothing_moves() {
    let history = History::default();
    assert_eq!(history.now(None), (0.0, 0.0));
    assert_eq!(history.rates(None), Rates::default());
    assert_eq!(filled(1).rates(None), Rates::default());
    assert_eq!(filled(1).lately(None, Window::Second).rate, 0.0);
    assert_eq!(filled(1).lately(None, Window::Second).service_percent, None);
}

#[test]
fn no_more_than_an_hour_is_kept_and_times_of_a_minute_alone() {
    let history = filled(5000);
    let samples = history.samples();
    assert_eq!(samples.fine.len(), FINE_MAX);
    assert_eq!(samples.hour.len(), COARSE_MAX);
    assert_eq!(samples.timed.len(), TIMED_MAX);
    assert!(
        samples
            .timed
            .iter()
            .all(|one| !one.total.latency.is_empty())
    );
}

#[test]
fn an_hour_of_a_route_is_its_name_once_and_three_numbers_a_sample() {
    let history = filled(5000);
    let samples = history.samples();
    let names = samples.hour.iter().flat_map(|one| one.routes.keys());
    let first = samples.hour[0].routes.keys().next().unwrap();
    assert!(names.into_iter().all(|name| Arc::ptr_eq(name, first)));
    assert_eq!(size_of::<Counts>(), 24);
}

#[test]
fn what_did_not_change_is_kept_once() {
    let history = History::default();
    for second in 0..5 {
        history.add(after(second), counted(7, 10));
    }
    let samples = history.samples();
    let first = &samples.fine.front().unwrap().routes["orders"];
    let last = &samples.fine.back().unwrap().routes["orders"];
    assert!(Arc::ptr_eq(first, last));
}
