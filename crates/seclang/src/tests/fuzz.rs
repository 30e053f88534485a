use std::path::Path;

use crate::Leniency;
use crate::fuzz_checks::{Target, look, rules};
use crate::regression::tests::{crs, crs_rules};

/// The files of a target's corpus.
fn corpus(target: Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fuzz");
    let entries = std::fs::read_dir(folder.join(target.name())).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

#[test]
fn fuzz_corpora_hold_also_damaged() {
    let rules = rules();
    for target in Target::ALL {
        testkit::fuzz(400, &corpus(target), target.words(), |input| {
            drop(look(target, &rules, input));
        });
    }
}

#[test]
fn the_checks_tell_inputs_apart() {
    let rules = rules();
    let ways: Vec<String> = Target::ALL
        .into_iter()
        .flat_map(|target| corpus(target).into_iter().map(move |input| (target, input)))
        .map(|(target, input)| look(target, &rules, &input))
        .collect();
    let different: std::collections::BTreeSet<&String> = ways.iter().collect();
    assert!(different.len() > 8, "{ways:?}");
    let all = ways.join("\n");
    for rule in [3, 4, 5, 6, 7, 8, 9, 10] {
        assert!(
            all.contains(&format!("{rule}")),
            "rule {rule} never matched: {all}"
        );
    }
}

/// Whole requests through all phases of the Core Rule Set.
#[test]
fn fuzz_requests_hold_against_the_core_rule_set() {
    let Some(folder) = crs() else {
        return;
    };
    let rules = crs_rules(&folder, Leniency::Strict);
    let target = Target::Requests;
    let (corpus, words) = (corpus(target), target.words());
    for input in &corpus {
        assert_ne!(
            look(target, &rules, input),
            "[] ",
            "{}",
            input.escape_ascii()
        );
    }
    testkit::fuzz(100, &corpus, words, |input| {
        drop(look(target, &rules, input));
    });
}
