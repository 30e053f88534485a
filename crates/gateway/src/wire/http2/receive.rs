//! What comes in, frame by frame.

use bytes::{Buf as _, Bytes, BytesMut};

use super::frame::{self, BYTES_MAX, HEAD_BYTES, Head, PREFACE, WINDOW_MAX, flag, kind};
use super::session::{Begun, Block, Event, Session, narrow, setting};
use super::streams::Stream;
use super::{Code, Goodbye};
use crate::wire::refusal::Refusal;

/// Content from so many bytes on is kept where it was read, not copied.
const KEPT_BYTES: usize = 2048;
/// LIMIT: frames one head may come in (CVE-2024-27316).
const PARTS_MAX: usize = 16;

type Came = Result<Option<Event>, Goodbye>;

impl Session {
    /// What the first of `input` says; it is taken off. `None` when more must come first.
    ///
    /// # Errors
    /// [`Goodbye`] where the connection cannot go on; nothing more must be read then.
    pub(crate) fn next(&mut self, input: &mut BytesMut) -> Came {
        loop {
            if self.begun == Begun::Nothing && !self.preface(input)? {
                return Ok(None);
            }
            let Some(head) = Head::read(input) else {
                return Ok(None);
            };
            if head.length > BYTES_MAX {
                return Err(Goodbye(Code::FrameSize));
            }
            let end = HEAD_BYTES.saturating_add(head.length);
            let Some(payload) = input.get(HEAD_BYTES..end) else {
                return Ok(None);
            };
            self.worth = self.worth.saturating_add(head.worth(payload));
            self.expects(&head)?;
            let event = if head.kind == kind::DATA {
                self.data(&head, input)?
            } else {
                let event = self.frame(&head, payload)?;
                input.advance(end);
                event
            };
            if event.is_some() {
                return Ok(event);
            }
            if self.worth < 0 {
                // Whoever reads on decides first whether that is too much.
                return Ok(None);
            }
        }
    }

    fn preface(&mut self, input: &mut BytesMut) -> Result<bool, Goodbye> {
        let here = input.len().min(PREFACE.len());
        if input.get(..here) != PREFACE.get(..here) {
            return Err(Goodbye(Code::Protocol));
        }
        if here < PREFACE.len() {
            return Ok(false);
        }
        input.advance(here);
        self.begun = Begun::Preface;
        Ok(true)
    }

    /// Settings come first (RFC 9113 §3.4), and nothing within a head (§4.3).
    fn expects(&mut self, head: &Head) -> Result<(), Goodbye> {
        if self.begun == Begun::Preface {
            if head.kind != kind::SETTINGS || head.has(flag::ACK) {
                return Err(Goodbye(Code::Protocol));
            }
            self.begun = Begun::Settings;
        }
        let is_expected = match &self.block {
            Some(block) => head.kind == kind::CONTINUATION && head.stream == block.stream,
            None => head.kind != kind::CONTINUATION,
        };
        if is_expected {
            Ok(())
        } else {
            Err(Goodbye(Code::Protocol))
        }
    }

    fn frame(&mut self, head: &Head, payload: &[u8]) -> Came {
        match head.kind {
            kind::HEADERS => self.headers(head, payload),
            kind::PRIORITY => self.priority(head, payload),
            kind::RST_STREAM => self.reset_by_client(head, payload),
            kind::SETTINGS => self.settings(head, payload),
            kind::PUSH_PROMISE => Err(Goodbye(Code::Protocol)),
            kind::PING => self.pinged(head, payload),
            kind::GOAWAY => self.left(head, payload),
            kind::WINDOW_UPDATE => self.window(head, payload),
            kind::CONTINUATION => self.continuation(head, payload),
            // What is unknown is passed over (RFC 9113 §5.5).
            _ => Ok(None),
        }
    }

    /// Ends a stream for what its client did.
    fn fail(&mut self, place: usize, code: Code) -> Came {
        if let Some(stream) = self.streams.close(place) {
            self.streams.ended_early(stream.id);
            self.refuse(stream.id, code)?;
        }
        Ok(Some(Event::Failed { place }))
    }

    /// Says that a stream has ended by an error of the client's, as often as that may be.
    fn refuse(&mut self, stream: u32, code: Code) -> Result<(), Goodbye> {
        self.error_resets = self.error_resets.saturating_add(1);
        if self.error_resets > self.limits.error_resets_max {
            return Err(Goodbye(Code::EnhanceYourCalm));
        }
        frame::reset(&mut self.out, stream, code);
        Ok(())
    }

