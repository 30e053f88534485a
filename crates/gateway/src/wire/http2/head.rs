//! The head of a request, made of its fields as they come; and trailers (RFC 9113 §8).

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri, Version};

use super::hpack::{Field, Kind, Name, Value};
use crate::wire::head::{HeadLimits, content_length};
use crate::wire::refusal::Refusal;

/// Entries a map begins with: a usual head needs no second allocation.
const FIELDS: usize = 12;

/// A head that broke no rule.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// Its target is in origin form, or `*`; `Host` is there, once, and so is `Cookie` at most.
    pub(crate) request: Request<()>,
    /// What it says its content is long.
    pub(crate) length: Option<u64>,
    /// Its client waits for a word before it sends content (RFC 9110 §10.1.1).
    pub(crate) waits: bool,
    /// Its client takes trailers (RFC 9110 §10.1.4).
    pub(crate) takes_trailers: bool,
}

/// A head on its way in. The first rule that is broken is what is said of it.
#[derive(Debug)]
pub(super) struct Head {
    limits: HeadLimits,
    parts: Parts,
}

#[derive(Debug, Default)]
struct Parts {
    method: Option<Method>,
    path: Option<Uri>,
    authority: Option<HeaderValue>,
    host: Option<HeaderValue>,
    cookie: Option<HeaderValue>,
    /// Cookies of more than one field, joined.
    cookies: Vec<u8>,
    headers: HeaderMap,
    length: Option<u64>,
    has_scheme: bool,
    waits: bool,
    takes_trailers: bool,
    count: usize,
    bytes: usize,
    is_pseudo_seen: bool,
    broken: Option<Refusal>,
}

impl Head {
    pub(super) fn new(limits: HeadLimits) -> Self {
        Self {
            limits,
            parts: Parts::default(),
        }
    }

    /// Forgets what it took.
    pub(super) fn clear(&mut self) {
        self.parts = Parts::default();
    }

    /// Takes one more field in.
    pub(super) fn take(&mut self, field: &Field) {
        let parts = &mut self.parts;
        if parts.broken.is_some() {
            return;
        }
        parts.bytes = parts.bytes.saturating_add(field.size);
        if parts.bytes > self.limits.bytes_max {
            parts.broken = Some(Refusal::HeadTooLarge);
            return;
        }
        let taken = match (&field.name, &field.value) {
            (_, Value::Broken(refusal)) => Err(*refusal),
            (Name::Of(name, kind), Value::Text(value)) => {
                parts.field(name, *kind, value, self.limits.fields_max)
            }
            (name, value) => parts.pseudo(name, value),
        };
        parts.broken = taken.err();
    }

    /// The request, when all of its fields are here; what comes next is another head.
    pub(super) fn request(&mut self) -> Result<Accepted, Refusal> {
        let mut parts = std::mem::take(&mut self.parts);
        if let Some(refusal) = parts.broken {
            return Err(refusal);
        }
        let method = parts.method.take().ok_or(Refusal::Pseudo)?;
        if method == Method::CONNECT {
            // Tunnels are not offered, those of RFC 8441 neither.
            return Err(Refusal::Connect);
        }
        if !parts.has_scheme {
            return Err(Refusal::Pseudo);
        }
        let path = parts.path.take().ok_or(Refusal::Target)?;
        if path.path() == "*" && method != Method::OPTIONS {
            return Err(Refusal::Target);
        }
        let host = parts.host()?;
        parts.headers.insert(header::HOST, host);
        if let Some(cookie) = parts.joined()? {
            parts.headers.insert(header::COOKIE, cookie);
        }
        let mut request = Request::new(());
        *request.method_mut() = method;
        *request.uri_mut() = path;
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = parts.headers;
        Ok(Accepted {
            request,
            length: parts.length,
            waits: parts.waits,
            takes_trailers: parts.takes_trailers,
        })
    }

