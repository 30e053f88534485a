//! What moves a connection: reads, hands requests to their lanes, takes their answers to the client,
//! and writes what there is at the end of each turn as one.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};

use super::ready::Ready;
use super::slot::{Slot, Turn};
use super::watch::{Now, Verdict, Watch};
use super::{StreamLimits, limits};
use crate::deadline::Deadline;
use crate::front::Handler;
use crate::front::connection::Stop;
use crate::front::flood::Credit;
use crate::front::service::Service;
use crate::front::worker::Settings;
use crate::scratch;
use crate::wire::http2::{Code, Event, Goodbye, Session};

/// LIMIT: bytes of frames that wait to be written; no answer puts more behind them.
const OUT_BYTES_MAX: usize = 64 * 1024;
/// LIMIT: the same, with what is said of what was read; then nothing more is read.
const SAID_BYTES_MAX: usize = 2 * OUT_BYTES_MAX;
/// Bytes of buffers that are kept while nothing is in them.
const KEPT_BYTES: usize = 4 * 1024;
/// LIMIT: turns before others of the worker get theirs.
const TURNS_MAX: u32 = 8;
/// LIMIT: bytes read and thrown away after the goodbye, so that the client gets to read it.
const LINGER_BYTES_MAX: usize = 64 * 1024;
/// LIMIT: how long that may take.
const LINGER_FOR: Duration = Duration::from_secs(1);
/// Asks whether anybody is there, and whether the first goodbye was heard.
const THERE: [u8; 8] = *b"rampart?";
const HEARD: [u8; 8] = *b"goodbye?";

/// See the module.
pub(super) struct Driver<S, H> {
    stream: S,
    service: Arc<Service<H>>,
    limits: StreamLimits,
    session: Session,
    input: BytesMut,
    /// Up to where what is to be sent is written.
    written: usize,
    is_unflushed: bool,
    slots: Vec<Slot>,
    ready: Arc<Ready>,
    /// Places whose answers have more to send as soon as there is room.
    queue: VecDeque<usize>,
    credit: Credit,
    watch: Watch,
    stop: Stop,
    /// There was a request.
    is_used: bool,
    is_leaving: bool,
    /// Turns so far, and requests of the present one that their client took back.
    turns: u64,
    taken_back: usize,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Open,
    /// Nothing more is read or answered: what waits is written, then the stream is closed.
    Closing(Deadline),
    Lingering {
        until: Deadline,
        left: usize,
    },
}

/// How the connection goes on.
type Goes = Result<(), Ends>;

/// Why it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// The client is gone, or takes nothing.
    Gone,
    /// A goodbye was said.
    Said,
}

impl From<io::Error> for Ends {
    fn from(error: io::Error) -> Self {
        tracing::debug!(%error, "an HTTP/2 connection ended early");
        Self::Gone
    }
}

impl<S, H> Driver<S, H>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Handler,
{
    pub(super) fn new(
        stream: S,
        service: Arc<Service<H>>,
        settings: &Settings,
        drain: net::Guard,
    ) -> Self {
        let streams = settings.streams;
        let places = usize::try_from(streams.concurrent_max).unwrap_or(usize::MAX);
        Self {
            stream,
            service,
            limits: streams,
            session: Session::new(limits(&streams, settings.wire.head)),
            input: BytesMut::new(),
            written: 0,
            is_unflushed: false,
            slots: Vec::new(),
            ready: Ready::new(places),
            queue: VecDeque::new(),
            credit: Credit::new(),
            watch: Watch::new(settings.wire, streams),
            stop: Stop::new(drain),
            is_used: false,
            is_leaving: false,
            turns: 0,
            taken_back: 0,
            phase: Phase::Open,
        }
    }

