//! Where the body of an HTTP/1 message ends, and which of its bytes are content (RFC 9112 §6 and §7).

use super::head::{Field, FieldKind, field};
use super::refusal::Refusal;

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is none.
    None,
    /// After so many more bytes.
    Length(u64),
    /// After the last chunk.
    Chunked(Chunked),
    /// With the connection; responses only.
    Close,
}

/// What the next bytes of a body are: first framing, then content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// So many bytes of framing.
    pub(crate) framing: usize,
    /// Then so many of content.
    pub(crate) content: usize,
    /// Whether the body ends there.
    pub(crate) ended: bool,
}

/// Where in a chunked body (RFC 9112 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunked {
    state: State,
    /// Bytes of extensions in the whole body.
    extension_bytes: u32,
    /// Bytes of trailers, and their lines.
    trailer_bytes: u32,
    trailers: u32,
    /// Whether trailers are refused that must not be any. Those of responses all end here.
    judged: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size { value: u64, digits: u8 },
    Extension { value: u64 },
    SizeLf { value: u64 },
    Data { left: u64 },
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    LastLf,
}

/// LIMIT: hexadecimal digits of a chunk's size.
const SIZE_DIGITS_MAX: u8 = 15;
/// LIMIT: bytes of chunk extensions in one body. Nobody uses them but to hide (RFC 9112 §7.1.1).
const EXTENSION_BYTES_MAX: u32 = 1024;
/// LIMIT: bytes of all trailers of one body.
const TRAILER_BYTES_MAX: u32 = 4096;
/// LIMIT: bytes of one trailer line.
const TRAILER_LINE_BYTES_MAX: usize = 1024;
/// LIMIT: trailer fields.
const TRAILERS_MAX: u32 = 16;

impl Framing {
    /// The chunked body of a request at its first byte.
    pub(crate) const fn chunked() -> Self {
        Self::Chunked(Chunked::new(true))
    }

    /// The chunked body of a response at its first byte.
    pub(crate) const fn chunked_response() -> Self {
        Self::Chunked(Chunked::new(false))
    }

    /// Bytes of content still to come, when that is known.
    pub(crate) const fn exact(&self) -> Option<u64> {
        match self {
            Self::None => Some(0),
            Self::Length(left) => Some(*left),
            Self::Chunked(_) | Self::Close => None,
        }
    }

    /// What the first of `bytes` are, which come next on the connection: as many as belong
    /// together. Called again with those behind them until the body has ended. `line` keeps a
    /// trailer line that is not whole yet.
    pub(crate) fn advance(&mut self, bytes: &[u8], line: &mut Vec<u8>) -> Result<Piece, Refusal> {
        match self {
            Self::None => Ok(Piece {
                framing: 0,
                content: 0,
                ended: true,
            }),
            Self::Close => Ok(Piece {
                framing: 0,
                content: bytes.len(),
                ended: false,
            }),
            Self::Length(left) => {
                let content = take(bytes.len(), left);
                Ok(Piece {
                    framing: 0,
                    content,
                    ended: *left == 0,
                })
            }
            Self::Chunked(chunked) => chunked.advance(bytes, line),
        }
    }
}

/// As many of `here` bytes as are `left`, which is then lower.
fn take(here: usize, left: &mut u64) -> usize {
    let taken = here.min(usize::try_from(*left).unwrap_or(usize::MAX));
    *left = left.saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX));
    taken
}

impl Chunked {
    const fn new(judged: bool) -> Self {
        Self {
            state: State::Size {
                value: 0,
                digits: 0,
            },
            extension_bytes: 0,
            trailer_bytes: 0,
            trailers: 0,
            judged,
        }
    }

    fn advance(&mut self, bytes: &[u8], line: &mut Vec<u8>) -> Result<Piece, Refusal> {
        let mut framing = 0;
        while let Some(&byte) = bytes.get(framing) {
            if let State::Data { left } = &mut self.state {
                let content = take(bytes.len().saturating_sub(framing), left);
                if *left == 0 {
                    self.state = State::DataCr;
                }
                return Ok(Piece {
                    framing,
                    content,
                    ended: false,
                });
            }
            framing = framing.saturating_add(1);
            if self.byte(byte, line)? {
                return Ok(Piece {
                    framing,
                    content: 0,
                    ended: true,
                });
            }
        }
        Ok(Piece {
            framing,
            content: 0,
            ended: false,
        })
    }

