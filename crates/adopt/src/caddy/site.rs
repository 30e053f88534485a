//! A site: its addresses, its certificates, and its handlers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::around::Around;
use super::walk::Walk;
use super::{Global, contact};
use crate::draft::{Acme, Certificate, Draft};
use crate::files::within;
use crate::tree::Directive;
use crate::{Error, address};

/// An address of a site.
#[derive(Clone, Debug)]
struct Address {
    host: Option<String>,
    wildcard: Option<String>,
    port: u16,
    is_tls: bool,
}

pub(super) fn site(
    keys: &[String],
    inside: &[Directive],
    from: &Directive,
    global: &Global,
    draft: &mut Draft,
) -> Result<(), Error> {
    let mut addresses = Vec::new();
    for key in keys {
        match parse(key, global) {
            Some(address) => addresses.push(address),
            None => {
                let why = "this is no address of a site that is known before it runs";
                let instead = "write its host: `{$NAME:shop.example}` is taken as its default";
                draft.notes.left(&from.place, key, why, instead);
            }
        }
    }
    let bind = bind(inside, draft);
    listen(&addresses, bind, from, global, draft);
    tls(inside, &addresses, global, draft);
    let mut hosts: Vec<Option<String>> = Vec::new();
    let mut wildcards = Vec::new();
    for address in &addresses {
        match &address.wildcard {
            Some(wildcard) => wildcards.push(wildcard.clone()),
            None => hosts.push(address.host.clone()),
        }
    }
    hosts.dedup();
    let around = Around::new(hosts, wildcards.clone());
    let mut walk = Walk::new(draft);
    let found = walk.site(inside, &around)?;
    for wildcard in wildcards.iter().filter(|_| !found) {
        let why = "a route is for one host, or for all";
        let instead = "write a route for each host that it stands for";
        draft.notes.left(&from.place, wildcard, why, instead);
    }
    Ok(())
}

/// `https://shop.example:8443`, `:8080`, `*.shop.example`, `{$HOST:shop.example}`.
fn parse(key: &str, global: &Global) -> Option<Address> {
    let key = with_defaults(key)?;
    let (scheme, rest) = match key.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, key.as_str()),
    };
    let rest = rest.split('/').next().unwrap_or(rest);
    let (name, port) = match rest.strip_prefix(':') {
        Some(port) => ("", Some(address::port(port)?)),
        None => address::split(rest)?,
    };
    let is_tls = match scheme {
        Some("http") => false,
        Some("https") => true,
        Some(_) => return None,
        None if name.is_empty() => port == Some(global.https_port),
        None => port != Some(global.http_port) && global.auto_https,
    };
    let usual = if is_tls {
        global.https_port
    } else {
        global.http_port
    };
    let port = port.unwrap_or(usual);
    let (host, wildcard) = match name {
        "" | "*" => (None, None),
        name if name.starts_with("*.") => (None, Some(name.to_ascii_lowercase())),
        // An address is reached under any name.
        name if name.parse::<IpAddr>().is_ok() => (None, None),
        name => (Some(address::host(name)?), None),
    };
    Some(Address {
        host,
        wildcard,
        port,
        is_tls,
    })
}

/// Variables of the environment, which are unknown here, as what they are by default.
fn with_defaults(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{$") {
        let (variable, after) = after.split_once('}')?;
        out.push_str(before);
        out.push_str(variable.split_once(':')?.1);
        rest = after;
    }
    out.push_str(rest);
    (!out.contains('{')).then_some(out)
}

fn bind(inside: &[Directive], draft: &mut Draft) -> IpAddr {
    let mut ip = IpAddr::from(Ipv4Addr::UNSPECIFIED);
    for one in inside.iter().filter(|one| one.name == "bind") {
        match one.arg(0).parse() {
            Ok(parsed) if one.args.len() == 1 => {
                ip = parsed;
                one.carried(&mut draft.notes);
            }
            _ => one.left(
                &mut draft.notes,
                "the gateway listens on addresses of this machine, the same for all hosts",
                "name them in `[listen]`",
            ),
        }
    }
    ip
}

