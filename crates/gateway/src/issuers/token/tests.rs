use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use estate::Issuer;
use proptest::prelude::*;
use serde_json::json;

use super::*;

pub(in crate::issuers) const NOW: i64 = 1_767_225_600;

pub(in crate::issuers) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis((NOW + seconds) * 1000)
}

/// The issuer as an estate would say it, with more lines for it.
pub(in crate::issuers) fn issuer(more: &str) -> Issuer {
    let estate = format!(
        r#"
[estate]
name = "shop"
domain = "shop.example"
[[role]]
name = "support"
allow = ["orders:read"]
[[role]]
name = "buyer"
allow = ["orders:create"]
[[issuer]]
name = "corp"
url = "https://login.example/"
audience = ["orders", "api://shop"]
algorithms = ["RS256", "PS256", "ES256", "EdDSA"]
{more}
"#
    );
    let parsed = estate::Estate::parse(&estate).unwrap_or_else(|errors| panic!("{errors:?}"));
    parsed.estate.issuers.into_values().next().unwrap()
}

const GROUPS: &str =
    r#"roles = { claim = "groups", map = { "g-support" = "support", "g-buy" = "buyer" } }"#;

pub(in crate::issuers) struct Signer {
    ed: Ed25519KeyPair,
    ec: EcdsaKeyPair,
    rsa: Option<RsaKeyPair>,
}

impl Signer {
    pub(in crate::issuers) fn new(seed: u8) -> Self {
        Self {
            ed: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap(),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            rsa: None,
        }
    }

    fn with_rsa() -> Self {
        Self {
            rsa: Some(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
            ..Self::new(1)
        }
    }

    /// The set with its keys, each called by what it signs with.
    pub(in crate::issuers) fn jwks(&self, prefix: &str) -> String {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let point = self.ec.public_key().as_ref();
        let mut keys = vec![
            json!({ "kty": "OKP", "crv": "Ed25519", "kid": format!("{prefix}ed"), "x": text(self.ed.public_key().as_ref()) }),
            json!({ "kty": "EC", "crv": "P-256", "kid": format!("{prefix}ec"), "x": text(&point[1..33]), "y": text(&point[33..]) }),
        ];
        if let Some(rsa) = &self.rsa {
            let public = rsa.public_key();
            let (n, e) = (public.modulus(), public.exponent());
            let n = n.big_endian_without_leading_zero();
            let e = e.big_endian_without_leading_zero();
            keys.push(json!({ "kty": "RSA", "kid": format!("{prefix}rsa"), "use": "sig", "n": text(n), "e": text(e) }));
        }
        json!({ "keys": keys }).to_string()
    }

    pub(in crate::issuers) fn sign(&self, head: &Value, claims: &str) -> String {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let signed = format!(
            "{}.{}",
            text(head.to_string().as_bytes()),
            text(claims.as_bytes())
        );
        let random = SystemRandom::new();
        let by_rsa = |padding| {
            let rsa = self.rsa.as_ref().unwrap();
            let mut signature = vec![0; rsa.public_modulus_len()];
            rsa.sign(padding, &random, signed.as_bytes(), &mut signature)
                .unwrap();
            signature
        };
        let signature = match head["alg"].as_str() {
            Some("ES256") => self
                .ec
                .sign(&random, signed.as_bytes())
                .unwrap()
                .as_ref()
                .to_vec(),
            Some("RS256") => by_rsa(&RSA_PKCS1_SHA256),
            Some("PS256") => by_rsa(&RSA_PSS_SHA256),
            Some("none") => Vec::new(),
            _ => self.ed.sign(signed.as_bytes()).as_ref().to_vec(),
        };
        format!("{signed}.{}", text(&signature))
    }
}

pub(in crate::issuers) fn head(kid: &str) -> Value {
    json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid })
}

pub(in crate::issuers) fn claims() -> Value {
    json!({
        "iss": "https://login.example/", "sub": "u-7", "aud": "orders", "exp": NOW + 60,
        "name": "Ada", "email": "ada@example.org", "email_verified": true,
        "groups": ["g-support", "g-other", "g-support"],
    })
}

fn verdict(issuer: &Issuer, head: &Value, claims: &Value) -> Result<Token, Why> {
    let signer = Signer::new(1);
    let keys = KeySet::parse(signer.jwks("").as_bytes()).unwrap();
    let text = signer.sign(head, &claims.to_string());
    Unproven::read(&text)?.verify(issuer, Some(&keys), at(0))
}

