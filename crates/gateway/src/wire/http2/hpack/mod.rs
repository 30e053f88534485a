//! HPACK, the compression of fields in HTTP/2 (RFC 7541): bytes in, fields out, and back.
//!
//! What a block says is read once: the table keeps the fields that were made of its bytes, so that a
//! client that repeats itself costs next to nothing. Never holds more than its table may.

mod decode;
mod encode;
mod field;
mod huffman;
mod integer;

pub(crate) use decode::Decoder;
pub(crate) use encode::Encoder;
pub(crate) use field::{Field, Kind, Name, Value};

/// LIMIT: bytes of one table (RFC 7541 §4.1), in either direction; what peers begin with.
pub(crate) const TABLE_BYTES_MAX: usize = 4096;

/// What each entry counts for beside its text (RFC 7541 §4.1).
const ENTRY_BYTES: usize = 32;

/// A block that cannot be read: both sides' tables differ from now on, so that the connection ends
/// (RFC 9113 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

#[cfg(test)]
mod tests;
