//! Asks an issuer for its keys: one GET over verified TLS, bounded in time and bytes, that follows
//! no redirect.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// LIMIT: how long one question may take, from looking the name up to the last byte.
const TIMEOUT: Duration = Duration::from_secs(10);
/// LIMIT: bytes of an answer.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// LIMIT: bytes of an answer's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// LIMIT: addresses of a name that are tried.
const ADDRESSES_MAX: usize = 4;
/// LIMIT: bytes of an address that somebody else names.
const ADDRESS_BYTES_MAX: usize = 1000;

/// Which machines may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Any: the estate names it.
    Any,
    /// Those of the public network: somebody else names it.
    Public,
}

/// The JWK set at an address of the estate.
pub(super) async fn keys(url: &str, trust: &Arc<ClientConfig>) -> Result<Bytes, String> {
    get(url, trust, Reach::Any).await
}

/// The JWK set of an issuer that says itself where it is (OpenID Connect Discovery 1.0 §4).
pub(super) async fn discovered(issuer: &str, trust: &Arc<ClientConfig>) -> Result<Bytes, String> {
    #[derive(Deserialize)]
    struct Document {
        issuer: String,
        jwks_uri: String,
    }
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    let at = format!("{base}/.well-known/openid-configuration");
    let text = get(&at, trust, Reach::Any).await?;
    let document: Document =
        serde_json::from_slice(&text).map_err(|_| format!("`{at}` is no configuration"))?;
    // SECURITY: §4.3: a document of somebody else would bring somebody else's keys.
    if document.issuer != issuer {
        return Err(format!("`{at}` is the configuration of another issuer"));
    }
    let same = place(issuer).ok().map(|(host, port, _)| (host, port))
        == place(&document.jwks_uri)
            .ok()
            .map(|(host, port, _)| (host, port));
    // SECURITY: whoever writes the document must not make the gateway ask machines beside it.
    let reach = if same { Reach::Any } else { Reach::Public };
    get(&document.jwks_uri, trust, reach).await
}

async fn get(url: &str, trust: &Arc<ClientConfig>, reach: Reach) -> Result<Bytes, String> {
    let asked = tokio::time::timeout(TIMEOUT, ask(url, trust, reach)).await;
    let said = asked.unwrap_or_else(|_| Err("no answer in time".to_owned()));
    said.map_err(|why| format!("`{url}`: {why}"))
}

/// Host, port and target of an https address.
fn place(url: &str) -> Result<(String, u16, String), String> {
    let fail = || "this is no https address".to_owned();
    if url.len() > ADDRESS_BYTES_MAX {
        return Err(fail());
    }
    let uri: Uri = url.parse().map_err(|_| fail())?;
    let authority = uri.authority().ok_or_else(fail)?;
    if uri.scheme_str() != Some("https") || authority.as_str().contains('@') {
        return Err(fail());
    }
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let host = authority.host().to_ascii_lowercase();
    Ok((host, authority.port_u16().unwrap_or(443), target.to_owned()))
}

async fn ask(url: &str, trust: &Arc<ClientConfig>, reach: Reach) -> Result<Bytes, String> {
    let (host, port, target) = place(url)?;
    let stream = connect(&host, port, reach).await?;
    let name = ServerName::try_from(host.clone()).map_err(|_| "this is no host name".to_owned())?;
    let stream = TlsConnector::from(Arc::clone(trust))
        .connect(name, stream)
        .await
        .map_err(|error| error.to_string())?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let authority = match port {
        443 => host,
        port => format!("{host}:{port}"),
    };
    let request = Request::get(target)
        .header(header::HOST, authority)
        .header(header::ACCEPT, "application/json")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let asking = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| error.to_string())?;
        if response.status() != StatusCode::OK {
            return Err(format!("it answered {}", response.status()));
        }
        let body = Limited::new(response.into_body(), BODY_BYTES_MAX);
        let body = body.collect().await.map_err(|error| error.to_string())?;
        Ok(body.to_bytes())
    };
    tokio::pin!(asking);
    // The connection is driven as long as it is asked over, and dropped with it.
    tokio::select! {
        biased;
        said = &mut asking => said,
        ended = connection => match ended {
            Ok(()) => asking.await,
            Err(error) => Err(error.to_string()),
        },
    }
}

async fn connect(host: &str, port: u16, reach: Reach) -> Result<TcpStream, String> {
    let found = tokio::net::lookup_host((host, port))
        .await
        .map_err(|error| error.to_string())?;
    let allowed = |address: &SocketAddr| reach == Reach::Any || is_public(address.ip());
    let mut why = "its name leads to no address that may be asked".to_owned();
    for address in found.filter(allowed).take(ADDRESSES_MAX) {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}

/// Whether an address is of a machine on the public network (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19)))
}

/// Only what is given out to the public, without the ways into IPv4.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    (0x2000..0x4000).contains(&first)
        && first != 0x2002
        && !(first == 0x2001 && (second < 0x0200 || second == 0x0DB8))
        && !(first == 0x3FFF && second < 0x1000)
}

#[cfg(test)]
pub(in crate::issuers) mod tests;
