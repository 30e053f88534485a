//! What is proposed, out of a real trail: of records of this gateway, of older ones, and of hostile
//! ones.

use std::time::Duration;

use model::{Class, Context, Event, Principal, PrincipalKind, RequestId};
use serde_json::{Value, json};

use super::world::{ESTATE, World};
use crate::{TuneReport, TuneSought, tune};

async fn ruled() -> World {
    let world = World::new().await;
    let text = format!("{ESTATE}\n[waf]\nrules = \"builtin\"\n");
    let ctx = world.system();
    let plan = world
        .services
        .rollout
        .plan(&ctx, text.as_str())
        .await
        .unwrap();
    let plan = rollout::PlanRef {
        base: plan.base,
        hash: plan.hash,
    };
    let applied = world.services.rollout.apply(&ctx, &plan, text.as_str());
    applied.await.unwrap();
    world
}

fn sought() -> TuneSought {
    TuneSought {
        length: Duration::from_secs(24 * 3600),
        ..TuneSought::default()
    }
}

/// A match of a rule of Rampart's own at a place.
fn matches(target: &str) -> Value {
    json!([
        { "id": 25_010_010, "message": "SQL", "score": 5, "found": [{ "target": target, "value": "1' or" }] },
        { "id": 25_990_020, "message": "too much", "found": [{ "target": "TX:rampart_score", "value": "5" }] },
    ])
}

async fn refused(world: &World, who: Option<&str>, rules: Value, more: &[(&str, Value)]) {
    let services = &world.services;
    let ctx = Context::system(&*services.clock, &*services.entropy);
    let kind = "gateway.request.refused";
    let mut event = Event::change(kind, &ctx, &*services.clock, &*services.entropy)
        .class(Class::Traffic)
        .target("route", "orders")
        .with("step", "waf")
        .with("code", "waf.match")
        .with("method", "POST");
    event.detail.insert("rules".to_owned(), rules);
    for (name, value) in more {
        event.detail.insert((*name).to_owned(), value.clone());
    }
    event.actor = match who {
        Some(id) => Principal {
            kind: PrincipalKind::Person,
            id: id.to_owned().into(),
            name: id.to_owned().into(),
        },
        None => Principal::anonymous(),
    };
    event.source = Some("198.51.100.7".parse().unwrap());
    event.request_id = Some(RequestId::new(&*services.clock, &*services.entropy));
    // Traffic is counted with what is on disk, as a change is at once.
    let change = Event::change("test.done", &ctx, &*services.clock, &*services.entropy);
    services.trail.append(vec![event, change]).await.unwrap();
}

fn decision() -> (&'static str, Value) {
    let sum = json!({ "name": "rampart_score", "score": 5, "threshold": 5 });
    ("decision", json!({ "rule": 25_990_020, "sum": sum }))
}

async fn tuned(world: &World) -> TuneReport {
    tune(&world.services, &sought()).await.unwrap()
}

const PEOPLE: [&str; 3] = ["usr_a", "usr_b", "usr_c"];

#[tokio::test]
async fn what_several_principals_met_is_proposed_with_lines_of_the_estate() {
    let world = ruled().await;
    for who in PEOPLE {
        let more = [decision(), ("count", json!(3))];
        refused(&world, Some(who), matches("ARGS:comment"), &more).await;
    }
    let report = tuned(&world).await;
    let [one] = report.tuned.proposals.as_slice() else {
        panic!("{report:#?}");
    };
    assert_eq!(
        (one.rule, one.requests, one.alike, one.together),
        (25_010_010, 3, 6, 3)
    );
    assert_eq!(
        (one.unasked, one.target.as_deref()),
        (0, Some("ARGS:comment"))
    );
    let text = format!("{ESTATE}\n[waf]\nrules = \"builtin\"\n{}", one.lines);
    let waf = estate::Estate::parse(&text).unwrap().estate.waf.unwrap();
    assert_eq!(waf.exclusions[0].route.as_deref(), Some("orders"));
    // Somebody may ask for another day, and for a part of the time.
    let asked = TuneSought {
        expires: Some("2099-01-02".to_owned()),
        ..sought()
    };
    let report = tune(&world.services, &asked).await.unwrap();
    assert!(
        report.tuned.proposals[0]
            .lines
            .contains("until = \"2099-01-02\"")
    );
    world.clock.advance(Duration::from_secs(7200));
    let asked = |hours: u64| TuneSought {
        ago: Duration::from_secs(hours * 3600),
        ..sought()
    };
    for (hours, count) in [(1, 1), (3, 0)] {
        let report = tune(&world.services, &asked(hours)).await.unwrap();
        assert_eq!(report.tuned.proposals.len(), count, "{hours}");
    }
}

