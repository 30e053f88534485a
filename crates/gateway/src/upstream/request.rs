//! A request as its service gets it, before it is framed for the hop there.

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};

use super::key::Key;
use super::target::Target;
use crate::body::Carried;
use crate::hop;
use crate::wire::is_all_value;

/// Bytes of a usual head over HTTP/1.1: more makes the buffer grow, once.
const HEAD_BYTES: usize = 1024;

/// See the module.
#[derive(Debug)]
pub(crate) struct ServiceRequest {
    pub(crate) method: Method,
    pub(crate) head: ServiceHead,
    pub(crate) body: Carried,
    /// What it shares with others that are to reach the same address.
    pub(crate) key: Option<Key>,
    /// Its client takes trailers (RFC 9110 §10.1.4).
    pub(crate) takes_trailers: bool,
}

/// Target and fields, in the form in which the service's protocol takes them. Nothing is looked for
/// in them any more, and those of every request are written here, once.
///
/// The framing of the hop before ends here: fields about it are left out (RFC 9110 §7.6.1). So is
/// `Expect`: the body is here already, or asked for when the head is written (§10.1.1).
#[derive(Debug)]
pub(crate) enum ServiceHead {
    /// Request line and fields as HTTP/1.1 sends them, without the empty line at the end.
    Lines(Vec<u8>),
    /// As HTTP/2 takes them.
    Fields(Box<ServiceFields>),
}

/// See [`ServiceHead`].
#[derive(Debug)]
pub(crate) struct ServiceFields {
    /// In origin form.
    pub(super) uri: Uri,
    /// `Host` among them.
    pub(super) fields: Vec<(HeaderName, HeaderValue)>,
}

impl ServiceHead {
    /// Of a request to `target`, its `uri` in origin form; without fields.
    pub(crate) fn new(target: &Target, method: &Method, uri: &Uri) -> Self {
        if target.http2 {
            return Self::Fields(Box::new(ServiceFields {
                uri: uri.clone(),
                fields: Vec::new(),
            }));
        }
        let mut lines = Vec::with_capacity(HEAD_BYTES);
        lines.extend_from_slice(method.as_str().as_bytes());
        lines.push(b' ');
        let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        lines.extend_from_slice(target.as_bytes());
        lines.extend_from_slice(b" HTTP/1.1\r\n");
        Self::Lines(lines)
    }

    /// Takes those of `headers` over whose names are not `is_gone`.
    pub(crate) fn take(&mut self, headers: &HeaderMap, is_gone: impl Fn(&HeaderName) -> bool) {
        for (name, value) in headers {
            let is_of_the_hop = hop::is_hop_by_hop(name)
                || *name == header::CONTENT_LENGTH
                || *name == header::EXPECT;
            if !is_of_the_hop && !is_gone(name) {
                self.push(name, value);
            }
        }
    }

    /// One more field.
    ///
    /// SECURITY: nothing in these types holds a line end (`http` refuses them), so that a head is
    /// always one head.
    pub(crate) fn push(&mut self, name: &HeaderName, value: &HeaderValue) {
        match self {
            Self::Lines(lines) => line(lines, name, value.as_bytes()),
            Self::Fields(all) => all.fields.push((name.clone(), value.clone())),
        }
    }

    /// One more field, of a text that is no field's value yet; left out where it cannot be one.
    pub(crate) fn push_text(&mut self, name: &HeaderName, text: &[u8]) {
        match self {
            // SECURITY: no line end is in what this lets through.
            Self::Lines(lines) if is_all_value(text) => line(lines, name, text),
            Self::Lines(_) => {}
            Self::Fields(all) => {
                if let Ok(value) = HeaderValue::from_bytes(text) {
                    all.fields.push((name.clone(), value));
                }
            }
        }
    }
}

fn line(lines: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    lines.extend_from_slice(name.as_str().as_bytes());
    lines.extend_from_slice(b": ");
    lines.extend_from_slice(value);
    lines.extend_from_slice(b"\r\n");
}

#[cfg(test)]
pub(super) mod tests;
