//! `location`: which paths, and what becomes of them.
//!
//! nginx takes an exact location first, then the longest prefix unless a regular expression
//! matches. The router of the gateway takes the most specific pattern of whole segments. So exact
//! locations and prefixes become routes, and expressions are listed.

use std::collections::{BTreeMap, BTreeSet};

use super::proxy::{self, Passed};
use super::server::{conditions, status};
use super::{Http, Scope, access};
use crate::draft::{Closing, Draft, Guard};
use crate::tree::Directive;
use crate::{Error, path};

/// One location, with the levels around it.
#[derive(Clone, Debug)]
pub(super) struct Location<'d> {
    pub(super) directive: &'d Directive,
    pub(super) scope: Scope<'d>,
    pub(super) exact: bool,
    pub(super) uri: &'d str,
    /// Whether nginx ever comes here: a longer prefix outside may take all of it.
    parents: Vec<&'d str>,
}

/// The locations of a server.
#[derive(Debug, Default)]
pub(super) struct Locations<'d> {
    paths: Vec<Location<'d>>,
    expressions: Vec<&'d Directive>,
    named: BTreeMap<&'d str, Location<'d>>,
}

impl<'d> Locations<'d> {
    pub(super) fn of(server: &'d Directive, scope: &Scope<'d>) -> Self {
        let mut all = Self::default();
        all.gather(server, scope, &[]);
        all
    }

    fn gather(&mut self, around: &'d Directive, scope: &Scope<'d>, parents: &[&'d str]) {
        for directive in around.each("location") {
            let (exact, uri) = match directive.args.as_slice() {
                [word, uri] if word == "=" => (true, uri.as_str()),
                [word, uri] if word == "^~" => (false, uri.as_str()),
                [word, _] if word.starts_with('~') => {
                    self.expressions.push(directive);
                    continue;
                }
                [uri] if uri.starts_with('=') => (true, uri.get(1..).unwrap_or_default()),
                [uri] if uri.starts_with('~') => {
                    self.expressions.push(directive);
                    continue;
                }
                [uri] => (false, uri.as_str()),
                _ => continue,
            };
            let scope = scope.within(directive.inside());
            let location = Location {
                directive,
                scope: scope.clone(),
                exact,
                uri,
                parents: parents.to_vec(),
            };
            if uri.starts_with('@') {
                self.named.insert(uri, location);
                continue;
            }
            let mut parents = parents.to_vec();
            parents.push(uri);
            self.paths.push(location);
            self.gather(directive, &scope, &parents);
        }
    }

    /// Whether some location is for everything that no other is for.
    pub(super) fn has_root(&self) -> bool {
        self.paths
            .iter()
            .any(|location| !location.exact && location.uri == "/")
    }

    /// Whether a location outside takes everything of one that stands within another.
    fn is_shadowed(&self, location: &Location<'_>) -> bool {
        let Some(parent) = location.parents.last() else {
            return false;
        };
        self.paths.iter().any(|other| {
            !other.exact
                && other.parents.len() < location.parents.len()
                && other.uri.len() > parent.len()
                && location.uri.starts_with(other.uri)
        })
    }

    /// Whether the same path with a slash at its end has a location of its own.
    fn has_below(&self, uri: &str) -> bool {
        let below = format!("{uri}/");
        self.paths
            .iter()
            .any(|location| !location.exact && location.uri == below)
    }
}

/// What becomes of a location's requests.
enum Plan<'d> {
    Pass(Box<Passed>),
    Close(String),
    /// The same as a named location, after files were looked for.
    Named(&'d Location<'d>),
}

/// Makes the routes of a server for its hosts.
pub(super) fn routes(
    http: &Http<'_>,
    locations: &Locations<'_>,
    hosts: &[Option<String>],
    draft: &mut Draft,
) -> Result<(), Error> {
    let mut used = BTreeSet::new();
    for location in &locations.paths {
        one(http, locations, location, hosts, &mut used, draft)?;
    }
    for directive in &locations.expressions {
        expression(directive, draft);
    }
    for (name, location) in &locations.named {
        if !used.contains(name) {
            let why = "nothing that was carried over leads to it";
            location.directive.left(&mut draft.notes, why, "");
        }
    }
    Ok(())
}

