//! What blocking would have refused, out of a real trail.

use std::time::Duration;

use model::{Class, Context, Event, Principal, RequestId};
use serde_json::json;

use super::world::{ESTATE, World};
use crate::observed::{Effect, Sought, observed};

fn sought(hours: u64) -> Sought {
    Sought {
        length: Duration::from_secs(hours * 3600),
        route: None,
        step: None,
    }
}

async fn observe(world: &World, code: &str, more: &[(&str, serde_json::Value)]) {
    let services = &world.services;
    let ctx = Context::system(&*services.clock, &*services.entropy);
    let kind = "gateway.request.would_refuse";
    let mut event = Event::change(kind, &ctx, &*services.clock, &*services.entropy)
        .class(Class::Traffic)
        .target("route", "orders")
        .with("step", code.split('.').next().unwrap())
        .with("code", code)
        .with("effect", "refuse")
        .with("reason", "it would match");
    for (name, value) in more {
        event.detail.insert((*name).to_owned(), value.clone());
    }
    event.actor = Principal::anonymous();
    event.source = Some("198.51.100.7".parse().unwrap());
    event.request_id = Some(RequestId::new(&*services.clock, &*services.entropy));
    services.trail.append(vec![event]).await.unwrap();
}

async fn seal(world: &World, routes: &[(&str, u64)], gap: u64) {
    let now = world.services.clock.now();
    let seal = trail::SegmentSeal {
        segment: model::SegmentId::new(&*world.services.clock, &*world.services.entropy),
        node: "gateway".to_owned(),
        root: String::new(),
        count: routes.iter().map(|(_, count)| count).sum(),
        gap,
        first: now,
        last: now,
        routes: routes
            .iter()
            .map(|(name, n)| ((*name).to_owned(), *n))
            .collect(),
    };
    world.services.trail.sealed_segment(&seal).await.unwrap();
}

async fn observing(world: &World) {
    let text = format!("{ESTATE}mode = \"observe\"\n");
    let ctx = world.system();
    let plan = world.services.rollout.plan(&ctx, text.as_str());
    let plan = plan.await.unwrap();
    let plan = rollout::PlanRef {
        base: plan.base,
        hash: plan.hash,
    };
    let applied = world.services.rollout.apply(&ctx, &plan, text.as_str());
    applied.await.unwrap();
}

#[tokio::test]
async fn requests_that_two_steps_would_refuse_count_once() {
    let world = World::new().await;
    world.clock.advance(Duration::from_secs(3600));
    observing(&world).await;
    world.clock.advance(Duration::from_secs(60));
    observe(&world, "inspect.match", &[("count", json!(4))]).await;
    observe(&world, "inspect.match", &[]).await;
    observe(
        &world,
        "validate.body",
        &[("after", json!("inspect.match"))],
    )
    .await;
    observe(
        &world,
        "validate.response_body",
        &[("effect", json!("note"))],
    )
    .await;
    seal(&world, &[("orders", 50), ("-", 3)], 0).await;
    let report = observed(&world.services, &sought(24)).await.unwrap();
    assert_eq!((report.requests, report.would_refuse), (53, 5));
    let orders = report
        .routes
        .iter()
        .find(|one| one.route == "orders")
        .unwrap();
    assert_eq!((orders.requests, orders.share_percent), (50, Some(10.0)));
    let codes: Vec<_> = report
        .found
        .iter()
        .map(|one| (one.code.as_str(), one.effect, one.count, one.decides))
        .collect();
    assert_eq!(
        codes,
        [
            ("inspect.match", Effect::Refuse, 5, 5),
            ("validate.body", Effect::Refuse, 1, 0),
            ("validate.response_body", Effect::Note, 1, 0),
        ]
    );
    let first = &report.found[0];
    assert_eq!(
        (first.addresses, first.principals, first.at_least),
        (1, 0, false)
    );
    assert_eq!(first.examples.len(), 2);
    assert_eq!(first.examples[0].reason, "it would match");
    let wanted = "mode = { limits = \"observe\", validate = \"observe\" }";
    assert_eq!(first.write.as_deref(), Some(wanted));
    let line = ESTATE.lines().count() + 1;
    assert_eq!(first.line, Some(line));
}

#[tokio::test]
async fn it_says_since_when_a_step_observes_and_that_it_found_nothing() {
    let world = World::new().await;
    world.clock.advance(Duration::from_secs(3600));
    observing(&world).await;
    let since = world.services.clock.now();
    world.clock.advance(Duration::from_secs(7200));
    seal(&world, &[("orders", 9)], 0).await;
    let report = observed(&world.services, &sought(24)).await.unwrap();
    assert!(report.found.is_empty());
    let steps: Vec<_> = report
        .observing
        .iter()
        .map(|one| one.step.as_str())
        .collect();
    assert_eq!(steps, ["limits", "validate", "inspect"]);
    for step in &report.observing {
        assert_eq!((step.since, step.version, step.at_least), (since, 2, false));
        assert_eq!((step.requests, step.found), (9, 0));
    }
}

#[tokio::test]
async fn what_was_never_recorded_is_said() {
    let world = World::new().await;
    seal(&world, &[("orders", 9)], 7).await;
    let report = observed(&world.services, &sought(1)).await.unwrap();
    assert!(!report.complete);
    let notes = report.notes.join("\n");
    assert!(notes.contains("7 requests were left out"), "{notes}");
    assert!(notes.contains("no gateway is connected"), "{notes}");
}

#[tokio::test]
async fn what_is_older_than_asked_for_does_not_count() {
    let world = World::new().await;
    observe(&world, "inspect.match", &[]).await;
    seal(&world, &[("orders", 5)], 0).await;
    world.clock.advance(Duration::from_secs(7200));
    observe(&world, "limits.exceeded", &[]).await;
    seal(&world, &[("orders", 2)], 0).await;
    let report = observed(&world.services, &sought(1)).await.unwrap();
    assert_eq!((report.requests, report.found.len()), (2, 1));
    assert_eq!(report.found[0].code, "limits.exceeded");
    let of_step = Sought {
        step: Some("inspect".to_owned()),
        ..sought(24)
    };
    let report = observed(&world.services, &of_step).await.unwrap();
    assert_eq!(report.found.len(), 1);
    assert_eq!(report.found[0].code, "inspect.match");
}

#[tokio::test]
async fn questions_nobody_can_answer_are_refused() {
    let world = World::new().await;
    let wrong = [
        Sought {
            route: Some("nowhere".to_owned()),
            ..sought(1)
        },
        Sought {
            step: Some("cook".to_owned()),
            ..sought(1)
        },
        sought(0),
        sought(24 * 32),
    ];
    for sought in wrong {
        assert!(
            observed(&world.services, &sought).await.is_err(),
            "{sought:?}"
        );
    }
}
