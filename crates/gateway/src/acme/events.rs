//! What is recorded about certificates that are issued by themselves.

use model::{Context, Event, Outcome, Severity, Timestamp, activity, ocsf};

use super::Inner;

/// Somebody wants one renewed now.
pub(super) fn asked(inner: &Inner, ctx: &Context, host: &str) -> Event {
    event(inner, "gateway.certificate.asked_for", ctx, host)
        .message(format!("asked for a new certificate for `{host}`"))
}

/// One is there; `renewed` when there was one before.
pub(super) fn issued(
    inner: &Inner,
    host: &str,
    issuer: &str,
    until: Timestamp,
    renewed: bool,
) -> Event {
    let ctx = Context::system(&*inner.clock, &*inner.entropy);
    let (kind, verb) = match renewed {
        true => ("gateway.certificate.renewed", "renewed"),
        false => ("gateway.certificate.issued", "issued"),
    };
    event(inner, kind, &ctx, host)
        .with("issuer", issuer)
        .with("until", until.to_string())
        .message(format!(
            "{verb} the certificate for `{host}`, valid until {until}"
        ))
}

/// An order came to nothing.
pub(super) fn failed(inner: &Inner, host: &str, why: &str, next: Timestamp) -> Event {
    let ctx = Context::system(&*inner.clock, &*inner.entropy);
    event(inner, "gateway.certificate.failed", &ctx, host)
        .outcome(Outcome::Failure)
        .severity(Severity::Medium)
        .with("error", why)
        .with("next", next.to_string())
        .message(format!("no certificate for `{host}`: {why}"))
}

/// One runs out although it should have been renewed by now.
pub(super) fn expiring(inner: &Inner, host: &str, until: Timestamp) -> Event {
    let ctx = Context::system(&*inner.clock, &*inner.entropy);
    event(inner, "gateway.certificate.expiring", &ctx, host)
        .outcome(Outcome::Failure)
        .severity(Severity::High)
        .with("until", until.to_string())
        .message(format!(
            "the certificate for `{host}` ends on {until} and could not be renewed"
        ))
}

fn event(inner: &Inner, kind: &'static str, ctx: &Context, host: &str) -> Event {
    Event::change(kind, ctx, &*inner.clock, &*inner.entropy)
        .ocsf(ocsf::ENTITY_MANAGEMENT, activity::OTHER)
        .target("certificate", host)
}
