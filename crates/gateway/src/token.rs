//! Access tokens: JWTs of type `at+jwt` (RFC 9068), verified with the keys control sent. The key a
//! token names says which algorithm holds; what the token says of it must agree and decides
//! nothing (RFC 8725 §3.1).

use std::sync::{Arc, Mutex, PoisonError};

use ahash::AHashMap;
use aws_lc_rs::signature::{self, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::snapshot::{Digest, TokenAlgorithm, TokenKey};
use model::{Permission, PermissionSet, PersonId, Timestamp, TokenKeyId};
use serde::Deserialize;
use serde_json::Value;

/// LIMIT: bytes of a token that is looked at.
const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// LIMIT: verified tokens that are remembered.
const REMEMBERED_MAX: usize = 4096;

/// A public key that verifies access tokens.
#[derive(Clone, Debug)]
pub(crate) struct VerifyingKey {
    algorithm: TokenAlgorithm,
    bytes: Vec<u8>,
    not_after: Option<Timestamp>,
}

/// What a verified token says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Whose it is.
    pub(crate) person: PersonId,
    /// Who asked for it: the person, or the id of an API key.
    pub(crate) client: String,
    /// Which services take it.
    pub(crate) audience: String,
    /// What it may do at most.
    pub(crate) scope: PermissionSet,
    /// Its own id.
    pub(crate) jti: String,
    /// When it was made.
    pub(crate) issued_at: Timestamp,
    /// When it begins.
    pub(crate) not_before: Timestamp,
    /// When it ends.
    pub(crate) expires_at: Timestamp,
    /// After this its key counts no more.
    key_not_after: Option<Timestamp>,
    issuer: String,
    /// The certificate it must come with.
    pub(crate) bound: Bound,
}

/// What a token is bound to (RFC 7800 §3): a certificate, by SHA-256 of it (RFC 8705 §3.1), or
/// nothing.
pub(crate) type Bound = Option<Digest>;

/// Reads a token's `cnf`. Nothing when it is bound to what cannot be checked here: then it holds
/// nowhere, because whoever bound it wanted that it be checked.
pub(crate) fn bound(confirmation: Option<&Value>) -> Option<Bound> {
    let Some(confirmation) = confirmation else {
        return Some(None);
    };
    let ways = confirmation.as_object().filter(|ways| ways.len() == 1)?;
    let thumbprint = ways.get("x5t#S256")?.as_str()?;
    let thumbprint = URL_SAFE_NO_PAD.decode(thumbprint).ok()?;
    Some(Some(thumbprint.try_into().ok()?))
}

/// Tokens whose signature was checked before, so that it is checked once.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<AHashMap<Digest, (TokenKeyId, Arc<Token>)>>);

/// The keys by id; one that cannot be read verifies nothing.
pub(crate) fn keys(keys: &[TokenKey]) -> AHashMap<TokenKeyId, VerifyingKey> {
    keys.iter()
        .filter_map(|key| Some((key.id, VerifyingKey::of(key)?)))
        .collect()
}

impl VerifyingKey {
    fn of(key: &TokenKey) -> Option<Self> {
        let x = URL_SAFE_NO_PAD.decode(&key.x).ok()?;
        let bytes = match key.algorithm {
            TokenAlgorithm::EdDSA => x,
            TokenAlgorithm::ES256 => {
                // The uncompressed point (SEC 1 §2.3.3).
                let y = URL_SAFE_NO_PAD.decode(&key.y).ok()?;
                [&[4], x.as_slice(), &y].concat()
            }
        };
        Some(Self {
            algorithm: key.algorithm,
            bytes,
            not_after: key.not_after,
        })
    }

    fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        let verified = match self.algorithm {
            TokenAlgorithm::EdDSA => {
                UnparsedPublicKey::new(&signature::ED25519, &self.bytes).verify(signed, signature)
            }
            TokenAlgorithm::ES256 => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, &self.bytes)
                    .verify(signed, signature)
            }
        };
        verified.is_ok()
    }

    fn name(&self) -> &'static str {
        match self.algorithm {
            TokenAlgorithm::EdDSA => "EdDSA",
            TokenAlgorithm::ES256 => "ES256",
        }
    }
}

/// A token's head. Nothing else may stand in it: a `jku`, `jwk` or `crit` is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    typ: String,
    alg: String,
    kid: TokenKeyId,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: PersonId,
    aud: String,
    client_id: String,
    exp: i64,
    iat: i64,
    nbf: i64,
    jti: String,
    scope: String,
    cnf: Option<Value>,
}

impl Remembered {
    /// The token, when its form, key and signature are right. Whether it holds now and here is
    /// [`Token::holds`]'s to say.
    pub(crate) fn verify(
        &self,
        text: &str,
        digest: Digest,
        keys: &AHashMap<TokenKeyId, VerifyingKey>,
    ) -> Option<Arc<Token>> {
        let known = self.lock().get(&digest).cloned();
        if let Some((key, token)) = known {
            // A key that was taken away takes its tokens along; one that ends sooner than it did,
            // too.
            let not_after = keys.get(&key)?.not_after;
            if not_after == token.key_not_after {
                return Some(token);
            }
        }
        let (key, token) = verify(text, keys)?;
        let token = Arc::new(token);
        let mut remembered = self.lock();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(digest, (key, Arc::clone(&token)));
        Some(token)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, AHashMap<Digest, (TokenKeyId, Arc<Token>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    /// Whether it holds now, for `audience`, from `issuer`.
    pub(crate) fn holds(&self, now: Timestamp, audience: &str, issuer: &str) -> bool {
        self.issuer == issuer
            && self.audience == audience
            && now >= self.not_before
            && now < self.expires_at
            && self.key_not_after.is_none_or(|end| now < end)
    }
}

fn verify(text: &str, keys: &AHashMap<TokenKeyId, VerifyingKey>) -> Option<(TokenKeyId, Token)> {
    if text.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let (signed, signature) = text.rsplit_once('.')?;
    let (head, payload) = signed.split_once('.')?;
    let head: Head = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).ok()?).ok()?;
    let key = keys.get(&head.kid)?;
    if head.typ != "at+jwt" || head.alg != key.name() || payload.contains('.') {
        return None;
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    if !key.verifies(signed.as_bytes(), &signature) {
        return None;
    }
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let seconds = |s: i64| Timestamp::from_millis(s.saturating_mul(1000));
    let scope = claims
        .scope
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(str::parse::<Permission>)
        .collect::<Result<PermissionSet, _>>()
        .ok()?;
    let token = Token {
        person: claims.sub,
        client: claims.client_id,
        audience: claims.aud,
        scope,
        jti: claims.jti,
        issued_at: seconds(claims.iat),
        not_before: seconds(claims.nbf),
        expires_at: seconds(claims.exp),
        key_not_after: key.not_after,
        issuer: claims.iss,
        bound: bound(claims.cnf.as_ref())?,
    };
    Some((head.kid, token))
}

#[cfg(test)]
mod tests;
