//! The trail as everybody uses it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use merkle::{Hash, SignedCheckpoint, SigningKey, VerifyingKey};
use model::{ByteSize, Class, Context, Event, EventId, SharedClock, SharedEntropy, activity, ocsf};
use serde::{Deserialize, Serialize};
use store::{Store, Tx};
use tokio::sync::{Mutex, broadcast};

use crate::appender::{Appender, Parts, Position, State};
use crate::check::{self, Damage};
use crate::checkpoints::Checkpoints;
use crate::disk::{Disk, RealDisk};
use crate::index::Index;
use crate::opening::{self, Opened};
use crate::writer::RECENT_MAX;
use crate::{Error, Health, Page, Query, SegmentSeal, mark, search};

/// LIMIT: records a slow listener may be behind before it misses some.
const LIVE_MAX: usize = 1024;
/// Events taken from the outbox in one go.
const REPLAY_BATCH: u32 = 256;
/// How often the whole log is read and held against its checkpoints.
const CHECK_EVERY: Duration = Duration::from_hours(24);
/// How often events that reached the trail are taken out of the outbox.
const OUTBOX_SWEEP: Duration = Duration::from_millis(500);

/// How to open a trail.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its folder, which must exist.
    pub dir: PathBuf,
    /// The log's name in checkpoints, such as `shop.example/trail/control`.
    pub origin: String,
    /// Disk kept free for the trail alone.
    pub reserve: ByteSize,
    /// Files outside the data folder to which checkpoints are appended, at most one a minute.
    pub checkpoints: Vec<PathBuf>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its number, from zero.
    pub index: u64,
    /// What happened.
    pub event: Event,
    /// The hash of its leaf.
    #[serde(with = "hex_hash")]
    pub leaf_hash: Hash,
}

/// A handle on the trail; cheap to clone.
#[derive(Clone, Debug)]
pub struct Trail(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    appender: Appender,
    index: Index,
    store: Store,
    live: broadcast::Sender<Arc<Record>>,
    clock: SharedClock,
    entropy: SharedEntropy,
    /// Ids that reached the trail and wait to leave the outbox.
    recorded: Mutex<Vec<EventId>>,
    /// Whether the outbox holds events that have yet to be recorded.
    behind: AtomicBool,
    dir: PathBuf,
    /// Its name is the log's, under which the store keeps its newest checkpoint.
    key: VerifyingKey,
    /// Entries that the checkpoint in the store covers.
    marked: AtomicU64,
}

