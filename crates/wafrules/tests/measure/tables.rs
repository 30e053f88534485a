//! The pack's own tests.

use std::collections::BTreeMap;

use seclang::regression::{parse_table, run_case, wire};

use crate::sent::send;
use crate::{folder, load};

/// Says which of them fail, and which rules have too few.
pub(crate) fn check(only: Option<&str>) {
    let rules = load(4, "SecRuleEngine DetectionOnly\n");
    let first = load(1, "");
    let (mut passed, mut failed) = (0, 0);
    let mut counts: BTreeMap<u64, [usize; 2]> = BTreeMap::new();
    for rule in rules.rules() {
        let file = rule.place.file.to_string();
        if !file.starts_with("rampart-") && file != "setting" && rule.id % 10_000 < 9_000 {
            counts.insert(rule.id, [0, 0]);
        }
    }
    for (name, _) in wafrules::tables() {
        if only.is_some_and(|only| !name.contains(only)) {
            continue;
        }
        let text = std::fs::read_to_string(folder().join("tests").join(name)).unwrap();
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("+ ") || line.starts_with("- "))
            .collect();
        for (case, line) in parse_table(name, &text).unwrap().iter().zip(lines) {
            let found = line.starts_with('+');
            let id: u64 = case.name.split('-').next().unwrap().parse().unwrap();
            counts.entry(id).or_default()[usize::from(!found)] += 1;
            let outcome = run_case(&rules, case);
            let mut bad = !outcome.passed();
            let mut why = format!("{:?}", outcome.stages[0].ids);
            if !found {
                let seen = send(&first, &wire(&case.stages[0].input));
                if !seen.rules.is_empty() {
                    bad = true;
                    why = format!("at level 1: {:?}", seen.rules);
                }
            }
            if bad {
                failed += 1;
                println!("{}: {line}\n     {why}", case.name);
            } else {
                passed += 1;
            }
        }
    }
    for (id, [plus, minus]) in &counts {
        if only.is_none() && (*plus < 3 || *minus < 3) {
            println!("{id}: {plus} positive, {minus} negative");
        }
    }
    println!("{passed} passed, {failed} failed");
}
