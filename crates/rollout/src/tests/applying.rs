//! One control process.

use super::*;

#[tokio::test]
async fn first_start_applies_the_file_once() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    assert!(control.rollout.current().is_none());
    let version = control
        .rollout
        .bootstrap(&fixture.ctx(), &first())
        .await
        .unwrap();
    assert_eq!((version.number, version.source.as_str()), (1, &*first()));
    let again = control
        .rollout
        .bootstrap(&fixture.ctx(), &second())
        .await
        .unwrap();
    assert_eq!(
        again.number, 1,
        "what is in force is not replaced by the file"
    );
    assert_eq!(again.hash, version.hash);
}

#[tokio::test]
async fn plan_shows_everything_new_at_first_and_then_the_difference() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let ctx = fixture.ctx();
    let plan = control.rollout.plan(&ctx, first()).await.unwrap();
    assert_eq!(plan.base, 0);
    let whats: Vec<_> = plan.changes.iter().map(|c| c.what.clone()).collect();
    assert!(whats.iter().any(|what| what.contains("app")), "{whats:?}");
    control.apply(&ctx, &first()).await.unwrap();
    let plan = control.rollout.plan(&ctx, second()).await.unwrap();
    assert_eq!((plan.base, plan.changes.len()), (1, 1));
    assert_eq!(plan.changes[0].what, "role `support`");
}

#[tokio::test]
async fn every_part_prepares_before_any_swaps_and_the_world_hears_last() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let log = Arc::default();
    for name in ["gateway", "identity"] {
        let part = Arc::new(Part::new(name, &log));
        control.rollout.add_participant(part);
    }
    let heard = control.rollout.subscribe();
    control.apply(&fixture.ctx(), &first()).await.unwrap();
    assert_eq!(
        take(&log),
        [
            "gateway prepares 1",
            "identity prepares 1",
            "gateway swaps to 1",
            "identity swaps to 1"
        ]
    );
    assert_eq!(heard.borrow().as_ref().unwrap().number, 1);
}

#[tokio::test]
async fn refusal_by_one_part_changes_nothing_anywhere() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let log = Arc::default();
    let (gateway, identity) = (Part::new("gateway", &log), Part::new("identity", &log));
    for part in [&gateway, &identity] {
        control.rollout.add_participant(Arc::new(part.clone()));
    }
    let ctx = fixture.ctx();
    control.apply(&ctx, &first()).await.unwrap();
    take(&log);
    identity.answer(Answer::Refuse);
    let error = control.apply(&ctx, &second()).await.unwrap_err();
    assert!(
        matches!(
            &error,
            Error::Refused {
                part: "identity",
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.diagnostics()[0].code, "test.refused");
    assert_eq!(take(&log), ["gateway prepares 2"], "nobody swapped");
    assert_eq!(control.rollout.current().unwrap().number, 1);
    assert_eq!(control.stored().await, 1);
    assert_eq!(control.recorded().await.len(), 1);
    identity.answer(Answer::Ready);
    assert_eq!(control.apply(&ctx, &second()).await.unwrap().number, 2);
}

#[tokio::test]
async fn apply_is_recorded_with_version_hash_and_changes() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let ctx = fixture.ctx();
    control.apply(&ctx, &first()).await.unwrap();
    let version = control.apply(&ctx, &second()).await.unwrap();
    let recorded = control.recorded().await;
    assert_eq!(recorded.len(), 2);
    let event = &recorded[0].event;
    assert_eq!(event.kind, "rollout.estate.applied");
    assert_eq!(event.detail["version"], 2);
    assert_eq!(event.detail["hash"], version.hash.as_str());
    assert_eq!(event.detail["changes"][0]["what"], "role `support`");
    assert_eq!(event.request_id, Some(ctx.request_id));
    assert_eq!(event.actor, ctx.principal);
}

#[tokio::test]
async fn text_in_force_already_is_neither_stored_nor_recorded_again() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let ctx = fixture.ctx();
    control.apply(&ctx, &first()).await.unwrap();
    assert_eq!(control.apply(&ctx, &first()).await.unwrap().number, 1);
    assert_eq!(
        (control.stored().await, control.recorded().await.len()),
        (1, 1)
    );
}

#[tokio::test]
async fn stale_plan_and_changed_text_are_conflicts() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let ctx = fixture.ctx();
    let plan = control.rollout.plan(&ctx, second()).await.unwrap();
    control.apply(&ctx, &first()).await.unwrap();
    let stale = control
        .rollout
        .apply(&ctx, &reference(&plan), &second())
        .await
        .unwrap_err();
    assert!(
        matches!(
            stale,
            Error::Stale {
                planned: 0,
                current: 1
            }
        ),
        "{stale:?}"
    );
    let plan = control.rollout.plan(&ctx, second()).await.unwrap();
    let edited = format!("{}\n", second());
    let other = control
        .rollout
        .apply(&ctx, &reference(&plan), &edited)
        .await
        .unwrap_err();
    assert!(matches!(other, Error::OtherText), "{other:?}");
    assert_eq!(
        (stale.kind(), other.kind()),
        (ErrorKind::Conflict, ErrorKind::Conflict)
    );
    assert_eq!(control.rollout.current().unwrap().number, 1);
}

#[tokio::test]
async fn bad_text_names_every_error_and_replaces_nothing() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let ctx = fixture.ctx();
    control.apply(&ctx, &first()).await.unwrap();
    let bad = "[estate]\nnaem = \"x\"\n[[route]]\npath = 7\n";
    let error = control.rollout.plan(&ctx, bad).await.unwrap_err();
    assert!(error.diagnostics().len() > 1, "{error:?}");
    assert!(control.apply(&ctx, bad).await.is_err());
    let large = "#".repeat(2 * 1024 * 1024);
    let error = control.rollout.plan(&ctx, &large).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert_eq!(control.rollout.current().unwrap().number, 1);
}

