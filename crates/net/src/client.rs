//! A small HTTP/1.1 client for Rampart's own servers: the admin socket, metrics, tests. One
//! request per connection; answers are bounded or read piece by piece.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinHandle;

use crate::Error;

/// LIMIT: bytes of an answer that is read whole.
const ANSWER_BYTES_MAX: usize = 32 << 20;
/// How long connecting and the answer's head may take, unless told otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Where a server of Rampart's own listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A local socket.
    Unix(PathBuf),
    /// An address.
    Tcp(SocketAddr),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => path.display().fmt(f),
            Self::Tcp(address) => address.fmt(f),
        }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Client {
    endpoint: Endpoint,
    timeout: Duration,
}

/// An answer whose body is still coming. Dropping it closes the connection.
#[derive(Debug)]
pub struct Answer {
    response: Response<Incoming>,
    endpoint: String,
    driver: JoinHandle<()>,
}

impl Client {
    /// A client of the server at `endpoint`.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            timeout: TIMEOUT,
        }
    }

    /// Sets how long connecting and the answer's head may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends `request`, whose target is a path, and returns once the answer's head is here.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::Timeout`] or [`Error::Exchange`].
    pub async fn send(&self, mut request: Request<Bytes>) -> Result<Answer, Error> {
        if !request.headers().contains_key(header::HOST) {
            request
                .headers_mut()
                .insert(header::HOST, header::HeaderValue::from_static("rampart"));
        }
        let sending = self.exchange(request.map(Full::new));
        tokio::time::timeout(self.timeout, sending)
            .await
            .map_err(|_| Error::Timeout {
                limit: self.timeout,
            })?
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, Error> {
        let connect = |source| Error::Connect {
            endpoint: self.endpoint.to_string(),
            source,
        };
        match &self.endpoint {
            Endpoint::Unix(path) => {
                self.over(UnixStream::connect(path).await.map_err(connect)?, request)
                    .await
            }
            Endpoint::Tcp(address) => {
                self.over(TcpStream::connect(address).await.map_err(connect)?, request)
                    .await
            }
        }
    }

    async fn over<S>(&self, stream: S, request: Request<Full<Bytes>>) -> Result<Answer, Error>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let endpoint = self.endpoint.to_string();
        let broke = |error: hyper::Error| Error::Exchange {
            endpoint: endpoint.clone(),
            source: error.into(),
        };
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broke)?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to a server of our own ended");
            }
        });
        match sender.send_request(request).await {
            Ok(response) => Ok(Answer {
                response,
                endpoint,
                driver,
            }),
            Err(error) => {
                driver.abort();
                Err(broke(error))
            }
        }
    }
}

impl Answer {
    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Its header fields.
    #[must_use]
    pub fn headers(&self) -> &http::HeaderMap {
        self.response.headers()
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// [`Error::Exchange`] when the connection breaks.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        while let Some(frame) = self.response.body_mut().frame().await {
            let frame = frame.map_err(|error| Error::Exchange {
                endpoint: self.endpoint.clone(),
                source: error.into(),
            })?;
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// The whole body.
    ///
    /// # Errors
    /// [`Error::AnswerTooLong`] over 32 MiB, [`Error::Exchange`] when the connection breaks.
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        let body = Limited::new(self.response.body_mut(), ANSWER_BYTES_MAX);
        match body.collect().await {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(Error::AnswerTooLong {
                max: u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX),
            }),
            Err(source) => Err(Error::Exchange {
                endpoint: self.endpoint.clone(),
                source,
            }),
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

#[cfg(test)]
mod tests;
