use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use serde_json::json;

use super::*;

const SECOND: i64 = 1_767_225_600;

fn now() -> Timestamp {
    Timestamp::from_millis(SECOND * 1000)
}

fn id() -> TokenKeyId {
    TokenKeyId::from_raw(7)
}

fn person() -> PersonId {
    PersonId::from_raw(1)
}

fn claims() -> Value {
    json!({
        "iss": "https://id.example", "sub": person(), "aud": "orders", "client_id": "per_x",
        "exp": SECOND + 60, "iat": SECOND, "nbf": SECOND, "jti": "j1", "scope": "orders:read",
    })
}

struct Signer {
    ed25519: Ed25519KeyPair,
    p256: EcdsaKeyPair,
}

impl Signer {
    fn new() -> Self {
        Self {
            ed25519: Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap(),
            p256: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
        }
    }

    fn keys(&self, algorithm: TokenAlgorithm) -> AHashMap<TokenKeyId, VerifyingKey> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let point = self.p256.public_key().as_ref();
        let (x, y) = match algorithm {
            TokenAlgorithm::EdDSA => (encode(self.ed25519.public_key().as_ref()), String::new()),
            TokenAlgorithm::ES256 => (encode(&point[1..33]), encode(&point[33..])),
        };
        keys(&[TokenKey {
            id: id(),
            algorithm,
            x,
            y,
            not_after: Some(Timestamp::from_millis((SECOND + 3600) * 1000)),
        }])
    }

    fn sign(&self, algorithm: TokenAlgorithm, head: &str, claims: &Value) -> String {
        let encode = |text: &[u8]| URL_SAFE_NO_PAD.encode(text);
        let signed = format!(
            "{}.{}",
            encode(head.as_bytes()),
            encode(claims.to_string().as_bytes())
        );
        let signature = match algorithm {
            TokenAlgorithm::EdDSA => self.ed25519.sign(signed.as_bytes()).as_ref().to_vec(),
            TokenAlgorithm::ES256 => {
                let random = SystemRandom::new();
                self.p256
                    .sign(&random, signed.as_bytes())
                    .unwrap()
                    .as_ref()
                    .to_vec()
            }
        };
        format!("{signed}.{}", encode(&signature))
    }
}

fn head(alg: &str) -> String {
    json!({ "typ": "at+jwt", "alg": alg, "kid": id() }).to_string()
}

#[test]
fn token_of_either_algorithm_verifies_and_holds_where_and_when_it_says() {
    let signer = Signer::new();
    for (algorithm, name) in [
        (TokenAlgorithm::EdDSA, "EdDSA"),
        (TokenAlgorithm::ES256, "ES256"),
    ] {
        let text = signer.sign(algorithm, &head(name), &claims());
        let (_, token) = verify(&text, &signer.keys(algorithm)).unwrap();
        assert_eq!(token.person, person());
        assert!(token.scope.allows(&"orders:read".parse().unwrap()));
        assert!(token.holds(now(), "orders", "https://id.example"));
        assert!(!token.holds(now(), "billing", "https://id.example"));
        assert!(!token.holds(now(), "orders", "https://other.example"));
        let at = |seconds| Timestamp::from_millis((SECOND + seconds) * 1000);
        assert!(!token.holds(at(60), "orders", "https://id.example"));
        assert!(!token.holds(at(-1), "orders", "https://id.example"));
    }
}

#[test]
fn algorithm_is_the_keys_never_the_tokens() {
    let signer = Signer::new();
    let keys = signer.keys(TokenAlgorithm::EdDSA);
    for alg in ["none", "HS256", "ES256", "eddsa", ""] {
        let text = signer.sign(TokenAlgorithm::EdDSA, &head(alg), &claims());
        assert!(verify(&text, &keys).is_none(), "{alg}");
    }
}

#[test]
fn heads_with_anything_else_in_them_are_refused() {
    let signer = Signer::new();
    let keys = signer.keys(TokenAlgorithm::EdDSA);
    let kid = id();
    for head in [
        json!({ "alg": "EdDSA", "kid": kid }),
        json!({ "typ": "JWT", "alg": "EdDSA", "kid": kid }),
        json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": kid, "crit": ["x"] }),
        json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": kid, "jku": "https://evil.example" }),
        json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": TokenKeyId::from_raw(8) }),
        json!({ "typ": "at+jwt", "alg": "EdDSA" }),
    ] {
        let text = signer.sign(TokenAlgorithm::EdDSA, &head.to_string(), &claims());
        assert!(verify(&text, &keys).is_none(), "{head}");
    }
}

#[test]
fn a_changed_byte_anywhere_breaks_the_token() {
    let signer = Signer::new();
    let keys = signer.keys(TokenAlgorithm::EdDSA);
    let text = signer.sign(TokenAlgorithm::EdDSA, &head("EdDSA"), &claims());
    for at in 0..text.len() - 1 {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(verify(&changed, &keys).is_none(), "{at}");
    }
    assert!(verify(text.get(..text.len() - 4).unwrap(), &keys).is_none());
    assert!(verify("", &keys).is_none() && verify("..", &keys).is_none());
}

#[test]
fn remembered_token_ends_with_its_key() {
    let signer = Signer::new();
    let keys = signer.keys(TokenAlgorithm::EdDSA);
    let text = signer.sign(TokenAlgorithm::EdDSA, &head("EdDSA"), &claims());
    let remembered = Remembered::default();
    let first = remembered.verify(&text, [1; 32], &keys).unwrap();
    let again = remembered.verify(&text, [1; 32], &keys).unwrap();
    assert!(Arc::ptr_eq(&first, &again), "verified once");
    let mut ending = signer.keys(TokenAlgorithm::EdDSA);
    let soon = Timestamp::from_millis((SECOND + 1) * 1000);
    ending.get_mut(&id()).unwrap().not_after = Some(soon);
    let sooner = remembered.verify(&text, [1; 32], &ending).unwrap();
    assert_eq!(sooner.key_not_after, Some(soon), "as its key says now");
    assert!(
        remembered
            .verify(&text, [1; 32], &AHashMap::new())
            .is_none()
    );
}
