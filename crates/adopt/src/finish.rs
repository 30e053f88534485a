//! What can only be decided when everything was read: hosts, what is closed, names.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::address;
use crate::draft::{Closing, Draft, Guard, LISTENERS_MAX, Route, is_file};
use crate::path;

/// Makes a draft that can be written.
pub(crate) fn finish(draft: &mut Draft) {
    domain(draft);
    names_without_dot(draft);
    listeners(draft);
    loops(draft);
    close_beside_every_host(draft);
    close(draft);
    used_services(draft);
    names(draft);
    console(draft);
    guards(draft);
    certificates(draft);
    if let Some(route) = draft.routes.first() {
        let why = "a service gets one spelling of each path (RFC 3986 §6.2.2); `.` and `..`, `//`, encoded slashes and control bytes are refused (400)";
        draft.notes.differs(&route.place, &route.what, why);
    }
}

/// The parent of the hosts: what most of them share.
fn domain(draft: &mut Draft) {
    let hosts: BTreeSet<&str> = draft
        .routes
        .iter()
        .filter_map(|route| route.host.as_deref())
        .chain(draft.hosts.iter().map(String::as_str))
        .collect();
    let dotted: Vec<&str> = hosts.iter().copied().filter(|h| h.contains('.')).collect();
    let Some(first) = dotted.first() else {
        if let Some(only) = hosts.first() {
            draft.domain = (*only).to_owned();
        }
        return;
    };
    let mut shared: Vec<&str> = first.rsplit('.').collect();
    for host in &dotted {
        let labels = host.rsplit('.');
        let same = shared.iter().zip(labels).take_while(|(a, b)| *a == b);
        let same = same.count();
        shared.truncate(same);
    }
    // A single host of three labels is one name under its parent.
    if dotted.len() == 1 && shared.len() > 2 {
        shared.pop();
    }
    shared.reverse();
    draft.domain = if shared.len() >= 2 || shared == ["localhost"] {
        shared.join(".")
    } else {
        let labels: Vec<&str> = first.split('.').collect();
        let from = usize::from(labels.len() > 2);
        labels.get(from..).unwrap_or_default().join(".")
    };
}

/// A host without a dot is a name under the domain, so what nginx calls `intranet` would be
/// `intranet.shop.example`.
fn names_without_dot(draft: &mut Draft) {
    let domain = draft.domain.clone();
    let bad = |host: &Option<String>| {
        host.as_ref()
            .is_some_and(|host| !host.contains('.') && *host != domain)
    };
    let routes = std::mem::take(&mut draft.routes);
    let (gone, kept): (Vec<Route>, Vec<Route>) =
        routes.into_iter().partition(|route| bad(&route.host));
    draft.routes = kept;
    for route in gone {
        let host = route.host.unwrap_or_default();
        let why = format!("`{host}` has no dot: the estate would read it as `{host}.{domain}`");
        let instead = "give it a full name, or leave `host` out of the route";
        draft.notes.left(&route.place, &host, &why, instead);
    }
    draft.closings.retain(|closing| !bad(&closing.host));
}

fn listeners(draft: &mut Draft) {
    let mut seen = BTreeSet::new();
    for (list, is_tls) in [(&mut draft.https, true), (&mut draft.http, false)] {
        let all = std::mem::take(list);
        for (address, place) in all {
            let full = list.len() >= LISTENERS_MAX;
            if !full && seen.insert(address) {
                list.push((address, place));
            } else if full || (!is_tls && !list.iter().any(|(known, _)| *known == address)) {
                let why = if full {
                    "there are too many addresses to listen on"
                } else {
                    "the same address is listened on with TLS already"
                };
                let what = address.to_string();
                draft.notes.left(&place, &what, why, "");
            }
        }
    }
    if draft.https.is_empty() && draft.http.is_empty() {
        let any = SocketAddr::from(([0, 0, 0, 0], 8443));
        let place = crate::Place::new("", 0);
        draft.https.push((any, place));
    }
    if draft.http.is_empty() || !draft.https.is_empty() {
        draft.plain = false;
    }
}

