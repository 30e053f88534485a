//! What traffic showed of routes that learn, and what is told of it: a proposed document and how
//! the traffic differs from the one that is in force. What requests held stays in this process.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError, TryLockError};

use ahash::RandomState;
use model::Timestamp;
use openapi::learn::{Drift, DriftKind, Exchange, Limits, Observations};

use crate::link::protocol::{Learnt, LearntDrift};
use crate::state::State;

/// LIMIT: routes that learn at once.
const ROUTES_MAX: usize = 64;
/// LIMIT: exchanges of one route that are looked at in one second; the rest are counted.
const EXCHANGES_PER_S_MAX: u32 = 50;
/// LIMIT: bytes of one proposal; a longer one is not told.
const PROPOSAL_BYTES_MAX: usize = 1 << 20;
/// LIMIT: differences of one route that are told.
const DRIFT_MAX: usize = 500;

/// See the module. One for the process, shared by its workers, none of which ever waits for it.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pages: Mutex<BTreeMap<String, Page>>,
    sources: RandomState,
}

/// One route's.
#[derive(Debug)]
struct Page {
    seen: Observations,
    second: i64,
    this_second: u32,
    /// Exchanges that were not looked at, to keep the pace.
    skipped: u64,
    /// How many exchanges the last word was about.
    told: Option<u64>,
}

impl Book {
    /// A client as a number that means nothing outside of this process.
    pub(crate) fn source(&self, client: IpAddr) -> u64 {
        self.sources.hash_one(client)
    }

    /// Learns from one exchange, unless there are too many, or another worker is learning.
    pub(crate) fn observe(&self, route: &str, time: Timestamp, exchange: &Exchange<'_>) {
        let mut pages = match self.pages.try_lock() {
            Ok(pages) => pages,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if !pages.contains_key(route) {
            if pages.len() >= ROUTES_MAX {
                return;
            }
            pages.insert(route.to_owned(), Page::new());
        }
        let Some(page) = pages.get_mut(route) else {
            return;
        };
        if page.second != time.as_secs() {
            page.second = time.as_secs();
            page.this_second = 0;
        }
        if page.this_second >= EXCHANGES_PER_S_MAX {
            page.skipped = page.skipped.saturating_add(1);
            return;
        }
        page.this_second += 1;
        page.seen.observe(exchange);
    }

    /// What is new since the last call, for the routes of `state` that learn; others are forgotten.
    pub(crate) fn news(&self, state: &State) -> Vec<Learnt> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let routes = &state.estate().routes;
        pages.retain(|name, _| routes.iter().any(|one| one.learn && one.name == *name));
        let mut news = Vec::new();
        for (name, page) in pages.iter_mut() {
            let exchanges = page.seen.exchanges();
            if page.told == Some(exchanges) {
                continue;
            }
            page.told = Some(exchanges);
            let Some(at) = routes.iter().position(|one| one.name == *name) else {
                continue;
            };
            let document = state
                .route(at)
                .and_then(|one| one.compiled.document.as_ref());
            let title = document.map_or(name.as_str(), |document| document.title());
            let proposal = page.seen.propose(title);
            if proposal.len() > PROPOSAL_BYTES_MAX {
                tracing::warn!(route = %name, "what was learnt is too much to be told");
                continue;
            }
            let drift = document.map(|document| page.seen.drift(document));
            let dropped = page.seen.dropped();
            news.push(Learnt {
                route: name.clone(),
                exchanges,
                skipped: page.skipped,
                dropped: dropped.operations + dropped.names + dropped.shapes + dropped.bodies,
                proposal,
                drift: drift.map(|drift| drift.into_iter().take(DRIFT_MAX).map(told).collect()),
            });
        }
        news
    }
}

impl Page {
    fn new() -> Self {
        Self {
            seen: Observations::new(Limits::default()),
            second: 0,
            this_second: 0,
            skipped: 0,
            told: None,
        }
    }
}

fn told(drift: Drift) -> LearntDrift {
    LearntDrift {
        kind: match drift.kind {
            DriftKind::Undocumented => "undocumented",
            DriftKind::NeverSeen => "never_seen",
            DriftKind::Parameter => "parameter",
            DriftKind::Field => "field",
            DriftKind::Type => "type",
            DriftKind::Status => "status",
            DriftKind::MediaType => "media_type",
            _ => "other",
        }
        .to_owned(),
        method: drift.method,
        template: drift.template,
        place: drift.place,
        text: drift.text,
        seen: drift.seen,
    }
}

#[cfg(test)]
mod tests;
