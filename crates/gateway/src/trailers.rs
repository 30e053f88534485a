//! Trailer fields on their way through the gateway (RFC 9110 §6.5): few, short, and none that
//! frames, routes, authenticates or describes the message.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::hop;
use crate::reserved::{is_identity, is_reserved};

/// LIMIT: trailer fields of one message.
const FIELDS_MAX: usize = 64;
/// LIMIT: bytes of their names and values.
const BYTES_MAX: usize = 16 * 1024;

/// In the extensions of a request whose client takes trailers (RFC 9110 §10.1.4).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken;

/// `TE`, as it asks for them.
pub(crate) const TE: HeaderValue = HeaderValue::from_static("trailers");

/// Which way they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the client to the service.
    In,
    /// From the service to the client.
    Out,
}

/// There are more of them than may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the trailers are longer than allowed")]
pub(crate) struct TooLong;

/// How a call of gRPC ends that is not let go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallEnd {
    /// The time that it gave itself is over.
    DeadlineExceeded,
    /// Its client may no longer ask for it.
    PermissionDenied,
}

impl CallEnd {
    /// As trailers: the status of a call stands there (the gRPC protocol over HTTP/2).
    pub(crate) fn fields(self) -> HeaderMap {
        const STATUS: HeaderName = HeaderName::from_static("grpc-status");
        let code = HeaderValue::from_static(match self {
            Self::DeadlineExceeded => "4",
            Self::PermissionDenied => "7",
        });
        HeaderMap::from_iter([(STATUS, code)])
    }
}

/// What of `fields` may go on.
///
/// SECURITY: a recipient may merge trailers into the head it has read already, so that whatever
/// was decided about by the head must not come after it (RFC 9110 §6.5.1).
pub(crate) fn pass(mut fields: HeaderMap, way: Way) -> Result<HeaderMap, TooLong> {
    let bytes: usize = fields
        .iter()
        .map(|(name, value)| name.as_str().len().saturating_add(value.len()))
        .sum();
    if fields.len() > FIELDS_MAX || bytes > BYTES_MAX {
        return Err(TooLong);
    }
    hop::remove_where(&mut fields, |name| is_gone(name, way));
    Ok(fields)
}

fn is_gone(name: &HeaderName, way: Way) -> bool {
    const OWN: [&str; 2] = ["rampart-", "x-rampart-"];
    let text = name.as_str();
    let is_own = match way {
        Way::In => is_reserved(name) || is_identity(name),
        Way::Out => OWN.iter().any(|prefix| text.starts_with(prefix)),
    };
    is_own || hop::is_hop_by_hop(name) || is_of_the_head(name)
}

/// Fields that belong before the content, or nowhere.
fn is_of_the_head(name: &HeaderName) -> bool {
    const NAMES: [HeaderName; 20] = [
        header::AGE,
        header::AUTHORIZATION,
        header::CACHE_CONTROL,
        header::COOKIE,
        header::DATE,
        header::EXPECT,
        header::EXPIRES,
        header::FORWARDED,
        header::HOST,
        header::LOCATION,
        header::MAX_FORWARDS,
        header::ORIGIN,
        header::PRAGMA,
        header::PROXY_AUTHORIZATION,
        header::RANGE,
        header::RETRY_AFTER,
        header::SET_COOKIE,
        header::VARY,
        header::WWW_AUTHENTICATE,
        HeaderName::from_static("x-api-key"),
    ];
    const PREFIXES: [&str; 8] = [
        "access-control-",
        "content-",
        "if-",
        "sec-",
        "strict-transport-",
        "x-forwarded-",
        "x-http-method",
        "x-method-override",
    ];
    NAMES.contains(name)
        || PREFIXES
            .iter()
            .any(|prefix| name.as_str().starts_with(prefix))
}

#[cfg(test)]
mod tests;
