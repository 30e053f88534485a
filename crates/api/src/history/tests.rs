use super::*;
use crate::traffic::Numbers;

const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

fn counted(requests: u64, refused: u64) -> Traffic {
    let numbers = Numbers {
        requests,
        refused,
        ..Numbers::default()
    };
    Traffic {
        total: numbers.clone(),
        routes: BTreeMap::from([("orders".to_owned(), numbers)]),
        ..Traffic::default()
    }
}

fn filled(samples: u64) -> History {
    let history = History::default();
    for i in 0..samples {
        let at = START.after(EVERY * u32::try_from(i).unwrap());
        history.add(at, &counted(i * 50, i * 10));
    }
    history
}

#[test]
fn rates_are_what_grew_per_second() {
    let history = filled(361);
    assert_eq!(history.now(None), (5.0, 1.0));
    assert_eq!(history.now(Some("orders")), (5.0, 1.0));
    assert_eq!(history.now(Some("none")), (0.0, 0.0));
    let rates = history.rates(None);
    assert_eq!(rates.times.len(), 60);
    assert!(rates.served.iter().all(|r| (r - 4.0).abs() < 1e-9));
    assert!(rates.times.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn a_restarted_gateway_counts_from_zero() {
    let history = filled(10);
    history.add(START.after(EVERY * 10), &counted(20, 0));
    let (rate, refused) = history.now(None);
    assert!(rate >= 0.0 && refused >= 0.0);
}

#[test]
fn without_samples_nothing_moves() {
    let history = History::default();
    assert_eq!(history.now(None), (0.0, 0.0));
    assert_eq!(history.rates(None), Rates::default());
    assert_eq!(filled(1).rates(None), Rates::default());
}

#[test]
fn no_more_than_an_hour_is_kept() {
    let history = filled(2000);
    assert_eq!(history.0.lock().unwrap().len(), SAMPLES_MAX);
}
