//! What the gateway is fed with, and a new estate taken in.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use ::estate::Estate;
use ::model::PersonId;
use ::model::snapshot::{IdentityChange, IdentitySnapshot, Subject, TokenAlgorithm, TokenKey};
use tokio::sync::broadcast;

use crate::store::keys::{self, TokenKeyRow};
use crate::store::{people, sessions};
use crate::view::ViewChange;
use crate::{Binding, BindingKind, Error, Identity, Person, PersonState};

impl Identity {
    /// What the gateway needs to know, now. Without bans: they are the gateway's own.
    #[must_use]
    pub fn snapshot(&self) -> IdentitySnapshot {
        self.inner().view.watch().0
    }

    /// Every change from now on, with its revision. Take this first, the snapshot second, and
    /// leave out what is not newer than the snapshot: nothing is lost between. A listener that
    /// falls behind is told so by the channel and takes a new snapshot.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<(u64, IdentityChange)> {
        self.inner().view.watch().1
    }

    /// Snapshot and changes after it, at one moment.
    #[must_use]
    pub fn watch(&self) -> (IdentitySnapshot, broadcast::Receiver<(u64, IdentityChange)>) {
        self.inner().view.watch()
    }

    /// Takes a new estate in: its roles and groups count from now on.
    ///
    /// # Errors
    /// [`Error::Store`]; the estate counts all the same, and people's roles follow as soon as the store
    /// answers.
    pub async fn set_estate(&self, estate: Arc<Estate>) -> Result<(), Error> {
        let _turn = self.inner().turn.lock().await;
        *self
            .inner()
            .estate
            .write()
            .unwrap_or_else(PoisonError::into_inner) = estate;
        self.reload().await
    }

    /// Makes the view as the store is. The caller holds the turn, or nobody else is there yet.
    pub(crate) async fn reload(&self) -> Result<(), Error> {
        self.inner().stale.store(true, Ordering::SeqCst);
        self.read_all().await?;
        self.inner().stale.store(false, Ordering::SeqCst);
        Ok(())
    }

    /// Tries again what failed before.
    pub(crate) async fn reload_if_stale(&self) -> Result<(), Error> {
        if !self.inner().stale.load(Ordering::SeqCst) {
            return Ok(());
        }
        let _turn = self.inner().turn.lock().await;
        self.reload().await
    }

    async fn read_all(&self) -> Result<(), Error> {
        let (store, now) = (&self.inner().store, self.now());
        let bindings = people::bindings(store).await?;
        let mut all: Vec<ViewChange> = people::list(store)
            .await?
            .iter()
            .filter(|person| person.state == PersonState::Active)
            .map(|person| IdentityChange::Subject(self.subject(person, &bindings)))
            .map(ViewChange::Public)
            .collect();
        for stored in sessions::live(store, now).await? {
            all.push(match stored.session.host {
                Some(_) => ViewChange::Public(IdentityChange::Session(stored.grant())),
                None => ViewChange::Console(stored.grant()),
            });
        }
        let keys = keys::live(store, now).await?;
        all.extend(
            keys.iter()
                .map(|k| ViewChange::Public(IdentityChange::ApiKey(k.grant()))),
        );
        for (jti, until) in keys::revoked_tokens(store, now).await? {
            all.push(ViewChange::Public(IdentityChange::TokenRevoked(jti, until)));
        }
        let mut signing = keys::token_keys(store, now).await?;
        signing.reverse();
        all.push(ViewChange::Public(IdentityChange::TokenKeys(public(
            &signing,
        ))));
        *self
            .inner()
            .signing
            .write()
            .unwrap_or_else(PoisonError::into_inner) = signing;
        self.inner().view.replace(all);
        Ok(())
    }

    /// A person as requests need them, from all bindings.
    pub(crate) fn subject(&self, person: &Person, bindings: &[Binding]) -> Subject {
        Subject {
            id: person.id,
            name: person.name.clone(),
            email: person.email.clone(),
            roles: self.roles_of(person.id, bindings),
        }
    }

    /// The roles a person holds now, groups resolved.
    pub(crate) fn roles_of(&self, person: PersonId, bindings: &[Binding]) -> Vec<String> {
        let now = self.now();
        let of = |kind: BindingKind| -> Vec<String> {
            let held = bindings
                .iter()
                .filter(|b| b.person == person && b.kind == kind);
            let held = held.filter(|b| b.expires_at.is_none_or(|end| end > now));
            held.map(|b| b.name.clone()).collect()
        };
        self.estate()
            .resolve_roles(&of(BindingKind::Role), &of(BindingKind::Group))
    }
}

/// The public halves.
pub(crate) fn public(rows: &[TokenKeyRow]) -> Vec<TokenKey> {
    let key = |row: &TokenKeyRow| TokenKey {
        id: row.signing.id,
        algorithm: TokenAlgorithm::EdDSA,
        x: row.x.clone(),
        y: String::new(),
        not_after: Some(row.not_after),
    };
    rows.iter().map(key).collect()
}
