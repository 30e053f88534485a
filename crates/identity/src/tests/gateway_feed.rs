//! What the gateway is told: everything, in order, with nothing lost between snapshot and stream.

use model::snapshot::{IdentityChange, IdentitySnapshot};

use super::fixture::{Ground, World, full_key};
use super::on_both;

on_both! {
    nothing_is_lost_between_snapshot_and_changes
    revisions_of_a_later_run_are_higher
    invited_people_are_nobody_yet
    a_view_that_could_not_be_read_is_read_again
}

fn sorted(mut snapshot: IdentitySnapshot) -> IdentitySnapshot {
    snapshot.subjects.sort_by_key(|subject| subject.id);
    snapshot.sessions.sort_by_key(|session| session.id);
    snapshot.api_keys.sort_by_key(|key| key.id);
    snapshot
}

async fn nothing_is_lost_between_snapshot_and_changes(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let ctx = world.context(&ada.cookie).await.unwrap();
    let busy = {
        let (identity, ctx) = (world.identity.clone(), ctx.clone());
        tokio::spawn(async move {
            for number in 0..40 {
                let new = full_key(&ctx, &format!("key {number}"));
                let made = identity.create_api_key(&ctx, new).await.unwrap();
                if number % 3 == 0 {
                    identity.revoke_api_key(&ctx, made.key.id).await.unwrap();
                }
            }
        })
    };
    // Listeners that begin at any moment, some with both steps, some at once.
    let mut listeners = Vec::new();
    while !busy.is_finished() {
        let changes = world.identity.changes();
        tokio::task::yield_now().await;
        listeners.push((world.identity.snapshot(), changes));
        listeners.push(world.identity.watch());
        tokio::task::yield_now().await;
        if listeners.len() > 2000 {
            break;
        }
    }
    busy.await.unwrap();
    let now = sorted(world.identity.snapshot());
    assert_eq!(now.api_keys.len(), 26);
    for (mut held, mut changes) in listeners {
        let mut last = 0;
        while let Ok((revision, change)) = changes.try_recv() {
            assert!(revision > last, "in order");
            last = revision;
            if revision > held.revision {
                held.apply(change);
                held.revision = revision;
            }
        }
        assert_eq!(sorted(held), now);
    }
}

async fn revisions_of_a_later_run_are_higher(ground: Ground) {
    let world = World::new(ground).await;
    world.administrator().await;
    let before = world.identity.snapshot().revision;
    let world = world.restarted().await;
    assert!(world.identity.snapshot().revision > before);
}

async fn invited_people_are_nobody_yet(ground: Ground) {
    let world = World::new(ground).await;
    let link = world
        .identity
        .ensure_first_administrator(&world.system())
        .await
        .unwrap()
        .unwrap();
    assert!(world.identity.snapshot().subjects.is_empty());
    world.enrol(&link).await;
    let subjects = world.identity.snapshot().subjects;
    assert_eq!(subjects[0].roles, [model::own::ADMINISTRATOR]);
}

async fn a_view_that_could_not_be_read_is_read_again(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["support"]).await;
    let gone = crate::view::ViewChange::Public(IdentityChange::SubjectGone(ada.id));
    let inner = world.identity.inner();
    inner.view.apply([gone]);
    world.identity.tend().await.unwrap();
    assert!(
        world.context(&ada.cookie).await.is_none(),
        "not read without need"
    );
    inner.stale.store(true, std::sync::atomic::Ordering::SeqCst);
    let mut changes = world.identity.changes();
    world.identity.tend().await.unwrap();
    assert!(world.context(&ada.cookie).await.is_some());
    assert!(
        changes.try_recv().is_ok(),
        "the gateway is told of the difference"
    );
}
