//! Who may be let in: the identity snapshot, indexed by digest, changed in place as control says.
//!
//! Holds digests and public keys, never a credential. One lock, held for a few look-ups or one
//! change, so that what a change means (a person is gone, and so are their keys) holds at once.

mod bans;

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use ahash::AHashMap;
use model::snapshot::{
    ApiKeyGrant, Digest, IdentityChange, IdentitySnapshot, SessionGrant, Subject,
};
use model::{ApiKeyId, PersonId, Principal, PrincipalKind, SessionId, Timestamp, TokenKeyId};

use crate::token::VerifyingKey;
use bans::Bans;

/// Everything the gateway knows of identity.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    tables: RwLock<Tables>,
    seen: SeenList,
    /// When control was last heard, on the monotonic clock, in milliseconds; zero before.
    heard_ms: AtomicU64,
}

#[derive(Debug, Default)]
struct Tables {
    revision: u64,
    people: AHashMap<PersonId, Arc<Person>>,
    sessions: AHashMap<Digest, Arc<Session>>,
    session_digests: AHashMap<SessionId, Digest>,
    keys: AHashMap<Digest, Arc<Key>>,
    key_digests: AHashMap<ApiKeyId, Digest>,
    token_keys: Arc<AHashMap<TokenKeyId, VerifyingKey>>,
    issuer: Arc<str>,
    revoked: AHashMap<String, Timestamp>,
    bans: Bans,
}

/// A person with what every request of theirs needs, made once.
#[derive(Debug)]
pub(crate) struct Person {
    /// As control sent it.
    pub(crate) subject: Subject,
    /// As events name it.
    pub(crate) principal: Principal,
}

/// A session, and when it was last used here.
#[derive(Debug)]
pub(crate) struct Session {
    /// As control sent it.
    pub(crate) grant: SessionGrant,
    seen_ms: AtomicI64,
    reported: AtomicBool,
}

/// An API key.
#[derive(Debug)]
pub(crate) struct Key {
    /// As control sent it.
    pub(crate) grant: ApiKeyGrant,
    /// As events name it.
    pub(crate) principal: Principal,
}

/// Whether a change followed the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// It did.
    Kept,
    /// Something in between is missing: only a whole snapshot helps.
    Broken,
}

/// Sessions used since control was last told. Each stands in it once.
#[derive(Debug, Default)]
struct SeenList(std::sync::Mutex<Vec<Arc<Session>>>);

impl Directory {
    /// Replaces everything. Uses that control does not know of yet stay counted.
    pub(crate) fn replace(&self, snapshot: IdentitySnapshot) {
        let mut tables = Tables {
            revision: snapshot.revision,
            issuer: snapshot.issuer.into(),
            ..Tables::default()
        };
        snapshot
            .subjects
            .into_iter()
            .for_each(|s| tables.put_person(s));
        snapshot
            .api_keys
            .into_iter()
            .for_each(|k| tables.put_key(k));
        tables.revoked.extend(snapshot.revoked_tokens);
        tables.token_keys = Arc::new(crate::token::keys(&snapshot.token_keys));
        snapshot
            .bans
            .into_iter()
            .for_each(|ban| tables.bans.put(ban));
        let mut current = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        for grant in snapshot.sessions {
            let before = current.sessions.get(&grant.digest).cloned();
            tables.put_session(grant, before.as_deref());
        }
        *current = tables;
    }

    /// Carries out one change, when it follows the revision held.
    pub(crate) fn change(&self, revision: u64, change: IdentityChange) -> Order {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        if revision <= tables.revision {
            // Sent before the snapshot that already contains it.
            return Order::Kept;
        }
        if revision != tables.revision.saturating_add(1) {
            return Order::Broken;
        }
        tables.revision = revision;
        tables.apply(change);
        Order::Kept
    }

    /// The live session with this digest on `host`, and whose it is.
    ///
    /// `idle` is how long a session lives without use: uses here push its end out before control
    /// hears of them.
    pub(crate) fn session(
        &self,
        digest: &Digest,
        host: &str,
        now: Timestamp,
        idle: Duration,
    ) -> Option<(Arc<Session>, Arc<Person>)> {
        let (session, person) = {
            let tables = self.tables();
            let session = tables.sessions.get(digest)?;
            let person = tables.people.get(&session.grant.person)?;
            (Arc::clone(session), Arc::clone(person))
        };
        let grant = &session.grant;
        let seen = Timestamp::from_millis(session.seen_ms.load(Ordering::Relaxed));
        let idle_at = grant.idle_at.max(seen.after(idle));
        if grant.host != host || now >= grant.absolute_at || now >= idle_at {
            return None;
        }
        Some((session, person))
    }

    /// A session was used: control is told with the next report.
    pub(crate) fn used(&self, session: &Arc<Session>, now: Timestamp) {
        session
            .seen_ms
            .fetch_max(now.as_millis(), Ordering::Relaxed);
        if !session.reported.swap(true, Ordering::Relaxed) {
            self.seen.lock().push(Arc::clone(session));
        }
    }

    /// Takes what was used since the last call.
    pub(crate) fn take_seen(&self) -> Vec<(SessionId, Timestamp)> {
        let sessions = std::mem::take(&mut *self.seen.lock());
        sessions
            .into_iter()
            .map(|session| {
                session.reported.store(false, Ordering::Relaxed);
                let seen = session.seen_ms.load(Ordering::Relaxed);
                (session.grant.id, Timestamp::from_millis(seen))
            })
            .collect()
    }