fn one<'d>(
    http: &Http<'_>,
    locations: &'d Locations<'d>,
    location: &'d Location<'d>,
    hosts: &[Option<String>],
    used: &mut BTreeSet<&'d str>,
    draft: &mut Draft,
) -> Result<(), Error> {
    let directive = location.directive;
    if let Some(why) = unreachable(locations, location) {
        directive.unneeded(&mut draft.notes, why);
        return Ok(());
    }
    let only_itself = !location.exact && locations.has_below(location.uri);
    let pattern = if location.exact || only_itself {
        path::exact(location.uri)
    } else {
        path::below(location.uri)
    };
    let Some(pattern) = pattern else {
        let why = "its path holds what no canonical path holds";
        directive.unguarded(&mut draft.notes, why, "the gateway refuses such paths");
        return Ok(());
    };
    directive.carried(&mut draft.notes);
    let mut guard = access::guard(&location.scope, draft);
    if let Guard::Closed(why) = &guard {
        directive.carried_whole(&mut draft.notes);
        return closed(location, &pattern, why, hosts, draft);
    }
    let any_tls = !draft.https.is_empty();
    let mut rates = access::rates(http, &location.scope, draft);
    let plan = match plan(http, locations, location, draft) {
        Plan::Named(named) => {
            used.insert(named.uri);
            named.directive.carried(&mut draft.notes);
            guard = stricter(guard, access::guard(&named.scope, draft));
            for rate in access::rates(http, &named.scope, draft) {
                if !rates.contains(&rate) && rates.len() < 8 {
                    rates.push(rate);
                }
            }
            conditions(named.scope.own(), any_tls, draft);
            plan_of_named(http, named, location, draft)
        }
        plan => plan,
    };
    conditions(location.scope.own(), any_tls, draft);
    let what = directive.shown();
    let passed = match (plan, guard) {
        (Plan::Pass(_), Guard::Closed(why)) | (Plan::Close(why), _) => Err(why),
        (Plan::Named(_), _) => Err("a named location led to another".to_owned()),
        (Plan::Pass(passed), guard) => Ok((passed, guard)),
    };
    let (passed, guard) = match passed {
        Ok(passed) => passed,
        Err(why) => return closed(location, &pattern, &why, hosts, draft),
    };
    differences(location, only_itself, draft);
    let service = draft.service(passed.service)?;
    for host in hosts {
        let mut route = passed.route.clone();
        route.host.clone_from(host);
        route.path.clone_from(&pattern);
        route.service = service;
        route.guard = guard.clone();
        route.rates.clone_from(&rates);
        route.what.clone_from(&what);
        route.place = directive.place.clone();
        draft.route(route)?;
    }
    Ok(())
}

fn unreachable(locations: &Locations<'_>, location: &Location<'_>) -> Option<&'static str> {
    if path::is_reserved(location.uri) {
        return Some("paths under `/.rampart` are the gateway's own");
    }
    if location.uri.contains("/.well-known/acme-challenge") {
        return Some("ACME's challenges are answered by Rampart (`[acme]`)");
    }
    locations
        .is_shadowed(location)
        .then_some("a longer location outside takes everything of it, in nginx too")
}

fn closed(
    location: &Location<'_>,
    pattern: &str,
    why: &str,
    hosts: &[Option<String>],
    draft: &mut Draft,
) -> Result<(), Error> {
    for host in hosts {
        draft.close(Closing {
            host: host.clone(),
            path: pattern.to_owned(),
            place: location.directive.place.clone(),
            what: location.directive.shown(),
            why: why.to_owned(),
        })?;
    }
    Ok(())
}

/// What whole segments change.
fn differences(location: &Location<'_>, only_itself: bool, draft: &mut Draft) {
    let (place, what) = (&location.directive.place, location.directive.shown());
    if location.exact || location.uri == "/" {
        if location.exact && location.uri != "/" {
            let why = "a slash at the end of a path makes no difference to a route";
            draft.notes.differs(place, &what, why);
        }
        return;
    }
    if only_itself {
        let why = "a slash at the end of a path makes no difference to a route";
        draft.notes.differs(place, &what, why);
    }
    let why = if only_itself || !location.uri.ends_with('/') {
        "a route matches whole segments: `/api` is `/api` and what is below it, not `/apis`"
    } else {
        "a route for `/api/` is one for `/api` too, which nginx redirects to `/api/` or gives to another location"
    };
    draft.notes.differs(place, &what, why);
}

fn stricter(one: Guard, other: Guard) -> Guard {
    match (one, other) {
        (closed @ Guard::Closed(_), _) | (_, closed @ Guard::Closed(_)) => closed,
        (asks @ Guard::Asks(_), _) | (_, asks @ Guard::Asks(_)) => asks,
        _ => Guard::Open,
    }
}

const NOT_HTTP: [&str; 5] = [
    "fastcgi_pass",
    "uwsgi_pass",
    "scgi_pass",
    "memcached_pass",
    "postgres_pass",
];

