use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::json;

use super::*;

const ALL: [SignatureAlgorithm; 4] = [
    SignatureAlgorithm::RS256,
    SignatureAlgorithm::PS256,
    SignatureAlgorithm::ES256,
    SignatureAlgorithm::EdDSA,
];

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn usable(key: &Value) -> bool {
    KeySet::parse(json!({ "keys": [key] }).to_string().as_bytes()).is_ok()
}

#[test]
fn only_what_can_verify_a_signature_is_a_key() {
    let x = text(&[7; 32]);
    let good = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": x });
    assert!(usable(&good));
    let mut good_in_all = good.clone();
    good_in_all["use"] = json!("sig");
    good_in_all["alg"] = json!("EdDSA");
    good_in_all["key_ops"] = json!(["verify"]);
    good_in_all["x5c"] = json!(["ignored"]);
    assert!(usable(&good_in_all));
    for (member, value) in [
        ("kid", Value::Null),
        ("kid", json!("")),
        ("kid", json!("k".repeat(257))),
        ("kid", json!(7)),
        ("use", json!("enc")),
        ("key_ops", json!(["sign"])),
        ("kty", json!("oct")),
        ("kty", json!("EC")),
        ("crv", json!("X25519")),
        ("x", json!(text(&[7; 31]))),
        ("x", json!("not base64!")),
        ("d", json!(text(&[7; 32]))),
    ] {
        let mut key = good.clone();
        key[member] = value.clone();
        assert!(!usable(&key), "{member}: {value}");
    }
}

#[test]
fn weak_and_endless_rsa_keys_are_none() {
    let rsa = |bytes: usize, first: u8, e: &[u8]| {
        let mut n = vec![0xFF; bytes];
        n[0] = first;
        json!({ "kty": "RSA", "kid": "a", "n": text(&n), "e": text(e) })
    };
    let e = [1, 0, 1];
    assert!(usable(&rsa(256, 0x80, &e)), "2048 bits");
    assert!(usable(&rsa(1024, 0x80, &e)), "8192 bits");
    assert!(!usable(&rsa(256, 0x7F, &e)), "2047 bits");
    assert!(!usable(&rsa(128, 0x80, &e)), "1024 bits");
    assert!(!usable(&rsa(257, 0x00, &e)), "a zero before the number");
    assert!(!usable(&rsa(1025, 0x01, &e)), "8193 bits");
    assert!(!usable(&rsa(256, 0x80, &[1; 6])), "a long exponent");
}

#[test]
fn sets_are_bounded_and_never_empty() {
    let key = |id: usize| json!({ "kty": "OKP", "crv": "Ed25519", "kid": id.to_string(), "x": text(&[7; 32]) });
    let set = |count: usize| json!({ "keys": (0..count).map(key).collect::<Vec<_>>() }).to_string();
    assert!(KeySet::parse(set(100).as_bytes()).is_ok());
    assert!(KeySet::parse(set(101).as_bytes()).is_err());
    for bad in [set(0).as_str(), "", "[]", "{}", "{\"keys\":{}}", "null"] {
        assert!(KeySet::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    let set = KeySet::parse(set(2).as_bytes()).unwrap();
    assert!(set.knows("0") && set.knows("1") && !set.knows("2"));
}

#[test]
fn two_keys_of_one_name_are_none_and_an_algorithm_finds_only_its_kind() {
    let ed = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": text(&[7; 32]) });
    let ec = json!({ "kty": "EC", "crv": "P-256", "kid": "a", "x": text(&[7; 32]), "y": text(&[7; 32]) });
    let set = |keys: Value| KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
    let both = set(json!([ed, ec]));
    assert!(both.find("a", SignatureAlgorithm::EdDSA).is_some());
    assert!(both.find("a", SignatureAlgorithm::ES256).is_some());
    assert!(both.find("a", SignatureAlgorithm::RS256).is_none());
    assert!(both.find("b", SignatureAlgorithm::EdDSA).is_none());
    assert!(
        set(json!([ed, ed]))
            .find("a", SignatureAlgorithm::EdDSA)
            .is_none()
    );
    let mut other = ed;
    other["alg"] = json!("ES256");
    assert!(
        set(json!([other]))
            .find("a", SignatureAlgorithm::EdDSA)
            .is_none()
    );
}

/// Where Wycheproof's data lies: `RAMPART_WYCHEPROOF_DIR`, else beside a checkout.
fn vectors() -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "how a test run is told where the data is"
    )]
    let told = std::env::var("RAMPART_WYCHEPROOF_DIR").ok();
    let beside = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/wycheproof"
    );
    PathBuf::from(told.as_deref().unwrap_or(beside)).join("json_web_signature_test.json")
}

