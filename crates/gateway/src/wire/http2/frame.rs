//! Frames: their heads, read and written (RFC 9113 §4.1), and what each is worth.

use super::Code;

/// Bytes of a frame's head.
pub(super) const HEAD_BYTES: usize = 9;
/// LIMIT: bytes of a frame, in either direction: what every peer takes (RFC 9113 §4.2).
pub(super) const BYTES_MAX: usize = 16 * 1024;
/// What a connection begins with (RFC 9113 §3.4).
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The largest window (RFC 9113 §6.9.1).
pub(super) const WINDOW_MAX: i64 = (1 << 31) - 1;
/// What windows begin with (RFC 9113 §6.9.2).
pub(super) const WINDOW: u32 = 65_535;
/// A window opened by less than this is not worth a frame.
const WORTH_BYTES: u32 = 1024;
/// So many bytes of content are worth one.
const CONTENT_BYTES: usize = 256;

/// Types (RFC 9113 §6).
pub(super) mod kind {
    pub(in super::super) const DATA: u8 = 0;
    pub(in super::super) const HEADERS: u8 = 1;
    pub(in super::super) const PRIORITY: u8 = 2;
    pub(in super::super) const RST_STREAM: u8 = 3;
    pub(in super::super) const SETTINGS: u8 = 4;
    pub(in super::super) const PUSH_PROMISE: u8 = 5;
    pub(in super::super) const PING: u8 = 6;
    pub(in super::super) const GOAWAY: u8 = 7;
    pub(in super::super) const WINDOW_UPDATE: u8 = 8;
    pub(in super::super) const CONTINUATION: u8 = 9;
}

/// Flags (RFC 9113 §6).
pub(super) mod flag {
    pub(in super::super) const NONE: u8 = 0;
    pub(in super::super) const ACK: u8 = 0x1;
    pub(in super::super) const END_STREAM: u8 = 0x1;
    pub(in super::super) const END_HEADERS: u8 = 0x4;
    pub(in super::super) const PADDED: u8 = 0x8;
    pub(in super::super) const PRIORITY: u8 = 0x20;
}

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) length: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl Head {
    /// The head that stands first; `None` while it is not whole.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [a, b, c, kind, flags, stream @ ..] = bytes.first_chunk::<HEAD_BYTES>()?;
        Some(Self {
            length: usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).ok()?,
            kind: *kind,
            flags: *flags,
            // The reserved bit says nothing (RFC 9113 §4.1).
            stream: u32::from_be_bytes(*stream) & 0x7FFF_FFFF,
        })
    }

    pub(super) const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// What a frame earns its client, or costs it: those that ask for work and carry none are paid
    /// for by those that do (RFC 9113 §10.5).
    pub(super) fn worth(&self, payload: &[u8]) -> i64 {
        match self.kind {
            kind::DATA if self.length == 0 && !self.has(flag::END_STREAM) => -1,
            kind::DATA => i64::try_from(self.length / CONTENT_BYTES).unwrap_or(0),
            kind::HEADERS => 4,
            kind::RST_STREAM => -8,
            kind::SETTINGS if !self.has(flag::ACK) => -4,
            kind::PING if !self.has(flag::ACK) => -2,
            kind::CONTINUATION => -2,
            kind::WINDOW_UPDATE => match payload.first_chunk() {
                Some(by) if u32::from_be_bytes(*by) >= WORTH_BYTES => -1,
                _ => -3,
            },
            _ => -1,
        }
    }
}

/// Writes a head; what it announces follows.
pub(super) fn head(out: &mut Vec<u8>, length: usize, kind: u8, flags: u8, stream: u32) {
    let [_, a, b, c] = u32::try_from(length).unwrap_or(0).to_be_bytes();
    let [d, e, f, g] = stream.to_be_bytes();
    out.extend_from_slice(&[a, b, c, kind, flags, d, e, f, g]);
}

/// Writes a head where room was left for it, at `at`.
pub(super) fn head_at(out: &mut [u8], at: usize, length: usize, kind: u8, flags: u8, stream: u32) {
    let [_, a, b, c] = u32::try_from(length).unwrap_or(0).to_be_bytes();
    let [d, e, f, g] = stream.to_be_bytes();
    let head = [a, b, c, kind, flags, d, e, f, g];
    for (to, from) in out.iter_mut().skip(at).zip(head) {
        *to = from;
    }
}

/// Ends a stream.
pub(super) fn reset(out: &mut Vec<u8>, stream: u32, code: Code) {
    head(out, 4, kind::RST_STREAM, flag::NONE, stream);
    out.extend_from_slice(&code.number().to_be_bytes());
}

/// Opens a window.
pub(super) fn window(out: &mut Vec<u8>, stream: u32, by: u32) {
    head(out, 4, kind::WINDOW_UPDATE, flag::NONE, stream);
    out.extend_from_slice(&by.to_be_bytes());
}

/// Ends the connection behind `last`.
pub(super) fn goaway(out: &mut Vec<u8>, last: u32, code: Code) {
    head(out, 8, kind::GOAWAY, flag::NONE, 0);
    out.extend_from_slice(&last.to_be_bytes());
    out.extend_from_slice(&code.number().to_be_bytes());
}

/// Asks whether anybody is there, or answers that.
pub(super) fn ping(out: &mut Vec<u8>, flags: u8, payload: [u8; 8]) {
    head(out, 8, kind::PING, flags, 0);
    out.extend_from_slice(&payload);
}
