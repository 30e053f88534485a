//! That each family's order is one: no two versions disagree, no three go round in a circle.

use std::cmp::Ordering;

use proptest::prelude::*;

use crate::{Ecosystem, Version};

/// Ecosystems of every family, with texts from which their versions are made.
pub(super) const ALPHABETS: &[(Ecosystem, &[&str])] = &[
    (
        Ecosystem::Alpine,
        &[
            "0", "1", "01", "10", ".", ".0", ".1", "a", "b", "p", "_alpha", "_rc1", "_p", "_git2",
            "~a1", "-r", "-r0", "-r1", "_pre", "_p1",
        ],
    ),
    (Ecosystem::Cran, &["0", "1", "01", "10", ".", "-"]),
    (
        Ecosystem::Debian,
        &[
            "0", "1", "10", ".", "-", "~", "+", ":", "a", "b", "~~", "00", "deb",
        ],
    ),
    (Ecosystem::Hackage, &["0", "1", "01", "10", "."]),
    (
        Ecosystem::Maven,
        &[
            "0", "1", "10", ".", "-", "a", "alpha", "rc", "cr", "ga", "final", "sp", "snapshot",
            "x", "X", "b1", ".0", "-0", "_", "1.", "release", "m",
        ],
    ),
    (
        Ecosystem::NuGet,
        &[
            "0", "1", "10", ".", "-", "a", "B", "b", "+", "beta", "-1", "01",
        ],
    ),
    (
        Ecosystem::Packagist,
        &[
            "0", "1", "10", ".", "-", "_", "+", "v", "dev", "alpha", "b", "RC", "pl", "p", "beta",
        ],
    ),
    (
        Ecosystem::Pub,
        &["0", "1", "10", ".", "-", "+", "a", "b", "1.0.0", "01"],
    ),
    (
        Ecosystem::PyPi,
        &[
            "0",
            "1",
            "10",
            ".",
            "-",
            "a",
            "b2",
            "rc1",
            ".post1",
            ".dev1",
            "+",
            "local",
            "!",
            "_",
            "dev",
            "final",
            "x",
            "00000000",
            "000000000",
            "c",
            "123456789",
            "-1",
            "pre",
        ],
    ),
    (
        Ecosystem::RedHat,
        &[
            "0", "1", "10", ".", "-", "~", "^", ":", "a", "b", "el7", "_", "00",
        ],
    ),
    (
        Ecosystem::RubyGems,
        &["0", "1", "10", ".", "-", "a", "B", "rc", "pre", ".0", "00"],
    ),
    (
        Ecosystem::Npm,
        &[
            "0", "1", "10", ".", "-", "+", "a", "B", "v", "1.0.0", "-a", ".0",
        ],
    ),
];

fn versions(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(pieces), 1..7).prop_map(|parts| parts.concat())
}

/// Three versions made of an alphabet; the second and third continue or change the first half of
/// the time, so that they are close.
fn triple() -> impl Strategy<Value = (Ecosystem, [String; 3])> {
    prop::sample::select(ALPHABETS).prop_flat_map(|(ecosystem, pieces)| {
        let one = || versions(pieces);
        (Just(ecosystem), one(), one(), one(), 0..4_u8).prop_map(
            |(ecosystem, stem, second, third, how)| {
                let texts = match how {
                    0 => [stem, second, third],
                    1 => [
                        stem.clone(),
                        format!("{stem}{second}"),
                        format!("{stem}{third}"),
                    ],
                    2 => [
                        format!("1.{stem}"),
                        format!("1.{second}"),
                        format!("1.{third}"),
                    ],
                    _ => [
                        format!("1{stem}"),
                        format!("1{second}"),
                        format!("1{stem}{third}"),
                    ],
                };
                (ecosystem, texts)
            },
        )
    })
}

/// As many as a run is told.
fn rounds(usual: u32) -> u32 {
    let told = testkit::told("RAMPART_FUZZ_ROUNDS");
    told.and_then(|told| u32::try_from(told).ok())
        .unwrap_or(usual)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: rounds(8_000), max_global_rejects: 2_000_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_family_has_a_total_order((ecosystem, texts) in triple()) {
        let parsed: Vec<Version<'_>> = texts
            .iter()
            .filter_map(|text| Version::parse(ecosystem, text).ok())
            .collect();
        let order = |a: &Version<'_>, b: &Version<'_>| a.compare(b).unwrap();
        for a in &parsed {
            prop_assert_eq!(order(a, a), Ordering::Equal, "{:?}", a);
            for b in &parsed {
                prop_assert_eq!(order(a, b), order(b, a).reverse(), "{:?} {:?}", a, b);
                for c in &parsed {
                    if order(a, b) != Ordering::Greater && order(b, c) != Ordering::Greater {
                        let strict = order(a, b).min(order(b, c)) == Ordering::Less;
                        let end = order(a, c);
                        prop_assert!(
                            if strict { end == Ordering::Less } else { end == Ordering::Equal },
                            "{:?} {:?} {:?}: {:?} {:?} but {:?}",
                            a, b, c, order(a, b), order(b, c), end
                        );
                    }
                }
            }
        }
    }
}
