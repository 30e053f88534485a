//! A small browser for the scripted day: HTTPS to the gateway under the demo's host names, cookies
//! by host, redirects, forms. It verifies certificates like any other and knows nothing about
//! Rampart's insides.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::form::{self, Form};

/// LIMIT: bytes of one answer.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// LIMIT: redirects followed in a row.
const REDIRECTS_MAX: usize = 10;
/// LIMIT: of one exchange.
const PATIENCE: Duration = Duration::from_secs(20);

/// The way to the gateway: every host name leads to the same address.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    gateway: SocketAddr,
    tls: Arc<ClientConfig>,
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: StatusCode,
    /// Its header fields.
    pub(crate) headers: HeaderMap,
    /// Its body, as text.
    pub(crate) body: String,
}

/// One person's browser.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    network: Network,
    /// By host, then by name.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// A page, with the address it was found at.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// Its address.
    pub(crate) url: Uri,
    /// What was answered there.
    pub(crate) answer: Answer,
}

impl Network {
    /// All hosts at `gateway`, whose certificates `tls` verifies.
    pub(crate) fn new(gateway: SocketAddr, tls: Arc<ClientConfig>) -> Self {
        Self { gateway, tls }
    }

    /// `https://host:port/target`.
    ///
    /// # Errors
    /// When `target` is no path.
    pub(crate) fn url(&self, host: &str, target: &str) -> anyhow::Result<Uri> {
        format!("https://{host}:{}{target}", self.gateway.port())
            .parse()
            .with_context(|| format!("`{target}` is no address"))
    }

    /// Sends one request over a connection of its own. Neither cookies nor redirects.
    ///
    /// # Errors
    /// When there is no answer.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> anyhow::Result<Answer> {
        tokio::time::timeout(PATIENCE, self.exchange(request))
            .await
            .map_err(|_| anyhow!("no answer within {PATIENCE:?}"))?
    }

    /// Sends bytes as they are and reads until the other side closes; `{host}` stands for `host`.
    ///
    /// # Errors
    /// When the connection cannot be made, or stays open.
    pub(crate) async fn send_raw(&self, host: &str, text: &str) -> anyhow::Result<String> {
        let text = text.replace("{host}", &format!("{host}:{}", self.gateway.port()));
        let exchange = async {
            let mut stream = self.connect(host).await?;
            stream.write_all(text.as_bytes()).await?;
            let mut answer = Vec::new();
            let mut reading = stream.take(u64::try_from(ANSWER_BYTES_MAX)?);
            match reading.read_to_end(&mut answer).await {
                // A peer that closes without a TLS goodbye has still answered.
                Err(error) if answer.is_empty() => return Err(error.into()),
                _ => {}
            }
            anyhow::Ok(String::from_utf8_lossy(&answer).into_owned())
        };
        tokio::time::timeout(PATIENCE, exchange)
            .await
            .map_err(|_| anyhow!("the connection was not closed within {PATIENCE:?}"))?
    }

    async fn connect(&self, host: &str) -> anyhow::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(self.gateway)
            .await
            .with_context(|| format!("cannot reach the gateway at {}", self.gateway))?;
        let name = ServerName::try_from(host.to_owned())?;
        TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, tcp)
            .await
            .with_context(|| format!("no TLS connection to `{host}`"))
    }

    async fn exchange(&self, request: Request<Bytes>) -> anyhow::Result<Answer> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let authority = request.uri().authority().map(ToString::to_string);
        let (mut parts, body) = request.into_parts();
        // HTTP/1.1's origin form: the target is the path, the host stands in its field.
        let target = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let target: Uri = target.parse()?;
        parts.uri = target;
        if let Some(authority) = authority {
            parts
                .headers
                .insert(header::HOST, HeaderValue::from_str(&authority)?);
        }
        let stream = self.connect(&host).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        let request = Request::from_parts(parts, Full::new(body));
        let response = sender.send_request(request).await;
        let answer = match response {
            Ok(response) => {
                let (parts, body) = response.into_parts();
                let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
                let body = body.map_err(|error| anyhow!("the answer broke off: {error}"))?;
                Ok(Answer {
                    status: parts.status,
                    headers: parts.headers,
                    body: String::from_utf8_lossy(&body.to_bytes()).into_owned(),
                })
            }
            Err(error) => Err(error.into()),
        };
        driver.abort();
        answer
    }
}

impl Answer {
    /// A header field as text.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

impl Browser {
    /// A browser without cookies.
    pub(crate) fn new(network: Network) -> Self {
        Self {
            network,
            cookies: BTreeMap::new(),
        }
    }