/// A service at the gateway's own address would send every request back to the gateway.
fn loops(draft: &mut Draft) {
    let listens: Vec<SocketAddr> = draft
        .https
        .iter()
        .chain(&draft.http)
        .map(|(address, _)| *address)
        .collect();
    let is_ours = |text: &String| {
        text.parse::<SocketAddr>().is_ok_and(|at| {
            listens.iter().any(|ours| {
                ours.port() == at.port()
                    && (ours.ip() == at.ip()
                        || (ours.ip().is_unspecified() && at.ip().is_loopback()))
            })
        })
    };
    let looping: Vec<bool> = draft
        .services
        .iter()
        .map(|service| service.addresses.iter().any(is_ours))
        .collect();
    let loops = |at: usize| looping.get(at).copied().unwrap_or(true);
    let routes = std::mem::take(&mut draft.routes);
    for route in routes {
        if !loops(route.service) {
            draft.routes.push(route);
            continue;
        }
        let why = "it leads to an address that the gateway itself listens on";
        let instead = "lead the route to the service behind, or give the service a port of its own";
        draft.notes.left(&route.place, &route.what, why, instead);
        draft.closings.push(Closing {
            host: route.host,
            path: route.path,
            place: route.place,
            what: route.what,
            why: "what it led to could not be carried over".to_owned(),
        });
    }
}

/// A path that no route of its host matches goes to the routes of every host. The old file did
/// not: a host was served by its own server alone.
fn close_beside_every_host(draft: &mut Draft) {
    if !draft.routes.iter().any(|route| route.host.is_none()) {
        return;
    }
    let mut hosts: Vec<(String, crate::Place)> = Vec::new();
    for route in &draft.routes {
        if let Some(host) = &route.host
            && !hosts.iter().any(|(known, _)| known == host)
        {
            hosts.push((host.clone(), route.place.clone()));
        }
    }
    for (host, place) in hosts {
        let whole = |route: &Route| route.host.as_deref() == Some(&host) && route.path == "/**";
        if draft.routes.iter().any(whole) {
            continue;
        }
        let known =
            |closing: &Closing| closing.host.as_deref() == Some(&host) && closing.path == "/**";
        if !draft.closings.iter().any(known) {
            draft.closings.push(Closing {
                what: format!("everything else of {host}"),
                host: Some(host),
                path: "/**".to_owned(),
                place,
                why: "the old file passed nothing else of this host on".to_owned(),
            });
        }
    }
}

/// Gives routes that refuse to what was not passed on, where another route would pass it on now.
fn close(draft: &mut Draft) {
    let closings = std::mem::take(&mut draft.closings);
    let carried = draft.routes.clone();
    for closing in closings {
        let over = |route: &&Route| {
            (route.host == closing.host || route.host.is_none())
                && path::covers(&route.path, &closing.path)
        };
        let nearest = carried
            .iter()
            .filter(over)
            .max_by_key(|route| (route.host.is_some(), path::weight(&route.path)));
        let Some(nearest) = nearest else {
            continue;
        };
        let same = |route: &&mut Route| route.host == closing.host && route.path == closing.path;
        if let Some(known) = draft.routes.iter_mut().find(same) {
            // Both a guard and a refusal: the refusal is the stricter one.
            if matches!(known.guard, Guard::Asks(_)) {
                known.guard = Guard::Closed(closing.why);
            }
            continue;
        }
        let mut route = Route::new(
            closing.host.as_deref(),
            &closing.path,
            nearest.service,
            &closing.place,
        );
        route.what = closing.what;
        route.guard = Guard::Closed(closing.why);
        draft.routes.push(route);
    }
}

/// Leaves out services that no route leads to.
fn used_services(draft: &mut Draft) {
    let services = std::mem::take(&mut draft.services);
    for (at, service) in services.into_iter().enumerate() {
        let new = draft.services.len();
        let mut used = false;
        for route in draft.routes.iter_mut().filter(|route| route.service == at) {
            route.service = new;
            used = true;
        }
        if used {
            draft.services.push(service);
        }
    }
}

/// Every route gets a name, made as the estate makes it, and no two the same.
fn names(draft: &mut Draft) {
    let mut taken = BTreeSet::new();
    let is_built_in = |name: &str| model::own::built_in_role(name).is_some();
    for route in &mut draft.routes {
        let host = route.host.as_deref().map(|host| {
            let host = host.strip_suffix(draft.domain.as_str()).unwrap_or(host);
            host.trim_end_matches('.').to_owned()
        });
        let path = match route.path.as_str() {
            "/" => "root".to_owned(),
            path => path.replace("/**", "/all").replace("/*", "/any"),
        };
        let wanted = format!("{} {path}", host.unwrap_or_default());
        let name = address::name(&wanted, "route");
        route.name = address::unique(&name, |name| taken.contains(name) || is_built_in(name));
        taken.insert(route.name.clone());
    }
}

