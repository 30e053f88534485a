//! The one thread that writes: takes what waits, writes it in one go, syncs once for all.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use merkle::{Checkpoint, SignedCheckpoint, SigningKey};
use model::{ByteSize, Class, Event, EventId, SharedEntropy};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, oneshot};

use crate::disk::{Disk, is_full};
use crate::leaf::{EVENT_BYTES_MAX, Leaf, Payload, SALT_BYTES, commitment};
use crate::log::{Encoded, Log};
use crate::{Error, Health, Record};

/// LIMIT: events waiting for the writer.
pub(crate) const WAITING_MAX: usize = 8192;
/// LIMIT: events written in one go.
const BATCH_MAX: usize = 512;
/// LIMIT: ids remembered to recognise an event that is sent again.
pub(crate) const RECENT_MAX: usize = 131_072;
/// An event of class use is on disk within this time.
const USE_SYNC: Duration = Duration::from_millis(50);
/// The reserve to go on with when there is no room for the whole one.
const SMALL_RESERVE_BYTES: u64 = 1024 * 1024;
/// How often the idle writer looks after checkpoints and room.
const TICK: Duration = Duration::from_millis(500);

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Which event.
    pub event: EventId,
    /// Its entry; `None` when the same event was recorded before.
    pub index: Option<u64>,
}

type Answer = oneshot::Sender<Result<Vec<Position>, Error>>;

/// What the writer is asked.
enum Ask {
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
    pub(crate) checkpoint_paths: crate::trail::CheckpointPaths,
    pub(crate) live: broadcast::Sender<Arc<Record>>,
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

struct Writer {
    parts: Parts,
    state: Arc<RwLock<State>>,
    recent: HashSet<EventId>,
    order: VecDeque<EventId>,
    /// Whether a reserve is in place.
    reserved: bool,
    trouble: Trouble,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Trouble {
    Nothing,
    /// Writing goes on, but this needs an operator.
    Strained(String),
    /// Nothing can be written: nothing may be done that must be recorded.
    Stopped(String),
}

/// Events of one ask, on their way.
struct Pending {
    answer: Option<Answer>,
    positions: Vec<Position>,
    wait_for_disk: bool,
    _permit: OwnedSemaphorePermit,
}

impl Writer {
    fn new(mut parts: Parts, state: Arc<RwLock<State>>) -> Self {
        let order: VecDeque<_> = std::mem::take(&mut parts.recent).into();
        let recent = order.iter().copied().collect();
        Self {
            parts,
            state,
            recent,
            order,
            reserved: false,
            trouble: Trouble::Nothing,
        }
    }

    fn run(&mut self, asks: &Receiver<Ask>) {
        self.tend();
        loop {
            let wait = if self.parts.log.is_dirty() {
                USE_SYNC
            } else {
                TICK
            };
            match asks.recv_timeout(wait) {
                Ok(Ask::Append {
                    events,
                    permit,
                    answer,
                }) => {
                    if let Some(done) = self.batch(events, permit, answer, asks) {
                        self.finish();
                        done.send(()).ok();
                        return;
                    }
                }
                Ok(Ask::Close(done)) => {
                    self.finish();
                    done.send(()).ok();
                    return;
                }
                Err(RecvTimeoutError::Timeout) => self.tend(),
                Err(RecvTimeoutError::Disconnected) => return self.finish(),
            }
        }
    }

    /// Writes the first ask and everything else that waits; returns a wish to close met on the way.
    fn batch(
        &mut self,
        events: Vec<Event>,
        permit: OwnedSemaphorePermit,
        answer: Option<Answer>,
        asks: &Receiver<Ask>,
    ) -> Option<oneshot::Sender<()>> {
        let mut written = Vec::new();
        let mut close = None;
        let mut count = events.len();
        written.extend(self.write(events, permit, answer));
        while count < BATCH_MAX {
            match asks.try_recv() {
                Ok(Ask::Append {
                    events,
                    permit,
                    answer,
                }) => {
                    count += events.len();
                    written.extend(self.write(events, permit, answer));
                }
                Ok(Ask::Close(done)) => {
                    close = Some(done);
                    break;
                }
                Err(_) => break,
            }
        }
        self.settle(written);
        close
    }

    /// Writes one ask's events; answers it at once when that fails.
    fn write(
        &mut self,
        events: Vec<Event>,
        permit: OwnedSemaphorePermit,
        answer: Option<Answer>,
    ) -> Option<Pending> {
        match self.try_write(events) {
            Ok((positions, wait_for_disk)) => Some(Pending {
                answer,
                positions,
                wait_for_disk,
                _permit: permit,
            }),
            Err(error) => {
                match answer {
                    Some(answer) => drop(answer.send(Err(error))),
                    None => tracing::error!(%error, "queued events could not be recorded"),
                }
                None
            }
        }
    }

    fn try_write(&mut self, events: Vec<Event>) -> Result<(Vec<Position>, bool), Error> {
        let mut entries = Vec::with_capacity(events.len());
        let mut fresh = Vec::with_capacity(events.len());
        let mut positions = Vec::with_capacity(events.len());
        let mut wait_for_disk = false;
        let mut next = self.parts.log.size();
        for event in events {
            wait_for_disk |= event.class == Class::Change;
            let again = self.recent.contains(&event.id)
                || entries.iter().any(|entry: &Encoded| entry.id == event.id);
            let index = (!again).then_some(next);
            positions.push(Position {
                event: event.id,
                index,
            });
            if again {
                continue;
            }
            let entry = encode(&event, &self.parts.entropy)?;
            fresh.push(Record {
                index: next,
                event,
                leaf_hash: merkle::leaf_hash(&entry.leaf),
            });
            entries.push(entry);
            next += 1;
        }
        if !entries.is_empty() {
            self.append(&entries)?;
            for record in fresh {
                self.remember(record.event.id);
                // Nobody may be watching.
                drop(self.parts.live.send(Arc::new(record)));
            }
        }
        Ok((positions, wait_for_disk))
    }

