//! Limits: keys and budgets of the estate, where gateways count together, and what a route takes of
//! them.

use std::collections::{BTreeMap, BTreeSet};

use ::model::{Diagnostic, Rate, Span};

use super::names::{self, Names, entries};
use super::settings::section;
use crate::fields::SHARED;
use crate::findings::Findings;
use crate::limits::{
    Budget, Cost, LimitKey, MissingKey, Per, RouteConcurrent, RouteRate, SharedLimits, WhenAway,
};
use crate::model::{Auth, Estate};
use crate::node::{Node, Shape, key_span};
use crate::read::{Placed, Reader, plain};
use crate::suggest;
use crate::values::{self, Limit};

/// Keys of the estate's own, and budgets that routes share.
pub(super) fn named(
    findings: &mut Findings,
    root: &Reader<'_>,
    names: &Names,
) -> (BTreeMap<String, LimitKey>, BTreeMap<String, Budget>) {
    (keys(findings, root), budgets(findings, root, names))
}

fn keys(findings: &mut Findings, root: &Reader<'_>) -> BTreeMap<String, LimitKey> {
    let mut keys = BTreeMap::new();
    for table in entries(root, "limit_key") {
        let Some(name) = table.placed("name", values::name) else {
            continue;
        };
        if Per::WORDS.contains(&name.value.as_str()) {
            let message = format!("`per {}` means something already", name.value);
            let finding = Diagnostic::error("estate.reserved_name", name.span, message);
            findings.push(finding.hint("give the key another name"));
        }
        let from = table.list("from", values::key_source);
        let written = table.node("from").and_then(Node::items);
        if written.is_some_and(|items| items.is_empty()) {
            let message = "`from` is empty, so that no request would have it".to_owned();
            findings.error("estate.bad_value", table.span_of("from"), message);
        }
        let mut seen = BTreeSet::new();
        for source in &from {
            if !seen.insert(source.value.to_string()) {
                let message = format!("`from` names `{}` twice", source.value);
                findings.error("estate.duplicate_name", source.span, message);
            }
        }
        let missing = match table.text("missing") {
            Some("skip") => MissingKey::Skip,
            Some("refuse") => MissingKey::Refuse,
            Some("address") => MissingKey::Address,
            _ => continue,
        };
        let key = LimitKey {
            name: name.value.clone(),
            from: from.into_iter().map(|source| source.value).collect(),
            missing,
            span: table.span,
        };
        keys.insert(name.value, key);
    }
    keys
}

fn budgets(findings: &mut Findings, root: &Reader<'_>, names: &Names) -> BTreeMap<String, Budget> {
    let mut budgets = BTreeMap::new();
    for table in entries(root, "limit") {
        let Some(name) = table.parse("name", values::name) else {
            continue;
        };
        let Some(rate) = table.placed("rate", values::budget) else {
            continue;
        };
        let (rate, per, span) = (rate.value.0, rate.value.1, rate.span);
        known(findings, names, &per, span);
        budgets.insert(name.clone(), Budget { name, rate, per });
    }
    budgets
}

/// Reports a key that no `[[limit_key]]` has.
fn known(findings: &mut Findings, names: &Names, per: &Per, span: Span) {
    let Per::Named(name) = per else { return };
    if names.limit_keys.contains_key(name) {
        return;
    }
    let message = format!("there is no `[[limit_key]]` `{name}`");
    let finding = Diagnostic::error("estate.unknown_name", span, message);
    let candidates = names.limit_keys.len().saturating_add(Per::WORDS.len());
    findings.push_hinted(finding, candidates, || {
        let keys = names.limit_keys.keys().map(String::as_str);
        let all: Vec<&str> = Per::WORDS.into_iter().chain(keys).collect();
        match suggest::nearest(name, all.iter().copied()) {
            Some(near) => format!("did you mean `per {near}`?"),
            None => format!("counted per `{}`", all.join("`, `")),
        }
    });
}

