mod surface;

use super::*;
use crate::error::Error;
use crate::files::{Files, NoFiles};
use crate::place::{Finding, Weight};

fn load(text: &str, leniency: Leniency) -> Result<Loaded, Error> {
    let mut loader = Loader::new(&NoFiles, leniency);
    loader.text("a.conf", text.as_bytes());
    loader.finish()
}

fn strict(text: &str) -> Loaded {
    load(text, Leniency::Strict).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> Vec<Finding> {
    match load(text, Leniency::Strict) {
        Err(Error::Rules { findings }) => findings,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("loaded: {text}"),
    }
}

fn ids(rules: &Ruleset) -> Vec<u64> {
    rules.rules().map(|rule| rule.id).collect()
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    let text = "SecRuleEngine On\n\nSecRul ARGS x\nSecRule ARGS \"@rx (\" \\\n  \"id:1,phase:2,pass\"\nSecRule ARGS a \"id:2,foo\"\n";
    let found = refused(text);
    let places: Vec<String> = found
        .iter()
        .map(|finding| finding.place.to_string())
        .collect();
    assert_eq!(places, ["a.conf:3", "a.conf:4", "a.conf:6"]);
    assert_eq!(found[0].hint, "did you mean `SecRule`?");
    assert!(found.iter().all(|finding| finding.weight == Weight::Error));
}

#[test]
fn a_lenient_load_lists_what_it_left_out() {
    let text = "SecRule ARGS a \"id:1,pass\"\nSecRule ARGS \"@rbl x\" \"id:2,pass\"\nSecRule ARGS a \"id:3,pass\"\n";
    let loaded = load(text, Leniency::Lenient).unwrap();
    assert_eq!(ids(&loaded.rules), [1, 3]);
    assert_eq!(loaded.findings.len(), 1);
    assert_eq!(loaded.findings[0].place.line, 2);
}

#[test]
fn half_a_chain_is_never_kept() {
    let broken = [
        "SecRule ARGS \"@rbl x\" \"id:1,pass,chain\"\nSecRule ARGS a\nSecAction \"id:9,pass\"",
        "SecRule ARGS a \"id:1,pass,chain\"\nSecRule ARGS \"@rbl x\"\nSecAction \"id:9,pass\"",
        "SecRule ARGS a \"id:1,pass,chain\"\nSecRule ARGS \"@rbl x\" \"chain\"\nSecRule ARGS b\nSecAction \"id:9,pass\"",
        "SecRule ARGS a \"id:1,pass,chain\"\nSecMarker X\nSecAction \"id:9,pass\"",
        "SecRule ARGS a \"id:1,pass,chain\"\nSecRule ARGS b \"id:2\"\nSecAction \"id:9,pass\"",
    ];
    for text in broken {
        assert_eq!(
            ids(&load(text, Leniency::Lenient).unwrap().rules),
            [9],
            "{text}"
        );
        assert!(!refused(text).is_empty());
    }
    assert!(
        refused("SecRule ARGS a \"id:1,pass,chain\"")[0]
            .message
            .contains("does not end")
    );
}

#[test]
fn rules_need_an_id_of_their_own() {
    assert!(
        refused("SecRule ARGS a \"pass\"")[0]
            .message
            .contains("`id`")
    );
    let found = refused("SecAction \"id:1,pass\"\nSecAction \"id:1,pass\"");
    assert_eq!(
        found[0].message,
        "the id `1` is taken by the rule at a.conf:1"
    );
}

#[test]
fn a_skip_needs_a_marker_that_follows() {
    strict("SecAction \"id:1,pass,skipAfter:X\"\nSecMarker \"X\"");
    assert!(
        refused("SecMarker X\nSecAction \"id:1,pass,skipAfter:X\"")[0]
            .message
            .contains("no marker `X`")
    );
}

#[test]
fn what_has_no_effect_is_noted() {
    let loaded = strict("SecAuditLog /var/log/x\nSecAction \"id:1,pass,ctl:auditEngine=Off\"");
    let notes: Vec<String> = loaded.findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "a.conf:1: `SecAuditLog` has no effect here",
            "a.conf:2: `auditEngine` has no effect here"
        ]
    );
}

#[test]
fn directives_that_rules_rely_on_are_refused_when_unsupported() {
    for text in [
        "SecGeoLookupDb x",
        "SecRuleScript x",
        "SecRemoteRules a b",
        "SecCookieFormat 1",
        "SecRuleEngine Maybe",
        "SecRequestBodyLimit x",
        "SecRequestBodyLimitAction Ignore",
        "Include x.conf",
        "SecUnicodeMapFile x 1",
        "SecDefaultAction \"pass\"",
        "SecDefaultAction \"phase:1,log\"",
        "SecDefaultAction \"phase:1,pass,t:none\"",
        "SecRule !ARGS x \"id:1,pass\"",
        "SecRule ARGS",
        "SecAction \"id:1\" x",
    ] {
        assert!(!refused(text).is_empty(), "{text}");
    }
}

