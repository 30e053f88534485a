//! Signing in, and what guessing costs.

use std::time::Duration;

use crate::{Error, Proof};

use super::fixture::{Ground, PASSWORD, World, device, secret};
use super::on_both;

on_both! {
    unknown_wrong_and_disabled_get_one_answer
    guessing_a_password_slows_down_from_the_fifth_failure
    a_right_password_clears_the_account_but_not_the_address
    a_code_works_once_and_five_wrong_ones_end_the_sign_in
    a_recovery_code_signs_in_once
    a_flood_of_failures_is_counted_not_written_out
    a_sign_in_left_alone_ends
}

async fn unknown_wrong_and_disabled_get_one_answer(ground: Ground) {
    let world = World::new(ground).await;
    world.administrator().await;
    let ada = world.somebody("ada", &[]).await;
    world.somebody("bob", &[]).await;
    world
        .identity
        .disable(&world.system(), ada.id)
        .await
        .unwrap();
    let mut told = Vec::new();
    for (login, password, address) in [
        ("nobody", PASSWORD, "192.0.2.1"),
        ("bob", "wrong horse battery", "192.0.2.2"),
        ("ada", PASSWORD, "192.0.2.3"),
        ("no such \n login at all", PASSWORD, "192.0.2.4"),
        ("bob", &"x".repeat(10_000), "192.0.2.5"),
    ] {
        let ctx = world.stranger(address);
        let error = world
            .identity
            .sign_in(&ctx, login, secret(password))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::WrongCredentials), "{login}: {error}");
        told.push(error.to_string());
    }
    told.dedup();
    assert_eq!(told.len(), 1);
}

async fn guessing_a_password_slows_down_from_the_fifth_failure(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &[]).await;
    for login in ["ada", "nobody"] {
        for number in 0..5 {
            let ctx = world.stranger(&format!("198.51.100.{number}"));
            let error = world
                .identity
                .sign_in(&ctx, login, secret("wrong"))
                .await
                .unwrap_err();
            assert!(
                matches!(error, Error::WrongCredentials),
                "{number}: {error}"
            );
        }
        let ctx = world.stranger("203.0.113.9");
        let refused = world
            .identity
            .sign_in(&ctx, login, secret(PASSWORD))
            .await
            .unwrap_err();
        let Error::TooMany { retry_after } = refused else {
            panic!("{refused}")
        };
        assert!(
            retry_after <= Duration::from_secs(1),
            "{login}: {retry_after:?}"
        );
    }
    world.advance(1);
    assert!(
        world.sign_in(&ada).await.is_ok(),
        "nobody is locked out for good"
    );
}

async fn a_right_password_clears_the_account_but_not_the_address(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &[]).await;
    let ctx = world.stranger("198.51.100.1");
    // Twenty other accounts from one address: the address is slowed down as a whole.
    for number in 0..21 {
        let login = format!("user{number}");
        let wrong = world.identity.sign_in(&ctx, &login, secret("wrong")).await;
        assert!(matches!(wrong, Err(Error::WrongCredentials)), "{number}");
    }
    let slowed = world.identity.sign_in(&ctx, "ada", secret(PASSWORD)).await;
    assert!(matches!(slowed, Err(Error::TooMany { .. })));
    assert!(world.sign_in(&ada).await.is_ok(), "from elsewhere");
    world.advance(1);
    assert!(
        world
            .identity
            .sign_in(&ctx, "ada", secret(PASSWORD))
            .await
            .is_ok()
    );
    let wrong = world.identity.sign_in(&ctx, "other", secret("wrong")).await;
    assert!(matches!(
        wrong,
        Err(Error::TooMany { .. } | Error::WrongCredentials)
    ));
    let slowed = world.identity.sign_in(&ctx, "third", secret("wrong")).await;
    assert!(
        matches!(slowed, Err(Error::TooMany { .. })),
        "its failures were kept"
    );
}

