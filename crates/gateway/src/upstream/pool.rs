//! Idle connections of one worker, by target and address: last used first, so that the rest
//! grow old and are let go.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ahash::AHashMap;
use smallvec::SmallVec;
use tokio::time::Instant;

use super::Failed;
use super::conn::{Conn, Lease};
use super::http2;
use super::stream::Stream;
use super::target::Target;

/// LIMIT: open connections of one worker to one address.
const OPEN_MAX: usize = 1024;
/// LIMIT: of these, idle ones.
const IDLE_MAX: usize = 256;
/// An idle connection is closed after so long; below the minute after which many servers close.
const IDLE_FOR: Duration = Duration::from_secs(50);
/// An address that refused a connection is passed over for so long, when there is another.
const DOWN_FOR: Duration = Duration::from_secs(2);
/// So many requests in a row without an answer, and an address is passed over for longer.
const FAILURES_MAX: u32 = 3;
/// How long.
const EJECTED_FOR: Duration = Duration::from_secs(10);

/// The connections of one worker to every target.
///
/// Locks here are never waited for on a request's way: only the worker itself and a scrape of the
/// metrics take them.
#[derive(Debug, Default)]
pub(crate) struct Upstreams {
    pools: Mutex<AHashMap<u64, Arc<Pool>>>,
    pub(super) http2: http2::Places,
}

/// How many connections there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PoolUse {
    /// Open, idle ones included.
    pub(crate) open: usize,
    /// Waiting for a request.
    pub(crate) idle: usize,
}

#[derive(Debug)]
struct Pool {
    endpoints: Box<[EndpointPool]>,
    next: AtomicUsize,
    /// What is open here are requests; their connections are counted where they are.
    is_shared: bool,
}

#[derive(Debug, Default)]
struct EndpointPool {
    #[expect(
        clippy::vec_box,
        reason = "a connection moves between pool and request as a pointer"
    )]
    idle: Mutex<Vec<Box<Conn>>>,
    open: AtomicUsize,
    /// Requests in a row that got no answer.
    failures: AtomicU32,
    down_until: Mutex<Option<Instant>>,
}

/// The addresses for one request.
#[derive(Debug)]
pub(super) struct Turn {
    pool: Arc<Pool>,
    order: SmallVec<[usize; 4]>,
}

/// Where a connection in use belongs; dropping it says that the connection is closed.
#[derive(Debug)]
pub(super) struct Home {
    pool: Arc<Pool>,
    index: usize,
    returned: bool,
}

impl Upstreams {
    /// No connections yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Closes connections that ended or were idle for too long, and forgets targets nobody uses.
    pub(crate) fn sweep(&self) {
        self.http2.sweep();
        let now = Instant::now();
        let pools: Vec<_> = lock(&self.pools).values().cloned().collect();
        for endpoint in pools.iter().flat_map(|pool| &pool.endpoints) {
            let idle = std::mem::take(&mut *lock(&endpoint.idle));
            for mut conn in idle {
                let since = *conn.idle_since.get_or_insert(now);
                if now.duration_since(since) < IDLE_FOR && conn.is_alive() {
                    lock(&endpoint.idle).push(conn);
                } else {
                    endpoint.open.fetch_sub(1, Ordering::Relaxed);
                }
            }
        }
        drop(pools);
        lock(&self.pools).retain(|_, pool| {
            let open = |e: &EndpointPool| e.open.load(Ordering::Relaxed) > 0;
            Arc::strong_count(pool) > 1 || pool.endpoints.iter().any(open)
        });
    }

    /// How many connections there are.
    pub(crate) fn usage(&self) -> PoolUse {
        let pools = lock(&self.pools);
        let own = pools.values().filter(|pool| !pool.is_shared);
        let endpoints = own.flat_map(|pool| &pool.endpoints);
        endpoints.fold(self.http2.usage(), |sum, endpoint| PoolUse {
            open: sum.open + endpoint.open.load(Ordering::Relaxed),
            idle: sum.idle + lock(&endpoint.idle).len(),
        })
    }

    /// Where one request may go, the best address first.
    pub(super) fn turn(&self, target: &Target) -> Turn {
        let pool = self.pool(target);
        Turn {
            order: pool.order(),
            pool,
        }
    }

    fn pool(&self, target: &Target) -> Arc<Pool> {
        let mut pools = lock(&self.pools);
        let pool = pools.entry(target.id).or_insert_with(|| {
            let endpoints = target
                .endpoints
                .iter()
                .map(|_| EndpointPool::default())
                .collect();
            Arc::new(Pool {
                endpoints,
                next: AtomicUsize::new(0),
                is_shared: target.http2,
            })
        });
        Arc::clone(pool)
    }
}

