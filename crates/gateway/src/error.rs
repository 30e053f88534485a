//! What can go wrong while the gateway process starts and runs. What goes wrong with one request
//! is an answer, not an error.

use std::net::SocketAddr;
use std::path::PathBuf;

use model::ErrorKind;

/// Why the gateway process cannot start, or a part of it failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A folder below the data folder cannot be used.
    #[error("cannot use the folder `{}`", path.display())]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: net::Error,
    },
    /// A socket that listens cannot be handed on.
    #[error("the socket of `{address}` cannot be used")]
    Socket {
        /// Of which address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The gateway that runs does not hand its sockets over.
    #[error("cannot take over from the gateway that runs")]
    TakeOver(#[source] std::io::Error),
    /// A runtime or a thread cannot be made.
    #[error("cannot start a worker")]
    Worker(#[source] std::io::Error),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] net::Error),
    /// A service of the estate cannot be reached the way it is described.
    #[error("service `{service}`: {message}")]
    Service {
        /// Its name.
        service: String,
        /// What is wrong.
        message: String,
    },
    /// Rules of the estate cannot be loaded.
    #[error("rules: {message}")]
    Rules {
        /// What is wrong, with its place.
        message: String,
    },
    /// An OpenAPI document of the estate cannot be enforced.
    #[error("document `{path}`: {message}")]
    Document {
        /// Its path, as the estate has it.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// Another issuer's tokens cannot be verified the way it is described.
    #[error("issuer `{issuer}`: {message}")]
    Issuer {
        /// Its name.
        issuer: String,
        /// What is wrong.
        message: String,
    },
    /// Limits cannot be counted together with other gateways the way it is described.
    #[error("shared limits: {message}")]
    SharedLimits {
        /// What is wrong.
        message: String,
    },
    /// Clients cannot be asked for certificates the way it is described.
    #[error("client certificates cannot be judged")]
    ClientCertificates(#[source] net::Error),
    /// The link to control failed for good.
    #[error("the link to control failed: {0}")]
    Link(String),
    /// Traffic records cannot be kept.
    #[error("traffic records cannot be kept in `{}`", path.display())]
    Records {
        /// Which folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// What sort of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Service { .. }
            | Self::Document { .. }
            | Self::Rules { .. }
            | Self::Issuer { .. }
            | Self::SharedLimits { .. }
            | Self::ClientCertificates(_) => ErrorKind::Invalid,
            Self::Folder { .. }
            | Self::Listen { .. }
            | Self::Socket { .. }
            | Self::TakeOver(_)
            | Self::Worker(_)
            | Self::Tls(_)
            | Self::Link(_)
            | Self::Records { .. } => ErrorKind::Unavailable,
        }
    }
}