fn why(issuer: &Issuer, head: &Value, claims: &Value) -> Option<Why> {
    verdict(issuer, head, claims).err()
}

#[test]
fn token_of_every_algorithm_says_who_it_is_with_roles_of_the_map() {
    let issuer = issuer(GROUPS);
    let signer = Signer::with_rsa();
    let keys = KeySet::parse(signer.jwks("").as_bytes()).unwrap();
    for (alg, kid) in [
        ("EdDSA", "ed"),
        ("ES256", "ec"),
        ("RS256", "rsa"),
        ("PS256", "rsa"),
    ] {
        let head = json!({ "alg": alg, "typ": "application/AT+JWT", "kid": kid });
        let text = signer.sign(&head, &claims().to_string());
        let unproven = Unproven::read(&text).unwrap();
        let token = unproven.verify(&issuer, Some(&keys), at(0)).unwrap();
        let guest = &token.guest;
        assert_eq!(guest.principal.id, "corp|u-7", "{alg}");
        assert_eq!(guest.principal.kind, PrincipalKind::Foreign);
        assert_eq!(guest.principal.name, "Ada");
        assert_eq!(guest.email.as_deref(), Some("ada@example.org"));
        assert_eq!(guest.roles, ["support"]);
        let there = ("https://login.example/".to_owned(), "u-7".to_owned());
        assert_eq!(guest.issuer, Some(there));
        assert_eq!(
            unproven.verify(&issuer, None, at(0)).unwrap_err(),
            Why::NoKeys
        );
    }
}

#[test]
fn what_the_token_says_of_its_own_verification_decides_nothing() {
    let all = issuer("");
    for (alg, expected) in [
        ("none", Why::Algorithm),
        ("HS256", Why::Algorithm),
        ("RS384", Why::Algorithm),
        ("eddsa", Why::Algorithm),
        ("", Why::Algorithm),
        ("RS256", Why::Key),
    ] {
        let signer = Signer::new(1);
        let head = json!({ "alg": alg, "typ": "at+jwt", "kid": "ed" });
        let keys = KeySet::parse(signer.jwks("").as_bytes()).unwrap();
        // Signed rightly by the key it names, whatever its head says.
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(head.to_string()),
            URL_SAFE_NO_PAD.encode(claims().to_string())
        );
        let signature = URL_SAFE_NO_PAD.encode(signer.ed.sign(signed.as_bytes()).as_ref());
        let text = format!("{signed}.{signature}");
        let said = Unproven::read(&text)
            .unwrap()
            .verify(&all, Some(&keys), at(0));
        assert_eq!(said.unwrap_err(), expected, "{alg}");
    }
    // The public key of an asymmetric algorithm as the secret of a symmetric one.
    let listed = issuer("").algorithms;
    assert!(
        listed
            .iter()
            .all(|one| !crate::issuers::name(*one).starts_with("HS"))
    );
    for member in ["jku", "jwk", "x5u", "x5c", "crit", "zip", "b64"] {
        let mut head = head("ed");
        head[member] = json!(["https://evil.example/keys"]);
        assert_eq!(why(&all, &head, &claims()), Some(Why::Head), "{member}");
    }
    let mut harmless = head("ed");
    harmless["x5t"] = json!("abc");
    assert_eq!(why(&all, &harmless, &claims()), None);
}

#[test]
fn algorithm_that_the_estate_does_not_list_is_refused_though_the_key_could() {
    let mut only = issuer("");
    only.algorithms = vec![SignatureAlgorithm::ES256];
    assert_eq!(why(&only, &head("ed"), &claims()), Some(Why::Algorithm));
}

#[test]
fn keys_are_named_and_types_are_those_of_the_estate() {
    let all = issuer("");
    for head in [
        json!({ "alg": "EdDSA", "typ": "at+jwt" }),
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "" }),
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "other" }),
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "ec" }),
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "e".repeat(300) }),
    ] {
        assert_eq!(why(&all, &head, &claims()), Some(Why::Key), "{head}");
    }
    let typed = |typ: Value| json!({ "alg": "EdDSA", "typ": typ, "kid": "ed" });
    for typ in ["JWT", "dpop+jwt", "logout+jwt", "id+jwt", ""] {
        let head = typed(json!(typ));
        assert_eq!(why(&all, &head, &claims()), Some(Why::Type), "{typ}");
    }
    let without = json!({ "alg": "EdDSA", "kid": "ed" });
    assert_eq!(why(&all, &without, &claims()), Some(Why::Type));
    let usual = issuer(r#"types = ["JWT"]"#);
    assert_eq!(why(&usual, &without, &claims()), None);
    assert_eq!(why(&usual, &typed(json!("jwt")), &claims()), None);
    assert_eq!(why(&usual, &head("ed"), &claims()), Some(Why::Type));
}

