//! Every operation on the estate a surface can ask for.

use std::sync::{Arc, PoisonError, RwLock};

use ::store::Store;
use estate::{Change, Estate};
use model::{Context, SharedClock, SharedEntropy, own};
use tokio::sync::{Mutex, watch};
use trail::Trail;

use crate::apply::{Applier, Wanted};
use crate::{
    Checked, Drift, Error, Participant, Plan, PlanRef, Sources, Summary, Version, documents, rules,
    store,
};

/// LIMIT: versions in one list.
const VERSIONS_MAX: u32 = 500;
/// LIMIT: sets of rules that stay loaded between a plan, its apply and questions.
const RULES_KEPT_MAX: usize = 1;

/// The estate in force and the way to change it; cheap to clone.
#[derive(Clone, Debug)]
pub struct Rollout(pub(crate) Arc<Applier>);

impl Rollout {
    /// Opens the newest stored version, if there is one. Nothing is in force for the participants
    /// until [`Rollout::start`].
    ///
    /// # Errors
    /// [`Error::Unreadable`] when this program cannot read the stored version, [`Error::Altered`]
    /// when it is not the text that was applied.
    pub async fn open(
        store: Store,
        trail: Trail,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Result<Self, Error> {
        let stored = store::newest(&store).await?;
        let version = stored.map(store::Stored::read).transpose()?;
        let (current, _) = watch::channel(version.map(Arc::new));
        Ok(Self(Arc::new(Applier {
            store,
            trail,
            clock,
            entropy,
            participants: RwLock::new(Vec::new()),
            current,
            shelf: Arc::new(waf::Shelf::keeping(RULES_KEPT_MAX)),
            applying: Mutex::new(()),
        })))
    }

    /// The text of the newest stored version, if there is one: what a start must know before it
    /// can open a trail.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn stored_source(store: &Store) -> Result<Option<String>, Error> {
        let stored = store::newest(store).await?;
        Ok(stored.map(|stored| stored.source))
    }

    /// Adds a part that works from the estate.
    pub fn add_participant(&self, participant: Arc<dyn Participant>) {
        self.0
            .participants
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(participant);
    }

    /// Takes the stored version into force in every part, after a start.
    ///
    /// # Errors
    /// [`Error::Nothing`], [`Error::Refused`].
    pub async fn start(&self) -> Result<Arc<Version>, Error> {
        let version = self.current().ok_or(Error::Nothing)?;
        let inner = self.0.clone();
        let whole = tokio::spawn(async move {
            let _one_at_a_time = inner.applying.lock().await;
            let prepared = inner.prepare(&version).await?;
            inner.swap(prepared, &version).await;
            Ok(version)
        });
        whole.await.map_err(|_| Error::Stopped)?
    }