fn listen(addresses: &[Address], ip: IpAddr, from: &Directive, global: &Global, draft: &mut Draft) {
    for address in addresses {
        let socket = SocketAddr::new(ip, address.port);
        if address.is_tls {
            draft.https.push((socket, from.place.clone()));
            if global.auto_https {
                let clear = SocketAddr::new(ip, global.http_port);
                draft.http.push((clear, from.place.clone()));
            }
        } else {
            draft.http.push((socket, from.place.clone()));
        }
    }
    draft.plain = draft.https.is_empty();
    let clear = addresses.iter().any(|address| !address.is_tls);
    if clear && !draft.https.is_empty() {
        let why = "it is served over clear HTTP; Rampart answers there with a redirect to HTTPS, for every host (`listen.plain` serves all of them in clear)";
        draft.notes.differs(&from.place, &from.shown(), why);
    }
}

fn tls(inside: &[Directive], addresses: &[Address], global: &Global, draft: &mut Draft) {
    let mut own = false;
    for one in inside.iter().filter(|one| one.name == "tls") {
        own = true;
        match one.args.as_slice() {
            [word] if word == "internal" => {
                one.carried(&mut draft.notes);
                draft.notes.unneeded(
                    &one.place,
                    "tls internal",
                    "hosts without a certificate get one of the development authority",
                );
            }
            [mail] if mail.contains('@') => {
                one.carried(&mut draft.notes);
                contact(mail, draft);
            }
            [chain, key] => {
                one.carried(&mut draft.notes);
                let hosts: Vec<String> = addresses
                    .iter()
                    .filter_map(|address| address.host.clone().or(address.wildcard.clone()))
                    .collect();
                // Caddy reads paths from where it was started.
                draft.certificates.push(Certificate {
                    hosts,
                    chain: within("", chain),
                    key: within("", key),
                    place: one.place.clone(),
                });
            }
            _ => one.carried(&mut draft.notes),
        }
        for inner in one.inside() {
            match inner.name.as_str() {
                "client_auth" => inner.unguarded(
                    &mut draft.notes,
                    "who shows which certificate is not carried over",
                    "write `[[listen.client_certificates]]` with the authorities and hosts",
                ),
                "dns" | "on_demand" | "issuer" | "ca" | "ca_root" | "key_type" | "eab" => inner
                    .left(
                        &mut draft.notes,
                        "certificates come by `http-01` or `tls-alpn-01`, one for each host",
                        "see `[acme]`",
                    ),
                "protocols" | "ciphers" | "curves" | "alpn" => {
                    inner.unneeded(
                        &mut draft.notes,
                        "TLS 1.2 and 1.3 with a fixed list of ciphers are built in",
                    );
                }
                _ => inner.left(
                    &mut draft.notes,
                    "there is nothing like it in the estate",
                    "",
                ),
            }
        }
    }
    let public = |address: &Address| {
        address.is_tls
            && address
                .host
                .as_deref()
                .is_some_and(|host| host.contains('.') && !host.ends_with(".localhost"))
    };
    if !own && global.auto_https && addresses.iter().any(public) {
        draft.acme.get_or_insert_with(Acme::default);
    }
}

/// Why a directive is left, and what to do instead.
pub(super) fn left(name: &str) -> (&'static str, &'static str) {
    match name {
        "encode" => ("Rampart compresses no answers", "let the service compress"),
        "header" => (
            "Rampart changes no headers of answers but its own (`security_headers`, `cors`)",
            "let the service set it",
        ),
        "request_header" => (
            "Rampart sends no headers of your choice to services",
            "let the service do it",
        ),
        "file_server" | "root" | "try_files" | "templates" | "php_fastcgi" | "fs" | "browse" => (
            "Rampart serves no files and no pages of its own",
            "serve them by a service, and give it a route",
        ),
        "rewrite" | "uri" | "map" | "vars" | "method" | "replace" => (
            "a route is chosen by host and path alone, and changes no more than a prefix",
            "let the service do it, or write routes by hand",
        ),
        "handle_errors" => (
            "refusals and failures are answered by Rampart's own short pages",
            "",
        ),
        "redir" | "respond" | "error" | "abort" => (
            "Rampart answers nothing in place of a service",
            "let a service answer",
        ),
        "tracing" | "push" | "metrics" | "acme_server" | "invoke" | "intercept" => {
            ("there is nothing like it in the estate", "")
        }
        _ => ("there is nothing like it in the estate", ""),
    }
}

/// Whether a directive that is left kept somebody out.
pub(super) fn guards(name: &str) -> bool {
    matches!(
        name,
        "basic_auth"
            | "basicauth"
            | "forward_auth"
            | "rate_limit"
            | "abort"
            | "jwtauth"
            | "authorize"
            | "authenticate"
            | "crowdsec"
            | "coraza_waf"
            | "client_auth"
            | "error"
    )
}
