//! The handlers of a site, in the order in which Caddy asks them.
//!
//! Caddy sorts directives by kind, and those of one kind by how specific their paths are; within
//! `route` the order is the file's. What is asked first and takes a whole path takes it from
//! everything behind.

use super::around::Around;
use super::matcher::{Matcher, Named};
use super::proxy;
use super::site;
use crate::draft::{Closing, Draft, Guard, Route};
use crate::notes::Place;
use crate::tree::Directive;
use crate::{Error, path};

/// LIMIT: paths that one directive of one site is for, over all hosts.
const FANOUT_MAX: usize = 1_000;

/// Walks through one site.
#[derive(Debug)]
pub(super) struct Walk<'n> {
    draft: &'n mut Draft,
    /// What was taken before: host and pattern.
    taken: Vec<(Option<String>, String)>,
    /// Guards that stand among the handlers.
    late: Vec<(Around, Guard, Place)>,
    found: bool,
}

/// The order in which Caddy asks those that answer or pass on.
const ORDER: [&str; 12] = [
    "redir",
    "handle",
    "handle_path",
    "route",
    "abort",
    "error",
    "respond",
    "reverse_proxy",
    "php_fastcgi",
    "file_server",
    "acme_server",
    "templates",
];

impl<'n> Walk<'n> {
    pub(super) fn new(draft: &'n mut Draft) -> Self {
        Self {
            draft,
            taken: Vec::new(),
            late: Vec::new(),
            found: false,
        }
    }

    /// Whether anything of the site became a route.
    pub(super) fn site(&mut self, list: &[Directive], around: &Around) -> Result<bool, Error> {
        self.list(list, around, None, true)?;
        Ok(self.found)
    }

    fn list(
        &mut self,
        list: &[Directive],
        around: &Around,
        outer: Option<&Named<'_>>,
        sorted: bool,
    ) -> Result<(), Error> {
        let named = Named::of(list, outer, self.draft);
        let mut around = around.clone();
        let guards = self.before(list, &named, &mut around);
        let mut handlers: Vec<(usize, usize, &Directive)> = Vec::new();
        for one in list {
            let Some(rank) = ORDER.iter().position(|name| *name == one.name) else {
                continue;
            };
            // `handle` and `handle_path` are one kind: the first that matches is the only one.
            let rank = if rank == 2 { 1 } else { rank };
            let weight = named
                .split(one)
                .0
                .paths
                .first()
                .map_or(0, |p| path::weight(p));
            handlers.push((rank, usize::MAX.saturating_sub(weight), one));
        }
        if sorted {
            handlers.sort_by_key(|(rank, weight, _)| (*rank, *weight));
        }
        let from = self.draft.routes.len();
        for (_, _, one) in handlers {
            self.handler(one, &around, &named)?;
        }
        self.guard(&guards, from)
    }

    /// What comes before the handlers: guards, bodies, prefixes.
    fn before(
        &mut self,
        list: &[Directive],
        named: &Named<'_>,
        around: &mut Around,
    ) -> Vec<(Around, Guard, Place)> {
        let mut guards = Vec::new();
        for one in list {
            let (matcher, args) = named.split(one);
            match one.name.as_str() {
                "basic_auth" | "basicauth" | "forward_auth" => {
                    let why = "the route asks for a permission instead, which nobody holds yet";
                    let instead = "invite people with `rampart people invite`, give them the route's role; or write `auth = \"pass\"` where the service checks as well";
                    one.left(&mut self.draft.notes, why, instead);
                    let guard = Guard::Asks(format!("Caddy asks who it is by `{}`", one.name));
                    self.wider(one, &matcher);
                    if matcher.paths.is_empty() && matcher.hosts.is_empty() {
                        around.guard = guard;
                    } else {
                        for narrowed in around.narrowed(&matcher) {
                            guards.push((narrowed, guard.clone(), one.place.clone()));
                        }
                    }
                }
                "request_body" => {
                    let size = one.first("max_size");
                    let bytes = size.and_then(|size| crate::units::human_bytes(size.arg(0)));
                    match (size, bytes) {
                        (Some(size), Some(bytes)) if matcher.paths.is_empty() => {
                            one.carried(&mut self.draft.notes);
                            size.carried(&mut self.draft.notes);
                            around.body_max = Some(bytes.min(16_384 << 30));
                        }
                        _ => one.left(
                            &mut self.draft.notes,
                            "of what it says only `max_size` for all paths is carried over",
                            "write `limits = { body_max = \"…\" }` on the route",
                        ),
                    }
                }
                "uri" if args.first().is_some_and(|arg| arg == "strip_prefix") => {
                    let prefix = args.get(1).and_then(|arg| path::prefix(arg));
                    let fits = prefix.filter(|prefix| {
                        around.strip.is_none()
                            && path::covers(&format!("{prefix}/**"), &around.pattern)
                    });
                    if let Some(prefix) = fits {
                        one.carried(&mut self.draft.notes);
                        around.strip = Some(prefix);
                    }
                }
                "header" => self.header(one, args, around),
                "log" | "log_skip" | "skip_log" | "log_append" => one.unneeded(
                    &mut self.draft.notes,
                    "every request is in the traffic records, and every decision in the trail",
                ),
                _ => {}
            }
        }
        guards
    }