    /// The version in force.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Version>> {
        self.0.current.borrow().clone()
    }

    /// Hears of every new version.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Option<Arc<Version>>> {
        self.0.current.subscribe()
    }

    /// What applying `sources` would do.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Invalid`] with every error of the texts.
    pub async fn plan(&self, ctx: &Context, sources: impl Into<Sources>) -> Result<Plan, Error> {
        ctx.require(&own::permission(own::ESTATE_READ))?;
        let (sources, checked) = self.checked(sources.into()).await?;
        let mut checked = checked?;
        let ended = checked.estate.ended_exclusions(self.0.clock.now());
        checked.warnings.extend(ended);
        let current = self.current();
        Ok(Plan {
            base: current.as_ref().map_or(0, |version| version.number),
            hash: sources.hash(),
            changes: changes(current.as_deref(), &checked.estate, &sources),
            warnings: checked.warnings,
        })
    }

    /// Carries out a plan: every part prepares, the version is stored and recorded, every part
    /// swaps. When anything fails before the version is stored, nothing was changed. A text that is
    /// in force already is in force: nothing is done, and nothing recorded.
    ///
    /// Once begun it runs to its end even when the caller goes away.
    ///
    /// # Errors
    /// [`Error::Stale`] when another version came first, [`Error::OtherText`], [`Error::Invalid`],
    /// [`Error::Refused`] by a part, [`Error::Store`], [`Error::Trail`].
    pub async fn apply(
        &self,
        ctx: &Context,
        plan: &PlanRef,
        sources: impl Into<Sources>,
    ) -> Result<Arc<Version>, Error> {
        ctx.require(&own::permission(own::ESTATE_APPLY))?;
        let sources = sources.into().named();
        let hash = sources.hash();
        if hash != plan.hash {
            return Err(Error::OtherText);
        }
        let (sources, checked) = self.checked(sources).await?;
        let wanted = Wanted {
            ctx: ctx.clone(),
            base: plan.base,
            estate: checked?.estate,
            hash,
            sources,
        };
        let inner = self.0.clone();
        let whole = tokio::spawn(async move { inner.apply(wanted).await });
        whole.await.map_err(|_| Error::Stopped)?
    }

    /// The first start: applies `sources` as version 1, unless a version is in force already, which
    /// then stays.
    ///
    /// # Errors
    /// As [`Rollout::apply`].
    pub async fn bootstrap(
        &self,
        ctx: &Context,
        sources: impl Into<Sources>,
    ) -> Result<Arc<Version>, Error> {
        ctx.require(&own::permission(own::ESTATE_APPLY))?;
        if let Some(version) = self.current() {
            return Ok(version);
        }
        let sources = sources.into().named();
        let hash = sources.hash();
        self.apply(ctx, &PlanRef { base: 0, hash }, sources).await
    }

    /// Takes over a version that another control process stored; does nothing when there is none.
    ///
    /// # Errors
    /// [`Error::Refused`] by a part: the older version then stays in force here.
    pub async fn catch_up(&self) -> Result<(), Error> {
        let inner = self.0.clone();
        let whole = tokio::spawn(async move {
            let _one_at_a_time = inner.applying.lock().await;
            inner.catch_up().await
        });
        whole.await.map_err(|_| Error::Stopped)?
    }

    /// How a file and the documents it names differ from the version in force.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Nothing`].
    pub async fn drift(&self, ctx: &Context, sources: impl Into<Sources>) -> Result<Drift, Error> {
        ctx.require(&own::permission(own::ESTATE_READ))?;
        let current = self.current().ok_or(Error::Nothing)?;
        let (sources, checked) = self.checked(sources.into()).await?;
        let (changes, errors) = match checked {
            Ok(checked) => (
                changes(Some(&current), &checked.estate, &sources),
                Vec::new(),
            ),
            Err(Error::Invalid(errors)) => (Vec::new(), errors),
            Err(error) => return Err(error),
        };
        let same_text = sources.hash() == current.hash;
        Ok(Drift {
            version: current.number,
            same_text,
            changes,
            errors,
        })
    }

    /// Sources with only what they name, checked off the threads that others wait for: documents
    /// are compiled and rules loaded for it.
    async fn checked(&self, sources: Sources) -> Result<(Sources, Result<Checked, Error>), Error> {
        let shelf = Arc::clone(&self.0.shelf);
        let checking = tokio::task::spawn_blocking(move || {
            let sources = sources.named();
            let checked = sources.check_with(&shelf);
            (sources, checked)
        });
        checking.await.map_err(|_| Error::Stopped)
    }

    /// Rules that were loaded to check plans, for whoever asks about the same.
    #[must_use]
    pub fn shelf(&self) -> Arc<waf::Shelf> {
        Arc::clone(&self.0.shelf)
    }

    /// The newest versions, newest first.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Store`].
    pub async fn versions(&self, ctx: &Context, limit: u32) -> Result<Vec<Summary>, Error> {
        ctx.require(&own::permission(own::ESTATE_READ))?;
        store::summaries(&self.0.store, limit.min(VERSIONS_MAX)).await
    }

    /// The text of one version.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Store`].
    pub async fn source(&self, ctx: &Context, number: u64) -> Result<Option<String>, Error> {
        ctx.require(&own::permission(own::ESTATE_READ))?;
        store::source(&self.0.store, number).await
    }
}

/// What applying `new` changes; when nothing is in force, everything it lists is new.
pub(crate) fn changes(current: Option<&Version>, new: &Estate, sources: &Sources) -> Vec<Change> {
    let (mut changes, before) = match current {
        Some(version) => (estate::diff(&version.estate, new), version.sources()),
        None => (estate::diff(&without_entries(new), new), Sources::default()),
    };
    changes.extend(documents::changes(&before, sources));
    changes.extend(rules::changes(&before, sources));
    changes
}

fn without_entries(estate: &Estate) -> Estate {
    let mut empty = estate.clone();
    empty.certificates.clear();
    empty.zones.clear();
    empty.hosts.clear();
    empty.services.clear();
    empty.stores.clear();
    empty.roles.clear();
    empty.groups.clear();
    empty.clients.clear();
    empty.routes.clear();
    empty.waf = None;
    empty
}
