//! A small HTTPS client for servers that an estate names: an address that is `https`, a certificate
//! that is verified, an answer that is bounded and in time. One request per connection.
//!
//! Follows no redirect, keeps no cookie, and never speaks in clear.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header, uri::PathAndQuery};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::Error;
use crate::tls::{Roots, client_config};

/// LIMIT: bytes of an answer.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// LIMIT: how long one exchange may take, from the name to the last byte.
const TIMEOUT: Duration = Duration::from_secs(30);

/// See the module.
#[derive(Clone, Debug)]
pub struct HttpsClient {
    tls: Arc<ClientConfig>,
}

impl HttpsClient {
    /// A client of servers whose certificates `roots` have issued.
    ///
    /// # Errors
    /// What is wrong with the roots.
    pub fn new(roots: &Roots) -> Result<Self, Error> {
        Ok(Self {
            tls: client_config(roots)?,
        })
    }

    /// Sends `request`, whose target is a whole address, and reads the answer whole.
    ///
    /// # Errors
    /// [`Error::NotHttps`], [`Error::Connect`], [`Error::Exchange`], [`Error::AnswerTooLong`] or
    /// [`Error::Timeout`].
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let exchange = self.exchange(request);
        tokio::time::timeout(TIMEOUT, exchange)
            .await
            .map_err(|_| Error::Timeout { limit: TIMEOUT })?
    }

    async fn exchange(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let target = Target::of(request.uri())?;
        let stream = self.connect(&target).await?;
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from(path.unwrap_or(PathAndQuery::from_static("/")));
        request.headers_mut().insert(header::HOST, target.authority);
        let endpoint = target.endpoint;
        let broke = |source: Box<dyn std::error::Error + Send + Sync>| Error::Exchange {
            endpoint: endpoint.clone(),
            source,
        };
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broke(error.into()))?;
        let talking = async {
            let answer = sender.send_request(request.map(Full::new)).await;
            let (head, body) = answer.map_err(|error| broke(error.into()))?.into_parts();
            match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
                Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
                Err(error) if error.is::<LengthLimitError>() => Err(Error::AnswerTooLong {
                    max: u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX),
                }),
                Err(error) => Err(broke(error)),
            }
        };
        let mut talking = std::pin::pin!(talking);
        tokio::select! {
            answer = talking.as_mut() => answer,
            // The connection may end before its last answer is taken.
            ended = connection => match ended {
                Ok(()) => talking.await,
                Err(error) => Err(broke(error.into())),
            },
        }
    }

    async fn connect(
        &self,
        target: &Target,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Error> {
        let fail = |source| Error::Connect {
            endpoint: target.endpoint.clone(),
            source,
        };
        let address = (target.host.as_str(), target.port);
        let stream = TcpStream::connect(address).await.map_err(fail)?;
        TlsConnector::from(Arc::clone(&self.tls))
            .connect(target.name.clone(), stream)
            .await
            .map_err(fail)
    }
}

/// Where a request goes.
struct Target {
    endpoint: String,
    host: String,
    port: u16,
    name: ServerName<'static>,
    authority: HeaderValue,
}

impl Target {
    fn of(uri: &Uri) -> Result<Self, Error> {
        let not_https = || Error::NotHttps {
            address: uri.to_string().chars().take(200).collect(),
        };
        let authority = uri.authority().ok_or_else(not_https)?;
        let plain = uri.scheme_str() == Some("https") && !authority.as_str().contains('@');
        let host = authority.host();
        let host = host.strip_prefix('[').unwrap_or(host);
        let host = host.strip_suffix(']').unwrap_or(host).to_owned();
        let name = ServerName::try_from(host.clone());
        match (plain, name, HeaderValue::from_str(authority.as_str())) {
            (true, Ok(name), Ok(value)) => Ok(Self {
                endpoint: authority.to_string(),
                host,
                port: authority.port_u16().unwrap_or(443),
                name,
                authority: value,
            }),
            _ => Err(not_https()),
        }
    }
}

#[cfg(test)]
mod tests;
