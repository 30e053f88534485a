//! What is known about a request before anybody is signed in, and what happens around every
//! answer: the form cookie is set, failures become pages, refusals are recorded.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use api::{Peer, Services};
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use model::{Context, RequestId};

use crate::error::{self, Failure};
use crate::frame::{Density, FormToken, Look, Plain, Theme};
use crate::{cookies, csrf};

/// LIMIT: of a path with its query, as kept for a return after sign-in.
const TARGET_BYTES_MAX: usize = 2048;

#[derive(Debug)]
struct Seen {
    request_id: RequestId,
    source: IpAddr,
    method: Method,
    host: String,
    target: String,
    look: Look,
    session: Option<String>,
    flow: Option<String>,
    form: String,
    form_is_new: bool,
    cross_site: bool,
    device: String,
    ctx: OnceLock<Context>,
}

/// One request, as far as it is known without asking anybody.
#[derive(Clone, Debug)]
pub(crate) struct Visit(Arc<Seen>);

impl Visit {
    fn read(peer: Peer, request: &Request, services: &Services) -> Option<Self> {
        let Peer::Gateway { client, request_id } = peer else {
            return None;
        };
        let headers = request.headers();
        let cookie = |name| cookies::read(headers, name).map(str::to_owned);
        let known = cookie(cookies::FORM).filter(|value| csrf::is_cookie(value));
        let form_is_new = known.is_none();
        let target = request
            .uri()
            .path_and_query()
            .map(|both| both.as_str().to_owned());
        Some(Self(Arc::new(Seen {
            request_id,
            source: client,
            method: request.method().clone(),
            host: text(headers, header::HOST).unwrap_or_default().to_owned(),
            target: target.unwrap_or_else(|| "/".to_owned()),
            look: look(headers),
            session: cookie(cookies::SESSION),
            flow: cookie(cookies::FLOW),
            form: known.unwrap_or_else(|| csrf::fresh(&*services.entropy)),
            form_is_new,
            cross_site: headers
                .get("sec-fetch-site")
                .is_some_and(|site| site == "cross-site"),
            device: device(text(headers, header::USER_AGENT).unwrap_or_default()),
            ctx: OnceLock::new(),
        })))
    }

    /// The id the gateway gave it.
    pub(crate) fn request_id(&self) -> RequestId {
        self.0.request_id
    }

    /// Where it came from.
    pub(crate) fn source(&self) -> IpAddr {
        self.0.source
    }

    /// The `Host` it asked for, with its port.
    pub(crate) fn host(&self) -> &str {
        &self.0.host
    }

    /// Its path with its query.
    pub(crate) fn target(&self) -> &str {
        &self.0.target
    }

    /// Its path.
    pub(crate) fn path(&self) -> &str {
        self.0.target.split('?').next().unwrap_or("/")
    }

    /// Theme and density of this browser.
    pub(crate) fn look(&self) -> Look {
        self.0.look
    }

    /// The session cookie's value, whether it is good or not.
    pub(crate) fn session(&self) -> Option<&str> {
        self.0.session.as_deref()
    }

    /// The cookie of a sign-in that is under way.
    pub(crate) fn flow(&self) -> Option<&str> {
        self.0.flow.as_deref()
    }

    /// The form cookie the browser sent; none when it sent none.
    pub(crate) fn form_cookie(&self) -> Option<&str> {
        (!self.0.form_is_new).then_some(self.0.form.as_str())
    }

    /// The token for forms on the page that answers this request.
    pub(crate) fn token(&self) -> FormToken {
        csrf::token(&self.0.form, self.session())
    }

    /// The browser in words, for lists of sessions.
    pub(crate) fn device(&self) -> &str {
        &self.0.device
    }

    /// Whether a link of another site led here. `SameSite=Strict` cookies were then not sent.
    pub(crate) fn crossed_sites(&self) -> bool {
        self.0.cross_site && self.0.method == Method::GET
    }

    /// Who it turned out to be, once somebody asked.
    pub(crate) fn known(&self) -> Option<&Context> {
        self.0.ctx.get()
    }

    /// Remembers who it turned out to be.
    pub(crate) fn remember(&self, ctx: &Context) {
        // The second of two askers got the same answer.
        drop(self.0.ctx.set(ctx.clone()));
    }

    /// A context for what nobody has to be signed in for.
    pub(crate) fn stranger(&self) -> Context {
        Context::anonymous(self.request_id(), Some(self.source()))
    }

    /// A page of its own, in this browser's colours.
    pub(crate) fn plain(&self, title: &str, services: &Services) -> Plain {
        Plain::new(title, &estate_name(services), self.look())
    }
}

/// The estate's name, or the product's before there is one.
pub(crate) fn estate_name(services: &Services) -> String {
    services.rollout.current().map_or_else(
        || "Rampart".to_owned(),
        |version| version.estate.name.clone(),
    )
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

/// The outermost layer but for the headers: reads the visit, and finishes the answer.
pub(crate) async fn attend(
    State(services): State<Services>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    // SECURITY: without a peer nothing is known about where the request came from, and a local
    // peer has the command line; neither gets a page.
    let Some(visit) = peer.and_then(|peer| Visit::read(peer, &request, &services)) else {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    };
    request.extensions_mut().insert(visit.clone());
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = error::page(&services, &visit, failure).await;
    }
    if visit.0.form_is_new && is_page(&response) {
        let cookie = cookies::set(cookies::FORM, &visit.0.form, cookies::Keep::Session);
        if let Some(cookie) = cookie {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// Whether `target` is a path of this origin that a browser cannot read as another host.
pub(crate) fn is_local(target: &str) -> bool {
    target.len() <= TARGET_BYTES_MAX
        && target.starts_with('/')
        && !target.starts_with("//")
        && target
            .bytes()
            .all(|b| (0x21..=0x7E).contains(&b) && b != b'\\')
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).map(HeaderValue::to_str)?.ok()
}

/// `theme.density`.
fn look(headers: &HeaderMap) -> Look {
    let (theme, density) = cookies::read(headers, cookies::LOOK)
        .and_then(|value| value.split_once('.'))
        .unwrap_or_default();
    Look {
        theme: Theme::parse(theme),
        density: Density::parse(density),
    }
}

/// `Firefox on Linux`: enough to recognise one's own sessions, not enough to be a fingerprint.
fn device(agent: &str) -> String {
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chromium"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iPadOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let find = |table: &[(&str, &'static str)]| {
        table
            .iter()
            .find(|(sign, _)| agent.contains(sign))
            .map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "unknown device".to_owned(),
    }
}

#[cfg(test)]
mod tests;
