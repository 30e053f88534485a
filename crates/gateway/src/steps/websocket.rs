//! WebSockets (RFC 6455 §4): whether the route takes them, whether the handshake is one, and
//! whether the service agreed to just this one.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};

use crate::exchange::WebSocket;
use crate::flow::Flow;
use crate::refused::{More, Refused};
use crate::reply::ReplyFields;

/// What the answer's proof is made with (RFC 6455 §1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// Bytes of a handshake's nonce.
const NONCE_BYTES: usize = 16;
/// The only version there is.
pub(crate) const VERSION: HeaderValue = HeaderValue::from_static("13");

/// Whether the request asks for a WebSocket.
pub(crate) fn is_asked(flow: &Flow<'_>) -> bool {
    flow.head.extensions.get::<WebSocket>().is_some()
}

/// Refuses handshakes the route does not take, and those that are none. Not subject to `observe`:
/// there is nothing else that could be done with them.
pub(crate) fn check(flow: &mut Flow<'_>) -> Result<(), Refused> {
    if !is_asked(flow) {
        return Ok(());
    }
    if !flow.chosen().is_some_and(|chosen| chosen.route.websocket) {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "websocket.not_offered",
            "this route takes no WebSocket",
        ));
    }
    if flow.head.method != Method::GET {
        let refused = Refused::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "websocket.method",
            "a WebSocket is asked for with GET",
        );
        return Err(refused.with(More {
            allow: Some("GET".to_owned()),
            ..More::default()
        }));
    }
    if flow.single(&header::SEC_WEBSOCKET_VERSION) != Ok(Some(&VERSION)) {
        return Err(Refused::new(
            StatusCode::UPGRADE_REQUIRED,
            "websocket.version",
            "the version of the WebSocket protocol is 13",
        ));
    }
    if key(flow).is_none() {
        return Err(Refused::new(
            StatusCode::BAD_REQUEST,
            "websocket.key",
            "`Sec-WebSocket-Key` is not 16 bytes in base 64",
        ));
    }
    // Nothing is agreed on that would give frames another meaning than the gateway sees.
    flow.head.headers.remove(header::SEC_WEBSOCKET_EXTENSIONS);
    Ok(())
}

/// The handshake's nonce, as it was written.
pub(crate) fn key(flow: &Flow<'_>) -> Option<HeaderValue> {
    let key = flow.single(&header::SEC_WEBSOCKET_KEY).ok()??;
    let nonce = STANDARD.decode(key).ok()?;
    (nonce.len() == NONCE_BYTES).then(|| key.clone())
}

/// Whether the service's answer agrees to the handshake with this nonce, and to nothing beside it
/// (RFC 6455 §4.1).
pub(crate) fn is_agreed(key: &HeaderValue, answer: &ReplyFields) -> bool {
    let one = |name: &HeaderName| {
        let mut values = answer.all(name);
        values.next().filter(|_| values.next().is_none())
    };
    let mut proof = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    proof.update(key.as_bytes());
    proof.update(GUID);
    let proof = STANDARD.encode(proof.finish());
    one(&header::SEC_WEBSOCKET_ACCEPT).is_some_and(|given| given == proof.as_bytes())
        && answer.get(&header::SEC_WEBSOCKET_EXTENSIONS).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proof_is_that_of_the_rfc() {
        // RFC 6455 §1.3.
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        let mut answer = ReplyFields::default();
        assert!(!is_agreed(&key, &answer));
        let proof = HeaderValue::from_static("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        answer.push(header::SEC_WEBSOCKET_ACCEPT, proof.clone());
        assert!(is_agreed(&key, &answer));
        let other = HeaderValue::from_static("eGhlIHNhbXBsZSBub25jZQ==");
        assert!(!is_agreed(&other, &answer));
        answer.push(header::SEC_WEBSOCKET_ACCEPT, proof);
        assert!(!is_agreed(&key, &answer), "said twice");
        answer.remove(&header::SEC_WEBSOCKET_ACCEPT);
        answer.push(header::SEC_WEBSOCKET_EXTENSIONS, VERSION);
        assert!(!is_agreed(&key, &answer));
    }
}
