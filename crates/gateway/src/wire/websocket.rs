//! WebSocket frames (RFC 6455 §5), followed as they pass: their lengths are bounded, and what the
//! protocol forbids does not reach the other side. Payloads are nobody's business here.

use std::ops::ControlFlow;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// Masks every frame.
    Client,
    /// Masks none.
    Server,
}

/// Why frames are not passed on, and what both sides are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    /// A reserved bit without an extension that gives it a meaning (§5.2): none is ever agreed on.
    #[error("a reserved bit is set")]
    Reserved,
    /// An opcode that is none, or not now: a message within another, or one that never began.
    #[error("a frame that has no place here")]
    Opcode,
    /// Masked by a server, or not masked by a client (§5.1).
    #[error("a frame is masked that must not be, or not that must")]
    Mask,
    /// A control frame in pieces or of more than 125 bytes (§5.5), or a length that is not written
    /// in as few bytes as it can be.
    #[error("the length of a frame is malformed")]
    Length,
    /// A message longer than allowed.
    #[error("a message is longer than allowed")]
    TooLarge,
    /// Something after the frame that says there is nothing more (§5.5.1).
    #[error("something follows the closing frame")]
    AfterClose,
}

impl Broken {
    /// The status code of the closing frame (§7.4.1).
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::TooLarge => 1009,
            _ => 1002,
        }
    }
}

/// LIMIT: payload of a control frame.
const CONTROL_BYTES_MAX: u64 = 125;

/// One direction of a connection.
#[derive(Debug)]
pub(crate) struct Frames {
    sender: Sender,
    message_max: u64,
    /// Payload of the present frame still to come.
    left: u64,
    /// Bytes of the present message.
    message: u64,
    /// A message has begun and not ended.
    open: bool,
    closed: bool,
}

/// The head of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FrameHead {
    last: bool,
    opcode: u8,
    length: u64,
    bytes: usize,
}

impl Frames {
    /// At the first byte; a message has at most `message_max` bytes.
    pub(crate) const fn new(sender: Sender, message_max: u64) -> Self {
        Self {
            sender,
            message_max,
            left: 0,
            message: 0,
            open: false,
            closed: false,
        }
    }

    /// Whether the sender has said that nothing more follows.
    pub(crate) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether the next byte begins a frame.
    pub(crate) const fn is_between(&self) -> bool {
        self.left == 0
    }

    /// How many of `bytes`, which come next, may be passed on; what is left then is the start of a
    /// frame's head, at most 13 bytes, and is shown again with those behind it. An error comes with
    /// how many before it may still pass.
    pub(crate) fn follow(&mut self, bytes: &[u8]) -> Result<usize, (usize, Broken)> {
        let mut at = 0_usize;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let payload = rest
                .len()
                .min(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.left = self
                .left
                .saturating_sub(u64::try_from(payload).unwrap_or(u64::MAX));
            at = at.saturating_add(payload);
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(at);
            }
            let head = match head(rest, self.sender) {
                ControlFlow::Continue(()) => return Ok(at),
                ControlFlow::Break(head) => head.map_err(|broken| (at, broken))?,
            };
            self.begin(&head).map_err(|broken| (at, broken))?;
            at = at.saturating_add(head.bytes);
        }
    }

    /// Whether a frame may stand here.
    fn begin(&mut self, head: &FrameHead) -> Result<(), Broken> {
        if self.closed {
            return Err(Broken::AfterClose);
        }
        match (head.opcode, self.open) {
            (0, true) => {}
            (1 | 2, false) => self.message = 0,
            (8..=10, _) if head.last && head.length <= CONTROL_BYTES_MAX => {
                self.closed = head.opcode == 8;
                self.left = head.length;
                return Ok(());
            }
            (8..=10, _) => return Err(Broken::Length),
            _ => return Err(Broken::Opcode),
        }
        self.message = self.message.saturating_add(head.length);
        if self.message > self.message_max {
            return Err(Broken::TooLarge);
        }
        self.open = !head.last;
        self.left = head.length;
        Ok(())
    }
}

/// The head that `bytes` begin with; goes on when it is not whole.
fn head(bytes: &[u8], sender: Sender) -> ControlFlow<Result<FrameHead, Broken>> {
    let (Some(first), Some(second)) = (bytes.first(), bytes.get(1)) else {
        return ControlFlow::Continue(());
    };
    if first & 0x70 != 0 {
        return ControlFlow::Break(Err(Broken::Reserved));
    }
    let masked = second & 0x80 != 0;
    if masked != (sender == Sender::Client) {
        return ControlFlow::Break(Err(Broken::Mask));
    }
    let short = second & 0x7F;
    let width = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let whole = 2 + width + if masked { 4 } else { 0 };
    if bytes.len() < whole {
        return ControlFlow::Continue(());
    }
    let long = bytes.get(2..2 + width).unwrap_or_default();
    let long = long
        .iter()
        .fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
    let (length, fits) = match short {
        126 => (long, long > 125),
        127 => (long, long > 0xFFFF && long >> 63 == 0),
        _ => (u64::from(short), true),
    };
    if !fits {
        return ControlFlow::Break(Err(Broken::Length));
    }
    ControlFlow::Break(Ok(FrameHead {
        last: first & 0x80 != 0,
        opcode: first & 0x0F,
        length,
        bytes: whole,
    }))
}

/// The frame that ends a connection, from `sender` (§5.5.1). Its mask hides nothing; there is
/// nothing to hide.
pub(crate) fn close(sender: Sender, status: u16) -> Vec<u8> {
    let status = status.to_be_bytes();
    match sender {
        Sender::Server => [&[0x88, 2], status.as_slice()].concat(),
        Sender::Client => [&[0x88, 0x82, 0, 0, 0, 0], status.as_slice()].concat(),
    }
}

#[cfg(test)]
mod tests;