pub(super) fn shared(findings: &mut Findings, root: &Reader<'_>) -> Option<SharedLimits> {
    let limits = section(root, "limits")?;
    limits.node("shared")?.table()?;
    let table = limits.sub("shared", &SHARED);
    let address = table.placed("address", values::store_address)?;
    let shared = SharedLimits {
        authority: table.parse("authority", plain),
        user: table.parse("user", plain),
        password_file: table.parse("password_file", plain),
        timeout: table.duration("timeout")?,
        when_away: match table.text("when_away")? {
            "local" => WhenAway::Local,
            "refuse" => WhenAway::Refuse,
            _ => return None,
        },
        address: address.value,
    };
    let mut contradicts = |key: &str, message: &str, hint: &str| {
        let span = table.span_of(key);
        let finding = Diagnostic::error("estate.contradiction", span, message.to_owned());
        findings.push(finding.hint(hint.to_owned()));
    };
    if shared.authority.is_some() && !shared.address.tls {
        let message = "`authority` is for a server that is spoken to over TLS";
        contradicts("authority", message, "write `rediss://`, or leave it out");
    }
    if shared.user.is_some() && shared.password_file.is_none() {
        let message = "`user` needs a password to sign in with";
        contradicts("user", message, "name its file: `password_file`");
    }
    let host = &shared.address.host;
    let here = host == "localhost"
        || host
            .parse()
            .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    if !shared.address.tls && !here {
        let message = format!(
            "what is counted{} goes to `{host}` in clear",
            match shared.password_file {
                Some(_) => ", and the password,",
                None => "",
            }
        );
        let finding = Diagnostic::warning("estate.clear_store", address.span, message);
        findings.push(finding.hint("write `rediss://` where others share the network between"));
    }
    Some(shared)
}

/// What limits of routes refer to.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) names: &'a Names,
    pub(super) budgets: &'a BTreeMap<String, Budget>,
}

pub(super) fn rates(
    findings: &mut Findings,
    table: &Reader<'_>,
    auth: Option<Auth>,
    to: Known<'_>,
) -> Vec<Placed<RouteRate>> {
    let mut rates: Vec<Placed<RouteRate>> = Vec::new();
    for limit in table.list("limit", values::limit) {
        let span = limit.span;
        let value = match limit.value {
            Limit::Own { rate, per } => {
                known(findings, to.names, &per, span);
                let shared = None;
                RouteRate { shared, rate, per }
            }
            Limit::Shared(name) => {
                let name = Placed { value: name, span };
                names::check(findings, &[&to.names.budgets], "limit", "limits", &name);
                // Where its own table was refused, that is the finding.
                let Some(budget) = to.budgets.get(&name.value) else {
                    continue;
                };
                RouteRate {
                    shared: Some(name.value),
                    rate: budget.rate,
                    per: budget.per.clone(),
                }
            }
        };
        strangers(findings, auth, &value.per, span);
        if rates.iter().any(|known| known.value == value) {
            let message = "this limit stands here twice, and every request would count twice";
            findings.error("estate.duplicate_name", span, message.to_owned());
        }
        rates.push(Placed { value, span });
    }
    rates
}

pub(super) fn concurrent(
    findings: &mut Findings,
    table: &Reader<'_>,
    auth: Option<Auth>,
    names: &Names,
) -> Vec<RouteConcurrent> {
    let mut all: Vec<RouteConcurrent> = Vec::new();
    for one in table.list("concurrent", values::concurrent) {
        known(findings, names, &one.value.per, one.span);
        strangers(findings, auth, &one.value.per, one.span);
        if all.iter().any(|known| known.per == one.value.per) {
            let message = format!("`per {}` stands here twice", one.value.per);
            let finding = Diagnostic::error("estate.duplicate_name", one.span, message);
            findings.push(finding.hint("leave the larger number out"));
        }
        all.push(one.value);
    }
    all
}

fn strangers(findings: &mut Findings, auth: Option<Auth>, per: &Per, span: Span) {
    let strangers = matches!(auth, Some(Auth::None | Auth::Pass));
    if strangers && matches!(per, Per::User | Per::Key) {
        let message = "nobody signs in on this route, so there is no user or key to count";
        let finding = Diagnostic::error("estate.contradiction", span, message.to_owned());
        findings.push(finding.hint("count `per address` or `per route`"));
    }
}

