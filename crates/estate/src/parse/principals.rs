//! Who may come from elsewhere: clients with certificates, and tokens of other issuers.

use std::collections::{BTreeMap, BTreeSet};

use ::model::Diagnostic;

use super::names::{self, Names, entries};
use super::settings::{full_host, section};
use crate::fields::{CLIENT_CERTIFICATES, ISSUER_ROLES};
use crate::findings::Findings;
use crate::model::{
    CertificateMode, ClientCertificates, CrlExpired, Estate, Issuer, IssuerKeys, SignatureAlgorithm,
};
use crate::node::{Node, key_span};
use crate::read::{Placed, Reader, plain};
use crate::{CertificateName, values};

pub(super) fn client_certificates(
    root: &Reader<'_>,
    domain: Option<&str>,
) -> Vec<ClientCertificates> {
    let (Some(listen), Some(domain)) = (section(root, "listen"), domain) else {
        return Vec::new();
    };
    let one = |table: Reader<'_>| {
        let hosts = table.values("hosts", values::host);
        Some(ClientCertificates {
            hosts: hosts.iter().map(|host| full_host(host, domain)).collect(),
            authorities: table.parse("authorities", plain)?,
            mode: match table.text("mode")? {
                "request" => CertificateMode::Request,
                "require" => CertificateMode::Require,
                _ => return None,
            },
            crls: table.values("crls", plain),
            crl_expired: match table.text("crl_expired")? {
                "refuse" => CrlExpired::Refuse,
                "accept" => CrlExpired::Accept,
                _ => return None,
            },
        })
    };
    let all = listen.each("client_certificates", &CLIENT_CERTIFICATES);
    all.into_iter().filter_map(one).collect()
}

pub(super) fn issuers(
    findings: &mut Findings,
    root: &Reader<'_>,
    names: &Names,
) -> BTreeMap<String, Issuer> {
    let one = |table: Reader<'_>| {
        let issuer = issuer(findings, &table, names)?;
        Some((issuer.name.clone(), issuer))
    };
    entries(root, "issuer")
        .into_iter()
        .filter_map(one)
        .collect()
}

fn issuer(findings: &mut Findings, table: &Reader<'_>, names: &Names) -> Option<Issuer> {
    for key in ["audience", "algorithms", "types"] {
        if table.has(key) && table.list(key, plain).is_empty() {
            let message = format!("`{key}` is empty, so that no token would be accepted");
            findings.error("estate.bad_value", table.span_of(key), message);
        }
    }
    let keys = match (table.has("jwks"), table.has("file")) {
        (true, true) => {
            let message = "an issuer's keys come from one place".to_owned();
            let finding = Diagnostic::error("estate.contradiction", table.span_of("file"), message);
            findings.push(finding.hint("leave out `jwks` or `file`"));
            return None;
        }
        (true, false) => IssuerKeys::Jwks(table.parse("jwks", values::https_address)?),
        (false, true) => IssuerKeys::File(table.parse("file", plain)?),
        (false, false) => IssuerKeys::Discovery,
    };
    if matches!(keys, IssuerKeys::File(_)) && table.has("authority") {
        let message = "`authority` changes nothing with `file`: nobody is asked".to_owned();
        let span = table.span_of("authority");
        findings.push(Diagnostic::warning("estate.without_effect", span, message));
    }
    let roles = table.sub("roles", &ISSUER_ROLES);
    let algorithm = |text: &str| match text {
        "RS256" => Ok(SignatureAlgorithm::RS256),
        "PS256" => Ok(SignatureAlgorithm::PS256),
        "ES256" => Ok(SignatureAlgorithm::ES256),
        "EdDSA" => Ok(SignatureAlgorithm::EdDSA),
        _ => Err(()),
    };
    let kind = |text: &str| {
        let lower = text.to_ascii_lowercase();
        let short = lower.strip_prefix("application/").unwrap_or(&lower);
        Ok::<_, std::convert::Infallible>(short.to_owned())
    };
    Some(Issuer {
        name: table.parse("name", values::name)?,
        url: table.parse("url", values::https_address)?,
        audience: table.values("audience", plain),
        algorithms: table.values("algorithms", algorithm),
        keys,
        authority: table.parse("authority", plain),
        roles_claim: roles.parse("claim", plain)?,
        roles_map: roles_map(findings, &roles, names),
        subject: table.parse("subject", plain)?,
        clock_skew: table.duration("clock_skew")?,
        types: table.values("types", kind),
        keys_keep: table.duration("keys_keep")?,
    })
}

