//! Idle connections of one worker, by target and address: last used first, so that the rest
//! grow old and are let go.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ahash::AHashMap;
use estate::{Failure, UpstreamTimeouts};
use smallvec::SmallVec;
use tokio::time::Instant;

use super::Failed;
use super::admit::Pass;
use super::choose::{Choice, Chosen};
use super::conn::{Conn, Lease};
use super::group::{Group, Set};
use super::member::Member;
use super::stream::Stream;
use super::target::Target;
use super::ticks::Now;

/// LIMIT: open connections of one worker to one address.
const OPEN_MAX: usize = 1024;
/// LIMIT: of these, idle ones.
const IDLE_MAX: usize = 256;
/// An idle connection is closed after so long; below the minute after which many servers close.
const IDLE_FOR: Duration = Duration::from_secs(50);

/// The connections of one worker to every target.
///
/// Locks here are never waited for on a request's way: only the worker itself and a scrape of the
/// metrics take them.
#[derive(Debug)]
pub(crate) struct Upstreams {
    pools: Mutex<AHashMap<u64, Arc<Pool>>>,
    /// Where this worker counts.
    worker: usize,
}

/// How many connections there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PoolUse {
    /// Open, idle ones included.
    pub(crate) open: usize,
    /// Waiting for a request.
    pub(crate) idle: usize,
}

/// The connections to one target, by the addresses it had at one moment.
#[derive(Debug)]
struct Pool {
    group: Arc<Group>,
    worker: usize,
    generation: u64,
    set: Arc<Set>,
    nests: Box<[Arc<Nest>]>,
    next: AtomicU64,
}

/// The connections to one address.
#[derive(Debug)]
struct Nest {
    member: Arc<Member>,
    epoch: u64,
    #[expect(
        clippy::vec_box,
        reason = "a connection moves between pool and request as a pointer"
    )]
    idle: Mutex<Vec<Box<Conn>>>,
    open: AtomicUsize,
    /// The address is none of the target's any more: what comes back is closed.
    left: AtomicBool,
}

/// One request's way among the addresses.
#[derive(Debug)]
pub(super) struct Turn {
    pool: Arc<Pool>,
    /// The address it is at.
    place: usize,
    tried: SmallVec<[usize; 4]>,
    key: Option<u64>,
    pub(super) pass: Option<Arc<Pass>>,
    pub(super) sent_again: u32,
    /// Only a new connection will do.
    pub(super) fresh: bool,
}

/// Where a connection in use belongs; dropping it says that the connection is closed.
#[derive(Debug)]
pub(super) struct Home {
    pool: Arc<Pool>,
    place: usize,
    pass: Option<Arc<Pass>>,
    returned: bool,
}

impl Upstreams {
    /// No connections yet.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Self {
            pools: Mutex::default(),
            worker: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Closes connections that ended, were idle for too long or lead where no estate leads any
    /// more, and forgets targets nobody uses.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        let pools: Vec<_> = {
            let mut pools = lock(&self.pools);
            for pool in pools.values_mut() {
                pool.refresh();
            }
            pools.values().cloned().collect()
        };
        for pool in &pools {
            let retired = pool.group.is_retired();
            for nest in &pool.nests {
                let idle = std::mem::take(&mut *lock(&nest.idle));
                for mut conn in idle {
                    let since = *conn.idle_since.get_or_insert(now);
                    let is_young = now.duration_since(since) < IDLE_FOR;
                    if !retired && is_young && conn.is_alive() {
                        lock(&nest.idle).push(conn);
                    } else {
                        nest.closed();
                    }
                }
            }
        }
        drop(pools);
        lock(&self.pools).retain(|_, pool| {
            let open = |nest: &Arc<Nest>| nest.open.load(Ordering::Relaxed) > 0;
            Arc::strong_count(pool) > 1 || pool.nests.iter().any(open)
        });
    }

    /// How many connections there are.
    pub(crate) fn usage(&self) -> PoolUse {
        let pools = lock(&self.pools);
        let nests = pools.values().flat_map(|pool| &pool.nests);
        nests.fold(PoolUse::default(), |sum, nest| PoolUse {
            open: sum.open + nest.open.load(Ordering::Relaxed),
            idle: sum.idle + lock(&nest.idle).len(),
        })
    }

    /// The best address for one request; what it has in common with others is `key`.
    pub(super) fn turn(
        &self,
        target: &Target,
        key: Option<u64>,
        pass: Option<Arc<Pass>>,
    ) -> Result<Turn, Failed> {
        target.group.requests.add(self.worker);
        let pool = self.pool(target);
        let place = pool.choose(&[], key)?;
        Ok(Turn {
            pool,
            place,
            tried: SmallVec::new(),
            key,
            pass,
            sent_again: 0,
            fresh: false,
        })
    }

    fn pool(&self, target: &Target) -> Arc<Pool> {
        let mut pools = lock(&self.pools);
        let pool = pools
            .entry(target.id)
            .or_insert_with(|| Arc::new(Pool::new(Arc::clone(&target.group), self.worker)));
        pool.refresh();
        Arc::clone(pool)
    }
}

