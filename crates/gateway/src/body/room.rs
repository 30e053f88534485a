//! Memory for bytes of other bodies, out of the same budget.

use std::sync::Arc;

use super::budget::{Budget, Grant, Place};

/// Bytes taken from the budget of memory, given back when dropped.
#[derive(Debug)]
pub(crate) struct Room(Grant);

impl Room {
    /// None yet.
    pub(crate) fn new(budget: &Arc<Budget>) -> Self {
        Self(Grant::none(budget, Place::Memory))
    }

    /// Takes `more` bytes; `false` when there is no room, and then nothing was taken.
    #[must_use]
    pub(crate) fn grow(&mut self, more: usize) -> bool {
        self.0.grow(u64::try_from(more).unwrap_or(u64::MAX))
    }
}
