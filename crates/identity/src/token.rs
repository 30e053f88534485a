//! Access tokens of the built-in issuer: JWTs of type `at+jwt` (RFC 9068), signed with Ed25519.

use std::time::Duration;

use ::model::{Secret, Timestamp, TokenKeyId};
use aws_lc_rs::signature::{self, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::Error;

/// The longest an access token lives.
pub(crate) const LIFE_MAX: Duration = Duration::from_secs(600);
/// A signing key signs for so long; it verifies until the last of its tokens has ended.
pub(crate) const KEY_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// LIMIT: bytes of a token that is looked at (ours have well under two thousand).
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// What an access token says (RFC 9068 §2.2).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    pub(crate) aud: String,
    pub(crate) client_id: String,
    pub(crate) exp: i64,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) jti: String,
    /// Permissions, separated by spaces (RFC 6749 §3.3).
    pub(crate) scope: String,
}

/// The public half of a seed, base64url.
pub(crate) fn public_x(seed: &Secret<[u8; 32]>) -> Result<String, Error> {
    let pair = pair(seed)?;
    Ok(URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()))
}

/// Signs `claims` with the key `id` (RFC 7515 §3.1, RFC 8037 §3.1).
pub(crate) fn sign(
    id: TokenKeyId,
    seed: &Secret<[u8; 32]>,
    claims: &Claims,
) -> Result<Secret<String>, Error> {
    let header = format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":"{id}"}}"#);
    let claims = serde_json::to_vec(claims).map_err(|_| Error::Internal("encode the token"))?;
    let text = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = pair(seed)?.sign(text.as_bytes());
    Ok(Secret::new(format!(
        "{text}.{}",
        URL_SAFE_NO_PAD.encode(signature.as_ref())
    )))
}

/// The head of a token. Nothing else may stand in it: a `jku`, `jwk` or `crit` is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    typ: String,
    alg: String,
    kid: String,
}

/// A token whose signature is still to be checked with the key it names.
#[derive(Debug)]
pub(crate) struct Unverified<'a> {
    pub(crate) key: TokenKeyId,
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

/// Takes a token apart. Only `at+jwt` signed with EdDSA is one (RFC 9068 §4, RFC 8725 §3.1).
pub(crate) fn parse(text: &str) -> Option<Unverified<'_>> {
    if text.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let (signed, signature) = text.rsplit_once('.')?;
    let (head, payload) = signed.split_once('.')?;
    let head: Head = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).ok()?).ok()?;
    let ours = head.typ == "at+jwt" && head.alg == "EdDSA" && !payload.contains('.');
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let key = head.kid.parse().ok().filter(|_| ours)?;
    Some(Unverified {
        key,
        signed,
        payload,
        signature,
    })
}

impl Unverified<'_> {
    /// The claims, if the signature is by the key whose public half is `x`.
    pub(crate) fn verify(&self, x: &str) -> Option<Claims> {
        let public = URL_SAFE_NO_PAD.decode(x).ok()?;
        let key = UnparsedPublicKey::new(&signature::ED25519, public);
        key.verify(self.signed.as_bytes(), &self.signature).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(self.payload).ok()?).ok()
    }
}

fn pair(seed: &Secret<[u8; 32]>) -> Result<Ed25519KeyPair, Error> {
    Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| Error::Damaged("signing key"))
}

/// A signing key as it is used.
#[derive(Clone, Debug)]
pub(crate) struct SigningSeed {
    pub(crate) id: TokenKeyId,
    pub(crate) seed: Secret<[u8; 32]>,
    pub(crate) retire_at: Timestamp,
}