fn plan<'d>(
    http: &Http<'_>,
    locations: &'d Locations<'d>,
    location: &'d Location<'d>,
    draft: &mut Draft,
) -> Plan<'d> {
    let own = location.scope.own();
    let find = |name: &str| own.iter().find(|one| one.name == name);
    if let Some(internal) = find("internal") {
        internal.carried(&mut draft.notes);
        return Plan::Close("nginx lets nobody in from outside (`internal`)".to_owned());
    }
    if let Some(answer) = find("return") {
        return answers(answer, draft);
    }
    if let Some(files) = find("try_files") {
        let last = files.args.last().map_or("", String::as_str);
        if let Some(named) = locations.named.get(last) {
            let why = "files are not served: every request goes to the service that nginx asks when there is no such file";
            files.left(
                &mut draft.notes,
                why,
                "serve the files by the service, or by one of their own",
            );
            return Plan::Named(named);
        }
    }
    if let Some(pass) = find("proxy_pass").or_else(|| find("grpc_pass")) {
        return passes(http, location, pass, draft);
    }
    if let Some(pass) = own.iter().find(|one| NOT_HTTP.contains(&one.name.as_str())) {
        let why = "Rampart speaks HTTP to services, neither FastCGI nor uwsgi";
        let instead =
            "let the service, or an nginx of its own before it, listen for HTTP on 127.0.0.1";
        pass.left(&mut draft.notes, why, instead);
        return Plan::Close(format!("nginx passes it on by `{}`", pass.name));
    }
    // Its block may only be there for what stands within it.
    let empty = own.iter().all(|one| one.name == "location");
    let why = if empty && !own.is_empty() {
        "only what is within it is passed on"
    } else {
        "nginx serves it by itself, from files"
    };
    let instead =
        "serve them by a service, and lead the route there; until then nobody gets them here";
    location.directive.left(&mut draft.notes, why, instead);
    Plan::Close(why.to_owned())
}

fn answers<'d>(answer: &Directive, draft: &mut Draft) -> Plan<'d> {
    let status = status(answer);
    if (400..=499).contains(&status) {
        answer.carried(&mut draft.notes);
        return Plan::Close(format!("nginx refuses it ({status})"));
    }
    let why = "Rampart answers nothing in place of a service, redirects among it";
    answer.left(&mut draft.notes, why, "let a service answer");
    Plan::Close("nginx answers by itself here".to_owned())
}

fn passes<'d>(
    http: &Http<'_>,
    location: &Location<'_>,
    pass: &Directive,
    draft: &mut Draft,
) -> Plan<'d> {
    match proxy::passed(http, location, pass, draft) {
        Ok(passed) => Plan::Pass(Box::new(passed)),
        Err((why, instead)) => {
            pass.left(&mut draft.notes, why, instead);
            Plan::Close("where nginx passes it on could not be carried over".to_owned())
        }
    }
}

/// A named location passes on what came to another one.
fn plan_of_named<'d>(
    http: &Http<'_>,
    named: &Location<'d>,
    from: &Location<'d>,
    draft: &mut Draft,
) -> Plan<'d> {
    let own = named.scope.own();
    if let Some(answer) = own.iter().find(|one| one.name == "return") {
        return answers(answer, draft);
    }
    let found = own
        .iter()
        .find(|one| matches!(one.name.as_str(), "proxy_pass" | "grpc_pass"));
    let Some(pass) = found else {
        let why = "it passes nothing on over HTTP";
        named.directive.left(&mut draft.notes, why, "");
        return Plan::Close("nginx serves it by itself, from files".to_owned());
    };
    let seen = Location {
        directive: named.directive,
        scope: named.scope.clone(),
        exact: from.exact,
        uri: from.uri,
        parents: Vec::new(),
    };
    passes(http, &seen, pass, draft)
}

/// A regular expression: nothing like it, so its requests go where the other routes say.
fn expression(directive: &Directive, draft: &mut Draft) {
    let why = "a route has no regular expressions: its requests go where the other routes say";
    let instead =
        "write `[[route]]`s for the paths it stands for; `*` is one segment, `**` the rest";
    let refuses = |one: &Directive| match one.name.as_str() {
        "deny" | "internal" | "auth_basic" | "auth_request" | "limit_req" | "allow" => true,
        "return" => (400..=499).contains(&status(one)),
        _ => false,
    };
    if directive.inside().iter().any(refuses) {
        directive.unguarded(&mut draft.notes, why, instead);
    } else {
        directive.left(&mut draft.notes, why, instead);
    }
}
