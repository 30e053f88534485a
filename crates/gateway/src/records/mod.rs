//! What is left of each request: a line in a sealed segment of traffic records, and, when it was
//! refused, an event for the trail.
//!
//! Never waits for a disk on a request's way: one thread writes. What it cannot keep is counted as
//! a gap, and the gap is recorded.

mod hold;
mod leaves;
mod line;
mod refusals;
mod retention;
mod segment;
mod spool;
mod tally;
mod writer;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::waf::Decision;
use estate::{Mode, Pressure};
use model::{Event, Principal, RequestId, SharedClock, SharedEntropy, Timestamp};
use tokio::sync::Notify;

use crate::Error;
use crate::link::Deliveries;
use crate::link::protocol::Content;
use crate::metrics::RouteSlot;
use crate::refused::Refused;
use crate::ruled::Matched;
use refusals::Refusals;
use spool::Spool;
use tally::Tally;

/// LIMIT: bytes of lines that wait to be written.
const WAITING_BYTES_MAX: usize = 8 << 20;
/// How long a stop waits for what is not delivered yet.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// How to open the records.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The gateway's own folder.
    pub(crate) dir: PathBuf,
    /// What it calls itself.
    pub(crate) node: String,
}

/// A handle on the records, shared by all workers; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Recorder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: SharedClock,
    entropy: SharedEntropy,
    waiting: Mutex<Waiting>,
    wake: Condvar,
    /// Lines left out since the gateway started.
    gap: AtomicU64,
    /// Whether requests wait for room, and whether there is none.
    slow: AtomicBool,
    full: AtomicBool,
    room: Notify,
    keep_ms: AtomicU64,
    /// Whether lines could not be written the last time.
    troubled: AtomicBool,
    spool: Mutex<Spool>,
    delivery: Notify,
}

/// How it stands with the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordsState {
    /// Whether they could not be written the last time.
    pub(crate) is_troubled: bool,
    /// What waits to be delivered.
    pub(crate) deliveries: u64,
}

/// What waits for the writer.
#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    /// Of which routes they are.
    tally: Tally,
    stamp: line::Stamp,
    /// Lines left out since the last segment was sealed.
    gap: u64,
    refusals: Refusals,
    /// Whether the writer is to write at once.
    urgent: bool,
    stop: bool,
    stopped: bool,
}

/// One request, served or refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestLine<'a> {
    /// When it began.
    pub(crate) time: Timestamp,
    /// Its id.
    pub(crate) request_id: RequestId,
    /// The address of who sent it.
    pub(crate) source: &'a str,
    /// The host it asked for.
    pub(crate) host: &'a str,
    /// Its method.
    pub(crate) method: &'a str,
    /// Its path, without the query: queries hold secrets.
    pub(crate) path: &'a str,
    /// Its route.
    pub(crate) route: &'a str,
    /// Where its route is counted.
    pub(crate) slot: RouteSlot,
    /// What was answered.
    pub(crate) status: u16,
    /// How long that took.
    pub(crate) took: Duration,
    /// Bytes of its body.
    pub(crate) bytes_in: u64,
    /// Bytes of the answer's body, when they were known at its beginning.
    pub(crate) bytes_out: u64,
    /// Who it was.
    pub(crate) principal: Option<&'a Principal>,
    /// Why it was refused or failed.
    pub(crate) refused: Option<&'static str>,
    /// What steps that only observe found.
    pub(crate) observed: &'a [Refused],
    /// Ids of rules of `[waf]` that it matched, whatever became of it.
    pub(crate) rules: &'a [u64],
}

/// One refusal by a step, carried out or observed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal<'a> {
    /// When the request began.
    pub(crate) time: Timestamp,
    /// Its id.
    pub(crate) request_id: RequestId,
    /// Who sent it.
    pub(crate) source: IpAddr,
    /// The host it asked for.
    pub(crate) host: &'a str,
    /// Its method.
    pub(crate) method: &'a str,
    /// Its path, without the query.
    pub(crate) path: &'a str,
    /// Its route, when it has one.
    pub(crate) route: Option<&'a str>,
    /// Who it was.
    pub(crate) principal: Option<&'a Principal>,
    /// `<step>.<reason>`.
    pub(crate) code: &'static str,
    /// One sentence.
    pub(crate) text: &'a str,
    /// What was answered, or would have been.
    pub(crate) status: u16,
    /// Whether it was carried out.
    pub(crate) mode: Mode,
    /// What would have refused the request before this, where that only observes.
    pub(crate) after: Option<&'static str>,
    /// The built-in rule.
    pub(crate) rule: Option<&'a str>,
    /// The argument, field or header.
    pub(crate) argument: Option<&'a str>,
    /// Rules of `[waf]` that it matched.
    pub(crate) matches: &'a [Matched],
    /// What they added up to.
    pub(crate) score: Option<i64>,
    /// Which of them, or which sum, ended the exchange.
    pub(crate) decision: Option<&'a Decision>,
    /// What the service answered, where the refusal was only observed and that is known by now.
    pub(crate) answered: Option<u16>,
}