    /// What whole segments change.
    fn wider(&mut self, one: &Directive, matcher: &Matcher) {
        let below = |pattern: &String| pattern.ends_with("/**") && pattern != "/**";
        let why = if matcher.narrower {
            "a route matches whole segments: `/api*` is `/api` and what is below it, not `/apis`"
        } else if matcher.paths.iter().any(below) {
            "a route for `/api/*` is one for `/api` too"
        } else {
            return;
        };
        self.draft.notes.differs(&one.place, &one.shown(), why);
    }

    fn header(&mut self, one: &Directive, args: &[String], around: &mut Around) {
        let names = one.inside().iter().map(|inner| inner.name.as_str());
        let all: Vec<String> = args
            .first()
            .map(String::as_str)
            .into_iter()
            .chain(names)
            .map(str::to_ascii_lowercase)
            .collect();
        let is_security = |name: &String| {
            matches!(
                name.as_str(),
                "strict-transport-security"
                    | "x-content-type-options"
                    | "x-frame-options"
                    | "content-security-policy"
                    | "referrer-policy"
                    | "x-xss-protection"
            )
        };
        if all.iter().any(is_security) {
            around.security_headers = true;
        }
        if !all.is_empty()
            && all
                .iter()
                .all(|name| is_security(name) || name == "-server")
        {
            let why = "the route sets security headers of Rampart's own where the service sets none: `Strict-Transport-Security` for a year, `nosniff`, `SAMEORIGIN`, a small `Content-Security-Policy`";
            one.differs(&mut self.draft.notes, why);
            one.account();
        }
    }

    fn handler(
        &mut self,
        one: &Directive,
        around: &Around,
        named: &Named<'_>,
    ) -> Result<(), Error> {
        let (matcher, args) = named.split(one);
        if !matcher.beyond.is_empty() {
            return self.conditional(one, &matcher, around, args);
        }
        self.wider(one, &matcher);
        let all = around.narrowed(&matcher);
        if all.len().saturating_mul(around.hosts.len().max(1)) > FANOUT_MAX {
            return Err(Error::Limit {
                what: "paths of one directive".to_owned(),
                max: FANOUT_MAX,
            });
        }
        for narrowed in all {
            self.one(one, &narrowed, named, args)?;
        }
        Ok(())
    }

    fn one(
        &mut self,
        one: &Directive,
        around: &Around,
        named: &Named<'_>,
        args: &[String],
    ) -> Result<(), Error> {
        match one.name.as_str() {
            "handle" | "route" | "handle_path" => {
                one.carried(&mut self.draft.notes);
                let mut inner = around.clone();
                if one.name == "handle_path" {
                    let base = around
                        .pattern
                        .strip_suffix("/**")
                        .unwrap_or(&around.pattern);
                    if base.contains('*') {
                        let (why, instead) = site::left("uri");
                        one.left(&mut self.draft.notes, why, instead);
                        let why = "what is taken off is no fixed prefix";
                        return self.closes(one, around, why);
                    }
                    // Of the root there is nothing to take off.
                    if !matches!(base, "" | "/") {
                        inner.strip = Some(base.to_owned());
                    }
                }
                let rewritten = one.inside().iter().find(|inner| {
                    matches!(inner.name.as_str(), "rewrite" | "replace")
                        || (inner.name == "uri" && inner.arg(0) != "strip_prefix")
                });
                if let Some(rewritten) = rewritten {
                    let (why, instead) = site::left(&rewritten.name);
                    one.left(&mut self.draft.notes, why, instead);
                    return self.closes(
                        one,
                        around,
                        "its path is rewritten, which a route cannot say",
                    );
                }
                self.list(one.inside(), &inner, Some(named), one.name != "route")?;
                // What nothing within takes is answered with nothing.
                if one.name != "route" {
                    self.closes(one, around, "Caddy passes nothing else of it on")?;
                }
                Ok(())
            }
            "reverse_proxy" => self.passes(one, around, args),
            _ => {
                let refuses = answers_no(one, args);
                if refuses {
                    one.carried(&mut self.draft.notes);
                    self.closes(one, around, "Caddy refuses it")
                } else {
                    let (why, instead) = site::left(&one.name);
                    one.left(&mut self.draft.notes, why, instead);
                    self.closes(one, around, "Caddy answers by itself here")
                }
            }
        }
    }

    fn free(&self, host: &Option<String>, pattern: &str) -> bool {
        !self
            .taken
            .iter()
            .any(|(known, over)| known == host && path::covers(over, pattern))
    }

