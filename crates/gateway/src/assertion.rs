//! What a service is told about who asks: a signed assertion in the `rampart-assertion` header, a
//! JWT of type `rampart-assertion+jwt` signed with Ed25519, for one audience, for at most a
//! minute.
//!
//! Signing once per principal and service and half a minute, not per request.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ahash::AHashMap;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderName, HeaderValue};
use model::Timestamp;
use model::snapshot::Digest;
use serde_json::json;

use crate::caller::Caller;

/// The header's name. From outside it is always stripped.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("rampart-assertion");

/// An assertion holds for so long.
const LIFE: Duration = Duration::from_secs(60);
/// And is sent for so long, so that it still holds when the service looks at it.
const SENT_FOR: Duration = Duration::from_secs(30);
/// LIMIT: assertions that are remembered.
const REMEMBERED_MAX: usize = 16 * 1024;

/// Signs assertions with one key, and remembers them.
pub(crate) struct Signer {
    id: String,
    pair: Ed25519KeyPair,
    remembered: Mutex<AHashMap<(Digest, u64), Remembered>>,
}

struct Remembered {
    caller: Caller,
    issuer: Box<str>,
    made_at: Timestamp,
    value: HeaderValue,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// For whom an assertion is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Audience<'a> {
    /// Tells services apart within this process.
    pub(crate) target: u64,
    /// The `aud`.
    pub(crate) name: &'a str,
    /// The `iss`.
    pub(crate) issuer: &'a str,
}

impl Signer {
    /// From a key's id and its seed; `None` for a seed that is none.
    pub(crate) fn new(id: String, seed: &Digest) -> Option<Self> {
        Some(Self {
            id,
            pair: Ed25519KeyPair::from_seed_unchecked(seed).ok()?,
            remembered: Mutex::default(),
        })
    }

    /// The key's public half as a member of a JWK set (RFC 7517 §5, RFC 8037 §2).
    pub(crate) fn jwk(&self) -> serde_json::Value {
        json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "alg": "EdDSA",
            "kid": self.id,
            "x": URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref()),
        })
    }

    /// The header's value for a caller. A change of the person or of what they showed makes a new
    /// one.
    pub(crate) fn assertion(
        &self,
        caller: &Caller,
        audience: Audience<'_>,
        now: Timestamp,
    ) -> Option<HeaderValue> {
        let place = (caller.digest, audience.target);
        if let Some(known) = self.lock().get(&place)
            && known.caller.is_same(caller)
            && *known.issuer == *audience.issuer
            && now >= known.made_at
            && now < known.made_at.after(SENT_FOR)
        {
            return Some(known.value.clone());
        }
        let value = self.sign(caller, audience, now)?;
        let mut remembered = self.lock();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.retain(|_, one| now < one.made_at.after(SENT_FOR));
            if remembered.len() >= REMEMBERED_MAX {
                remembered.clear();
            }
        }
        let fresh = Remembered {
            caller: caller.clone(),
            issuer: audience.issuer.into(),
            made_at: now,
            value: value.clone(),
        };
        remembered.insert(place, fresh);
        Some(value)
    }

    fn sign(&self, caller: &Caller, audience: Audience<'_>, now: Timestamp) -> Option<HeaderValue> {
        let header = json!({ "typ": "rampart-assertion+jwt", "alg": "EdDSA", "kid": self.id });
        let mut claims = json!({
            "iss": audience.issuer,
            "aud": audience.name,
            "iat": now.as_secs(),
            "exp": now.after(LIFE).as_secs(),
        });
        caller.describe(claims.as_object_mut()?);
        let text = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = self.pair.sign(text.as_bytes());
        let value = format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()));
        HeaderValue::try_from(value).ok()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, AHashMap<(Digest, u64), Remembered>> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
