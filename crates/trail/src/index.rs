//! Where every entry stands, in memory.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use merkle::Frontier;

use crate::leaf::{FILE_HEADER_BYTES, FRAME_HEADER_BYTES, Kind, LEAF_BYTES, LEAF_FRAME_BYTES};
use crate::reader::{Reader, damaged, frame_length, whole_frame};
use crate::segment;
use crate::summary::Summary;

/// LIMIT: leaves that are read in one go.
const LEAVES_AT_ONCE: u64 = 4096;
/// Entries of which one offset is kept: a quarter of a byte an entry stays in memory. Those between
/// are found by the lengths of the frames on the way.
pub(crate) const STEP_ENTRIES: u64 = 32;

/// Where every entry stands.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    dir: Arc<Path>,
    segments: Arc<RwLock<Vec<Segment>>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Segment {
    first: u64,
    /// The tree's right edge before the first entry.
    before: Frontier,
    entries: u64,
    /// Where the payload's frame of every [`STEP_ENTRIES`]th entry begins.
    marks: Vec<u64>,
    /// Who says so.
    marked: Marked,
    /// Of the newest segment alone, so that open files do not grow with the log.
    files: Option<Files>,
}

/// Who says where a segment's entries stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marked {
    /// Its files, which were read or written.
    ByFiles,
    /// Its summary, which may be wrong.
    BySummary,
}

/// Both files of a segment.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) leaves: Arc<File>,
    pub(crate) payloads: Arc<File>,
}

/// At most [`STEP_ENTRIES`] entries in a row, with the files they are in.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) segment: u64,
    pub(crate) files: Files,
    /// Number of the first entry.
    first: u64,
    /// Where their payloads' frames begin.
    offsets: Vec<u64>,
}

impl Segment {
    /// One without entries, before which the tree's right edge is `before`.
    pub(crate) fn new(before: Frontier, files: Files) -> Self {
        Self {
            first: before.size(),
            before,
            entries: 0,
            marks: Vec::new(),
            marked: Marked::ByFiles,
            files: Some(files),
        }
    }

    /// One to which nothing is added any more.
    pub(crate) fn closed(before: Frontier, entries: u64, marks: Vec<u64>) -> Self {
        Self {
            first: before.size(),
            before,
            entries,
            marks,
            marked: Marked::BySummary,
            files: None,
        }
    }

    /// Adds the entry whose payload's frame begins at `offset`.
    pub(crate) fn push(&mut self, offset: u64) {
        if self.entries.is_multiple_of(STEP_ENTRIES) {
            self.marks.push(offset);
        }
        self.entries += 1;
    }

    pub(crate) fn entries(&self) -> u64 {
        self.entries
    }
}

