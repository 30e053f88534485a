use proptest::prelude::*;

use super::*;

fn after(requests: &Shards, count: u64) {
    (0..count).for_each(|_| requests.add(0));
}

fn taken(budget: &Budget, requests: &Shards, now: u64, tries: u64) -> u64 {
    let mut taken = 0;
    for _ in 0..tries {
        taken += u64::from(budget.take(requests, now));
    }
    taken
}

#[test]
fn a_quiet_service_has_ten_and_a_busy_one_its_share_beside_them() {
    let (budget, requests) = (Budget::new(20), Shards::new(1));
    budget.turn(&requests, 60_000);
    assert_eq!(taken(&budget, &requests, 60_000, 100), 10);
    after(&requests, 1000);
    assert_eq!(budget.left(&requests, 60_500), 200);
    assert_eq!(taken(&budget, &requests, 60_500, 1000), 200);
    // Ten seconds later neither the requests nor the retries count any more.
    for second in 61..=70 {
        budget.turn(&requests, second * 1000);
    }
    assert_eq!(budget.left(&requests, 70_000), 10);
}

#[test]
fn a_busy_hour_saves_nothing_for_a_storm() {
    let (budget, requests) = (Budget::new(20), Shards::new(1));
    for second in 1..=3600 {
        after(&requests, 100);
        budget.turn(&requests, second * 1000);
    }
    // Of nine whole seconds at least, and of ten at most.
    let left = budget.left(&requests, 3_600_000);
    assert!((10 + 180..=10 + 200).contains(&left), "{left}");
}

proptest! {
    #[test]
    fn retries_of_ten_seconds_are_never_more_than_the_share_and_ten(
        steps in prop::collection::vec((0_u64..50, 0_u64..50, 0_u64..3000), 1..200),
        share in 1_u8..=100,
    ) {
        let (budget, requests) = (Budget::new(share), Shards::new(1));
        let mut now = 100_000;
        budget.turn(&requests, now);
        let mut log: Vec<(u64, u64, u64)> = Vec::new();
        for (asked, retried, gone) in steps {
            // The keeper turns it each second.
            for second in (now / 1000 + 1)..=((now + gone) / 1000) {
                budget.turn(&requests, second * 1000);
            }
            now += gone;
            after(&requests, asked);
            let taken = taken(&budget, &requests, now, retried);
            log.push((now, asked, taken));
            let seconds = |at: u64| now / 1000 - at / 1000 < 10;
            let within = || log.iter().filter(|(at, ..)| seconds(*at));
            let asked: u64 = within().map(|(_, asked, _)| asked).sum();
            let taken: u64 = within().map(|(_, _, taken)| taken).sum();
            // What was taken earlier may be more than what later, quieter seconds would allow.
            let is_news = log.last().is_some_and(|(_, _, taken)| *taken > 0);
            let allowed = 10 + asked * u64::from(share) / 100;
            prop_assert!(!is_news || taken <= allowed, "{} of {}", taken, allowed);
        }
    }
}
