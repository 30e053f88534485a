//! Opening the log at a start: what a crash left half-written is cut off, what was signed for is
//! looked for.
//!
//! The newest segments are read, and those that no checkpoint covers. Of an earlier one its summary
//! is believed for as long as the tree that follows from it has the root that was signed: a summary
//! can make a start slow, never wrong. Whether a closed segment still holds what it held is found
//! out afterwards ([`crate::check`]).

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use merkle::{Frontier, Hash, SignedCheckpoint, leaf_hash};
use model::EventId;

use crate::Error;
use crate::disk::Disk;
use crate::index::{Files, Index, Segment};
use crate::leaf::{
    EVENT_BYTES_MAX, FILE_HEADER_BYTES, FRAME_HEADER_BYTES, Kind, LEAF_BYTES, LEAF_FRAME_BYTES,
    Leaf, PAYLOAD_HEADER_BYTES,
};
use crate::log::{Log, Tail, create_pair};
use crate::reader::read_frame;
use crate::segment;
use crate::summary::Summary;

/// What opening found.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) log: Log,
    /// Entries that were cut off the end because they were never finished.
    pub(crate) cut: u64,
    /// Ids of the newest entries, oldest first.
    pub(crate) recent: Vec<EventId>,
    /// Entries that were not read, because a summary stands for them.
    pub(crate) unread: u64,
}

/// Opens the log in `dir`. Nothing that `signed` covers is ever cut off.
///
/// # Errors
/// [`Error::Shortened`], [`Error::Rewritten`], [`Error::Damaged`]: nothing was changed then;
/// [`Error::File`].
pub(crate) fn open(
    dir: &Path,
    disk: Arc<dyn Disk>,
    signed: Option<&SignedCheckpoint>,
    recent_max: u64,
) -> Result<Opened, Error> {
    let signed = signed.map(SignedCheckpoint::claimed);
    let wanted = signed.map(|signed| (signed.size, signed.root));
    let mut opening = Opening::read(dir, wanted, Summaries::Believed)?;
    if opening.unread > 0 && opening.contradiction().is_some() {
        tracing::warn!("a summary in the trail's folder does not hold; reading every segment");
        opening = Opening::read(dir, wanted, Summaries::PassedOver)?;
    }
    match opening.contradiction() {
        Some(contradiction) => Err(contradiction),
        None => opening.finish(disk, recent_max),
    }
}

/// Whether segments may be taken by their summaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Summaries {
    Believed,
    PassedOver,
}

/// Whether a segment is the one that may end in the middle of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Earlier,
    Last,
}

/// The state of going through every segment at start.
struct Opening<'a> {
    dir: &'a Path,
    /// Size and root of the newest checkpoint.
    signed: Option<(u64, Hash)>,
    summaries: Summaries,
    frontier: Frontier,
    /// The root at the signed size.
    found_root: Option<Hash>,
    index: Index,
    cut: u64,
    unread: u64,
    /// Of closed segments that were read: kept, so that the next start need not.
    missing: Vec<Summary>,
    last: Option<(Tail, Tail)>,
}

impl<'a> Opening<'a> {
    fn read(
        dir: &'a Path,
        signed: Option<(u64, Hash)>,
        summaries: Summaries,
    ) -> Result<Self, Error> {
        let mut opening = Self {
            dir,
            signed,
            summaries,
            frontier: Frontier::new(),
            found_root: None,
            index: Index::new(dir),
            cut: 0,
            unread: 0,
            missing: Vec::new(),
            last: None,
        };
        let firsts = segment::list(dir).map_err(|source| opening.failed(source))?;
        for (position, first) in firsts.iter().enumerate() {
            let place = if position + 1 == firsts.len() {
                Place::Last
            } else {
                Place::Earlier
            };
            opening.segment(*first, place)?;
        }
        Ok(opening)
    }

    fn segment(&mut self, first: u64, place: Place) -> Result<(), Error> {
        if first != self.frontier.size() {
            let next = self.frontier.size();
            return Err(Error::Damaged {
                path: segment::path(self.dir, first, Kind::Leaves),
                offset: 0,
                what: format!("it begins at entry {first}, but entry {next} is next"),
            });
        }
        let (leaves, payloads) = (
            self.file(first, Kind::Leaves)?,
            self.file(first, Kind::Payloads)?,
        );
        let (Some(leaves), Some(payloads)) = (leaves, payloads) else {
            // The making of this segment was cut off: it holds nothing yet and is made again.
            return match place {
                Place::Last => Ok(()),
                Place::Earlier => Err(self.torn(first, 0)),
            };
        };
        let lengths = (self.length(&leaves)?, self.length(&payloads)?);
        if place == Place::Earlier
            && let Some(summary) = self.summary(first, lengths)
        {
            self.take(&summary);
            return Ok(());
        }
        let (leaves, payloads) = (Arc::new(leaves), Arc::new(payloads));
        let files = Files { leaves, payloads };
        let (segment, payloads_end) = self.walk(files.clone());
        let leaves_end = FILE_HEADER_BYTES + segment.entries() * LEAF_FRAME_BYTES;
        let leaf_rest = lengths.0.saturating_sub(leaves_end);
        let payload_rest = lengths.1.saturating_sub(payloads_end);
        let whole = leaf_rest == 0 && payload_rest == 0;
        if !whole && place == Place::Earlier {
            return Err(self.torn(first, leaves_end));
        }
        self.cut += leaf_rest
            .div_ceil(LEAF_FRAME_BYTES)
            .max(u64::from(payload_rest > 0));
        self.index.add_segment(segment);
        if place == Place::Earlier {
            let summary = self.index.summary(&self.frontier, payloads_end);
            self.missing.extend(summary);
        }
        self.last = Some((
            Tail::new(files.leaves, leaves_end),
            Tail::new(files.payloads, payloads_end),
        ));
        Ok(())
    }

