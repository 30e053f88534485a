//! Whether the connection was asked for the certificates that this host wants, and whether what it
//! showed still counts.
//!
//! A connection that began for one host may bring requests for another (RFC 9113 §9.1.1). What was
//! asked and shown for one says nothing where another gate stands.

use estate::AuthRequest;
use http::StatusCode;
use net::tls::PeerCertificate;

use crate::flow::Flow;
use crate::refused::Refused;

/// Refuses requests over connections that do not fit their host.
pub(crate) fn check(flow: &Flow<'_>) -> Result<(), Refused> {
    let Some(gates) = &flow.state.gates else {
        return Ok(());
    };
    let Some(wanted) = gates.of(flow.host.name()) else {
        return Ok(());
    };
    let direct = flow.connection.secure && flow.asked == AuthRequest::Off;
    let Some(admitted) = flow.connection.admitted.as_ref().filter(|_| direct) else {
        // In clear, or behind somebody else's TLS, nobody can show one; over ours, but not asked
        // here, they can by another connection.
        return match (direct, wanted.requires()) {
            (true, _) => Err(misdirected()),
            (false, true) => Err(Refused::new(
                StatusCode::FORBIDDEN,
                "authenticate.certificate_required",
                "this host is reached only over TLS with a client certificate",
            )),
            (false, false) => Ok(()),
        };
    };
    if !std::sync::Arc::ptr_eq(&admitted.gate, wanted) {
        return Err(misdirected());
    }
    if admitted.holds(flow.time) {
        return Ok(());
    }
    Err(Refused::new(
        StatusCode::UNAUTHORIZED,
        "authenticate.certificate_ended",
        "the client certificate has ended, was revoked, or is not trusted any more",
    ))
}

/// The certificate that counts for this request: shown where its host asks, and checked.
pub(crate) fn shown<'f>(flow: &'f Flow<'_>) -> Option<&'f PeerCertificate> {
    if flow.asked != AuthRequest::Off {
        // It is the asking proxy's own.
        return None;
    }
    let wanted = flow.state.gates.as_ref()?.of(flow.host.name())?;
    let admitted = flow.connection.admitted.as_ref()?;
    let same = std::sync::Arc::ptr_eq(&admitted.gate, wanted);
    admitted.certificate.as_ref().filter(|_| same)
}

/// RFC 9110 §15.5.20: the client may come again over a connection of this host's own.
fn misdirected() -> Refused {
    Refused::new(
        StatusCode::MISDIRECTED_REQUEST,
        "authenticate.misdirected",
        "this connection was not asked for the certificates that this host wants",
    )
}
