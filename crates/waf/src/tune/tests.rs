mod counted;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use estate::Estate;
use model::{RequestId, Timestamp};
use testkit::small_estate;

use super::*;
use crate::{Decision, Sets};

/// Added up as the Core Rule Set does.
const RULES: &str = r#"
SecAction "id:1,phase:1,pass,nolog,setvar:tx.inbound_anomaly_score_threshold=5,setvar:tx.blocking_paranoia_level=1"
SecRule ARGS|REQUEST_COOKIES "@contains evil" "id:12,phase:2,pass,log,msg:'evil',tag:'plain',setvar:tx.inbound_anomaly_score_pl1=+5"
SecRule ARGS "@contains odd" "id:13,phase:2,pass,log,msg:'odd',setvar:tx.inbound_anomaly_score_pl1=+3"
SecRule ARGS "@contains scan" "id:14,phase:2,pass,log,msg:'scan',tag:'attack-reputation-scanner',setvar:tx.inbound_anomaly_score_pl1=+5"
SecRule ARGS "@rx ^x(.)" "id:15,phase:2,pass,log,capture,msg:'chain',chain"
SecRule TX:1 "@streq y" "setvar:tx.inbound_anomaly_score_pl1=+5"
SecRule ARGS "@contains deep" "id:16,phase:2,pass,log,msg:'deep',setvar:tx.inbound_anomaly_score_pl2=+5"
SecRule ARGS "@contains stop" "id:17,phase:2,deny,log,msg:'stop'"
SecRule ARGS "@rx m(\d)" "id:21,phase:2,pass,log,capture,msg:'many %{TX.1}',setvar:tx.inbound_anomaly_score_pl1=+5"
SecAction "id:98,phase:2,pass,nolog,setvar:tx.blocking_inbound_anomaly_score=+%{tx.inbound_anomaly_score_pl1}"
SecRule TX:BLOCKING_INBOUND_ANOMALY_SCORE "@ge %{tx.inbound_anomaly_score_threshold}" "id:99,phase:2,deny,log,msg:'too much'"
"#;

/// Routes beside `posts`, so that each may have exclusions of its own.
pub(super) fn estate(rules: &str, routes: &[&str], more: &str) -> Estate {
    let mut text = format!("[waf]\nrules = {rules}\n{more}\n");
    for route in routes {
        text.push_str(&format!(
            "[[route]]\nname = \"{route}\"\nhost = \"{route}.example\"\npath = \"/**\"\nto = \"posts\"\nauth = \"none\"\n"
        ));
    }
    let parsed = Estate::parse(&small_estate("", &text));
    parsed.unwrap_or_else(|errors| panic!("{errors:#?}")).estate
}

fn texts() -> BTreeMap<String, String> {
    [("mine/all.conf".to_owned(), RULES.to_owned())].into()
}

struct Ground {
    rules: std::sync::Arc<crate::Ruleset>,
    known: Known,
}

impl Ground {
    fn new() -> Self {
        let estate = estate("\"mine\"", &[], "");
        let sets = Sets::load(&estate, &texts(), &crate::Shelf::keeping(0)).unwrap();
        Self {
            rules: sets.of(&estate.routes[0]).unwrap(),
            known: Known::load(
                estate.waf.as_ref().unwrap(),
                &texts(),
                &crate::Shelf::keeping(0),
            )
            .unwrap(),
        }
    }

    /// A request of somebody at a minute, as it would be recorded.
    fn asked(&self, who: &str, minute: i64, query: &str) -> Seen {
        let mut seen = seen(&self.rules, "posts", query).unwrap_or_else(|| panic!("{query}"));
        match who.parse::<IpAddr>() {
            Ok(address) => seen.source = Some(address),
            Err(_) => {
                seen.source = Some("192.0.2.250".parse().unwrap());
                seen.principal = Some(who.to_owned());
            }
        }
        seen.time = Timestamp::from_millis(minute * 60_000);
        seen.request_id = Some(RequestId::from_raw(u128::from(minute.unsigned_abs()) + 1));
        seen
    }

    fn propose(&self, seen: &[Seen]) -> Tuned {
        self.propose_with(seen, &[])
    }

    fn propose_with(&self, seen: &[Seen], exclusions: &[Exclusion]) -> Tuned {
        propose(&Question {
            seen,
            inspected: &BTreeSet::new(),
            exclusions,
            known: &self.known,
            until: "2027-03-31",
        })
    }
}