/// What the vectors call valid verifies, and nothing that they call invalid does, by whichever
/// algorithm. Vectors of algorithms that are not spoken here must fail.
#[test]
fn signatures_of_the_published_vectors_are_told_apart() {
    let Ok(vectors) = std::fs::read(vectors()) else {
        return;
    };
    let vectors: Value = serde_json::from_slice(&vectors).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in vectors["testGroups"].as_array().unwrap() {
        let Some(public) = group.get("public") else {
            continue;
        };
        let set = json!({ "keys": [public] }).to_string();
        let set = KeySet::parse(set.as_bytes());
        for test in group["tests"].as_array().unwrap() {
            let accepted = accepts(set.as_ref().ok(), &test["jws"]);
            let id = &test["tcId"];
            let spoken = matches!(public["alg"].as_str(), Some("RS256" | "PS256" | "ES256"));
            match test["result"].as_str() {
                Some("valid") if spoken && !is_exempt(test, public) => {
                    valid += 1;
                    assert!(accepted, "{id}: {}", test["comment"]);
                }
                Some("invalid") => {
                    invalid += 1;
                    assert!(!accepted, "{id}: {}", test["comment"]);
                }
                _ => {}
            }
        }
    }
    assert!(valid >= 10 && invalid >= 250, "{valid} {invalid}");
}

/// Valid signatures that are refused all the same, each for a reason of the key or of the token.
fn is_exempt(test: &Value, public: &Value) -> bool {
    let jws = test["jws"].as_str();
    let head = jws.and_then(|jws| jws.split('.').next());
    let head = head.and_then(|head| URL_SAFE_NO_PAD.decode(head).ok());
    let head: Option<Value> = head.and_then(|head| serde_json::from_slice(&head).ok());
    let named =
        head.is_some_and(|head| head["kid"] == public["kid"] && head["alg"] == public["alg"]);
    !named || public.get("kid").is_none() || public.get("use").is_some_and(|usage| usage != "sig")
}

/// The same way through a token's parts as [`super::super::token`], without its claims.
fn accepts(set: Option<&KeySet>, jws: &Value) -> bool {
    let (Some(set), Some(jws)) = (set, jws.as_str()) else {
        return false;
    };
    let Some((signed, signature)) = jws.rsplit_once('.') else {
        return false;
    };
    let Some((head, payload)) = signed.split_once('.') else {
        return false;
    };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let (Some(head), Some(_), Some(signature)) = (decode(head), decode(payload), decode(signature))
    else {
        return false;
    };
    let Ok(head) = serde_json::from_slice::<Value>(&head) else {
        return false;
    };
    let named = |one: &&SignatureAlgorithm| head["alg"] == super::super::name(**one);
    let (Some(algorithm), Some(id)) = (ALL.iter().find(named), head["kid"].as_str()) else {
        return false;
    };
    set.find(id, *algorithm)
        .is_some_and(|key| key.verifies(*algorithm, signed.as_bytes(), &signature))
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[\\[\\]{}\",:a-zA-Z0-9 -]{0,200}") {
        drop(KeySet::parse(text.as_bytes()));
        drop(KeySet::parse(format!("{{\"keys\":[{text}]}}").as_bytes()));
    }
}