impl Turn {
    /// An idle connection that still lives, if there is one.
    pub(super) fn reuse(&self) -> Option<Lease> {
        let nest = self.pool.nests.get(self.place)?;
        loop {
            let mut conn = lock(&nest.idle).pop()?;
            if conn.is_alive() {
                return Some(Lease::new(conn, self.home()));
            }
            nest.closed();
        }
    }

    /// A new connection.
    pub(super) async fn connect(&self, target: &Target, limit: Duration) -> Result<Lease, Failed> {
        let Some(nest) = self.pool.nests.get(self.place) else {
            return Err(Failed::Refused);
        };
        if !nest.opens(self.group().reach.capacity.connections) {
            return Err(Failed::TooMany);
        }
        let home = self.home();
        let connected = Stream::connect(target, &nest.member.endpoint, limit).await;
        match connected {
            Ok(stream) => Ok(Lease::new(Conn::new(stream), home)),
            Err(failed) => {
                home.failed(Failure::Connect);
                Err(failed)
            }
        }
    }

    /// Goes to the next best address; `false` when there is none.
    pub(super) fn next(&mut self) -> bool {
        self.tried.push(self.place);
        match self.pool.choose(&self.tried, self.key) {
            Ok(place) => {
                self.place = place;
                true
            }
            Err(_) => {
                // It stays where it is, and may try there once more.
                self.tried.pop();
                false
            }
        }
    }

    /// Whether there is an address that was not tried.
    pub(super) fn has_another(&self) -> bool {
        self.tried.len().saturating_add(1) < self.pool.nests.len()
    }

    pub(super) fn group(&self) -> &Group {
        &self.pool.group
    }

    fn home(&self) -> Home {
        Home::new(&self.pool, self.place, self.pass.clone())
    }
}

impl Pool {
    fn new(group: Arc<Group>, worker: usize) -> Self {
        Self {
            worker,
            // So that workers do not all begin at the same address.
            next: AtomicU64::new(u64::try_from(worker).unwrap_or(0)),
            generation: u64::MAX,
            set: Arc::default(),
            nests: Box::default(),
            group,
        }
    }

    /// Takes in that the addresses changed, if they did.
    fn refresh(self: &mut Arc<Self>) {
        // Before the set: what changes in between is seen with the next request.
        let generation = self.group.generation();
        if self.generation == generation {
            return;
        }
        let set = self.group.set();
        let nests: Box<[Arc<Nest>]> = set
            .members
            .iter()
            .map(|member| self.nest(member, set.epoch))
            .collect();
        for nest in &self.nests {
            if !nests.iter().any(|kept| Arc::ptr_eq(kept, nest)) {
                nest.leave();
            }
        }
        *self = Arc::new(Self {
            group: Arc::clone(&self.group),
            worker: self.worker,
            generation,
            set,
            nests,
            next: AtomicU64::new(self.next.load(Ordering::Relaxed)),
        });
    }

    fn nest(&self, member: &Arc<Member>, epoch: u64) -> Arc<Nest> {
        let same = |nest: &&Arc<Nest>| Arc::ptr_eq(&nest.member, member) && nest.epoch == epoch;
        let kept = self.nests.iter().find(same).cloned();
        kept.unwrap_or_else(|| {
            Arc::new(Nest {
                member: Arc::clone(member),
                epoch,
                idle: Mutex::default(),
                open: AtomicUsize::new(0),
                left: AtomicBool::new(false),
            })
        })
    }

