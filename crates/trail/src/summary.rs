//! What is kept of a closed segment beside its files, so that a start need not read them: where its
//! entries stand, and the tree's right edge behind them.
//!
//! ```text
//! file = header(kind 3) frame( payloads end(8) right edge(8 + 32 for each peak) mark(8)… )
//! ```
//!
//! It saves time and is no evidence: without it, or where it does not fit, the segment is read.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use merkle::Frontier;

use crate::index::{STEP_ENTRIES, Segment};
use crate::leaf::{FILE_HEADER_BYTES, Kind, LEAF_FRAME_BYTES, file_header, frame};
use crate::reader::whole_frame;
use crate::segment;

/// LIMIT: bytes of one: a segment of the shortest payloads needs a quarter of it.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Of one closed segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    first: u64,
    payloads_end: u64,
    /// Of the tree behind the segment's last entry.
    frontier: Frontier,
    /// Where the payload's frame of every [`STEP_ENTRIES`]th entry begins.
    marks: Vec<u64>,
}

impl Summary {
    pub(crate) fn new(first: u64, payloads_end: u64, frontier: Frontier, marks: Vec<u64>) -> Self {
        Self {
            first,
            payloads_end,
            frontier,
            marks,
        }
    }

    /// Reads the one of the segment that begins at entry `first`; `None` when there is none that
    /// could be believed.
    pub(crate) fn read(dir: &Path, first: u64) -> Option<Self> {
        let mut bytes = Vec::new();
        let file = File::open(segment::path(dir, first, Kind::Summary)).ok()?;
        file.take(BYTES_MAX).read_to_end(&mut bytes).ok()?;
        let framed = bytes.strip_prefix(file_header(Kind::Summary, first).as_slice())?;
        Self::parse(first, whole_frame(framed).ok()?)
    }

    fn parse(first: u64, body: &[u8]) -> Option<Self> {
        let (payloads_end, rest) = body.split_first_chunk::<8>()?;
        let (size, _) = rest.split_first_chunk::<8>()?;
        let peaks = usize::try_from(u64::from_be_bytes(*size).count_ones()).ok()?;
        let (frontier, marks) = rest.split_at_checked(8 + 32 * peaks)?;
        let frontier = Frontier::from_bytes(frontier).ok()?;
        let (marks, odd) = marks.as_chunks::<8>();
        let marks: Vec<u64> = marks.iter().map(|mark| u64::from_be_bytes(*mark)).collect();
        let payloads_end = u64::from_be_bytes(*payloads_end);
        let entries = frontier.size().checked_sub(first)?;
        let expected = usize::try_from(entries.div_ceil(STEP_ENTRIES)).ok()?;
        let fits = odd.is_empty()
            && marks.len() == expected
            && marks.first().is_none_or(|mark| *mark == FILE_HEADER_BYTES)
            && marks.is_sorted_by(|before, after| before < after)
            && marks.last().is_none_or(|mark| *mark < payloads_end);
        fits.then(|| Self::new(first, payloads_end, frontier, marks))
    }

    /// Puts it beside the segment's files.
    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        let mut body = self.payloads_end.to_be_bytes().to_vec();
        body.extend(self.frontier.to_bytes());
        body.extend(self.marks.iter().flat_map(|mark| mark.to_be_bytes()));
        let mut bytes = file_header(Kind::Summary, self.first);
        bytes.extend(frame(&body));
        let path = segment::path(dir, self.first, Kind::Summary);
        store::atomic_write(&path, &bytes, 0o600).map_err(io::Error::other)
    }

    #[cfg(test)]
    pub(crate) fn with_marks(&self, change: impl FnOnce(&mut Vec<u64>)) -> Self {
        let mut changed = self.clone();
        change(&mut changed.marks);
        changed
    }

    #[cfg(test)]
    pub(crate) fn with_frontier(&self, frontier: Frontier) -> Self {
        Self {
            frontier,
            ..self.clone()
        }
    }

    pub(crate) fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Bytes that the segment's two files have: leaves, payloads.
    pub(crate) fn lengths(&self) -> (u64, u64) {
        let entries = self.frontier.size() - self.first;
        (
            FILE_HEADER_BYTES + entries * LEAF_FRAME_BYTES,
            self.payloads_end,
        )
    }

    /// The segment, before which the tree's right edge was `before`.
    pub(crate) fn segment(&self, before: Frontier) -> Segment {
        let entries = self.frontier.size() - self.first;
        Segment::closed(before, entries, self.marks.clone())
    }
}
