//! One connection as its two ends see it: what may come next, and what is to be sent.

use bytes::Bytes;
use http::HeaderMap;

use super::frame::{self, BYTES_MAX, WINDOW, flag, kind};
use super::head::{Accepted, Head};
use super::hpack::{Decoder, Encoder};
use super::streams::Streams;
use super::{Code, Goodbye};
use crate::wire::head::HeadLimits;
use crate::wire::refusal::Refusal;

/// How much a client may do at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Of each head, and of trailers.
    pub(crate) head: HeadLimits,
    /// Open streams.
    pub(crate) streams_max: u32,
    /// Streams this side may have to end because of the client's errors (CVE-2025-8671).
    pub(crate) error_resets_max: usize,
    /// Bytes of content a client may send ahead on a stream.
    pub(crate) stream_window: u32,
    /// The same, on the whole connection.
    pub(crate) connection_window: u32,
}

/// What a client did. A stream is known by its place from its request to its end.
#[derive(Debug)]
pub(crate) enum Event {
    /// A request; with `ends`, it has no content.
    Request {
        place: usize,
        accepted: Accepted,
        ends: bool,
    },
    /// Its head broke a rule: it is to be answered with that.
    Refused { place: usize, refusal: Refusal },
    /// Content of a request; with `ends`, the last.
    Data {
        place: usize,
        content: Bytes,
        ends: bool,
    },
    /// What stands behind the content of a request.
    Trailers { place: usize, fields: HeaderMap },
    /// The client took a request back.
    Reset { place: usize },
    /// The client broke a rule of a stream, which has ended by it.
    Failed { place: usize },
    /// There is room for more of one answer.
    Room { place: usize },
    /// There is room for more of all answers.
    RoomForAll,
    /// The answer to [`Session::ping`].
    Pong([u8; 8]),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Session {
    pub(super) limits: Limits,
    pub(super) begun: Begun,
    pub(super) decoder: Decoder,
    pub(super) encoder: Encoder,
    pub(super) head: Head,
    pub(super) streams: Streams,
    /// A head that is not whole.
    pub(super) block: Option<Block>,
    /// What is to be sent.
    pub(super) out: Vec<u8>,
    /// The highest stream that was opened.
    pub(super) last: u32,
    /// Streams above are not looked at any more.
    pub(super) last_taken: Option<u32>,
    /// The client opens no more.
    pub(super) is_left: bool,
    /// Content the client has room for on the connection, and on a new stream.
    pub(super) send: i64,
    pub(super) send_first: i64,
    /// Content the client may still send, and what was taken and is not told to be.
    pub(super) receive: u32,
    pub(super) taken: u32,
    pub(super) error_resets: usize,
    /// What the client earned and cost since it was last asked.
    pub(super) worth: i64,
}

/// How far the greeting is (RFC 9113 §3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    Nothing,
    Preface,
    Settings,
}

/// A head whose end has not come.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) stream: u32,
    pub(super) ends: bool,
    pub(super) on_itself: bool,
    pub(super) bytes: Vec<u8>,
    pub(super) parts: usize,
}

/// Settings (RFC 9113 §6.5.2; RFC 9218 §2.1).
pub(super) mod setting {
    pub(in super::super) const HEADER_TABLE_SIZE: u16 = 1;
    pub(in super::super) const ENABLE_PUSH: u16 = 2;
    pub(in super::super) const MAX_CONCURRENT_STREAMS: u16 = 3;
    pub(in super::super) const INITIAL_WINDOW_SIZE: u16 = 4;
    pub(in super::super) const MAX_FRAME_SIZE: u16 = 5;
    pub(in super::super) const MAX_HEADER_LIST_SIZE: u16 = 6;
    pub(in super::super) const NO_RFC7540_PRIORITIES: u16 = 9;
}

