//! The log on disk: opened and mended at start, then appended to by one thread.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use merkle::{Frontier, SignedCheckpoint, leaf_hash};
use model::EventId;

use crate::Error;
use crate::disk::Disk;
use crate::leaf::{
    EVENT_BYTES_MAX, FILE_HEADER_BYTES, FRAME_HEADER_BYTES, Kind, LEAF_BYTES, LEAF_FRAME_BYTES,
    Leaf, PAYLOAD_HEADER_BYTES, frame,
};
use crate::reader::{Files, Index, Segment, count, read_frame};
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
}

/// The end of one file.
#[derive(Debug)]
struct Tail {
    file: Arc<File>,
    length: u64,
    /// What was written since the last sync. Kept because after a failed sync the kernel may
    /// forget what it could not write: it is then written again.
    unsynced: Vec<u8>,
}

/// What opening found.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) log: Log,
    /// Entries that were cut off the end because they were never finished.
    pub(crate) cut: u64,
    /// Ids of the newest entries, oldest first.
    pub(crate) recent: Vec<EventId>,
}

impl Log {
    /// Opens the log in `dir`. What a crash left half-written at the end is cut off, but never an
    /// entry that `signed` covers.
    pub(crate) fn open(
        dir: &Path,
        disk: Arc<dyn Disk>,
        signed: Option<&SignedCheckpoint>,
        recent_max: usize,
    ) -> Result<Opened, Error> {
        let failed = |source| Error::File {
            path: dir.to_path_buf(),
            source,
        };
        let firsts = segment::list(dir).map_err(failed)?;
        let mut opening = Opening::new(dir, signed, recent_max);
        for (position, first) in firsts.iter().enumerate() {
            let place = if position + 1 == firsts.len() {
                Place::Last
            } else {
                Place::Earlier
            };
            opening.segment(*first, place)?;
        }
        opening.finish(disk)
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
        if self.payloads.length >= SEGMENT_BYTES_MAX {
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

    fn rotate(&mut self) -> io::Result<()> {
        self.sync()?;
        let first = self.frontier.size();
        let (leaves, payloads) = create_pair(&self.dir, first)?;
        let files = Files {
            leaves: leaves.clone(),
            payloads: payloads.clone(),
        };
        self.index.add_segment(Segment::new(first, files));
        self.leaves = Tail::new(leaves, FILE_HEADER_BYTES);
        self.payloads = Tail::new(payloads, FILE_HEADER_BYTES);
        Ok(())
    }
}

impl Tail {
    fn new(file: Arc<File>, length: u64) -> Self {
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

fn create_pair(dir: &Path, first: u64) -> io::Result<(Arc<File>, Arc<File>)> {
    let payloads = segment::create(dir, first, Kind::Payloads)?;
    let leaves = segment::create(dir, first, Kind::Leaves)?;
    File::open(dir)?.sync_all()?;
    Ok((Arc::new(leaves), Arc::new(payloads)))
}

/// Whether a segment is the one that may end in the middle of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Earlier,
    Last,
}

/// The state of reading every segment at start.
struct Opening<'a> {
    dir: &'a Path,
    signed: Option<&'a SignedCheckpoint>,
    recent_max: usize,
    frontier: Frontier,
    signed_root: Option<merkle::Hash>,
    index: Index,
    recent: std::collections::VecDeque<EventId>,
    cut: u64,
    last: Option<(Tail, Tail)>,
}

impl<'a> Opening<'a> {
    fn new(dir: &'a Path, signed: Option<&'a SignedCheckpoint>, recent_max: usize) -> Self {
        Self {
            dir,
            signed,
            recent_max,
            frontier: Frontier::new(),
            signed_root: None,
            index: Index::new(dir),
            recent: std::collections::VecDeque::new(),
            cut: 0,
            last: None,
        }
    }

    fn segment(&mut self, first: u64, place: Place) -> Result<(), Error> {
        if first != self.frontier.size() {
            let path = segment::path(self.dir, first, Kind::Leaves);
            let what = format!(
                "it begins at entry {first}, but entry {} is next",
                self.frontier.size()
            );
            return Err(Error::Damaged {
                path,
                offset: 0,
                what,
            });
        }
        let leaves = self.file(first, Kind::Leaves)?;
        let payloads = self.file(first, Kind::Payloads)?;
        let (Some(leaves), Some(payloads)) = (leaves, payloads) else {
            // The making of this segment was cut off: it holds nothing yet and is made again.
            return if place == Place::Last {
                Ok(())
            } else {
                Err(self.torn(first, 0))
            };
        };
        let (leaves, payloads) = (Arc::new(leaves), Arc::new(payloads));
        let files = Files {
            leaves: leaves.clone(),
            payloads: payloads.clone(),
        };
        let mut walk = Walk {
            payload_offset: FILE_HEADER_BYTES,
            segment: Segment::new(first, files),
        };
        while let Some(leaf) = walk.next(&leaves, &payloads) {
            self.accept(&leaf);
        }
        let leaves_end = FILE_HEADER_BYTES + walk.segment.entries() * LEAF_FRAME_BYTES;
        let length = |file: &File| file.metadata().map(|facts| facts.len());
        let failed = |source| Error::File {
            path: self.dir.to_path_buf(),
            source,
        };
        let leaf_rest = length(&leaves).map_err(failed)?.saturating_sub(leaves_end);
        let payload_rest = length(&payloads)
            .map_err(failed)?
            .saturating_sub(walk.payload_offset);
        if leaf_rest > 0 || payload_rest > 0 {
            if place == Place::Earlier {
                return Err(self.torn(first, leaves_end));
            }
            self.cut += leaf_rest
                .div_ceil(LEAF_FRAME_BYTES)
                .max(u64::from(payload_rest > 0));
        }
        self.index.add_segment(walk.segment);
        self.last = Some((
            Tail::new(leaves, leaves_end),
            Tail::new(payloads, walk.payload_offset),
        ));
        Ok(())
    }

    fn accept(&mut self, leaf: &[u8]) {
        self.frontier.push(leaf_hash(leaf));
        if self
            .signed
            .is_some_and(|signed| signed.claimed().size == self.frontier.size())
        {
            self.signed_root = Some(self.frontier.root());
        }
        if let Some(leaf) = Leaf::parse(leaf) {
            if self.recent.len() == self.recent_max {
                self.recent.pop_front();
            }
            self.recent.push_back(leaf.event);
        }
    }

    fn finish(self, disk: Arc<dyn Disk>) -> Result<Opened, Error> {
        let size = self.frontier.size();
        if let Some(signed) = self
            .signed
            .map(SignedCheckpoint::claimed)
            .filter(|s| s.size > 0)
        {
            if size < signed.size {
                return Err(Error::Shortened {
                    size,
                    signed: signed.size,
                });
            }
            if self.signed_root != Some(signed.root) {
                return Err(Error::Rewritten { size: signed.size });
            }
        }
        let failed = |source| Error::File {
            path: self.dir.to_path_buf(),
            source,
        };
        let (leaves, payloads) = match self.last {
            Some((leaves, payloads)) => {
                // Only now, when nothing signed is touched, is the torn end cut off.
                for tail in [&leaves, &payloads] {
                    tail.file.set_len(tail.length).map_err(failed)?;
                    tail.file.sync_all().map_err(failed)?;
                }
                (leaves, payloads)
            }
            None => {
                let (leaves, payloads) = create_pair(self.dir, size).map_err(failed)?;
                let files = Files {
                    leaves: leaves.clone(),
                    payloads: payloads.clone(),
                };
                self.index.add_segment(Segment::new(size, files));
                (
                    Tail::new(leaves, FILE_HEADER_BYTES),
                    Tail::new(payloads, FILE_HEADER_BYTES),
                )
            }
        };
        let log = Log {
            dir: self.dir.to_path_buf(),
            disk,
            leaves,
            payloads,
            frontier: self.frontier,
            index: self.index,
        };
        Ok(Opened {
            log,
            cut: self.cut,
            recent: self.recent.into(),
        })
    }

    fn file(&self, first: u64, kind: Kind) -> Result<Option<File>, Error> {
        match segment::open(self.dir, first, kind) {
            // The payload file is made first; a leaf file alone means that one was removed.
            Err(source) => Err(Error::File {
                path: segment::path(self.dir, first, kind),
                source,
            }),
            Ok(file) => Ok(file),
        }
    }

    fn torn(&self, first: u64, offset: u64) -> Error {
        let path = segment::path(self.dir, first, Kind::Leaves);
        Error::Damaged {
            path,
            offset,
            what: "it ends early, though a later segment exists".to_owned(),
        }
    }
}

/// Walks both files of a segment entry by entry.
struct Walk {
    payload_offset: u64,
    segment: Segment,
}

impl Walk {
    /// The next whole entry's leaf; `None` at the first that is not whole.
    fn next(&mut self, leaves: &File, payloads: &File) -> Option<Vec<u8>> {
        let leaf_offset = FILE_HEADER_BYTES + self.segment.entries() * LEAF_FRAME_BYTES;
        let leaf = read_frame(leaves, leaf_offset, LEAF_BYTES).ok()?;
        Leaf::parse(&leaf)?;
        let limit = EVENT_BYTES_MAX + PAYLOAD_HEADER_BYTES;
        let payload = read_frame(payloads, self.payload_offset, limit).ok()?;
        self.segment.push(self.payload_offset);
        self.payload_offset += u64::try_from(FRAME_HEADER_BYTES + payload.len()).ok()?;
        Some(leaf)
    }
}
