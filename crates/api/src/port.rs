//! What the surfaces ask of the gateway's control side, as a port: the composition root binds it
//! to the hub, the explainer and the ban list.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use model::{Ban, BanId, Context, Denied, ErrorKind, Network};

use crate::certificates::CertificateState;
use crate::explain::{Asked, Explained};
use crate::learnt::Learnt;
use crate::traffic::{Flow, Traffic};
use crate::upstreams::ServiceState;

/// An answer that comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, PortError>> + Send + 'a>>;

/// The gateway's control side. Every operation that takes a [`Context`] authorises and records.
pub trait GatewayPort: Send + Sync + Debug {
    /// What every connected gateway says now.
    fn traffic(&self) -> Traffic;
    /// What went over each route since this process started; no number ever falls.
    fn flow(&self) -> BTreeMap<String, Flow>;
    /// How services stand.
    fn services(&self) -> Vec<ServiceState>;
    /// Which step would decide about a request.
    fn explain<'a>(&'a self, ctx: &'a Context, asked: &'a Asked) -> Later<'a, Explained>;
    /// What gateways learnt of traffic.
    fn learnt<'a>(&'a self, ctx: &'a Context) -> Later<'a, Vec<Learnt>>;
    /// Waits until every gateway has taken in what changed so far, for a moment at most.
    fn settled<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<(), Unsettled>> + Send + 'a>>;
    /// Bans in force.
    fn bans<'a>(&'a self, ctx: &'a Context) -> Later<'a, Vec<Ban>>;
    /// Refuses an address or a network for a while.
    fn ban<'a>(
        &'a self,
        ctx: &'a Context,
        network: Network,
        length: Duration,
        reason: &'a str,
    ) -> Later<'a, Ban>;
    /// Lifts a ban.
    fn lift<'a>(&'a self, ctx: &'a Context, ban: BanId) -> Later<'a, ()>;
    /// Starts a process of this installation anew. For a gateway it ends when the new one serves;
    /// for control, this process, as soon as that has begun.
    fn restart<'a>(&'a self, ctx: &'a Context, process: RestartOf) -> Later<'a, ()> {
        let _ = (ctx, process);
        Box::pin(async {
            Err(PortError::Failed {
                kind: ErrorKind::Unavailable,
                text: "nobody starts the processes of this server anew".to_owned(),
            })
        })
    }
    /// The certificates that handshakes are answered with.
    fn certificates(&self) -> Vec<CertificateState>;
    /// Asks for a new certificate of a host now.
    fn renew<'a>(&'a self, ctx: &'a Context, host: &'a str) -> Later<'a, ()>;
}

/// Which process is started anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartOf {
    /// The gateway of this machine: the new one takes over its sockets.
    Gateway,
    /// The control process.
    Control,
}

/// Where a change may not count yet, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsettled(pub String);

/// Why the gateway's side could not do it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PortError {
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Something else, in the words of whoever said so.
    #[error("{text}")]
    Failed {
        /// What sort of failure.
        kind: ErrorKind,
        /// The message.
        text: String,
    },
}

impl PortError {
    /// From any error with its kind.
    pub fn of<E: std::error::Error>(kind: ErrorKind, error: &E) -> Self {
        Self::Failed {
            kind,
            text: error.to_string(),
        }
    }

    /// What sort of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Denied(_) => ErrorKind::Denied,
            Self::Failed { kind, .. } => *kind,
        }
    }
}