/// What a request takes; never more than some limit ever has.
pub(super) fn cost(
    findings: &mut Findings,
    table: &Reader<'_>,
    rates: &[Placed<RouteRate>],
) -> Option<Cost> {
    let Some(node) = table.node("cost") else {
        return Some(Cost::ONE);
    };
    let least = rates.iter().min_by_key(|rate| rate.value.rate.count);
    let mut bounded = |of: &str, cost: u32, span: Span| {
        let Some(least) = least else { return };
        let rate: Rate = least.value.rate;
        if cost > rate.count {
            let limit = match &least.value.shared {
                Some(name) => format!("`{name}` (`{rate}`)"),
                None => format!("`{rate} per {}`", least.value.per),
            };
            let message = format!(
                "{of} costs {cost}, and the limit {limit} never has more than {}: every one would \
                 be refused",
                rate.count
            );
            let finding = Diagnostic::error("estate.cost_over_limit", span, message);
            findings.push(finding.hint(format!(
                "take at most {}, or let the limit have more",
                rate.count
            )));
        }
    };
    let number = |number: i64| u32::try_from(number).ok();
    let cost = match node.shape {
        Shape::Count(count) => {
            let cost = number(count)?;
            bounded("a request", cost, node.span);
            Cost::Every(cost)
        }
        Shape::Table(methods) => {
            let mut costs = BTreeMap::new();
            for (method, item) in methods.iter() {
                let one = Node::of(item, key_span(methods, method, node.span));
                let Shape::Count(count) = one.shape else {
                    return None;
                };
                let cost = number(count)?;
                bounded(&format!("`{method}`"), cost, one.span);
                costs.insert(values::method(method).ok()?, cost);
            }
            Cost::Methods(costs)
        }
        _ => return None,
    };
    if rates.is_empty() && !table.has("limit") {
        let message = "`cost` changes nothing without a `limit`".to_owned();
        let finding = Diagnostic::warning("estate.without_effect", table.span_of("cost"), message);
        findings.push(finding);
    }
    Some(cost)
}

/// What limits mean together with everything else.
pub(super) fn check(findings: &mut Findings, root: &Reader<'_>, estate: &Estate) {
    forgeable(findings, estate);
    let used: BTreeSet<&str> = estate
        .routes
        .iter()
        .flat_map(|route| &route.rates)
        .filter_map(|rate| rate.shared.as_deref())
        .collect();
    for table in entries(root, "limit") {
        if let Some(name) = table.placed("name", values::name)
            && !used.contains(name.value.as_str())
        {
            let message = format!("no route counts in `{}`", name.value);
            let finding = Diagnostic::warning("estate.without_effect", name.span, message);
            findings.push(finding.hint(format!("write `limit = \"{}\"` on a route", name.value)));
        }
    }
    let limited = estate.routes.iter().any(|route| !route.rates.is_empty());
    if estate.shared_limits.is_some() && !limited {
        let limits = section(root, "limits");
        let span = limits.map_or(root.span, |limits| limits.span_of("shared"));
        let message = "`[limits.shared]` changes nothing: no route has a `limit`".to_owned();
        findings.push(Diagnostic::warning("estate.without_effect", span, message));
    }
}

/// SECURITY: whoever writes the value of a key gets a new count with each. That is no limit against
/// them, unless something else counts them too.
fn forgeable(findings: &mut Findings, estate: &Estate) {
    if estate.limits.per_address.is_some() {
        return;
    }
    let chosen = |per: &Per| {
        let Per::Named(name) = per else { return false };
        let key = estate.limit_keys.get(name);
        key.is_some_and(LimitKey::is_forgeable)
    };
    for route in &estate.routes {
        let known = route.auth == Auth::Required;
        if known || route.rates.is_empty() || !route.rates.iter().all(|rate| chosen(&rate.per)) {
            continue;
        }
        let span = route.spans.get("limit").copied().unwrap_or(route.span);
        let message = "clients choose what this route counts them by, and nothing else counts them";
        let finding = Diagnostic::warning("estate.forgeable_limit", span, message.to_owned());
        findings
            .push(finding.hint("add a limit `per address` beside, or `per_address` of `[limits]`"));
    }
}
