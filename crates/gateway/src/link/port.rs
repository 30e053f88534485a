//! What gateways ask of control, as a port that the composition root binds.

use std::fmt::Debug;
use std::net::IpAddr;
use std::pin::Pin;

use model::{Event, RequestId, Secret, SessionId, Timestamp};

use super::protocol::Seal;

/// An answer that comes later.
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why a code became no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangeRefused {
    /// It is not valid (any more), or for another host.
    Refused,
    /// Nobody can say now.
    Unavailable,
}

/// See the module.
pub trait ControlPort: Send + Sync + Debug {
    /// Turns a one-time code into a session of `host`; the cookie's value. The gateways were told
    /// of the session when this is ready.
    fn exchange<'a>(
        &'a self,
        code: &'a str,
        host: &'a str,
        source: IpAddr,
        request: RequestId,
    ) -> PortFuture<'a, Result<Secret<String>, ExchangeRefused>>;

    /// Ends a session of `host`, as whoever held its cookie asked; whether it has ended. The
    /// gateways were told when this is ready.
    fn sign_out<'a>(
        &'a self,
        session: SessionId,
        host: &'a str,
        source: IpAddr,
        request: RequestId,
    ) -> PortFuture<'a, bool>;

    /// Records events of the gateway `node`; the same event may come twice.
    fn record<'a>(
        &'a self,
        node: &'a str,
        events: Vec<Event>,
    ) -> PortFuture<'a, Result<(), String>>;

    /// Records a sealed segment of traffic records; the same seal may come twice.
    fn sealed<'a>(&'a self, node: &'a str, seal: Seal) -> PortFuture<'a, Result<(), String>>;

    /// Notes when sessions were last used.
    fn seen<'a>(&'a self, sessions: Vec<(SessionId, Timestamp)>) -> PortFuture<'a, ()>;
}