    fn choose(&self, tried: &[usize], key: Option<u64>) -> Result<usize, Failed> {
        let (group, members) = (&*self.group, &*self.set.members);
        let room = group.reach.capacity.address_requests;
        if let ([only], [], None) = (members, tried, room)
            && !only.is_unwell()
        {
            return Ok(0);
        }
        let now = Now::of(&**group.clock());
        let choice = Choice {
            members,
            worker: self.worker,
            tried,
            key,
            turn: self.next.fetch_add(1, Ordering::Relaxed),
            slow_start: group.reach.slow_start,
            room,
            patience: group.patience(),
            now: &now,
        };
        let chosen = match choice.best() {
            Chosen::NoneWell if group.tries_all() => choice.whichever(),
            chosen => chosen,
        };
        match chosen {
            Chosen::Place(place) => Ok(place),
            Chosen::Full => Err(Failed::TooMany),
            Chosen::NoneWell => Err(Failed::Unhealthy),
            Chosen::Exhausted if members.is_empty() => Err(Failed::Unresolved),
            Chosen::Exhausted => Err(Failed::Refused),
        }
    }
}

impl Nest {
    /// One more connection, unless there are as many as there may be.
    fn opens(&self, connections_max: Option<u32>) -> bool {
        let all = self.member.connections.fetch_add(1, Ordering::Relaxed);
        let here = self.open.fetch_add(1, Ordering::Relaxed);
        let opens = here < OPEN_MAX && connections_max.is_none_or(|max| all < max);
        if !opens {
            self.closed();
        }
        opens
    }

    fn closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.member.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// Connections that wait close now, others when they have nothing to do any more.
    fn leave(&self) {
        self.left.store(true, Ordering::Relaxed);
        for conn in std::mem::take(&mut *lock(&self.idle)) {
            drop(conn);
            self.closed();
        }
    }
}

impl Home {
    fn new(pool: &Arc<Pool>, place: usize, pass: Option<Arc<Pass>>) -> Self {
        let home = Self {
            pool: Arc::clone(pool),
            place,
            pass,
            returned: false,
        };
        if let Some(member) = home.member() {
            member.under_way.add(pool.worker);
            if home.is_limited() {
                member.under_way_limited.fetch_add(1, Ordering::Relaxed);
            }
        }
        home
    }

    /// How long the service may take.
    pub(super) fn timeouts(&self) -> &UpstreamTimeouts {
        &self.pool.group.reach.timeouts
    }

    /// A request got an answer.
    pub(super) fn answered(&self, status: u16) {
        if let Some(member) = self.member() {
            self.pool.group.answered(member, status, self.is_trial());
        }
    }

    /// A request got none, or not all of it.
    pub(super) fn failed(&self, failure: Failure) {
        if let Some(member) = self.member() {
            self.pool.group.failed(member, failure, self.is_trial());
        }
    }

    /// Puts the connection back, for the next request to take first.
    pub(super) fn give_back(&mut self, conn: Box<Conn>) {
        let Some(nest) = self.pool.nests.get(self.place) else {
            return;
        };
        if nest.left.load(Ordering::Relaxed) || self.pool.group.is_retired() {
            return;
        }
        let mut idle = lock(&nest.idle);
        if idle.len() < IDLE_MAX {
            idle.push(conn);
            self.returned = true;
        }
    }

    fn member(&self) -> Option<&Member> {
        self.pool.nests.get(self.place).map(|nest| &*nest.member)
    }

    fn is_limited(&self) -> bool {
        self.pool.group.reach.capacity.address_requests.is_some()
    }

    fn is_trial(&self) -> bool {
        self.pass.as_ref().is_some_and(|pass| pass.is_trial)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let Some(nest) = self.pool.nests.get(self.place) else {
            return;
        };
        nest.member.under_way.take(self.pool.worker);
        if self.is_limited() {
            let count = &nest.member.under_way_limited;
            count.fetch_sub(1, Ordering::Relaxed);
        }
        if !self.returned {
            nest.closed();
        }
    }
}

/// A panic while one of these is held leaves counts and lists that are still usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