impl Recorder {
    /// Takes up what a crash left (an unsealed segment is sealed, what was not acknowledged is
    /// delivered again) and starts the writer.
    pub(crate) fn open(
        settings: Settings,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Result<Self, Error> {
        let failed = |path: PathBuf| {
            move |source| Error::Records {
                path: path.clone(),
                source,
            }
        };
        let deliveries = settings.dir.join("deliveries");
        let traffic = settings.dir.join("traffic");
        for folder in [&deliveries, &traffic] {
            private_folder(folder).map_err(failed(folder.clone()))?;
        }
        let spool = Spool::open(&deliveries).map_err(failed(deliveries.clone()))?;
        let inner = Arc::new(Inner {
            clock,
            entropy,
            waiting: Mutex::default(),
            wake: Condvar::new(),
            gap: AtomicU64::new(0),
            slow: AtomicBool::new(false),
            full: AtomicBool::new(false),
            room: Notify::new(),
            keep_ms: AtomicU64::new(u64::MAX),
            troubled: AtomicBool::new(false),
            spool: Mutex::new(spool),
            delivery: Notify::new(),
        });
        let folders = writer::Folders {
            traffic: traffic.clone(),
            deliveries,
        };
        let mut writer = writer::Writer::new(Arc::clone(&inner), folders, settings.node);
        writer.adopt().map_err(failed(traffic))?;
        std::thread::Builder::new()
            .name("records".to_owned())
            .spawn(move || writer.run())
            .map_err(Error::Worker)?;
        Ok(Self(inner))
    }

    /// What the estate says: how long segments stay, and what happens under pressure.
    pub(crate) fn configure(&self, keep: Duration, pressure: Pressure) {
        let keep_ms = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX);
        self.0.keep_ms.store(keep_ms, Ordering::Relaxed);
        self.0
            .slow
            .store(pressure == Pressure::Slow, Ordering::Relaxed);
        self.0.room.notify_waiters();
    }

    /// Waits for room, where the estate wants requests to wait.
    pub(crate) async fn room(&self) {
        let must_wait =
            || self.0.full.load(Ordering::Relaxed) && self.0.slow.load(Ordering::Relaxed);
        while must_wait() {
            let room = self.0.room.notified();
            if !must_wait() {
                break;
            }
            room.await;
        }
    }

    /// Leaves a line.
    pub(crate) fn request(&self, request: &RequestLine<'_>) {
        let mut waiting = self.0.waiting();
        if waiting.lines.len() >= WAITING_BYTES_MAX {
            waiting.gap += 1;
            self.0.gap.fetch_add(1, Ordering::Relaxed);
            self.0.full.store(true, Ordering::Relaxed);
            return;
        }
        let Waiting {
            lines,
            stamp,
            tally,
            ..
        } = &mut *waiting;
        line::write(lines, stamp, request);
        tally.count(request.slot, request.route);
    }

    /// Leaves an event; of several like it in one second, one for the first and one for the rest.
    pub(crate) fn refused(&self, refusal: Refusal<'_>) {
        let (clock, entropy) = (&*self.0.clock, &*self.0.entropy);
        let mut waiting = self.0.waiting();
        if waiting.refusals.add(refusal, clock, entropy) {
            waiting.urgent = true;
            drop(waiting);
            self.0.wake.notify_one();
        }
    }

    /// Leaves an event of the gateway's own, such as that a service does not answer any more.
    pub(crate) fn event(&self, event: Event) {
        let mut waiting = self.0.waiting();
        waiting.refusals.note(event);
        waiting.urgent = true;
        drop(waiting);
        self.0.wake.notify_one();
    }

    /// Something on a connection was refused before it became a request.
    pub(crate) fn refused_connection(&self, peer: SocketAddr, code: &'static str, status: u16) {
        self.refused(Refusal {
            time: self.0.clock.now(),
            request_id: RequestId::new(&*self.0.clock, &*self.0.entropy),
            source: peer.ip().to_canonical(),
            host: "",
            method: "",
            path: "",
            route: None,
            principal: None,
            code,
            text: "what was sent is no request",
            status,
            mode: Mode::Block,
            after: None,
            rule: None,
            argument: None,
            matches: &[],
            score: None,
            decision: None,
            answered: None,
        });
    }

    /// How it stands with them now.
    pub(crate) fn state(&self) -> RecordsState {
        RecordsState {
            is_troubled: self.0.troubled.load(Ordering::Relaxed),
            deliveries: u64::try_from(self.0.spool().len()).unwrap_or(u64::MAX),
        }
    }

    /// Lines left out since the gateway started.
    pub(crate) fn gap(&self) -> u64 {
        self.0.gap.load(Ordering::Relaxed)
    }

    /// Seals what is open and waits, a little, until all of it is delivered.
    pub(crate) async fn close(&self) {
        {
            let mut waiting = self.0.waiting();
            waiting.stop = true;
        }
        self.0.wake.notify_one();
        let delivered = async {
            loop {
                let changed = self.0.delivery.notified();
                if self.0.waiting().stopped && self.0.spool().is_empty() {
                    return;
                }
                // The writer's last word may come between the look and the wait.
                if tokio::time::timeout(Duration::from_millis(20), changed)
                    .await
                    .is_err()
                {}
            }
        };
        if tokio::time::timeout(CLOSE_TIMEOUT, delivered)
            .await
            .is_err()
        {
            tracing::warn!("what is not delivered yet is delivered after the next start");
        }
    }
}

impl Deliveries for Recorder {
    async fn next(&self, after: u64) -> (u64, Content) {
        loop {
            let fresh = self.0.delivery.notified();
            tokio::pin!(fresh);
            fresh.as_mut().enable();
            if let Some(found) = self.0.spool().after(after) {
                return found;
            }
            fresh.await;
        }
    }

    fn done(&self, id: u64) {
        self.0.spool().done(id);
        self.0.delivery.notify_waiters();
    }
}

impl Inner {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spool(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn private_folder(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(test)]
mod tests;
