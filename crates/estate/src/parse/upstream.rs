//! How a service is reached: everything in `[[service]]` that is not where.

use ::model::Diagnostic;

use crate::fields::{BALANCE, BREAKER, CAPACITY, HEALTH, OUTLIERS, RESOLVE, RETRIES, TIMEOUTS};
use crate::findings::Findings;
use crate::read::Reader;
use crate::upstream::{
    Balance, Breaker, Capacity, Failure, Health, NoneHealthy, Outliers, Reach, Resolve, Retries,
    UpstreamTimeouts,
};
use crate::values;

/// `None` where something was refused.
pub(super) fn reach(findings: &mut Findings, table: &Reader<'_>) -> Option<Reach> {
    let resolve = table.sub("resolve", &RESOLVE);
    let health = health(findings, table);
    let outliers = outliers(findings, table);
    let balance = balance(table);
    let retries = retries(table);
    let breaker = breaker(table);
    Some(Reach {
        resolve: Resolve {
            every: resolve.duration("every")?,
            allow: resolve.values("allow", str::parse),
        },
        health: health?,
        outliers: outliers?,
        balance: balance?,
        retries: retries?,
        breaker: breaker?,
        capacity: capacity(findings, table)?,
        timeouts: timeouts(table)?,
        slow_start: table.duration("slow_start"),
    })
}

/// The inner `None` where the file has none.
fn health(findings: &mut Findings, table: &Reader<'_>) -> Option<Option<Health>> {
    if !table.has("health") {
        return Some(None);
    }
    let own = table.sub("health", &HEALTH);
    let path = own.text("path").map(str::to_owned);
    if let Some(path) = &path {
        // SECURITY: it is written into a request line as it is.
        let plain = path.bytes().all(|byte| byte.is_ascii_graphic());
        if !path.starts_with('/') || !plain || path.contains('#') {
            let message = "`path` is not the target of a request".to_owned();
            let finding = Diagnostic::error("estate.bad_value", own.span_of("path"), message);
            findings.push(finding.hint("such as `/healthz`, or `/healthz?from=rampart`"));
        }
    } else if own.has("expect") {
        let message = "`expect` without `path`: nothing is asked that could answer".to_owned();
        let finding = Diagnostic::error("estate.contradiction", own.span_of("expect"), message);
        findings.push(finding.hint("add `path = \"/healthz\"`, or leave `expect` out"));
    }
    let (every, timeout) = (own.duration("every")?, own.duration("timeout")?);
    if timeout > every {
        let message = "one question may take longer than the next one is away".to_owned();
        let finding = Diagnostic::error("estate.contradiction", own.span_of("timeout"), message);
        findings.push(finding.hint("`timeout` is at most `every`"));
    }
    Some(Some(Health {
        path,
        every,
        timeout,
        expect: own.parse("expect", values::statuses)?,
        rise: own.count("rise")?,
        fall: own.count("fall")?,
        none_healthy: match own.text("none_healthy")? {
            "try" => NoneHealthy::Try,
            "refuse" => NoneHealthy::Refuse,
            _ => return None,
        },
    }))
}

fn outliers(findings: &mut Findings, table: &Reader<'_>) -> Option<Outliers> {
    let own = table.sub("outliers", &OUTLIERS);
    let (eject, eject_max) = (own.duration("eject")?, own.duration("eject_max")?);
    if eject > eject_max {
        let key = if own.has("eject_max") {
            "eject_max"
        } else {
            "eject"
        };
        let message = "`eject_max` is less than `eject`".to_owned();
        findings.error("estate.contradiction", own.span_of(key), message);
    }
    Some(Outliers {
        on: failures(&own),
        failures: own.count("failures")?,
        eject,
        eject_max,
        share_max: own.parse("share_max", values::percent)?,
    })
}

fn failures(own: &Reader<'_>) -> Vec<Failure> {
    own.values("on", |text| Failure::parse(text).ok_or(()))
}

fn balance(table: &Reader<'_>) -> Option<Balance> {
    if table.text("balance").is_some() {
        return Some(Balance::LeastRequests);
    }
    let own = table.sub("balance", &BALANCE);
    own.parse("hash", values::hash_key).map(Balance::Hash)
}

fn retries(table: &Reader<'_>) -> Option<Retries> {
    let own = table.sub("retries", &RETRIES);
    Some(Retries {
        max: own.count("max")?,
        budget: own.parse("budget", values::percent)?,
        on: failures(&own),
    })
}

fn breaker(table: &Reader<'_>) -> Option<Option<Breaker>> {
    if !table.has("breaker") {
        return Some(None);
    }
    let own = table.sub("breaker", &BREAKER);
    Some(Some(Breaker {
        failures: own.parse("failures", values::percent)?,
        window: own.duration("window")?,
        requests_min: own.count("requests_min")?,
        open: own.duration("open")?,
    }))
}

fn capacity(findings: &mut Findings, table: &Reader<'_>) -> Option<Capacity> {
    let own = table.sub("capacity", &CAPACITY);
    let capacity = Capacity {
        connections: own.count("connections"),
        requests: own.count("requests"),
        address_requests: own.count("address_requests"),
        waiting: own.count("waiting")?,
        wait: own.duration("wait")?,
    };
    if capacity.waiting > 0 && capacity.requests.is_none() {
        let message = "`waiting` without `requests`: there is nothing to wait for".to_owned();
        let span = own.span_of("waiting");
        let finding = Diagnostic::error("estate.contradiction", span, message);
        findings.push(finding.hint("say with `requests` how many may be under way"));
    }
    Some(capacity)
}

fn timeouts(table: &Reader<'_>) -> Option<UpstreamTimeouts> {
    let own = table.sub("timeouts", &TIMEOUTS);
    Some(UpstreamTimeouts {
        send: own.duration("send")?,
        pause: own.duration("pause"),
        answer: own.duration("answer"),
    })
}
