//! The one thread that writes: lines into the open segment, events into the spool.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use model::{Context, Event, SegmentId, Severity, Timestamp};

use super::segment::{self, Segment};
use super::{Inner, WAITING_BYTES_MAX, retention};
use crate::link::protocol::Content;

/// Lines wait at most so long.
const EVERY: Duration = Duration::from_millis(100);
/// A segment is sealed at this size, or this age.
const SEGMENT_BYTES: u64 = 64 << 20;
const SEGMENT_AGE: Duration = Duration::from_secs(60);
/// How often old segments go.
const CLEAN_EVERY: Duration = Duration::from_secs(600);
/// How often to look whether another process has left.
const ADOPT_EVERY: Duration = Duration::from_secs(1);
/// LIMIT: events of one delivery.
const BATCH: usize = 200;

/// Where it writes.
#[derive(Debug)]
pub(super) struct Folders {
    /// Segments.
    pub(super) traffic: PathBuf,
    /// What waits for control.
    pub(super) deliveries: PathBuf,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Writer {
    inner: Arc<Inner>,
    folders: Folders,
    /// When to look again for what others left; never, while there are none.
    adopt_at: Option<Timestamp>,
    node: String,
    segment: Option<Segment>,
    /// Lines left out and not in a seal yet.
    gap: u64,
    gap_since: Option<Timestamp>,
    clean_at: Timestamp,
}

/// What one turn works on.
struct Work {
    lines: Vec<u8>,
    tally: Vec<(String, u64)>,
    gap: u64,
    events: Vec<Event>,
    dropped: u64,
    stop: bool,
}

impl Writer {
    pub(super) fn new(inner: Arc<Inner>, folders: Folders, node: String) -> Self {
        Self {
            inner,
            folders,
            adopt_at: None,
            node,
            segment: None,
            gap: 0,
            gap_since: None,
            clean_at: Timestamp::default(),
        }
    }

    /// Takes over what processes left that are gone, and looks again later while there are others
    /// in these folders.
    pub(super) fn adopt(&mut self) -> io::Result<()> {
        let own = self.segment.as_ref().map(Segment::id);
        let recovered = segment::recover(&self.folders.traffic, own)?;
        let mut spool = self.inner.spool();
        let others = spool.adopt(&self.folders.deliveries)?;
        for seal in recovered.seals {
            spool.push(Content::Seal(seal));
        }
        drop(spool);
        self.inner.delivery.notify_waiters();
        let now = self.inner.clock.now();
        self.adopt_at = (others || recovered.others).then(|| now.after(ADOPT_EVERY));
        Ok(())
    }

    /// Writes until it is told to stop.
    pub(super) fn run(mut self) {
        let mut spare = Vec::new();
        loop {
            let work = self.wait(std::mem::take(&mut spare));
            let stop = work.stop;
            spare = self.turn(work);
            if stop {
                self.seal();
                self.inner.waiting().stopped = true;
                self.inner.delivery.notify_waiters();
                return;
            }
        }
    }

    fn wait(&self, spare: Vec<u8>) -> Work {
        let waiting = self.inner.waiting();
        let waited = self
            .inner
            .wake
            .wait_timeout_while(waiting, EVERY, |waiting| !waiting.urgent && !waiting.stop);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        waiting.urgent = false;
        let now = self.inner.clock.now();
        let work = Work {
            lines: std::mem::replace(&mut waiting.lines, spare),
            tally: waiting.tally.take(),
            gap: std::mem::take(&mut waiting.gap),
            dropped: std::mem::take(&mut waiting.refusals.dropped),
            events: if waiting.stop {
                waiting.refusals.take_all()
            } else {
                waiting.refusals.take(now)
            },
            stop: waiting.stop,
        };
        drop(waiting);
        if self.inner.full.swap(false, Ordering::Relaxed) {
            self.inner.room.notify_waiters();
        }
        work
    }

