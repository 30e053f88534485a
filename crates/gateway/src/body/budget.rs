//! How many bytes of bodies the process holds at once, in memory and on disk, over all workers.
//!
//! Counters only; requests without a body never touch them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::ByteSize;

/// The budget of the whole process.
#[derive(Debug)]
pub(crate) struct Budget {
    folder: PathBuf,
    memory: Account,
    disk: Account,
}

/// How much is taken, of how much, and how often there was no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Use {
    /// Bytes taken.
    pub(crate) taken: u64,
    /// Bytes there are.
    pub(crate) max: u64,
    /// How often a body found no room.
    pub(crate) refused: u64,
}

/// Where a grant's bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Memory,
    Disk,
}

impl Budget {
    /// A budget; files of bodies are made in `folder` and have no name there.
    pub(crate) fn new(folder: PathBuf, memory: ByteSize, disk: ByteSize) -> Self {
        Self {
            folder,
            memory: Account::new(memory),
            disk: Account::new(disk),
        }
    }

    /// Sets new bounds; what is held already stays.
    pub(crate) fn resize(&self, memory: ByteSize, disk: ByteSize) {
        self.memory.max.store(memory.0, Ordering::Relaxed);
        self.disk.max.store(disk.0, Ordering::Relaxed);
    }

    /// Memory in use.
    pub(crate) fn memory(&self) -> Use {
        self.memory.usage()
    }

    /// Disk in use.
    pub(crate) fn disk(&self) -> Use {
        self.disk.usage()
    }

    fn account(&self, place: Place) -> &Account {
        match place {
            Place::Memory => &self.memory,
            Place::Disk => &self.disk,
        }
    }
}

/// Bytes taken from the budget, given back when dropped.
#[derive(Debug)]
pub(super) struct Grant {
    budget: Arc<Budget>,
    place: Place,
    bytes: u64,
}

impl Grant {
    /// A grant of nothing yet.
    pub(super) fn none(budget: &Arc<Budget>, place: Place) -> Self {
        Self {
            budget: Arc::clone(budget),
            place,
            bytes: 0,
        }
    }

    /// Takes `more` bytes; `false` when there is no room, and then nothing was taken.
    #[must_use]
    pub(super) fn grow(&mut self, more: u64) -> bool {
        let granted = self.budget.account(self.place).take(more);
        if granted {
            self.bytes = self.bytes.saturating_add(more);
        }
        granted
    }

    /// Where files of bodies are made.
    pub(super) fn folder(&self) -> &Path {
        &self.budget.folder
    }

    /// Gives everything back early.
    pub(super) fn release(&mut self) {
        self.budget.account(self.place).give(self.bytes);
        self.bytes = 0;
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        self.release();
    }
}

#[derive(Debug)]
struct Account {
    taken: AtomicU64,
    max: AtomicU64,
    refused: AtomicU64,
}

impl Account {
    fn new(max: ByteSize) -> Self {
        Self {
            taken: AtomicU64::new(0),
            max: AtomicU64::new(max.0),
            refused: AtomicU64::new(0),
        }
    }

    fn take(&self, more: u64) -> bool {
        let max = self.max.load(Ordering::Relaxed);
        let grow = |taken: u64| taken.checked_add(more).filter(|sum| *sum <= max);
        let taken = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow)
            .is_ok();
        if !taken {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    fn give(&self, bytes: u64) {
        if bytes > 0 {
            self.taken.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    fn usage(&self) -> Use {
        Use {
            taken: self.taken.load(Ordering::Relaxed),
            max: self.max.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }
}
