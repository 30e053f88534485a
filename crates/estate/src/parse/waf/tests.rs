use ::model::{Diagnostic, Timestamp};
use testkit::small_estate as text;

use crate::model::Mode;
use crate::{Estate, RuleSource, WhenSpent, rule_folders};

fn good(route: &str, more: &str) -> Estate {
    let parsed = Estate::parse(&text(route, more));
    parsed.unwrap_or_else(|errors| panic!("{errors:#?}")).estate
}

fn bad(route: &str, more: &str) -> Vec<Diagnostic> {
    Estate::parse(&text(route, more)).unwrap_err()
}

const WAF: &str = "[waf]\nrules = [\"crs\", \"own/rules\"]\n";

#[test]
fn no_table_means_no_rules() {
    let estate = good("", "");
    assert_eq!((estate.waf, estate.routes[0].waf), (None, None));
}

#[test]
fn route_takes_what_the_table_says_unless_it_says_otherwise() {
    let table = "paranoia = 2\ninbound_threshold = 7\nmode = \"observe\"\n";
    let estate = good("", &format!("{WAF}{table}"));
    let waf = estate.waf.unwrap();
    let folder = |name: &str| RuleSource::Folder(name.to_owned());
    assert_eq!(waf.rules, [folder("crs"), folder("own/rules")]);
    let own = estate.routes[0].waf.unwrap();
    assert_eq!(own.mode, Mode::Observe);
    assert_eq!(own.tuning, waf.tuning);
    let route = "waf = { paranoia = 4, when_spent = \"pass\" }\nmode = { waf = \"block\" }";
    let own = good(route, &format!("{WAF}{table}")).routes[0].waf.unwrap();
    assert_eq!(own.mode, Mode::Block);
    assert_eq!(own.when_spent, WhenSpent::Pass);
    assert_eq!(
        (own.tuning.paranoia, own.tuning.inbound_threshold),
        (Some(4), Some(7))
    );
    // `mode` of the whole route is about these rules too.
    let observes = good("mode = \"observe\"", WAF).routes[0].waf.unwrap();
    assert_eq!(observes.mode, Mode::Observe);
    let named = good("mode = { limits = \"observe\" }", WAF).routes[0]
        .waf
        .unwrap();
    assert_eq!(named.mode, Mode::Block);
}

#[test]
fn the_rules_of_rampart_can_stand_alone_or_beside_others() {
    for (rules, expected) in [
        ("\"builtin\"", vec![RuleSource::Builtin]),
        (
            "[\"builtin\", \"crs\"]",
            vec![RuleSource::Builtin, RuleSource::Folder("crs".to_owned())],
        ),
    ] {
        let estate = good("", &format!("[waf]\nrules = {rules}\n"));
        assert_eq!(estate.waf.unwrap().rules, expected);
    }
}

/// What is wrong is said at its place, with what to do.
fn refused(route: &str, more: &str, said: &str) {
    let errors = bad(route, more);
    let found = errors.iter().find(|one| one.message.contains(said));
    let found = found.unwrap_or_else(|| panic!("{said}: {errors:#?}"));
    assert!(
        found.span.is_some() && found.hint.is_some() || said.contains("number"),
        "{found:?}"
    );
}

#[test]
fn table_that_cannot_be_meant_is_refused_with_what_to_do() {
    for (more, said) in [
        ("[waf]\n", "needs `rules`"),
        ("[waf]\nrules = []\n", "`rules` is empty"),
        ("[waf]\nrules = \"../crs\"\n", "no folder beside"),
        ("[waf]\nrules = \"/etc/crs\"\n", "no folder beside"),
        ("[waf]\nrules = [\"a\", \"a\"]\n", "named twice"),
    ] {
        refused("", more, said);
    }
    refused(
        "",
        &format!("{WAF}paranoia = 5\n"),
        "not a number from 1 to 4",
    );
    for route in ["waf = { paranoia = 1 }", "mode = { waf = \"block\" }"] {
        refused(route, "", "there is no `[waf]`");
    }
}

#[test]
fn exclusion_that_cannot_be_meant_is_refused_with_what_to_do() {
    let head = format!("{WAF}[[waf.exclusion]]\n");
    let days = "reason = \"r\"\nuntil = \"2027-01-01\"\n";
    for (keys, said) in [
        ("", "names no rule"),
        ("rule = 1\ntag = \"a\"", "either a `rule` or a `tag`"),
        ("rule = 1\nroute = \"gone\"", "there is no route `gone`"),
        ("tag = \"a,b\"", "not a tag"),
        ("rule = 1\nparameter = \"a;b\"", "no name that can"),
        ("rule = 1\ntarget = \"ARGS:a b\"", "not a target"),
        (
            "rule = 1\nparameter = \"a\"\ntarget = \"ARGS:a\"",
            "in two ways",
        ),
    ] {
        refused("", &format!("{head}{days}{keys}\n"), said);
    }
    let day = "rule = 1\nuntil = \"2027-02-30\"\nreason = \"r\"\n";
    refused("", &format!("{head}{day}"), "is not a day");
    refused("", &format!("{head}rule = 1\n"), "needs `until`");
}

#[test]
fn exclusion_ends_with_its_day_and_is_told_before_and_after() {
    let one = "[[waf.exclusion]]\nrule = 942100\nparameter = \"q\"\nroute = \"posts\"\n\
               reason = \"r\"\nuntil = \"2026-12-31\"\n";
    let estate = good("", &format!("{WAF}{one}"));
    let exclusion = &estate.waf.as_ref().unwrap().exclusions[0];
    assert_eq!(exclusion.targets, ["ARGS:q", "ARGS_GET:q", "ARGS_POST:q"]);
    let codes = |at: &str| -> Vec<String> {
        let at: Timestamp = at.parse().unwrap();
        let told = estate.ended_exclusions(at);
        told.iter().map(|one| one.code.to_string()).collect()
    };
    assert_eq!(codes("2026-12-01T00:00:00Z"), Vec::<String>::new());
    assert_eq!(
        codes("2026-12-31T23:59:59Z"),
        ["estate.exclusion_ends_soon"]
    );
    assert_eq!(codes("2027-01-01T00:00:00Z"), ["estate.exclusion_ended"]);
}

#[test]
fn folders_are_known_of_a_text_that_has_errors() {
    let broken = text("paths = \"x\"", WAF);
    assert!(Estate::parse(&broken).is_err());
    let folders: Vec<String> = rule_folders(&broken).into_iter().map(|one| one.0).collect();
    assert_eq!(folders, ["crs", "own/rules"]);
}

#[test]
fn change_of_an_exclusion_is_a_line_of_its_own() {
    let with = |until: &str| {
        let one = format!("[[waf.exclusion]]\nrule = 1\nreason = \"r\"\nuntil = \"{until}\"\n");
        good("", &format!("{WAF}{one}"))
    };
    let changes = crate::diff(&with("2027-01-01"), &with("2027-02-01"));
    let lines: Vec<(&str, &str)> = changes
        .iter()
        .map(|one| (one.what.as_str(), one.effect.as_str()))
        .collect();
    assert_eq!(
        lines,
        [(
            "exclusion of `rule 1`",
            "rules do not look there until 2027-02-01"
        )]
    );
}