#[tokio::test]
async fn reading_and_applying_need_their_permissions() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    control.apply(&fixture.ctx(), &first()).await.unwrap();
    let stranger = fixture.stranger();
    let rollout = &control.rollout;
    let denied = [
        rollout.plan(&stranger, second()).await.map(drop),
        rollout.drift(&stranger, second()).await.map(drop),
        rollout.versions(&stranger, 5).await.map(drop),
        rollout.source(&stranger, 1).await.map(drop),
        rollout.bootstrap(&stranger, &second()).await.map(drop),
    ];
    for answer in denied {
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Denied);
    }
    let auditor = fixture.ctx_as(own::AUDITOR);
    let plan = rollout.plan(&auditor, second()).await.unwrap();
    let error = rollout
        .apply(&auditor, &reference(&plan), &second())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "who reads may not apply");
    assert_eq!(control.stored().await, 1);
}

#[tokio::test]
async fn drift_says_what_differs_between_file_and_version() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let ctx = fixture.ctx();
    let drift = |source: String| control.rollout.drift(&ctx, source);
    assert!(matches!(drift(first()).await, Err(Error::Nothing)));
    control.apply(&ctx, &first()).await.unwrap();
    let none = drift(first()).await.unwrap();
    assert!(none.same_text && none.changes.is_empty() && none.errors.is_empty());
    let comment = drift(format!("{}# a comment\n", first())).await.unwrap();
    assert!(!comment.same_text && comment.changes.is_empty());
    assert_eq!(
        drift(second()).await.unwrap().changes[0].what,
        "role `support`"
    );
    let broken = drift("[estate".to_owned()).await.unwrap();
    assert!(!broken.errors.is_empty() && broken.changes.is_empty());
}

#[tokio::test]
async fn versions_stay_with_their_text_newest_first() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let ctx = fixture.ctx();
    control.apply(&ctx, &first()).await.unwrap();
    control.apply(&ctx, &second()).await.unwrap();
    let numbers = |list: Vec<Summary>| list.iter().map(|s| s.number).collect::<Vec<_>>();
    let rollout = &control.rollout;
    assert_eq!(numbers(rollout.versions(&ctx, 10).await.unwrap()), [2, 1]);
    assert_eq!(numbers(rollout.versions(&ctx, 1).await.unwrap()), [2]);
    assert_eq!(rollout.source(&ctx, 1).await.unwrap(), Some(first()));
    assert_eq!(rollout.source(&ctx, 9).await.unwrap(), None);
}

#[tokio::test]
async fn nothing_is_applied_when_its_record_cannot_be_kept() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let ctx = fixture.ctx();
    control.apply(&ctx, &first()).await.unwrap();
    let log = Arc::default();
    let part = Arc::new(Part::new("gateway", &log));
    control.rollout.add_participant(part);
    let mut tx = control.store.begin().await.unwrap();
    let refuse =
        "CREATE TRIGGER refuse BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no'); END";
    tx.execute(refuse, &[]).await.unwrap();
    tx.commit().await.unwrap();
    let error = control.apply(&ctx, &second()).await.unwrap_err();
    assert!(matches!(error, Error::Trail(_)), "{error:?}");
    assert_eq!(take(&log), ["gateway prepares 2"], "nobody swapped");
    assert_eq!(control.rollout.current().unwrap().number, 1);
    assert_eq!(control.stored().await, 1);
}

#[tokio::test]
async fn version_whose_record_is_late_is_in_force_and_recorded_at_the_next_start() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let ctx = fixture.ctx();
    // The trail goes away between the store's commit and the trail's answer.
    control.trail.close().await;
    assert_eq!(control.apply(&ctx, &first()).await.unwrap().number, 1);
    assert_eq!(control.store.outbox_pending(5).await.unwrap().len(), 1);
    drop(control);
    let control = fixture.control("a").await;
    assert_eq!(control.rollout.current().unwrap().number, 1);
    assert_eq!(control.recorded().await.len(), 1);
}

#[tokio::test]
async fn part_that_is_never_ready_is_refused_in_time() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let version = control.apply(&fixture.ctx(), &first()).await.unwrap();
    let part = Part::new("gateway", &Arc::default());
    part.answer(Answer::Hang);
    control.rollout.add_participant(Arc::new(part));
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let Err(error) = control.rollout.0.prepare(&version).await else {
        panic!("a part that hangs is not ready");
    };
    assert_eq!(error.diagnostics()[0].code, "rollout.too_slow");
    let waited = begun.elapsed();
    assert!(waited >= PART_WAIT && waited < 2 * PART_WAIT, "{waited:?}");
}

#[tokio::test]
async fn defect_in_a_part_stops_one_apply_and_no_later_one() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let log = Arc::default();
    let part = Part::new("gateway", &log);
    control.rollout.add_participant(Arc::new(part.clone()));
    let ctx = fixture.ctx();
    part.answer(Answer::BreakInPrepare);
    let error = control.apply(&ctx, &first()).await.unwrap_err();
    assert!(matches!(error, Error::Stopped), "{error:?}");
    assert_eq!(control.stored().await, 0);
    // A defect after the point of no return: the stored version is taken over by the next call.
    part.answer(Answer::BreakInSwap);
    assert!(control.apply(&ctx, &first()).await.is_err());
    assert_eq!(control.stored().await, 1);
    part.answer(Answer::Ready);
    take(&log);
    control.rollout.catch_up().await.unwrap();
    assert_eq!(take(&log), ["gateway prepares 1", "gateway swaps to 1"]);
    assert_eq!(control.apply(&ctx, &second()).await.unwrap().number, 2);
}
