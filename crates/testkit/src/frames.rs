//! HTTP/2 frames written by hand (RFC 9113 §4), so that nothing between test and server is polite.

/// The client's first bytes (RFC 9113 §3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Types of frames (RFC 9113 §6).
pub mod kind {
    /// Content of a message.
    pub const DATA: u8 = 0;
    /// Fields of a message.
    pub const HEADERS: u8 = 1;
    /// Says nothing any more.
    pub const PRIORITY: u8 = 2;
    /// The end of one stream.
    pub const RST_STREAM: u8 = 3;
    /// What the sender can take.
    pub const SETTINGS: u8 = 4;
    /// A server's alone.
    pub const PUSH_PROMISE: u8 = 5;
    /// Is anybody there?
    pub const PING: u8 = 6;
    /// The end of the connection.
    pub const GOAWAY: u8 = 7;
    /// Room for more content.
    pub const WINDOW_UPDATE: u8 = 8;
    /// More fields.
    pub const CONTINUATION: u8 = 9;
}

/// Flags of frames (RFC 9113 §6).
pub mod flag {
    /// Of SETTINGS and PING.
    pub const ACK: u8 = 0x1;
    /// Of DATA and HEADERS.
    pub const END_STREAM: u8 = 0x1;
    /// Of HEADERS and CONTINUATION.
    pub const END_HEADERS: u8 = 0x4;
    /// Of DATA and HEADERS.
    pub const PADDED: u8 = 0x8;
    /// Of HEADERS.
    pub const PRIORITY: u8 = 0x20;
}

/// One frame, whatever it says.
#[must_use]
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let [_, a, b, c] = length.to_be_bytes();
    let mut frame = vec![a, b, c, kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The preface with empty SETTINGS behind it.
#[must_use]
pub fn greeting() -> Vec<u8> {
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(kind::SETTINGS, 0, 0, &[]));
    bytes
}

/// One setting (RFC 9113 §6.5.1).
#[must_use]
pub fn setting(id: u16, value: u32) -> Vec<u8> {
    let mut bytes = id.to_be_bytes().to_vec();
    bytes.extend(value.to_be_bytes());
    bytes
}

/// Fields as literals without indexing, names and values as they are (RFC 7541 §6.2.2).
#[must_use]
pub fn literals<N: AsRef<[u8]>, V: AsRef<[u8]>>(fields: &[(N, V)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name.as_ref(), value.as_ref()] {
            integer(&mut block, 7, text.len());
            block.extend(text);
        }
    }
    block
}

/// An integer with a prefix of `bits` (RFC 7541 §5.1).
fn integer(out: &mut Vec<u8>, bits: u32, value: usize) {
    let most = (1_usize << bits) - 1;
    if value < most {
        out.push(u8::try_from(value).unwrap_or(0));
        return;
    }
    out.push(u8::try_from(most).unwrap_or(0));
    let mut rest = value - most;
    while rest >= 128 {
        out.push(u8::try_from(rest % 128).unwrap_or(0) | 0x80);
        rest /= 128;
    }
    out.push(u8::try_from(rest).unwrap_or(0));
}

/// A frame that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream.
    pub stream: u32,
    /// What it says.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The first whole frame of `bytes`, which is taken off.
    pub fn take(bytes: &mut Vec<u8>) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<9>()?;
        let [a, b, c, kind, flags, stream @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?;
        let payload = rest.get(..length)?.to_vec();
        bytes.drain(..length.saturating_add(9));
        Some(Self {
            kind,
            flags,
            stream: u32::from_be_bytes(stream) & 0x7FFF_FFFF,
            payload,
        })
    }

    /// The error code of RST_STREAM and GOAWAY (RFC 9113 §7).
    #[must_use]
    pub fn error(&self) -> Option<u32> {
        let code = match self.kind {
            kind::RST_STREAM => self.payload.first_chunk::<4>()?,
            kind::GOAWAY => self.payload.get(4..)?.first_chunk::<4>()?,
            _ => return None,
        };
        Some(u32::from_be_bytes(*code))
    }

    /// The status of an answer: an entry of the static table, or a literal whose digits stand as
    /// they are (RFC 7541 §6, appendix A); 0 when it is neither.
    #[must_use]
    pub fn status(&self) -> u16 {
        let block = &self.payload;
        match block.first() {
            Some(0x88) => 200,
            Some(0x89) => 204,
            Some(0x8A) => 206,
            Some(0x8B) => 304,
            Some(0x8C) => 400,
            Some(0x8D) => 404,
            Some(0x8E) => 500,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut bytes = frame(kind::GOAWAY, 1, 3, &[0, 0, 0, 0, 0, 0, 0, 11]);
        bytes.push(0);
        let read = Frame::take(&mut bytes).unwrap();
        assert_eq!((read.kind, read.flags, read.stream), (kind::GOAWAY, 1, 3));
        assert_eq!(read.error(), Some(11));
        assert_eq!(bytes, [0], "and no more");
        assert_eq!(Frame::take(&mut bytes), None);
    }

    #[test]
    fn long_texts_have_long_lengths() {
        let block = literals(&[("x", "v".repeat(300))]);
        assert_eq!(block[..5], [0, 1, b'x', 127, 173]);
        assert_eq!(block.len(), 3 + 3 + 300);
    }
}