fn roles_map(
    findings: &mut Findings,
    roles: &Reader<'_>,
    names: &Names,
) -> BTreeMap<String, String> {
    let Some(map) = roles.node("map") else {
        return BTreeMap::new();
    };
    let Some(table) = map.table() else {
        return BTreeMap::new();
    };
    let mut out = BTreeMap::new();
    for (claimed, item) in table.iter() {
        let span = key_span(table, claimed, map.span);
        let Some(role) = Node::of(item, span).text() else {
            continue;
        };
        let role = Placed {
            value: role.to_owned(),
            span,
        };
        names::check_roles(findings, names, std::slice::from_ref(&role));
        out.insert(claimed.to_owned(), role.value);
    }
    out
}

/// What values mean together.
pub(super) fn check(findings: &mut Findings, root: &Reader<'_>, estate: &Estate) {
    asked_once(findings, root, estate);
    one_client_each(findings, root, estate);
    one_issuer_each(findings, root, estate);
    let Some(gateway) = section(root, "gateway") else {
        return;
    };
    let asks = gateway
        .text("auth_request")
        .is_some_and(|style| style != "off");
    if asks && estate.gateway.trusted_proxies.is_empty() {
        let message = "`auth_request` without `trusted_proxies`: nobody may ask".to_owned();
        let span = gateway.span_of("auth_request");
        let finding = Diagnostic::error("estate.contradiction", span, message);
        findings
            .push(finding.hint("name the proxies in front: `trusted_proxies = [\"127.0.0.1\"]`"));
    }
}

/// A host asks for certificates of one kind, and the console for none: its people sign in.
fn asked_once(findings: &mut Findings, root: &Reader<'_>, estate: &Estate) {
    let Some(listen) = section(root, "listen") else {
        return;
    };
    let mut seen = BTreeSet::new();
    for table in listen.each("client_certificates", &CLIENT_CERTIFICATES) {
        let hosts = table.list("hosts", values::host);
        if hosts.is_empty() && !seen.insert(String::new()) {
            let message = "every host asks for certificates already".to_owned();
            let finding = Diagnostic::error("estate.duplicate_name", table.span, message);
            findings.push(finding.hint("name the `hosts` of all but one"));
        }
        for host in hosts {
            let full = full_host(&host.value, &estate.domain);
            if full == estate.console.host {
                let message = format!("`{full}` is the console's host");
                let finding = Diagnostic::error("estate.console_host", host.span, message);
                findings.push(finding.hint("people sign in there; it asks for no certificate"));
            } else if !seen.insert(full.clone()) {
                let message = format!("`{full}` asks for certificates already");
                findings.error("estate.duplicate_name", host.span, message);
            }
        }
    }
}

/// SECURITY: a certificate that two clients claim would be the stronger one's by accident.
fn one_client_each(findings: &mut Findings, root: &Reader<'_>, estate: &Estate) {
    let mut seen = BTreeSet::new();
    for table in entries(root, "client") {
        for name in table.list("certificates", CertificateName::parse) {
            if estate.client_certificates.is_empty() {
                let message = format!("nobody is asked for `{}`", name.value);
                let finding = Diagnostic::warning("estate.without_effect", name.span, message);
                findings.push(finding.hint("add `[[listen.client_certificates]]`"));
            }
            if !seen.insert(name.value.clone()) {
                let message = format!("`{}` is a certificate of a client already", name.value);
                findings.error("estate.duplicate_name", name.span, message);
            }
        }
    }
}

fn one_issuer_each(findings: &mut Findings, root: &Reader<'_>, estate: &Estate) {
    let own = format!("https://{}", estate.console.host);
    let mut seen = BTreeSet::new();
    for table in entries(root, "issuer") {
        let Some(url) = table.placed("url", values::https_address) else {
            continue;
        };
        let rest = url.value.strip_prefix(own.as_str());
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':'])) {
            let message = format!("`{}` is Rampart's own", url.value);
            findings.error("estate.contradiction", url.span, message);
        } else if !seen.insert(url.value.clone()) {
            let message = format!("there is already an issuer `{}`", url.value);
            findings.error("estate.duplicate_name", url.span, message);
        }
    }
}
