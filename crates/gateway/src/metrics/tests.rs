use super::*;
use crate::limiter::StoreStats;

#[test]
fn scrape_adds_up_all_workers() {
    let registry = Registry::new(2);
    let slot = registry.route("orders");
    assert_eq!(registry.route("orders"), slot);
    for (meter, status) in registry.meters().iter().zip([200, 503]) {
        meter.connection();
        meter.request(slot, status, Duration::from_micros(1200), None);
        meter.refused("head.bare_lf");
    }
    let text = registry.render(&Gauges::default());
    for line in [
        "rampart_gateway_connections_total 2\n",
        "rampart_gateway_requests_total{route=\"orders\",status=\"2xx\"} 1\n",
        "rampart_gateway_requests_total{route=\"orders\",status=\"5xx\"} 1\n",
        "rampart_gateway_request_duration_seconds_bucket{route=\"orders\",le=\"0.001\"} 0\n",
        "rampart_gateway_request_duration_seconds_bucket{route=\"orders\",le=\"0.0025\"} 2\n",
        "rampart_gateway_request_duration_seconds_bucket{route=\"orders\",le=\"+Inf\"} 2\n",
        "rampart_gateway_request_duration_seconds_sum{route=\"orders\"} 0.0024\n",
        "rampart_gateway_refusals_total{step=\"head\",code=\"head.bare_lf\"} 2\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn places_and_questions_about_limits_are_told() {
    let stats = StoreStats {
        is_away: true,
        outcomes: vec![("counted", 7), ("away", 2)],
    };
    let mut text = Text::default();
    limits::render(&mut text, 3, Some(&stats));
    let text = text.into_string();
    for line in [
        "rampart_gateway_limits_at_once 3\n",
        "rampart_gateway_limits_store_away 1\n",
        "rampart_gateway_limits_store_questions_total{outcome=\"counted\"} 7\n",
        "rampart_gateway_limits_store_questions_total{outcome=\"away\"} 2\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    // Where nothing is counted together, nothing is said of it.
    let text = Registry::new(1).render(&Gauges::default());
    assert!(
        text.contains("rampart_gateway_limits_at_once 0\n"),
        "{text}"
    );
    assert!(!text.contains("limits_store"), "{text}");
}

#[test]
fn routes_beyond_the_limit_share_a_slot() {
    let registry = Registry::new(1);
    for n in 0..ROUTES_MAX + 5 {
        registry.route(&format!("r{n}"));
    }
    assert_eq!(registry.route("one more"), RouteSlot::default());
}

#[test]
fn label_cannot_break_out_of_its_quotes() {
    let registry = Registry::new(1);
    let slot = registry.route("a\"} 1\nevil{x=\"");
    registry.meters()[0].request(slot, 200, Duration::ZERO, None);
    let text = registry.render(&Gauges::default());
    assert!(text.lines().all(|line| !line.starts_with("evil")), "{text}");
}

#[test]
fn what_a_service_took_is_told_beside_the_whole() {
    let registry = Registry::new(2);
    let slot = registry.route("orders");
    let ms = Duration::from_millis;
    let meter = &registry.meters()[0];
    meter.request(slot, 200, ms(10), Some(ms(7)));
    meter.request(slot, 403, ms(1), None);
    meter.refused_at(slot, "authorise.missing");
    for code in [
        "inspect.match",
        "sanitize.changed",
        "validate.response_body",
    ] {
        meter.observed_at(slot, code);
    }
    let text = registry.render(&Gauges::default());
    for line in [
        "rampart_gateway_request_duration_seconds_count{route=\"orders\"} 2\n",
        "rampart_gateway_service_duration_seconds_bucket{route=\"orders\",le=\"0.005\"} 0\n",
        "rampart_gateway_service_duration_seconds_bucket{route=\"orders\",le=\"0.01\"} 1\n",
        "rampart_gateway_service_duration_seconds_sum{route=\"orders\"} 0.007\n",
        "rampart_gateway_route_refusals_total{route=\"orders\",step=\"authorise\"} 1\n",
        "rampart_gateway_would_refuse_total{route=\"orders\",step=\"inspect\"} 1\n",
        "rampart_gateway_answer_drift_total{route=\"orders\"} 1\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let no_refusal = |step: &str| !text.contains(&format!("route=\"orders\",step=\"{step}\""));
    assert!(no_refusal("sanitize") && no_refusal("validate"), "{text}");
    let stats = registry.stats(0, HeldStats::default());
    let orders = &stats.routes["orders"];
    assert_eq!((orders.requests, orders.service.count()), (2, 1));
    assert_eq!(orders.steps["inspect"], (0, 1));
    let (p50, p99) = (
        orders.latency.quantile(5_000),
        orders.latency.quantile(9_900),
    );
    assert!(p50.abs_diff(ms(1)) < ms(1) / 32 && p99.abs_diff(ms(10)) < ms(10) / 32);
}