#[tokio::test]
async fn older_records_are_said_and_stand_for_nothing() {
    let world = ruled().await;
    for who in PEOPLE {
        refused(
            &world,
            Some(who),
            matches("ARGS:comment"),
            &[("score", json!(5))],
        )
        .await;
    }
    let report = tuned(&world).await;
    assert_eq!((report.tuned.unknown, report.tuned.proposals.len()), (3, 0));
    assert!(!report.complete);
    assert!(report.notes[0].contains("of 3 requests it is not recorded why"));
}

#[tokio::test]
async fn hostile_records_become_no_lines() {
    let world = ruled().await;
    let names = [
        "ARGS:a\"\n[[route]]\nname = \"open",
        "ARGS:\u{1b}[2J",
        "ARGS:<script>alert(1)</script>",
        "ARGS:a;ARGS,ctl:ruleEngine=Off",
    ];
    for name in names {
        for who in PEOPLE {
            refused(&world, Some(who), matches(name), &[decision()]).await;
        }
    }
    // What is no record of ours is passed over.
    for rules in [
        json!("x"),
        json!([1, { "id": -1 }]),
        json!([{ "id": 7, "found": 3 }]),
    ] {
        for who in PEOPLE {
            let odd = ("decision", json!({ "rule": 7, "sum": "much" }));
            refused(&world, Some(who), rules.clone(), &[odd]).await;
        }
    }
    let report = tuned(&world).await;
    let [one] = report.tuned.proposals.as_slice() else {
        panic!("{report:#?}");
    };
    assert_eq!((one.rule, one.target.as_deref()), (25_010_010, None));
    assert_eq!(one.lines.lines().count(), 5, "{}", one.lines);
    assert_eq!(report.tuned.unknown, 9);
}

#[tokio::test]
async fn long_records_are_bounded() {
    let world = ruled().await;
    let rule = |n: usize| {
        let found: Vec<Value> = (0..30)
            .map(|at| json!({ "target": format!("ARGS:{n}{at}{}", "x".repeat(200)), "value": "" }))
            .collect();
        json!({ "id": 25_010_010, "message": "m".repeat(2000), "score": 5, "found": found })
    };
    let rules: Vec<Value> = (0..20).map(rule).collect();
    refused(&world, Some("usr_a"), json!(rules), &[decision()]).await;
    let report = tuned(&world).await;
    let text = serde_json::to_string(&report).unwrap();
    assert!(text.len() < 1 << 20, "{}", text.len());
}

#[tokio::test]
async fn questions_nobody_can_answer_are_refused() {
    let world = ruled().await;
    let with = |edit: fn(&mut TuneSought)| {
        let mut sought = sought();
        edit(&mut sought);
        sought
    };
    for asked in [
        with(|one| one.length = Duration::from_secs(32 * 24 * 3600)),
        with(|one| one.length = Duration::ZERO),
        with(|one| one.ago = Duration::from_secs(25 * 3600)),
        with(|one| one.route = Some("nowhere".to_owned())),
        with(|one| one.expires = Some("2020-01-01".to_owned())),
        with(|one| one.expires = Some("soon\"".to_owned())),
    ] {
        assert!(tune(&world.services, &asked).await.is_err(), "{asked:?}");
    }
    let without = World::new().await;
    let error = tune(&without.services, &sought()).await.unwrap_err();
    assert!(error.detail.contains("no `[waf]`"), "{error:?}");
}