    /// Streams that no client has opened so far (RFC 9113 §5.1.1).
    const fn is_idle(&self, stream: u32) -> bool {
        stream > self.last || stream.is_multiple_of(2)
    }

    /// DATA (RFC 9113 §6.1). Padding counts against the windows, and is given back at once.
    fn data(&mut self, head: &Head, input: &mut BytesMut) -> Came {
        if head.stream == 0 || self.is_idle(head.stream) {
            return Err(Goodbye(Code::Protocol));
        }
        let (before, behind) = if head.has(flag::PADDED) {
            let padding = input.get(HEAD_BYTES).filter(|_| head.length > 0);
            (1, usize::from(*padding.ok_or(Goodbye(Code::FrameSize))?))
        } else {
            (0, 0)
        };
        let frames = before + behind;
        let length = head.length.checked_sub(frames);
        let length = length.ok_or(Goodbye(Code::Protocol))?;
        let whole = narrow(head.length);
        self.receive = self
            .receive
            .checked_sub(whole)
            .ok_or(Goodbye(Code::FlowControl))?;
        input.advance(HEAD_BYTES.saturating_add(before));
        let Some(place) = self.streams.find(head.stream) else {
            input.advance(length.saturating_add(behind));
            self.returned(head.length);
            if !self.streams.has_ended_early(head.stream) {
                self.refuse(head.stream, Code::StreamClosed)?;
            }
            return Ok(None);
        };
        let content = if length >= KEPT_BYTES {
            input.split_to(length).freeze()
        } else {
            let content = Bytes::copy_from_slice(input.get(..length).unwrap_or_default());
            input.advance(length);
            content
        };
        input.advance(behind);
        let ends = head.has(flag::END_STREAM);
        if let Some(code) = self.wrong(place, whole, length, ends) {
            self.returned(head.length);
            return self.fail(place, code);
        }
        self.taken(place, frames);
        if content.is_empty() && !ends {
            return Ok(None);
        }
        Ok(Some(Event::Data {
            place,
            content,
            ends,
        }))
    }

    /// Counts content that came; why it should not have.
    fn wrong(&mut self, place: usize, whole: u32, length: usize, ends: bool) -> Option<Code> {
        let stream = self.streams.at_mut(place)?;
        if stream.is_received {
            return Some(Code::StreamClosed);
        }
        let Some(receive) = stream.receive.checked_sub(whole) else {
            return Some(Code::FlowControl);
        };
        stream.receive = receive;
        if let Some(left) = &mut stream.left {
            let length = u64::try_from(length).unwrap_or(u64::MAX);
            match left.checked_sub(length) {
                // As long as it says, neither more nor less (RFC 9113 §8.1.1).
                Some(rest) if rest == 0 || !ends => *left = rest,
                _ => return Some(Code::Protocol),
            }
        }
        stream.is_received = ends;
        None
    }

    /// HEADERS (RFC 9113 §6.2).
    fn headers(&mut self, head: &Head, payload: &[u8]) -> Came {
        if head.stream == 0 || head.stream.is_multiple_of(2) {
            return Err(Goodbye(Code::Protocol));
        }
        let mut block = payload;
        if head.has(flag::PADDED) {
            let (padding, rest) = block.split_first().ok_or(Goodbye(Code::FrameSize))?;
            let end = rest.len().checked_sub(usize::from(*padding));
            block = rest
                .get(..end.ok_or(Goodbye(Code::Protocol))?)
                .unwrap_or_default();
        }
        let mut on_itself = false;
        if head.has(flag::PRIORITY) {
            let (priority, rest) = block
                .split_first_chunk::<5>()
                .ok_or(Goodbye(Code::FrameSize))?;
            on_itself = depends_on(priority) == head.stream;
            block = rest;
        }
        let ends = head.has(flag::END_STREAM);
        if head.has(flag::END_HEADERS) {
            return self.whole(head.stream, ends, on_itself, block);
        }
        self.block = Some(Block {
            stream: head.stream,
            ends,
            on_itself,
            bytes: block.to_vec(),
            parts: 1,
        });
        Ok(None)
    }

