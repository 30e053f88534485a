use std::path::Path;

use crate::fuzz_checks::{Target, look, rules};

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
