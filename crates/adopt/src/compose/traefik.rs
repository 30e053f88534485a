//! Traefik's routers as routes.

use super::labels::{Options, Router, Traefik};
use super::rule::{self, Way};
use super::{Container, WITHIN};
use crate::draft::{Acme, Closing, Draft, Guard, Route, Service};
use crate::limits::Beyond;
use crate::write::quoted;
use crate::{Error, address, path, units};

/// LIMIT: middlewares of one router, those of chains included.
const MIDDLEWARES_MAX: usize = 64;

pub(super) fn routes(one: &Container, all: &Traefik, draft: &mut Draft) -> Result<(), Error> {
    for (name, router) in all.routers.iter().filter(|(_, r)| r.container == one.name) {
        route(one, name, router, all, draft)?;
    }
    Ok(())
}

fn route(
    one: &Container,
    name: &str,
    router: &Router,
    all: &Traefik,
    draft: &mut Draft,
) -> Result<(), Error> {
    let said = |key: &str| router.options.get(key).map(String::as_str);
    let shown = format!("router {name}");
    let mut made = Made::default();
    let names = said("middlewares").unwrap_or_default();
    made.middlewares(names, all, router, 0, draft);
    let tls = router
        .options
        .keys()
        .any(|key| key == "tls" || key.starts_with("tls."));
    listen(tls, router, draft);
    if made.redirects {
        let why = "the clear listener answers with a redirect to HTTPS by itself (308)";
        draft.notes.unneeded(&router.place, &shown, why);
        return Ok(());
    }
    for key in router.options.keys() {
        let known = matches!(
            key.as_str(),
            "rule" | "service" | "middlewares" | "entrypoints" | "tls" | "rulesyntax"
        ) || key.starts_with("tls.");
        if !known {
            let why = "the most specific path wins, whatever the order";
            draft
                .notes
                .left(&router.place, &format!("{shown} {key}"), why, "");
        }
    }
    let what = format!("{shown}: {}", said("rule").unwrap_or_default());
    let Some(ways) = said("rule").and_then(rule::parse) else {
        let why = "its rule was not understood";
        draft
            .notes
            .unguarded(&router.place, &what, why, "write its route by hand");
        return Ok(());
    };
    let Some(service) = service(one, name, router, all, draft) else {
        let why = "where it leads is not in this file";
        draft
            .notes
            .left(&router.place, &what, why, "write the service by hand");
        return Ok(());
    };
    let http2 = service.is_http2();
    let service = draft.service(service)?;
    for way in ways {
        if !way.beyond.is_empty() {
            let why = format!(
                "a route is chosen by host and path alone, not by {}: its requests go where the other routes say",
                way.beyond.join(", ")
            );
            let instead = "write its routes by hand";
            // SECURITY: another router may let in whom this one asked who they are.
            if made.guard.is_some() {
                draft.notes.unguarded(&router.place, &what, &why, instead);
            } else {
                draft.notes.left(&router.place, &what, &why, instead);
            }
            continue;
        }
        if way.narrower {
            let why = "a route matches whole segments: `/api` is `/api` and what is below it, not `/apis`";
            draft.notes.differs(&router.place, &what, why);
        }
        one_way(&way, service, http2, &made, &what, router, draft)?;
    }
    Ok(())
}

fn one_way(
    way: &Way,
    service: usize,
    http2: bool,
    made: &Made,
    what: &str,
    router: &Router,
    draft: &mut Draft,
) -> Result<(), Error> {
    let hosts: Vec<Option<&str>> = match way.hosts.as_slice() {
        [] => vec![None],
        hosts => hosts.iter().map(|host| Some(host.as_str())).collect(),
    };
    let whole = ["/**".to_owned()];
    let patterns = match way.patterns.as_slice() {
        [] => &whole[..],
        patterns => patterns,
    };
    for host in hosts {
        for pattern in patterns {
            let strip = made
                .strip
                .iter()
                .find(|prefix| path::covers(&format!("{prefix}/**"), pattern));
            if made.changes || (strip.is_none() && !made.strip.is_empty() && pattern != "/**") {
                draft.close(Closing {
                    host: host.map(str::to_owned),
                    path: pattern.clone(),
                    place: router.place.clone(),
                    what: what.to_owned(),
                    why: "its path is changed in a way that a route cannot say".to_owned(),
                })?;
                continue;
            }
            let mut route = Route::new(host, pattern, service, &router.place);
            route.strip = strip.cloned();
            route.guard = made.guard.clone().unwrap_or(Guard::Open);
            route.rates.clone_from(&made.rates);
            route.body_max = made.body_max;
            route.websocket = !http2;
            route.stream = http2;
            what.clone_into(&mut route.what);
            draft.route(route)?;
        }
    }
    Ok(())
}

