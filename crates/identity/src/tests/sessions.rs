//! Sessions: how they end, and the fresh proof some things ask for.

use std::time::Duration;

use crate::{Error, NewPerson, Proof};
use model::{Clock as _, Method};

use super::fixture::{Ground, PASSWORD, World, full_key, secret};
use super::on_both;

on_both! {
    a_session_ends_when_unused_and_in_any_case
    a_stale_proof_is_not_enough_and_stepping_up_changes_the_secret
    signing_out_ends_what_came_out_of_the_session
    signing_out_of_a_host_ends_its_session_and_no_other
    people_end_their_own_sessions_and_only_those
    disabling_ends_everything_at_once
    a_changed_password_ends_the_other_sessions
    a_new_authenticator_counts_only_once_confirmed
    the_gateway_reports_use
}

async fn a_session_ends_when_unused_and_in_any_case(ground: Ground) {
    let world = World::new(ground).await;
    let settings = Ground::estate().identity.clone();
    let ada = world.somebody("ada", &[]).await;
    let begun = world.ground.clock.now();
    let nearly = settings.session_idle - Duration::from_secs(61);
    while world.ground.clock.now().after(nearly) < begun.after(settings.session_absolute) {
        world.ground.clock.advance(nearly);
        assert!(world.context(&ada.cookie).await.is_some(), "in use");
    }
    world.ground.clock.advance(nearly);
    world.ground.clock.advance(Duration::from_secs(61));
    assert!(
        world.context(&ada.cookie).await.is_none(),
        "its absolute end"
    );
    let bob = world.somebody("bob", &[]).await;
    world.ground.clock.advance(settings.session_idle);
    assert!(world.context(&bob.cookie).await.is_none(), "not used");
    world.identity.tend().await.unwrap();
    assert!(
        world
            .identity
            .all_sessions(&world.system())
            .await
            .unwrap()
            .is_empty()
    );
    assert!(world.context("").await.is_none());
    assert!(world.context(&"x".repeat(100_000)).await.is_none());
}

async fn a_stale_proof_is_not_enough_and_stepping_up_changes_the_secret(ground: Ground) {
    let world = World::new(ground).await;
    let admin = world.administrator().await;
    world
        .ground
        .clock
        .advance(Ground::estate().identity.step_up_after);
    let ctx = world.context(&admin.cookie).await.unwrap();
    let new = || NewPerson {
        login: "ada".into(),
        name: "Ada".into(),
        ..NewPerson::default()
    };
    assert!(matches!(
        world.identity.invite(&ctx, new()).await,
        Err(Error::StepUp)
    ));
    let renew = world.identity.renew_recovery_codes(&ctx).await;
    assert!(matches!(renew, Err(Error::StepUp)));
    let wrong = world
        .identity
        .step_up(&ctx, &Proof::Code(secret("123456")))
        .await;
    assert!(matches!(wrong, Err(Error::WrongCredentials)));
    let code = Proof::Code(secret(&world.code(&admin.seed)));
    let stepped = world.identity.step_up(&ctx, &code).await.unwrap();
    assert!(
        world.context(&admin.cookie).await.is_none(),
        "the old secret is dead"
    );
    let ctx = world.context(stepped.cookie.expose()).await.unwrap();
    let id = ctx.authentication.as_ref().unwrap().session.unwrap();
    assert_eq!(id, stepped.session.id, "the session is the same");
    assert!(world.identity.invite(&ctx, new()).await.is_ok());
    let codes = world.identity.renew_recovery_codes(&ctx).await.unwrap();
    assert_eq!(codes.iter().len(), 10);
    let replay = world.identity.step_up(&ctx, &code).await;
    assert!(
        matches!(replay, Err(Error::WrongCredentials)),
        "each code once"
    );
    let old = Proof::Recovery(secret(&admin.recovery[0]));
    assert!(
        world.identity.step_up(&ctx, &old).await.is_err(),
        "old recovery codes are dead"
    );
    let world = world.restarted().await;
    assert!(world.context(stepped.cookie.expose()).await.is_some());
    assert!(world.context(&admin.cookie).await.is_none());
}

