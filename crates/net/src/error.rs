//! What can go wrong below HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;

use model::ErrorKind;

/// Why a socket, a certificate or an exchange did not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address cannot be listened on.
    #[error("cannot listen on `{address}`")]
    Bind {
        /// Which address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A local socket cannot be made.
    #[error("cannot listen on `{}`", path.display())]
    BindUnix {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A certificate, key or authority file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A PEM text holds not what it should.
    #[error("{what} is not usable: {why}")]
    Pem {
        /// What the text is for.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// TLS cannot be set up with what was given.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// No authority is known that could have issued the peer's certificate.
    #[error("no certificate authorities were found in `{}`", path.display())]
    NoRoots {
        /// Where they were looked for.
        path: PathBuf,
    },
    /// The development authority cannot make a certificate.
    #[error("cannot make a certificate")]
    Issue(#[source] rcgen::Error),
    /// A server of Rampart's own cannot be reached.
    #[error("cannot reach `{endpoint}`")]
    Connect {
        /// Where it should be.
        endpoint: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An exchange with a server of Rampart's own broke off.
    #[error("the exchange with `{endpoint}` broke off")]
    Exchange {
        /// With whom.
        endpoint: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An address that cannot be spoken to in confidence.
    #[error("`{address}` is not an https address")]
    NotHttps {
        /// Which.
        address: String,
    },
    /// More of something than is held.
    #[error("more than {max} challenges at once")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// An answer is longer than the caller takes.
    #[error("the answer is longer than {max} bytes")]
    AnswerTooLong {
        /// The limit.
        max: u64,
    },
    /// Nothing came in time.
    #[error("no answer within {}", model::format_duration(*limit))]
    Timeout {
        /// The limit.
        limit: std::time::Duration,
    },
}

impl Error {
    /// What sort of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Pem { .. } | Self::Tls(_) | Self::NoRoots { .. } | Self::NotHttps { .. } => {
                ErrorKind::Invalid
            }
            Self::AnswerTooLong { .. } | Self::TooMany { .. } => ErrorKind::Limit,
            Self::Issue(_) => ErrorKind::Internal,
            Self::Bind { .. }
            | Self::BindUnix { .. }
            | Self::Read { .. }
            | Self::Connect { .. }
            | Self::Exchange { .. }
            | Self::Timeout { .. } => ErrorKind::Unavailable,
        }
    }
}
