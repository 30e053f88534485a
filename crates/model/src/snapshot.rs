//! What the gateway knows of identity: digests and verification keys, never a secret that would
//! let it sign people in by itself.

use serde::{Deserialize, Serialize};

use crate::{
    ApiKeyId, Ban, Method, Network, PermissionSet, PersonId, SessionId, Timestamp, TokenKeyId,
};

/// SHA-256 of a bearer secret.
pub type Digest = [u8; 32];

/// A person as far as a request needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Who.
    pub id: PersonId,
    /// What others call them.
    pub name: String,
    /// E-mail address, when one is set.
    pub email: Option<String>,
    /// Names of roles, groups already resolved, sorted. A disabled person has no subject.
    pub roles: Vec<String>,
}

/// A session the gateway may accept on one origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionGrant {
    /// SHA-256 of the cookie's value.
    pub digest: Digest,
    /// Which session.
    pub id: SessionId,
    /// Whose.
    pub person: PersonId,
    /// The origin host (lower case, no port) it was issued for; no other host accepts it.
    pub host: String,
    /// Ends when not used until then; `last_seen` reports push it out.
    pub idle_at: Timestamp,
    /// Ends then in any case.
    pub absolute_at: Timestamp,
    /// When the newest proof was given.
    pub authenticated_at: Timestamp,
    /// The proofs given.
    pub methods: Vec<Method>,
}

/// An API key the gateway may accept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyGrant {
    /// SHA-256 of the whole key text.
    pub digest: Digest,
    /// Which key.
    pub id: ApiKeyId,
    /// What its owner calls it.
    pub name: String,
    /// Whose.
    pub owner: PersonId,
    /// What the key may do at most; the owner's own permissions are a second ceiling.
    pub permissions: PermissionSet,
    /// Where it may be used from; empty means anywhere.
    pub networks: Vec<Network>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// Signature algorithms of access tokens; each key has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TokenAlgorithm {
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
    ES256,
    /// Ed25519 (RFC 8037).
    EdDSA,
}

/// A public key that verifies access tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenKey {
    /// The `kid`.
    pub id: TokenKeyId,
    /// Its one algorithm.
    pub algorithm: TokenAlgorithm,
    /// The public key as the fields of a JWK: `x` (and `y` for P-256), base64url without padding.
    pub x: String,
    /// See `x`; empty for Ed25519.
    pub y: String,
    /// Tokens it signed are refused after this.
    pub not_after: Option<Timestamp>,
}

/// The whole of it, at one revision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentitySnapshot {
    /// Counts up with every change.
    pub revision: u64,
    /// People who are not disabled.
    pub subjects: Vec<Subject>,
    /// Sessions issued to protected origins.
    pub sessions: Vec<SessionGrant>,
    /// API keys that are neither revoked nor expired.
    pub api_keys: Vec<ApiKeyGrant>,
    /// Keys of the built-in issuer.
    pub token_keys: Vec<TokenKey>,
    /// The built-in issuer (`iss`), an origin such as `https://id.shop.example`.
    pub issuer: String,
    /// Ids (`jti`) of access tokens revoked before they end, with their end.
    pub revoked_tokens: Vec<(String, Timestamp)>,
    /// Addresses and networks to refuse.
    pub bans: Vec<Ban>,
}

/// One step from a revision to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityChange {
    /// A person appeared or changed.
    Subject(Subject),
    /// A person was disabled or removed; their sessions and keys end with them.
    SubjectGone(PersonId),
    /// A session began or changed.
    Session(SessionGrant),
    /// A session ended.
    SessionGone(SessionId),
    /// A key appeared or changed.
    ApiKey(ApiKeyGrant),
    /// A key was revoked.
    ApiKeyGone(ApiKeyId),
    /// The token keys are now exactly these.
    TokenKeys(Vec<TokenKey>),
    /// A token was revoked before its end.
    TokenRevoked(String, Timestamp),
    /// An address or network is banned.
    Ban(Ban),
    /// A ban was lifted.
    BanGone(crate::BanId),
}

impl IdentitySnapshot {
    /// Carries out one change; idempotent.
    pub fn apply(&mut self, change: IdentityChange) {
        fn put<T>(all: &mut Vec<T>, new: T, same: impl Fn(&T, &T) -> bool) {
            match all.iter_mut().find(|old| same(old, &new)) {
                Some(old) => *old = new,
                None => all.push(new),
            }
        }
        match change {
            IdentityChange::Subject(s) => put(&mut self.subjects, s, |a, b| a.id == b.id),
            IdentityChange::SubjectGone(id) => {
                self.subjects.retain(|s| s.id != id);
                self.sessions.retain(|s| s.person != id);
                self.api_keys.retain(|k| k.owner != id);
            }
            IdentityChange::Session(s) => put(&mut self.sessions, s, |a, b| a.id == b.id),
            IdentityChange::SessionGone(id) => self.sessions.retain(|s| s.id != id),
            IdentityChange::ApiKey(k) => put(&mut self.api_keys, k, |a, b| a.id == b.id),
            IdentityChange::ApiKeyGone(id) => self.api_keys.retain(|k| k.id != id),
            IdentityChange::TokenKeys(keys) => self.token_keys = keys,
            IdentityChange::TokenRevoked(jti, until) => {
                put(&mut self.revoked_tokens, (jti, until), |a, b| a.0 == b.0);
            }
            IdentityChange::Ban(b) => put(&mut self.bans, b, |a, b| a.id == b.id),
            IdentityChange::BanGone(id) => self.bans.retain(|b| b.id != id),
        }
    }
}
