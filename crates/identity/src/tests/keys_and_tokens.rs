//! API keys and access tokens: never more than their owner, and only for so long.

use std::time::Duration;

use crate::{ApiKey, Error, KEYS_PAGE_MAX, NewApiKey, TokenRequest};
use model::{Clock as _, Context, PermissionSet, PrincipalKind};

use super::fixture::{Ground, World};
use super::on_both;

on_both! {
    a_key_never_exceeds_its_owner
    a_local_administrator_makes_keys_for_others_within_their_rights
    a_key_works_only_from_its_networks_and_until_its_end
    a_revoked_key_is_dead_and_others_keys_are_not_there
    a_dead_key_is_listed_for_a_year
    a_token_says_what_it_may_and_for_whom
    a_token_is_not_issued_beyond_its_caller
    a_token_that_was_touched_is_refused
    a_revoked_token_is_refused
    the_next_signing_key_is_known_before_it_signs
    use_of_a_key_is_noted
}

fn set(all: &[&str]) -> PermissionSet {
    all.iter().map(|text| text.parse().unwrap()).collect()
}

fn key(permissions: &[&str]) -> NewApiKey {
    NewApiKey {
        name: "ci".into(),
        permissions: set(permissions),
        networks: Vec::new(),
        expires_at: None,
        owner: None,
    }
}

async fn by_key(world: &World, text: &str, from: Option<&str>) -> Option<Context> {
    let from = from.map(|address| address.parse().unwrap());
    world
        .identity
        .authenticate_api_key(text, world.request(), from)
        .await
        .unwrap()
}

async fn listed(world: &World, ctx: &Context) -> Vec<ApiKey> {
    let page = world.identity.api_keys(ctx, None, KEYS_PAGE_MAX).await;
    page.unwrap().keys
}

async fn a_key_never_exceeds_its_owner(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["support"]).await;
    let ctx = world.context(&ada.cookie).await.unwrap();
    let more = world
        .identity
        .create_api_key(&ctx, key(&["orders:delete"]))
        .await;
    assert!(matches!(more, Err(Error::Exceeds(_))));
    let pattern = world
        .identity
        .create_api_key(&ctx, key(&["orders:*"]))
        .await;
    assert!(matches!(pattern, Err(Error::Exceeds(_))));
    let empty = world.identity.create_api_key(&ctx, key(&[])).await;
    assert!(matches!(
        empty,
        Err(Error::Invalid {
            field: "permissions",
            ..
        })
    ));
    let made = world
        .identity
        .create_api_key(&ctx, key(&["orders:read", "orders:refund"]))
        .await;
    let made = made.unwrap();
    let by = by_key(&world, made.text.expose(), None).await.unwrap();
    assert_eq!(by.principal.kind, PrincipalKind::ApiKey);
    assert_eq!(by.permissions, set(&["orders:read", "orders:refund"]));
    let again = world
        .identity
        .create_api_key(&by, key(&["orders:read"]))
        .await;
    assert!(
        matches!(again, Err(Error::NotAPerson)),
        "a key makes no keys"
    );
    let held = world.identity.bindings(&ctx, Some(ada.id)).await.unwrap();
    let mut system = world.system();
    system.permissions = system
        .permissions
        .iter()
        .cloned()
        .chain(set(&["orders:read", "orders:refund"]).iter().cloned())
        .collect();
    world
        .identity
        .revoke_binding(&system, held[0].id)
        .await
        .unwrap();
    let by = by_key(&world, made.text.expose(), None).await.unwrap();
    assert!(
        by.permissions.is_empty(),
        "what the owner loses the key loses"
    );
}

async fn a_local_administrator_makes_keys_for_others_within_their_rights(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let ada_ctx = world.context(&ada.cookie).await.unwrap();
    let owner: model::PersonId = ada_ctx.principal.id.parse().unwrap();
    let of_ada = |permissions: &[&str]| NewApiKey {
        owner: Some(owner),
        ..key(permissions)
    };
    let system = world.system();
    let made = world
        .identity
        .create_api_key(&system, of_ada(&["orders:read"]));
    let made = made.await.unwrap();
    assert_eq!(made.key.owner, owner);
    let by = by_key(&world, made.text.expose(), None).await.unwrap();
    assert_eq!(by.principal.kind, PrincipalKind::ApiKey);
    let more = world
        .identity
        .create_api_key(&system, of_ada(&["orders:refund"]))
        .await;
    assert!(
        matches!(more, Err(Error::Exceeds(_))),
        "not what the administrator may"
    );
    let nobody = NewApiKey {
        owner: Some(model::PersonId::from_raw(1)),
        ..key(&["orders:read"])
    };
    let nobody = world.identity.create_api_key(&system, nobody).await;
    assert!(matches!(nobody, Err(Error::NotFound("person"))));
    // A session names no owner, not even its own; nor does an administrator's.
    let root = world.administrator().await;
    let root = world.context(&root.cookie).await.unwrap();
    for ctx in [&ada_ctx, &root] {
        let refused = world
            .identity
            .create_api_key(ctx, of_ada(&["orders:read"]))
            .await;
        assert!(matches!(refused, Err(Error::NotLocal | Error::Denied(_))));
    }
}

