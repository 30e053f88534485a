//! Restarts, several applies at once, and several control processes on one database.

use super::*;

#[tokio::test]
async fn start_takes_the_stored_version_into_force() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let applied = control.apply(&fixture.ctx(), &first()).await.unwrap();
    let again = fixture.open(&control.store, &control.trail).await.unwrap();
    let log = Arc::default();
    again.add_participant(Arc::new(Part::new("gateway", &log)));
    let started = again.start().await.unwrap();
    assert_eq!(take(&log), ["gateway prepares 1", "gateway swaps to 1"]);
    assert_eq!(
        (started.number, &started.hash, &started.source),
        (1, &applied.hash, &applied.source)
    );
    assert_eq!(started.applied_by, applied.applied_by);
    assert_eq!(started.applied_at, applied.applied_at);
}

#[tokio::test]
async fn start_without_a_version_says_so() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let error = control.rollout.start().await.unwrap_err();
    assert!(matches!(error, Error::Nothing), "{error:?}");
}

#[tokio::test]
async fn stored_text_that_was_changed_is_refused_at_the_start() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    control.apply(&fixture.ctx(), &first()).await.unwrap();
    let mut tx = control.store.begin().await.unwrap();
    let sql = "UPDATE estate_version SET source = $1 WHERE number = 1";
    tx.execute(sql, &[second().into()]).await.unwrap();
    tx.commit().await.unwrap();
    let error = fixture
        .open(&control.store, &control.trail)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Altered(1)), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_applies_at_once_exactly_one_wins() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    control.apply(&fixture.ctx(), &first()).await.unwrap();
    assert_eq!(race(&fixture, &[&control]).await, 1);
    assert_eq!(control.stored().await, 2);
    assert_eq!(control.recorded().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_exactly_one_wins_and_the_other_catches_up() {
    two_processes(&Fixture::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_on_postgres_exactly_one_wins_and_the_other_catches_up() {
    if let Some(fixture) = Fixture::postgres() {
        two_processes(&fixture).await;
    }
}

async fn two_processes(fixture: &Fixture) {
    let (a, b) = (fixture.control("a").await, fixture.control("b").await);
    a.apply(&fixture.ctx(), &first()).await.unwrap();
    b.rollout.catch_up().await.unwrap();
    assert_eq!(race(fixture, &[&a, &b]).await, 1);
    for control in [&a, &b] {
        control.rollout.catch_up().await.unwrap();
        assert_eq!(control.rollout.current().unwrap().number, 2);
    }
    let hash = |control: &Control| control.rollout.current().unwrap().hash.clone();
    assert_eq!(hash(&a), hash(&b));
}

/// Eight different texts, planned on version 1 and applied at once; how many went through.
async fn race(fixture: &Fixture, controls: &[&Control]) -> usize {
    let mut planned = Vec::new();
    for (index, control) in (0..8).zip(controls.iter().cycle()) {
        let (rollout, ctx) = (control.rollout.clone(), fixture.ctx());
        let source = format!("{}# {index}\n", second());
        let plan = reference(&rollout.plan(&ctx, &source).await.unwrap());
        assert_eq!(plan.base, 1);
        planned.push((rollout, ctx, plan, source));
    }
    let mut applies = tokio::task::JoinSet::new();
    for (rollout, ctx, plan, source) in planned {
        applies.spawn(async move { rollout.apply(&ctx, &plan, &source).await });
    }
    let mut won = 0;
    while let Some(applied) = applies.join_next().await {
        match applied.unwrap() {
            Ok(version) => {
                assert_eq!(version.number, 2);
                won += 1;
            }
            Err(Error::Stale {
                planned: 1,
                current: 2,
            }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    won
}