    /// Sends one request with this browser's cookies, and keeps those of the answer.
    ///
    /// # Errors
    /// When there is no answer.
    pub(crate) async fn send(&mut self, mut request: Request<Bytes>) -> anyhow::Result<Answer> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        if let Some(cookies) = self.cookies_of(&host) {
            let value = HeaderValue::from_str(&cookies)?;
            request.headers_mut().insert(header::COOKIE, value);
        }
        let answer = self.network.send(request).await?;
        let jar = self.cookies.entry(host).or_default();
        for line in answer.headers.get_all(header::SET_COOKIE) {
            keep(jar, line.to_str().unwrap_or_default());
        }
        Ok(answer)
    }

    /// What stands in `Cookie` for `host`, if anything.
    pub(crate) fn cookies_of(&self, host: &str) -> Option<String> {
        let cookies = self.cookies.get(host).filter(|all| !all.is_empty())?;
        let pairs: Vec<_> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Some(pairs.join("; "))
    }

    /// Opens an address as if it was typed, and follows where it leads.
    ///
    /// # Errors
    /// When a page does not come, or redirects never end.
    pub(crate) async fn open(&mut self, url: Uri) -> anyhow::Result<Page> {
        let request = navigation(Method::GET, &url, "none").body(Bytes::new())?;
        let answer = self.send(request).await?;
        self.follow(Page { url, answer }).await
    }

    /// Fills in the page's form and sends it.
    ///
    /// # Errors
    /// When the page has no such form, or the answer does not come.
    pub(crate) async fn submit(
        &mut self,
        page: &Page,
        fill: &[(&str, &str)],
    ) -> anyhow::Result<Page> {
        let names: Vec<&str> = fill.iter().map(|(name, _)| *name).collect();
        let Form { action, hidden } =
            form::with_fields(&page.answer.body, &names).with_context(|| {
                format!(
                    "no form with {names:?} at `{}`: {}",
                    page.url,
                    excerpt(page)
                )
            })?;
        let fields = hidden
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| !names.contains(name))
            .chain(fill.iter().copied());
        let body = form::encode(fields);
        let url = join(&page.url, &action)?;
        let request = navigation(Method::POST, &url, "same-origin")
            .header(header::ORIGIN, origin(&page.url))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(body))?;
        let answer = self.send(request).await?;
        self.follow(Page { url, answer }).await
    }

    async fn follow(&mut self, mut page: Page) -> anyhow::Result<Page> {
        for _ in 0..REDIRECTS_MAX {
            let Some(to) = leads_to(&page.answer) else {
                return Ok(page);
            };
            let url = join(&page.url, &to)?;
            let site = if url.host() == page.url.host() {
                "same-origin"
            } else {
                "cross-site"
            };
            let request = navigation(Method::GET, &url, site).body(Bytes::new())?;
            let answer = self.send(request).await?;
            page = Page { url, answer };
        }
        bail!("redirects from `{}` do not end", page.url)
    }
}

/// The beginning of a page's text, for errors.
pub(crate) fn excerpt(page: &Page) -> String {
    let text = form::text(&page.answer.body);
    format!(
        "{} {}",
        page.answer.status,
        text.chars().take(300).collect::<String>()
    )
}

fn navigation(method: Method, url: &Uri, site: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(url)
        .header(header::ACCEPT, "text/html,application/xhtml+xml")
        .header(
            header::USER_AGENT,
            "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
        )
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document")
        .header("sec-fetch-site", site)
}

/// A redirect, or a page that leads on by itself.
fn leads_to(answer: &Answer) -> Option<String> {
    if answer.status.is_redirection() {
        let to = answer.header("location");
        return (!to.is_empty()).then(|| to.to_owned());
    }
    form::refresh(&answer.body)
}

fn origin(url: &Uri) -> String {
    let authority = url.authority().map(ToString::to_string).unwrap_or_default();
    format!("https://{authority}")
}

fn join(base: &Uri, reference: &str) -> anyhow::Result<Uri> {
    let whole = if reference.starts_with("https://") {
        reference.to_owned()
    } else if reference.starts_with('/') {
        format!("{}{reference}", origin(base))
    } else if reference.is_empty() || reference.starts_with('?') {
        format!("{}{}{reference}", origin(base), base.path())
    } else {
        bail!("`{reference}` leads out of the demo")
    };
    whole
        .parse()
        .with_context(|| format!("`{whole}` is no address"))
}

/// RFC 6265 §5.2, as far as one host with `__Host-` cookies needs it.
fn keep(jar: &mut BTreeMap<String, String>, line: &str) {
    let mut parts = line.split(';');
    let Some((name, value)) = parts.next().and_then(|pair| pair.trim().split_once('=')) else {
        return;
    };
    let gone = parts.any(|attribute| attribute.trim().eq_ignore_ascii_case("max-age=0"));
    if gone {
        jar.remove(name);
    } else {
        jar.insert(name.to_owned(), value.to_owned());
    }
}

// The path is written out because integration tests use this file too.
#[cfg(test)]
#[path = "browser/tests.rs"]
mod tests;