impl Index {
    /// One of the log in `dir`, without segments.
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.into(),
            segments: Arc::default(),
        }
    }

    pub(crate) fn add_segment(&self, segment: Segment) {
        let mut segments = self.write();
        if let Some(last) = segments.last_mut() {
            last.files = None;
            last.marks.shrink_to_fit();
        }
        segments.push(segment);
    }

    /// Adds entries to the newest segment.
    pub(crate) fn extend(&self, offsets: &[u64]) {
        if let Some(last) = self.write().last_mut() {
            offsets.iter().for_each(|offset| last.push(*offset));
        }
    }

    pub(crate) fn size(&self) -> u64 {
        let segments = self.read_lock();
        segments.last().map_or(0, |last| last.first + last.entries)
    }

    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader::new(self)
    }

    /// What is to be kept of the newest segment, when the tree's right edge behind it is
    /// `frontier`.
    pub(crate) fn summary(&self, frontier: &Frontier, payloads_end: u64) -> Option<Summary> {
        let segments = self.read_lock();
        let last = segments.last()?;
        let marks = last.marks.clone();
        Some(Summary::new(
            last.first,
            payloads_end,
            frontier.clone(),
            marks,
        ))
    }

    /// The root of the first `size` entries, of which there are so many. Reads the leaves of one
    /// segment at most.
    pub(crate) fn root_at(&self, size: u64) -> io::Result<merkle::Hash> {
        let before = {
            let segments = self.read_lock();
            let behind = segments.partition_point(|segment| segment.first <= size);
            let found = behind.checked_sub(1).and_then(|at| segments.get(at));
            found.map_or_else(Frontier::new, |segment| segment.before.clone())
        };
        let mut frontier = before;
        self.leaves(frontier.size()..size, |leaf| {
            frontier.push(merkle::leaf_hash(leaf?));
            Ok(())
        })?;
        Ok(frontier.root())
    }

    /// The root of the tree over a range of entries.
    pub(crate) fn root_of(&self, range: Range<u64>) -> io::Result<merkle::Hash> {
        let wanted = range.end.saturating_sub(range.start);
        let mut frontier = Frontier::new();
        self.leaves(range, |leaf| {
            frontier.push(merkle::leaf_hash(leaf?));
            Ok(())
        })?;
        if frontier.size() == wanted {
            Ok(frontier.root())
        } else {
            Err(damaged("entries are missing"))
        }
    }

    /// Calls `each` with the leaves of a range of entries, in order; with an error for one that is
    /// damaged.
    pub(crate) fn leaves(
        &self,
        range: Range<u64>,
        mut each: impl FnMut(io::Result<&[u8]>) -> io::Result<()>,
    ) -> io::Result<()> {
        let segments: Vec<_> = {
            let segments = self.read_lock();
            let span = |segment: &Segment| (segment.first, segment.entries, segment.files.clone());
            segments.iter().map(span).collect()
        };
        for (first, entries, files) in segments {
            let from = range.start.max(first) - first;
            let until = range.end.min(first + entries).saturating_sub(first);
            if from >= until {
                continue;
            }
            let leaves = files.map_or_else(|| self.file(first, Kind::Leaves), |f| Ok(f.leaves))?;
            let mut at = from;
            while at < until {
                let many = (until - at).min(LEAVES_AT_ONCE);
                each_leaf(&leaves, at, many, &mut each)?;
                at += many;
            }
        }
        Ok(())
    }

    /// Finds out by its files where the entries of the segment of entry `index` stand, if so far only
    /// its summary said so; whether that said otherwise.
    ///
    /// SECURITY: whoever can write the folder could hide entries from searches by a summary alone,
    /// and leave everything that is verified as it was.
    pub(crate) fn mend(&self, index: u64) -> io::Result<bool> {
        let (first, entries) = {
            let mut segments = self.write();
            let behind = segments.partition_point(|segment| segment.first <= index);
            let found = behind
                .checked_sub(1)
                .and_then(|at| segments.get_mut(at))
                .filter(|segment| segment.marked == Marked::BySummary);
            let Some(found) = found else { return Ok(false) };
            // Once: what is damaged itself is not looked for again and again.
            found.marked = Marked::ByFiles;
            (found.first, found.entries)
        };
        let payloads = self.file(first, Kind::Payloads)?;
        let (mut at, mut marks) = (FILE_HEADER_BYTES, Vec::new());
        for entry in 0..entries {
            if entry.is_multiple_of(STEP_ENTRIES) {
                marks.push(at);
            }
            match frame_length(&payloads, at) {
                Ok(frame) => at += frame,
                // What breaks off is behind these.
                Err(_) => break,
            }
        }
        let mut segments = self.write();
        let found = segments.iter_mut().find(|segment| segment.first == first);
        Ok(found.is_some_and(|segment| {
            let differs = segment.marks != marks;
            segment.marks = marks;
            differs
        }))
    }

    /// The block that entry `index` is in; `Ok(None)` when there is no such entry.
    pub(crate) fn block(&self, index: u64, before: Option<Block>) -> io::Result<Option<Block>> {
        let (segment, mark, block, length, files) = {
            let segments = self.read_lock();
            let behind = segments.partition_point(|segment| segment.first <= index);
            let Some(found) = behind.checked_sub(1).and_then(|at| segments.get(at)) else {
                return Ok(None);
            };
            let block = (index - found.first) / STEP_ENTRIES;
            let mark = usize::try_from(block)
                .ok()
                .and_then(|at| found.marks.get(at));
            let length = found.entries.saturating_sub(block * STEP_ENTRIES);
            let (Some(mark), true) = (mark, index - found.first < found.entries) else {
                return Ok(None);
            };
            (
                found.first,
                *mark,
                block,
                length.min(STEP_ENTRIES),
                found.files.clone(),
            )
        };
        let files = match (files, before) {
            (Some(files), _) => files,
            (None, Some(before)) if before.segment == segment => before.files,
            (None, _) => Files {
                leaves: self.file(segment, Kind::Leaves)?,
                payloads: self.file(segment, Kind::Payloads)?,
            },
        };
        let mut offsets = vec![mark];
        let mut at = mark;
        for known in 1..length {
            match frame_length(&files.payloads, at) {
                Ok(frame) => at += frame,
                // A file that breaks off behind the entry says nothing against it.
                Err(_) if known > (index - segment) % STEP_ENTRIES => break,
                Err(error) => return Err(error),
            }
            offsets.push(at);
        }
        Ok(Some(Block {
            segment,
            files,
            first: segment + block * STEP_ENTRIES,
            offsets,
        }))
    }

    fn file(&self, first: u64, kind: Kind) -> io::Result<Arc<File>> {
        let file = segment::open_read(&self.dir, first, kind)?;
        file.map(Arc::new)
            .ok_or_else(|| damaged("a segment's file has no header"))
    }

    fn read_lock(&self) -> RwLockReadGuard<'_, Vec<Segment>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Segment>> {
        self.segments
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Offsets that are kept in memory.
    #[cfg(test)]
    pub(crate) fn marks(&self) -> usize {
        self.read_lock().iter().map(|one| one.marks.len()).sum()
    }
}

impl Block {
    pub(crate) fn of(&self, index: u64) -> Option<u64> {
        let within = usize::try_from(index.checked_sub(self.first)?).ok()?;
        self.offsets.get(within).copied()
    }
}

/// Calls `each` with `many` leaves of one file, of which `at` is the first.
fn each_leaf(
    file: &File,
    at: u64,
    many: u64,
    each: &mut impl FnMut(io::Result<&[u8]>) -> io::Result<()>,
) -> io::Result<()> {
    let bytes = usize::try_from(many * LEAF_FRAME_BYTES).unwrap_or(usize::MAX);
    let mut frames = vec![0; bytes];
    file.read_exact_at(&mut frames, FILE_HEADER_BYTES + at * LEAF_FRAME_BYTES)?;
    for framed in frames.chunks_exact(FRAME_HEADER_BYTES + LEAF_BYTES) {
        each(whole_frame(framed))?;
    }
    Ok(())
}