/// What the engine says of a request, in the form of a record; nothing of one that it lets pass.
fn seen(rules: &crate::Ruleset, route: &str, query: &str) -> Option<Seen> {
    let transaction = crate::tests::run(rules, route, 0, query);
    let decision = Decision::of(&transaction)?;
    let told = transaction.matches().iter().filter(|one| one.logged);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let matches = told.map(|one| {
        let found = one.found.iter().map(|found| text(&found.target));
        let first = one.first.iter().map(|name| text(name));
        let mut places: Vec<String> = if one.first.is_empty() {
            found.collect()
        } else {
            first.collect()
        };
        places.sort();
        places.dedup();
        SeenMatch {
            id: one.id,
            message: text(&one.message),
            places,
            is_whole: one.is_whole,
            score: decision.added_by(one),
        }
    });
    Some(Seen {
        time: Timestamp::from_millis(0),
        request_id: None,
        request: "GET shop.example/".to_owned(),
        route: route.to_owned(),
        source: None,
        principal: None,
        answered: None,
        alike: 0,
        is_found_before: false,
        decision: Some(Decided {
            rule: decision.rule,
            sum: decision.sum.as_ref().map(|sum| (sum.score, sum.threshold)),
        }),
        matches: matches.collect(),
    })
}

/// Rule and target of what is proposed.
fn proposed(tuned: &Tuned) -> Vec<(u64, Option<&str>)> {
    let all = tuned.proposals.iter();
    all.map(|one| (one.rule, one.target.as_deref())).collect()
}

fn why(tuned: &Tuned, what: &str) -> String {
    let mut left = tuned.left_alone.iter();
    let one = left.find(|one| one.what == what);
    one.unwrap_or_else(|| panic!("{what}: {:#?}", tuned.left_alone))
        .why
        .clone()
}

fn people(ground: &Ground, query: &str) -> Vec<Seen> {
    let all = ["usr_a", "usr_b", "usr_c"].iter().zip(1..);
    all.map(|(who, minute)| ground.asked(who, minute, query))
        .collect()
}

#[test]
fn what_several_people_send_is_proposed_as_narrowly_as_it_was_met() {
    let ground = Ground::new();
    let mut seen = people(&ground, "comment=evil");
    seen.push(ground.asked("203.0.113.9", 4, "other=evil"));
    let tuned = ground.propose(&seen);
    assert_eq!(proposed(&tuned), [(12, Some("ARGS:comment"))]);
    let one = &tuned.proposals[0];
    assert_eq!(
        (
            one.requests,
            one.principals,
            one.alone,
            one.together,
            one.unasked
        ),
        (3, 3, 3, 3, 0)
    );
    assert_eq!(one.evidence, Evidence::People);
    assert_eq!((tuned.requests, tuned.would_pass), (4, 3));
    assert!(one.blinds.contains("`ARGS:comment` on route `posts`"));
    assert!(one.place.ends_with("all.conf:3"), "{}", one.place);
    assert_eq!(
        one.lines,
        format!(
            "[[waf.exclusion]]\nrule = 12\nparameter = \"comment\"\nroute = \"posts\"\n\
             reason = \"false positives: 3 requests of 3 principals, such as {}\"\nuntil = \"2027-03-31\"\n",
            seen[2].request_id.unwrap()
        )
    );
    let left = why(&tuned, "rule 12 at ARGS:other on posts");
    assert!(
        left.contains("1 request of 1 address, nobody signed in"),
        "{left}"
    );
}

#[test]
fn scanner_is_left_alone_and_said_so() {
    let ground = Ground::new();
    let many: Vec<Seen> = [
        "a=evil",
        "b=evil odd",
        "a=stop",
        "c=xy",
        "a=m1",
        "d=deep evil",
    ]
    .iter()
    .map(|query| ground.asked("203.0.113.9", 1, query))
    .collect();
    let tuned = ground.propose(&many);
    assert!(tuned.proposals.is_empty());
    assert!(why(&tuned, "203.0.113.9").contains("met 6 different rules"));
    // One that names itself needs no more than one request, whoever it is.
    for who in ["203.0.113.9", "usr_a"] {
        let tuned = ground.propose(&[ground.asked(who, 1, "a=scan")]);
        assert!(why(&tuned, who).contains("recognises scanners"));
    }
    let places: Vec<Seen> = (0..10)
        .map(|n| ground.asked("2001:db8::1", n, &format!("p{n}=evil")))
        .collect();
    let tuned = ground.propose(&places);
    assert!(why(&tuned, "2001:db8::/64").contains("tried 10 different places"));
    let heavy = ground.asked("203.0.113.9", 1, "a=evil&b=evil&c=evil&d=evil");
    assert!(why(&ground.propose(&[heavy]), "203.0.113.9").contains("scored 4 times"));
    // Somebody signed in from where an attack comes from proves nothing.
    let mut seen = people(&ground, "comment=evil");
    seen.push(ground.asked("192.0.2.250", 9, "a=scan"));
    let tuned = ground.propose(&seen);
    assert!(tuned.proposals.is_empty());
    assert!(why(&tuned, "usr_a").contains("comes from 192.0.2.250"));
}

