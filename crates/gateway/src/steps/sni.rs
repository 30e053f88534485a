//! Whether the connection was made for this host: its certificate must be one of the host's, too.

use http::StatusCode;

use crate::flow::Flow;
use crate::refused::Refused;
use crate::steps::client;

/// SECURITY: a connection proved one certificate's names. Over HTTP/2 clients send requests for
/// other hosts of the same certificate (RFC 9113 §9.1.1); a request for any other host came here by
/// mistake or to get past something in front of us, and is sent back (RFC 9110 §7.4, §15.5.20).
///
/// A client that named no host (one that connects to an address) has nothing to be held to, and a
/// trusted proxy connects under a name of its own.
pub(crate) fn check(flow: &Flow<'_>) -> Result<(), Refused> {
    let Some(name) = flow.connection.sni.as_deref() else {
        return Ok(());
    };
    let host = flow.host.name();
    let shared = || flow.shared.certificates.share(name, host);
    if name == host || shared() || client::is_trusted(flow) {
        return Ok(());
    }
    Err(Refused::new(
        StatusCode::MISDIRECTED_REQUEST,
        "route.other_certificate",
        "this connection was made for another host",
    ))
}
