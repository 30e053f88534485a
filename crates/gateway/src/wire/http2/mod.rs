//! HTTP/2 as a server speaks it (RFC 9113): frames, the compression of fields, streams and their
//! windows. Bytes in, events and bytes out; no sockets, no time.
//!
//! A request is made once, of the bytes of its head, in the form every request has here; what two
//! readers could read differently is refused. Whatever a client may make this remember or do has a
//! limit, and each limit is a value that is handed in or stands here.

mod frame;
mod head;
mod hpack;
mod receive;
mod send;
mod session;
mod streams;

pub(crate) use head::Accepted;
pub(crate) use send::End;
pub(crate) use session::{Event, Limits, Session};

/// Why a stream or a connection ends (RFC 9113 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    NoError,
    Protocol,
    Internal,
    FlowControl,
    StreamClosed,
    FrameSize,
    RefusedStream,
    Cancel,
    Compression,
    EnhanceYourCalm,
}

impl Code {
    const fn number(self) -> u32 {
        match self {
            Self::NoError => 0,
            Self::Protocol => 1,
            Self::Internal => 2,
            Self::FlowControl => 3,
            Self::StreamClosed => 5,
            Self::FrameSize => 6,
            Self::RefusedStream => 7,
            Self::Cancel => 8,
            Self::Compression => 9,
            Self::EnhanceYourCalm => 11,
        }
    }
}

/// The connection cannot go on (RFC 9113 §5.4.1): a goodbye with this code is the last of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Goodbye(pub(crate) Code);

#[cfg(test)]
mod tests;
