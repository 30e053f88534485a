//! One HTTP/2 connection (RFC 9113), from its preface to its end: frames are read and written by
//! `wire`, requests are answered side by side, all of them on the connection's own task.
//!
//! What is sent goes out together: the answers that are there when a turn ends are one write. No
//! answer waits for another that is slow, and a client that takes nothing holds back its own alone.

mod answer;
mod driver;
mod inbox;
mod lane;
mod ready;
mod slot;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use self::driver::Driver;
use super::Handler;
use super::service::Service;
use super::worker::Settings;
use crate::wire::HeadLimits;
use crate::wire::http2::Limits;

/// How much one HTTP/2 connection may do at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamLimits {
    /// Open requests.
    pub(crate) concurrent_max: u32,
    /// Requests the client takes back in the same breath (CVE-2023-44487).
    pub(crate) pending_resets_max: usize,
    /// Resets this side had to send because of the client's errors (CVE-2025-8671).
    pub(crate) error_resets_max: usize,
    /// A silent connection is asked whether it lives, after.
    pub(crate) ping_after: Duration,
    /// It must answer within.
    pub(crate) ping_timeout: Duration,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            concurrent_max: 100,
            pending_resets_max: 20,
            error_resets_max: 64,
            ping_after: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(10),
        }
    }
}

/// LIMIT: bytes a client may send ahead on one stream.
const STREAM_WINDOW: u32 = 256 * 1024;
/// LIMIT: bytes a client may send ahead on a connection.
const CONNECTION_WINDOW: u32 = 1024 * 1024;

fn limits(streams: &StreamLimits, head: HeadLimits) -> Limits {
    Limits {
        head,
        streams_max: streams.concurrent_max,
        error_resets_max: streams.error_resets_max,
        stream_window: STREAM_WINDOW,
        connection_window: CONNECTION_WINDOW,
    }
}

/// Serves a connection until it ends.
pub(super) async fn serve<S, H>(
    stream: S,
    service: Arc<Service<H>>,
    settings: &Settings,
    drain: net::Guard,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let mut driver = Driver::new(stream, service, settings, drain);
    std::future::poll_fn(|cx| driver.poll(cx)).await;
}

#[cfg(test)]
pub(super) mod conformance;
#[cfg(test)]
mod peers;
#[cfg(test)]
pub(super) mod tests;
