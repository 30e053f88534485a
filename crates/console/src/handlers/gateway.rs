//! Routes with what goes over them, and one route in full.

use std::collections::BTreeMap;

use api::{Numbers, Services, Traffic, Window};
use axum::extract::{Path, State};
use estate::{Auth, Estate, Mode, PathPattern, Require, Route};
use model::{Timestamp, own};

use super::Answer;
use crate::address;
use crate::error::WebError;
use crate::frame::Place;
use crate::pages::gateway::{Fact, ModeChip, RoutePage, RouteRow, RoutesPage, StepCount};
use crate::render;
use crate::session::Session;
use crate::ui::{
    Bar, Bars, Notice, Series, Sparkline, Tile, TimeChart, Tone, count, duration, percent, plural,
    rate,
};

/// LIMIT: routes whose numbers one live update carries.
const LIVE_ROUTES_MAX: usize = 500;

/// `GET /gateway/routes`.
pub(crate) async fn routes(State(services): State<Services>, session: Session) -> Answer {
    session.require(own::GATEWAY_READ)?;
    let traffic = services.gateway.traffic();
    let version = services.rollout.current();
    let routes: Vec<_> = version
        .iter()
        .flat_map(|version| &version.estate.routes)
        .map(|route| row(&services, route, &traffic))
        .collect();
    Ok(render::html(&RoutesPage {
        frame: session
            .top(&services, Place::Routes, "Routes")
            .live("/live?what=numbers"),
        state: state(&routes, &traffic),
        alarm: alarm(&traffic),
        tiles: tiles(&services, &traffic.total, None),
        routes,
    }))
}

fn state(routes: &[RouteRow], traffic: &Traffic) -> String {
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let observing = routes.iter().filter(|r| !r.observing.is_empty()).count();
    let over = format!(
        "{} over {}.",
        plural(number(routes.len()), "route", "routes"),
        plural(number(traffic.gateways.len()), "gateway", "gateways")
    );
    match observing {
        0 => format!("{over} Every step of every route is enforced."),
        n => format!("{over} {} only in part enforced.", {
            let n = number(n);
            format!("{} {}", count(n), if n == 1 { "is" } else { "are" })
        }),
    }
}

/// Nobody serves: the one thing to know.
pub(crate) fn alarm(traffic: &Traffic) -> Option<Notice> {
    traffic.gateways.is_empty().then(|| {
        Notice::new(
            Tone::Critical,
            "No gateway is connected",
            "A gateway that runs serves from its last snapshot until that is too old, then refuses. \
             Look at its log.",
        )
    })
}

fn row(services: &Services, route: &Route, traffic: &Traffic) -> RouteRow {
    let numbers = traffic.routes.get(&route.name).cloned().unwrap_or_default();
    let lately = services
        .history
        .lately(Some(&[&route.name]), Window::Minute);
    let moved = services.history.rates(Some(&route.name)).served;
    RouteRow {
        href: format!("/gateway/routes/{}", address::encode(&route.name)),
        name: route.name.clone(),
        host: route.host.clone().unwrap_or_else(|| "any host".to_owned()),
        path: pattern(&route.path),
        to: route.to.clone(),
        observing: modes(route)
            .into_iter()
            .filter(|(_, mode)| *mode == Mode::Observe)
            .map(|(step, _)| step)
            .collect(),
        stat: route.name.clone(),
        rate: rate(lately.rate),
        spark: Sparkline::new(
            format!("Requests per second over {} in the last hour", route.name),
            &moved,
        ),
        p95: duration(numbers.p95),
        service: match lately.service_percent {
            Some(share) => format!("service {share:.0} %"),
            None => "no request lately".to_owned(),
        },
        refused: count(numbers.refused),
        would: count(numbers.would_refuse),
    }
}

/// A path pattern as it is written in the estate.
pub(crate) fn pattern(pattern: &PathPattern) -> String {
    pattern.to_string()
}

/// The steps that can observe, in their order.
pub(crate) fn modes(route: &Route) -> Vec<(&'static str, Mode)> {
    let modes = route.modes;
    let rules = route.waf.map(|waf| ("waf", waf.mode));
    let steps = [
        ("authenticate", modes.authenticate),
        ("authorise", modes.authorise),
        ("limits", modes.limits),
        ("validate", modes.validate),
        ("inspect", modes.inspect),
    ];
    steps.into_iter().chain(rules).collect()
}

