use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use serde_json::Value;

use super::*;
use crate::caller::{Proof, Who};
use crate::directory::Directory;
use crate::directory::tests::{HOUR, at, grant, subject};
use model::snapshot::IdentitySnapshot;

fn directory(roles: &[&str]) -> Directory {
    let directory = Directory::default();
    directory.replace(IdentitySnapshot {
        subjects: vec![subject(1, roles)],
        sessions: vec![grant(3, 1, "shop.example")],
        ..IdentitySnapshot::default()
    });
    directory
}

fn caller(directory: &Directory) -> Caller {
    let digest = [3; 32];
    let (session, person) = directory
        .session(&digest, "shop.example", at(0), HOUR)
        .unwrap();
    Caller {
        who: Who::Person(person),
        proof: Proof::Session(session),
        digest,
    }
}

const AUDIENCE: Audience<'static> = Audience {
    target: 1,
    name: "orders",
    issuer: "https://id.example",
};

fn claims(value: &HeaderValue) -> Value {
    let payload = value.to_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[test]
fn assertion_verifies_with_the_published_key_and_says_who_for_a_minute() {
    let signer = Signer::new("k1".to_owned(), &[7; 32]).unwrap();
    let value = signer
        .assertion(&caller(&directory(&["support"])), AUDIENCE, at(0))
        .unwrap();
    let (signed, signature) = value.to_str().unwrap().rsplit_once('.').unwrap();
    let x = signer.jwk()["x"].as_str().unwrap().to_owned();
    UnparsedPublicKey::new(&ED25519, URL_SAFE_NO_PAD.decode(x).unwrap())
        .verify(
            signed.as_bytes(),
            &URL_SAFE_NO_PAD.decode(signature).unwrap(),
        )
        .unwrap();
    let claims = claims(&value);
    assert_eq!(claims["aud"], "orders");
    assert_eq!(claims["iss"], "https://id.example");
    assert_eq!(claims["email"], "p1@example.org");
    assert_eq!(claims["roles"], serde_json::json!(["support"]));
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        60
    );
}

#[test]
fn assertion_is_made_once_in_half_a_minute_and_for_one_audience() {
    let signer = Signer::new("k1".to_owned(), &[7; 32]).unwrap();
    let caller = caller(&directory(&[]));
    let first = signer.assertion(&caller, AUDIENCE, at(0)).unwrap();
    assert_eq!(signer.assertion(&caller, AUDIENCE, at(29)).unwrap(), first);
    assert_ne!(signer.assertion(&caller, AUDIENCE, at(30)).unwrap(), first);
    let other = Audience {
        target: 2,
        name: "billing",
        ..AUDIENCE
    };
    let billing = signer.assertion(&caller, other, at(30)).unwrap();
    assert_eq!(claims(&billing)["aud"], "billing");
}

#[test]
fn change_of_roles_shows_at_once() {
    let signer = Signer::new("k1".to_owned(), &[7; 32]).unwrap();
    let before = signer
        .assertion(&caller(&directory(&["support"])), AUDIENCE, at(0))
        .unwrap();
    let after = signer
        .assertion(&caller(&directory(&[])), AUDIENCE, at(1))
        .unwrap();
    assert_eq!(claims(&before)["roles"], serde_json::json!(["support"]));
    assert_eq!(claims(&after)["roles"], serde_json::json!([]));
}

#[test]
fn narrowed_key_and_a_fresh_proof_show_at_once() {
    let key = |permission: &str| model::snapshot::ApiKeyGrant {
        digest: [5; 32],
        id: model::ApiKeyId::from_raw(5),
        name: "robot".to_owned(),
        owner: model::PersonId::from_raw(1),
        permissions: std::iter::once(permission.parse().unwrap()).collect(),
        networks: Vec::new(),
        expires_at: None,
    };
    let directory = directory(&["support"]);
    let signer = Signer::new("k1".to_owned(), &[7; 32]).unwrap();
    let mut revision = 0;
    let mut with_key = |permission: &str| {
        revision += 1;
        directory.change(
            revision,
            model::snapshot::IdentityChange::ApiKey(key(permission)),
        );
        let (key, person) = directory.key(&[5; 32], at(0)).unwrap();
        let caller = Caller {
            who: Who::Person(person),
            proof: Proof::Key(key),
            digest: [5; 32],
        };
        claims(&signer.assertion(&caller, AUDIENCE, at(0)).unwrap())
    };
    assert_eq!(with_key("orders:*")["scope"], "orders:*");
    assert_eq!(with_key("orders:read")["scope"], "orders:read");
    let mut stepped_up = grant(3, 1, "shop.example");
    let before = claims(
        &signer
            .assertion(&caller(&directory), AUDIENCE, at(0))
            .unwrap(),
    );
    stepped_up.authenticated_at = at(9);
    let change = model::snapshot::IdentityChange::Session(stepped_up);
    directory.change(3, change);
    let after = claims(
        &signer
            .assertion(&caller(&directory), AUDIENCE, at(10))
            .unwrap(),
    );
    assert_ne!(before["auth_time"], after["auth_time"]);
}

#[test]
fn assertion_of_another_issuer_of_ours_is_made_anew() {
    let signer = Signer::new("k1".to_owned(), &[7; 32]).unwrap();
    let caller = caller(&directory(&[]));
    let first = signer.assertion(&caller, AUDIENCE, at(0)).unwrap();
    let moved = Audience {
        issuer: "https://new.example",
        ..AUDIENCE
    };
    let second = signer.assertion(&caller, moved, at(1)).unwrap();
    assert_eq!(claims(&first)["iss"], "https://id.example");
    assert_eq!(claims(&second)["iss"], "https://new.example");
}