    fn passes(&mut self, one: &Directive, around: &Around, args: &[String]) -> Result<(), Error> {
        let passed = proxy::passed(one, args, self.draft);
        let (service, mut route) = match passed {
            Ok(passed) => passed,
            Err((why, instead)) => {
                one.left(&mut self.draft.notes, why, instead);
                return self.closes(
                    one,
                    around,
                    "where Caddy passes it on could not be carried over",
                );
            }
        };
        one.carried(&mut self.draft.notes);
        let service = self.draft.service(service)?;
        route.service = service;
        route.path.clone_from(&around.pattern);
        route.strip.clone_from(&around.strip);
        route.guard = around.guard.clone();
        route.body_max = around.body_max;
        route.security_headers = around.security_headers;
        route.what = one.shown();
        for host in &around.hosts {
            if !self.free(host, &around.pattern) {
                let why = "another directive takes all of it before, in Caddy too";
                self.draft.notes.unneeded(&one.place, &one.shown(), why);
                continue;
            }
            self.taken.push((host.clone(), around.pattern.clone()));
            let mut route = route.clone();
            route.host.clone_from(host);
            self.found |= self.draft.route(route)?;
        }
        Ok(())
    }

    fn closes(&mut self, one: &Directive, around: &Around, why: &str) -> Result<(), Error> {
        for host in &around.hosts {
            if !self.free(host, &around.pattern) {
                continue;
            }
            self.taken.push((host.clone(), around.pattern.clone()));
            self.draft.close(Closing {
                host: host.clone(),
                path: around.pattern.clone(),
                place: one.place.clone(),
                what: one.shown(),
                why: why.to_owned(),
            })?;
        }
        Ok(())
    }

    /// What depends on more than host and path.
    fn conditional(
        &mut self,
        one: &Directive,
        matcher: &Matcher,
        around: &Around,
        args: &[String],
    ) -> Result<(), Error> {
        let why = format!(
            "it depends on more than host and path ({})",
            matcher.beyond.join(", ")
        );
        let instead = "let the service decide, or give what it is about a path or host of its own";
        let refuses = answers_no(one, args);
        if !refuses {
            // SECURITY: other handlers may let in whom this one asked who they are.
            if keeps_out(one) {
                one.unguarded(&mut self.draft.notes, &why, instead);
            } else {
                one.left(&mut self.draft.notes, &why, instead);
            }
            return Ok(());
        }
        if matcher.strangers {
            let instead = "its paths ask for a permission instead, which nobody holds yet";
            one.left(&mut self.draft.notes, &why, instead);
            let guard = Guard::Asks("Caddy lets only some addresses in".to_owned());
            for narrowed in around.narrowed(matcher) {
                self.late.push((narrowed, guard.clone(), one.place.clone()));
            }
            return Ok(());
        }
        one.unguarded(&mut self.draft.notes, &why, instead);
        Ok(())
    }

    /// Lets guards hold for the routes made since `from`: the whole of one that lies within, or a
    /// part of one, which becomes a route of its own.
    fn guard(&mut self, guards: &[(Around, Guard, Place)], from: usize) -> Result<(), Error> {
        let late = std::mem::take(&mut self.late);
        let mut parts: Vec<Route> = Vec::new();
        for (around, guard, place) in guards.iter().chain(&late) {
            for route in self.draft.routes.iter_mut().skip(from) {
                if !around.hosts.contains(&route.host) {
                    continue;
                }
                if path::covers(&around.pattern, &route.path) {
                    route.guard = guard.clone();
                } else if path::covers(&route.path, &around.pattern) {
                    let mut part = route.clone();
                    part.path.clone_from(&around.pattern);
                    part.guard = guard.clone();
                    part.place = place.clone();
                    parts.push(part);
                }
            }
        }
        for part in parts {
            let known = self
                .draft
                .routes
                .iter_mut()
                .find(|known| known.host == part.host && known.path == part.path);
            match known {
                Some(known) => known.guard = part.guard,
                None => drop(self.draft.route(part)?),
            }
        }
        Ok(())
    }
}

/// Whether something within it keeps somebody out.
fn keeps_out(one: &Directive) -> bool {
    let refuses = |inner: &Directive| {
        site::guards(&inner.name) || answers_no(inner, &inner.args) || keeps_out(inner)
    };
    one.inside().iter().any(refuses)
}

/// Whether it refuses whatever comes.
fn answers_no(one: &Directive, args: &[String]) -> bool {
    let status = args
        .iter()
        .rev()
        .find_map(|arg| arg.parse::<u16>().ok())
        .unwrap_or(0);
    one.name == "abort"
        || (one.name == "error" && (status == 0 || (400..=499).contains(&status)))
        || (one.name == "respond" && (400..=499).contains(&status))
}
