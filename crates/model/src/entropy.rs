//! Randomness as a parameter.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

/// A source of unpredictable bytes. Tests pass a seeded one.
pub trait Entropy: Send + Sync + Debug {
    /// Fills `out` entirely.
    fn fill(&self, out: &mut [u8]);
}

/// An entropy source shared by many tasks.
pub type SharedEntropy = Arc<dyn Entropy>;

impl dyn Entropy + '_ {
    /// `N` fresh bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }
}

/// The operating system's entropy (`getrandom(2)`).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) {
        #[expect(
            clippy::expect_used,
            reason = "getrandom(2) cannot fail after boot; going on without randomness would be worse"
        )]
        getrandom::fill(out).expect("the system gives randomness");
    }
}

/// LIMIT: bytes that are fetched at once.
const POOL_BYTES: usize = 1024;

/// Fetches more than it is asked for and hands it out piece by piece: ids of requests need few
/// bytes each, and a system call each would be felt.
///
/// SECURITY: for ids alone. Bytes lie in memory before they are used and are not wiped, so a
/// secret is never made of them.
#[derive(Debug)]
pub struct PooledEntropy {
    source: SharedEntropy,
    pool: Mutex<Pool>,
}

struct Pool {
    bytes: [u8; POOL_BYTES],
    used: usize,
}

impl Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

impl PooledEntropy {
    /// An empty pool before `source`.
    #[must_use]
    pub const fn new(source: SharedEntropy) -> Self {
        let pool = Pool {
            bytes: [0; POOL_BYTES],
            used: POOL_BYTES,
        };
        Self {
            source,
            pool: Mutex::new(pool),
        }
    }
}

impl Entropy for PooledEntropy {
    fn fill(&self, out: &mut [u8]) {
        if out.len() > POOL_BYTES {
            return self.source.fill(out);
        }
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.used.saturating_add(out.len()) > POOL_BYTES {
            self.source.fill(&mut pool.bytes);
            pool.used = 0;
        }
        let end = pool.used.saturating_add(out.len());
        if let Some(piece) = pool.bytes.get(pool.used..end) {
            out.copy_from_slice(piece);
        }
        pool.used = end;
    }
}