    /// The API key with this digest, when it has not ended, and whose it is.
    pub(crate) fn key(&self, digest: &Digest, now: Timestamp) -> Option<(Arc<Key>, Arc<Person>)> {
        let tables = self.tables();
        let key = tables.keys.get(digest)?;
        let person = tables.people.get(&key.grant.owner)?;
        let ended = key.grant.expires_at.is_some_and(|end| now >= end);
        (!ended).then(|| (Arc::clone(key), Arc::clone(person)))
    }

    /// A person who is not disabled.
    pub(crate) fn person(&self, id: PersonId) -> Option<Arc<Person>> {
        self.tables().people.get(&id).cloned()
    }

    /// A person by id, e-mail address or name.
    pub(crate) fn person_called(&self, name: &str) -> Option<Arc<Person>> {
        let tables = self.tables();
        let called = |person: &&Arc<Person>| {
            let subject = &person.subject;
            subject.name == name
                || subject.email.as_deref() == Some(name)
                || subject.id.to_string() == name
        };
        tables.people.values().find(called).cloned()
    }

    /// The keys of access tokens, and their issuer.
    pub(crate) fn token_keys(&self) -> (Arc<AHashMap<TokenKeyId, VerifyingKey>>, Arc<str>) {
        let tables = self.tables();
        (Arc::clone(&tables.token_keys), Arc::clone(&tables.issuer))
    }

    /// Whether an access token was revoked before its end.
    pub(crate) fn is_revoked(&self, jti: &str) -> bool {
        self.tables().revoked.contains_key(jti)
    }

    /// Why `address` is banned, when it is.
    pub(crate) fn ban(&self, address: std::net::IpAddr, now: Timestamp) -> Option<String> {
        self.tables().bans.reason(address, now)
    }

    /// Control was heard just now.
    pub(crate) fn heard(&self, monotonic: Duration) {
        let ms = u64::try_from(monotonic.as_millis()).unwrap_or(u64::MAX);
        self.heard_ms.store(ms.saturating_add(1), Ordering::Relaxed);
    }

    /// For how long nothing was heard of control; for ever before the first word.
    pub(crate) fn age(&self, monotonic: Duration) -> Duration {
        match self.heard_ms.load(Ordering::Relaxed).checked_sub(1) {
            None => Duration::MAX,
            Some(heard) => monotonic.saturating_sub(Duration::from_millis(heard)),
        }
    }

    fn tables(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SeenList {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn apply(&mut self, change: IdentityChange) {
        match change {
            IdentityChange::Subject(subject) => self.put_person(subject),
            IdentityChange::SubjectGone(id) => self.remove_person(id),
            IdentityChange::Session(grant) => {
                let before = self.sessions.get(&grant.digest).cloned();
                self.put_session(grant, before.as_deref());
            }
            IdentityChange::SessionGone(id) => {
                if let Some(digest) = self.session_digests.remove(&id) {
                    self.sessions.remove(&digest);
                }
            }
            IdentityChange::ApiKey(grant) => self.put_key(grant),
            IdentityChange::ApiKeyGone(id) => {
                if let Some(digest) = self.key_digests.remove(&id) {
                    self.keys.remove(&digest);
                }
            }
            IdentityChange::TokenKeys(keys) => {
                self.token_keys = Arc::new(crate::token::keys(&keys));
            }
            IdentityChange::TokenRevoked(jti, until) => {
                self.revoked.insert(jti, until);
            }
            IdentityChange::Ban(ban) => self.bans.put(ban),
            IdentityChange::BanGone(id) => self.bans.remove(id),
        }
    }

    fn put_person(&mut self, subject: Subject) {
        let id = subject.id.to_string();
        let principal = Principal::new(PrincipalKind::Person, id, subject.name.clone());
        let person = Person { subject, principal };
        self.people.insert(person.subject.id, Arc::new(person));
    }

    fn remove_person(&mut self, id: PersonId) {
        self.people.remove(&id);
        self.sessions
            .retain(|_, session| session.grant.person != id);
        self.keys.retain(|_, key| key.grant.owner != id);
        let (sessions, keys) = (&self.sessions, &self.keys);
        self.session_digests
            .retain(|_, digest| sessions.contains_key(digest));
        self.key_digests
            .retain(|_, digest| keys.contains_key(digest));
    }

    fn put_session(&mut self, grant: SessionGrant, before: Option<&Session>) {
        let seen = before.map_or(i64::MIN, |session| session.seen_ms.load(Ordering::Relaxed));
        let old = self.session_digests.insert(grant.id, grant.digest);
        if let Some(old) = old.filter(|old| *old != grant.digest) {
            self.sessions.remove(&old);
        }
        let session = Session {
            seen_ms: AtomicI64::new(seen),
            reported: AtomicBool::new(false),
            grant,
        };
        self.sessions
            .insert(session.grant.digest, Arc::new(session));
    }

    fn put_key(&mut self, grant: ApiKeyGrant) {
        let old = self.key_digests.insert(grant.id, grant.digest);
        if let Some(old) = old.filter(|old| *old != grant.digest) {
            self.keys.remove(&old);
        }
        let id = grant.id.to_string();
        let principal = Principal::new(PrincipalKind::ApiKey, id, grant.name.clone());
        let key = Key { grant, principal };
        self.keys.insert(key.grant.digest, Arc::new(key));
    }
}

#[cfg(test)]
pub(crate) mod tests;
