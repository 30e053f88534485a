//! What is true right now, in memory: who may sign requests, with what. Answers without the store,
//! and tells the gateway of every change, in order.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::model::snapshot::{
    ApiKeyGrant, Digest, IdentityChange, IdentitySnapshot, SessionGrant, Subject, TokenKey,
};
use ::model::{ApiKeyId, PersonId, SessionId, Timestamp};
use tokio::sync::broadcast;

/// LIMIT: changes a slow listener may be behind before it must take a new snapshot.
const BEHIND_MAX: usize = 4096;

/// One change of the view.
#[derive(Clone, Debug)]
pub(crate) enum ViewChange {
    /// The gateway is told.
    Public(IdentityChange),
    /// A session on the console's own origin, which the gateway never accepts.
    Console(SessionGrant),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct View {
    state: Mutex<State>,
    changes: broadcast::Sender<(u64, IdentityChange)>,
}

#[derive(Debug, Default)]
struct State {
    revision: u64,
    issuer: String,
    subjects: HashMap<PersonId, Subject>,
    sessions: HashMap<SessionId, (SessionGrant, Kind)>,
    session_digests: HashMap<Digest, SessionId>,
    keys: HashMap<ApiKeyId, ApiKeyGrant>,
    key_digests: HashMap<Digest, ApiKeyId>,
    token_keys: Vec<TokenKey>,
    revoked_tokens: Vec<(String, Timestamp)>,
}

/// Where a session is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Console,
    Origin,
}

impl View {
    /// Revisions count up from `revision`, which must be higher than any an earlier run gave out.
    pub(crate) fn new(issuer: String, revision: u64) -> Self {
        let (changes, _) = broadcast::channel(BEHIND_MAX);
        Self {
            state: Mutex::new(State {
                issuer,
                revision,
                ..State::default()
            }),
            changes,
        }
    }

    /// Carries out changes and tells the listeners.
    pub(crate) fn apply(&self, all: impl IntoIterator<Item = ViewChange>) {
        let mut state = self.lock();
        for change in all {
            match change {
                ViewChange::Console(grant) => state.put_session(grant, Kind::Console),
                ViewChange::Public(change) if state.holds(&change) => {}
                ViewChange::Public(change) => {
                    state.apply(change.clone());
                    state.revision += 1;
                    // INVARIANT: sent under the lock, so revisions arrive in order.
                    drop(self.changes.send((state.revision, change)));
                }
            }
        }
    }

    /// Makes everything as the store has it: after a start, and when store and view may differ.
    /// Listeners are told of each difference.
    pub(crate) fn replace(&self, all: Vec<ViewChange>) {
        let gone = self.lock().missing_from(&all);
        self.apply(gone.into_iter().map(ViewChange::Public).chain(all));
    }

    /// The whole of it for the gateway, and every change after it.
    pub(crate) fn watch(&self) -> (IdentitySnapshot, broadcast::Receiver<(u64, IdentityChange)>) {
        let state = self.lock();
        (state.snapshot(), self.changes.subscribe())
    }

    pub(crate) fn subject(&self, id: PersonId) -> Option<Subject> {
        self.lock().subjects.get(&id).cloned()
    }

    /// A session on the console's origin, by the digest of its cookie.
    pub(crate) fn console_session(&self, digest: &Digest) -> Option<SessionGrant> {
        let state = self.lock();
        let (grant, kind) = state.sessions.get(state.session_digests.get(digest)?)?;
        (*kind == Kind::Console).then(|| grant.clone())
    }

    pub(crate) fn session(&self, id: SessionId) -> Option<SessionGrant> {
        self.lock()
            .sessions
            .get(&id)
            .map(|(grant, _)| grant.clone())
    }

    pub(crate) fn api_key(&self, digest: &Digest) -> Option<ApiKeyGrant> {
        let state = self.lock();
        state.keys.get(state.key_digests.get(digest)?).cloned()
    }

    pub(crate) fn key_owner(&self, id: ApiKeyId) -> Option<PersonId> {
        self.lock().keys.get(&id).map(|key| key.owner)
    }

    /// Moves the end of a session out; `None` when there is no such session.
    pub(crate) fn extend(&self, id: SessionId, idle_at: Timestamp) -> Option<ViewChange> {
        let state = self.lock();
        let (grant, kind) = state.sessions.get(&id)?;
        let grant = SessionGrant {
            idle_at: idle_at.max(grant.idle_at),
            ..grant.clone()
        };
        Some(match kind {
            Kind::Console => ViewChange::Console(grant),
            Kind::Origin => ViewChange::Public(IdentityChange::Session(grant)),
        })
    }

    pub(crate) fn token_keys(&self) -> Vec<TokenKey> {
        self.lock().token_keys.clone()
    }

    pub(crate) fn is_token_revoked(&self, jti: &str) -> bool {
        self.lock().is_revoked(jti)
    }

    pub(crate) fn revoked_count(&self) -> usize {
        self.lock().revoked_tokens.len()
    }

