//! `[acme]`: from texts to what is asked of which authority, and the rules that go with it.

use std::collections::BTreeSet;

use ::model::{Diagnostic, Span};

use super::settings::section;
use crate::fields::{RENEW, Table};
use crate::findings::Findings;
use crate::model::{
    AcmeChallenge, AcmeKey, AcmeSettings, Binding, Certificate, Console, Listen, Route,
};
use crate::read::{Reader, plain};
use crate::values;

/// Ends of names that no public authority issues for (RFC 2606, RFC 6761, RFC 6762, RFC 9476).
const NOT_PUBLIC: &[&str] = &[
    "localhost",
    "local",
    "test",
    "example",
    "invalid",
    "internal",
    "onion",
    "alt",
    "home.arpa",
];

/// What the table stands beside.
pub(super) struct Beside<'a> {
    pub(super) listen: &'a Listen,
    pub(super) console: &'a Console,
    pub(super) certificates: &'a [Certificate],
    pub(super) routes: &'a [Route],
}

/// The table, when it is there and right.
pub(super) fn acme(
    findings: &mut Findings,
    root: &Reader<'_>,
    beside: &Beside<'_>,
) -> Option<AcmeSettings> {
    if !root.has("acme") {
        return None;
    }
    let table = section(root, "acme")?;
    let directory = directory(findings, &table);
    let contact = contact(findings, &table);
    terms(findings, &table);
    let challenge = match table.text("challenge")? {
        "tls-alpn-01" => AcmeChallenge::TlsAlpn01,
        _ => AcmeChallenge::Http01,
    };
    answerable(findings, &table, challenge, beside.listen);
    let hosts = hosts(findings, &table, beside);
    let renew = table.text("renew")?;
    Some(AcmeSettings {
        directory: directory?,
        contact,
        terms_agreed: table.bool("terms_agreed")?,
        hosts,
        challenge,
        key: match table.text("key")? {
            "ecdsa-p384" => AcmeKey::EcdsaP384,
            "rsa-2048" => AcmeKey::Rsa2048,
            _ => AcmeKey::EcdsaP256,
        },
        renew_part: RENEW.iter().find(|(text, _)| *text == renew)?.1,
        profile: table.parse("profile", plain),
        authority: table.parse("authority", plain),
        eab: binding(&table),
    })
}

fn binding(table: &Reader<'_>) -> Option<Binding> {
    if !table.has("eab") {
        return None;
    }
    let eab = table.sub("eab", Table::eab());
    Some(Binding {
        key_id: eab.parse("key_id", plain)?,
        key_file: eab.parse("key_file", plain)?,
    })
}

/// SECURITY: what the directory says is what we sign and where we send it; in clear, anybody on
/// the way could say it.
fn directory(findings: &mut Findings, table: &Reader<'_>) -> Option<String> {
    let text = table.text("directory")?;
    let rest = text.strip_prefix("https://").unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default();
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    if authority.is_empty() || authority.contains('@') || !printable {
        let message = format!("{} is not an https address", values::quoted(text));
        findings.push(
            Diagnostic::error("estate.bad_value", table.span_of("directory"), message)
                .hint("such as `https://acme-v02.api.letsencrypt.org/directory`"),
        );
        return None;
    }
    Some(text.to_owned())
}

fn contact(findings: &mut Findings, table: &Reader<'_>) -> Vec<String> {
    let mut contact = Vec::new();
    for item in table.list("contact", plain) {
        let address = item.value.strip_prefix("mailto:").unwrap_or_default();
        let parts = address.split_once('@');
        let fine = parts.is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
            && address
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b",?".contains(&b));
        if fine {
            contact.push(item.value);
        } else {
            let message = format!("{} is no contact", values::quoted(&item.value));
            findings.push(
                Diagnostic::error("estate.bad_value", item.span, message)
                    .hint("one address each, such as `mailto:ops@shop.example`"),
            );
        }
    }
    contact
}

fn terms(findings: &mut Findings, table: &Reader<'_>) {
    if table.bool("terms_agreed") == Some(false) {
        let message = "the authority's terms are not agreed to, so no certificate is asked for";
        findings.push(
            Diagnostic::warning(
                "estate.without_effect",
                table.span_of("terms_agreed"),
                message.to_owned(),
            )
            .hint("read them, then say `terms_agreed = true`"),
        );
    }
}

/// A challenge needs a listener that the authority can reach.
fn answerable(
    findings: &mut Findings,
    table: &Reader<'_>,
    challenge: AcmeChallenge,
    listen: &Listen,
) {
    let (missing, key, port) = match challenge {
        AcmeChallenge::Http01 => (listen.http.is_empty(), "http", 80),
        AcmeChallenge::TlsAlpn01 => (listen.https.is_empty(), "https", 443),
    };
    if missing {
        let message = format!("nothing could answer the challenge: `{key}` of `[listen]` is empty");
        findings.push(
            Diagnostic::error("estate.no_listener", table.span_of("challenge"), message).hint(
                format!("the authority asks at port {port}: let it lead to an address in `{key}`"),
            ),
        );
    }
}

fn hosts(findings: &mut Findings, table: &Reader<'_>, beside: &Beside<'_>) -> Vec<String> {
    let served: BTreeSet<&str> = beside
        .routes
        .iter()
        .filter_map(|route| route.host.as_deref())
        .chain([beside.console.host.as_str()])
        .collect();
    let given = |host: &str| {
        let named = beside.certificates.iter().flat_map(|one| &one.hosts);
        named.into_iter().any(|name| values::covers(name, host))
    };
    if !table.has("hosts") {
        let own = |host: &&&str| is_public(host) && !given(host);
        let hosts: Vec<String> = served.iter().filter(own).map(|h| (*h).to_owned()).collect();
        if hosts.is_empty() {
            let message = "no host needs a certificate: none is public, or all have one";
            findings.push(
                Diagnostic::warning("estate.without_effect", table.span, message.to_owned())
                    .hint("`hosts` names those that are not public"),
            );
        }
        return hosts;
    }
    let serves_all = beside.routes.iter().any(|route| route.host.is_none());
    let mut seen = BTreeSet::new();
    for host in table.list("hosts", values::host) {
        let complain = |findings: &mut Findings, span: Span, code, message: String| {
            findings.push(Diagnostic::error(code, span, message));
        };
        if !serves_all && !served.contains(host.value.as_str()) {
            let message = format!("no route is served at `{}`", host.value);
            complain(findings, host.span, "estate.certificate_unused", message);
        } else if given(&host.value) {
            let message = format!("`{}` has a `[[certificate]]` already", host.value);
            complain(findings, host.span, "estate.duplicate_name", message);
        } else if !seen.insert(host.value.clone()) {
            let message = format!("`{}` stands here twice", host.value);
            complain(findings, host.span, "estate.duplicate_name", message);
        } else if !is_public(&host.value) && !table.has("authority") {
            let message = format!("no public authority issues for `{}`", host.value);
            findings.push(
                Diagnostic::warning("estate.not_public", host.span, message)
                    .hint("`authority` names the file of one within your company"),
            );
        }
    }
    seen.into_iter().collect()
}

/// Whether a public authority may issue for `host`.
fn is_public(host: &str) -> bool {
    let below = |end: &str| {
        host.strip_suffix(end)
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    let is_address = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    host.contains('.') && !is_address && !NOT_PUBLIC.iter().any(|end| below(end))
}

#[cfg(test)]
mod tests;
