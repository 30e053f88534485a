//! The log on disk, appended to by one thread.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use merkle::{Frontier, leaf_hash};
use model::EventId;

use crate::disk::Disk;
use crate::index::{Files, Index, Segment};
use crate::leaf::{FILE_HEADER_BYTES, Kind, frame};
use crate::reader::count;
use crate::segment;

/// LIMIT: a segment is closed when its payloads are larger.
const SEGMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// An entry ready to be written.
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    pub(crate) id: EventId,
    pub(crate) leaf: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

/// The log, open for appending.
#[derive(Debug)]
pub(crate) struct Log {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    leaves: Tail,
    payloads: Tail,
    frontier: Frontier,
    index: Index,
    pub(crate) segment_bytes_max: u64,
}

/// The end of one file.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) file: Arc<File>,
    pub(crate) length: u64,
    /// What was written since the last sync. Kept because after a failed sync the kernel may
    /// forget what it could not write: it is then written again.
    unsynced: Vec<u8>,
}

impl Log {
    pub(crate) fn new(
        dir: &Path,
        disk: Arc<dyn Disk>,
        (leaves, payloads): (Tail, Tail),
        frontier: Frontier,
        index: Index,
    ) -> Self {
        Self {
            dir: dir.to_path_buf(),
            disk,
            leaves,
            payloads,
            frontier,
            index,
            segment_bytes_max: SEGMENT_BYTES_MAX,
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub(crate) fn root(&self) -> merkle::Hash {
        self.frontier.root()
    }

    pub(crate) fn index(&self) -> Index {
        self.index.clone()
    }

    /// Writes entries, payloads first: a leaf on disk has its payload. After an error the files
    /// are as before.
    pub(crate) fn append(&mut self, entries: &[Encoded]) -> io::Result<()> {
        if self.payloads.length >= self.segment_bytes_max {
            self.rotate()?;
        }
        let mut offsets = Vec::with_capacity(entries.len());
        let (mut leaves, mut payloads) = (Vec::new(), Vec::new());
        for entry in entries {
            offsets.push(self.payloads.length + count(&payloads));
            payloads.extend(frame(&entry.payload));
            leaves.extend(frame(&entry.leaf));
        }
        self.payloads.write(&*self.disk, &payloads)?;
        if let Err(error) = self.leaves.write(&*self.disk, &leaves) {
            self.payloads.take_back(payloads.len());
            return Err(error);
        }
        for entry in entries {
            self.frontier.push(leaf_hash(&entry.leaf));
        }
        self.index.extend(&offsets);
        Ok(())
    }

    /// Makes everything written permanent.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.payloads.sync(&*self.disk)?;
        self.leaves.sync(&*self.disk)
    }

    /// Whether something was written since the last sync.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.leaves.unsynced.is_empty()
    }

    /// Closes the segment and begins the next.
    fn rotate(&mut self) -> io::Result<()> {
        self.sync()?;
        let fresh = create_pair(&self.dir, self.frontier.size())?;
        // Without it the next start reads the segment: nothing is lost but time.
        if let Some(summary) = self.index.summary(&self.frontier, self.payloads.length)
            && let Err(error) = summary.write(&self.dir)
        {
            tracing::warn!(%error, "what a closed segment holds is not kept");
        }
        let (files, tails) = fresh;
        self.index
            .add_segment(Segment::new(self.frontier.clone(), files));
        (self.leaves, self.payloads) = tails;
        Ok(())
    }
}

impl Tail {
    pub(crate) fn new(file: Arc<File>, length: u64) -> Self {
        Self {
            file,
            length,
            unsynced: Vec::new(),
        }
    }

    fn write(&mut self, disk: &dyn Disk, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = disk.write_at(&self.file, bytes, self.length) {
            // A part may have been written: the next start would cut it, but so can we.
            drop(self.file.set_len(self.length));
            return Err(error);
        }
        self.length += count(bytes);
        self.unsynced.extend_from_slice(bytes);
        Ok(())
    }

    /// Undoes the last write of `bytes` bytes.
    fn take_back(&mut self, bytes: usize) {
        self.unsynced
            .truncate(self.unsynced.len().saturating_sub(bytes));
        self.length = self
            .length
            .saturating_sub(u64::try_from(bytes).unwrap_or(u64::MAX));
        drop(self.file.set_len(self.length));
    }

    fn sync(&mut self, disk: &dyn Disk) -> io::Result<()> {
        if self.unsynced.is_empty() {
            return Ok(());
        }
        if disk.sync(&self.file).is_err() {
            let start = self.length.saturating_sub(count(&self.unsynced));
            disk.write_at(&self.file, &self.unsynced, start)?;
            disk.sync(&self.file)?;
        }
        self.unsynced.clear();
        Ok(())
    }
}

/// Makes both files of the segment that begins at entry `first`.
pub(crate) fn create_pair(dir: &Path, first: u64) -> io::Result<(Files, (Tail, Tail))> {
    let payloads = Arc::new(segment::create(dir, first, Kind::Payloads)?);
    let leaves = Arc::new(segment::create(dir, first, Kind::Leaves)?);
    File::open(dir)?.sync_all()?;
    let tails = (
        Tail::new(leaves.clone(), FILE_HEADER_BYTES),
        Tail::new(payloads.clone(), FILE_HEADER_BYTES),
    );
    Ok((Files { leaves, payloads }, tails))
}
