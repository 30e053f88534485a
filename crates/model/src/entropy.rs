//! Randomness as a parameter.

use std::fmt::Debug;
use std::sync::Arc;

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