    /// CONTINUATION (RFC 9113 §6.10).
    fn continuation(&mut self, head: &Head, payload: &[u8]) -> Came {
        let Some(mut block) = self.block.take() else {
            return Err(Goodbye(Code::Protocol));
        };
        block.parts = block.parts.saturating_add(1);
        // LIMIT: a head that is allowed is not longer in this code, but for a client that means it
        // to be; what is too long is read to its end only while that is not far.
        let bytes_max = self.limits.head.bytes_max.saturating_mul(2);
        if block.parts > PARTS_MAX || block.bytes.len().saturating_add(payload.len()) > bytes_max {
            return Err(Goodbye(Code::EnhanceYourCalm));
        }
        block.bytes.extend_from_slice(payload);
        if head.has(flag::END_HEADERS) {
            return self.whole(block.stream, block.ends, block.on_itself, &block.bytes);
        }
        self.block = Some(block);
        Ok(None)
    }

    /// A whole head. It is read whatever becomes of it: what it puts into the table, others use.
    fn whole(&mut self, id: u32, ends: bool, on_itself: bool, block: &[u8]) -> Came {
        self.head.clear();
        let (decoder, head) = (&mut self.decoder, &mut self.head);
        let read = decoder.decode(block, |field| head.take(field));
        read.map_err(|_| Goodbye(Code::Compression))?;
        if id <= self.last {
            return self.trailed(id, ends, on_itself);
        }
        self.last = id;
        if self.last_taken.is_some_and(|last| id > last) {
            return Ok(None);
        }
        if on_itself {
            self.streams.ended_early(id);
            self.refuse(id, Code::Protocol)?;
            return Ok(None);
        }
        if narrow(self.streams.count()) >= self.limits.streams_max {
            self.streams.ended_early(id);
            self.worth = self.worth.saturating_sub(8);
            frame::reset(&mut self.out, id, Code::RefusedStream);
            return Ok(None);
        }
        let accepted = self.head.request();
        let left = accepted.as_ref().ok().and_then(|accepted| accepted.length);
        let place = self.streams.open(Stream {
            id,
            is_received: ends,
            send: self.send_first,
            receive: self.limits.stream_window,
            taken: 0,
            left,
        });
        Ok(Some(match accepted {
            Ok(_) if ends && left.is_some_and(|left| left > 0) => Event::Refused {
                place,
                refusal: Refusal::LengthInvalid,
            },
            Ok(accepted) => Event::Request {
                place,
                accepted,
                ends,
            },
            Err(refusal) => Event::Refused { place, refusal },
        }))
    }

    /// A head on a stream that was opened before.
    fn trailed(&mut self, id: u32, ends: bool, on_itself: bool) -> Came {
        let Some(place) = self.streams.find(id) else {
            return if self.streams.has_ended_early(id) {
                Ok(None)
            } else {
                Err(Goodbye(Code::StreamClosed))
            };
        };
        let fields = self.head.trailers();
        let stream = self.streams.at_mut(place).ok_or(Goodbye(Code::Internal))?;
        if stream.is_received {
            return self.fail(place, Code::StreamClosed);
        }
        // They are the end of the message, and its content is as long as it says (§8.1).
        let is_short = stream.left.is_some_and(|left| left > 0);
        let Some(fields) = fields.ok().filter(|_| ends && !on_itself && !is_short) else {
            return self.fail(place, Code::Protocol);
        };
        stream.is_received = true;
        Ok(Some(Event::Trailers { place, fields }))
    }

    /// PRIORITY (RFC 9113 §6.3) says nothing any more, but must have its form.
    fn priority(&mut self, head: &Head, payload: &[u8]) -> Came {
        if head.stream == 0 {
            return Err(Goodbye(Code::Protocol));
        }
        let place = self.streams.find(head.stream);
        match (<&[u8; 5]>::try_from(payload), place) {
            (Err(_), Some(place)) => self.fail(place, Code::FrameSize),
            (Err(_), None) => Err(Goodbye(Code::FrameSize)),
            (Ok(priority), Some(place)) if depends_on(priority) == head.stream => {
                self.fail(place, Code::Protocol)
            }
            (Ok(_), _) => Ok(None),
        }
    }

    /// RST_STREAM (RFC 9113 §6.4).
    fn reset_by_client(&mut self, head: &Head, payload: &[u8]) -> Came {
        if payload.len() != 4 {
            return Err(Goodbye(Code::FrameSize));
        }
        if head.stream == 0 || self.is_idle(head.stream) {
            return Err(Goodbye(Code::Protocol));
        }
        let Some(place) = self.streams.find(head.stream) else {
            return Ok(None);
        };
        self.streams.close(place);
        Ok(Some(Event::Reset { place }))
    }

