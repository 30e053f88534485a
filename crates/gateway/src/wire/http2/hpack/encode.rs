//! Blocks of fields as answers have them (RFC 7541 §6).
//!
//! What a service says twice goes into the table, and is one byte or two from then on. What differs
//! with each answer, such as an id, never gets there.

use std::collections::VecDeque;

use http::StatusCode;
use http::header::{self, HeaderMap};

use super::field::fixed_name;
use super::{ENTRY_BYTES, TABLE_BYTES_MAX, huffman, integer};

/// The first entry behind the static table.
const FIRST: usize = 62;
/// Fields remembered as seen; a power of two.
const SEEN: usize = 64;
/// LIMIT: bytes of an entry: one alone must not push everything else out.
const ENTRY_BYTES_MAX: usize = TABLE_BYTES_MAX / 4;

/// Writes blocks, in the order they are sent.
#[derive(Debug)]
pub(crate) struct Encoder {
    /// The newest first.
    entries: VecDeque<Entry>,
    bytes: usize,
    bytes_max: usize,
    /// Entries that were ever put in.
    count: u64,
    /// Sizes to be told before the next field: the smallest in between, and the last.
    resized: Option<(usize, usize)>,
    seen: Box<[Seen; SEEN]>,
}

#[derive(Debug)]
struct Entry {
    /// Name and value, one behind the other.
    text: Box<[u8]>,
    name_bytes: usize,
}

/// A field that was sent.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    hash: u64,
    /// How many entries there were once it was one; 0 while it is none.
    entry: u64,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            bytes_max: TABLE_BYTES_MAX,
            count: 0,
            resized: None,
            seen: Box::new([Seen::default(); SEEN]),
        }
    }

    /// The client's table may have so many bytes (RFC 9113 §6.5.2).
    pub(crate) fn resize(&mut self, bytes_max: usize) {
        let bytes_max = bytes_max.min(TABLE_BYTES_MAX);
        if bytes_max == self.bytes_max && self.resized.is_none() {
            return;
        }
        let least = self
            .resized
            .map_or(bytes_max, |(least, _)| least.min(bytes_max));
        self.resized = Some((least, bytes_max));
        self.bytes_max = least;
        self.evict(0);
        self.bytes_max = bytes_max;
    }

    /// Begins a block with a status.
    pub(crate) fn status(&mut self, out: &mut Vec<u8>, status: StatusCode) {
        self.begin(out);
        let fixed = match status.as_u16() {
            200 => 8,
            204 => 9,
            206 => 10,
            304 => 11,
            400 => 12,
            404 => 13,
            500 => 14,
            _ => return literal(out, 0, 4, 8, b"", status.as_str().as_bytes()),
        };
        integer::write(out, 0x80, 7, fixed);
    }

    /// Begins a block without one, of trailers.
    pub(crate) fn begin(&mut self, out: &mut Vec<u8>) {
        if let Some((least, last)) = self.resized.take() {
            // Where it was smaller in between, that is told too (RFC 7541 §4.2).
            if least < last {
                integer::write(out, 0x20, 5, least);
            }
            integer::write(out, 0x20, 5, last);
        }
    }

    /// All of these fields.
    pub(crate) fn fields(&mut self, out: &mut Vec<u8>, fields: &HeaderMap) {
        for (name, value) in fields {
            // SECURITY: what compression tells of a secret by its length it must not tell (RFC 7541
            // §7.1.3); hops behind keep to it as well.
            let name_text = name.as_str().as_bytes();
            if value.is_sensitive() || *name == header::SET_COOKIE {
                self.secret(out, name_text, value.as_bytes());
            } else {
                self.text(out, name_text, value.as_bytes());
            }
        }
    }

    /// One more field that no table holds, here or behind; its name in lower case.
    pub(crate) fn secret(&self, out: &mut Vec<u8>, name: &[u8], text: &[u8]) {
        literal(out, 0x10, 4, fixed_name(name).unwrap_or(0), name, text);
    }

    /// One more field that is no secret; its name in lower case, and in `text` no byte that a value
    /// may not have.
    pub(crate) fn text(&mut self, out: &mut Vec<u8>, name: &[u8], text: &[u8]) {
        let hash = hash(name, text);
        match self.find(hash, name, text) {
            Found::Entry(at) => integer::write(out, 0x80, 7, FIRST.saturating_add(at)),
            Found::Seen(place) => {
                let index = fixed_name(name).unwrap_or(0);
                if self.insert(name, text) {
                    self.remember(place, hash, self.count);
                    literal_coded(out, index, name, text);
                } else {
                    literal(out, 0, 4, index, name, text);
                }
            }
            Found::Nothing(place) => {
                self.remember(place, hash, 0);
                let index = fixed_name(name).unwrap_or(0);
                literal(out, 0, 4, index, name, text);
            }
        }
    }

    fn remember(&mut self, place: usize, hash: u64, entry: u64) {
        if let Some(seen) = self.seen.get_mut(place) {
            *seen = Seen { hash, entry };
        }
    }

    /// Two places are looked at, so that two fields of every answer do not take each other's.
    fn find(&self, hash: u64, name: &[u8], text: &[u8]) -> Found {
        let first = usize::try_from(hash).unwrap_or(0) & (SEEN - 1);
        let mut free = first;
        for place in [first, first ^ 1] {
            let seen = self.seen.get(place).copied().unwrap_or_default();
            let at = self.live(seen);
            if seen.hash != hash {
                if at.is_none() {
                    free = place;
                }
                continue;
            }
            let Some(at) = at else {
                return Found::Seen(place);
            };
            let is_same = self.entries.get(at).is_some_and(|entry| {
                entry.name_bytes == name.len()
                    && entry.text.get(..name.len()) == Some(name)
                    && entry.text.get(name.len()..) == Some(text)
            });
            return if is_same {
                Found::Entry(at)
            } else {
                Found::Nothing(place)
            };
        }
        Found::Nothing(free)
    }

    /// Where the entry of a field stands, while it is one.
    fn live(&self, seen: Seen) -> Option<usize> {
        if seen.entry == 0 {
            return None;
        }
        let at = usize::try_from(self.count.wrapping_sub(seen.entry)).ok()?;
        (at < self.entries.len()).then_some(at)
    }

    fn insert(&mut self, name: &[u8], text: &[u8]) -> bool {
        let size = ENTRY_BYTES
            .saturating_add(name.len())
            .saturating_add(text.len());
        if size > self.bytes_max.min(ENTRY_BYTES_MAX) {
            return false;
        }
        self.evict(size);
        self.bytes = self.bytes.saturating_add(size);
        self.count = self.count.saturating_add(1);
        self.entries.push_front(Entry {
            text: [name, text].concat().into(),
            name_bytes: name.len(),
        });
        true
    }

    fn evict(&mut self, room: usize) {
        while self.bytes.saturating_add(room) > self.bytes_max
            && let Some(oldest) = self.entries.pop_back()
        {
            let size = ENTRY_BYTES.saturating_add(oldest.text.len());
            self.bytes = self.bytes.saturating_sub(size);
        }
    }
}

