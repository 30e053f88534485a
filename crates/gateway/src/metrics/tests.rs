use super::*;
use crate::limiter::StoreStats;

#[test]
fn scrape_adds_up_all_workers() {
    let registry = Registry::new(2);
    let slot = registry.route("orders");
    assert_eq!(registry.route("orders"), slot);
    for (meter, status) in registry.meters().iter().zip([200, 503]) {
        meter.connection();
        meter.request(slot, status, Duration::from_micros(1200));
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
    registry.meters()[0].request(slot, 200, Duration::ZERO);
    let text = registry.render(&Gauges::default());
    assert!(text.lines().all(|line| !line.starts_with("evil")), "{text}");
}
