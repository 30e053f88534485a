//! Reading entries back, while the writer goes on.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, PoisonError, RwLock};

use model::Event;

use crate::leaf::{
    self, EVENT_BYTES_MAX, FILE_HEADER_BYTES, FRAME_HEADER_BYTES, LEAF_BYTES, LEAF_FRAME_BYTES,
    Leaf, PAYLOAD_HEADER_BYTES, Payload,
};

/// Where every entry stands: eight bytes an entry in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index(Arc<RwLock<Vec<Segment>>>);

#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) first: u64,
    pub(crate) leaves: Arc<File>,
    pub(crate) payloads: Arc<File>,
    /// Where each payload's frame begins.
    pub(crate) offsets: Vec<u64>,
}

/// An entry as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) leaf_bytes: Vec<u8>,
    /// `None` when it was erased.
    pub(crate) event: Option<Event>,
}

/// Files of one entry and the offset of its payload.
struct Located {
    leaves: Arc<File>,
    payloads: Arc<File>,
    leaf_offset: u64,
    payload_offset: u64,
}

impl Index {
    pub(crate) fn add_segment(&self, segment: Segment) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(segment);
    }

    /// Adds entries to the newest segment.
    pub(crate) fn extend(&self, offsets: &[u64]) {
        let mut segments = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = segments.last_mut() {
            last.offsets.extend_from_slice(offsets);
        }
    }

    pub(crate) fn size(&self) -> u64 {
        let segments = self.0.read().unwrap_or_else(PoisonError::into_inner);
        segments
            .last()
            .map_or(0, |last| last.first + count(&last.offsets))
    }

    /// Reads one entry; `Ok(None)` when there is none.
    pub(crate) fn read(&self, index: u64) -> io::Result<Option<Entry>> {
        let Some(found) = self.locate(index) else {
            return Ok(None);
        };
        let leaf_bytes = read_frame(&found.leaves, found.leaf_offset, LEAF_BYTES)?;
        let limit = EVENT_BYTES_MAX + PAYLOAD_HEADER_BYTES;
        let body = read_frame(&found.payloads, found.payload_offset, limit)?;
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

    /// The leaf hashes of the first `size` entries.
    pub(crate) fn leaf_hashes(&self, size: u64) -> io::Result<Vec<merkle::Hash>> {
        let mut hashes = Vec::new();
        for index in 0..size {
            let Some(found) = self.locate(index) else {
                break;
            };
            let bytes = read_frame(&found.leaves, found.leaf_offset, LEAF_BYTES)?;
            hashes.push(merkle::leaf_hash(&bytes));
        }
        Ok(hashes)
    }

    fn locate(&self, index: u64) -> Option<Located> {
        let segments = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let behind = segments.partition_point(|segment| segment.first <= index);
        let segment = segments.get(behind.checked_sub(1)?)?;
        let within = index - segment.first;
        let payload_offset = *segment.offsets.get(usize::try_from(within).ok()?)?;
        Some(Located {
            leaves: segment.leaves.clone(),
            payloads: segment.payloads.clone(),
            leaf_offset: FILE_HEADER_BYTES + within * LEAF_FRAME_BYTES,
            payload_offset,
        })
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

pub(crate) fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

pub(crate) fn count<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

/// Calls `each` for every whole entry of the segment `first` in `dir`; returns how many.
pub(crate) fn each_event(
    dir: &std::path::Path,
    first: u64,
    mut each: impl FnMut(&crate::Record) -> io::Result<()>,
) -> io::Result<u64> {
    let open = |kind| crate::segment::open_read(dir, first, kind);
    let (Some(leaves), Some(payloads)) = (open(leaf::Kind::Leaves)?, open(leaf::Kind::Payloads)?)
    else {
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