async fn a_key_works_only_from_its_networks_and_until_its_end(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let ctx = world.context(&ada.cookie).await.unwrap();
    let end = world.ground.clock.now().after(Duration::from_secs(120));
    let new = NewApiKey {
        networks: vec!["192.0.2.0/24".parse().unwrap()],
        expires_at: Some(end),
        ..key(&["orders:read"])
    };
    let made = world.identity.create_api_key(&ctx, new).await.unwrap();
    let text = made.text.expose();
    assert!(by_key(&world, text, Some("192.0.2.9")).await.is_some());
    assert!(
        by_key(&world, text, Some("::ffff:192.0.2.9"))
            .await
            .is_some()
    );
    assert!(by_key(&world, text, Some("198.51.100.1")).await.is_none());
    assert!(
        by_key(&world, text, None).await.is_none(),
        "from nowhere is not from there"
    );
    world.advance(120);
    assert!(by_key(&world, text, Some("192.0.2.9")).await.is_none());
    let past = NewApiKey {
        expires_at: Some(end),
        ..key(&["orders:read"])
    };
    let past = world.identity.create_api_key(&ctx, past).await;
    assert!(matches!(
        past,
        Err(Error::Invalid {
            field: "expires_at",
            ..
        })
    ));
    for wrong in [
        "",
        "rk_",
        "rk_00000000_x_y",
        text.strip_suffix(|_: char| true).unwrap(),
    ] {
        assert!(
            by_key(&world, wrong, Some("192.0.2.9")).await.is_none(),
            "{wrong}"
        );
    }
}

async fn a_revoked_key_is_dead_and_others_keys_are_not_there(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let bob = world.somebody("bob", &["reader"]).await;
    let (ada, bob) = (
        world.context(&ada.cookie).await.unwrap(),
        world.context(&bob.cookie).await.unwrap(),
    );
    let made = world
        .identity
        .create_api_key(&ada, key(&["orders:read"]))
        .await
        .unwrap();
    assert!(listed(&world, &bob).await.is_empty());
    let foreign = world.identity.revoke_api_key(&bob, made.key.id).await;
    assert!(matches!(foreign, Err(Error::NotFound(_))));
    assert_eq!(listed(&world, &ada).await.len(), 1);
    world
        .identity
        .revoke_api_key(&ada, made.key.id)
        .await
        .unwrap();
    assert!(by_key(&world, made.text.expose(), None).await.is_none());
    let stranger = world.stranger("192.0.2.1");
    assert!(matches!(
        world.identity.api_keys(&stranger, None, 1).await,
        Err(Error::Denied(_))
    ));
    assert!(
        listed(&world, &world.system()).await[0]
            .revoked_at
            .is_some()
    );
    let world = world.restarted().await;
    assert!(by_key(&world, made.text.expose(), None).await.is_none());
}

async fn a_dead_key_is_listed_for_a_year(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let ada = world.context(&ada.cookie).await.unwrap();
    let made = async |expires_at| {
        // Ids of one moment have no order.
        world.ground.clock.advance(Duration::from_millis(1));
        let new = NewApiKey {
            expires_at,
            ..key(&["orders:read"])
        };
        let made = world.identity.create_api_key(&ada, new).await;
        made.unwrap().key.id
    };
    let day = Duration::from_hours(24);
    let now = world.ground.clock.now();
    let (revoked, ended, alive) = (
        made(None).await,
        made(Some(now.after(day))).await,
        made(None).await,
    );
    let revoke = world.identity.revoke_api_key(&ada, revoked);
    revoke.await.unwrap();
    let ids = async || {
        world.identity.tend().await.unwrap();
        let keys = listed(&world, &world.system()).await;
        keys.iter().map(|key| key.id).collect::<Vec<_>>()
    };
    world.ground.clock.advance(day * 364);
    assert_eq!(ids().await, [alive, ended, revoked]);
    world.ground.clock.advance(day);
    assert_eq!(ids().await, [alive, ended]);
    world.ground.clock.advance(day);
    assert_eq!(ids().await, [alive]);
}

