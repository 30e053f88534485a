//! What was counted of routes, as Prometheus text.

use std::sync::atomic::AtomicU64;

use super::counters::{RouteCounters, Times};
use super::text::{Text, escape, seconds};
use super::{STEPS, load};
use crate::link::protocol::LATENCY_BOUNDS_US;

/// A route's name, and what all workers counted of it.
pub(super) type Counted = (String, Box<RouteCounters>);

/// Everything about routes.
pub(super) fn render(text: &mut Text, routes: &[Counted]) {
    const REQUESTS: &str = "rampart_gateway_requests_total";
    text.head(
        REQUESTS,
        "counter",
        "Requests answered, by route and class of status.",
    );
    for (route, sum) in asked(routes) {
        for (class, count) in (1_u8..).zip(&sum.classes) {
            let labels = format!("route=\"{}\",status=\"{class}xx\"", escape(route));
            text.line(REQUESTS, &labels, load(count));
        }
    }
    histogram(
        text,
        "rampart_gateway_request_duration_seconds",
        "From the whole head to the answer's head, by route.",
        asked(routes).map(|(route, sum)| (route, &sum.whole)),
    );
    histogram(
        text,
        "rampart_gateway_service_duration_seconds",
        "The part of it for which a service was waited for, every attempt included.",
        asked(routes).map(|(route, sum)| (route, &sum.service)),
    );
    steps(
        text,
        "rampart_gateway_route_refusals_total",
        "Requests refused, by route and step.",
        routes.iter().map(|(route, sum)| (route, &sum.refused)),
    );
    steps(
        text,
        "rampart_gateway_would_refuse_total",
        "What steps that only observe would have refused, by route and step.",
        routes.iter().map(|(route, sum)| (route, &sum.observed)),
    );
    const DRIFT: &str = "rampart_gateway_answer_drift_total";
    text.head(
        DRIFT,
        "counter",
        "Answers of services that the route's OpenAPI document does not describe.",
    );
    for (route, sum) in asked(routes) {
        let labels = format!("route=\"{}\"", escape(route));
        text.line(DRIFT, &labels, load(&sum.drift));
    }
    matches(text, routes);
}

/// How often requests of each route matched rules of `[waf]`.
fn matches(text: &mut Text, routes: &[Counted]) {
    const MATCHES: &str = "rampart_gateway_waf_route_matches_total";
    text.head(
        MATCHES,
        "counter",
        "Matches of the rules that `[waf]` names, by route.",
    );
    for (route, sum) in asked(routes) {
        let labels = format!("route=\"{}\"", escape(route));
        text.line(MATCHES, &labels, load(&sum.matches));
    }
}

fn asked(routes: &[Counted]) -> impl Iterator<Item = (&String, &RouteCounters)> {
    let all = routes.iter().map(|(route, sum)| (route, &**sum));
    all.filter(|(_, sum)| sum.requests() > 0)
}

fn histogram<'a>(
    text: &mut Text,
    name: &str,
    help: &str,
    routes: impl Iterator<Item = (&'a String, &'a Times)>,
) {
    text.head(name, "histogram", help);
    for (route, times) in routes {
        series(text, name, &format!("route=\"{}\"", escape(route)), times);
    }
}

/// One series of a histogram; `label` may be empty.
pub(super) fn series(text: &mut Text, name: &str, label: &str, times: &Times) {
    let comma = if label.is_empty() { "" } else { "," };
    let mut below = 0_u64;
    for (bound, count) in LATENCY_BOUNDS_US.iter().zip(&times.buckets) {
        below = below.saturating_add(load(count));
        let labels = format!("{label}{comma}le=\"{}\"", seconds(*bound));
        text.line(&format!("{name}_bucket"), &labels, below);
    }
    let all = times.buckets.iter().map(load).sum();
    let labels = format!("{label}{comma}le=\"+Inf\"");
    text.line(&format!("{name}_bucket"), &labels, all);
    let sum = seconds(load(&times.sum_us));
    text.value(&format!("{name}_sum"), label, &sum);
    text.line(&format!("{name}_count"), label, all);
}

fn steps<'a>(
    text: &mut Text,
    name: &str,
    help: &str,
    routes: impl Iterator<Item = (&'a String, &'a [AtomicU64; STEPS.len()])>,
) {
    text.head(name, "counter", help);
    for (route, counts) in routes {
        for (step, count) in STEPS.iter().zip(counts).filter(|(_, n)| load(n) > 0) {
            let labels = format!("route=\"{}\",step=\"{step}\"", escape(route));
            text.line(name, &labels, load(count));
        }
    }
}
