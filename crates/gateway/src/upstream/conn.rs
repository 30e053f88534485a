//! One upstream connection, driven by the task of the request that uses it: no task of its own,
//! no wake-ups between tasks.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::BytesMut;
use estate::Failure;
use http::StatusCode;
use tokio::io::AsyncWrite as _;
use tokio::time::Instant;
use tokio_util::io::poll_read_buf;

use super::outbound::{Outbound, Unwritten};
use super::patience::{Over, Patience, Until, Waits};
use super::pool::{Home, Turn};
use super::response::Http1Body;
use super::retry::Lost;
use super::stream::Stream;
use super::{Failed, ResponseBody, Timeouts};
use crate::body;
use crate::deadline::Deadline;
use crate::reply::Reply;
use crate::scratch;
use crate::wire::{ResponseHead, Search, Unreadable};

/// Bytes read at once, at most, while the upstream sends more than is asked for.
const READ_MAX: usize = 128 * 1024;
/// LIMIT: interim responses before the final one (RFC 9110 §15.2).
const INTERIM_MAX: u32 = 16;

/// See the module.
#[derive(Debug)]
pub(super) struct Conn {
    stream: Stream,
    /// Read, and not yet used.
    input: BytesMut,
    read_next: usize,
    sending: Outbound,
    /// No request may follow.
    spent: bool,
    deadline: Deadline,
    /// Since when it is known to be idle; the pool sees to it.
    pub(super) idle_since: Option<Instant>,
}

impl Conn {
    pub(super) fn new(stream: Stream) -> Box<Self> {
        Box::new(Self {
            stream,
            input: BytesMut::new(),
            read_next: scratch::BYTES,
            sending: Outbound::default(),
            spent: false,
            deadline: Deadline::unset(),
            idle_since: None,
        })
    }

    /// Whether it can take the next request, as far as this side knows.
    pub(super) fn is_alive(&mut self) -> bool {
        // What an idle upstream says is either its end or a response nobody asked for.
        let is_silent = self.stream.is_silent().unwrap_or_else(|| {
            let mut quiet = Context::from_waker(Waker::noop());
            self.poll_read(&mut quiet).is_pending()
        });
        is_silent && !self.spent
    }

    /// Reads more; how many bytes.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.read_next <= scratch::BYTES {
            let read = ready!(scratch::poll_fill(&mut self.stream, cx, &mut self.input))?;
            if read == scratch::BYTES {
                self.read_next = scratch::BYTES.saturating_mul(2);
            }
            return Poll::Ready(Ok(read));
        }
        // A long answer is read where it is kept.
        self.input.reserve(self.read_next);
        let room = self.input.capacity().saturating_sub(self.input.len());
        let read = ready!(poll_read_buf(
            Pin::new(&mut self.stream),
            cx,
            &mut self.input
        ))?;
        if read == room {
            self.read_next = self.read_next.saturating_mul(2).min(READ_MAX);
        }
        Poll::Ready(Ok(read))
    }

    /// Writes on what is not written of the request; whether some of a streamed body was written.
    /// An upstream that takes no more of it may still answer; it just gets no other request. One
    /// whose request has no end is not waited for.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> Result<bool, body::Refused> {
        if self.sending.is_done() || self.spent {
            return Ok(false);
        }
        match self.sending.poll_write(&mut self.stream, cx) {
            Poll::Ready(Err(Unwritten::Stream(error))) => {
                tracing::debug!(%error, "an upstream takes no more of a request");
                self.spent = true;
            }
            Poll::Ready(Err(Unwritten::Body(why))) => {
                self.spent = true;
                return Err(why);
            }
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        Ok(self.sending.take_moved())
    }

    /// Whether some of a streamed body is still to come, and the upstream takes it.
    pub(super) const fn is_streaming(&self) -> bool {
        self.sending.is_streaming() && !self.spent
    }

    /// Whether nothing can be written before the client sends more.
    pub(super) const fn awaits_client(&self) -> bool {
        self.sending.awaits_client() && !self.spent
    }

    pub(super) fn input(&mut self) -> &mut BytesMut {
        &mut self.input
    }

    pub(super) fn deadline(&mut self) -> &mut Deadline {
        &mut self.deadline
    }

    fn poll_head(
        &mut self,
        reading: &mut Reading,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ResponseHead, Ended>> {
        if let Err(why) = self.poll_send(cx) {
            return Poll::Ready(Err(Ended::Blameless(Failed::Body(why))));
        }
        if self.spent && self.sending.is_untouched() {
            return Poll::Ready(Err(Ended::Unsent));
        }
        loop {
            let broken = |Unreadable| Ended::Failed(Failed::Broken);
            let (search, method) = (&mut reading.search, self.sending.method());
            let head = ResponseHead::take(&mut self.input, search, method).map_err(broken)?;
            match head {
                Some(head) if head.status.is_informational() => {
                    // Nobody switches who was not asked to (RFC 9110 §15.2.2).
                    let is_switch = head.status == StatusCode::SWITCHING_PROTOCOLS;
                    if is_switch && reading.switches {
                        return Poll::Ready(Ok(head));
                    }
                    reading.interim = reading.interim.saturating_add(1);
                    if is_switch || reading.interim > INTERIM_MAX {
                        return Poll::Ready(Err(Ended::Failed(Failed::Broken)));
                    }
                    continue;
                }
                Some(head) => return Poll::Ready(Ok(head)),
                None => {}
            }
            let Poll::Ready(read) = self.poll_read(cx) else {
                return self.poll_late(reading, cx).map(Err);
            };
            match read {
                Ok(read) if read > 0 => reading.answered = true,
                _ if reading.answered => return Poll::Ready(Err(Ended::Failed(Failed::Broken))),
                _ => return Poll::Ready(Err(Ended::Unanswered)),
            }
        }
    }

    /// Ready when the phase it is in takes too long.
    fn poll_late(&mut self, reading: &mut Reading, cx: &mut Context<'_>) -> Poll<Ended> {
        let progress = self.sending.progress();
        let waits = match self.sending.is_done() || self.spent {
            true => Waits::Answer,
            false if self.sending.awaits_client() => Waits::Client(progress),
            false => Waits::Service(progress),
        };
        let over = ready!(reading.patience.poll_over(waits, &mut self.deadline, cx));
        Poll::Ready(match over {
            Over::Head if !reading.answered => Ended::Late,
            over if over.is_of_the_address(self.is_streaming()) => Ended::Failed(over.failed()),
            over => Ended::Blameless(over.failed()),
        })
    }
}