    pub(crate) fn forget_tokens(&self, now: Timestamp) {
        self.lock().revoked_tokens.retain(|(_, until)| *until > now);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn apply(&mut self, change: IdentityChange) {
        match change {
            IdentityChange::Subject(subject) => {
                self.subjects.insert(subject.id, subject);
            }
            IdentityChange::SubjectGone(id) => {
                self.subjects.remove(&id);
                let sessions: Vec<_> = self
                    .sessions
                    .values()
                    .filter(|(s, _)| s.person == id)
                    .map(|(s, _)| s.id)
                    .collect();
                sessions.into_iter().for_each(|id| self.remove_session(id));
                let keys: Vec<_> = self
                    .keys
                    .values()
                    .filter(|k| k.owner == id)
                    .map(|k| k.id)
                    .collect();
                keys.into_iter().for_each(|id| self.remove_key(id));
            }
            IdentityChange::Session(grant) => self.put_session(grant, Kind::Origin),
            IdentityChange::SessionGone(id) => self.remove_session(id),
            IdentityChange::ApiKey(grant) => {
                self.remove_key(grant.id);
                self.key_digests.insert(grant.digest, grant.id);
                self.keys.insert(grant.id, grant);
            }
            IdentityChange::ApiKeyGone(id) => self.remove_key(id),
            IdentityChange::TokenKeys(keys) => self.token_keys = keys,
            IdentityChange::TokenRevoked(jti, until) => self.revoked_tokens.push((jti, until)),
            // Bans belong to the gateway's own part.
            IdentityChange::Ban(_) | IdentityChange::BanGone(_) => {}
        }
    }

    /// Whether a change would change nothing.
    fn holds(&self, change: &IdentityChange) -> bool {
        match change {
            IdentityChange::Subject(subject) => self.subjects.get(&subject.id) == Some(subject),
            IdentityChange::Session(grant) => self
                .sessions
                .get(&grant.id)
                .is_some_and(|(held, _)| held == grant),
            IdentityChange::ApiKey(grant) => self.keys.get(&grant.id) == Some(grant),
            IdentityChange::TokenKeys(keys) => self.token_keys == *keys,
            IdentityChange::TokenRevoked(jti, _) => self.is_revoked(jti),
            _ => false,
        }
    }

    /// What is held here and not in `all`, as changes that take it away.
    fn missing_from(&self, all: &[ViewChange]) -> Vec<IdentityChange> {
        let (mut subjects, mut sessions, mut keys) =
            (HashSet::new(), HashSet::new(), HashSet::new());
        for change in all {
            match change {
                ViewChange::Console(grant) => drop(sessions.insert(grant.id)),
                ViewChange::Public(IdentityChange::Subject(s)) => drop(subjects.insert(s.id)),
                ViewChange::Public(IdentityChange::Session(s)) => drop(sessions.insert(s.id)),
                ViewChange::Public(IdentityChange::ApiKey(k)) => drop(keys.insert(k.id)),
                ViewChange::Public(_) => {}
            }
        }
        let subjects = self.subjects.keys().filter(|id| !subjects.contains(id));
        let sessions = self.sessions.keys().filter(|id| !sessions.contains(id));
        let keys = self.keys.keys().filter(|id| !keys.contains(id));
        let mut gone: Vec<_> = subjects
            .map(|id| IdentityChange::SubjectGone(*id))
            .collect();
        gone.extend(sessions.map(|id| IdentityChange::SessionGone(*id)));
        gone.extend(keys.map(|id| IdentityChange::ApiKeyGone(*id)));
        gone
    }

    fn is_revoked(&self, jti: &str) -> bool {
        self.revoked_tokens
            .iter()
            .any(|(revoked, _)| revoked == jti)
    }

    fn put_session(&mut self, grant: SessionGrant, kind: Kind) {
        self.remove_session(grant.id);
        self.session_digests.insert(grant.digest, grant.id);
        self.sessions.insert(grant.id, (grant, kind));
    }

    fn remove_session(&mut self, id: SessionId) {
        if let Some((grant, _)) = self.sessions.remove(&id) {
            self.session_digests.remove(&grant.digest);
        }
    }

    fn remove_key(&mut self, id: ApiKeyId) {
        if let Some(grant) = self.keys.remove(&id) {
            self.key_digests.remove(&grant.digest);
        }
    }

    fn snapshot(&self) -> IdentitySnapshot {
        let origin =
            |(grant, kind): &(SessionGrant, Kind)| (*kind == Kind::Origin).then(|| grant.clone());
        IdentitySnapshot {
            revision: self.revision,
            subjects: self.subjects.values().cloned().collect(),
            sessions: self.sessions.values().filter_map(origin).collect(),
            api_keys: self.keys.values().cloned().collect(),
            token_keys: self.token_keys.clone(),
            issuer: self.issuer.clone(),
            revoked_tokens: self.revoked_tokens.clone(),
            bans: Vec::new(),
        }
    }
}
