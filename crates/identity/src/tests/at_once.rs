//! One-time things shown twice at the same moment: exactly one wins.

use std::future::Future;

use crate::{Error, Proof};

use super::fixture::{Ground, PASSWORD, World, device, secret};
use super::on_both;

on_both! {
    one_totp_code_makes_one_session
    one_enrolment_link_makes_one_set_of_credentials
    one_recovery_code_makes_one_session
    one_exchange_code_makes_one_session
    one_role_is_given_once
}

/// Runs two of the same at once; says how many succeeded.
async fn both<T, F>(first: F, second: F) -> usize
where
    T: Send + 'static,
    F: Future<Output = Result<T, Error>> + Send + 'static,
{
    let (first, second) = (tokio::spawn(first), tokio::spawn(second));
    [first.await.unwrap(), second.await.unwrap()]
        .iter()
        .filter(|done| done.is_ok())
        .count()
}

async fn sessions_by(world: &World, proof: Proof) -> usize {
    let ctx = world.stranger("192.0.2.7");
    let mut pending = Vec::new();
    for _ in 0..2 {
        pending.push(
            world
                .identity
                .sign_in(&ctx, "ada", secret(PASSWORD))
                .await
                .unwrap(),
        );
    }
    let confirm = |token: String| {
        let (identity, ctx, proof) = (world.identity.clone(), ctx.clone(), proof.clone());
        async move {
            identity
                .sign_in_confirm(&ctx, &token, &proof, &device())
                .await
        }
    };
    let [a, b] = [0, 1].map(|n: usize| confirm(pending[n].token.expose().clone()));
    both(a, b).await
}

async fn one_totp_code_makes_one_session(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &[]).await;
    let code = world.code(&ada.seed);
    assert_eq!(sessions_by(&world, Proof::Code(secret(&code))).await, 1);
}

async fn one_recovery_code_makes_one_session(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &[]).await;
    assert_eq!(
        sessions_by(&world, Proof::Recovery(secret(&ada.recovery[0]))).await,
        1
    );
}

async fn one_enrolment_link_makes_one_set_of_credentials(ground: Ground) {
    let world = World::new(ground).await;
    let link = world
        .identity
        .ensure_first_administrator(&world.system())
        .await
        .unwrap()
        .unwrap();
    let ctx = world.stranger("192.0.2.7");
    let token = link.token.expose().clone();
    world
        .identity
        .enrol_password(&ctx, &token, secret(PASSWORD))
        .await
        .unwrap();
    let offer = world
        .identity
        .enrolment_totp(&token)
        .await
        .unwrap()
        .unwrap();
    let code = world.code(&crate::tests::fixture::base32(offer.seed.expose()));
    let confirm = || {
        let (identity, ctx) = (world.identity.clone(), ctx.clone());
        let (token, code) = (token.clone(), code.clone());
        async move { identity.enrol_confirm(&ctx, &token, &code, &device()).await }
    };
    assert_eq!(both(confirm(), confirm()).await, 1);
}

async fn one_exchange_code_makes_one_session(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let ctx = world.context(&ada.cookie).await.unwrap();
    let host = "orders.shop.example";
    let code = world.identity.origin_code(&ctx, host).await.unwrap();
    let exchange = || {
        let (identity, code) = (world.identity.clone(), code.expose().clone());
        let request = world.request();
        async move { identity.exchange(&code, host, request, None).await }
    };
    assert_eq!(both(exchange(), exchange()).await, 1);
    let other = world.identity.origin_code(&ctx, host).await.unwrap();
    let elsewhere = world
        .identity
        .exchange(other.expose(), "evil.example", world.request(), None);
    assert!(matches!(elsewhere.await, Err(Error::Spent)));
    let again = world
        .identity
        .exchange(other.expose(), host, world.request(), None)
        .await;
    assert!(
        matches!(again, Err(Error::Spent)),
        "shown to another host it is used up"
    );
    let late = world.identity.origin_code(&ctx, host).await.unwrap();
    world.advance(61);
    let late = world
        .identity
        .exchange(late.expose(), host, world.request(), None)
        .await;
    assert!(matches!(late, Err(Error::Spent)));
    for wrong in [
        "rampart.shop.example",
        "other.example",
        "orders.shop.example:8443",
        "",
    ] {
        assert!(
            world.identity.origin_code(&ctx, wrong).await.is_err(),
            "{wrong}"
        );
    }
}

async fn one_role_is_given_once(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &[]).await;
    let grant = || {
        let (identity, ctx) = (world.identity.clone(), world.system());
        async move {
            identity
                .grant(&ctx, ada.id, crate::BindingKind::Role, "auditor", None)
                .await
        }
    };
    assert_eq!(both(grant(), grant()).await, 1);
}
