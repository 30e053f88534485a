//! The examples that verify an assertion, run on a real one and on what must be refused.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Request;
use model::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::world::World;

const ROUTES: &str = r#"
[[route]]
name = "things"
host = "app.localhost"
path = "/things/**"
to = "backend"
require = "things:read"
"#;

const ISSUER: &str = "https://issuer.example";

/// The examples, each with what runs it.
const EXAMPLES: [(&str, &str); 3] = [
    ("python3", "verify_assertion.py"),
    ("node", "verify-assertion.mjs"),
    ("php", "verify_assertion.php"),
];

/// Those that can be run here.
fn examples() -> Vec<(&'static str, PathBuf)> {
    if crate::told("RAMPART_REAL_BACKENDS").is_none() {
        crate::skipped("RAMPART_REAL_BACKENDS is not set");
        return Vec::new();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples");
    let all = EXAMPLES.map(|(program, name)| (program, folder.join(name)));
    all.into_iter().collect()
}

/// Whether an example accepts, and what it says.
fn run(
    (program, example): &(&str, PathBuf),
    keys: &str,
    (issuer, audience): (&str, &str),
    assertion: &str,
) -> (bool, String) {
    let mut child = Command::new(program)
        .arg(example)
        .args([keys, issuer, audience])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("`{program}` is not installed: {error}"));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(assertion.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let accepted = output.status.code() == Some(0);
    assert!(accepted || err.starts_with("refused: "), "{program}: {err}");
    (accepted, if accepted { out } else { err })
}

fn text(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_knows_a_real_assertion_and_refuses_it_elsewhere() {
    let examples = examples();
    if examples.is_empty() {
        return;
    }
    let (backend, address) = Backend::start().await;
    let world = World::start(address, ROUTES).await;
    let mut ada = world.visitor("ada", "reader").await;
    let key = ada.key("things:read").await;
    let keys = format!("http://{}/.rampart/assertion-keys.json", world.plain);
    for example in &examples {
        let request = Request::get("/things/1")
            .header("host", "app.localhost")
            .header("authorization", format!("Bearer {key}"));
        let answer = world
            .try_send(request.body(Bytes::new()).unwrap())
            .await
            .unwrap();
        assert_eq!(answer.status, 200);
        let assertion = backend
            .seen()
            .pop()
            .unwrap()
            .header("rampart-assertion")
            .to_owned();
        let parts: Vec<&str> = assertion.split('.').collect();
        let said: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        let issuer = said["iss"].as_str().unwrap();
        let judge = |place: (&str, &str), assertion: &str| run(example, &keys, place, assertion);
        let (accepted, out) = judge((issuer, "backend"), &assertion);
        assert!(accepted, "{example:?}: {out}");
        let claims: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(claims, said, "{example:?}");
        assert!(
            !judge((issuer, "other"), &assertion).0,
            "{example:?}: another audience"
        );
        assert!(
            !judge((ISSUER, "backend"), &assertion).0,
            "{example:?}: another issuer"
        );
        let mut changed = said.clone();
        changed["roles"] = json!(["writer"]);
        let changed = format!("{}.{}.{}", parts[0], text(&changed), parts[2]);
        assert!(
            !judge((issuer, "backend"), &changed).0,
            "{example:?}: changed"
        );
    }
}

/// Assertions by a key of this test, each with whether it may be accepted.
fn made(pair: &Ed25519KeyPair) -> Vec<(&'static str, bool, String)> {
    let now = SystemClock::new().now().as_secs();
    let head = json!({ "typ": "rampart-assertion+jwt", "alg": "EdDSA", "kid": "k" });
    let claims =
        json!({ "iss": ISSUER, "aud": "orders", "sub": "per_1", "iat": now, "exp": now + 60 });
    let with = |value: &Value, name: &str, to: Value| {
        let mut changed = value.clone();
        match to {
            Value::Null => drop(changed.as_object_mut().unwrap().remove(name)),
            to => changed[name] = to,
        }
        changed
    };
    let sign = |head: &Value, claims: &Value| {
        let signed = format!("{}.{}", text(head), text(claims));
        let signature = URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes()).as_ref());
        format!("{signed}.{signature}")
    };
    let claimed = |name: &str, to: Value| sign(&head, &with(&claims, name, to));
    let headed = |name: &str, to: Value| sign(&with(&head, name, to), &claims);
    let none = format!(
        "{}.{}.",
        text(&with(&head, "alg", json!("none"))),
        text(&claims)
    );
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let shared = format!(
        "{}.{}",
        text(&with(&head, "alg", json!("HS256"))),
        text(&claims)
    );
    let secret = hmac::Key::new(hmac::HMAC_SHA256, x.as_bytes());
    let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&secret, shared.as_bytes()).as_ref());
    vec![
        ("as it should be", true, sign(&head, &claims)),
        ("expired", false, claimed("exp", json!(now - 10))),
        ("without an end", false, claimed("exp", Value::Null)),
        ("of the future", false, claimed("iat", json!(now + 60))),
        (
            "for another service",
            false,
            claimed("aud", json!("billing")),
        ),
        (
            "for several services",
            false,
            claimed("aud", json!(["orders"])),
        ),
        (
            "of another issuer",
            false,
            claimed("iss", json!("https://evil.example")),
        ),
        ("about nobody", false, claimed("sub", Value::Null)),
        ("of another type", false, headed("typ", json!("JWT"))),
        ("without a type", false, headed("typ", Value::Null)),
        ("by an unknown key", false, headed("kid", json!("other"))),
        ("by no key", false, headed("kid", Value::Null)),
        ("without a signature", false, none),
        (
            "signed with the public key as a secret",
            false,
            format!("{shared}.{tag}"),
        ),
        ("that is none", false, "nonsense".to_owned()),
        ("that is empty", false, String::new()),
    ]
}

#[test]
fn no_example_accepts_what_an_attacker_would_make() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap();
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    let set = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "k", "x": x }] });
    store::atomic_write(&keys, set.to_string().as_bytes(), 0o600).unwrap();
    for example in examples() {
        for (name, expected, assertion) in made(&pair) {
            let place = (ISSUER, "orders");
            let (accepted, said) = run(&example, keys.to_str().unwrap(), place, &assertion);
            assert_eq!(accepted, expected, "{example:?}: {name}: {said}");
        }
    }
}