    /// One byte outside of chunk data; `true` when it was the body's last.
    fn byte(&mut self, byte: u8, line: &mut Vec<u8>) -> Result<bool, Refusal> {
        self.state = match (self.state, byte) {
            (State::Size { value, digits }, _) => size(value, digits, byte)?,
            (State::Extension { value }, b'\r') => State::SizeLf { value },
            (State::Extension { value }, b'\t' | 0x20..=0x7E) => {
                self.extension_bytes = self.extension_bytes.saturating_add(1);
                if self.extension_bytes > EXTENSION_BYTES_MAX {
                    return Err(Refusal::ChunkExtension);
                }
                State::Extension { value }
            }
            (State::Extension { .. }, _) => return Err(Refusal::ChunkExtension),
            (State::SizeLf { value: 0 }, b'\n') => State::TrailerStart,
            (State::SizeLf { value }, b'\n') => State::Data { left: value },
            (State::SizeLf { .. }, _) => return Err(Refusal::ChunkSize),
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size {
                value: 0,
                digits: 0,
            },
            (State::DataCr | State::DataLf | State::Data { .. }, _) => {
                return Err(Refusal::ChunkEnd);
            }
            (State::TrailerStart, b'\r') => State::LastLf,
            (State::LastLf, b'\n') => return Ok(true),
            (State::LastLf, _) => return Err(Refusal::Trailer),
            (State::TrailerLf, b'\n') => {
                self.trailer(line)?;
                line.clear();
                State::TrailerStart
            }
            (State::TrailerLf, _) => return Err(Refusal::Trailer),
            (State::Trailer, b'\r') => State::TrailerLf,
            (State::TrailerStart | State::Trailer, _) => self.trailer_byte(byte, line)?,
        };
        Ok(false)
    }

    fn trailer_byte(&mut self, byte: u8, line: &mut Vec<u8>) -> Result<State, Refusal> {
        self.trailer_bytes = self.trailer_bytes.saturating_add(1);
        if self.trailer_bytes > TRAILER_BYTES_MAX || line.len() >= TRAILER_LINE_BYTES_MAX {
            return Err(Refusal::TrailersTooLarge);
        }
        if byte == b'\n' {
            return Err(Refusal::Trailer);
        }
        line.push(byte);
        Ok(State::Trailer)
    }

    /// A whole trailer line: a field, and none that frames, routes, authenticates or describes the
    /// message (RFC 9110 §6.5.1).
    fn trailer(&mut self, line: &[u8]) -> Result<(), Refusal> {
        self.trailers = self.trailers.saturating_add(1);
        if self.trailers > TRAILERS_MAX {
            return Err(Refusal::TrailersTooLarge);
        }
        let Field { kind, name, .. } = field(line).map_err(|_| Refusal::Trailer)?;
        let forbidden = FORBIDDEN
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
            || FORBIDDEN_PREFIXES.iter().any(|prefix| {
                name.get(..prefix.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            });
        if self.judged && (kind != FieldKind::Other || forbidden) {
            return Err(Refusal::TrailerForbidden);
        }
        Ok(())
    }
}

const FORBIDDEN: [&[u8]; 16] = [
    b"authorization",
    b"cache-control",
    b"connection",
    b"content-encoding",
    b"content-range",
    b"content-type",
    b"cookie",
    b"expect",
    b"forwarded",
    b"keep-alive",
    b"origin",
    b"proxy-authorization",
    b"range",
    b"set-cookie",
    b"te",
    b"trailer",
];

const FORBIDDEN_PREFIXES: [&[u8]; 4] = [b"x-forwarded-", b"x-rampart-", b"rampart-", b"if-"];

fn size(value: u64, digits: u8, byte: u8) -> Result<State, Refusal> {
    let digit = match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        b'\r' if digits > 0 => return Ok(State::SizeLf { value }),
        b';' if digits > 0 => return Ok(State::Extension { value }),
        _ => return Err(Refusal::ChunkSize),
    };
    if digits >= SIZE_DIGITS_MAX {
        return Err(Refusal::ChunkSize);
    }
    Ok(State::Size {
        value: (value << 4) | u64::from(digit),
        digits: digits.saturating_add(1),
    })
}

#[cfg(test)]
mod tests;
