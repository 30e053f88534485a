//! `server`: its hosts, its TLS, and what stands before its locations.

use super::listen::{Listen, Names, listens, names};
use super::location::{self, Locations};
use super::{Http, Scope, access};
use crate::Error;
use crate::draft::{Certificate, ClientCertificates, Closing, Draft};
use crate::files::within;
use crate::tree::Directive;

/// A server and what it answers to.
#[derive(Debug)]
struct Server<'d> {
    directive: &'d Directive,
    scope: Scope<'d>,
    listens: Vec<Listen>,
    /// Whether it is for every name that no other server has: said so, or as the first of a port.
    default: Option<Default>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Default {
    Said,
    First,
}

pub(super) fn servers(
    http: &Http<'_>,
    level: &[Directive],
    draft: &mut Draft,
) -> Result<(), Error> {
    let mut all: Vec<Server<'_>> = Vec::new();
    for directive in level.iter().filter(|one| one.name == "server") {
        directive.carried(&mut draft.notes);
        all.push(Server {
            scope: http.scope.within(directive.inside()),
            listens: listens(directive, draft),
            default: None,
            directive,
        });
    }
    let defaults: Vec<Option<Default>> = (0..all.len()).map(|at| default(&all, at)).collect();
    for (server, default) in all.iter_mut().zip(defaults) {
        server.default = default;
        for listen in &server.listens {
            let list = if listen.is_tls {
                &mut draft.https
            } else {
                &mut draft.http
            };
            list.push((listen.address, server.directive.place.clone()));
        }
    }
    let any_tls = !draft.https.is_empty();
    draft.plain = !any_tls;
    for server in &all {
        one_server(http, server, any_tls, draft)?;
    }
    access::shared(http, draft);
    Ok(())
}