    /// The fields behind a body: none of them may speak about the request (RFC 9113 §8.1).
    pub(super) fn trailers(&mut self) -> Result<HeaderMap, Refusal> {
        let parts = std::mem::take(&mut self.parts);
        match parts.broken {
            Some(refusal) => Err(refusal),
            None if parts.is_pseudo_seen => Err(Refusal::Pseudo),
            // What frames and routes ends here, as in any trailers (RFC 9110 §6.5.1).
            None => Ok(parts.headers),
        }
    }
}

impl Parts {
    /// They come before any other field, each once (RFC 9113 §8.3).
    fn pseudo(&mut self, name: &Name, value: &Value) -> Result<(), Refusal> {
        self.is_pseudo_seen = true;
        let is_fresh = match (name, value) {
            (Name::Method, Value::Method(method)) => self.method.replace(method.clone()).is_none(),
            (Name::Scheme, Value::Scheme) => !std::mem::replace(&mut self.has_scheme, true),
            (Name::Authority, Value::Text(text)) => self.authority.replace(text.clone()).is_none(),
            (Name::Path, Value::Path(path)) => self.path.replace(path.clone()).is_none(),
            _ => false,
        };
        if is_fresh && self.count == 0 {
            Ok(())
        } else {
            Err(Refusal::Pseudo)
        }
    }

    fn field(
        &mut self,
        name: &HeaderName,
        kind: Kind,
        value: &HeaderValue,
        fields_max: usize,
    ) -> Result<(), Refusal> {
        self.count = self.count.saturating_add(1);
        if self.count > fields_max {
            return Err(Refusal::TooManyFields);
        }
        match kind {
            Kind::Connection => return Err(Refusal::ConnectionSpecific),
            Kind::Te if value != "trailers" => return Err(Refusal::ConnectionSpecific),
            Kind::Te => {
                // It ends at this hop.
                self.takes_trailers = true;
                return Ok(());
            }
            Kind::Host => {
                return match self.host.replace(value.clone()) {
                    Some(_) => Err(Refusal::HostRepeated),
                    None => Ok(()),
                };
            }
            Kind::Cookie => {
                self.cookie(value);
                return Ok(());
            }
            Kind::ContentLength => {
                let length = content_length(value.as_bytes())?;
                if self.length.replace(length).is_some() {
                    return Err(Refusal::LengthRepeated);
                }
            }
            Kind::Expect => {
                let is_continue = value.as_bytes().eq_ignore_ascii_case(b"100-continue");
                self.waits |= is_continue;
            }
            Kind::Other => {}
        }
        if self.headers.capacity() == 0 {
            self.headers.reserve(FIELDS);
        }
        self.headers
            .try_append(name, value.clone())
            .map(|_| ())
            .map_err(|_| Refusal::TooManyFields)
    }

    /// A client may split its cookies for compression; HTTP/1 knows one field (RFC 9113 §8.2.3).
    fn cookie(&mut self, value: &HeaderValue) {
        let Some(first) = &self.cookie else {
            self.cookie = Some(value.clone());
            return;
        };
        if self.cookies.is_empty() {
            self.cookies.extend_from_slice(first.as_bytes());
        }
        self.cookies.extend_from_slice(b"; ");
        self.cookies.extend_from_slice(value.as_bytes());
    }

    fn joined(&mut self) -> Result<Option<HeaderValue>, Refusal> {
        if self.cookies.is_empty() {
            return Ok(self.cookie.take());
        }
        let joined = Bytes::from(std::mem::take(&mut self.cookies));
        let joined = HeaderValue::from_maybe_shared(joined).map_err(|_| Refusal::Control)?;
        Ok(Some(joined))
    }

    /// `:authority` and `Host` must not differ (RFC 9113 §8.3.1).
    fn host(&mut self) -> Result<HeaderValue, Refusal> {
        match (self.host.take(), self.authority.take()) {
            (None, None) => Err(Refusal::HostMissing),
            (Some(host), None) => Ok(host),
            (None, Some(authority)) => Ok(authority),
            (Some(host), Some(authority)) => {
                if host.as_bytes().eq_ignore_ascii_case(authority.as_bytes()) {
                    Ok(host)
                } else {
                    Err(Refusal::HostMismatch)
                }
            }
        }
    }
}
