//! Reading entries back, while the writer goes on.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use model::Event;

use crate::index::{Block, Index};
use crate::leaf::{
    self, EVENT_BYTES_MAX, FILE_HEADER_BYTES, FRAME_HEADER_BYTES, Kind, LEAF_BYTES,
    LEAF_FRAME_BYTES, Leaf, PAYLOAD_HEADER_BYTES, Payload,
};
use crate::segment;

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

impl<'a> Reader<'a> {
    pub(crate) fn new(index: &'a Index) -> Self {
        Self { index, block: None }
    }

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

/// Bytes of the frame at `offset`, by its header: whether it is whole says its checksum, when it is
/// read.
pub(crate) fn frame_length(file: &File, offset: u64) -> io::Result<u64> {
    let mut length = [0; 4];
    file.read_exact_at(&mut length, offset)?;
    let header = u64::try_from(FRAME_HEADER_BYTES).unwrap_or(u64::MAX);
    Ok(header + u64::from(u32::from_be_bytes(length)))
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
