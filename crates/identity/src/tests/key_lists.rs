//! Keys that ended stay listed for ever, so that every list of them is a page.

use std::time::Duration;

use model::{ApiKeyId, Clock as _, Context};

use super::fixture::{Ground, World};
use super::on_both;
use crate::{KEYS_PAGE_MAX, NewApiKey};

on_both! {
    keys_are_listed_page_by_page_and_each_once
    no_page_holds_more_keys_than_the_limit
    own_keys_that_work_stand_before_those_that_ended
}

async fn make(world: &World, ctx: &Context, ends: Option<Duration>) -> ApiKeyId {
    let new = NewApiKey {
        name: "ci".into(),
        permissions: std::iter::once("orders:read".parse().unwrap()).collect(),
        networks: Vec::new(),
        expires_at: ends.map(|after| world.ground.clock.now().after(after)),
        owner: None,
    };
    // Ids ascend with the clock.
    world.ground.clock.advance(Duration::from_millis(1));
    let made = world.identity.create_api_key(ctx, new).await;
    made.unwrap().key.id
}

async fn keys_are_listed_page_by_page_and_each_once(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let bob = world.somebody("bob", &["reader"]).await;
    let ada = world.context(&ada.cookie).await.unwrap();
    let bob = world.context(&bob.cookie).await.unwrap();
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(make(&world, &ada, None).await);
        make(&world, &bob, None).await;
    }
    made.reverse();
    world.identity.revoke_api_key(&ada, made[1]).await.unwrap();
    let (mut listed, mut before, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = world.identity.api_keys(&ada, before, 2).await.unwrap();
        listed.extend(page.keys.iter().map(|key| key.id));
        pages += 1;
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!((listed, pages), (made, 3));
    let everybody = world.identity.api_keys(&world.system(), None, 100).await;
    let everybody = everybody.unwrap();
    assert_eq!((everybody.keys.len(), everybody.next), (10, None));
}

async fn no_page_holds_more_keys_than_the_limit(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let ada = world.context(&ada.cookie).await.unwrap();
    for _ in 0..=KEYS_PAGE_MAX {
        let id = make(&world, &ada, None).await;
        world.identity.revoke_api_key(&ada, id).await.unwrap();
    }
    let page = world.identity.api_keys(&ada, None, u32::MAX).await.unwrap();
    assert_eq!(page.keys.len(), 200);
    let rest = world.identity.api_keys(&ada, page.next, 1).await.unwrap();
    assert_eq!((rest.keys.len(), rest.next), (1, None));
}

async fn own_keys_that_work_stand_before_those_that_ended(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let ada = world.context(&ada.cookie).await.unwrap();
    let works = make(&world, &ada, None).await;
    let ended = make(&world, &ada, Some(Duration::from_secs(1))).await;
    let revoked = make(&world, &ada, None).await;
    world.identity.revoke_api_key(&ada, revoked).await.unwrap();
    world.ground.clock.advance(Duration::from_secs(2));
    let own = world.identity.own_api_keys(&ada).await.unwrap();
    let own: Vec<_> = own.iter().map(|key| key.id).collect();
    assert_eq!(own, [works, ended]);
}