impl Session {
    /// A connection that begins; what it says first is to be sent.
    pub(crate) fn new(limits: Limits) -> Self {
        let head_bytes_max = u32::try_from(limits.head.bytes_max).unwrap_or(u32::MAX);
        let mut out = Vec::new();
        let settings = [
            (setting::MAX_CONCURRENT_STREAMS, limits.streams_max),
            (setting::INITIAL_WINDOW_SIZE, limits.stream_window),
            (setting::MAX_HEADER_LIST_SIZE, head_bytes_max),
            (setting::NO_RFC7540_PRIORITIES, 1),
        ];
        let length = settings.len().saturating_mul(6);
        frame::head(&mut out, length, kind::SETTINGS, flag::NONE, 0);
        for (id, value) in settings {
            out.extend_from_slice(&id.to_be_bytes());
            out.extend_from_slice(&value.to_be_bytes());
        }
        let more = limits.connection_window.saturating_sub(WINDOW);
        if more > 0 {
            frame::window(&mut out, 0, more);
        }
        Self {
            begun: Begun::Nothing,
            decoder: Decoder::new(),
            encoder: Encoder::new(),
            head: Head::new(limits.head),
            streams: Streams::default(),
            block: None,
            out,
            last: 0,
            last_taken: None,
            is_left: false,
            send: i64::from(WINDOW),
            send_first: i64::from(WINDOW),
            receive: limits.connection_window.max(WINDOW),
            taken: 0,
            error_resets: 0,
            worth: 0,
            limits,
        }
    }

    /// What is to be sent; whoever sends it empties it.
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Open streams.
    pub(crate) fn open(&self) -> usize {
        self.streams.count()
    }

    /// No request follows those that are open: both sides know of it, or the client said so.
    pub(crate) const fn is_left(&self) -> bool {
        self.is_left || self.last_taken.is_some()
    }

    /// What the client earned and cost since this was asked last.
    pub(crate) fn worth(&mut self) -> i64 {
        std::mem::take(&mut self.worth)
    }

    /// Asks whether anybody is there.
    pub(crate) fn ping(&mut self, payload: [u8; 8]) {
        frame::ping(&mut self.out, flag::NONE, payload);
    }

    /// Says that the connection ends soon: requests that are under way to it are still taken
    /// (RFC 9113 §6.8).
    pub(crate) fn leave(&mut self) {
        frame::goaway(&mut self.out, 0x7FFF_FFFF, Code::NoError);
    }

    /// Says which request was the last.
    pub(crate) fn leave_now(&mut self) {
        if self.last_taken.is_none() {
            self.last_taken = Some(self.last);
            frame::goaway(&mut self.out, self.last, Code::NoError);
        }
    }

    /// Says why the connection ends here.
    pub(crate) fn goodbye(&mut self, Goodbye(code): Goodbye) {
        let last = self.last_taken.unwrap_or(self.last);
        frame::goaway(&mut self.out, last, code);
    }

    /// So much content of an open stream was taken: its client may send as much again.
    pub(crate) fn taken(&mut self, place: usize, bytes: usize) {
        self.returned(bytes);
        let window = self.limits.stream_window;
        let Some(stream) = self.streams.at_mut(place).filter(|s| !s.is_received) else {
            return;
        };
        stream.taken = stream.taken.saturating_add(narrow(bytes));
        if stream.taken >= window / 2 {
            let by = std::mem::take(&mut stream.taken);
            stream.receive = stream.receive.saturating_add(by);
            frame::window(&mut self.out, stream.id, by);
        }
    }

    /// So much content of a stream that is no more was taken, or is wanted by nobody.
    pub(crate) fn returned(&mut self, bytes: usize) {
        self.taken = self.taken.saturating_add(narrow(bytes));
        if self.taken >= self.limits.connection_window / 2 {
            let by = std::mem::take(&mut self.taken);
            self.receive = self.receive.saturating_add(by);
            frame::window(&mut self.out, 0, by);
        }
    }

    /// How much content of a stream the client has room for now, at most what one frame takes.
    pub(crate) fn room(&self, place: usize) -> usize {
        let of = self.streams.at(place).map_or(0, |stream| stream.send);
        let room = of.min(self.send).max(0);
        usize::try_from(room).unwrap_or(0).min(BYTES_MAX)
    }
}

pub(super) fn narrow(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
