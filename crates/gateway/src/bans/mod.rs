//! The ban list, on control's side: addresses and networks that are refused before anything else
//! is looked at, each until a moment.

mod error;
mod store;

use std::sync::Arc;
use std::time::Duration;

use ::store::Store;
use model::snapshot::IdentityChange;
use model::{
    Ban, BanId, Context, Event, Network, Severity, SharedClock, SharedEntropy, activity, ocsf, own,
};
use tokio::sync::broadcast;
use trail::Trail;

pub use error::Error;
pub use store::MIGRATIONS;

/// LIMIT: bans at once.
const BANS_MAX: usize = 10_000;
/// LIMIT: changes a slow follower may be behind before it must begin anew.
const CHANGES_MAX: usize = 1024;
/// LIMIT: characters of a reason.
const REASON_MAX: usize = 200;
/// The longest ban.
const LENGTH_MAX: Duration = Duration::from_hours(365 * 24);
/// The widest network, by address family.
const WIDEST: (u8, u8) = (8, 16);

/// The ban list; cheap to clone.
#[derive(Clone, Debug)]
pub struct Bans(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    trail: Trail,
    clock: SharedClock,
    entropy: SharedEntropy,
    changes: broadcast::Sender<IdentityChange>,
    /// INVARIANT: held from a change of the list until followers were told, so that they hear of
    /// changes in the order in which these were made.
    turn: tokio::sync::Mutex<()>,
}

impl Bans {
    /// The list kept in `store`.
    #[must_use]
    pub fn new(store: Store, trail: Trail, clock: SharedClock, entropy: SharedEntropy) -> Self {
        Self(Arc::new(Inner {
            store,
            trail,
            clock,
            entropy,
            changes: broadcast::channel(CHANGES_MAX).0,
            turn: tokio::sync::Mutex::default(),
        }))
    }

    /// Bans in force, oldest first.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Store`].
    pub async fn list(&self, ctx: &Context) -> Result<Vec<Ban>, Error> {
        ctx.require(&own::permission(own::GATEWAY_READ))?;
        self.in_force().await
    }

    /// Bans in force, for those who enforce them.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn in_force(&self) -> Result<Vec<Ban>, Error> {
        store::in_force(&self.0.store, self.0.clock.now()).await
    }

    /// Refuses `network` for `length`.
    ///
    /// # Errors
    /// [`Error::Denied`]; [`Error::Invalid`] for a network that is too wide, that contains whoever
    /// asks, a length beyond a year or no reason; [`Error::Limit`]; [`Error::Store`],
    /// [`Error::Trail`].
    pub async fn ban(
        &self,
        ctx: &Context,
        network: Network,
        length: Duration,
        reason: &str,
    ) -> Result<Ban, Error> {
        ctx.require(&own::permission(own::GATEWAY_BAN))?;
        check(ctx, network, length, reason)?;
        let inner = &self.0;
        let ban = Ban {
            id: BanId::new(&*inner.clock, &*inner.entropy),
            network,
            until: inner.clock.now().after(length),
            reason: reason.trim().to_owned(),
        };
        let _turn = inner.turn.lock().await;
        let mut tx = inner.store.begin().await?;
        if store::count(&mut tx, inner.clock.now()).await? >= BANS_MAX {
            return Err(Error::Limit(BANS_MAX));
        }
        store::insert(&mut tx, &ban, &ctx.principal).await?;
        let event = self
            .event("gateway.ban.placed", ctx, ban.id)
            .severity(Severity::Medium)
            .with("network", network.to_string())
            .with("until", ban.until.to_string())
            .message(format!(
                "banned {network} until {}: {}",
                ban.until, ban.reason
            ));
        inner.trail.commit(tx, vec![event]).await?;
        self.tell(IdentityChange::Ban(ban.clone()));
        Ok(ban)
    }

    /// Lifts a ban.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::NotFound`], [`Error::Store`], [`Error::Trail`].
    pub async fn lift(&self, ctx: &Context, id: BanId) -> Result<(), Error> {
        ctx.require(&own::permission(own::GATEWAY_BAN))?;
        let inner = &self.0;
        let _turn = inner.turn.lock().await;
        let mut tx = inner.store.begin().await?;
        let network = store::remove(&mut tx, id)
            .await?
            .ok_or(Error::NotFound(id))?;
        let event = self
            .event("gateway.ban.lifted", ctx, id)
            .with("network", network.to_string())
            .message(format!("lifted the ban of {network}"));
        inner.trail.commit(tx, vec![event]).await?;
        self.tell(IdentityChange::BanGone(id));
        Ok(())
    }

    /// Forgets bans that ended. Nobody needs to be told: each carries its end.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn tend(&self) -> Result<(), Error> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.begin().await?;
        store::sweep(&mut tx, now).await?;
        Ok(tx.commit().await?)
    }

    /// What changes from now on.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<IdentityChange> {
        self.0.changes.subscribe()
    }

    fn tell(&self, change: IdentityChange) {
        if self.0.changes.send(change).is_err() {
            tracing::debug!("nobody follows the ban list");
        }
    }

    fn event(&self, kind: &'static str, ctx: &Context, id: BanId) -> Event {
        Event::change(kind, ctx, &*self.0.clock, &*self.0.entropy)
            .ocsf(ocsf::ENTITY_MANAGEMENT, activity::OTHER)
            .target("ban", &id)
    }
}

fn check(ctx: &Context, network: Network, length: Duration, reason: &str) -> Result<(), Error> {
    let widest = if network.address().is_ipv4() {
        WIDEST.0
    } else {
        WIDEST.1
    };
    if network.prefix() < widest {
        let text = format!("`{network}` is too wide: /{widest} or narrower");
        return Err(Error::Invalid(text));
    }
    if ctx.source.is_some_and(|source| network.contains(source)) {
        let text = format!("`{network}` contains your own address");
        return Err(Error::Invalid(text));
    }
    if length.is_zero() || length > LENGTH_MAX {
        return Err(Error::Invalid("a ban lasts a moment to a year".to_owned()));
    }
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_MAX || reason.contains(char::is_control)
    {
        let text = format!("a ban has a reason of one line and at most {REASON_MAX} characters");
        return Err(Error::Invalid(text));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
