//! Every operation a surface can ask for: each takes who asks, checks that they may, acts in one
//! transaction and records what it did.

mod account;
mod administrator;
mod enrol;
mod forms;
mod keys;
mod people;
mod roles;
mod sessions;
mod sign_in;
mod tokens;
mod watch;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use ::estate::Estate;
use ::model::snapshot::Subject;
use ::model::{
    Authentication, Context, Method, PermissionSet, PersonId, PrincipalKind, SessionId,
    SharedClock, SharedEntropy, Timestamp, own,
};
use ::store::Store;
use trail::Trail;

pub use account::RecoveryCodes;
pub use enrol::{EnrolmentOffer, TotpOffer};
pub use keys::{ApiKeyPage, KEYS_PAGE_MAX, MadeApiKey, NewApiKey};
pub use people::{Invitation, NewPerson};
pub use sign_in::{Device, PendingSignIn, Proof, SignedIn};
pub use tokens::{AccessToken, IssuedToken, TokenRequest};

use crate::failures::Failures;
use crate::password::{Cost, Hasher};
use crate::store::keys::TokenKeyRow;
use crate::view::View;
use crate::{Error, PersonState};

/// How to open an identity.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The issuer of access tokens and of authenticator entries: an origin, such as
    /// `https://rampart.shop.example`.
    pub issuer: String,
    /// What one password hash costs: [`Cost::OWASP`] outside tests.
    pub cost: Cost,
    /// Password hashes at once: the number of cores. Each takes the cost's memory while it runs.
    pub hash_slots: usize,
}

/// A handle on identity; cheap to clone.
#[derive(Clone, Debug)]
pub struct Identity(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) trail: Trail,
    pub(crate) clock: SharedClock,
    pub(crate) entropy: SharedEntropy,
    pub(crate) estate: RwLock<Arc<Estate>>,
    pub(crate) view: View,
    /// INVARIANT: held by whoever changes the store, until the view knows.
    pub(crate) turn: Arc<tokio::sync::Mutex<()>>,
    pub(crate) hasher: Hasher,
    pub(crate) issuer: String,
    /// Signing keys, oldest first.
    pub(crate) signing: RwLock<Vec<TokenKeyRow>>,
    pub(crate) failures: Failures,
    /// Uses that are not in the store yet.
    pub(crate) seen: Mutex<Seen>,
    pub(crate) due: Mutex<crate::tasks::Due>,
    /// The view may differ from the store: it is read again as soon as that works.
    pub(crate) stale: AtomicBool,
}

/// When what was last used.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) sessions: HashMap<SessionId, Timestamp>,
    pub(crate) keys: HashMap<::model::ApiKeyId, Timestamp>,
}

impl Identity {
    /// Reads what lives, and makes the first signing key when there is none.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Trail`], [`Error::Damaged`].
    pub async fn open(
        store: Store,
        trail: Trail,
        estate: Arc<Estate>,
        clock: SharedClock,
        entropy: SharedEntropy,
        settings: Settings,
    ) -> Result<Self, Error> {
        // Revisions of this run are higher than those of every run before: changes are rarer
        // than one a millisecond.
        let revision = u64::try_from(clock.now().as_millis()).unwrap_or(0);
        let identity = Self(Arc::new(Inner {
            hasher: Hasher::new(settings.cost, settings.hash_slots, entropy.clone()),
            view: View::new(settings.issuer.clone(), revision),
            issuer: settings.issuer,
            store,
            trail,
            clock,
            entropy,
            estate: RwLock::new(estate),
            turn: Arc::default(),
            signing: RwLock::default(),
            failures: Failures::default(),
            seen: Mutex::default(),
            due: Mutex::default(),
            stale: AtomicBool::new(false),
        }));
        identity.reload().await?;
        identity.rotate_signing_keys().await?;
        Ok(identity)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn estate(&self) -> Arc<Estate> {
        self.0
            .estate
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Everything a person's roles give.
    pub(crate) fn permissions_of(&self, subject: &Subject) -> PermissionSet {
        self.estate().role_permissions(&subject.roles)
    }

    /// Stops here when the newest proof is older than the estate allows for changes of credentials
    /// and rights (ASVS 5.0 V7.5.1). Programs give their proof with every request.
    pub(crate) fn require_fresh(&self, ctx: &Context) -> Result<(), Error> {
        let limit = self.estate().identity.step_up_after;
        match &ctx.authentication {
            Some(Authentication { at, .. }) if at.after(limit) > self.now() => Ok(()),
            Some(_) => Err(Error::StepUp),
            None if ctx.principal.kind == PrincipalKind::System => Ok(()),
            None => Err(Error::NotAPerson),
        }
    }

    pub(crate) async fn active_person(
        tx: &mut ::store::Tx,
        id: PersonId,
    ) -> Result<crate::Person, Error> {
        let person = crate::store::people::lock(tx, id).await?;
        person
            .filter(|p| p.state == PersonState::Active)
            .ok_or(Error::NotFound("person"))
    }
}

/// Checks one of Rampart's own permissions.
pub(crate) fn require(ctx: &Context, permission: &'static str) -> Result<(), Error> {
    Ok(ctx.require(&own::permission(permission))?)
}

/// The signed-in person of a context; API keys and access tokens do not count as one.
pub(crate) fn person(ctx: &Context) -> Result<PersonId, Error> {
    let by_session = |a: &Authentication| {
        a.session.is_some()
            && !a
                .methods
                .iter()
                .any(|m| matches!(m, Method::Key | Method::Token))
    };
    match ctx.principal.kind {
        PrincipalKind::Person if ctx.authentication.as_ref().is_some_and(by_session) => {
            ctx.principal.id.parse().map_err(|_| Error::NotAPerson)
        }
        _ => Err(Error::NotAPerson),
    }
}

/// The person behind a context, be it by session, token or API key; for what is theirs to see.
pub(crate) fn own_id(ctx: &Context) -> Option<PersonId> {
    (ctx.principal.kind == PrincipalKind::Person)
        .then(|| ctx.principal.id.parse().ok())
        .flatten()
}
