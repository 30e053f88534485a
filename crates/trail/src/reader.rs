//! Reading entries back, while the writer goes on.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use merkle::Frontier;
use model::Event;

use crate::leaf::{
    self, EVENT_BYTES_MAX, FILE_HEADER_BYTES, FRAME_HEADER_BYTES, Kind, LEAF_BYTES,
    LEAF_FRAME_BYTES, Leaf, PAYLOAD_HEADER_BYTES, Payload,
};
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

/// An entry as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) leaf_bytes: Vec<u8>,
    /// `None` when it was erased.
    pub(crate) event: Option<Event>,
}

/// Reads entry after entry: what it looked up for one serves its neighbours.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    index: &'a Index,
    block: Option<Block>,
}

/// At most [`STEP_ENTRIES`] entries in a row, with the files they are in.
#[derive(Debug)]
struct Block {
    segment: u64,
    files: Files,
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
        Reader {
            index: self,
            block: None,
        }
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
    fn mend(&self, index: u64) -> io::Result<bool> {
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
    fn block(&self, index: u64, before: Option<Block>) -> io::Result<Option<Block>> {
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

impl Reader<'_> {
    /// Reads one entry; `Ok(None)` when there is none.
    pub(crate) fn read(&mut self, index: u64) -> io::Result<Option<Entry>> {
        match self.read_as_marked(index) {
            Err(error) if is_damage(&error) && self.index.mend(index)? => {
                tracing::warn!("a summary in the trail's folder names wrong places");
                self.block = None;
                self.read_as_marked(index)
            }
            read => read,
        }
    }

    fn read_as_marked(&mut self, index: u64) -> io::Result<Option<Entry>> {
        let Some(found) = self.locate(index)? else {
            return Ok(None);
        };
        let (block, payload_offset) = found;
        let leaf_offset = FILE_HEADER_BYTES + (index - block.segment) * LEAF_FRAME_BYTES;
        let leaf_bytes = read_frame(&block.files.leaves, leaf_offset, LEAF_BYTES)?;
        let limit = EVENT_BYTES_MAX + PAYLOAD_HEADER_BYTES;
        let body = read_frame(&block.files.payloads, payload_offset, limit)?;
        let leaf = Leaf::parse(&leaf_bytes).ok_or_else(|| damaged("a leaf is not one"))?;
        let event = match Payload::parse(&body).ok_or_else(|| damaged("a payload is not one"))? {
            Payload::Erased => None,
            Payload::Kept { salt, json } => {
                let event: Event = serde_json::from_slice(json)
                    .map_err(|_| damaged("a payload is not an event"))?;
                if !leaf.commits_to(&event, salt, json) {
                    return Err(damaged("a payload is not the one its leaf commits to"));
                }
                Some(event)
            }
        };
        Ok(Some(Entry { leaf_bytes, event }))
    }

    /// The block of entry `index`, and where its payload's frame begins.
    fn locate(&mut self, index: u64) -> io::Result<Option<(&Block, u64)>> {
        if self
            .block
            .as_ref()
            .and_then(|block| block.of(index))
            .is_none()
        {
            self.block = self.index.block(index, self.block.take())?;
        }
        let block = self.block.as_ref();
        Ok(block.and_then(|block| Some((block, block.of(index)?))))
    }
}

impl Block {
    fn of(&self, index: u64) -> Option<u64> {
        let within = usize::try_from(index.checked_sub(self.first)?).ok()?;
        self.offsets.get(within).copied()
    }
}

/// Bytes of the frame at `offset`, by its header: whether it is whole says its checksum, when it is
/// read.
fn frame_length(file: &File, offset: u64) -> io::Result<u64> {
    let mut length = [0; 4];
    file.read_exact_at(&mut length, offset)?;
    let header = u64::try_from(FRAME_HEADER_BYTES).unwrap_or(u64::MAX);
    Ok(header + u64::from(u32::from_be_bytes(length)))
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

/// The body of a frame that fills all of `bytes`.
pub(crate) fn whole_frame(bytes: &[u8]) -> io::Result<&[u8]> {
    let odd = || damaged("a frame has another length than it says");
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(odd)?;
    let (expected, body) = rest.split_first_chunk::<4>().ok_or_else(odd)?;
    if u32::try_from(body.len()) != Ok(u32::from_be_bytes(*length)) {
        return Err(odd());
    }
    match leaf::checksum(*length, body) == u32::from_be_bytes(*expected) {
        true => Ok(body),
        false => Err(damaged("a frame's checksum does not match")),
    }
}

/// Reads and checks the frame at `offset`, whose body has at most `limit` bytes.
pub(crate) fn read_frame(file: &File, offset: u64, limit: usize) -> io::Result<Vec<u8>> {
    let mut header = [0; FRAME_HEADER_BYTES];
    file.read_exact_at(&mut header, offset)?;
    let [a, b, c, d, e, f, g, h] = header;
    let (length, expected) = ([a, b, c, d], u32::from_be_bytes([e, f, g, h]));
    let size = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if size > limit {
        return Err(damaged("a frame is longer than any that was written"));
    }
    let mut body = vec![0; size];
    file.read_exact_at(&mut body, offset + 8)?;
    if leaf::checksum(length, &body) == expected {
        Ok(body)
    } else {
        Err(damaged("a frame's checksum does not match"))
    }
}

/// Whether it is what stands in the file that is wrong, and not the reading of it.
pub(crate) fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

pub(crate) fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

pub(crate) fn count<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

/// Calls `each` for every whole entry of the segment `first` in `dir`; returns how many.
pub(crate) fn each_event(
    dir: &Path,
    first: u64,
    mut each: impl FnMut(&crate::Record) -> io::Result<()>,
) -> io::Result<u64> {
    let open = |kind| segment::open_read(dir, first, kind);
    let (Some(leaves), Some(payloads)) = (open(Kind::Leaves)?, open(Kind::Payloads)?) else {
        return Ok(0);
    };
    let (mut number, mut payload_at) = (0, FILE_HEADER_BYTES);
    loop {
        let leaf_at = FILE_HEADER_BYTES + number * LEAF_FRAME_BYTES;
        let Ok(leaf_bytes) = read_frame(&leaves, leaf_at, LEAF_BYTES) else {
            return Ok(number);
        };
        let limit = EVENT_BYTES_MAX + PAYLOAD_HEADER_BYTES;
        let Ok(body) = read_frame(&payloads, payload_at, limit) else {
            return Ok(number);
        };
        payload_at += count(&body) + 8;
        if let Some(Payload::Kept { json, .. }) = Payload::parse(&body) {
            let event = serde_json::from_slice(json).map_err(io::Error::from)?;
            let leaf_hash = merkle::leaf_hash(&leaf_bytes);
            each(&crate::Record {
                index: first + number,
                event,
                leaf_hash,
            })?;
        }
        number += 1;
    }
}