#[test]
fn address_that_another_detector_found_is_no_evidence() {
    let ground = Ground::new();
    let seen = [ground.asked("203.0.113.9", 1, "a=evil")];
    let inspected = BTreeSet::from(["203.0.113.9".parse().unwrap()]);
    let tuned = propose(&Question {
        seen: &seen,
        inspected: &inspected,
        exclusions: &[],
        known: &ground.known,
        until: "2027-03-31",
    });
    assert!(why(&tuned, "203.0.113.9").contains("built-in inspection"));
}

#[test]
fn what_an_attack_would_pass_by_is_not_proposed() {
    let ground = Ground::new();
    let mut seen = people(&ground, "comment=evil");
    // What else it met is still met: its score stays beyond the threshold.
    for query in ["comment=evil&a=scan", "comment=evil odd m1&a=scan"] {
        seen.push(ground.asked("203.0.113.9", 5, query));
    }
    let tuned = ground.propose(&seen);
    assert_eq!(proposed(&tuned), [(12, Some("ARGS:comment"))]);
    assert_eq!(tuned.proposals[0].attacks, 2);
    // The same sender's other request met nothing else.
    seen.push(ground.asked("203.0.113.9", 6, "comment=evil"));
    let tuned = ground.propose(&seen);
    assert!(tuned.proposals.is_empty());
    let why = why(&tuned, "rule 12 at ARGS:comment on posts");
    assert!(
        why.contains("let 1 request through that look like attacks"),
        "{why}"
    );
}

#[test]
fn no_more_is_proposed_than_is_needed_and_nothing_in_vain() {
    let ground = Ground::new();
    // 5 and 3 of 5: without the first the rest is not refused.
    let tuned = ground.propose(&people(&ground, "comment=evil odd"));
    assert_eq!(proposed(&tuned), [(12, Some("ARGS:comment"))]);
    // 5 and 5: both are needed.
    let tuned = ground.propose(&people(&ground, "comment=evil&title=m1"));
    assert_eq!(
        proposed(&tuned),
        [(12, Some("ARGS:comment")), (21, Some("ARGS:title"))]
    );
    assert_eq!(
        (tuned.proposals[0].alone, tuned.proposals[0].together),
        (0, 3)
    );
    // Two places of one rule: both, or it still matches.
    let tuned = ground.propose(&people(&ground, "comment=evil&title=evil"));
    assert_eq!(
        proposed(&tuned),
        [(12, Some("ARGS:comment")), (12, Some("ARGS:title"))]
    );
    // What else each of them met differs, so that nothing speaks for that.
    let mut seen = Vec::new();
    for (who, other) in [("usr_a", "p"), ("usr_b", "q"), ("usr_c", "r")] {
        seen.push(ground.asked(who, 1, &format!("comment=evil&{other}=m1")));
    }
    let tuned = ground.propose(&seen);
    assert!(tuned.proposals.is_empty());
    let why = why(&tuned, "rule 12 at ARGS:comment on posts");
    assert!(why.contains("stand on rules 12, 21"), "{why}");
}

#[test]
fn strangers_count_when_they_are_far_apart_and_few_rules_are_met_over_time() {
    let ground = Ground::new();
    let from = |third: &dyn Fn(i64) -> i64, minutes: i64, answered: Option<u16>| -> Tuned {
        let seen: Vec<Seen> = (0..5)
            .map(|n| {
                let address = format!("198.51.{}.{}", third(n), n + 1);
                let mut seen = ground.asked(&address, n * minutes, "comment=evil");
                seen.answered = answered;
                seen
            })
            .collect();
        ground.propose(&seen)
    };
    let tuned = from(&|n| n, 20, Some(200));
    assert_eq!(tuned.proposals[0].evidence, Evidence::Strangers);
    assert!(
        tuned.proposals[0]
            .evidence_text
            .contains("look at the requests")
    );
    for (neighbours, minutes, answered) in [
        (true, 20, Some(200)),
        (false, 1, Some(200)),
        // Many addresses can attack: without the service's word nothing speaks for them.
        (false, 20, None),
        (false, 20, Some(404)),
    ] {
        let third = |n: i64| if neighbours { 100 } else { n };
        let tuned = from(&third, minutes, answered);
        assert!(
            tuned.proposals.is_empty(),
            "{neighbours} {minutes} {answered:?}"
        );
    }
    // One who is signed in, again and again.
    let again: Vec<Seen> = (0..5)
        .map(|n| ground.asked("usr_a", n * 20, "comment=evil"))
        .collect();
    let tuned = ground.propose(&again);
    assert_eq!(tuned.proposals[0].evidence, Evidence::Habit);
    assert!(ground.propose(&again[..4]).proposals.is_empty());
}

