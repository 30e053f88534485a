//! One upstream connection, driven by the task of the request that uses it: no task of its own,
//! no wake-ups between tasks.
//!
//! INVARIANT: hyper's connection is always polled with the waker of the request's task. Everything
//! else of it only moves while the connection is polled, so it is looked at with a waker that does
//! nothing.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::pool::Home;
use super::response::ResponseBody;
use super::stream::Stream;
use super::{Failed, Timeouts};
use crate::body::Held;
use crate::deadline::Deadline;

/// LIMIT: bytes of a response's head; also of the buffer of one connection.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// LIMIT: bytes buffered for one upstream connection.
const BUFFER_BYTES_MAX: usize = 128 * 1024;

type Driver = Connection<TokioIo<Stream>, Held>;

/// A connection and hyper's two ends of it.
#[derive(Debug)]
pub(super) struct Conn {
    sender: SendRequest<Held>,
    driver: Driver,
    closed: bool,
    answered: Arc<AtomicBool>,
    deadline: Deadline,
    pub(super) idle_since: Instant,
}

/// Moves a connection on; ready when it is closed, and then never polled again.
fn drive(driver: &mut Driver, closed: &mut bool, cx: &mut Context<'_>) -> Poll<()> {
    if !*closed && let Poll::Ready(ended) = Pin::new(driver).poll(cx) {
        *closed = true;
        if let Err(error) = ended {
            tracing::debug!(%error, "an upstream connection ended");
        }
    }
    if *closed {
        Poll::Ready(())
    } else {
        Poll::Pending
    }
}

/// Why there is no response.
#[derive(Debug)]
pub(super) enum Lost {
    /// Not a byte of the request was written: here it is again.
    Unsent(Box<Request<Held>>),
    /// The connection closed before it answered a byte.
    Unanswered,
    /// For another reason.
    Failed(Failed),
}

impl Conn {
    pub(super) async fn new(stream: Stream) -> Result<Box<Self>, Failed> {
        let answered = stream.answered();
        let (sender, driver) = http1::Builder::new()
            .max_header_size(HEAD_BYTES_MAX)
            .max_buf_size(BUFFER_BYTES_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| Failed::Broken)?;
        let deadline = Deadline::unset();
        Ok(Box::new(Self {
            sender,
            driver,
            closed: false,
            answered,
            deadline,
            idle_since: Instant::now(),
        }))
    }

    /// Moves the connection on; ready when it is closed.
    fn drive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        drive(&mut self.driver, &mut self.closed, cx)
    }

    /// Whether it can take the next request, as far as this side knows.
    pub(super) fn is_alive(&mut self) -> bool {
        // Looking is driving: hyper reads when the socket has something to say, and what an idle
        // upstream says is either its end or a response nobody asked for.
        let open = self
            .drive(&mut Context::from_waker(Waker::noop()))
            .is_pending();
        open && self.sender.is_ready()
    }
}

/// A connection in use. Dropped without [`Lease::settle`], the connection closes.
#[derive(Debug)]
pub(super) struct Lease {
    conn: Option<Box<Conn>>,
    home: Home,
}

impl Lease {
    pub(super) fn new(conn: Box<Conn>, home: Home) -> Self {
        Self {
            conn: Some(conn),
            home,
        }
    }

    /// Sends `request` and waits for the head of the response.
    pub(super) async fn exchange(
        mut self,
        request: Request<Held>,
        timeouts: &Timeouts,
    ) -> Result<Response<ResponseBody>, Lost> {
        let Some(conn) = self.conn.as_deref_mut() else {
            return Err(Lost::Unsent(Box::new(request)));
        };
        conn.answered.store(false, Ordering::Relaxed);
        conn.deadline.set(timeouts.response);
        // `unconstrained`: the runtime's budget would otherwise be spent on, and woken through,
        // a waker that does nothing.
        let mut response = pin!(tokio::task::unconstrained(
            conn.sender.try_send_request(request)
        ));
        let outcome = std::future::poll_fn(|cx| {
            let closed = drive(&mut conn.driver, &mut conn.closed, cx).is_ready();
            let mut quiet = Context::from_waker(Waker::noop());
            match response.as_mut().poll(&mut quiet) {
                Poll::Ready(outcome) => Poll::Ready(outcome.map_err(Some)),
                Poll::Pending if closed => Poll::Ready(Err(None)),
                Poll::Pending => match conn.deadline.poll_passed(cx) {
                    Poll::Ready(()) => Poll::Ready(Err(None)),
                    Poll::Pending => Poll::Pending,
                },
            }
        });
        let outcome = outcome.await;
        let answered = conn.answered.load(Ordering::Relaxed);
        let closed = conn.closed;
        match outcome {
            Ok(response) => {
                let timeouts = *timeouts;
                Ok(response.map(|incoming| ResponseBody::new(incoming, self, &timeouts)))
            }
            Err(Some(mut error)) => Err(match error.take_message() {
                Some(unsent) => Lost::Unsent(Box::new(unsent)),
                None if error.error().is_parse() || answered => Lost::Failed(Failed::Broken),
                None => Lost::Unanswered,
            }),
            Err(None) if !closed => Err(Lost::Failed(Failed::ResponseTimeout)),
            Err(None) if answered => Err(Lost::Failed(Failed::Broken)),
            Err(None) => Err(Lost::Unanswered),
        }
    }

    /// Moves the connection on while its response is read; ready when it is closed.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.conn.as_deref_mut() {
            Some(conn) => conn.drive(cx),
            None => Poll::Ready(()),
        }
    }

    /// The deadline of the piece that is waited for.
    pub(super) fn deadline(&mut self) -> Option<&mut Deadline> {
        self.conn.as_deref_mut().map(|conn| &mut conn.deadline)
    }

    /// The response is read to its end: the connection goes back to the pool, when it can serve
    /// again, or closes.
    pub(super) fn settle(mut self, cx: &mut Context<'_>) {
        let Some(mut conn) = self.conn.take() else {
            return;
        };
        if conn.sender.is_ready() || (conn.drive(cx).is_pending() && conn.sender.is_ready()) {
            conn.deadline.clear();
            conn.idle_since = Instant::now();
            self.home.give_back(conn);
        }
    }
}