async fn signing_out_ends_what_came_out_of_the_session(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let ctx = world.context(&ada.cookie).await.unwrap();
    let host = "orders.shop.example";
    let code = world.identity.origin_code(&ctx, host).await.unwrap();
    let (cookie, grant) = world
        .identity
        .exchange(code.expose(), host, world.request(), None)
        .await
        .unwrap();
    assert_eq!(grant.host, host);
    assert_eq!(grant.methods, [Method::Link, Method::Pwd, Method::Otp]);
    assert_eq!(world.identity.snapshot().sessions, [grant]);
    assert!(
        world.context(cookie.expose()).await.is_none(),
        "it is not for the console"
    );
    assert_eq!(
        world.identity.sessions(&ctx, ada.id).await.unwrap().len(),
        2
    );
    let waiting = world.identity.origin_code(&ctx, host).await.unwrap();
    world.identity.sign_out(&ctx).await.unwrap();
    assert!(world.context(&ada.cookie).await.is_none());
    assert!(world.identity.snapshot().sessions.is_empty());
    let late = world
        .identity
        .exchange(waiting.expose(), host, world.request(), None)
        .await;
    assert!(matches!(late, Err(Error::Spent)));
}

async fn signing_out_of_a_host_ends_its_session_and_no_other(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let ctx = world.context(&ada.cookie).await.unwrap();
    let begin = async |host: &str| {
        let code = world.identity.origin_code(&ctx, host).await.unwrap();
        let begun = world
            .identity
            .exchange(code.expose(), host, world.request(), None)
            .await;
        begun.unwrap().1
    };
    let (orders, stock) = ("orders.shop.example", "stock.shop.example");
    let (left, kept) = (begin(orders).await, begin(stock).await);
    let leave = async |id, host| {
        let identity = &world.identity;
        identity.sign_out_of(id, host, world.request(), None).await
    };
    let foreign = leave(left.id, stock).await;
    assert!(
        matches!(foreign, Err(Error::NotFound(_))),
        "a host ends its own sessions only"
    );
    leave(left.id, orders).await.unwrap();
    assert_eq!(world.identity.snapshot().sessions, [kept]);
    assert!(world.context(&ada.cookie).await.is_some());
    assert!(matches!(
        leave(left.id, orders).await,
        Err(Error::NotFound(_))
    ));
}

async fn people_end_their_own_sessions_and_only_those(ground: Ground) {
    let world = World::new(ground).await;
    let admin = world.administrator().await;
    let ada = world.somebody("ada", &[]).await;
    let second = world.sign_in(&ada).await.unwrap();
    let ctx = world.context(&ada.cookie).await.unwrap();
    let listed = world.identity.sessions(&ctx, ada.id).await.unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(
        listed[0].device, "Firefox on Linux",
        "a line of what the browser said"
    );
    assert_eq!(listed[0].address, Some("192.0.2.7".parse().unwrap()));
    let theirs = world.context(&admin.cookie).await.unwrap();
    let others = theirs.authentication.clone().unwrap().session.unwrap();
    let refused = world.identity.revoke_session(&ctx, others).await;
    assert!(matches!(refused, Err(Error::Denied(_))));
    assert_eq!(
        world.identity.revoke_sessions(&ctx, ada.id).await.unwrap(),
        1
    );
    assert!(world.context(second.cookie.expose()).await.is_none());
    let own = ctx.authentication.clone().unwrap().session.unwrap();
    world.identity.revoke_session(&theirs, own).await.unwrap();
    assert!(
        world.context(&ada.cookie).await.is_none(),
        "an administrator ends any"
    );
    let gone = world.identity.revoke_session(&theirs, own).await;
    assert!(matches!(gone, Err(Error::NotFound("session"))));
}

async fn disabling_ends_everything_at_once(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let ctx = world.context(&ada.cookie).await.unwrap();
    let key = full_key(&ctx, "ci");
    let key = world.identity.create_api_key(&ctx, key).await.unwrap();
    let link = world.identity.reissue(&world.system(), ada.id).await;
    let pending = world
        .identity
        .sign_in(&world.stranger("192.0.2.7"), "ada", secret(PASSWORD))
        .await;
    let request = crate::TokenRequest {
        audience: "orders".into(),
        permissions: None,
        life: Duration::from_secs(60),
    };
    let token = world.identity.issue_token(&ctx, request).await.unwrap();
    assert!(
        world
            .identity
            .verify_token(token.token.expose(), "orders")
            .is_some()
    );
    world
        .identity
        .disable(&world.system(), ada.id)
        .await
        .unwrap();
    assert!(world.context(&ada.cookie).await.is_none());
    let by_key = world
        .identity
        .authenticate_api_key(key.text.expose(), world.request(), None);
    assert!(by_key.await.unwrap().is_none());
    assert!(
        world
            .identity
            .verify_token(token.token.expose(), "orders")
            .is_none()
    );
    let snapshot = world.identity.snapshot();
    assert!(snapshot.subjects.is_empty() && snapshot.api_keys.is_empty());
    let link = link.unwrap();
    assert!(matches!(
        world.identity.enrolment(link.token.expose()).await,
        Err(Error::Spent)
    ));
    let proof = Proof::Code(secret(&world.code(&ada.seed)));
    let device = crate::tests::fixture::device();
    let (stranger, pending) = (world.stranger("192.0.2.7"), pending.unwrap());
    let late = world
        .identity
        .sign_in_confirm(&stranger, pending.token.expose(), &proof, &device)
        .await;
    assert!(matches!(late, Err(Error::Spent)));
    world
        .identity
        .enable(&world.system(), ada.id)
        .await
        .unwrap();
    assert!(world.sign_in(&ada).await.is_ok(), "credentials are kept");
    let by_key = world
        .identity
        .authenticate_api_key(key.text.expose(), world.request(), None);
    assert!(by_key.await.unwrap().is_none(), "keys have ended for good");
}