fn request(audience: &str, seconds: u64) -> TokenRequest {
    let life = Duration::from_secs(seconds);
    TokenRequest {
        audience: audience.into(),
        permissions: None,
        life,
    }
}

async fn a_token_says_what_it_may_and_for_whom(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let ctx = world.context(&ada.cookie).await.unwrap();
    let issued = world
        .identity
        .issue_token(&ctx, request("orders", 600))
        .await
        .unwrap();
    let text = issued.token.expose();
    let token = world.identity.verify_token(text, "orders").unwrap();
    assert_eq!(
        (token.person, token.permissions),
        (ada.id, set(&["orders:read"]))
    );
    assert!(
        world.identity.verify_token(text, "other").is_none(),
        "another audience"
    );
    // Another implementation reads it with the published keys.
    let jwks: jsonwebtoken::jwk::JwkSet = serde_json::from_value(world.identity.jwks()).unwrap();
    let head = jsonwebtoken::decode_header(text).unwrap();
    assert_eq!(
        (head.typ.as_deref(), head.alg),
        (Some("at+jwt"), jsonwebtoken::Algorithm::EdDSA)
    );
    let jwk = jwks.find(&head.kid.unwrap()).unwrap();
    let decoding = jsonwebtoken::DecodingKey::from_jwk(jwk).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    rules.set_audience(&["orders"]);
    rules.set_issuer(&["https://rampart.shop.example"]);
    // The test's clock is not this machine's.
    rules.validate_exp = false;
    let read = jsonwebtoken::decode::<serde_json::Value>(text, &decoding, &rules).unwrap();
    assert_eq!(read.claims["sub"], ada.id.to_string());
    assert_eq!(read.claims["scope"], "orders:read");
    world.advance(600);
    assert!(
        world.identity.verify_token(text, "orders").is_none(),
        "its end"
    );
}

async fn a_token_is_not_issued_beyond_its_caller(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let ctx = world.context(&ada.cookie).await.unwrap();
    for wrong in [
        request("orders", 601),
        request("orders", 0),
        request("nowhere", 60),
    ] {
        assert!(matches!(
            world.identity.issue_token(&ctx, wrong).await,
            Err(Error::Invalid { .. })
        ));
    }
    let more = TokenRequest {
        permissions: Some(set(&["orders:refund"])),
        ..request("orders", 60)
    };
    assert!(matches!(
        world.identity.issue_token(&ctx, more).await,
        Err(Error::Exceeds(_))
    ));
    let made = world
        .identity
        .create_api_key(&ctx, key(&["orders:read"]))
        .await
        .unwrap();
    let program = by_key(&world, made.text.expose(), None).await.unwrap();
    assert!(
        world
            .identity
            .issue_token(&program, request("orders", 60))
            .await
            .is_ok()
    );
    let nobody = world
        .identity
        .issue_token(&world.system(), request("orders", 60))
        .await;
    assert!(matches!(nobody, Err(Error::NotAPerson)));
}

async fn a_token_that_was_touched_is_refused(ground: Ground) {
    use base64::Engine as _;
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let ctx = world.context(&ada.cookie).await.unwrap();
    let issued = world
        .identity
        .issue_token(&ctx, request("orders", 600))
        .await
        .unwrap();
    let text = issued.token.expose().clone();
    let verify = |text: &str| world.identity.verify_token(text, "orders").is_some();
    assert!(verify(&text));
    let parts: Vec<&str> = text.split('.').collect();
    let base = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let head = String::from_utf8(base.decode(parts[0]).unwrap()).unwrap();
    for (from, to) in [
        ("at+jwt", "JWT"),
        ("EdDSA", "none"),
        ("EdDSA", "HS256"),
        ("\"kid\"", "\"jku\":\"https://evil.example\",\"kid\""),
    ] {
        let touched = base.encode(head.replace(from, to));
        assert!(
            !verify(&format!("{touched}.{}.{}", parts[1], parts[2])),
            "{to}"
        );
    }
    let claims = String::from_utf8(base.decode(parts[1]).unwrap()).unwrap();
    let more = base.encode(claims.replace("orders:read", "orders:*"));
    assert!(!verify(&format!("{}.{more}.{}", parts[0], parts[2])));
    for wrong in [
        String::new(),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{text}.x"),
        format!("x{text}"),
        "a".repeat(1 << 20),
    ] {
        assert!(!verify(&wrong));
    }
}