impl Trail {
    /// Opens the trail: cuts off what a crash left half-written, checks the log against its own
    /// newest checkpoint, takes over what waits in the outbox, and starts the writer.
    ///
    /// Closed segments are read after that, and once a day: what is wrong with them then becomes
    /// an event, and a reason in [`Trail::health`].
    ///
    /// # Errors
    /// [`Error::Shortened`], [`Error::Rewritten`] and [`Error::Damaged`] when entries that were
    /// signed for are not there any more; nothing is changed then.
    pub async fn open(
        settings: Settings,
        store: Store,
        key: SigningKey,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Result<Self, Error> {
        Self::open_on(Arc::new(RealDisk), settings, store, key, clock, entropy).await
    }

    pub(crate) async fn open_on(
        disk: Arc<dyn Disk>,
        settings: Settings,
        store: Store,
        key: SigningKey,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Result<Self, Error> {
        let dir = settings.dir.clone();
        let failed = move |source| Error::File {
            path: dir.clone(),
            source,
        };
        let checkpoints = Checkpoints::new(&settings);
        let signed = checkpoints.newest(&key).map_err(&failed)?;
        let Opened {
            log,
            cut,
            recent,
            unread,
        } = opening::open(&settings.dir, disk.clone(), signed.as_ref(), RECENT_MAX)?;
        let index = log.index();
        let contradiction = mark::compare(&store, &key, &index).await?;
        let verifying = key.verifying_key().clone();
        let (live, _) = broadcast::channel(LIVE_MAX);
        let parts = Parts {
            log,
            recent,
            disk,
            reserve_path: settings.dir.join("reserve"),
            reserve: settings.reserve,
            key,
            checkpoints,
            live: live.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            cut,
        };
        let appender = Appender::start(parts).map_err(&failed)?;
        let trail = Self(Arc::new(Inner {
            appender,
            index,
            store,
            live,
            clock,
            entropy,
            dir: settings.dir,
            recorded: Mutex::new(Vec::new()),
            behind: AtomicBool::new(true),
            key: verifying,
            marked: AtomicU64::new(u64::MAX),
        }));
        if let Some(contradiction) = contradiction {
            let event = contradiction.event(&trail.0.clock, &trail.0.entropy);
            trail.0.appender.append(vec![event]).await?;
        }
        trail.replay_outbox().await?;
        tokio::spawn(tend_outbox(Arc::downgrade(&trail.0)));
        // What the start read it has held against what was signed; the rest is read at once.
        let wait = if unread > 0 {
            Duration::ZERO
        } else {
            CHECK_EVERY
        };
        tokio::spawn(tend_whole(Arc::downgrade(&trail.0), wait));
        Ok(trail)
    }

    /// Commits a change together with its events: checks first that they can be recorded, puts
    /// them into the transaction's outbox, commits, and waits until they are on disk.
    ///
    /// Once begun it runs to its end even when the caller goes away.
    ///
    /// # Errors
    /// [`Error::Full`] and [`Error::Unwritable`] before anything was changed; [`Error::Store`] when
    /// the transaction failed, so nothing was changed. Only when the disk fails between the commit
    /// and the trail's answer is the change made and its record still in the outbox, from where it
    /// reaches the trail later; the error is then [`Error::Unwritable`] too.
    pub async fn commit(&self, tx: Tx, events: Vec<Event>) -> Result<Vec<Position>, Error> {
        let trail = self.clone();
        let committed = tokio::spawn(async move { trail.commit_whole(tx, events).await });
        committed.await.map_err(|_| Error::Closed)?
    }

    async fn commit_whole(
        &self,
        mut tx: Tx,
        mut events: Vec<Event>,
    ) -> Result<Vec<Position>, Error> {
        self.require_writable()?;
        for event in &mut events {
            event.class = Class::Change;
        }
        tx.outbox(&events).await.map_err(Error::Store)?;
        tx.commit().await.map_err(Error::Store)?;
        let ids: Vec<_> = events.iter().map(|event| event.id).collect();
        let recorded = self.0.appender.append(events).await;
        match &recorded {
            Ok(_) => self.0.recorded.lock().await.extend(ids),
            Err(_) => self.0.behind.store(true, Ordering::SeqCst),
        }
        recorded
    }

    /// Appends events that change nothing in the store. Class change waits for the disk, class use
    /// for the write, class traffic for nothing.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Unwritable`], [`Error::Overloaded`].
    pub async fn append(&self, events: Vec<Event>) -> Result<Vec<Position>, Error> {
        self.require_writable()?;
        if events.iter().all(|event| event.class == Class::Traffic) {
            let ids: Vec<_> = events.iter().map(|event| event.id).collect();
            self.0.appender.queue(events)?;
            return Ok(ids
                .into_iter()
                .map(|event| Position { event, index: None })
                .collect());
        }
        self.0.appender.append(events).await
    }

    /// Records the seal of a segment of traffic records: one entry, on disk when this returns.
    ///
    /// # Errors
    /// As [`Trail::append`].
    pub async fn sealed_segment(&self, seal: &SegmentSeal) -> Result<Vec<Position>, Error> {
        let ctx = Context::system(&*self.0.clock, &*self.0.entropy);
        let mut event = Event::change(
            "gateway.segment.sealed",
            &ctx,
            &*self.0.clock,
            &*self.0.entropy,
        )
        .ocsf(ocsf::HTTP_ACTIVITY, activity::OTHER)
        .target("segment", &seal.segment)
        .message(format!(
            "{} requests recorded, {} left out",
            seal.count, seal.gap
        ));
        // The segment's id names the event, so that a seal sent twice is recorded once.
        event.id = EventId::from_raw(seal.segment.as_raw());
        if let Ok(serde_json::Value::Object(detail)) = serde_json::to_value(seal) {
            event.detail = detail;
        }
        self.append(vec![event]).await
    }

    /// Whether it can record, how long it is, what is wrong.
    #[must_use]
    pub fn health(&self) -> Health {
        Health {
            // Of what was written a moment ago the writer has yet to speak.
            size: self.0.index.size(),
            ..self.0.appender.state().health
        }
    }

    /// The newest checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> SignedCheckpoint {
        self.0.appender.state().checkpoint
    }

    /// The proof that entry `index` is in the log of `size` entries; `None` when there is no such
    /// entry. Reads every leaf but holds few of them: work grows with the size, memory does not.
    ///
    /// # Errors
    /// [`Error::File`].
    pub async fn prove(&self, index: u64, size: u64) -> Result<Option<Vec<Hash>>, Error> {
        let entries = self.0.index.clone();
        let Some(parts) = merkle::inclusion_parts(index, size) else {
            return Ok(None);
        };
        let read = blocking(move || {
            let roots = parts.into_iter().map(|part| entries.root_of(part));
            roots.collect::<io::Result<Vec<Hash>>>()
        });
        read.await.map(Some)
    }

    /// Looks for entries, newest first.
    ///
    /// # Errors
    /// [`Error::File`] when an entry cannot be read.
    pub async fn search(&self, query: &Query) -> Result<Page, Error> {
        let (index, query) = (self.0.index.clone(), query.clone());
        blocking(move || search::search(&index, &query)).await
    }

    /// The entry of one event, among the newest [`crate::SCANNED_MAX`].
    ///
    /// # Errors
    /// [`Error::File`].
    pub async fn find(&self, id: EventId) -> Result<Option<Record>, Error> {
        let index = self.0.index.clone();
        blocking(move || search::find(&index, id)).await
    }

    /// The entry `index`; `None` when there is none or its payload was erased.
    ///
    /// # Errors
    /// [`Error::File`].
    pub async fn read(&self, index: u64) -> Result<Option<Record>, Error> {
        let entries = self.0.index.clone();
        blocking(move || search::record(&mut entries.reader(), index)).await
    }

    /// New entries as they are written. A listener that falls behind misses some and is told.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Record>> {
        self.0.live.subscribe()
    }

