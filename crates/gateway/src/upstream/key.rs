//! What a request has in common with others, where its service is chosen by that.

use super::member::hash_of;

/// See the module; only where the estate wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(u64);

impl Key {
    /// From the bytes that requests share.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self(hash_of(bytes))
    }

    pub(super) const fn number(self) -> u64 {
        self.0
    }
}
