//! Routes, one by one; what routes mean together stands in `rules`.

use std::collections::BTreeMap;
use std::time::Duration;

use ::model::{Diagnostic, Permission, Span};

use super::inventory::head;
use super::limits;
use super::names::{self, Names, entries};
use super::route_names;
use super::settings::full_host;
use super::waf;
use crate::fields::{CORS, MODE, ROUTE_LIMITS};
use crate::findings::Findings;
use crate::limits::Budget;
use crate::model::{Auth, BodyMode, Cors, Limits, Mode, Modes, PathPattern, Require, Route};
use crate::node::{Node, key_span};
use crate::read::Reader;
use crate::sanitize::{self, Sanitize};
use crate::values;
use crate::waf::Waf;

/// What routes take from elsewhere in the file; absent where that was refused.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) domain: Option<&'a str>,
    pub(super) limits: Option<&'a Limits>,
    pub(super) budgets: &'a BTreeMap<String, Budget>,
    pub(super) staleness_max: Option<Duration>,
    pub(super) waf: Option<&'a Waf>,
    pub(super) names: &'a Names,
}

pub(super) fn routes(
    findings: &mut Findings,
    root: &Reader<'_>,
    shared: &Shared<'_>,
) -> Vec<Route> {
    let mut routes: Vec<Route> = entries(root, "route")
        .into_iter()
        .filter_map(|table| route(findings, &table, shared))
        .collect();
    route_names::assign(findings, &mut routes, shared.domain);
    routes
}

fn route(findings: &mut Findings, table: &Reader<'_>, shared: &Shared<'_>) -> Option<Route> {
    let to = table.placed("to", values::name);
    if let Some(to) = &to {
        names::check(
            findings,
            &[&shared.names.services],
            "service",
            "services",
            to,
        );
    }
    let path = table.parse("path", PathPattern::parse);
    let require = require(table);
    let auth = auth(findings, table, require.as_ref());
    let modes = modes(findings, table);
    let body = body(findings, table);
    let known = limits::Known {
        names: shared.names,
        budgets: shared.budgets,
    };
    let rates = limits::rates(findings, table, auth, known);
    let cost = limits::cost(findings, table, &rates);
    let concurrent = limits::concurrent(findings, table, auth, shared.names);
    let cors = cors(findings, table);
    let staleness_max = staleness(findings, table, shared.staleness_max);
    let strip_prefix = strip_prefix(findings, table, path.as_ref());
    let own = shared.limits.and_then(|limits| own_limits(table, limits));
    let openapi = openapi(findings, table);
    let sanitize = sanitized(findings, table);
    let waf = waf::of_route(findings, table, shared.waf);
    let host = match (table.has("host"), shared.domain) {
        (true, Some(domain)) => Some(full_host(&table.parse("host", values::host)?, domain)),
        (true, None) => return None,
        (false, _) => None,
    };
    Some(Route {
        // Left empty here; `route_names` names every route that has no name of its own.
        name: table.parse("name", values::name).unwrap_or_default(),
        host,
        path: path?,
        to: to?.value,
        strip_prefix,
        auth: auth?,
        require: require?,
        modes: modes?,
        rates: rates.into_iter().map(|rate| rate.value).collect(),
        cost: cost?,
        concurrent,
        cors,
        limits: own?,
        staleness_max: staleness_max?,
        security_headers: table.bool("security_headers")?,
        openapi,
        sanitize,
        // SECURITY: where there are rules, a route is held to them or not read at all.
        waf: if shared.waf.is_some() {
            Some(waf?)
        } else {
            None
        },
        learn: table.bool("learn")?,
        websocket: table.bool("websocket")?,
        body: body?,
        span: table.span,
        spans: table.spans().collect(),
    })
}

/// `None` when it was refused.
fn require(table: &Reader<'_>) -> Option<Require> {
    let Some(node) = table.node("require") else {
        return Some(Require::Nothing);
    };
    if let Some(text) = node.text() {
        return text.parse().ok().map(Require::Every);
    }
    let methods = node.table()?;
    let by_method: Option<BTreeMap<String, Permission>> = methods
        .iter()
        .map(|(method, item)| {
            let text = Node::of(item, key_span(methods, method, node.span)).text()?;
            Some((values::method(method).ok()?, text.parse().ok()?))
        })
        .collect();
    by_method.map(Require::Methods)
}