/// Which service a router leads to, and where that is.
fn service(
    one: &Container,
    name: &str,
    router: &Router,
    all: &Traefik,
    draft: &mut Draft,
) -> Option<Service> {
    let wanted = router
        .options
        .get("service")
        .map_or(name, |name| name.as_str());
    let wanted = wanted.split('@').next().unwrap_or(wanted);
    // Where nothing is named, Traefik takes the container's only service.
    let options = all.services.get(wanted).or_else(|| {
        let named = router.options.contains_key("service");
        (!named && all.services.len() == 1)
            .then(|| all.services.values().next())
            .flatten()
    });
    let said = |key: &str| {
        options
            .and_then(|options| options.get(key))
            .map(String::as_str)
    };
    let port = match said("loadbalancer.server.port") {
        Some(port) => address::port(port)?,
        None => one
            .exposed
            .first()
            .copied()
            .or_else(|| one.ports.first().map(|port| port.inside))?,
    };
    let published = one.ports.iter().find(|known| known.inside == port);
    let place = match published {
        Some(published) => published.reached(&one.name)?,
        None => address::place(&one.name, port)?,
    };
    let mut service = Service::new(&one.name, vec![place], &one.place);
    if published.is_none_or(|published| published.outside.is_none()) {
        service.remarks.push(WITHIN.to_owned());
    }
    service.protocol = match said("loadbalancer.server.scheme") {
        Some("https") => "https",
        Some("h2c") => "h2c",
        _ => "http",
    };
    if said("loadbalancer.passhostheader") == Some("false") {
        service.own_host = true;
    }
    if let Some(options) = options {
        health(options, &mut service);
        for key in options.keys().filter(|key| !is_known(key)) {
            let what = format!("service {wanted} {key}");
            draft.notes.left(
                &router.place,
                &what,
                "there is nothing like it in the estate",
                "see `[[service]]`",
            );
        }
    }
    Some(service)
}

fn is_known(key: &str) -> bool {
    matches!(
        key,
        "loadbalancer.server.port"
            | "loadbalancer.server.scheme"
            | "loadbalancer.passhostheader"
            | "loadbalancer.healthcheck.path"
            | "loadbalancer.healthcheck.interval"
            | "loadbalancer.healthcheck.timeout"
    )
}

fn health(options: &Options, service: &mut Service) {
    let said = |key: &str| options.get(&format!("loadbalancer.healthcheck.{key}"));
    let Some(target) = said("path") else {
        return;
    };
    let plain = target.bytes().all(|b| b.is_ascii_graphic()) && !target.contains('#');
    if !plain || path::exact(target).is_none() {
        return;
    }
    let ms = |key: &str, usual: u64, most: u64| {
        said(key)
            .and_then(|text| units::go_ms(text))
            .unwrap_or(usual)
            .clamp(100, most)
    };
    let every = ms("interval", 30_000, 3_600_000);
    let timeout = ms("timeout", 5_000, 60_000).min(every);
    service.set(
        "health",
        format!(
            "{{ path = {}, every = {}, timeout = {} }}",
            quoted(target),
            quoted(&units::duration(every)),
            quoted(&units::duration(timeout))
        ),
    );
}

/// TLS at the router means that Traefik listens for it.
fn listen(tls: bool, router: &Router, draft: &mut Draft) {
    if !tls {
        return;
    }
    let any = |port| {
        (
            std::net::SocketAddr::from(([0, 0, 0, 0], port)),
            router.place.clone(),
        )
    };
    draft.https.push(any(443));
    draft.http.push(any(80));
    if router.options.contains_key("tls.certresolver") {
        draft.acme.get_or_insert_with(Acme::default);
    }
}

/// Options of middlewares that are read, or whose whole kind is told by itself.
fn is_read(key: &str) -> bool {
    let kind = key.split('.').next().unwrap_or(key);
    let carried = [
        "stripprefix",
        "ratelimit",
        "buffering",
        "chain",
        "redirectscheme",
    ];
    !carried.contains(&kind)
        || matches!(
            key,
            "stripprefix.prefixes"
                | "ratelimit.average"
                | "ratelimit.burst"
                | "ratelimit.period"
                | "ratelimit.sourcecriterion.requestheadername"
                | "ratelimit.sourcecriterion.requesthost"
                | "buffering.maxrequestbodybytes"
                | "chain.middlewares"
                | "redirectscheme.scheme"
                | "redirectscheme.permanent"
                | "redirectscheme.port"
        )
}

/// What middlewares come to.
#[derive(Debug, Default)]
struct Made {
    guard: Option<Guard>,
    rates: Vec<String>,
    strip: Vec<String>,
    body_max: Option<u64>,
    redirects: bool,
    /// Whether the path becomes another.
    changes: bool,
    count: usize,
}

const ASKED: &str = "the route asks for a permission instead, which nobody holds yet";