#[test]
fn claims_that_are_missing_or_wrong_are_refused_each_for_its_reason() {
    let all = issuer("clock_skew = \"10s\"");
    let with = |claim: &str, value: Value| {
        let mut claims = claims();
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(claim)),
            value => claims[claim] = value,
        }
        why(&all, &head("ed"), &claims)
    };
    for (claim, value, expected) in [
        ("iss", json!("https://login.example"), Some(Why::Issuer)),
        ("iss", json!("https://login.example/ "), Some(Why::Issuer)),
        ("iss", json!(["https://login.example/"]), Some(Why::Form)),
        ("iss", Value::Null, Some(Why::Form)),
        ("aud", Value::Null, Some(Why::Form)),
        ("aud", json!("Orders"), Some(Why::Audience)),
        ("aud", json!([]), Some(Why::Audience)),
        ("aud", json!(["x", "api://shop"]), None),
        ("aud", json!({ "orders": 1 }), Some(Why::Form)),
        ("exp", Value::Null, Some(Why::Form)),
        ("exp", json!("1767225660"), Some(Why::Form)),
        ("exp", json!(NOW - 9), None),
        ("exp", json!(NOW - 10), Some(Why::Ended)),
        ("exp", json!(-1), Some(Why::Form)),
        ("exp", json!(1e300), Some(Why::Form)),
        ("exp", json!(i64::MAX), Some(Why::Form)),
        ("exp", json!(1_767_225_660.5), None),
        ("nbf", json!(NOW + 10), None),
        ("nbf", json!(NOW + 11), Some(Why::Early)),
        ("nbf", json!("soon"), Some(Why::Form)),
        ("iat", json!(NOW + 11), Some(Why::Early)),
        ("sub", Value::Null, Some(Why::Subject)),
        ("sub", json!(""), Some(Why::Subject)),
        ("sub", json!(7), Some(Why::Subject)),
        ("sub", json!("a\u{0}b"), Some(Why::Subject)),
        ("sub", json!("s".repeat(257)), Some(Why::Subject)),
        ("cnf", json!({ "jkt": "x" }), Some(Why::Bound)),
        ("cnf", json!({}), Some(Why::Bound)),
        ("cnf", json!({ "x5t#S256": "short" }), Some(Why::Bound)),
        ("groups", json!("g-support"), None),
    ] {
        assert_eq!(with(claim, value.clone()), expected, "{claim}: {value}");
    }
}

#[test]
fn claims_that_stand_twice_are_refused() {
    let signer = Signer::new(1);
    let all = issuer("");
    let keys = KeySet::parse(signer.jwks("").as_bytes()).unwrap();
    for twice in [
        "\"aud\":\"orders\"",
        "\"exp\":9999999999",
        "\"iss\":\"https://login.example/\"",
    ] {
        let text = claims().to_string();
        let text = format!("{},{twice}}}", text.strip_suffix('}').unwrap());
        let text = signer.sign(&head("ed"), &text);
        let said = Unproven::read(&text).and_then(|one| one.verify(&all, Some(&keys), at(0)));
        assert_eq!(said.unwrap_err(), Why::Form, "{twice}");
    }
}

