//! The front: sockets, TLS, HTTP/1 and HTTP/2, and everything that is refused before it becomes a
//! request. Each worker is one thread with its own runtime, its own listeners and its own
//! upstream connections.
//!
//! Never decides about a request: that is the pipeline's.

mod caps;
mod challenge;
mod connection;
mod fleet;
mod flood;
mod handshake;
mod http1;
mod http2;
mod proxied;
mod service;
mod wire;
mod worker;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use http::Request;
use model::Timestamp;

pub(crate) use crate::wire::HeadLimits;
pub(crate) use caps::Caps;
pub(crate) use fleet::{Ending, Fleet, Inherited, Prepared};
pub(crate) use http2::StreamLimits;
pub(crate) use wire::WireLimits;
pub(crate) use worker::Settings;

use crate::exchange::{Connection, Incoming};
use crate::gates::Gate;
use crate::reply::Reply;
use crate::upstream::PoolUse;

/// Whether clients are asked for certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Nobody is.
    Nobody,
    /// It depends on the name that they ask for.
    ByName,
}

/// What decides about requests. Never fails and never panics: an answer always comes.
pub(crate) trait Handler: Send + Sync + 'static {
    /// The answer to one request. Its target is in origin form (or `*`), `Host` is there, once,
    /// and hop-by-hop fields are gone, those that `Connection` named included.
    fn handle(
        self: Arc<Self>,
        connection: Arc<Connection>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Reply> + Send;

    /// What time it is.
    fn time(&self) -> Timestamp;

    /// Something on a connection was refused before it became a request.
    fn refused(&self, peer: SocketAddr, code: &'static str, status: u16);

    /// Whether some hosts ask clients for certificates.
    fn asks(&self) -> Asks {
        Asks::Nobody
    }

    /// Where who asks for this name (lower case) is asked for a certificate.
    fn gate(&self, name: Option<&str>) -> Option<Arc<Gate>> {
        let _ = name;
        None
    }

    /// A connection was accepted.
    fn accepted(&self);

    /// No connection could be accepted for lack of descriptors or memory.
    fn exhausted(&self);

    /// What happens regularly on this worker: idle upstream connections are looked after.
    fn tick(&self);

    /// How many upstream connections this worker has.
    fn upstreams(&self) -> PoolUse;

    /// Whether there is a certificate for what a TLS client says first.
    fn knows(&self, _: &rustls::server::ClientHello<'_>) -> bool {
        true
    }

    /// The page of a challenge for `host` that is under way.
    fn challenge(&self, _host: &str, _token: &str) -> Option<String> {
        None
    }
}

#[cfg(test)]
pub(crate) use testing::Echo;

#[cfg(test)]
mod forwarding;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod streaming;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