/// What came of asking for a WebSocket.
#[derive(Debug)]
pub(super) enum Switched {
    Yes(Reply<Opened>),
    No(Reply<ResponseBody>),
}

/// A connection that speaks another protocol from now on. It closes when it is dropped.
#[derive(Debug)]
pub(crate) struct Opened(Lease);

impl Opened {
    /// What was read and not used.
    pub(crate) fn input(&mut self) -> &mut BytesMut {
        &mut self.0.conn.input
    }

    /// Reads more; how many bytes.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.0.conn.poll_read(cx)
    }

    /// Writes some of `bytes`.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0.conn.stream).poll_write(cx, bytes)
    }

    /// Sends what waits to be sent.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.conn.stream).poll_flush(cx)
    }
}

/// How a connection ended without a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Unsent,
    Unanswered,
    Late,
    Failed(Failed),
    /// Through no fault of the address.
    Blameless(Failed),
}

impl Ended {
    /// What it says about the address; nothing when not a byte was sent on a connection that had
    /// waited.
    const fn failure(self) -> Option<Failure> {
        match self {
            Self::Unsent | Self::Blameless(_) => None,
            Self::Unanswered | Self::Failed(Failed::Broken | Failed::TooLarge) => {
                Some(Failure::Reset)
            }
            Self::Late | Self::Failed(_) => Some(Failure::Timeout),
        }
    }
}

/// How far the head of an answer is read.
#[derive(Debug)]
struct Reading {
    patience: Patience,
    search: Search,
    answered: bool,
    interim: u32,
    /// Another protocol was asked for.
    switches: bool,
}

/// A connection in use. Dropped without [`Lease::settle`], the connection closes.
#[derive(Debug)]
pub(super) struct Lease {
    conn: Box<Conn>,
    home: Home,
}

impl Lease {
    pub(super) fn new(conn: Box<Conn>, home: Home) -> Self {
        Self { conn, home }
    }

    pub(super) fn conn(&mut self) -> &mut Conn {
        &mut self.conn
    }

    /// The answer broke off, or the rest of it did not come.
    pub(super) fn failed(&self, failure: Failure) {
        self.home.failed(failure);
    }

