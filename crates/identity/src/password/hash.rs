//! Argon2id (RFC 9106) on a bounded pool.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ::model::{Secret, SharedEntropy};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::Semaphore;

/// Bytes of a salt and of a hash.
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// LIMIT: sign-ins waiting for the pool, for each one that runs.
const WAITING_PER_SLOT: usize = 32;

/// What one hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Cost {
    /// OWASP's first choice: 19 MiB, two passes, one lane.
    pub const OWASP: Self = Self {
        memory_kib: 19 * 1024,
        passes: 2,
    };
    /// As little as the algorithm takes. Only for tests of what is around it.
    pub const FOR_TESTS: Self = Self {
        memory_kib: 8,
        passes: 1,
    };
}

/// A password as it is kept, in the PHC string format.
#[derive(Clone, Debug)]
pub(crate) struct Kept(Secret<String>);

/// Why nothing was hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashError {
    /// Too many wait already.
    Busy,
    /// What is kept is not a hash.
    Damaged,
    /// No memory.
    Failed,
}

impl Kept {
    pub(crate) fn from_text(text: String) -> Self {
        Self(Secret::new(text))
    }

    pub(crate) fn text(&self) -> &str {
        self.0.expose()
    }
}

/// Hashes and compares passwords, as many at once as there are slots.
#[derive(Clone, Debug)]
pub struct Hasher {
    cost: Cost,
    slots: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    waiting_max: usize,
    memory: Arc<Memory>,
    entropy: SharedEntropy,
}

/// What hashes are computed in, kept for the next one: to take it anew costs the kernel half as
/// much as the hash. Given back when no hash has needed it for a while.
#[derive(Default)]
struct Memory(Mutex<Blocks>);

#[derive(Default)]
struct Blocks {
    all: Vec<Vec<Block>>,
    /// Whether a hash was computed since [`Hasher::rest`] last looked.
    used: bool,
}

impl Hasher {
    /// A pool of `slots` (at least one); each takes the cost's memory when it runs first, and keeps
    /// it until nobody has hashed for a while.
    #[must_use]
    pub fn new(cost: Cost, slots: usize, entropy: SharedEntropy) -> Self {
        let slots = slots.max(1);
        Self {
            cost,
            slots: Arc::new(Semaphore::new(slots)),
            waiting: Arc::new(AtomicUsize::new(0)),
            waiting_max: slots * WAITING_PER_SLOT,
            memory: Arc::default(),
            entropy,
        }
    }

    pub(crate) async fn hash(&self, password: Secret<String>) -> Result<Kept, HashError> {
        let (cost, salt) = (self.cost, self.entropy.bytes::<SALT_BYTES>());
        let hash = self
            .run(move |memory| derive(memory, password.expose(), &salt, cost))
            .await?;
        let Cost { memory_kib, passes } = self.cost;
        let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
        Ok(Kept::from_text(format!(
            "$argon2id$v=19$m={memory_kib},t={passes},p=1${salt}${hash}"
        )))
    }

    /// Whether `password` is the kept one. Without a kept one the same work is done and the answer
    /// is no, so that nobody learns by timing who has an account.
    pub(crate) async fn matches(
        &self,
        password: Secret<String>,
        kept: Option<Kept>,
    ) -> Result<bool, HashError> {
        let Some(kept) = kept else {
            let (cost, salt) = (self.cost, [0; SALT_BYTES]);
            return self
                .run(move |memory| derive(memory, password.expose(), &salt, cost))
                .await
                .map(|_| false);
        };
        let (cost, salt, expected) = parse(kept.text()).ok_or(HashError::Damaged)?;
        let found = self
            .run(move |memory| derive(memory, password.expose(), &salt, cost))
            .await?;
        Ok(subtle::ConstantTimeEq::ct_eq(found.as_slice(), expected.as_slice()).into())
    }

    /// Gives memory back if nothing was hashed since it was asked to rest before.
    pub(crate) fn rest(&self) {
        let mut blocks = self.memory.blocks();
        if !std::mem::take(&mut blocks.used) {
            blocks.all = Vec::new();
        }
    }

