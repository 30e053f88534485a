//! How everybody reaches the one thread that writes, without waiting longer than asked for.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};

use merkle::{Checkpoint, SignedCheckpoint, SigningKey};
use model::{ByteSize, Event, EventId, SharedClock, SharedEntropy};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, oneshot};

use crate::checkpoints::Checkpoints;
use crate::disk::Disk;
use crate::log::Log;
use crate::writer::Writer;
use crate::{Error, Health, Record};

/// LIMIT: events waiting for the writer.
pub(crate) const WAITING_MAX: usize = 8192;

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Which event.
    pub event: EventId,
    /// Its entry; `None` when the same event was recorded before.
    pub index: Option<u64>,
}

pub(crate) type Answer = oneshot::Sender<Result<Vec<Position>, Error>>;

/// What the writer is asked.
pub(crate) enum Ask {
    Append {
        events: Vec<Event>,
        permit: OwnedSemaphorePermit,
        answer: Option<Answer>,
    },
    Close(oneshot::Sender<()>),
}

/// How others reach the writer.
#[derive(Clone, Debug)]
pub(crate) struct Appender {
    asks: SyncSender<Ask>,
    room: Arc<Semaphore>,
    state: Arc<RwLock<State>>,
}

/// What everybody may look at.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) health: Health,
    pub(crate) checkpoint: SignedCheckpoint,
}

/// What the writer needs.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) log: Log,
    pub(crate) recent: Vec<EventId>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) reserve_path: PathBuf,
    pub(crate) reserve: ByteSize,
    pub(crate) key: SigningKey,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) live: broadcast::Sender<Arc<Record>>,
    pub(crate) clock: SharedClock,
    pub(crate) entropy: SharedEntropy,
    pub(crate) cut: u64,
}

impl Appender {
    pub(crate) fn start(parts: Parts) -> io::Result<Self> {
        let checkpoint = Checkpoint {
            origin: parts.key.verifying_key().name().to_owned(),
            size: parts.log.size(),
            root: parts.log.root(),
        }
        .sign(&parts.key);
        let health = Health {
            writable: true,
            reason: None,
            damage: None,
            size: parts.log.size(),
            signed: 0,
            cut_entries: parts.cut,
        };
        let state = Arc::new(RwLock::new(State { health, checkpoint }));
        // The semaphore bounds what waits, so that sending never blocks a runtime's thread.
        let (asks, waiting) = sync_channel(WAITING_MAX + 1);
        let mut writer = Writer::new(parts, state.clone());
        std::thread::Builder::new()
            .name("trail-writer".to_owned())
            .spawn(move || writer.run(&waiting))?;
        Ok(Self {
            asks,
            room: Arc::new(Semaphore::new(WAITING_MAX)),
            state,
        })
    }

    pub(crate) fn state(&self) -> State {
        self.state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Keeps what is wrong with the log as a whole; whether that is news.
    pub(crate) fn damaged(&self, reason: Option<String>) -> bool {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let news = state.health.damage != reason;
        state.health.damage = reason;
        news
    }

    /// Appends and waits for as long as the strictest class among the events asks.
    pub(crate) async fn append(&self, events: Vec<Event>) -> Result<Vec<Position>, Error> {
        let permit = self.room_for(events.len()).await?;
        let (answer, answered) = oneshot::channel();
        self.send(Ask::Append {
            events,
            permit,
            answer: Some(answer),
        })?;
        answered.await.map_err(|_| Error::Closed)?
    }

    /// Hands over without waiting; refuses when too much waits already.
    pub(crate) fn queue(&self, events: Vec<Event>) -> Result<(), Error> {
        let many = u32::try_from(events.len()).map_err(|_| Error::Overloaded)?;
        let permit = self.room.clone().try_acquire_many_owned(many);
        let permit = permit.map_err(|_| Error::Overloaded)?;
        self.send(Ask::Append {
            events,
            permit,
            answer: None,
        })
    }

    pub(crate) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.send(Ask::Close(done)).is_ok() {
            // A writer that is gone already is closed.
            drop(closed.await);
        }
    }

    async fn room_for(&self, events: usize) -> Result<OwnedSemaphorePermit, Error> {
        let many = u32::try_from(events).map_err(|_| Error::Overloaded)?;
        if events > WAITING_MAX {
            return Err(Error::Overloaded);
        }
        self.room
            .clone()
            .acquire_many_owned(many)
            .await
            .map_err(|_| Error::Closed)
    }

    fn send(&self, ask: Ask) -> Result<(), Error> {
        self.asks.try_send(ask).map_err(|_| Error::Closed)
    }
}
