use std::collections::BTreeMap;

use testkit::FakeClock;

use super::super::member::{Endpoint, hash_of};
use super::super::ticks::ticks;
use super::*;

fn members(count: u16) -> Vec<Arc<Member>> {
    let one = |port| {
        let address = std::net::SocketAddr::from(([10, 0, 0, 1], 8000 + port));
        Member::new(Endpoint::Tcp(address), 1)
    };
    (0..count).map(one).collect()
}

/// Chooses `count` times, one after the other, and gives each choice to `then`.
fn choose(
    members: &[Arc<Member>],
    clock: &FakeClock,
    slow_start: Option<Duration>,
    key: impl Fn(u64) -> Option<u64>,
    count: u64,
) -> Vec<Chosen> {
    (0..count)
        .map(|turn| {
            let now = Now::of(clock);
            let choice = Choice {
                members,
                worker: 0,
                tried: &[],
                key: key(turn),
                turn,
                slow_start,
                room: None,
                patience: 1000,
                now: &now,
            };
            choice.best()
        })
        .collect()
}

fn counts(chosen: &[Chosen]) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    for chosen in chosen {
        let Chosen::Place(place) = chosen else {
            panic!("{chosen:?}")
        };
        *counts.entry(*place).or_insert(0) += 1;
    }
    counts
}

#[test]
fn idle_addresses_share_alike_and_a_busy_one_gets_nothing() {
    let (members, clock) = (members(4), FakeClock::new());
    let chosen = choose(&members, &clock, None, |_| None, 400);
    assert_eq!(
        counts(&chosen).values().copied().collect::<Vec<_>>(),
        [100; 4]
    );
    members[2].under_way.add(0);
    let chosen = choose(&members, &clock, None, |_| None, 300);
    assert!(!counts(&chosen).contains_key(&2));
}

#[test]
fn of_many_addresses_the_better_of_two_is_taken_and_none_is_forgotten() {
    let (members, clock) = (members(100), FakeClock::new());
    for member in &members[..50] {
        for _ in 0..10 {
            member.under_way.add(0);
        }
    }
    let counts = counts(&choose(&members, &clock, None, |_| None, 20_000));
    let busy: usize = counts.range(..50).map(|(_, count)| count).sum();
    // Both draws are busy once in four.
    assert!((4_000..6_000).contains(&busy), "{busy}");
    assert!(counts.range(50..).count() == 50, "every idle one is used");
    let most = counts.values().max().unwrap();
    assert!(*most < 600, "{most}");
}

#[test]
fn ejected_addresses_get_nothing_and_without_another_the_choice_says_so() {
    let (members, clock) = (members(3), FakeClock::new());
    let now = ticks(&clock);
    let (ten, minute) = (Duration::from_secs(10), Duration::from_secs(60));
    members[0].eject(now, ten, minute);
    assert_eq!(
        counts(&choose(&members, &clock, None, |_| None, 30)).len(),
        2
    );
    members[1].eject(now, ten, minute);
    members[2].eject(now, ten, minute);
    assert_eq!(
        choose(&members, &clock, None, |_| None, 1),
        [Chosen::NoneWell]
    );
    // When the time is over each gets one request to see, and no second.
    clock.advance(ten);
    let chosen = choose(&members, &clock, None, |_| None, 4);
    assert_eq!(counts(&chosen[..3]).len(), 3);
    assert_eq!(chosen[3], Chosen::NoneWell);
}

#[test]
fn an_address_that_leaves_moves_only_what_was_its_own() {
    const KEYS: u64 = 10_000;
    let (members, clock) = (members(10), FakeClock::new());
    let key = |turn: u64| Some(hash_of(&turn.to_be_bytes()));
    let before = choose(&members, &clock, None, key, KEYS);
    for (place, count) in counts(&before) {
        assert!((800..1200).contains(&count), "{place}: {count}");
    }
    let address = |members: &[Arc<Member>], chosen: &Chosen| match chosen {
        Chosen::Place(place) => members[*place].endpoint.clone(),
        other => panic!("{other:?}"),
    };
    let fewer: Vec<_> = members.iter().take(9).cloned().collect();
    let after = choose(&fewer, &clock, None, key, KEYS);
    let gone = &members[9].endpoint;
    let mut moved = 0;
    for (before, after) in before.iter().zip(&after) {
        let (before, after) = (address(&members, before), address(&fewer, after));
        if before == after {
            continue;
        }
        assert_eq!(before, *gone, "only its own keys move");
        moved += 1;
    }
    assert_eq!(
        moved,
        counts(&choose(&members, &clock, None, key, KEYS))[&9]
    );
    // And nothing depends on the order in which addresses are listed.
    let mut turned = members.clone();
    turned.reverse();
    let again = choose(&turned, &clock, None, key, KEYS);
    for (one, other) in before.iter().zip(&again) {
        assert_eq!(address(&members, one), address(&turned, other));
    }
}

#[test]
fn one_key_alone_does_not_fill_one_address() {
    let (members, clock) = (members(4), FakeClock::new());
    for _ in 0..100 {
        let chosen = choose(&members, &clock, None, |_| Some(7), 1);
        let [Chosen::Place(place)] = chosen[..] else {
            panic!("{chosen:?}")
        };
        members[place].under_way.add(0);
    }
    let most = members.iter().map(|one| one.under_way.load(0)).max();
    // A quarter more than the average of 25, rounded up.
    assert!(most <= Some(32), "{most:?}");
}

#[test]
fn an_address_that_came_gets_its_share_gradually() {
    let slow = Some(Duration::from_secs(100));
    for key in [None, Some(())] {
        let (members, clock) = (members(4), FakeClock::new());
        members[0].rise_from(ticks(&clock));
        clock.advance(Duration::from_secs(20));
        let by = |turn: u64| key.map(|()| hash_of(&turn.to_be_bytes()));
        let some = counts(&choose(&members, &clock, slow, by, 4000))[&0];
        clock.advance(Duration::from_secs(40));
        let more = counts(&choose(&members, &clock, slow, by, 4000))[&0];
        clock.advance(Duration::from_secs(40));
        let whole = counts(&choose(&members, &clock, slow, by, 4000))[&0];
        assert!((100..350).contains(&some), "a fifth of a quarter: {some}");
        assert!((450..800).contains(&more), "three fifths: {more}");
        assert!((900..1100).contains(&whole), "{whole}");
    }
}

#[test]
fn addresses_that_all_came_at_once_take_everything() {
    let (members, clock) = (members(2), FakeClock::new());
    members.iter().for_each(|one| one.rise_from(ticks(&clock)));
    let slow = Some(Duration::from_secs(100));
    let counts = counts(&choose(&members, &clock, slow, |_| None, 1000));
    assert_eq!(counts.values().sum::<usize>(), 1000);
}