#[test]
fn settings_are_kept() {
    let loaded = strict(
        "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\nSecRequestBodyLimit 1000\nSecResponseBodyMimeType text/a Text/B\n\
         SecArgumentSeparator ;\nSecRequestBodyJsonDepthLimit 3",
    );
    let settings = loaded.rules.settings();
    assert_eq!(settings.engine, crate::EngineMode::DetectionOnly);
    assert!(settings.request_body_access.is_on());
    assert_eq!(settings.request_body_limit_bytes, 1000);
    assert_eq!(
        settings.response_body_types,
        [b"text/a".to_vec(), b"text/b".to_vec()]
    );
    assert_eq!(
        (settings.argument_separator, settings.depth_limit),
        (b';', 3)
    );
}

#[test]
fn rules_are_removed_by_id_tag_and_message() {
    let rules = "SecRule ARGS a \"id:1,pass,tag:t,msg:'m'\"\nSecRule ARGS a \"id:2,pass,tag:u,msg:'n'\"\nSecRule ARGS a \"id:30,pass\"\n";
    let left = |update: &str| ids(&strict(&format!("{rules}{update}")).rules);
    assert_eq!(left("SecRuleRemoveById 1"), [2, 30]);
    assert_eq!(left("SecRuleRemoveById 1-2 30"), [] as [u64; 0]);
    assert_eq!(left("SecRuleRemoveById \"2\" 99"), [1, 30]);
    assert_eq!(left("SecRuleRemoveByTag t"), [2, 30]);
    assert_eq!(left("SecRuleRemoveByMsg n"), [1, 30]);
}