#[test]
fn answers_with_errors_speak_against_it() {
    let ground = Ground::new();
    let answered = |status: u16| {
        let mut seen = people(&ground, "comment=evil");
        for one in &mut seen {
            one.answered = Some(status);
        }
        ground.propose(&seen)
    };
    let tuned = answered(200);
    assert_eq!(
        tuned.proposals[0].answered,
        [Answered { class: 2, count: 3 }]
    );
    let tuned = answered(404);
    assert!(tuned.proposals.is_empty());
    let why = why(&tuned, "rule 12 at ARGS:comment on posts");
    assert!(why.contains("3 of 3 were answered with an error"), "{why}");
    let mut seen = people(&ground, "comment=evil");
    for one in &mut seen {
        one.is_found_before = true;
    }
    assert!(ground.propose(&seen).proposals.is_empty());
}

#[test]
fn many_places_of_a_rule_become_the_rule_on_its_route() {
    let ground = Ground::new();
    let seen: Vec<Seen> = (0..7)
        .flat_map(|n| people(&ground, &format!("json.items.{n}=evil")))
        .collect();
    let tuned = ground.propose(&seen);
    assert_eq!(proposed(&tuned), [(12, None)]);
    assert_eq!(tuned.proposals[0].requests, 21);
    assert!(
        tuned.proposals[0]
            .blinds
            .contains("anything on route `posts`")
    );
    assert!(!tuned.proposals[0].lines.contains("parameter"));
}

#[test]
fn hostile_names_are_never_written() {
    let ground = Ground::new();
    for name in [
        "a%22%0Amode%20=%20%22observe",
        "%1b[2J",
        "%3Cscript%3E",
        "a;b",
        "%E2%80%AEx",
    ] {
        let tuned = ground.propose(&people(&ground, &format!("{name}=evil")));
        // The rule itself on this route is what can be named.
        assert_eq!(proposed(&tuned), [(12, None)], "{name}");
        let text = &tuned.proposals[0].lines;
        assert_eq!(text.lines().count(), 5, "{text}");
        assert!(text.is_ascii(), "{text}");
    }
}

#[test]
fn what_is_not_recorded_is_said_and_what_is_excepted_by_now_does_not_count() {
    let ground = Ground::new();
    let mut seen = people(&ground, "comment=evil");
    for one in &mut seen {
        one.decision = None;
    }
    let tuned = ground.propose(&seen);
    assert_eq!((tuned.unknown, tuned.proposals.len()), (3, 0));
    let more = "[[waf.exclusion]]\nrule = 12\nparameter = \"comment\"\nreason = \"r\"\nuntil = \"2027-01-01\"\n";
    let exclusions = estate("\"mine\"", &[], more).waf.unwrap().exclusions;
    let tuned = ground.propose_with(&people(&ground, "comment=evil"), &exclusions);
    assert_eq!((tuned.excepted, tuned.proposals.len()), (3, 0));
    // Of two places one is excepted by now.
    let tuned = ground.propose_with(&people(&ground, "comment=evil&title=evil"), &exclusions);
    assert_eq!(proposed(&tuned), [(12, Some("ARGS:title"))]);
    assert_eq!(tuned.proposals[0].alone, 3);
    // A rule that is not in force any more.
    let mut seen = people(&ground, "comment=evil");
    for one in &mut seen {
        one.decision = Some(Decided {
            rule: 4711,
            sum: Some((5, Some(5))),
        });
    }
    assert_eq!(ground.propose(&seen).unknown, 3);
}

#[test]
fn what_was_not_asked_is_not_claimed() {
    let ground = Ground::new();
    // The rule refuses by itself, before others were asked.
    let tuned = ground.propose(&people(&ground, "comment=stop"));
    assert_eq!(proposed(&tuned), [(17, Some("ARGS:comment"))]);
    assert!(tuned.proposals[0].unasked >= 3, "{:#?}", tuned.proposals);
    let seen = &people(&ground, "comment=stop")[0];
    let except = [Except::of(17, Some("posts"), Some("ARGS:comment"))];
    let told = outcome(seen, &except.iter(), &ground.known);
    assert!(matches!(told, Outcome::NotHere(_)));
    assert!(told.text().contains("not known"));
}
