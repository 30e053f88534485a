//! Every operation on the estate a surface can ask for.

use std::sync::{Arc, PoisonError, RwLock};

use ::store::Store;
use estate::{Estate, Parsed};
use model::{Context, Principal, SharedClock, SharedEntropy, own};
use tokio::sync::{Mutex, watch};
use trail::Trail;

use crate::version::hash;
use crate::{Drift, Error, Participant, Plan, PlanRef, Prepared, Summary, Version, events, store};

/// LIMIT: bytes of an estate.
const SOURCE_BYTES_MAX: usize = 1024 * 1024;
/// LIMIT: versions in one list.
const VERSIONS_MAX: u32 = 500;

/// The estate in force and the way to change it; cheap to clone.
#[derive(Clone, Debug)]
pub struct Rollout(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    trail: Trail,
    clock: SharedClock,
    entropy: SharedEntropy,
    participants: RwLock<Vec<Arc<dyn Participant>>>,
    current: watch::Sender<Option<Arc<Version>>>,
    /// One apply at a time; the store's transaction holds other machines off.
    applying: Mutex<()>,
}

impl Rollout {
    /// Opens the newest stored version, if there is one. Nothing is in force for the participants
    /// until [`Rollout::start`].
    ///
    /// # Errors
    /// [`Error::Unreadable`] when this program cannot read the stored version.
    pub async fn open(
        store: Store,
        trail: Trail,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Result<Self, Error> {
        let newest = store::newest(&store).await?;
        let version = newest.map(read).transpose()?.map(Arc::new);
        let (current, _) = watch::channel(version);
        Ok(Self(Arc::new(Inner {
            store,
            trail,
            clock,
            entropy,
            participants: RwLock::new(Vec::new()),
            current,
            applying: Mutex::new(()),
        })))
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
        for prepared in self.prepare(&version).await? {
            prepared.swap().await;
        }
        Ok(version)
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

    /// What applying `source` would do.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Invalid`] with every error of the text.
    pub fn plan(&self, ctx: &Context, source: &str) -> Result<Plan, Error> {
        ctx.require(&own::permission(own::ESTATE_READ))?;
        let parsed = parse(source)?;
        let current = self.current();
        Ok(Plan {
            base: current.as_ref().map_or(0, |version| version.number),
            hash: hash(source),
            changes: current
                .map(|version| estate::diff(&version.estate, &parsed.estate))
                .unwrap_or_default(),
            warnings: parsed.warnings,
        })
    }

    /// Carries out a plan: every part prepares, the version is stored and recorded, every part
    /// swaps. When anything fails before the swap, nothing was changed.
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
        source: &str,
    ) -> Result<Arc<Version>, Error> {
        ctx.require(&own::permission(own::ESTATE_APPLY))?;
        if hash(source) != plan.hash {
            return Err(Error::OtherText);
        }
        let parsed = parse(source)?;
        let (rollout, ctx, base) = (self.clone(), ctx.clone(), plan.base);
        let source = source.to_owned();
        let whole =
            tokio::spawn(async move { rollout.apply_whole(&ctx, base, parsed, source).await });
        whole
            .await
            .map_err(|_| Error::Trail(trail::Error::Closed))?
    }

    async fn apply_whole(
        &self,
        ctx: &Context,
        base: u64,
        parsed: Parsed,
        source: String,
    ) -> Result<Arc<Version>, Error> {
        let _one_at_a_time = self.0.applying.lock().await;
        let current = self.current();
        let in_force = current.as_ref().map_or(0, |version| version.number);
        if in_force != base {
            return Err(Error::Stale {
                planned: base,
                current: in_force,
            });
        }
        let version = Arc::new(Version {
            number: in_force + 1,
            hash: hash(&source),
            source,
            estate: parsed.estate,
            applied_at: self.0.clock.now(),
            applied_by: ctx.principal.clone(),
        });
        let prepared = self.prepare(&version).await?;
        let changes = current
            .map(|current| estate::diff(&current.estate, &version.estate))
            .unwrap_or_default();
        self.put(ctx, &version, base, &changes).await?;
        for part in prepared {
            part.swap().await;
        }
        self.0.current.send_replace(Some(version.clone()));
        Ok(version)
    }

    async fn put(
        &self,
        ctx: &Context,
        version: &Version,
        base: u64,
        changes: &[estate::Change],
    ) -> Result<(), Error> {
        let mut tx = self.0.store.begin().await.map_err(Error::Store)?;
        let in_force = store::number_in_force(&mut tx).await?;
        if in_force != base {
            return Err(Error::Stale {
                planned: base,
                current: in_force,
            });
        }
        let (number, at) = (version.number, version.applied_at);
        store::insert(
            &mut tx,
            number,
            &version.hash,
            &version.source,
            at,
            &version.applied_by,
        )
        .await?;
        let event = events::applied(ctx, version, changes, &*self.0.clock, &*self.0.entropy);
        self.0
            .trail
            .commit(tx, vec![event])
            .await
            .map(drop)
            .map_err(Error::Trail)
    }

    async fn prepare(&self, version: &Arc<Version>) -> Result<Vec<Box<dyn Prepared>>, Error> {
        let participants = self
            .0
            .participants
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut prepared = Vec::with_capacity(participants.len());
        for participant in &participants {
            let part = participant.name();
            let ready = participant.prepare(version).await;
            prepared.push(ready.map_err(|diagnostics| Error::Refused { part, diagnostics })?);
        }
        Ok(prepared)
    }

    /// How a file differs from the version in force.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Nothing`].
    pub fn drift(&self, ctx: &Context, source: &str) -> Result<Drift, Error> {
        ctx.require(&own::permission(own::ESTATE_READ))?;
        let current = self.current().ok_or(Error::Nothing)?;
        let (changes, errors) = match parse(source) {
            Ok(parsed) => (estate::diff(&current.estate, &parsed.estate), Vec::new()),
            Err(Error::Invalid(errors)) => (Vec::new(), errors),
            Err(error) => return Err(error),
        };
        let same_text = hash(source) == current.hash;
        Ok(Drift {
            version: current.number,
            same_text,
            changes,
            errors,
        })
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

fn parse(source: &str) -> Result<Parsed, Error> {
    if source.len() > SOURCE_BYTES_MAX {
        return Err(Error::TooLarge {
            bytes: source.len(),
            max: SOURCE_BYTES_MAX,
        });
    }
    Estate::parse(source).map_err(Error::Invalid)
}

fn read(stored: store::Stored) -> Result<Version, Error> {
    let Summary {
        number,
        hash,
        applied_at,
        applied_by,
    } = stored.summary;
    let parsed = Estate::parse(&stored.source).map_err(|all| Error::Unreadable(number, all))?;
    let (source, estate) = (stored.source, parsed.estate);
    Ok(Version {
        number,
        hash,
        source,
        estate,
        applied_at,
        applied_by: Principal::clone(&applied_by),
    })
}