#[test]
fn targets_are_updated_and_exclusions_folded() {
    let rules = "SecRule ARGS|REQUEST_COOKIES a \"id:1,pass,tag:t\"\n";
    let shown = |update: &str| {
        let loaded = strict(&format!("{rules}{update}"));
        let targets = loaded.rules.rules[0].targets.iter();
        targets
            .map(|target| format!("{}-{}", target.variable.name(), target.exclude.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(shown(""), ["ARGS-0", "REQUEST_COOKIES-0"]);
    assert_eq!(
        shown("SecRuleUpdateTargetById 1 \"!ARGS:token\""),
        ["ARGS-1", "REQUEST_COOKIES-0"]
    );
    assert_eq!(
        shown("SecRuleUpdateTargetByTag t \"!REQUEST_COOKIES\""),
        ["ARGS-0"]
    );
    assert_eq!(
        shown("SecRuleUpdateTargetById 1 REQUEST_LINE ARGS"),
        ["REQUEST_COOKIES-0", "REQUEST_LINE-0"]
    );
    assert!(
        refused("SecRuleUpdateTargetById 5 \"!ARGS:x\"")[0]
            .message
            .contains("no rule")
    );
}

#[test]
fn actions_are_updated() {
    let loaded = strict(
        "SecRule ARGS a \"id:1,deny,status:403,log\"\nSecRuleUpdateActionById 1 \"pass,nolog\"",
    );
    let rule = &loaded.rules.rules[0];
    assert_eq!(rule.disruptive, Disruptive::Pass);
    assert!(!rule.log);
}

#[test]
fn files_include_files_to_a_depth() {
    struct Looping;
    impl Files for Looping {
        fn read(&self, _from: &str, _path: &str) -> Result<Vec<u8>, String> {
            Ok(b"Include again.conf\n".to_vec())
        }
        fn list(&self, _from: &str, pattern: &str) -> Result<Vec<String>, String> {
            Ok(vec![pattern.to_owned()])
        }
    }
    let mut loader = Loader::new(&Looping, Leniency::Strict);
    loader.include("", "again.conf");
    assert!(
        loader
            .finish()
            .unwrap_err()
            .to_string()
            .contains("more than 16 deep")
    );
}

#[test]
fn literals_are_those_every_match_has() {
    let needed = |pattern: &str| {
        let rx = crate::operator::Rx::parse(pattern.as_bytes()).unwrap();
        let found = literals::needed(&rx.hir().unwrap());
        found.map(|all| {
            all.iter()
                .map(|one| String::from_utf8_lossy(one).into_owned())
                .collect::<Vec<_>>()
        })
    };
    let some = |all: &[&str]| Some(all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
    assert_eq!(needed(r"(?i)union\s+select"), some(&["union"]));
    assert_eq!(
        needed(r"\b(?:sleep|benchmark)\b"),
        some(&["benchm", "sleep"])
    );
    assert_eq!(needed(r"[a-z]+foob[^x]"), some(&["foob"]));
    assert_eq!(needed(r"a|union"), None);
    assert_eq!(needed(r"x?"), None);
    assert_eq!(needed(r"(?:foo)*"), None);
}

#[test]
fn fuzz_rules_are_loaded_or_refused() {
    let corpus: Vec<Vec<u8>> = [
        "SecRule ARGS|!ARGS:x \"@rx (?i)a{1,3}[^b]\" \"id:1,phase:2,block,capture,t:none,t:lowercase,chain,setvar:'tx.a=+%{tx.b}'\"\nSecRule TX:1 \"@streq %{TX.2}\"\n",
        "SecAction \"id:2,phase:1,pass,nolog,ctl:ruleRemoveTargetByTag=x;ARGS:/^a/,skipAfter:END\"\nSecMarker END\nSecRuleUpdateTargetById 2 \"!ARGS\"\n",
        "SecDefaultAction \"phase:1,log,pass\"\nSecRuleEngine On\nSecRequestBodyLimit 10\nSecRuleRemoveById 1-3\n",
    ].iter().map(|text| text.as_bytes().to_vec()).collect();
    let words: Vec<&[u8]> = vec![
        b"SecRule ",
        b"\\\n",
        b"chain",
        b"id:",
        b"\"",
        b"|",
        b"XML:/*",
        b"%{",
    ];
    testkit::fuzz(3_000, &corpus, &words, |input| {
        for leniency in [Leniency::Strict, Leniency::Lenient] {
            let mut loader = Loader::new(&NoFiles, leniency);
            loader.text("fuzz", input);
            let loaded = loader.finish();
            assert!(leniency == Leniency::Strict || loaded.is_ok());
        }
    });
}

#[test]
fn rules_that_cannot_match_are_left_out() {
    let kept = |level: u8| {
        let text = format!(
            "SecAction \"id:1,phase:1,pass,nolog,setvar:tx.level={level}\"\n\
             SecRule &TX:level \"@eq 0\" \"id:2,phase:1,pass,setvar:tx.level=1\"\n\
             SecRule &TX:other \"@eq 0\" \"id:3,phase:1,pass,setvar:'tx.other=%{{tx.level}}'\"\n\
             SecRule TX:other \"@lt 2\" \"id:4,phase:2,pass,nolog,skipAfter:END\"\n\
             SecRule ARGS evil \"id:5,phase:2,deny\"\n\
             SecMarker END\n\
             SecRule ARGS:set \"@streq 1\" \"id:6,phase:2,pass,setvar:tx.other=9\"\n\
             SecRule TX:other \"@ge 2\" \"id:7,phase:3,pass\""
        );
        let rules = strict(&text).rules;
        let kept = rules
            .folded
            .iter()
            .flatten()
            .map(|step| rules.rules[step.first as usize].id);
        kept.collect::<Vec<u64>>()
    };
    assert_eq!(kept(1), [1, 3, 4, 6, 7]);
    assert_eq!(kept(3), [1, 3, 5, 6, 7]);
}

#[test]
fn what_a_request_may_change_is_not_folded() {
    let kept = |text: &str| {
        let rules = strict(text).rules;
        rules.folded.iter().map(Vec::len).sum::<usize>()
    };
    // Set under a condition; by a name made while rules run; after an end; in another phase.
    assert_eq!(
        kept(
            "SecRule ARGS x \"id:1,phase:1,pass,setvar:tx.a=1\"\nSecRule TX:a \"@eq 1\" \"id:2,phase:1,pass\""
        ),
        2
    );
    assert_eq!(
        kept(
            "SecRule ARGS x \"id:1,phase:1,pass,setvar:tx.%{ARGS.n}=1\"\nSecRule TX:a \"@eq 1\" \"id:2,phase:1,pass\""
        ),
        2
    );
    assert_eq!(
        kept(
            "SecRule ARGS x \"id:1,phase:1,deny\"\nSecAction \"id:2,phase:1,pass,setvar:tx.a=1\"\nSecRule TX:a \"@eq 2\" \"id:3,phase:5,pass\""
        ),
        3
    );
    assert_eq!(
        kept(
            "SecAction \"id:1,phase:2,pass,setvar:tx.a=1\"\nSecRule TX:a \"@eq 1\" \"id:2,phase:5,pass\""
        ),
        2
    );
    assert_eq!(
        kept(
            "SecRule ARGS (x) \"id:1,phase:1,pass,capture\"\nSecRule TX:0 \"@streq x\" \"id:2,phase:1,pass\""
        ),
        2
    );
}