    async fn run(
        &self,
        work: impl FnOnce(&mut Vec<Block>) -> Option<[u8; HASH_BYTES]> + Send + 'static,
    ) -> Result<[u8; HASH_BYTES], HashError> {
        let place = Place::take(&self.waiting, self.waiting_max).ok_or(HashError::Busy)?;
        let slot = self
            .slots
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| HashError::Failed)?;
        drop(place);
        let (memory, usual) = (Arc::clone(&self.memory), self.cost);
        let done = tokio::task::spawn_blocking(move || {
            // INVARIANT: whoever has some has a slot, so there are never more than slots.
            let mut taken = memory.take();
            let hash = work(&mut taken);
            memory.put_back(taken, usual);
            drop(slot);
            hash
        });
        done.await.ok().flatten().ok_or(HashError::Failed)
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Memory {
    fn take(&self) -> Vec<Block> {
        self.blocks().all.pop().unwrap_or_default()
    }

    /// Keeps it, unless a hash of another time took more than is usual.
    fn put_back(&self, mut taken: Vec<Block>, usual: Cost) {
        let usual = usize::try_from(usual.memory_kib).unwrap_or(usize::MAX);
        if taken.len() <= usual {
            // SECURITY: what it holds was made from a password.
            taken.fill(Block::new());
            let mut blocks = self.blocks();
            blocks.all.push(taken);
            blocks.used = true;
        }
    }

    fn blocks(&self) -> std::sync::MutexGuard<'_, Blocks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue, given back even when the caller goes away.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, max: usize) -> Option<Self> {
        let place = Self(waiting);
        if waiting.fetch_add(1, Ordering::SeqCst) < max {
            Some(place)
        } else {
            None
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn derive(
    memory: &mut Vec<Block>,
    password: &str,
    salt: &[u8],
    cost: Cost,
) -> Option<[u8; HASH_BYTES]> {
    let params = Params::new(cost.memory_kib, cost.passes, 1, Some(HASH_BYTES)).ok()?;
    let blocks = params.block_count();
    if let Some(more) = blocks.checked_sub(memory.len()) {
        memory.try_reserve_exact(more).ok()?;
        memory.resize(blocks, Block::new());
    }
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut out = [0; HASH_BYTES];
    let memory = memory.get_mut(..blocks)?;
    argon2
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut out, memory)
        .ok()?;
    Some(out)
}

fn parse(text: &str) -> Option<(Cost, Vec<u8>, Vec<u8>)> {
    let mut fields = text.strip_prefix("$argon2id$v=19$")?.split('$');
    let (params, salt, hash) = (fields.next()?, fields.next()?, fields.next()?);
    let mut numbers = params
        .split(',')
        .map(|pair| pair.split_once('=')?.1.parse::<u32>().ok());
    let cost = Cost {
        memory_kib: numbers.next()??,
        passes: numbers.next()??,
    };
    let one_lane = numbers.next()?? == 1;
    let decode = |text: &str| STANDARD_NO_PAD.decode(text).ok();
    let whole = one_lane && fields.next().is_none();
    whole.then(|| Some((cost, decode(salt)?, decode(hash)?)))?
}

#[cfg(test)]
mod tests {
    use testkit::SeededEntropy;

    use super::*;

    fn hasher(cost: Cost) -> Hasher {
        Hasher::new(cost, 1, Arc::new(SeededEntropy::new(1)))
    }

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn only_the_password_that_was_kept_matches() {
        let hasher = hasher(Cost::FOR_TESTS);
        let kept = hasher.hash(secret("correct horse")).await.unwrap();
        assert!(
            kept.text().starts_with("$argon2id$v=19$m=8,t=1,p=1$"),
            "{}",
            kept.text()
        );
        assert_eq!(
            hasher
                .matches(secret("correct horse"), Some(kept.clone()))
                .await,
            Ok(true)
        );
        assert_eq!(
            hasher.matches(secret("correct  horse"), Some(kept)).await,
            Ok(false)
        );
        assert_eq!(
            hasher.matches(secret("correct horse"), None).await,
            Ok(false)
        );
    }

    #[tokio::test]
    async fn memory_stays_a_slots_until_it_rests_and_says_nothing_of_the_hash_before() {
        let cost = Cost {
            memory_kib: 64,
            passes: 2,
        };
        let hasher = hasher(cost);
        let mut kept = Vec::new();
        for number in 0..4 {
            kept.push(
                hasher
                    .hash(secret(&format!("password {number}")))
                    .await
                    .unwrap(),
            );
        }
        let places = || -> Vec<_> {
            let blocks = hasher.memory.blocks();
            blocks
                .all
                .iter()
                .map(|one| (one.as_ptr(), one.len()))
                .collect()
        };
        let before = places();
        assert_eq!((before.len(), before[0].1), (1, 64));
        assert!(
            hasher.memory.blocks().all[0]
                .iter()
                .all(|block| block.as_ref() == [0; 128])
        );
        for (number, kept) in kept.into_iter().enumerate() {
            let password = secret(&format!("password {number}"));
            assert_eq!(hasher.matches(password, Some(kept)).await, Ok(true));
        }
        assert_eq!(places(), before);
        hasher.rest();
        assert_eq!(places(), before, "it was in use a moment ago");
        hasher.rest();
        assert!(places().is_empty(), "nobody needed it since");
        // One that was kept at a higher cost leaves nothing of its size behind.
        let dear = derive(
            &mut Vec::new(),
            "x",
            &[1; 16],
            Cost {
                memory_kib: 128,
                ..cost
            },
        );
        let text = format!(
            "$argon2id$v=19$m=128,t=2,p=1${}${}",
            STANDARD_NO_PAD.encode([1; 16]),
            STANDARD_NO_PAD.encode(dear.unwrap())
        );
        assert_eq!(
            hasher
                .matches(secret("x"), Some(Kept::from_text(text)))
                .await,
            Ok(true)
        );
        assert!(places().is_empty());
    }

    #[tokio::test]
    async fn a_password_kept_at_another_cost_still_matches() {
        let kept = hasher(Cost {
            memory_kib: 64,
            passes: 3,
        })
        .hash(secret("old"))
        .await
        .unwrap();
        assert_eq!(
            hasher(Cost::FOR_TESTS)
                .matches(secret("old"), Some(kept))
                .await,
            Ok(true)
        );
    }

    #[tokio::test]
    async fn what_is_no_hash_is_damage_not_a_wrong_password() {
        for text in [
            "",
            "$argon2i$v=19$m=8,t=1,p=1$AAAA$AAAA",
            "$argon2id$v=19$m=8,t=1,p=2$AA$AA",
        ] {
            let kept = Kept::from_text(text.to_owned());
            let found = hasher(Cost::FOR_TESTS)
                .matches(secret("x"), Some(kept))
                .await;
            assert_eq!(found, Err(HashError::Damaged), "{text}");
        }
    }

    #[tokio::test]
    async fn a_flood_beyond_the_queue_is_told_to_come_back() {
        let hasher = hasher(Cost::FOR_TESTS);
        let held = hasher.slots.clone().acquire_owned().await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..WAITING_PER_SLOT {
            let hasher = hasher.clone();
            waiting.push(tokio::spawn(async move { hasher.hash(secret("x")).await }));
        }
        while hasher.waiting.load(Ordering::SeqCst) < WAITING_PER_SLOT {
            tokio::task::yield_now().await;
        }
        assert_eq!(hasher.hash(secret("x")).await.unwrap_err(), HashError::Busy);
        drop(held);
        for one in waiting {
            assert!(one.await.unwrap().is_ok());
        }
        assert!(
            hasher.hash(secret("x")).await.is_ok(),
            "the queue is free again"
        );
    }
}
