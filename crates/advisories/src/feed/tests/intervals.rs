//! Events as intervals.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::super::intervals::{End, Order, intervals};
use crate::{Ecosystem, Event, Version};

fn events(text: &str) -> Vec<Event> {
    let event = |word: &str| {
        let (kind, version) = word.split_at(1);
        let version = version.to_owned();
        match kind {
            "i" => Event::Introduced(version),
            "f" => Event::Fixed(version),
            "l" => Event::LastAffected(version),
            _ => Event::Limit(version),
        }
    };
    text.split_whitespace().map(event).collect()
}

fn shape(text: &str) -> String {
    let events = events(text);
    let found = intervals(Order::SemVer, &events).unwrap();
    let shapes = found.iter().map(|one| {
        let from = one.from.unwrap_or("");
        match one.end {
            End::Open => format!("[{from} .."),
            End::Fixed(to) => format!("[{from} {to})"),
            End::Last(to) => format!("[{from} {to}]"),
            End::Limit(to) => format!("[{from} {to}!"),
        }
    });
    shapes.collect::<Vec<_>>().join(" ")
}

#[test]
fn events_are_sorted_and_paired() {
    for (events, expected) in [
        ("i0", "[ .."),
        ("i0 f1.0.0", "[ 1.0.0)"),
        ("f1.0.0 i0", "[ 1.0.0)"),
        ("i1.0.0 f1.0.5 i2.0.0 l2.3.0", "[1.0.0 1.0.5) [2.0.0 2.3.0]"),
        ("i1.0.0 i1.1.0 f1.2.0", "[1.0.0 1.2.0)"),
        ("i1.0.0 f1.2.0 f1.3.0", "[1.0.0 1.2.0)"),
        // A beginning and an end at one version.
        ("i1.0.0 f1.0.0", ""),
        ("i0 f0", ""),
        ("i1.0.0 l1.0.0", "[1.0.0 1.0.0]"),
        ("i0 f1.0.0 i1.0.0", "[ .."),
        ("i0 f1.0.0 i1.0.0 f2.0.0", "[ 2.0.0)"),
        // Limits.
        ("i0 L2.0.0", "[ 2.0.0!"),
        ("i0 L2.0.0 L3.0.0", "[ 3.0.0!"),
        ("i0 L*", "[ .."),
        ("i0 f1.0.0 i3.0.0 L2.0.0", "[ 1.0.0)"),
        ("i0 l5.0.0 L2.0.0", "[ 2.0.0!"),
        ("i0 l1.0.0 L1.0.0", "[ 1.0.0!"),
        ("i0 f2.0.0 L2.0.0", "[ 2.0.0)"),
    ] {
        assert_eq!(shape(events), expected, "{events}");
    }
}

#[test]
fn an_event_that_is_no_version_is_an_error() {
    assert!(intervals(Order::SemVer, &events("i0 fone")).is_err());
    assert!(intervals(Order::Ecosystem(Ecosystem::Debian), &events("i0 f1_0")).is_err());
    // By the older rule this fix comes before `1.0`, which would not be affected.
    assert!(intervals(Order::Ecosystem(Ecosystem::PyPi), &events("i0 f2004d")).is_err());
}

/// The schema's own evaluation, event by event in the order of versions.
fn by_the_schema(events: &[Event], version: &str) -> bool {
    let read = |text: &str| {
        Version::parse_semver(if text == "0" { "0.0.0-0" } else { text }.to_owned().leak()).unwrap()
    };
    let mut sorted: Vec<&Event> = events.iter().collect();
    let place = |event: &Event| match event {
        Event::Introduced(text)
        | Event::Fixed(text)
        | Event::LastAffected(text)
        | Event::Limit(text) => read(text),
    };
    sorted.sort_by(|a, b| place(a).compare(&place(b)).unwrap());
    let own = read(version);
    let limits: Vec<&&Event> = sorted
        .iter()
        .filter(|event| matches!(event, Event::Limit(_)))
        .collect();
    if !limits.is_empty()
        && !limits
            .iter()
            .any(|limit| own.compare(&place(limit)) == Ok(Ordering::Less))
    {
        return false;
    }
    let mut vulnerable = false;
    for event in &sorted {
        let order = own.compare(&place(event)).unwrap();
        match event {
            Event::Introduced(_) if order != Ordering::Less => vulnerable = true,
            Event::Fixed(_) if order != Ordering::Less => vulnerable = false,
            Event::LastAffected(_) if order == Ordering::Greater => vulnerable = false,
            _ => {}
        }
    }
    vulnerable
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Where no two events stand at one version, of which the schema says nothing.
    #[test]
    fn intervals_say_what_the_schemas_evaluation_says(
        kinds in prop::collection::vec(0..9_u8, 1..8),
        numbers in Just((1..12_u8).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let mut all = vec![Event::Introduced("0".to_owned())];
        for (kind, number) in kinds.iter().zip(&numbers) {
            let version = format!("{number}.0.0");
            all.push(match kind {
                0..=3 => Event::Introduced(version),
                4..=5 => Event::Fixed(version),
                6..=7 => Event::LastAffected(version),
                _ => Event::Limit(version),
            });
        }
        if kinds.len() % 2 == 0 {
            all.remove(0);
        }
        let found = intervals(Order::SemVer, &all).unwrap();
        for number in 0..13 {
            for version in [format!("{number}.0.0-a"), format!("{number}.0.0"), format!("{number}.5.0")] {
                let own = Version::parse_semver(&version).unwrap();
                let held = found.iter().any(|one| one.holds(Order::SemVer, &own).unwrap());
                prop_assert_eq!(held, by_the_schema(&all, &version), "{} in {:?}: {:?}", version, all, found);
            }
        }
    }
}
