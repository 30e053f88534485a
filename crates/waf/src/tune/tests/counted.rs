//! What is counted from records is what the engine says of the same request with the exclusions in
//! its rules.

use std::collections::BTreeMap;

use super::{estate, seen, texts};
use crate::tests::crs;
use crate::tune::{Except, Outcome, outcome};
use crate::{Known, Sets};

/// Exclusions, each set of them for a route of its own.
const EXCLUSIONS: &[&[&str]] = &[
    &[],
    &["rule = 12"],
    &["rule = 12\nparameter = \"a\""],
    &[
        "rule = 12\nparameter = \"a\"",
        "rule = 12\nparameter = \"b\"",
    ],
    &["rule = 12\ntarget = \"ARGS:a\"", "rule = 13"],
    &["rule = 12\ntarget = \"ARGS\""],
    &["tag = \"plain\""],
    &["tag = \"plain\"\nparameter = \"b\""],
    &["rule = 13"],
    &["rule = 15\nparameter = \"a\""],
    &["rule = 15"],
    &["rule = 17\nparameter = \"a\""],
    &["rule = 21\nparameter = \"A\""],
    &["rule = 12\nparameter = \"json.x[0]-y\"", "rule = 21"],
];

const QUERIES: &[&str] = &[
    "a=evil",
    "b=evil",
    "a=evil&b=evil",
    "a=evil&a=evil",
    "a=evil odd",
    "a=evil&b=odd&c=odd",
    "a=xy",
    "a=xz&b=xy",
    "a=stop",
    "a=stop&b=stop",
    "a=m1",
    "a=deep evil",
    "json.x[0]-y=evil",
    "json.x[0]-y=evil&a=m2",
    "a=evil&b=m1&c=odd",
];

struct Routes {
    estate: estate::Estate,
    names: Vec<String>,
}

impl Routes {
    fn new(rules: &str, exclusions: &[Vec<String>]) -> Self {
        let names: Vec<String> = (0..exclusions.len()).map(|n| format!("r{n}")).collect();
        let mut more = String::new();
        for (route, own) in names.iter().zip(exclusions) {
            for one in own {
                more.push_str(&format!(
                    "[[waf.exclusion]]\n{one}\nroute = \"{route}\"\nreason = \"r\"\nuntil = \"2027-01-01\"\n"
                ));
            }
        }
        let routes: Vec<&str> = names.iter().map(String::as_str).collect();
        Self {
            estate: estate(rules, &routes, &more),
            names,
        }
    }

    /// Asks everything on a route without exclusions, and with each set of them; how often something
    /// would have passed.
    fn check(&self, texts: &BTreeMap<String, String>, queries: &[String]) -> usize {
        let waf = self.estate.waf.as_ref().unwrap();
        let known = Known::load(waf, texts, &crate::Shelf::keeping(0)).unwrap();
        let sets = Sets::load(&self.estate, texts, &crate::Shelf::keeping(0)).unwrap();
        let rules = sets.of(&self.estate.routes[0]).unwrap();
        let mut passes = 0;
        for query in queries {
            let query = query.replace(' ', "%20");
            let Some(recorded) = seen(&rules, "posts", &query) else {
                panic!("{query} is not refused");
            };
            for name in &self.names {
                let own = waf.exclusions.iter();
                let own: Vec<Except> = own
                    .filter(|one| one.route.as_deref() == Some(name))
                    .map(Except::from)
                    .collect();
                let mut recorded = recorded.clone();
                recorded.route.clone_from(name);
                let told = outcome(&recorded, &own.iter(), &known);
                let really = seen(&rules, name, &query);
                match told {
                    Outcome::Passes => {
                        passes += 1;
                        assert!(really.is_none(), "{query} {own:?} {really:#?}");
                    }
                    Outcome::Refused => assert!(really.is_some(), "{query} {own:?}"),
                    Outcome::NotHere(_) => {
                        let by = really.and_then(|one| one.decision).map(|one| one.rule);
                        let was = recorded.decision.map(|one| one.rule);
                        assert_ne!(by, was, "{query} {own:?}");
                    }
                    Outcome::Unknown => panic!("{query} {own:?}"),
                }
            }
        }
        passes
    }
}

#[test]
fn counted_outcome_is_what_the_engine_says() {
    let exclusions: Vec<Vec<String>> = EXCLUSIONS
        .iter()
        .map(|own| own.iter().map(|one| (*one).to_owned()).collect())
        .collect();
    let routes = Routes::new("\"mine\"", &exclusions);
    let queries: Vec<String> = QUERIES.iter().map(|one| (*one).to_owned()).collect();
    let passes = routes.check(&texts(), &queries);
    assert!(passes > 40, "{passes}");
}

/// What was met of these, excepted one by one and all together.
fn each_and_all(rules: &crate::Ruleset, queries: &[String]) -> Vec<Vec<String>> {
    let mut sets: Vec<Vec<String>> = vec![Vec::new()];
    for query in queries {
        let Some(seen) = seen(rules, "posts", &query.replace(' ', "%20")) else {
            continue;
        };
        let mut all = Vec::new();
        for one in seen.reasons() {
            for place in one.places.iter().filter(|place| estate::can_except(place)) {
                all.push(format!("rule = {}\ntarget = \"{place}\"", one.id));
            }
        }
        sets.extend(all.iter().map(|one| vec![one.clone()]));
        sets.push(all);
    }
    sets.sort();
    sets.dedup();
    sets
}

const ATTACKS: &[&str] = &[
    "id=1' UNION SELECT password FROM users-- -",
    "comment=1' or '1'='1",
    "q=<script>alert(document.cookie)</script>",
    "file=../../../../etc/passwd",
    "cmd=;cat /etc/passwd",
    "a=1' or 1=1-- -&b=<script>alert(1)</script>",
    "url=http://169.254.169.254/latest/meta-data/",
];

#[test]
fn it_is_so_for_the_rules_of_rampart() {
    let plain = estate("\"builtin\"", &[], "");
    let sets = Sets::load(&plain, &BTreeMap::new(), &crate::Shelf::keeping(0)).unwrap();
    let rules = sets.of(&plain.routes[0]).unwrap();
    let queries: Vec<String> = ATTACKS.iter().map(|one| (*one).to_owned()).collect();
    let sets = each_and_all(&rules, &queries);
    let passes = Routes::new("\"builtin\"", &sets).check(&BTreeMap::new(), &queries);
    assert!(passes >= queries.len(), "{passes}");
}

#[test]
fn it_is_so_for_the_core_rule_set() {
    let Some(folder) = crs::folder() else {
        return;
    };
    let texts = crs::texts(&folder);
    let plain = estate("\"crs\"", &[], "paranoia = 1");
    let sets = Sets::load(&plain, &texts, &crate::Shelf::keeping(0)).unwrap();
    let rules = sets.of(&plain.routes[0]).unwrap();
    let queries: Vec<String> = ATTACKS.iter().map(|one| (*one).to_owned()).collect();
    let sets = each_and_all(&rules, &queries);
    let passes = Routes::new("\"crs\"\nparanoia = 1", &sets).check(&texts, &queries);
    assert!(passes >= queries.len(), "{passes}");
}