    /// The summary of a closed segment, where it fits the files and a checkpoint covers all of it.
    fn summary(&self, first: u64, lengths: (u64, u64)) -> Option<Summary> {
        let signed = self.signed.map_or(0, |(size, _)| size);
        let kept = match self.summaries {
            Summaries::Believed => Summary::read(self.dir, first),
            Summaries::PassedOver => None,
        };
        kept.filter(|kept| kept.lengths() == lengths && kept.frontier().size() <= signed)
    }

    fn take(&mut self, summary: &Summary) {
        let before = std::mem::replace(&mut self.frontier, summary.frontier().clone());
        self.unread += self.frontier.size() - before.size();
        self.index.add_segment(summary.segment(before));
        self.note_root();
    }

    /// Reads a segment up to the first entry that is not whole; says where its payloads end.
    fn walk(&mut self, files: Files) -> (Segment, u64) {
        let (leaves, payloads) = (files.leaves.clone(), files.payloads.clone());
        let mut walk = Walk {
            payload_offset: FILE_HEADER_BYTES,
            segment: Segment::new(self.frontier.clone(), files),
        };
        while let Some(leaf) = walk.next(&leaves, &payloads) {
            self.frontier.push(leaf_hash(&leaf));
            self.note_root();
        }
        (walk.segment, walk.payload_offset)
    }

    fn note_root(&mut self) {
        if self
            .signed
            .is_some_and(|(size, _)| size == self.frontier.size())
        {
            self.found_root = Some(self.frontier.root());
        }
    }

    /// How the log contradicts the newest checkpoint.
    fn contradiction(&self) -> Option<Error> {
        let size = self.frontier.size();
        let (signed, root) = self.signed.filter(|(signed, _)| *signed > 0)?;
        if size < signed {
            return Some(Error::Shortened { size, signed });
        }
        (self.found_root != Some(root)).then_some(Error::Rewritten { size: signed })
    }

    fn finish(mut self, disk: Arc<dyn Disk>, recent_max: u64) -> Result<Opened, Error> {
        let size = self.frontier.size();
        let tails = match self.last.take() {
            Some((leaves, payloads)) => {
                // Only now, when nothing signed is touched, is the torn end cut off.
                for tail in [&leaves, &payloads] {
                    let cut = tail.file.set_len(tail.length);
                    let cut = cut.and_then(|()| tail.file.sync_all());
                    cut.map_err(|source| self.failed(source))?;
                }
                (leaves, payloads)
            }
            None => {
                let made = create_pair(self.dir, size);
                let (files, tails) = made.map_err(|source| self.failed(source))?;
                self.index
                    .add_segment(Segment::new(self.frontier.clone(), files));
                tails
            }
        };
        for summary in &self.missing {
            if let Err(error) = summary.write(self.dir) {
                tracing::warn!(%error, "what a closed segment holds is not kept");
            }
        }
        let mut recent = Vec::new();
        let newest = size.saturating_sub(recent_max)..size;
        let read = self.index.leaves(newest, |leaf| {
            // A damaged one is said by [`crate::check`]; it stops no start.
            recent.extend(leaf.ok().and_then(Leaf::parse).map(|leaf| leaf.event));
            Ok(())
        });
        read.map_err(|source| self.failed(source))?;
        Ok(Opened {
            log: Log::new(self.dir, disk, tails, self.frontier, self.index),
            cut: self.cut,
            recent,
            unread: self.unread,
        })
    }

    fn file(&self, first: u64, kind: Kind) -> Result<Option<File>, Error> {
        // The payload file is made first; a leaf file alone means that one was removed.
        segment::open(self.dir, first, kind).map_err(|source| Error::File {
            path: segment::path(self.dir, first, kind),
            source,
        })
    }

    fn length(&self, file: &File) -> Result<u64, Error> {
        let facts = file.metadata().map_err(|source| self.failed(source))?;
        Ok(facts.len())
    }

    fn failed(&self, source: std::io::Error) -> Error {
        Error::File {
            path: self.dir.to_path_buf(),
            source,
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
