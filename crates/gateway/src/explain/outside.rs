//! What explaining knows of who comes from elsewhere: tokens of other issuers are judged but for
//! their signature, whose keys only the gateway has; certificates are not played.

use std::sync::Arc;

use estate::{CertificateMode, Estate};
use http::header;

use crate::caller::{Caller, Proof, Who};
use crate::flow::Flow;
use crate::issuers::{Unproven, Why};
use crate::refused::Refused;
use crate::steps::authenticate;

/// Somebody another issuer would know, if the signature of the token that the question shows were
/// right; nothing when it shows none of theirs.
pub(super) fn foreign(flow: &Flow<'_>) -> Option<Result<(Caller, String), Refused>> {
    let shown = flow.single(&header::AUTHORIZATION).ok()??;
    let text = authenticate::bearer(shown)?;
    let unproven = Unproven::read(text).ok()?;
    let mut issuers = flow.state.estate().issuers.values();
    let issuer = issuers.find(|issuer| issuer.url == unproven.issuer())?;
    let token = match unproven.suppose(issuer, flow.time) {
        Ok(token) => Arc::new(token),
        Err(why) => return Some(Err(why.refused())),
    };
    if token.bound.is_some() {
        return Some(Err(Why::Bound.refused()));
    }
    let roles = match token.guest.roles.is_empty() {
        true => "no role: no value of its claim stands in the map".to_owned(),
        false => format!("roles `{}`", token.guest.roles.join("`, `")),
    };
    let said = format!(
        "`{}` of the issuer `{}`, if the signature by its key `{}` is right; {roles}",
        token.guest.principal.name,
        issuer.name,
        unproven.key().unwrap_or("-"),
    );
    let caller = Caller {
        who: Who::Guest(Arc::clone(&token.guest)),
        proof: Proof::Foreign(token),
        digest: [0; 32],
    };
    Some(Ok((caller, said)))
}

/// What is said where clients of the host are asked for a certificate.
pub(super) fn asked(estate: &Estate, host: &str) -> Option<String> {
    if host == estate.console.host {
        return None;
    }
    let all = &estate.client_certificates;
    let own = all
        .iter()
        .find(|asked| asked.hosts.iter().any(|one| one == host));
    let asked = own.or_else(|| all.iter().find(|asked| asked.hosts.is_empty()))?;
    Some(match asked.mode {
        CertificateMode::Request => {
            "clients may show a certificate here; none is played".to_owned()
        }
        CertificateMode::Require => {
            "nobody connects here without a certificate; one is supposed".to_owned()
        }
    })
}
