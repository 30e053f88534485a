//! Blocks of fields as clients send them (RFC 7541 §3 and §6).

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::field::{Field, Name, fixed};
use super::{Broken, TABLE_BYTES_MAX, huffman, integer};

/// Bytes that short strings share.
const ARENA_BYTES: usize = 2048;
/// Entries of the static table.
const FIXED: usize = 61;

/// Reads blocks, in the order they came.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// The newest first.
    entries: VecDeque<Field>,
    bytes: usize,
    /// What the client lets it have, which is never more than [`TABLE_BYTES_MAX`].
    bytes_max: usize,
    /// Where strings are decoded to, one behind the other.
    arena: BytesMut,
}

/// Whether a string stays longer than its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stays {
    InTable,
    WithRequest,
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            bytes_max: TABLE_BYTES_MAX,
            arena: BytesMut::new(),
        }
    }

    /// Reads one whole block, field by field.
    ///
    /// # Errors
    /// [`Broken`] where it cannot be read; some of it may have been.
    pub(crate) fn decode(
        &mut self,
        mut block: &[u8],
        mut take: impl FnMut(&Field),
    ) -> Result<(), Broken> {
        let mut is_begun = false;
        while let Some((&first, rest)) = block.split_first() {
            block = rest;
            if first & 0x80 != 0 {
                let index = integer::read(first, 7, &mut block)?;
                take(self.entry(index)?);
            } else if first & 0xC0 == 0x40 {
                let field = self.literal(first, 6, &mut block, Stays::InTable)?;
                take(&field);
                self.insert(field);
            } else if first & 0xE0 == 0x20 {
                // Only before the first field, and within what was allowed (RFC 7541 §4.2, §6.3).
                let bytes_max = integer::read(first, 5, &mut block)?;
                if is_begun || bytes_max > TABLE_BYTES_MAX {
                    return Err(Broken);
                }
                self.bytes_max = bytes_max;
                self.evict(0);
                continue;
            } else {
                // Without indexing, or never indexed, which is the next hop's to keep to.
                let field = self.literal(first, 4, &mut block, Stays::WithRequest)?;
                take(&field);
            }
            is_begun = true;
        }
        Ok(())
    }

    fn entry(&self, index: usize) -> Result<&Field, Broken> {
        let entry = match index.checked_sub(FIXED.saturating_add(1)) {
            Some(at) => self.entries.get(at),
            None => fixed(index),
        };
        entry.ok_or(Broken)
    }

    fn literal(
        &mut self,
        first: u8,
        bits: u32,
        block: &mut &[u8],
        stays: Stays,
    ) -> Result<Field, Broken> {
        let index = integer::read(first, bits, block)?;
        let (name, name_bytes) = if index == 0 {
            let text = self.string(block, Stays::WithRequest)?;
            (Name::read(&text), text.len())
        } else {
            let entry = self.entry(index)?;
            (entry.name.clone(), entry.name_bytes)
        };
        let text = self.string(block, stays)?;
        Ok(Field::read(name, name_bytes, text))
    }

    /// A string (RFC 7541 §5.2).
    fn string(&mut self, block: &mut &[u8], stays: Stays) -> Result<Bytes, Broken> {
        let (&first, mut rest) = block.split_first().ok_or(Broken)?;
        let length = integer::read(first, 7, &mut rest)?;
        let (text, rest) = rest.split_at_checked(length).ok_or(Broken)?;
        *block = rest;
        let is_coded = first & 0x80 != 0;
        if text.is_empty() {
            return Ok(Bytes::new());
        }
        if !is_coded && stays == Stays::InTable {
            return Ok(Bytes::copy_from_slice(text));
        }
        // No code is shorter than five bits.
        let room = length.saturating_mul(8).div_ceil(5);
        if self.arena.capacity() < room {
            self.arena.reserve(room.max(ARENA_BYTES));
        }
        if is_coded {
            let decoded = huffman::decode(text, &mut self.arena);
            if decoded.is_err() {
                self.arena.clear();
                return Err(Broken);
            }
        } else {
            self.arena.extend_from_slice(text);
        }
        if stays == Stays::InTable {
            // What stays must not keep its neighbours.
            let text = Bytes::copy_from_slice(&self.arena);
            self.arena.clear();
            return Ok(text);
        }
        Ok(self.arena.split().freeze())
    }

    /// One that is larger than the table empties it, which is no error (RFC 7541 §4.4).
    fn insert(&mut self, field: Field) {
        self.evict(field.size);
        if field.size <= self.bytes_max {
            self.bytes = self.bytes.saturating_add(field.size);
            self.entries.push_front(field);
        }
    }

    /// Makes room for so many bytes.
    fn evict(&mut self, room: usize) {
        while self.bytes.saturating_add(room) > self.bytes_max
            && let Some(oldest) = self.entries.pop_back()
        {
            self.bytes = self.bytes.saturating_sub(oldest.size);
        }
    }

    /// Bytes of its table, as the RFC counts them.
    #[cfg(test)]
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Entries of its table.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
