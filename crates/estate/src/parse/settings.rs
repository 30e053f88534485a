//! The tables that stand once: estate, listen, console, gateway, identity, trail, limits; and
//! certificates.

use ::model::{Diagnostic, Network};

use super::names::entries;
use crate::fields::ROOT;
use crate::findings::Findings;
use crate::kind::Kind;
use crate::model::{
    AuthRequest, Certificate, Console, GatewaySettings, IdentitySettings, Limits, Listen, Pressure,
    TrailSettings,
};
use crate::read::{Reader, plain};
use crate::values;

/// The table `key` of the file, present or not.
pub(super) fn section<'a>(root: &Reader<'a>, key: &str) -> Option<Reader<'a>> {
    match ROOT.field(key).map(|field| &field.kind) {
        Some(Kind::Table(spec)) => Some(root.sub(key, spec)),
        _ => None,
    }
}

pub(super) fn name(root: &Reader<'_>) -> Option<String> {
    section(root, "estate")?.parse("name", values::name)
}

pub(super) fn domain(root: &Reader<'_>) -> Option<String> {
    section(root, "estate")?.parse("domain", values::host)
}

pub(super) fn listen(findings: &mut Findings, root: &Reader<'_>) -> Option<Listen> {
    let table = section(root, "listen")?;
    let https = table.sockets("https");
    let http = table.sockets("http");
    // Addresses that were refused are not missing as well.
    let written = ["https", "http"]
        .iter()
        .filter_map(|key| table.node(key)?.items())
        .any(|items| !items.is_empty());
    if https.is_empty() && http.is_empty() && !written {
        let message = "the gateway would listen nowhere".to_owned();
        findings.push(
            Diagnostic::error("estate.no_listener", table.span_of("https"), message)
                .hint("give `https` an address, such as `0.0.0.0:8443`"),
        );
    }
    let plain = table.bool("plain");
    if plain == Some(true) && http.is_empty() {
        let message = "`plain` changes nothing without an address in `http`".to_owned();
        findings.push(Diagnostic::warning(
            "estate.without_effect",
            table.span_of("plain"),
            message,
        ));
    }
    let mut seen = std::collections::BTreeSet::new();
    for address in https.iter().chain(&http) {
        // Port 0 asks the system for any free one, as often as one likes.
        if address.value.port() != 0 && !seen.insert(address.value) {
            let message = format!("`{}` is listened on twice", address.value);
            findings.error("estate.duplicate_name", address.span, message);
        }
    }
    let proxy_protocol = table.list("proxy_protocol", str::parse::<Network>);
    for network in proxy_protocol.iter().filter(|one| one.value.prefix() == 0) {
        let message = format!(
            "whoever connects from `{}` may claim any address",
            network.value
        );
        findings.push(
            Diagnostic::warning("estate.any_proxy", network.span, message)
                .hint("name the addresses of the load balancers alone"),
        );
    }
    let metrics = match table.text("metrics") {
        Some("off") | None => None,
        Some(_) => {
            let address = table.placed("metrics", values::socket)?;
            if !address.value.ip().is_loopback() {
                let message = format!(
                    "metrics at `{}` can be read without signing in",
                    address.value
                );
                findings.push(
                    Diagnostic::warning("estate.public_metrics", address.span, message)
                        .hint("a loopback address keeps them on this machine"),
                );
            }
            Some(address.value)
        }
    };
    Some(Listen {
        https: https.into_iter().map(|address| address.value).collect(),
        http: http.into_iter().map(|address| address.value).collect(),
        plain: plain?,
        proxy_protocol: proxy_protocol.into_iter().map(|one| one.value).collect(),
        metrics,
        strict_sni: table.bool("strict_sni")?,
    })
}

pub(super) fn console(root: &Reader<'_>, domain: Option<&str>) -> Option<Console> {
    let table = section(root, "console")?;
    let domain = domain?;
    let host = match table.has("host") {
        true => full_host(&table.parse("host", values::host)?, domain),
        false => format!("rampart.{domain}"),
    };
    Some(Console { host })
}

/// A host without a dot is a name under the domain; the domain itself may be without one.
pub(super) fn full_host(host: &str, domain: &str) -> String {
    if host.contains('.') || host == domain {
        host.to_owned()
    } else {
        format!("{host}.{domain}")
    }
}

pub(super) fn gateway(root: &Reader<'_>) -> Option<GatewaySettings> {
    let table = section(root, "gateway")?;
    Some(GatewaySettings {
        trusted_proxies: table.values("trusted_proxies", str::parse::<Network>),
        staleness_max: table.duration("staleness_max")?,
        drain: table.duration("drain")?,
        connections_max: table.count("connections_max")?,
        connections_per_address_max: table.count("connections_per_address_max")?,
        held_bodies_memory: table.size("held_bodies_memory")?,
        held_bodies_disk: table.size("held_bodies_disk")?,
        pressure: match table.text("pressure")? {
            "count" => Pressure::Count,
            "slow" => Pressure::Slow,
            _ => return None,
        },
        auth_request: match table.text("auth_request")? {
            "off" => AuthRequest::Off,
            "nginx" => AuthRequest::Nginx,
            "forwarded" => AuthRequest::Forwarded,
            _ => return None,
        },
    })
}

pub(super) fn identity(findings: &mut Findings, root: &Reader<'_>) -> Option<IdentitySettings> {
    let table = section(root, "identity")?;
    let settings = IdentitySettings {
        session_idle: table.duration("session_idle")?,
        session_absolute: table.duration("session_absolute")?,
        password_length_min: table.count("password_length_min")?,
        password_words: table.values("password_words", plain),
        step_up_after: table.duration("step_up_after")?,
        enrolment: table.duration("enrolment")?,
    };
    if settings.session_idle > settings.session_absolute {
        let message =
            "`session_idle` is longer than `session_absolute`, so it never ends a session";
        let span = table.span_of("session_idle");
        findings.error("estate.contradiction", span, message.to_owned());
    }
    Some(settings)
}

pub(super) fn trail(root: &Reader<'_>) -> Option<TrailSettings> {
    let table = section(root, "trail")?;
    Some(TrailSettings {
        checkpoints: table.values("checkpoints", plain),
        reserve: table.size("reserve")?,
        traffic_keep: table.duration("traffic_keep")?,
    })
}

pub(super) fn limits(root: &Reader<'_>) -> Option<Limits> {
    let table = section(root, "limits")?;
    let per_address = match table.text("per_address")? {
        "off" => None,
        _ => Some(table.rate("per_address")?),
    };
    Some(Limits {
        head_bytes_max: table.size("head_bytes_max")?,
        headers_max: table.count("headers_max")?,
        body_max: table.size("body_max")?,
        response_max: table.size("response_max")?,
        head_timeout: table.duration("head_timeout")?,
        body_bytes_per_s_min: table.size("body_bytes_per_s_min")?,
        idle_timeout: table.duration("idle_timeout")?,
        connect_timeout: table.duration("connect_timeout")?,
        response_timeout: table.duration("response_timeout")?,
        response_idle_timeout: table.duration("response_idle_timeout")?,
        per_address,
        sign_in_per_address: table.rate("sign_in_per_address")?,
    })
}

pub(super) fn certificates(root: &Reader<'_>) -> Vec<Certificate> {
    let one = |table: Reader<'_>| {
        Some(Certificate {
            hosts: table.values("hosts", values::certificate_host),
            chain: table.parse("chain", plain)?,
            key: table.parse("key", plain)?,
            span: table.span_of("chain"),
        })
    };
    entries(root, "certificate")
        .into_iter()
        .filter_map(one)
        .collect()
}
