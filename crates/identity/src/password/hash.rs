//! Argon2id (RFC 9106) on a bounded pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::model::{Secret, SharedEntropy};
use argon2::{Algorithm, Argon2, Params, Version};
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
    entropy: SharedEntropy,
}

impl Hasher {
    /// A pool of `slots` (at least one); each takes the cost's memory while it runs.
    #[must_use]
    pub fn new(cost: Cost, slots: usize, entropy: SharedEntropy) -> Self {
        let slots = slots.max(1);
        Self {
            cost,
            slots: Arc::new(Semaphore::new(slots)),
            waiting: Arc::new(AtomicUsize::new(0)),
            waiting_max: slots * WAITING_PER_SLOT,
            entropy,
        }
    }

    pub(crate) async fn hash(&self, password: Secret<String>) -> Result<Kept, HashError> {
        let (cost, salt) = (self.cost, self.entropy.bytes::<SALT_BYTES>());
        let hash = self
            .run(move || derive(password.expose(), &salt, cost))
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
                .run(move || derive(password.expose(), &salt, cost))
                .await
                .map(|_| false);
        };
        let (cost, salt, expected) = parse(kept.text()).ok_or(HashError::Damaged)?;
        let found = self
            .run(move || derive(password.expose(), &salt, cost))
            .await?;
        Ok(subtle::ConstantTimeEq::ct_eq(found.as_slice(), expected.as_slice()).into())
    }

    async fn run(
        &self,
        work: impl FnOnce() -> Option<[u8; HASH_BYTES]> + Send + 'static,
    ) -> Result<[u8; HASH_BYTES], HashError> {
        let place = Place::take(&self.waiting, self.waiting_max).ok_or(HashError::Busy)?;
        let slot = self
            .slots
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| HashError::Failed)?;
        drop(place);
        let done = tokio::task::spawn_blocking(move || {
            let hash = work();
            drop(slot);
            hash
        });
        done.await.ok().flatten().ok_or(HashError::Failed)
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

fn derive(password: &str, salt: &[u8], cost: Cost) -> Option<[u8; HASH_BYTES]> {
    let params = Params::new(cost.memory_kib, cost.passes, 1, Some(HASH_BYTES)).ok()?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut out = [0; HASH_BYTES];
    argon2
        .hash_password_into(password.as_bytes(), salt, &mut out)
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