async fn a_revoked_token_is_refused(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let bob = world.somebody("bob", &["reader"]).await;
    let bob = world.context(&bob.cookie).await.unwrap();
    let ctx = world.context(&ada.cookie).await.unwrap();
    let issue = || world.identity.issue_token(&ctx, request("orders", 600));
    let (own, other) = (issue().await.unwrap(), issue().await.unwrap());
    let verify = |text: &str| world.identity.verify_token(text, "orders").is_some();
    let foreign = world
        .identity
        .revoke_own_token(&bob, own.token.expose(), "orders")
        .await;
    assert!(matches!(foreign, Err(Error::NotFound("token"))));
    world
        .identity
        .revoke_own_token(&ctx, own.token.expose(), "orders")
        .await
        .unwrap();
    assert!(!verify(own.token.expose()) && verify(other.token.expose()));
    world
        .identity
        .revoke_token(&world.system(), &other.jti)
        .await
        .unwrap();
    assert!(!verify(other.token.expose()));
    assert_eq!(world.identity.snapshot().revoked_tokens.len(), 2);
    for wrong in ["", "x", &"'".repeat(43)] {
        let refused = world.identity.revoke_token(&world.system(), wrong).await;
        assert!(
            matches!(refused, Err(Error::Invalid { field: "jti", .. })),
            "{wrong}"
        );
    }
    let world = world.restarted().await;
    assert!(
        world
            .identity
            .verify_token(own.token.expose(), "orders")
            .is_none()
    );
    world.advance(700);
    world.identity.tend().await.unwrap();
    assert!(
        world.identity.snapshot().revoked_tokens.is_empty(),
        "forgotten after their end"
    );
}

async fn the_next_signing_key_is_known_before_it_signs(ground: Ground) {
    let world = World::new(ground).await;
    let day = Duration::from_secs(24 * 3600);
    let first = world.identity.snapshot().token_keys;
    assert_eq!(first.len(), 1);
    let mut changes = world.identity.changes();
    world.ground.clock.advance(day * 29);
    world.identity.tend().await.unwrap();
    let both = world.identity.snapshot().token_keys;
    assert_eq!(both.len(), 2, "published a day ahead");
    assert!(changes.try_recv().is_ok());
    let kid = |world: &World, text: &str| {
        let _ = world;
        jsonwebtoken::decode_header(text).unwrap().kid.unwrap()
    };
    let ada = world.somebody("ada", &["reader"]).await;
    let ctx = world.context(&ada.cookie).await.unwrap();
    let issued = world
        .identity
        .issue_token(&ctx, request("orders", 600))
        .await
        .unwrap();
    assert_eq!(
        kid(&world, issued.token.expose()),
        first[0].id.to_string(),
        "the old one signs"
    );
    world.ground.clock.advance(day - Duration::from_secs(120));
    let ada = world.sign_in(&ada).await.unwrap();
    let ctx = world.context(ada.cookie.expose()).await.unwrap();
    let last = world
        .identity
        .issue_token(&ctx, request("orders", 600))
        .await
        .unwrap();
    world.advance(60);
    let next = world
        .identity
        .issue_token(&ctx, request("orders", 600))
        .await
        .unwrap();
    assert_ne!(
        kid(&world, next.token.expose()),
        kid(&world, last.token.expose())
    );
    for token in [&last, &next] {
        let good = world.identity.verify_token(token.token.expose(), "orders");
        assert!(good.is_some(), "the retired key verifies what it signed");
    }
    world.advance(3600);
    world.identity.tend().await.unwrap();
    let world = world.restarted().await;
    assert_eq!(
        world.identity.snapshot().token_keys.len(),
        1,
        "then it goes"
    );
}

async fn use_of_a_key_is_noted(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let ctx = world.context(&ada.cookie).await.unwrap();
    let made = world
        .identity
        .create_api_key(&ctx, key(&["orders:read"]))
        .await
        .unwrap();
    assert_eq!(made.key.seen_at, None);
    assert!(by_key(&world, made.text.expose(), None).await.is_some());
    world.identity.tend().await.unwrap();
    assert_eq!(
        listed(&world, &ctx).await[0].seen_at,
        Some(world.ground.clock.now())
    );
}