impl Turn {
    /// An idle connection to the best address that still lives, if there is one.
    pub(super) fn reuse(&self) -> Option<Lease> {
        self.idle(*self.order.first()?)
    }

    fn idle(&self, index: usize) -> Option<Lease> {
        let endpoint = self.pool.endpoints.get(index)?;
        loop {
            let mut conn = lock(&endpoint.idle).pop()?;
            if conn.is_alive() {
                return Some(Lease::new(conn, Home::new(&self.pool, index)));
            }
            endpoint.open.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Every address, the best first.
    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }

    /// Counts one more request on an address, where many share a connection; nothing at its limit.
    pub(super) fn enter(&self, index: usize) -> Option<Home> {
        let endpoint = self.pool.endpoints.get(index)?;
        if endpoint.open.fetch_add(1, Ordering::Relaxed) >= OPEN_MAX {
            endpoint.open.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Home::new(&self.pool, index))
    }

    /// An address takes no connection: it is passed over for a while.
    pub(super) fn took_none(&self, index: usize) {
        if let Some(endpoint) = self.pool.endpoints.get(index) {
            *lock(&endpoint.down_until) = Instant::now().checked_add(DOWN_FOR);
        }
    }

    /// The best address comes last from now on: it did not answer.
    pub(super) fn pass_over(&mut self) {
        let by = usize::from(self.order.len() > 1);
        self.order.rotate_left(by);
    }

    /// A new connection, to the first address that takes one.
    pub(super) async fn connect(&self, target: &Target, limit: Duration) -> Result<Lease, Failed> {
        let mut failed = Failed::Refused;
        for index in self.order.iter().copied() {
            let (Some(endpoint), Some(state)) =
                (target.endpoints.get(index), self.pool.endpoints.get(index))
            else {
                continue;
            };
            if state.open.fetch_add(1, Ordering::Relaxed) >= OPEN_MAX {
                state.open.fetch_sub(1, Ordering::Relaxed);
                failed = Failed::TooMany;
                continue;
            }
            let home = Home::new(&self.pool, index);
            match Stream::connect(target, endpoint, limit).await {
                Ok(stream) => return Ok(Lease::new(Conn::new(stream), home)),
                Err(error) => {
                    *lock(&state.down_until) = Instant::now().checked_add(DOWN_FOR);
                    failed = error;
                }
            }
        }
        Err(failed)
    }
}

impl Pool {
    /// Every address, each once: the one with the fewest requests first, of several the next in
    /// turn; those that are down come last.
    fn order(&self) -> SmallVec<[usize; 4]> {
        let count = self.endpoints.len();
        if count <= 1 {
            return (0..count).collect();
        }
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        let turn = (0..count).map(|step| first.wrapping_add(step) % count);
        let mut order: SmallVec<[_; 4]> = turn
            .filter_map(|index| {
                let endpoint = self.endpoints.get(index)?;
                Some((endpoint.is_down(now), endpoint.requests(), index))
            })
            .collect();
        order.sort_by_key(|(down, requests, _)| (*down, *requests));
        order.into_iter().map(|(_, _, index)| index).collect()
    }
}

impl EndpointPool {
    fn is_down(&self, now: Instant) -> bool {
        lock(&self.down_until).is_some_and(|until| now < until)
    }

    /// Requests under way.
    fn requests(&self) -> usize {
        let idle = lock(&self.idle).len();
        self.open.load(Ordering::Relaxed).saturating_sub(idle)
    }
}

impl Home {
    fn new(pool: &Arc<Pool>, index: usize) -> Self {
        Self {
            pool: Arc::clone(pool),
            index,
            returned: false,
        }
    }

    /// Whether a request got an answer. An address that gives none any more is passed over, while
    /// there is another.
    pub(super) fn answered(&self, answered: bool) {
        let Some(endpoint) = self.pool.endpoints.get(self.index) else {
            return;
        };
        if answered {
            if endpoint.failures.swap(0, Ordering::Relaxed) > 0 {
                *lock(&endpoint.down_until) = None;
            }
            return;
        }
        let failures = endpoint.failures.fetch_add(1, Ordering::Relaxed);
        if failures.saturating_add(1) >= FAILURES_MAX {
            *lock(&endpoint.down_until) = Instant::now().checked_add(EJECTED_FOR);
        }
    }

    /// Puts the connection back, for the next request to take first.
    pub(super) fn give_back(&mut self, conn: Box<Conn>) {
        let Some(endpoint) = self.pool.endpoints.get(self.index) else {
            return;
        };
        let mut idle = lock(&endpoint.idle);
        if idle.len() < IDLE_MAX {
            idle.push(conn);
            self.returned = true;
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.returned {
            return;
        }
        if let Some(endpoint) = self.pool.endpoints.get(self.index) {
            endpoint.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// A panic while one of these is held leaves counts and lists that are still usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