    /// Writes, syncs and signs everything that waits, and stops the writer.
    pub async fn close(&self) {
        self.sweep_outbox().await;
        self.0.appender.close().await;
        self.mark().await;
    }

    fn require_writable(&self) -> Result<(), Error> {
        let health = self.health();
        match health {
            Health { writable: true, .. } => Ok(()),
            Health { reason, .. } => match reason {
                Some(reason) if reason == Error::Full.to_string() => Err(Error::Full),
                reason => Err(Error::Unwritable {
                    reason: reason.unwrap_or_default(),
                }),
            },
        }
    }

    /// Records what waits in the outbox; an event that is there already is recognised by its id.
    async fn replay_outbox(&self) -> Result<(), Error> {
        if !self.0.behind.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        let replayed = self.replay().await;
        if replayed.is_err() {
            self.0.behind.store(true, Ordering::SeqCst);
        }
        replayed
    }

    async fn replay(&self) -> Result<(), Error> {
        loop {
            let events = self
                .0
                .store
                .outbox_pending(REPLAY_BATCH)
                .await
                .map_err(Error::Store)?;
            if events.is_empty() {
                return Ok(());
            }
            let ids: Vec<_> = events.iter().map(|event| event.id).collect();
            self.0.appender.append(events).await?;
            self.0.store.outbox_done(&ids).await.map_err(Error::Store)?;
        }
    }

    /// Keeps the newest checkpoint in the store, when it is another than the one there.
    async fn mark(&self) {
        let State { health, checkpoint } = self.0.appender.state();
        let size = checkpoint.claimed().size;
        // Only what was synced and signed on disk: nothing else survives a power loss.
        if health.signed != size || self.0.marked.load(Ordering::SeqCst) == size {
            return;
        }
        let text = checkpoint.to_string();
        match self.0.store.set_outbox_mark(self.0.key.name(), &text).await {
            Ok(()) => self.0.marked.store(size, Ordering::SeqCst),
            Err(error) => tracing::warn!(%error, "the store remembers an older checkpoint"),
        }
    }

    /// Keeps what reading the whole log found, and records it where it is news.
    async fn whole_log_was_read(&self, found: Result<Option<Damage>, Error>) {
        let damage = match found {
            Ok(damage) => damage,
            Err(error) => {
                tracing::warn!(%error, "the whole log could not be read");
                return;
            }
        };
        let said = damage.as_ref().map(Damage::reason);
        if self.0.appender.damaged(said)
            && let Some(damage) = damage
        {
            let event = damage.event(&self.0.clock, &self.0.entropy);
            if let Err(error) = self.0.appender.append(vec![event]).await {
                tracing::error!(%error, "that the trail is damaged could not be recorded");
            }
        }
    }

    async fn sweep_outbox(&self) {
        let ids = std::mem::take(&mut *self.0.recorded.lock().await);
        if let Err(error) = self.0.store.outbox_done(&ids).await {
            tracing::warn!(%error, "recorded events stay in the outbox for now");
            self.0.recorded.lock().await.extend(ids);
        }
    }
}

/// Keeps the outbox short for as long as the trail is there.
async fn tend_outbox(trail: std::sync::Weak<Inner>) {
    loop {
        tokio::time::sleep(OUTBOX_SWEEP).await;
        let Some(inner) = trail.upgrade() else { return };
        let trail = Trail(inner);
        trail.sweep_outbox().await;
        trail.mark().await;
        if let Err(error) = trail.replay_outbox().await {
            tracing::warn!(%error, "events wait in the outbox");
        }
    }
}

/// Reads the whole log now and then for as long as the trail is there, and says what is wrong.
async fn tend_whole(trail: std::sync::Weak<Inner>, mut wait: Duration) {
    loop {
        tokio::time::sleep(wait).await;
        wait = CHECK_EVERY;
        let Some(inner) = trail.upgrade() else { return };
        let trusted = check::trusted(&inner.key, &inner.appender.state().checkpoint);
        let dir = inner.dir.clone();
        drop(inner);
        let found = check::whole(dir, trusted).await;
        let Some(inner) = trail.upgrade() else { return };
        Trail(inner).whole_log_was_read(found).await;
    }
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::Closed)?;
    done.map_err(|source| Error::File {
        path: PathBuf::from("trail"),
        source,
    })
}

mod hex_hash {
    use merkle::Hash;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(hash: &Hash, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&crate::verify::hex(hash))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Hash, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        crate::verify::unhex(&text).ok_or_else(|| D::Error::custom("not 64 hex digits"))
    }
}
