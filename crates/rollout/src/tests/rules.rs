//! Rules that an estate names: loaded once for a plan, its apply and questions, and never where
//! others wait.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn sources(rules: &str) -> Sources {
    let estate = format!("{}\n[waf]\nrules = \"mine\"\n", first());
    let mut sources = Sources::from(estate);
    let path = "mine/all.conf".to_owned();
    sources.documents.insert(path, rules.to_owned());
    sources
}

const RULES: &str = "SecRule ARGS \"@contains evil\" \"id:1,phase:2,deny\"\n";

#[tokio::test]
async fn plan_apply_drift_and_questions_load_the_same_rules_once() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let ctx = fixture.ctx();
    let sources = sources(RULES);
    let plan = control.rollout.plan(&ctx, &sources).await.unwrap();
    let plan = reference(&plan);
    let applied = control.rollout.apply(&ctx, &plan, &sources).await;
    let version = applied.unwrap();
    assert!(
        control
            .rollout
            .drift(&ctx, &sources)
            .await
            .unwrap()
            .same_text
    );
    let shelf = control.rollout.shelf();
    let of = || {
        let route = &version.estate.routes[0];
        waf::Sets::load_one(&version.estate, route, &version.documents, &shelf)
    };
    assert!(Arc::ptr_eq(
        &of().unwrap().unwrap(),
        &of().unwrap().unwrap()
    ));
    assert_eq!(shelf.loads(), 1);
    let other = self::sources(&RULES.replace("evil", "wicked"));
    control.rollout.plan(&ctx, &other).await.unwrap();
    assert_eq!(shelf.loads(), 2);
}

/// One thread: whoever works on it keeps everybody else from it.
#[tokio::test(flavor = "current_thread")]
async fn others_go_on_while_rules_are_loaded() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let ctx = fixture.ctx();
    let sources = sources(RULES);
    let went_on = || {
        let went_on = Arc::new(AtomicBool::new(false));
        let here = Arc::clone(&went_on);
        tokio::spawn(async move { here.store(true, Ordering::Relaxed) });
        went_on
    };
    let others = went_on();
    control.rollout.plan(&ctx, &sources).await.unwrap();
    assert!(others.load(Ordering::Relaxed), "a plan");
    let others = went_on();
    control.rollout.drift(&ctx, &sources).await.unwrap_err();
    // Nothing is in force, which is said before anything is read.
    assert!(!others.load(Ordering::Relaxed));
}