    /// Sends the request and waits for the head of the response.
    async fn ask(
        &mut self,
        outbound: Outbound,
        timeouts: &Timeouts,
        switches: bool,
    ) -> Result<(ResponseHead, Until), Ended> {
        let conn = &mut *self.conn;
        conn.sending = outbound;
        conn.idle_since = None;
        let mut reading = Reading {
            patience: Patience::new(self.home.timeouts(), timeouts),
            search: Search::default(),
            answered: false,
            interim: 0,
            switches,
        };
        let head = std::future::poll_fn(|cx| conn.poll_head(&mut reading, cx)).await;
        match &head {
            Ok(head) => self.home.answered(head.status.as_u16()),
            // SECURITY: an upstream that closes while its client lets it wait is tired of the
            // client.
            Err(Ended::Unanswered | Ended::Failed(Failed::Broken)) if conn.awaits_client() => {}
            Err(ended) => {
                if let Some(failure) = ended.failure() {
                    self.home.failed(failure);
                }
            }
        }
        head.map(|head| (head, reading.patience.until))
    }

    /// Sends the request and waits for the head of the response. `turn` may want another address
    /// to be asked after an answer of some status, and is there then.
    pub(super) async fn exchange(
        mut self,
        outbound: Outbound,
        timeouts: &Timeouts,
        turn: &mut Turn,
    ) -> Result<Reply<ResponseBody>, Lost<Outbound>> {
        let asked = self.ask(outbound, timeouts, false).await;
        let (head, until) = asked.map_err(|ended| self.lost(ended))?;
        if head.status.is_server_error() && turn.gives_up(head.status, &self.conn.sending) {
            return Err(self.again(Lost::Unwanted, Failed::Broken));
        }
        Ok(self.response(head, timeouts, until))
    }

    fn lost(&mut self, ended: Ended) -> Lost<Outbound> {
        match ended {
            Ended::Unsent => self.again(Lost::Unsent, Failed::Broken),
            Ended::Unanswered => self.again(Lost::Unanswered, Failed::Broken),
            Ended::Late => self.again(Lost::Late, Failed::ResponseTimeout),
            Ended::Failed(failed) | Ended::Blameless(failed) => Lost::Failed(failed),
        }
    }

    /// With the request, where that can be sent from its beginning.
    fn again(
        &mut self,
        lost: fn(Box<Outbound>) -> Lost<Outbound>,
        failed: Failed,
    ) -> Lost<Outbound> {
        let again = std::mem::take(&mut self.conn.sending).again();
        again.map_or(Lost::Failed(failed), |again| lost(Box::new(again)))
    }

    /// Asks for a WebSocket.
    pub(super) async fn switch(
        mut self,
        outbound: Outbound,
        timeouts: &Timeouts,
    ) -> Result<Switched, Failed> {
        let asked = self.ask(outbound, timeouts, true).await;
        let (head, until) = asked.map_err(|ended| match ended {
            Ended::Unsent | Ended::Unanswered => Failed::Broken,
            Ended::Late => Failed::ResponseTimeout,
            Ended::Failed(failed) | Ended::Blameless(failed) => failed,
        })?;
        if head.status != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Switched::No(self.response(head, timeouts, until)));
        }
        self.conn.deadline.clear();
        Ok(Switched::Yes(Reply {
            status: head.status,
            fields: head.fields,
            body: Opened(self),
        }))
    }

    fn response(
        mut self,
        head: ResponseHead,
        timeouts: &Timeouts,
        until: Until,
    ) -> Reply<ResponseBody> {
        let stall = self.home.timeouts().pause.unwrap_or(timeouts.idle);
        let conn = &mut *self.conn;
        conn.sending.answered();
        conn.deadline.clear();
        conn.spent |= !head.keeps;
        let body = Http1Body::take(head.framing, self, timeouts.response_max, (stall, until));
        Reply {
            status: head.status,
            fields: head.fields,
            body,
        }
    }

    /// The response is read to its end: the connection goes back to the pool, when it can serve
    /// again, or closes.
    pub(super) fn settle(mut self) {
        let conn = &mut self.conn;
        if conn.spent || !conn.sending.is_done() || !conn.input.is_empty() {
            return;
        }
        conn.deadline.clear();
        if conn.read_next > scratch::BYTES {
            // What one long answer needed is not kept while nothing is asked.
            conn.read_next = scratch::BYTES;
            conn.input = BytesMut::new();
        }
        self.home.give_back(self.conn);
    }
}