async fn a_code_works_once_and_five_wrong_ones_end_the_sign_in(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &[]).await;
    let ctx = world.stranger("192.0.2.7");
    let begin = || world.identity.sign_in(&ctx, "ada", secret(PASSWORD));
    let code = Proof::Code(secret(&world.code(&ada.seed)));
    let first = begin().await.unwrap();
    let confirm = |token: String, proof: Proof| {
        let (identity, ctx) = (world.identity.clone(), ctx.clone());
        async move {
            identity
                .sign_in_confirm(&ctx, &token, &proof, &device())
                .await
        }
    };
    assert!(
        confirm(first.token.expose().clone(), code.clone())
            .await
            .is_ok()
    );
    let spent = confirm(first.token.expose().clone(), code.clone()).await;
    assert!(
        matches!(spent, Err(Error::Spent)),
        "one session for one sign-in"
    );
    let second = begin().await.unwrap();
    let replayed = confirm(second.token.expose().clone(), code.clone()).await;
    assert!(
        matches!(replayed, Err(Error::WrongCredentials)),
        "each code once"
    );
    let wrong = Proof::Code(secret("000000"));
    for _ in 0..4 {
        let refused = confirm(second.token.expose().clone(), wrong.clone()).await;
        assert!(matches!(refused, Err(Error::WrongCredentials)));
    }
    world.advance(30);
    let right = Proof::Code(secret(&world.code(&ada.seed)));
    let over = confirm(second.token.expose().clone(), right).await;
    assert!(matches!(over, Err(Error::Spent)), "five tries");
    let third = begin().await.unwrap();
    let right = Proof::Code(secret(&world.code(&ada.seed)));
    let waits = confirm(third.token.expose().clone(), right).await;
    assert!(
        matches!(waits, Err(Error::TooMany { .. })),
        "a new sign-in gives no new tries"
    );
    world.advance(5 * 60);
    assert!(world.sign_in(&ada).await.is_ok());
}

async fn a_recovery_code_signs_in_once(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &[]).await;
    let ctx = world.stranger("192.0.2.7");
    let code = ada.recovery[3].to_lowercase().replace('-', " ");
    for expected in [true, false] {
        let pending = world
            .identity
            .sign_in(&ctx, "ada", secret(PASSWORD))
            .await
            .unwrap();
        let proof = Proof::Recovery(secret(&code));
        let token = pending.token.expose();
        let confirmed = world
            .identity
            .sign_in_confirm(&ctx, token, &proof, &device())
            .await;
        assert_eq!(confirmed.is_ok(), expected);
        if let Ok(signed_in) = confirmed {
            let own = world.context(signed_in.cookie.expose()).await.unwrap();
            assert_eq!(
                world
                    .identity
                    .recovery_codes_left(&own, ada.id)
                    .await
                    .unwrap(),
                9
            );
        }
    }
    assert!(
        world
            .recorded()
            .await
            .iter()
            .any(|kind| kind == "identity.recovery_code.used")
    );
}

async fn a_flood_of_failures_is_counted_not_written_out(ground: Ground) {
    let world = World::new(ground).await;
    world.somebody("ada", &[]).await;
    let before = world.recorded().await.len();
    let ctx = world.stranger("198.51.100.1");
    for _ in 0..100 {
        world
            .identity
            .sign_in(&ctx, "ada", secret("wrong"))
            .await
            .unwrap_err();
    }
    assert_eq!(
        world.recorded().await.len(),
        before + 1,
        "the first at once"
    );
    world.advance(1);
    world.identity.tend().await.unwrap();
    assert_eq!(world.recorded().await.len(), before + 2, "the rest in one");
    let query = trail::Query {
        limit: 1,
        ..trail::Query::default()
    };
    let newest = world.trail.search(&query).await.unwrap();
    assert_eq!(newest.records[0].event.detail["count"], 99);
}

async fn a_sign_in_left_alone_ends(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &[]).await;
    let ctx = world.stranger("192.0.2.7");
    let pending = world
        .identity
        .sign_in(&ctx, "ada", secret(PASSWORD))
        .await
        .unwrap();
    world.advance(5 * 60);
    let proof = Proof::Code(secret(&world.code(&ada.seed)));
    let (token, device) = (pending.token.expose(), device());
    let late = world
        .identity
        .sign_in_confirm(&ctx, token, &proof, &device)
        .await;
    assert!(matches!(late, Err(Error::Spent)));
}