/// What is known of a field.
enum Found {
    /// It is an entry, the first being the newest.
    Entry(usize),
    /// It was sent before; where that is noted.
    Seen(usize),
    /// Nothing; where it may be noted.
    Nothing(usize),
}

/// A literal as it is: what is sent once is not worth the work of making it a quarter shorter.
fn literal(out: &mut Vec<u8>, first: u8, bits: u32, index: usize, name: &[u8], text: &[u8]) {
    integer::write(out, first, bits, index);
    if index == 0 {
        integer::write(out, 0, 7, name.len());
        out.extend_from_slice(name);
    }
    integer::write(out, 0, 7, text.len());
    out.extend_from_slice(text);
}

/// A literal that goes into the table, as short as it can be.
fn literal_coded(out: &mut Vec<u8>, index: usize, name: &[u8], text: &[u8]) {
    integer::write(out, 0x40, 6, index);
    if index == 0 {
        string(out, name);
    }
    string(out, text);
}

fn string(out: &mut Vec<u8>, text: &[u8]) {
    let length = huffman::encoded_len(text);
    if length < text.len() {
        integer::write(out, 0x80, 7, length);
        huffman::encode(text, out);
    } else {
        integer::write(out, 0, 7, text.len());
        out.extend_from_slice(text);
    }
}

/// Tells fields of answers apart, well enough that what is the same is found; never taken for proof.
fn hash(name: &[u8], text: &[u8]) -> u64 {
    const BY: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = u64::try_from(text.len()).unwrap_or(0);
    for part in [name, text] {
        let (words, rest) = part.as_chunks::<8>();
        for word in words {
            hash = (hash.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(BY);
        }
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        hash = (hash.rotate_left(23) ^ u64::from_le_bytes(last)).wrapping_mul(BY);
    }
    hash ^ (hash >> 32)
}
