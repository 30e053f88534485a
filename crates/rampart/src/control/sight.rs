//! What gateways say of themselves, in the words of the surfaces: added up where that means
//! something, side by side where each sees for itself.

use std::collections::BTreeMap;

use api::{
    AddressState, Breaker, Condition, Flow, GatewayState, HeldBytes, Numbers, ServiceState,
    StepNumbers, Traffic,
};
use gateway::link::{
    AddressStats, BreakerWord, Condition as Standing, GatewayStatus, PlaceStats, RouteStats,
    ServiceStats,
};

/// What every connected gateway counted since it started.
pub(super) fn traffic(gateways: &[GatewayStatus]) -> Traffic {
    let mut sums: BTreeMap<String, RouteStats> = BTreeMap::new();
    let mut total = RouteStats::default();
    for (name, stats) in gateways.iter().flat_map(|gateway| &gateway.stats.routes) {
        sums.entry(name.clone()).or_default().add(stats);
        total.add(stats);
    }
    let held = |place: PlaceStats| HeldBytes {
        bytes: place.taken_bytes,
        bytes_max: place.max_bytes,
    };
    Traffic {
        gateways: gateways
            .iter()
            .map(|gateway| GatewayState {
                name: gateway.node.clone(),
                version: gateway.version,
                connections: gateway.stats.connections,
                rate: gateway.rate,
                left_out: gateway.stats.gap,
                held_memory: held(gateway.stats.held.memory),
                held_disk: held(gateway.stats.held.disk),
            })
            .collect(),
        total: numbers(&total),
        routes: sums
            .iter()
            .map(|(name, sum)| (name.clone(), numbers(sum)))
            .collect(),
    }
}

/// What went over one route.
pub(super) fn flow(stats: &RouteStats) -> Flow {
    Flow {
        requests: stats.requests,
        statuses: stats.statuses,
        steps: steps(stats),
        latency: stats.latency.clone(),
        service: stats.service.clone(),
    }
}

fn steps(stats: &RouteStats) -> BTreeMap<String, StepNumbers> {
    let of = |(step, (refused, would_refuse)): (&String, &(u64, u64))| {
        let numbers = StepNumbers {
            refused: *refused,
            would_refuse: *would_refuse,
        };
        (step.clone(), numbers)
    };
    stats.steps.iter().map(of).collect()
}

fn numbers(stats: &RouteStats) -> Numbers {
    let steps = steps(stats);
    Numbers {
        requests: stats.requests,
        refused: steps.values().map(|step| step.refused).sum(),
        would_refuse: steps.values().map(|step| step.would_refuse).sum(),
        p50: stats.latency.quantile(5_000),
        p90: stats.latency.quantile(9_000),
        p95: stats.latency.quantile(9_500),
        p99: stats.latency.quantile(9_900),
        p999: stats.latency.quantile(9_990),
        service_p50: stats.service.quantile(5_000),
        service_p99: stats.service.quantile(9_900),
        steps,
        statuses: (1_u8..)
            .zip(&stats.statuses)
            .filter(|(_, count)| **count > 0)
            .map(|(class, count)| (format!("{class}xx"), *count))
            .collect(),
    }
}

/// Every service that a gateway knows.
pub(super) fn services(gateways: &[GatewayStatus]) -> Vec<ServiceState> {
    let mut sums: BTreeMap<&str, ServiceState> = BTreeMap::new();
    for gateway in gateways {
        for (name, stats) in &gateway.stats.services {
            let sum = sums.entry(name).or_insert_with(|| ServiceState {
                name: name.clone(),
                ..ServiceState::default()
            });
            add(sum, &gateway.node, stats);
        }
    }
    sums.into_values().collect()
}

fn add(sum: &mut ServiceState, gateway: &str, stats: &ServiceStats) {
    for (sum, one) in [
        (&mut sum.requests, stats.requests),
        (&mut sum.under_way, stats.under_way),
        (&mut sum.waiting, stats.waiting),
        (&mut sum.crowded_out, stats.crowded_out),
        (&mut sum.retries, stats.retries),
        (&mut sum.retries_withheld, stats.retries_withheld),
        (&mut sum.retries_left, stats.retries_left),
        (&mut sum.held_off, stats.held_off),
        (&mut sum.left_out, stats.left_out),
    ] {
        *sum = sum.saturating_add(one);
    }
    let breaker = stats.breaker.map(|word| match word {
        BreakerWord::Closed => Breaker::Closed,
        BreakerWord::Open => Breaker::Open,
        BreakerWord::HalfOpen => Breaker::HalfOpen,
    });
    sum.breaker = sum.breaker.max(breaker);
    let addresses = stats.addresses.iter().map(|one| address(gateway, one));
    sum.addresses.extend(addresses);
}

fn address(gateway: &str, stats: &AddressStats) -> AddressState {
    let condition = match stats.condition {
        Standing::Well => Condition::Well,
        Standing::Rising => Condition::Rising,
        Standing::Ejected => Condition::Ejected,
        Standing::Unwell => Condition::Unwell,
    };
    AddressState {
        gateway: gateway.to_owned(),
        address: stats.address.clone(),
        condition,
        since: stats.since,
        why: stats.why.clone(),
        share_percent: stats.share_percent,
        under_way: stats.under_way,
        connections: stats.connections,
        failures: stats.failures.clone(),
        last_failure: stats.last_failure,
        failing: stats.failing,
        is_in_trouble: !condition.is_well(stats.failing),
        ejections: stats.ejections,
        probes: stats.probes,
        probes_failed: stats.probes_failed,
    }
}