    /// Appends; on a full disk gives up the reserve and tries once more.
    fn append(&mut self, entries: &[Encoded]) -> Result<(), Error> {
        let Err(error) = self.parts.log.append(entries) else {
            return Ok(());
        };
        if is_full(&error) && self.give_up_reserve() {
            if let Err(error) = self.parts.log.append(entries) {
                return Err(self.troubled(&error));
            }
            return Ok(());
        }
        Err(self.troubled(&error))
    }

    /// Syncs if somebody waits for the disk, then answers.
    fn settle(&mut self, written: Vec<Pending>) {
        let needed = written.iter().any(|pending| pending.wait_for_disk);
        let synced = if needed { self.sync() } else { Ok(()) };
        self.publish();
        let reason = synced.err().map(|error| error.to_string());
        for pending in written {
            let Some(answer) = pending.answer else {
                continue;
            };
            let result = match (&reason, pending.wait_for_disk) {
                (Some(reason), true) => Err(Error::Unwritable {
                    reason: reason.clone(),
                }),
                _ => Ok(pending.positions),
            };
            // Who asked may have gone.
            drop(answer.send(result));
        }
    }

    fn sync(&mut self) -> Result<(), Error> {
        let Err(error) = self.parts.log.sync() else {
            return Ok(());
        };
        if is_full(&error) && self.give_up_reserve() && self.parts.log.sync().is_ok() {
            return Ok(());
        }
        Err(self.troubled(&error))
    }

    fn give_up_reserve(&mut self) -> bool {
        if !self.reserved {
            return false;
        }
        self.reserved = false;
        let reason = "the disk is full; the trail writes into its reserve".to_owned();
        self.trouble = Trouble::Strained(reason);
        tracing::error!("the disk of the trail is full; writing into the reserve");
        self.parts.disk.release(&self.parts.reserve_path).is_ok()
    }

    fn troubled(&mut self, error: &io::Error) -> Error {
        let failed = if is_full(error) {
            Error::Full
        } else {
            Error::Unwritable {
                reason: error.to_string(),
            }
        };
        tracing::error!(%error, "the trail cannot be written");
        self.trouble = Trouble::Stopped(failed.to_string());
        self.publish();
        failed
    }

    /// What is done while nobody asks: sync, sign, and put the reserve back.
    fn tend(&mut self) {
        if self.parts.log.is_dirty() && self.sync().is_err() {
            return self.publish();
        }
        self.take_reserve();
        self.sign();
        self.publish();
    }

    /// Puts the reserve back. A smaller one is enough to go on with, not enough to be well.
    fn take_reserve(&mut self) {
        if self.reserved && self.trouble == Trouble::Nothing {
            return;
        }
        let (disk, path) = (self.parts.disk.clone(), self.parts.reserve_path.clone());
        match disk.reserve(&path, self.parts.reserve.0) {
            Ok(()) => {
                if self.trouble != Trouble::Nothing {
                    tracing::info!("the trail has room again");
                }
                self.reserved = true;
                self.trouble = Trouble::Nothing;
            }
            Err(error) => {
                let reason = format!("no room for the trail's reserve: {error}");
                let stopped = matches!(self.trouble, Trouble::Stopped(_));
                self.reserved = disk.reserve(&path, SMALL_RESERVE_BYTES).is_ok();
                if self.reserved || !stopped {
                    self.trouble = Trouble::Strained(reason);
                }
            }
        }
    }

    fn sign(&mut self) {
        let size = self.parts.log.size();
        let signed = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            state.health.signed
        };
        if size == signed || size == 0 {
            return;
        }
        let origin = self.parts.key.verifying_key().name().to_owned();
        let root = self.parts.log.root();
        let checkpoint = Checkpoint { origin, size, root }.sign(&self.parts.key);
        match self.parts.checkpoint_paths.write(&checkpoint) {
            Ok(()) => {
                let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
                state.health.signed = size;
                state.checkpoint = checkpoint;
            }
            Err(error) => {
                let reason = format!("a checkpoint could not be written: {error}");
                tracing::error!("{reason}");
                if self.trouble == Trouble::Nothing {
                    self.trouble = Trouble::Strained(reason);
                }
            }
        }
    }

    fn publish(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.health.size = self.parts.log.size();
        state.health.writable = !matches!(self.trouble, Trouble::Stopped(_));
        state.health.reason = match &self.trouble {
            Trouble::Nothing => None,
            Trouble::Strained(reason) | Trouble::Stopped(reason) => Some(reason.clone()),
        };
    }

    fn remember(&mut self, id: EventId) {
        if self.order.len() >= RECENT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.recent.remove(&oldest);
        }
        self.order.push_back(id);
        self.recent.insert(id);
    }

    fn finish(&mut self) {
        self.tend();
    }
}

fn encode(event: &Event, entropy: &SharedEntropy) -> Result<Encoded, Error> {
    let json = serde_json::to_vec(event).map_err(Error::Encode)?;
    if json.len() > EVENT_BYTES_MAX {
        return Err(Error::TooLarge {
            bytes: json.len(),
            max: EVENT_BYTES_MAX,
        });
    }
    let salt = entropy.bytes::<SALT_BYTES>();
    let leaf = Leaf::of(event, commitment(&salt, &json));
    Ok(Encoded {
        id: event.id,
        leaf: leaf.to_bytes(),
        payload: Payload::bytes(&salt, &json),
    })
}