    /// One turn; gives the emptied buffer back.
    fn turn(&mut self, work: Work) -> Vec<u8> {
        let now = self.inner.clock.now();
        self.gap += work.gap;
        if self.gap > 0 {
            self.gap_since.get_or_insert(now);
        }
        if !work.lines.is_empty() {
            self.write(&work.lines, &work.tally, now);
        }
        self.deliver(work.events, work.dropped);
        let is_old = |at: Timestamp| now.since(at) >= SEGMENT_AGE;
        let due = match &self.segment {
            Some(segment) => segment.length() >= SEGMENT_BYTES || is_old(segment.begun),
            None => self.gap_since.is_some_and(is_old),
        };
        if due {
            self.seal();
        }
        if self.adopt_at.is_some_and(|at| now >= at)
            && let Err(error) = self.adopt()
        {
            self.adopt_at = Some(now.after(ADOPT_EVERY));
            tracing::warn!(%error, "what another gateway left waits for the next start");
        }
        if now >= self.clean_at {
            self.clean_at = now.after(CLEAN_EVERY);
            self.clean(now);
        }
        let mut spare = work.lines;
        spare.clear();
        // A burst's buffer is not kept for ever.
        if spare.capacity() > WAITING_BYTES_MAX / 8 {
            spare = Vec::new();
        }
        spare
    }

    fn write(&mut self, lines: &[u8], tally: &[(String, u64)], now: Timestamp) {
        match self.try_write(lines, tally, now) {
            Ok(()) => {
                if self.inner.troubled.swap(false, Ordering::Relaxed) {
                    tracing::info!("traffic records are kept again");
                }
            }
            Err(error) => {
                let count = lines.iter().filter(|byte| **byte == b'\n').count();
                let count = u64::try_from(count).unwrap_or(u64::MAX);
                self.gap += count;
                self.gap_since.get_or_insert(now);
                self.inner.gap.fetch_add(count, Ordering::Relaxed);
                if !self.inner.troubled.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "traffic records are left out and counted");
                }
            }
        }
    }

    fn try_write(
        &mut self,
        lines: &[u8],
        tally: &[(String, u64)],
        now: Timestamp,
    ) -> io::Result<()> {
        let segment = match &mut self.segment {
            Some(segment) => segment,
            None => {
                let id = SegmentId::new(&*self.inner.clock, &*self.inner.entropy);
                let begun = Segment::begin(&self.folders.traffic, id, &self.node, now)?;
                self.segment.insert(begun)
            }
        };
        segment.append(lines, tally, now)
    }

    fn deliver(&self, events: Vec<Event>, dropped: u64) {
        let mut spool = self.inner.spool();
        let dropped = dropped + spool.take_dropped();
        if events.is_empty() && dropped == 0 {
            return;
        }
        let mut events = events;
        if dropped > 0 {
            let text = format!("{dropped} refusals could not be recorded one by one");
            let event = self.word("gateway.records.gap", text);
            events.push(event.with("count", dropped));
        }
        while !events.is_empty() {
            let rest = events.split_off(events.len().min(BATCH));
            spool.push(Content::Events(std::mem::replace(&mut events, rest)));
        }
        drop(spool);
        self.inner.delivery.notify_waiters();
    }

    /// Seals the open segment, or says that there is a gap without one.
    fn seal(&mut self) {
        let now = self.inner.clock.now();
        let seal = match self.segment.take() {
            Some(segment) => match segment.seal(self.gap) {
                Ok(seal) => seal,
                Err(error) => {
                    // The file stays as it is; the next start seals it.
                    tracing::error!(%error, "a segment of traffic records was not sealed");
                    return;
                }
            },
            None if self.gap > 0 => {
                let id = SegmentId::new(&*self.inner.clock, &*self.inner.entropy);
                segment::gap_alone(id, self.gap, now)
            }
            None => return,
        };
        self.gap = 0;
        self.gap_since = None;
        self.inner.spool().push(Content::Seal(seal));
        self.inner.delivery.notify_waiters();
    }

    fn clean(&self, now: Timestamp) {
        let keep_ms = self.inner.keep_ms.load(Ordering::Relaxed);
        match retention::clean(&self.folders.traffic, keep_ms, now) {
            Ok(gone) if gone.crowded > 0 => {
                let text = format!("{} segments went early: there was no room", gone.crowded);
                let event = self.word("gateway.traffic.dropped", text);
                let event = event.with("segments", gone.crowded);
                self.inner.spool().push(Content::Events(vec![event]));
                self.inner.delivery.notify_waiters();
            }
            Ok(gone) => tracing::debug!(segments = gone.old, "old traffic records went"),
            Err(error) => tracing::warn!(%error, "old traffic records stay"),
        }
    }

    fn word(&self, kind: &'static str, text: String) -> Event {
        let (clock, entropy) = (&*self.inner.clock, &*self.inner.entropy);
        let ctx = Context::system(clock, entropy);
        Event::change(kind, &ctx, clock, entropy)
            .class(model::Class::Traffic)
            .severity(Severity::Medium)
            .message(text)
    }
}