/// A server is the default of an address when it says so, or when nobody does and it is the first.
fn default(all: &[Server<'_>], at: usize) -> Option<Default> {
    let server = all.get(at)?;
    if server.listens.iter().any(|listen| listen.is_default) {
        return Some(Default::Said);
    }
    let first = |listen: &Listen| {
        let same = |other: &&Listen| other.address == listen.address;
        let said = all
            .iter()
            .flat_map(|server| &server.listens)
            .any(|other| other.address == listen.address && other.is_default);
        let first = all
            .iter()
            .position(|server| server.listens.iter().any(|other| same(&other)));
        !said && first == Some(at)
    };
    server.listens.iter().any(first).then_some(Default::First)
}

fn one_server(
    http: &Http<'_>,
    server: &Server<'_>,
    any_tls: bool,
    draft: &mut Draft,
) -> Result<(), Error> {
    let directive = server.directive;
    if is_redirect_to_https(directive) {
        if any_tls {
            let why = "the clear listener answers with a redirect to HTTPS by itself (308), and keeps ACME's challenges";
            directive.unneeded(&mut draft.notes, why);
        } else {
            let why = "it redirects to HTTPS, which nothing in these files serves";
            directive.left(
                &mut draft.notes,
                why,
                "give the gateway certificates, or `[acme]`",
            );
        }
        return Ok(());
    }
    let names = names(directive, draft);
    let hosts = hosts(server, &names, draft);
    clear_too(server, any_tls, draft);
    let answered = answers_itself(server, &hosts, draft)?;
    if answered {
        return Ok(());
    }
    if hosts.is_empty() {
        let why = "none of its names can be carried over, and it is not the default of its address";
        directive.left(
            &mut draft.notes,
            why,
            "write its routes for each host by hand",
        );
        return Ok(());
    }
    tls(http, server, &names, draft);
    real_ip(server, draft);
    let locations = Locations::of(server.directive, &server.scope);
    location::routes(http, &locations, &hosts, draft)?;
    // A server without a location for everything serves files for the rest.
    if !locations.has_root() {
        for host in &hosts {
            draft.close(Closing {
                host: host.clone(),
                path: "/**".to_owned(),
                place: directive.place.clone(),
                what: "everything else of this server".to_owned(),
                why: "nginx passes nothing else of this server on".to_owned(),
            })?;
        }
    }
    conditions(server.scope.own(), any_tls, draft);
    Ok(())
}

/// The hosts that routes are made for; `None` stands for every host.
fn hosts(server: &Server<'_>, names: &Names, draft: &mut Draft) -> Vec<Option<String>> {
    let mut hosts: Vec<Option<String>> = names.exact.iter().cloned().map(Some).collect();
    let unnamed = names.exact.is_empty() && !names.others;
    match server.default {
        // Routes for every host serve its own names too.
        Some(Default::Said) => {
            draft.hosts.extend(names.exact.iter().cloned());
            hosts = vec![None];
        }
        Some(Default::First) if unnamed => hosts.push(None),
        Some(Default::First) if !names.exact.is_empty() => draft.notes.differs(
            &server.directive.place,
            "server",
            "as the first of its port, nginx gives it requests for names that no server has; Rampart refuses them (421)",
        ),
        _ => {}
    }
    hosts
}

/// Content over clear HTTP where there is TLS elsewhere.
fn clear_too(server: &Server<'_>, any_tls: bool, draft: &mut Draft) {
    let clear = server.listens.iter().any(|listen| !listen.is_tls);
    if any_tls && clear {
        let why = "it is served over clear HTTP too; Rampart answers there with a redirect to HTTPS, for every host (`listen.plain` serves all of them in clear)";
        draft.notes.differs(&server.directive.place, "server", why);
    }
}

/// `return` beside the locations answers everything.
fn answers_itself(
    server: &Server<'_>,
    hosts: &[Option<String>],
    draft: &mut Draft,
) -> Result<bool, Error> {
    let Some(answer) = server.directive.first("return") else {
        return Ok(false);
    };
    let status = status(answer);
    if (400..=499).contains(&status) {
        let why = "what no route allows is refused by itself, and a host without routes with 421";
        server.directive.unneeded(&mut draft.notes, why);
    } else {
        let why = "Rampart answers nothing in place of a service, redirects among it";
        let instead = "let a service redirect: give it a route for this host";
        server.directive.left(&mut draft.notes, why, instead);
    }
    for host in hosts.iter().filter(|host| host.is_some()) {
        draft.close(Closing {
            host: host.clone(),
            path: "/**".to_owned(),
            place: answer.place.clone(),
            what: answer.shown(),
            why: "nginx answers by itself here".to_owned(),
        })?;
    }
    Ok(true)
}

/// The status of a `return`; one that only names an address is 302.
pub(super) fn status(answer: &Directive) -> u16 {
    answer.arg(0).parse().unwrap_or(302)
}

/// Whether all it does is to send browsers to the same address over TLS.
fn is_redirect_to_https(server: &Directive) -> bool {
    let own: Vec<&str> = server
        .each("server_name")
        .flat_map(|one| one.args.iter().map(String::as_str))
        .collect();
    let redirects = |list: &[Directive]| {
        list.iter()
            .any(|one| one.name == "return" && is_same_over_tls(one, &own))
    };
    let beside = |one: &Directive| {
        let harmless = matches!(
            one.name.as_str(),
            "listen"
                | "server_name"
                | "access_log"
                | "error_log"
                | "server_tokens"
                | "root"
                | "include"
                | "return"
                | "index"
        );
        harmless
            || (one.name == "if" && redirects(one.inside()))
            || (one.name == "location"
                && (one.args.iter().any(|arg| arg.contains("acme-challenge"))
                    || redirects(one.inside())))
    };
    let any = redirects(server.inside())
        || server
            .inside()
            .iter()
            .any(|one| matches!(one.name.as_str(), "if" | "location") && redirects(one.inside()));
    any && server.inside().iter().all(beside)
}

fn is_same_over_tls(answer: &Directive, own: &[&str]) -> bool {
    let target = if answer.args.len() > 1 {
        answer.arg(1)
    } else {
        answer.arg(0)
    };
    let Some(rest) = target.strip_prefix("https://") else {
        return false;
    };
    let Some(host) = rest
        .strip_suffix("$request_uri")
        .or_else(|| rest.strip_suffix("$uri"))
    else {
        return false;
    };
    let host = host.strip_suffix('/').unwrap_or(host);
    matches!(host, "$host" | "$http_host" | "$server_name") || own == [host]
}

/// `if` and `rewrite` that stand before the locations.
pub(super) fn conditions(own: &[Directive], any_tls: bool, draft: &mut Draft) {
    for one in own.iter().filter(|one| one.name == "if" && !one.is_seen()) {
        let about_scheme = one.args.iter().any(|arg| arg.contains("$scheme"));
        let redirects = one
            .inside()
            .iter()
            .any(|inner| inner.name == "return" && is_same_over_tls(inner, &[]));
        if any_tls && about_scheme && redirects {
            let why = "the clear listener answers with a redirect to HTTPS by itself (308), and keeps ACME's challenges";
            one.unneeded(&mut draft.notes, why);
            continue;
        }
        let refuses = one.inside().iter().any(|inner| {
            inner.name == "deny" || (inner.name == "return" && (400..=499).contains(&status(inner)))
        });
        let why =
            "a route is chosen by host and path alone: no condition over a request is carried over";
        let instead = "let the service decide, or give what it is about a route of its own";
        if refuses {
            one.unguarded(&mut draft.notes, why, instead);
        } else {
            one.left(&mut draft.notes, why, instead);
        }
    }
}

fn tls(http: &Http<'_>, server: &Server<'_>, names: &Names, draft: &mut Draft) {
    if !server.listens.iter().any(|listen| listen.is_tls) {
        return;
    }
    let scope = &server.scope;
    let chains = scope.all("ssl_certificate");
    let keys = scope.all("ssl_certificate_key");
    for (chain, key) in chains.iter().zip(&keys) {
        let is_file = |one: &Directive| {
            !one.arg(0).is_empty() && !one.arg(0).contains('$') && !one.arg(0).starts_with("data:")
        };
        if !is_file(chain) || !is_file(key) {
            chain.left(
                &mut draft.notes,
                "a certificate is a file with a fixed name",
                "name its files in `[[certificate]]`",
            );
            key.account();
            continue;
        }
        chain.carried(&mut draft.notes);
        key.carried(&mut draft.notes);
        let hosts: Vec<String> = names
            .exact
            .iter()
            .chain(&names.wildcards)
            .cloned()
            .collect();
        if hosts.is_empty() {
            let why = "a certificate is for hosts that are named, and this server names none";
            chain.left(
                &mut draft.notes,
                why,
                "write `[[certificate]]` with the hosts it is for",
            );
            continue;
        }
        let (chain_file, key_file) = (
            within(http.folder, chain.arg(0)),
            within(http.folder, key.arg(0)),
        );
        let known = draft
            .certificates
            .iter_mut()
            .find(|one| one.chain == chain_file && one.key == key_file);
        match known {
            Some(known) => known.hosts.extend(hosts),
            None => draft.certificates.push(Certificate {
                hosts,
                chain: chain_file,
                key: key_file,
                place: chain.place.clone(),
            }),
        }
    }
    protocols(scope, draft);
    client_certificates(http, scope, names, draft);
}

fn protocols(scope: &Scope<'_>, draft: &mut Draft) {
    let Some(one) = scope.one("ssl_protocols") else {
        return;
    };
    let has = |word: &str| one.args.iter().any(|arg| arg == word);
    if has("TLSv1") || has("TLSv1.1") || has("SSLv3") {
        one.differs(&mut draft.notes, "clients that know no TLS 1.2 are refused");
    } else if !has("TLSv1.2") {
        one.unguarded(
            &mut draft.notes,
            "TLS 1.2 is spoken too, with forward secrecy and AEAD ciphers alone",
            "",
        );
    } else {
        one.unneeded(
            &mut draft.notes,
            "TLS 1.2 and 1.3 with a fixed list of ciphers, HTTP/2 and name lookups are built in",
        );
    }
}

fn client_certificates(http: &Http<'_>, scope: &Scope<'_>, names: &Names, draft: &mut Draft) {
    let Some(verify) = scope
        .one("ssl_verify_client")
        .filter(|one| one.arg(0) != "off")
    else {
        return;
    };
    let mode = match verify.arg(0) {
        "on" => "require",
        "optional" => "request",
        _ => {
            let why = "a certificate that no authority of yours issued is refused";
            return verify.unguarded(&mut draft.notes, why, "name its authority");
        }
    };
    let authority = scope.one("ssl_client_certificate");
    let Some(authority) = authority.filter(|_| !names.exact.is_empty()) else {
        let why = "its authority, or its hosts, are not named";
        return verify.unguarded(
            &mut draft.notes,
            why,
            "write `[[listen.client_certificates]]`",
        );
    };
    verify.carried(&mut draft.notes);
    authority.carried(&mut draft.notes);
    let crl = scope.one("ssl_crl");
    if let Some(crl) = crl {
        crl.carried(&mut draft.notes);
    }
    if let Some(depth) = scope.one("ssl_verify_depth") {
        depth.unneeded(
            &mut draft.notes,
            "chains are verified to an authority, however long",
        );
    }
    draft.client_certificates.push(ClientCertificates {
        hosts: names.exact.clone(),
        authorities: within(http.folder, authority.arg(0)),
        mode,
        crl: crl.map(|crl| within(http.folder, crl.arg(0))),
        place: verify.place.clone(),
    });
}

/// Proxies in front whose word about the client counts.
fn real_ip(server: &Server<'_>, draft: &mut Draft) {
    let scope = &server.scope;
    let proxied = server.listens.iter().any(|listen| listen.proxy_protocol);
    let header = scope.one("real_ip_header");
    let by_header = header.is_some_and(|one| one.arg(0).eq_ignore_ascii_case("x-forwarded-for"));
    let mut ranges = 0_usize;
    for one in scope.all("set_real_ip_from") {
        let network = one.arg(0).parse::<model::Network>();
        let usable = network.is_ok_and(|network| network.prefix() > 0);
        let list = if proxied {
            &mut draft.proxy_protocol
        } else {
            &mut draft.trusted_proxies
        };
        if !usable || !(proxied || by_header) || list.len() >= 60 {
            let why = "only `X-Forwarded-For` and the PROXY protocol say for whom somebody connects, and only for ranges of addresses";
            one.left(&mut draft.notes, why, "write `gateway.trusted_proxies`");
            continue;
        }
        one.carried(&mut draft.notes);
        ranges = ranges.saturating_add(1);
        if !list.iter().any(|(known, _)| known == one.arg(0)) {
            list.push((one.arg(0).to_owned(), one.place.clone()));
        }
    }
    if let Some(header) = header {
        header.carried(&mut draft.notes);
    }
    if proxied && ranges == 0 {
        let why = "the PROXY protocol is believed from named addresses alone, and none are named";
        let instead = "write `listen.proxy_protocol = [\"…\"]` with those of the load balancers";
        draft.notes.left(
            &server.directive.place,
            "listen … proxy_protocol",
            why,
            instead,
        );
    }
}