    /// SETTINGS (RFC 9113 §6.5).
    fn settings(&mut self, head: &Head, payload: &[u8]) -> Came {
        if head.stream != 0 {
            return Err(Goodbye(Code::Protocol));
        }
        let (settings, rest) = payload.as_chunks::<6>();
        if !rest.is_empty() || (head.has(flag::ACK) && !payload.is_empty()) {
            return Err(Goodbye(Code::FrameSize));
        }
        if head.has(flag::ACK) {
            return Ok(None);
        }
        for [a, b, c, d, e, f] in settings {
            self.set(
                u16::from_be_bytes([*a, *b]),
                u32::from_be_bytes([*c, *d, *e, *f]),
            )?;
        }
        frame::head(&mut self.out, 0, kind::SETTINGS, flag::ACK, 0);
        Ok(Some(Event::RoomForAll))
    }

    fn set(&mut self, id: u16, value: u32) -> Result<(), Goodbye> {
        match id {
            setting::HEADER_TABLE_SIZE => {
                self.encoder.resize(usize::try_from(value).unwrap_or(0));
            }
            setting::ENABLE_PUSH if value > 1 => return Err(Goodbye(Code::Protocol)),
            setting::INITIAL_WINDOW_SIZE => {
                let first = i64::from(value);
                if first > WINDOW_MAX {
                    return Err(Goodbye(Code::FlowControl));
                }
                // It moves the windows of streams that are open too (RFC 9113 §6.9.2).
                let by = first.saturating_sub(self.send_first);
                self.send_first = first;
                for stream in self.streams.all_mut() {
                    stream.send = stream.send.saturating_add(by);
                    if stream.send > WINDOW_MAX {
                        return Err(Goodbye(Code::FlowControl));
                    }
                }
            }
            setting::MAX_FRAME_SIZE if !(16_384..=16_777_215).contains(&value) => {
                return Err(Goodbye(Code::Protocol));
            }
            // Frames stay as long as every peer takes them, and nothing is pushed.
            _ => {}
        }
        Ok(())
    }

    /// PING (RFC 9113 §6.7).
    fn pinged(&mut self, head: &Head, payload: &[u8]) -> Came {
        let payload = <[u8; 8]>::try_from(payload).map_err(|_| Goodbye(Code::FrameSize))?;
        if head.stream != 0 {
            return Err(Goodbye(Code::Protocol));
        }
        if head.has(flag::ACK) {
            return Ok(Some(Event::Pong(payload)));
        }
        frame::ping(&mut self.out, flag::ACK, payload);
        Ok(None)
    }

    /// GOAWAY (RFC 9113 §6.8).
    fn left(&mut self, head: &Head, payload: &[u8]) -> Came {
        if head.stream != 0 {
            return Err(Goodbye(Code::Protocol));
        }
        if payload.len() < 8 {
            return Err(Goodbye(Code::FrameSize));
        }
        self.is_left = true;
        Ok(None)
    }

    /// WINDOW_UPDATE (RFC 9113 §6.9).
    fn window(&mut self, head: &Head, payload: &[u8]) -> Came {
        let by = <[u8; 4]>::try_from(payload).map_err(|_| Goodbye(Code::FrameSize))?;
        let by = i64::from(u32::from_be_bytes(by) & 0x7FFF_FFFF);
        if head.stream == 0 {
            self.send = self.send.saturating_add(by);
            return match by {
                0 => Err(Goodbye(Code::Protocol)),
                _ if self.send > WINDOW_MAX => Err(Goodbye(Code::FlowControl)),
                _ => Ok(Some(Event::RoomForAll)),
            };
        }
        if self.is_idle(head.stream) {
            return Err(Goodbye(Code::Protocol));
        }
        let Some(place) = self.streams.find(head.stream) else {
            return Ok(None);
        };
        if by == 0 {
            return self.fail(place, Code::Protocol);
        }
        let stream = self.streams.at_mut(place).ok_or(Goodbye(Code::Internal))?;
        stream.send = stream.send.saturating_add(by);
        if stream.send > WINDOW_MAX {
            return self.fail(place, Code::FlowControl);
        }
        Ok(Some(Event::Room { place }))
    }
}

/// The stream that another depends on (RFC 7540 §6.3).
fn depends_on(priority: &[u8; 5]) -> u32 {
    let [a, b, c, d, _] = *priority;
    u32::from_be_bytes([a, b, c, d]) & 0x7FFF_FFFF
}