/// The tiles of all traffic, or of one route's.
pub(crate) fn tiles(services: &Services, numbers: &Numbers, route: Option<&str>) -> Vec<Tile> {
    let (per_second, refused_per_second) = services.history.now(route);
    let lately = services.history.rates(route);
    let suffix = |name: &str| match route {
        Some(route) => format!("{name}:{route}"),
        None => name.to_owned(),
    };
    let all: Vec<f64> = lately
        .served
        .iter()
        .zip(&lately.refused)
        .map(|(served, refused)| served + refused)
        .collect();
    vec![
        Tile::new("Requests", rate(per_second), "over the last minute")
            .unit("/s")
            .live(suffix("rate"))
            .spark(Sparkline::new("Requests per second, last hour", &all)),
        Tile::new(
            "Refused",
            rate(refused_per_second),
            format!(
                "{} in all, {}",
                count(numbers.refused),
                percent(numbers.refused, numbers.requests)
            ),
        )
        .unit("/s")
        .live(suffix("refused-rate"))
        .spark(Sparkline::new("Refused per second, last hour", &lately.refused).bad()),
        Tile::new(
            "95 of 100 answered within",
            duration(numbers.p95),
            format!(
                "p50 {}, p99 {}, p99.9 {}; of it the service p99 {}",
                duration(numbers.p50),
                duration(numbers.p99),
                duration(numbers.p999),
                duration(numbers.service_p99)
            ),
        )
        .live(suffix("p95")),
        Tile::new(
            "Would have refused",
            count(numbers.would_refuse),
            "by steps that only observe",
        )
        .live(suffix("would")),
    ]
}

/// The chart of the last hour, when there is an hour to show.
pub(crate) fn chart(
    services: &Services,
    id: &'static str,
    route: Option<&str>,
) -> Option<TimeChart> {
    let rates = services.history.rates(route);
    if rates.times.len() < 2 {
        return None;
    }
    let times: Vec<String> = rates.times.iter().map(|at| clock(*at)).collect();
    let series = [
        Series {
            name: "served",
            values: rates.served,
            bad: false,
        },
        Series {
            name: "refused",
            values: rates.refused,
            bad: true,
        },
    ];
    Some(TimeChart::new(
        id,
        "Requests per second in the last hour",
        &times,
        &series,
    ))
}

/// `08:15`, in UTC.
fn clock(at: Timestamp) -> String {
    at.to_string().chars().skip(11).take(5).collect()
}

/// Refusals by step as bars, the most first.
pub(crate) fn refusals(numbers: &Numbers) -> Bars {
    let mut bars: Vec<_> = numbers
        .steps
        .iter()
        .filter(|(_, step)| step.refused > 0)
        .map(|(name, step)| Bar {
            name: name.clone(),
            value: step.refused,
        })
        .collect();
    bars.sort_by_key(|bar| std::cmp::Reverse(bar.value));
    Bars::bad(&bars)
}

/// Numbers for live updates, by the names the pages use.
pub(crate) fn numbers(services: &Services) -> BTreeMap<String, String> {
    let traffic = services.gateway.traffic();
    let mut all = BTreeMap::new();
    let mut put = |suffix: &str, route: Option<&str>, numbers: &Numbers| {
        let (per_second, refused) = services.history.now(route);
        for (name, value) in [
            ("rate", rate(per_second)),
            ("refused-rate", rate(refused)),
            ("refused", count(numbers.refused)),
            ("would", count(numbers.would_refuse)),
            ("p95", duration(numbers.p95)),
        ] {
            all.insert(format!("{name}{suffix}"), value);
        }
    };
    put("", None, &traffic.total);
    for (name, numbers) in traffic.routes.iter().take(LIVE_ROUTES_MAX) {
        put(&format!(":{name}"), Some(name), numbers);
    }
    all
}