impl Made {
    fn middlewares(
        &mut self,
        names: &str,
        all: &Traefik,
        router: &Router,
        depth: usize,
        draft: &mut Draft,
    ) {
        for name in names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            self.count = self.count.saturating_add(1);
            let what = format!("middleware {name}");
            let plain = name.split('@').next().unwrap_or(name);
            let options = all
                .middlewares
                .get(plain)
                .filter(|_| !name.ends_with("@file"));
            let Some(options) = options.filter(|_| depth < 8 && self.count < MIDDLEWARES_MAX)
            else {
                // SECURITY: it may have kept somebody out, and nobody can see.
                let why = "what it does is not in this file: the route asks for a permission, which nobody holds yet";
                draft.notes.left(
                    &router.place,
                    &what,
                    why,
                    "look at it, and write what it does",
                );
                self.guard = Some(Guard::Asks(format!(
                    "the middleware `{name}` is not in this file"
                )));
                continue;
            };
            let mut kinds: Vec<&str> = options
                .keys()
                .map(|key| key.split('.').next().unwrap_or(key))
                .collect();
            kinds.dedup();
            for key in options.keys().filter(|key| !is_read(key)) {
                let what = format!("middleware {name} {key}");
                let why = "of this middleware, this option is not carried over";
                draft.notes.left(&router.place, &what, why, "");
            }
            for kind in kinds {
                self.one(kind, name, options, all, router, depth, draft);
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a middleware may be a chain of others, anywhere in the file"
    )]
    fn one(
        &mut self,
        kind: &str,
        name: &str,
        options: &Options,
        all: &Traefik,
        router: &Router,
        depth: usize,
        draft: &mut Draft,
    ) {
        let what = format!("middleware {name} ({kind})");
        let said = |key: &str| options.get(&format!("{kind}.{key}")).map(String::as_str);
        let left = |draft: &mut Draft, why: &str, instead: &str| {
            draft.notes.left(&router.place, &what, why, instead);
        };
        match kind {
            _ if self.asks(kind, &what, router, draft) => {}
            "redirectscheme" => self.redirects = said("scheme") == Some("https"),
            "stripprefix" => {
                let prefixes = said("prefixes").unwrap_or_default();
                self.strip.extend(
                    prefixes
                        .split(',')
                        .filter_map(|text| path::prefix(text.trim())),
                );
            }
            "ratelimit" => self.rate(&what, &said, router, draft),
            "buffering" if said("maxrequestbodybytes").is_some() => {
                let bytes = said("maxrequestbodybytes").and_then(|text| text.parse::<u64>().ok());
                self.body_max = bytes
                    .filter(|bytes| *bytes > 0)
                    .map(|bytes| bytes.min(16_384 << 30));
            }
            "chain" => {
                let names = said("middlewares").unwrap_or_default().to_owned();
                self.middlewares(&names, all, router, depth.saturating_add(1), draft);
            }
            "inflightreq" => draft.notes.unguarded(
                &router.place,
                &what,
                Beyond::Concurrent.why(),
                Beyond::Concurrent.instead(),
            ),
            "replacepath" | "replacepathregex" | "addprefix" | "stripprefixregex" => {
                self.changes = true;
                left(
                    draft,
                    "a route takes a prefix off a path and puts nothing in its place",
                    "let the service have its paths as clients see them",
                );
            }
            "compress" => left(
                draft,
                "Rampart compresses no answers",
                "let the service compress",
            ),
            "headers" => left(
                draft,
                "Rampart changes no headers but its own (`security_headers`, `cors`)",
                "let the service set them",
            ),
            "passtlsclientcert" => draft.notes.unguarded(
                &router.place,
                &what,
                "who shows which certificate is not carried over",
                "write `[[listen.client_certificates]]`",
            ),
            _ => left(draft, "there is nothing like it in the estate", ""),
        }
    }

    /// What kept somebody out; whether this was such.
    fn asks(&mut self, kind: &str, what: &str, router: &Router, draft: &mut Draft) -> bool {
        let (why, instead, guard) = match kind {
            "basicauth" | "digestauth" | "forwardauth" => (
                ASKED,
                "invite people with `rampart people invite`, give them the route's role; or write `auth = \"pass\"` where the service checks as well",
                format!("Traefik asks who it is by `{kind}`"),
            ),
            "ipwhitelist" | "ipallowlist" => (
                "a route lets in by permission, not by address: it asks for one that nobody holds yet",
                "give people the route's role",
                "Traefik lets only some addresses in".to_owned(),
            ),
            _ => return false,
        };
        draft.notes.left(&router.place, what, why, instead);
        self.guard = Some(Guard::Asks(guard));
        true
    }

    fn rate<'s>(
        &mut self,
        what: &str,
        said: &impl Fn(&str) -> Option<&'s str>,
        router: &Router,
        draft: &mut Draft,
    ) {
        let number = |key: &str| said(key).and_then(|text| text.parse::<u64>().ok());
        let period = said("period").map_or(Some(1_000), units::go_ms);
        let by_other = said("sourcecriterion.requestheadername").is_some()
            || said("sourcecriterion.requesthost").is_some();
        if by_other {
            draft.notes.unguarded(
                &router.place,
                what,
                Beyond::Key.why(),
                Beyond::Key.instead(),
            );
            return;
        }
        let average = number("average").filter(|average| *average > 0);
        let rate = average.zip(period).and_then(|(average, period)| {
            let burst = number("burst").unwrap_or(1);
            units::rate(burst, period.div_ceil(average))
        });
        match rate {
            Some(rate) if self.rates.len() < 8 => self.rates.push(format!("{rate} per address")),
            _ => draft.notes.unguarded(
                &router.place,
                what,
                "its rate was not understood",
                "write `limit`",
            ),
        }
    }
}