fn console(draft: &mut Draft) {
    let usual = format!("rampart.{}", draft.domain);
    let served = |host: &str| {
        draft
            .routes
            .iter()
            .any(|route| route.host.as_deref() == Some(host))
    };
    if served(&usual) {
        let host = address::unique("rampart-console", |name| {
            served(&format!("{name}.{}", draft.domain))
        });
        draft.console = Some(host);
    }
}

/// Permissions, one for each guarded place: whoever may one thing may not another. The same place
/// at several hosts is one.
fn guards(draft: &mut Draft) {
    let mut known: Vec<(crate::Place, String, String)> = Vec::new();
    let roles = &mut draft.roles;
    for route in &mut draft.routes {
        if !matches!(route.guard, Guard::Asks(_)) {
            continue;
        }
        let same = known
            .iter()
            .find(|(place, path, _)| *place == route.place && *path == route.path);
        let name = match same {
            Some((_, _, name)) => name.clone(),
            None => {
                let base = match route.name.as_str() {
                    "all" => "site",
                    name => name.strip_suffix("-all").unwrap_or(name),
                };
                let name = address::unique(base, |name| {
                    roles.iter().any(|(known, _)| known == name)
                        || model::own::built_in_role(name).is_some()
                });
                let about = format!(
                    "May use the route `{}`, which the old file guarded.",
                    route.name
                );
                roles.push((name.clone(), about));
                known.push((route.place.clone(), route.path.clone(), name.clone()));
                name
            }
        };
        route.permission = Some(format!("{name}:use"));
    }
    let closed = |route: &Route| matches!(route.guard, Guard::Closed(_));
    if draft.routes.iter().any(closed) {
        let about = "For paths that the old file passed to no service: for nobody.";
        let name = address::unique("closed", |name| {
            draft.roles.iter().any(|(known, _)| known == name)
        });
        for route in draft.routes.iter_mut().filter(|route| closed(route)) {
            route.permission = Some(format!("{name}:use"));
        }
        draft.roles.push((name, about.to_owned()));
    }
}

/// A certificate is for hosts that are served, each host has at most two of them.
fn certificates(draft: &mut Draft) {
    let served: BTreeSet<String> = draft
        .routes
        .iter()
        .filter_map(|route| route.host.clone())
        .collect();
    let serves_all = draft.routes.iter().any(|route| route.host.is_none());
    // `*` stands for one label, and never for all names of a top-level domain.
    let is_served = |name: &str| match name.strip_prefix("*.") {
        Some(parent) => {
            parent.contains('.')
                && address::host(parent).is_some()
                && (serves_all
                    || served
                        .iter()
                        .any(|host| host.split_once('.').is_some_and(|(_, rest)| rest == parent)))
        }
        None => address::host(name).is_some() && (serves_all || served.contains(name)),
    };
    let mut counts: Vec<String> = Vec::new();
    let mut asked: BTreeSet<String> = BTreeSet::new();
    for certificate in &mut draft.certificates {
        let mut own = BTreeSet::new();
        certificate.hosts.retain(|host| {
            let full = counts.iter().filter(|known| *known == host).count() >= 2;
            let keep = is_served(host) && !full && own.insert(host.clone());
            if keep {
                counts.push(host.clone());
            }
            keep
        });
    }
    let certificates = std::mem::take(&mut draft.certificates);
    for certificate in certificates {
        let files = is_file(&certificate.chain) && is_file(&certificate.key);
        if certificate.hosts.is_empty() || !files {
            let why = "no route is served at its hosts, or its files have no such names";
            draft
                .notes
                .left(&certificate.place, &certificate.chain, why, "");
        } else {
            draft.certificates.push(certificate);
        }
    }
    for one in &mut draft.client_certificates {
        one.hosts.retain(|host| {
            (host.contains('.') || *host == draft.domain)
                && (serves_all || served.contains(host))
                && asked.insert(host.clone())
        });
    }
    let certificates = std::mem::take(&mut draft.client_certificates);
    for one in certificates {
        let files = is_file(&one.authorities) && one.crl.as_deref().is_none_or(is_file);
        if one.hosts.is_empty() || !files {
            // SECURITY: whom it kept out is not kept out any more.
            let why = "no route is served at its hosts, or its files have no such names";
            let instead = "write `[[listen.client_certificates]]`";
            draft
                .notes
                .unguarded(&one.place, "certificates of clients", why, instead);
        } else {
            draft.client_certificates.push(one);
        }
    }
    for service in &mut draft.services {
        let has = |key: &str| service.settings.iter().any(|one| one.key == key);
        if has("tls_certificate") != has("tls_key") {
            service
                .settings
                .retain(|one| !matches!(one.key, "tls_certificate" | "tls_key"));
        }
    }
}