fn auth(findings: &mut Findings, table: &Reader<'_>, require: Option<&Require>) -> Option<Auth> {
    let requires = table.has("require");
    let auth = match table.text("auth") {
        Some("required") => Auth::Required,
        Some("optional") => Auth::Optional,
        Some("none") => Auth::None,
        Some("pass") => Auth::Pass,
        _ if table.has("auth") => return None,
        _ => {
            if !requires {
                open_route(
                    findings,
                    table,
                    "this route says neither `require` nor `auth`",
                );
                return None;
            }
            Auth::Required
        }
    };
    match auth {
        Auth::Required if !requires => {
            open_route(
                findings,
                table,
                "this route asks who it is, and then requires nothing",
            );
        }
        Auth::Optional if requires => {
            let message = "strangers hold no permission, so this route acts as `required`";
            let span = table.span_of("auth");
            let finding = Diagnostic::warning("estate.contradiction", span, message.to_owned());
            findings.push(finding.hint("write `auth = \"required\"`, or leave `require` out"));
        }
        Auth::None | Auth::Pass if requires => {
            let message = "`require` needs to know who it is, and `auth` says not to ask";
            let span = table.span_of("require");
            let finding = Diagnostic::error("estate.contradiction", span, message.to_owned());
            findings.push(finding.hint("leave `auth` out, or leave `require` out"));
        }
        _ => {}
    }
    require.map(|_| auth)
}

/// SECURITY: deny by default. A route that is open says so itself.
fn open_route(findings: &mut Findings, table: &Reader<'_>, message: &str) {
    let span = if table.has("auth") {
        table.span_of("auth")
    } else {
        head_or_path(table)
    };
    findings.push(
        Diagnostic::error("estate.route_open", span, message.to_owned()).hint(
            "give it `require = \"resource:verb\"`; or, when everybody may, `auth = \"none\"`, \
             `auth = \"optional\"`, or `auth = \"pass\"` when the backend signs people in",
        ),
    );
}

/// Where a finding about a whole route is shown.
fn head_or_path(table: &Reader<'_>) -> Span {
    if table.has("path") {
        table.span_of("path")
    } else {
        head(table)
    }
}

pub(super) fn mode(text: &str) -> Option<Mode> {
    match text {
        "block" => Some(Mode::Block),
        "observe" => Some(Mode::Observe),
        _ => None,
    }
}

/// `mode = "observe"` is for the steps that judge content and quantity. Who it is and whether they
/// may is only observed where a route says so by name.
fn modes(findings: &mut Findings, table: &Reader<'_>) -> Option<Modes> {
    let all = |mode| Modes {
        authenticate: Mode::Block,
        authorise: Mode::Block,
        limits: mode,
        validate: mode,
        inspect: mode,
    };
    if let Some(text) = table.text("mode") {
        return mode(text).map(all);
    }
    let steps = table.sub("mode", &MODE);
    let step = |key: &str| steps.text(key).and_then(mode);
    let modes = Modes {
        authenticate: step("authenticate")?,
        authorise: step("authorise")?,
        limits: step("limits")?,
        validate: step("validate")?,
        inspect: step("inspect")?,
    };
    for (key, mode) in [
        ("authenticate", modes.authenticate),
        ("authorise", modes.authorise),
    ] {
        if mode == Mode::Observe {
            let message = format!("`{key}` only observes here: the route is open to everybody");
            let finding =
                Diagnostic::warning("estate.observed_identity", steps.span_of(key), message);
            findings.push(finding.hint("set it to `block` once the records show that it may"));
        }
    }
    Some(modes)
}

/// SECURITY: what is passed on as it comes is looked into by nobody; a route that asks for both
/// would be believed to check what it does not.
fn body(findings: &mut Findings, table: &Reader<'_>) -> Option<BodyMode> {
    let body = match table.text("body")? {
        "hold" => return Some(BodyMode::Hold),
        "stream" => BodyMode::Stream,
        _ => return None,
    };
    let steps = table.sub("mode", &MODE);
    if steps.has("validate") {
        let message = "a streamed body is passed on as it comes: there is nothing to validate";
        let span = steps.span_of("validate");
        let finding = Diagnostic::error("estate.contradiction", span, message.to_owned());
        findings.push(finding.hint("leave `validate` out, or write `body = \"hold\"`"));
    }
    for key in ["openapi", "sanitize"] {
        if table.has(key) {
            let message =
                format!("`{key}` looks into bodies, and a streamed body is passed on as it comes");
            let finding = Diagnostic::error("estate.contradiction", table.span_of(key), message);
            findings.push(finding.hint("leave it out, or write `body = \"hold\"`"));
        }
    }
    // Who only observes relies on nothing; `block` is believed to look into bodies.
    if steps.text("inspect") == Some("block") && steps.has("inspect") {
        let message = "a streamed body is not looked into: `inspect` sees path, query and headers";
        let span = steps.span_of("inspect");
        let finding = Diagnostic::warning("estate.contradiction", span, message.to_owned());
        findings.push(finding.hint("leave `inspect` out, or write `body = \"hold\"`"));
    }
    Some(body)
}

