//! How many long bodies rules look into at once, and how many wait for that.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// LIMIT: long bodies looked into at once, over all workers.
const PLACES_MAX: u32 = 4;
/// LIMIT: bytes of bodies looked into at once, for each place: what rules make of a value is many
/// times as long as it. A longer body takes several places, one that is longer than all of them
/// takes all.
const BYTES_OF_A_PLACE: usize = 2 << 20;
/// LIMIT: long bodies that wait for a place.
const WAITING_MAX: usize = 64;
/// LIMIT: of those looked into and of those that wait, how many came from one client: whoever sends
/// nothing else leaves room for others.
const OF_ONE_MAX: usize = 16;
/// LIMIT: how long one waits.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// See the module.
#[derive(Debug)]
pub(crate) struct Places {
    places: Arc<Semaphore>,
    asking: Arc<Mutex<Asking>>,
}

/// Who has a place or waits for one.
#[derive(Debug, Default)]
struct Asking {
    of: HashMap<IpAddr, usize>,
    all: usize,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(count(PLACES_MAX))),
            asking: Arc::default(),
        }
    }
}

/// A place, until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    _counted: Counted,
}

/// Somebody asks, until this is dropped.
#[derive(Debug)]
struct Counted {
    asking: Arc<Mutex<Asking>>,
    client: Option<IpAddr>,
}

impl Counted {
    /// Nothing when too many ask already, or too many of them are this client's.
    fn new(asking: &Arc<Mutex<Asking>>, client: Option<IpAddr>) -> Option<Self> {
        let client = client.map(block);
        let mut counts = asking.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= count(PLACES_MAX) + WAITING_MAX {
            return None;
        }
        if let Some(client) = client {
            let own = counts.of.entry(client).or_default();
            if *own >= OF_ONE_MAX {
                return None;
            }
            *own += 1;
        }
        counts.all += 1;
        drop(counts);
        Some(Self {
            asking: Arc::clone(asking),
            client,
        })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        let Some(client) = self.client else {
            return;
        };
        if let Some(own) = counts.of.get_mut(&client) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                counts.of.remove(&client);
            }
        }
    }
}

impl Places {
    /// A place for so many bytes of `client`; nothing when too many wait already, or none is free in
    /// time.
    pub(crate) async fn take(&self, client: IpAddr, bytes: usize) -> Option<Place> {
        self.counted(Some(client), bytes).await
    }

    /// A place for an answer: how long it is was its service's choice.
    pub(crate) async fn take_for_answer(&self, bytes: usize) -> Option<Place> {
        self.counted(None, bytes).await
    }

    async fn counted(&self, client: Option<IpAddr>, bytes: usize) -> Option<Place> {
        let counted = Counted::new(&self.asking, client)?;
        let wanted = bytes.div_ceil(BYTES_OF_A_PLACE).max(1);
        let wanted = u32::try_from(wanted).map_or(PLACES_MAX, |wanted| wanted.min(PLACES_MAX));
        let permit = Arc::clone(&self.places).acquire_many_owned(wanted);
        let permit = timeout(WAIT_MAX, permit).await;
        Some(Place {
            _permit: permit.ok()?.ok()?,
            _counted: counted,
        })
    }
}

fn count(places: u32) -> usize {
    usize::try_from(places).unwrap_or(usize::MAX)
}

/// Whom an address counts as: of IPv6, a customer has 64 bits to choose from (RFC 6177 §2).
fn block(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V4(_) => client,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}