/// `GET /gateway/routes/{name}`.
pub(crate) async fn route(
    State(services): State<Services>,
    session: Session,
    Path(name): Path<String>,
) -> Answer {
    session.require(own::GATEWAY_READ)?;
    let version = services.rollout.current().ok_or(WebError::NotFound)?;
    let route = version
        .estate
        .routes
        .iter()
        .find(|route| route.name == name)
        .ok_or(WebError::NotFound)?;
    let traffic = services.gateway.traffic();
    let numbers = traffic.routes.get(&name).cloned().unwrap_or_default();
    let place = place(route, &version.estate);
    Ok(render::html(&RoutePage {
        frame: session
            .below(&services, Place::Routes, &name)
            .live("/live?what=numbers"),
        state: format!("{place} goes to {}.", route.to),
        tiles: tiles(&services, &numbers, Some(&name)),
        modes: modes(route)
            .into_iter()
            .map(|(step, mode)| ModeChip {
                step,
                observe: mode == Mode::Observe,
            })
            .collect(),
        traffic: chart(&services, "route-traffic", Some(&name)),
        statuses: numbers
            .statuses
            .iter()
            .map(|(status, n)| (status.clone(), count(*n)))
            .collect(),
        steps: numbers
            .steps
            .iter()
            .map(|(step, n)| StepCount {
                step: step.clone(),
                refused: count(n.refused),
                would: count(n.would_refuse),
            })
            .collect(),
        refusals: refusals(&numbers),
        facts: facts(route, &version.source),
        explain_href: address::with(
            "/gateway/explain",
            &[("url", &format!("https://{place}").replace("**", ""))],
        ),
        trail_href: session
            .may(own::TRAIL_READ)
            .then(|| address::with("/trail", &[("kind", "gateway."), ("text", &name)])),
        name,
    }))
}

fn place(route: &Route, estate: &Estate) -> String {
    let host = route.host.as_deref().unwrap_or(&estate.domain);
    format!("{host}{}", pattern(&route.path))
}

/// A route's configuration with the lines of the estate that say so.
fn facts(route: &Route, source: &str) -> Vec<Fact> {
    let fact = |name, key: &str, values: Vec<String>| Fact {
        name,
        values,
        line: route.spans.get(key).map(|span| span.position(source).0),
    };
    let mut facts = vec![
        Fact {
            name: "Route",
            values: vec![route.name.clone()],
            line: Some(route.span.position(source).0),
        },
        fact("Path", "path", vec![pattern(&route.path)]),
        fact("Service", "to", vec![route.to.clone()]),
        fact("Sign-in", "auth", vec![auth(route.auth).to_owned()]),
        fact("Requires", "require", requires(&route.require)),
    ];
    if !route.rates.is_empty() {
        let rates = route
            .rates
            .iter()
            .map(|limit| match &limit.shared {
                Some(name) => format!("{name}: {} per {}", limit.rate, limit.per),
                None => format!("{} per {}", limit.rate, limit.per),
            })
            .collect();
        facts.push(fact("Limits", "limit", rates));
    }
    if !route.concurrent.is_empty() {
        let at_once = route.concurrent.iter();
        let at_once = at_once.map(|one| format!("{} per {}", one.max, one.per));
        facts.push(fact("At once", "concurrent", at_once.collect()));
    }
    if let Some(prefix) = &route.strip_prefix {
        facts.push(fact("Strips", "strip_prefix", vec![prefix.clone()]));
    }
    if let Some(cors) = &route.cors {
        facts.push(fact("Other origins", "cors", cors.origins.clone()));
    }
    facts.push(fact(
        "Body at most",
        "limits",
        vec![route.limits.body_max.to_string()],
    ));
    facts
}

fn auth(auth: Auth) -> &'static str {
    match auth {
        Auth::Required => "required",
        Auth::Optional => "optional",
        Auth::None => "none",
        Auth::Pass => "pass: stays with the backend",
    }
}

fn requires(require: &Require) -> Vec<String> {
    match require {
        Require::Nothing => vec!["nothing".to_owned()],
        Require::Every(permission) => vec![permission.to_string()],
        Require::Methods(methods) => methods
            .iter()
            .map(|(method, permission)| format!("{method} {permission}"))
            .collect(),
    }
}
