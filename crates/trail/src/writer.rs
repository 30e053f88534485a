//! The one thread that writes: takes what waits, writes it in one go, syncs once for all.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use merkle::Checkpoint;
use model::{Class, Event, EventId, SharedEntropy};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::appender::{Answer, Ask, Parts, Position, State};
use crate::checkpoints::Moment;
use crate::disk::is_full;
use crate::leaf::{EVENT_BYTES_MAX, Leaf, Payload, SALT_BYTES, commitment};
use crate::log::Encoded;
use crate::{Error, Record};

/// LIMIT: events written in one go.
const BATCH_MAX: usize = 512;
/// LIMIT: ids remembered to recognise an event that is sent again.
pub(crate) const RECENT_MAX: u64 = 131_072;
/// An event of class use is on disk within twice this time.
const USE_SYNC: Duration = Duration::from_millis(50);
/// A busy writer looks after checkpoints and room this often.
const SIGN: Duration = Duration::from_secs(1);
/// The reserve to go on with when there is no room for the whole one.
const SMALL_RESERVE_BYTES: u64 = 1024 * 1024;
/// How often the idle writer looks after checkpoints and room.
const TICK: Duration = Duration::from_millis(500);

pub(crate) struct Writer {
    parts: Parts,
    state: Arc<RwLock<State>>,
    recent: HashSet<EventId>,
    order: VecDeque<EventId>,
    /// Whether a reserve is in place.
    reserved: bool,
    trouble: Trouble,
    /// Why a checkpoint is not where it has to be.
    unkept: Option<String>,
    /// Since when something waits to be synced; monotonic.
    dirty: Option<Duration>,
    /// When checkpoints and room were looked after last; monotonic.
    tended: Duration,
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
    pub(crate) fn new(mut parts: Parts, state: Arc<RwLock<State>>) -> Self {
        let order: VecDeque<_> = std::mem::take(&mut parts.recent).into();
        let recent = order.iter().copied().collect();
        Self {
            parts,
            state,
            recent,
            order,
            reserved: false,
            trouble: Trouble::Nothing,
            unkept: None,
            dirty: None,
            tended: Duration::ZERO,
        }
    }

    pub(crate) fn run(&mut self, asks: &Receiver<Ask>) {
        self.tend(Moment::Running);
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
                    self.keep_up();
                }
                Ok(Ask::Close(done)) => {
                    self.finish();
                    done.send(()).ok();
                    return;
                }
                Err(RecvTimeoutError::Timeout) => self.tend(Moment::Running),
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

    /// What cannot wait for a rest, because events may never stop coming.
    fn keep_up(&mut self) {
        let now = self.parts.clock.monotonic();
        if now.saturating_sub(self.tended) >= SIGN {
            return self.tend(Moment::Running);
        }
        if !self.parts.log.is_dirty() {
            self.dirty = None;
        } else if now.saturating_sub(*self.dirty.get_or_insert(now)) >= USE_SYNC {
            self.dirty = None;
            // A failure is what health says from now on.
            if self.sync().is_err() {
                self.publish();
            }
        }
    }

    /// Syncs, signs, and puts the reserve back.
    fn tend(&mut self, moment: Moment) {
        self.tended = self.parts.clock.monotonic();
        self.dirty = None;
        if self.parts.log.is_dirty() && self.sync().is_err() {
            return self.publish();
        }
        self.take_reserve();
        self.sign(moment);
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

    fn sign(&mut self, moment: Moment) {
        let kept = self.sign_newest().and_then(|()| {
            let now = self.parts.clock.monotonic();
            self.parts.checkpoints.keep(now, moment)
        });
        let unkept = kept
            .err()
            .map(|error| format!("a checkpoint could not be written: {error}"));
        // Said once, not at every try.
        if let Some(reason) = &unkept
            && self.unkept != unkept
        {
            tracing::error!("{reason}");
        }
        self.unkept = unkept;
    }

    fn sign_newest(&mut self) -> io::Result<()> {
        let size = self.parts.log.size();
        let signed = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            state.health.signed
        };
        if size == signed || size == 0 {
            return Ok(());
        }
        let origin = self.parts.key.verifying_key().name().to_owned();
        let root = self.parts.log.root();
        let checkpoint = Checkpoint { origin, size, root }.sign(&self.parts.key);
        self.parts.checkpoints.write(&checkpoint)?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.health.signed = size;
        state.checkpoint = checkpoint;
        Ok(())
    }

    fn publish(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.health.size = self.parts.log.size();
        state.health.writable = !matches!(self.trouble, Trouble::Stopped(_));
        state.health.reason = match &self.trouble {
            Trouble::Nothing => self.unkept.clone(),
            Trouble::Strained(reason) | Trouble::Stopped(reason) => Some(reason.clone()),
        };
    }

    fn remember(&mut self, id: EventId) {
        if u64::try_from(self.order.len()).unwrap_or(u64::MAX) >= RECENT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.recent.remove(&oldest);
        }
        self.order.push_back(id);
        self.recent.insert(id);
    }

    fn finish(&mut self) {
        self.tend(Moment::Last);
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