#[test]
fn roles_come_from_the_map_alone_however_they_are_claimed() {
    let roles = |more: &str, claim: &str, value: Value| {
        let mut claims = claims();
        claims[claim] = value;
        verdict(&issuer(more), &head("ed"), &claims)
            .unwrap()
            .guest
            .roles
            .clone()
    };
    let map = "map = { \"g-support\" = \"support\", \"g-buy\" = \"buyer\" }";
    let by = |claim: &str| format!("roles = {{ claim = \"{claim}\", {map} }}");
    let none: [&str; 0] = [];
    assert_eq!(
        roles("", "roles", json!(["support", "administrator"])),
        none
    );
    assert_eq!(
        roles(&by("groups"), "groups", json!(["support", "administrator"])),
        none
    );
    assert_eq!(
        roles(&by("groups"), "groups", json!(["g-buy", "g-support"])),
        ["buyer", "support"]
    );
    assert_eq!(
        roles(&by("groups"), "groups", json!("g-buy g-support")),
        none
    );
    assert_eq!(
        roles(&by("scope"), "scope", json!("g-buy g-support")),
        ["buyer", "support"]
    );
    let nested = json!({ "roles": ["g-buy"] });
    assert_eq!(
        roles(&by("realm_access.roles"), "realm_access", nested),
        ["buyer"]
    );
    let dotted = "https://acme.example/roles";
    assert_eq!(roles(&by(dotted), dotted, json!(["g-buy"])), ["buyer"]);
    assert_eq!(
        roles(&by("groups"), "groups", json!([{ "g-buy": 1 }, 7, null])),
        none
    );
}

#[test]
fn two_issuers_subjects_are_never_one_and_nobodys_account() {
    let id = |name: &str, sub: &str| {
        let mut one = issuer("");
        one.name = name.to_owned();
        let mut claims = claims();
        claims["sub"] = json!(sub);
        let token = verdict(&one, &head("ed"), &claims).unwrap();
        (token.guest.principal.id.to_string(), token.guest.number)
    };
    let all = [
        id("a", "b|c"),
        id("b", "c"),
        id("a-b", "c"),
        id("a", "c"),
        id("per-x", "c"),
    ];
    for (index, one) in all.iter().enumerate() {
        assert!(!one.0.starts_with("per_") && !one.0.starts_with("client:"));
        for other in &all[..index] {
            assert!(one.0 != other.0 && one.1 != other.1);
        }
    }
}

#[test]
fn unverified_address_of_mail_is_not_passed_on() {
    let mut claims = claims();
    claims["email_verified"] = json!("true");
    let token = verdict(&issuer(""), &head("ed"), &claims).unwrap();
    assert_eq!(token.guest.email, None);
}

#[test]
fn a_changed_byte_anywhere_breaks_the_token() {
    let signer = Signer::new(1);
    let all = issuer("");
    let keys = KeySet::parse(signer.jwks("").as_bytes()).unwrap();
    let text = signer.sign(&head("ed"), &claims().to_string());
    for at_byte in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at_byte] = if bytes[at_byte] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        let said = Unproven::read(&changed).and_then(|one| one.verify(&all, Some(&keys), at(0)));
        assert!(said.is_err(), "{at_byte}");
    }
    let long = format!("{text}{}", "A".repeat(TOKEN_BYTES_MAX));
    assert_eq!(Unproven::read(&long).unwrap_err(), Why::Form);
}

#[test]
fn explaining_judges_all_but_the_signature() {
    let all = issuer("");
    let other = Signer::new(9);
    let text = other.sign(&head("ed"), &claims().to_string());
    let unproven = Unproven::read(&text).unwrap();
    assert!(unproven.suppose(&all, at(0)).is_ok());
    assert_eq!(unproven.suppose(&all, at(100)).unwrap_err(), Why::Ended);
    let keys = KeySet::parse(Signer::new(1).jwks("").as_bytes()).unwrap();
    let said = unproven.verify(&all, Some(&keys), at(0));
    assert_eq!(said.unwrap_err(), Why::Signature);
}

#[test]
fn token_bound_to_a_certificate_says_to_which() {
    let mut claims = claims();
    claims["cnf"] = json!({ "x5t#S256": URL_SAFE_NO_PAD.encode([5; 32]) });
    let token = verdict(&issuer(""), &head("ed"), &claims).unwrap();
    assert_eq!(token.bound, Some([5; 32]));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic_or_pass(
        head in "[\\[\\]{}\",:a-z0-9+ ]{0,60}",
        claims in "[\\[\\]{}\",:a-z0-9.e-]{0,120}",
        rest in "[A-Za-z0-9._-]{0,40}",
    ) {
        let keys = KeySet::parse(Signer::new(1).jwks("").as_bytes()).unwrap();
        let all = issuer("");
        let made = format!("{}.{}.{rest}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
        for text in [made.as_str(), rest.as_str()] {
            let said = Unproven::read(text).and_then(|one| one.verify(&all, Some(&keys), at(0)));
            prop_assert!(said.is_err());
        }
    }
}