    /// Ready when the connection has ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.ready.look(cx.waker());
        if matches!(self.phase, Phase::Open) {
            match self.poll_open(cx) {
                Ok(()) => {
                    if self.ready.rest() {
                        cx.waker().wake_by_ref();
                    }
                    return Poll::Pending;
                }
                Err(Ends::Gone) => {
                    self.drop_all();
                    return Poll::Ready(());
                }
                Err(Ends::Said) => self.close(),
            }
        }
        self.poll_close(cx)
    }

    /// Goes on as far as it goes now; the task is woken when there is more to do.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Goes {
        // Twice, as RFC 9113 §6.8 says: first that there is no next request, and once the client
        // must have heard it, which was the last.
        if self.stop.poll(cx).is_some() {
            self.leave();
        }
        while self.watch.poll_tick(cx).is_ready() {
            self.look()?;
        }
        for _ in 0..TURNS_MAX {
            let moved = self.turn(cx)?;
            if self.session.open() == 0 && self.session.is_left() && self.session.out().is_empty() {
                return Err(Ends::Said);
            }
            if !moved {
                return Ok(());
            }
            if !tokio::task::coop::has_budget_remaining() {
                break;
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    /// Reads once, looks after every request that has something to do, writes; whether anything
    /// moved.
    fn turn(&mut self, cx: &mut Context<'_>) -> Result<bool, Ends> {
        let mut moved = false;
        self.taken_back = 0;
        self.turns = self.turns.wrapping_add(1);
        if self.session.out().len() < SAID_BYTES_MAX
            && let Poll::Ready(read) = scratch::poll_fill(&mut self.stream, cx, &mut self.input)
        {
            if read? == 0 {
                return Err(Ends::Gone);
            }
            self.watch.read();
            moved = true;
            self.take_in()?;
        }
        for word in 0..self.ready.words() {
            for place in self.ready.take(word) {
                moved = true;
                self.advance(place);
            }
        }
        for _ in 0..self.queue.len() {
            let Some(place) = self.queue.pop_front() else {
                break;
            };
            if let Some(slot) = self.slots.get_mut(place) {
                slot.is_queued = false;
            }
            self.send(place);
        }
        Ok(self.poll_write(cx)? || moved)
    }

    /// Everything that was read.
    fn take_in(&mut self) -> Goes {
        loop {
            let event = match self.session.next(&mut self.input) {
                Ok(event) => event,
                Err(goodbye) => return self.end(goodbye),
            };
            let worth = self.session.worth();
            if !self.credit.bears(worth) {
                return self.end(Goodbye(Code::EnhanceYourCalm));
            }
            match event {
                Some(event) => self.happened(event)?,
                None if worth < 0 => {}
                None => break,
            }
        }
        if self.input.is_empty() && self.input.capacity() > KEPT_BYTES.saturating_mul(8) {
            self.input = BytesMut::new();
        }
        Ok(())
    }

    fn happened(&mut self, event: Event) -> Goes {
        match event {
            Event::Request {
                place,
                accepted,
                ends,
            } => {
                self.is_used = true;
                if let Some(slot) = Slot::at(&mut self.slots, place, &self.ready) {
                    slot.begin(&self.service, accepted, ends, self.turns);
                }
                self.advance(place);
            }
            Event::Refused { place, refusal } => {
                self.is_used = true;
                let response = self.service.refuse(refusal);
                if let Some(slot) = Slot::at(&mut self.slots, place, &self.ready) {
                    slot.answer(response);
                }
                self.send(place);
            }
            Event::Data {
                place,
                content,
                ends,
            } => {
                if let Some(unwanted) = self.slot(place).and_then(|slot| slot.put(content, ends)) {
                    // Its own window stays as it is: no more than that comes for nothing.
                    self.session.returned(unwanted);
                }
            }
            Event::Trailers { place, fields } => {
                if let Some(slot) = self.slot(place) {
                    slot.trailers(fields);
                }
            }
            Event::Reset { place } => {
                let turns = self.turns;
                let is_fresh = self.slot(place).is_some_and(|slot| slot.began_in(turns));
                self.clear(place);
                // SECURITY: who asks only to take it back makes others work for nothing
                // (CVE-2023-44487).
                self.taken_back = self.taken_back.saturating_add(usize::from(is_fresh));
                if self.taken_back > self.limits.pending_resets_max {
                    return self.end(Goodbye(Code::EnhanceYourCalm));
                }
            }
            Event::Failed { place } => self.clear(place),
            Event::Room { place } => self.send(place),
            Event::RoomForAll => {
                for place in 0..self.slots.len() {
                    self.enqueue(place);
                }
            }
            Event::Pong(HEARD) => self.session.leave_now(),
            Event::Pong(_) => {}
        }
        Ok(())
    }

    fn slot(&mut self, place: usize) -> Option<&mut Slot> {
        self.slots.get_mut(place)
    }

    /// Goes on with one request: its handling, then its answer.
    fn advance(&mut self, place: usize) {
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        slot.watch();
        slot.poll();
        self.send(place);
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        let due = slot.due();
        if due.taken > 0 {
            self.session.taken(place, due.taken);
        }
        if due.go_on && slot.is_handled() {
            self.session.go_on(place);
        }
    }

    /// Sends what there is of an answer.
    fn send(&mut self, place: usize) {
        let shares = !self.queue.is_empty();
        let handler = &self.service.handler;
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        match slot.send((&mut self.session, place), (OUT_BYTES_MAX, shares), || {
            handler.time()
        }) {
            Turn::Nothing => {}
            Turn::Again => self.enqueue(place),
            Turn::Sent => self.clear(place),
            Turn::Broken => {
                self.session.reset(place, Code::Internal);
                self.clear(place);
            }
        }
    }

    fn enqueue(&mut self, place: usize) {
        if let Some(slot) = self.slots.get_mut(place)
            && slot.is_answered()
            && !std::mem::replace(&mut slot.is_queued, true)
        {
            self.queue.push_back(place);
        }
    }

    /// A stream is no more: whatever worked for it ends.
    fn clear(&mut self, place: usize) {
        let untaken = self.slot(place).map_or(0, Slot::clear);
        if untaken > 0 {
            self.session.returned(untaken);
        }
    }

    /// What another second says.
    fn look(&mut self) -> Goes {
        self.end_stuck();
        let is_busy = self.session.open() > 0;
        let now = Now {
            is_busy,
            is_used: self.is_used,
            is_waiting: !self.session.out().is_empty(),
        };
        if !is_busy {
            for slot in &mut self.slots {
                slot.rest();
            }
            if self.session.out().is_empty() && self.session.out().capacity() > KEPT_BYTES {
                *self.session.out() = Vec::new();
            }
        }
        match self.watch.look(now) {
            Verdict::Fine => {}
            Verdict::Ask => self.session.ping(THERE),
            Verdict::Idle => self.leave(),
            Verdict::Over => return Err(Ends::Gone),
        }
        Ok(())
    }

    /// Ends answers whose client has had no room for them for too long.
    fn end_stuck(&mut self) {
        let mut is_any = false;
        for place in 0..self.slots.len() {
            let is_stuck = |slot: &mut Slot| slot.is_stuck(&self.watch);
            if self.slots.get_mut(place).is_some_and(is_stuck) {
                self.session.reset(place, Code::Cancel);
                self.clear(place);
                is_any = true;
            }
        }
        if is_any && self.session.open() == 0 {
            self.leave();
        }
    }

    /// Says that there is no next request, and asks whether that was heard.
    fn leave(&mut self) {
        if !std::mem::replace(&mut self.is_leaving, true) {
            self.session.leave();
            self.session.ping(HEARD);
        }
    }

    fn end(&mut self, goodbye: Goodbye) -> Goes {
        tracing::debug!(?goodbye, "an HTTP/2 connection is ended");
        if goodbye == Goodbye(Code::EnhanceYourCalm) {
            let peer = self.service.connection.peer;
            self.service.handler.refused(peer, "connection.flood", 0);
        }
        self.session.goodbye(goodbye);
        Err(Ends::Said)
    }

    /// Writes what there is; whether anything was written.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<bool, Ends> {
        let mut moved = false;
        while let Some(rest) = self.session.out().get(self.written..)
            && !rest.is_empty()
        {
            match Pin::new(&mut self.stream).poll_write(cx, rest) {
                Poll::Pending => return Ok(moved),
                Poll::Ready(wrote) => {
                    let wrote = wrote?;
                    if wrote == 0 {
                        return Err(Ends::Gone);
                    }
                    self.written = self.written.saturating_add(wrote);
                    self.credit.sent(wrote);
                    self.watch.wrote();
                    (moved, self.is_unflushed) = (true, true);
                }
            }
        }
        self.session.out().clear();
        self.written = 0;
        if self.is_unflushed && Pin::new(&mut self.stream).poll_flush(cx)?.is_ready() {
            self.is_unflushed = false;
        }
        Ok(moved)
    }

    fn drop_all(&mut self) {
        self.slots.clear();
        self.queue.clear();
    }

    fn close(&mut self) {
        self.drop_all();
        let mut until = Deadline::unset();
        until.set(LINGER_FOR);
        self.phase = Phase::Closing(until);
    }

    /// Ends our half, then reads what still comes, bounded: closing a socket with unread bytes
    /// resets it, and the client would never read why (RFC 9113 §5.4.1).
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Phase::Closing(until) = &mut self.phase {
            let is_late = until.poll_passed(cx).is_ready();
            if is_late || self.poll_write(cx).is_err() {
                return Poll::Ready(());
            }
            if !self.session.out().is_empty() || self.is_unflushed {
                return Poll::Pending;
            }
            match Pin::new(&mut self.stream).poll_shutdown(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(())) => {}
            }
            let mut until = Deadline::unset();
            until.set(LINGER_FOR);
            let left = LINGER_BYTES_MAX;
            self.phase = Phase::Lingering { until, left };
        }
        let Phase::Lingering { until, left } = &mut self.phase else {
            return Poll::Ready(());
        };
        loop {
            self.input.clear();
            match scratch::poll_fill(&mut self.stream, cx, &mut self.input) {
                Poll::Pending => return until.poll_passed(cx),
                Poll::Ready(Ok(read)) if read > 0 && read < *left => {
                    *left = left.saturating_sub(read);
                }
                Poll::Ready(_) => return Poll::Ready(()),
            }
        }
    }
}