fn cors(findings: &mut Findings, table: &Reader<'_>) -> Option<Cors> {
    table.node("cors")?.table()?;
    let cors = table.sub("cors", &CORS);
    let origins = cors.list("origins", values::origin);
    if cors
        .node("origins")
        .and_then(Node::items)
        .is_some_and(|items| items.is_empty())
    {
        let message = "`origins` is empty, so nobody may".to_owned();
        let finding = Diagnostic::error("estate.contradiction", cors.span_of("origins"), message);
        findings.push(finding.hint("leave `cors` out to allow no other origin"));
    }
    names::check_once(findings, "origins", &origins);
    Some(Cors {
        origins: origins.into_iter().map(|origin| origin.value).collect(),
        methods: cors.values("methods", values::method),
        headers: cors.values("headers", values::header),
        expose: cors.values("expose", values::header),
        credentials: cors.bool("credentials")?,
        max_age: cors.duration("max_age")?,
    })
}

fn staleness(
    findings: &mut Findings,
    table: &Reader<'_>,
    gateway: Option<Duration>,
) -> Option<Duration> {
    if !table.has("staleness_max") {
        return gateway;
    }
    let own = table.duration("staleness_max")?;
    if gateway.is_some_and(|gateway| own > gateway) {
        let message = "a route cannot decide from an older snapshot than the gateway";
        let span = table.span_of("staleness_max");
        let finding = Diagnostic::error("estate.contradiction", span, message.to_owned());
        findings.push(finding.hint("raise `staleness_max` of `[gateway]`, or leave this out"));
    }
    Some(own)
}

fn strip_prefix(
    findings: &mut Findings,
    table: &Reader<'_>,
    path: Option<&PathPattern>,
) -> Option<String> {
    let prefix = table.parse("strip_prefix", PathPattern::parse)?;
    let path = path?;
    if !path.segments.starts_with(&prefix.segments) {
        let message = format!("`{path}` does not begin with `{prefix}`");
        let span = table.span_of("strip_prefix");
        findings.error("estate.contradiction", span, message);
    }
    Some(prefix.to_string())
}

fn openapi(findings: &mut Findings, table: &Reader<'_>) -> Option<String> {
    let file = table.parse("openapi", values::document)?;
    if table.bool("websocket") == Some(true) {
        let message = "an OpenAPI document says nothing about WebSockets".to_owned();
        let span = table.span_of("openapi");
        let finding = Diagnostic::error("estate.contradiction", span, message);
        findings.push(finding.hint("give the WebSocket's path a route of its own"));
    }
    Some(file)
}

/// SECURITY: the same field under two rules would be cleaned by one of them, by chance.
fn sanitized(findings: &mut Findings, table: &Reader<'_>) -> Vec<Sanitize> {
    let mut fields: Vec<Sanitize> = Vec::new();
    for field in table.list("sanitize", sanitize::parse) {
        if fields.iter().any(|known| known.at == field.value.at) {
            let message = format!("`{}` is named twice", field.value.at);
            findings.error("estate.duplicate", field.span, message);
        }
        fields.push(field.value);
    }
    fields
}

/// The estate's limits with the route's own over them.
fn own_limits(table: &Reader<'_>, shared: &Limits) -> Option<Limits> {
    let own = table.sub("limits", &ROUTE_LIMITS);
    let mut limits = shared.clone();
    if own.has("body_max") {
        limits.body_max = own.size("body_max")?;
    }
    if own.has("response_max") {
        limits.response_max = own.size("response_max")?;
    }
    if own.has("body_bytes_per_s_min") {
        limits.body_bytes_per_s_min = own.size("body_bytes_per_s_min")?;
    }
    if own.has("connect_timeout") {
        limits.connect_timeout = own.duration("connect_timeout")?;
    }
    if own.has("response_timeout") {
        limits.response_timeout = own.duration("response_timeout")?;
    }
    if own.has("response_idle_timeout") {
        limits.response_idle_timeout = own.duration("response_idle_timeout")?;
    }
    Some(limits)
}