async fn a_changed_password_ends_the_other_sessions(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &[]).await;
    let other = world.sign_in(&ada).await.unwrap();
    let ctx = world.context(&ada.cookie).await.unwrap();
    let next = "a rather different phrase";
    let change = |present: &str, new: &str| {
        let (identity, ctx) = (world.identity.clone(), ctx.clone());
        let (present, new) = (secret(present), secret(new));
        async move { identity.change_password(&ctx, present, new).await }
    };
    assert!(matches!(
        change("wrong", next).await,
        Err(Error::WrongCredentials)
    ));
    assert!(matches!(
        change(PASSWORD, "password1234567").await,
        Err(Error::Password(_))
    ));
    change(PASSWORD, next).await.unwrap();
    assert!(world.context(&ada.cookie).await.is_some());
    assert!(world.context(other.cookie.expose()).await.is_none());
    assert!(matches!(
        world.sign_in(&ada).await,
        Err(Error::WrongCredentials)
    ));
    let stranger = world.stranger("192.0.2.8");
    assert!(
        world
            .identity
            .sign_in(&stranger, "ada", secret(next))
            .await
            .is_ok()
    );
    for _ in 0..5 {
        assert!(matches!(
            change("wrong", next).await,
            Err(Error::WrongCredentials)
        ));
    }
    assert!(
        matches!(change(next, PASSWORD).await, Err(Error::TooMany { .. })),
        "no place to guess"
    );
}

async fn a_new_authenticator_counts_only_once_confirmed(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &[]).await;
    let ctx = world.context(&ada.cookie).await.unwrap();
    let offer = world.identity.offer_totp(&ctx).await.unwrap();
    assert!(
        offer
            .uri
            .expose()
            .starts_with("otpauth://totp/acme:ada?secret=")
    );
    assert!(
        offer.picture.expose().starts_with("<svg") && offer.picture.expose().ends_with("</svg>")
    );
    let seed = crate::tests::fixture::base32(offer.seed.expose());
    assert!(
        world.sign_in(&ada).await.is_ok(),
        "the old one still counts"
    );
    let wrong = world.identity.confirm_totp(&ctx, "000000").await;
    assert!(matches!(wrong, Err(Error::WrongCredentials)));
    world
        .identity
        .confirm_totp(&ctx, &world.code(&seed))
        .await
        .unwrap();
    assert!(matches!(
        world.sign_in(&ada).await,
        Err(Error::WrongCredentials)
    ));
    let renewed = crate::tests::fixture::Somebody { seed, ..ada };
    assert!(world.sign_in(&renewed).await.is_ok());
}

async fn the_gateway_reports_use(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let ctx = world.context(&ada.cookie).await.unwrap();
    let host = "orders.shop.example";
    let code = world.identity.origin_code(&ctx, host).await.unwrap();
    let (_, grant) = world
        .identity
        .exchange(code.expose(), host, world.request(), None)
        .await
        .unwrap();
    let mut changes = world.identity.changes();
    world.advance(600);
    let ahead = world
        .ground
        .clock
        .now()
        .after(Duration::from_secs(1_000_000));
    world
        .identity
        .sessions_seen(vec![(grant.id, ahead)])
        .await
        .unwrap();
    let held = world.identity.snapshot().sessions.remove(0);
    let idle = Ground::estate().identity.session_idle;
    let expected = world.ground.clock.now().after(idle).min(grant.absolute_at);
    assert_eq!(held.idle_at, expected, "a clock ahead gains nothing");
    assert!(changes.try_recv().is_ok());
    world.identity.tend().await.unwrap();
    let world = world.restarted().await;
    assert_eq!(
        world.identity.snapshot().sessions[0].idle_at,
        expected,
        "written"
    );
}
