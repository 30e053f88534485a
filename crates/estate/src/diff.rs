//! What a change of the estate does, as a plan shows it.

mod effect;
mod flat;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Certificate, ClientCertificates, Estate, Route};

/// One difference between two versions of the estate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Added, removed or changed.
    pub kind: ChangeKind,
    /// What: "route `orders`".
    pub what: String,
    /// Each difference in one line: "`auth`: required → optional".
    pub detail: Vec<String>,
    /// What it means once applied, in one sentence.
    pub effect: String,
}

/// See [`Change::kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// New in the new version.
    Added,
    /// Only in the old version.
    Removed,
    /// In both, with a difference.
    Changed,
}

/// What applying `new` over `old` changes, in the order of the file. Empty when both mean the same.
#[must_use]
pub fn diff(old: &Estate, new: &Estate) -> Vec<Change> {
    let mut changes = Vec::new();
    settings(&mut changes, old, new);
    let certificates = |estate: &Estate| named(&estate.certificates);
    let routes = |estate: &Estate| -> BTreeMap<String, flat::Flat> {
        let (limits, gateway) = (
            flat::flatten(&estate.limits),
            flat::flatten(&estate.gateway),
        );
        let own = |route: &Route| (route.name.clone(), own_values(route, &limits, &gateway));
        estate.routes.iter().map(own).collect()
    };
    let mut compare = |noun, old, new| entries(&mut changes, noun, &old, &new);
    compare(
        "limit key",
        flattened(&old.limit_keys),
        flattened(&new.limit_keys),
    );
    compare("limit", flattened(&old.budgets), flattened(&new.budgets));
    compare("certificate", certificates(old), certificates(new));
    let gates = |estate: &Estate| asked(&estate.client_certificates);
    compare("client certificates", gates(old), gates(new));
    compare("zone", flattened(&old.zones), flattened(&new.zones));
    compare("host", flattened(&old.hosts), flattened(&new.hosts));
    compare(
        "service",
        flattened(&old.services),
        flattened(&new.services),
    );
    compare("store", flattened(&old.stores), flattened(&new.stores));
    compare("role", flattened(&old.roles), flattened(&new.roles));
    compare("group", flattened(&old.groups), flattened(&new.groups));
    compare("client", flattened(&old.clients), flattened(&new.clients));
    compare("issuer", flattened(&old.issuers), flattened(&new.issuers));
    compare("route", routes(old), routes(new));
    changes
}

/// What a route says itself: values it takes from `[limits]` and `[gateway]` change there, once.
fn own_values(route: &Route, limits: &flat::Flat, gateway: &flat::Flat) -> flat::Flat {
    let mut values = flat::flatten(route);
    values.retain(|key, value| match key.strip_prefix("limits.") {
        Some(limit) => limits.get(limit) != Some(value),
        None => key != "staleness_max" || gateway.get(key) != Some(value),
    });
    values
}

fn named(list: &[Certificate]) -> BTreeMap<String, flat::Flat> {
    let one = |certificate: &Certificate| {
        let values = flat::flatten(certificate);
        (name_of(list, certificate), values)
    };
    list.iter().map(one).collect()
}

fn asked(list: &[ClientCertificates]) -> BTreeMap<String, flat::Flat> {
    let one = |asked: &ClientCertificates| {
        let hosts = match asked.hosts.is_empty() {
            true => "every host".to_owned(),
            false => asked.hosts.join(", "),
        };
        (hosts, flat::flatten(asked))
    };
    list.iter().map(one).collect()
}

/// Its hosts; with its file where another certificate has the same ones.
fn name_of(list: &[Certificate], certificate: &Certificate) -> String {
    let hosts = certificate.hosts.join(", ");
    let same = list.iter().filter(|one| one.hosts == certificate.hosts);
    if same.count() > 1 {
        format!("{hosts} ({})", certificate.chain)
    } else {
        hosts
    }
}

fn flattened<T: Serialize>(entries: &BTreeMap<String, T>) -> BTreeMap<String, flat::Flat> {
    let one = |(name, value): (&String, &T)| (name.clone(), flat::flatten(value));
    entries.iter().map(one).collect()
}

fn settings(changes: &mut Vec<Change>, old: &Estate, new: &Estate) {
    let estate = |of: &Estate| serde_json::json!({ "name": of.name, "domain": of.domain });
    table(changes, "estate", &estate(old), &estate(new));
    table(changes, "listen", &old.listen, &new.listen);
    table(changes, "console", &old.console, &new.console);
    table(changes, "gateway", &old.gateway, &new.gateway);
    table(changes, "identity", &old.identity, &new.identity);
    table(changes, "trail", &old.trail, &new.trail);
    table(changes, "limits", &old.limits, &new.limits);
    table(
        changes,
        "limits.shared",
        &old.shared_limits,
        &new.shared_limits,
    );
    table(changes, "acme", &old.acme, &new.acme);
    rules(changes, old, new);
}

/// `[waf]`, and its exclusions by what they name.
fn rules(changes: &mut Vec<Change>, old: &Estate, new: &Estate) {
    let alone = |of: &Estate| {
        let mut alone = of.waf.clone();
        if let Some(waf) = &mut alone {
            waf.exclusions.clear();
        }
        alone
    };
    table(changes, "waf", &alone(old), &alone(new));
    let exclusions = |of: &Estate| -> BTreeMap<String, flat::Flat> {
        let all = of.waf.iter().flat_map(|waf| &waf.exclusions);
        let one = |exclusion: &crate::Exclusion| {
            let place = match &exclusion.route {
                Some(route) => format!("{} on {route}", exclusion.what()),
                None => exclusion.what(),
            };
            (place, flat::flatten(exclusion))
        };
        all.map(one).collect()
    };
    entries(changes, "exclusion of", &exclusions(old), &exclusions(new));
}

/// A table that stands once.
fn table<T: Serialize>(changes: &mut Vec<Change>, key: &'static str, old: &T, new: &T) {
    let detail = flat::differences(&flat::flatten(old), &flat::flatten(new));
    if !detail.is_empty() {
        changes.push(Change {
            kind: ChangeKind::Changed,
            what: format!("`[{key}]`"),
            detail: detail.iter().map(ToString::to_string).collect(),
            effect: effect::of_table(key).to_owned(),
        });
    }
}

/// Tables with names.
fn entries(
    changes: &mut Vec<Change>,
    noun: &'static str,
    old: &BTreeMap<String, flat::Flat>,
    new: &BTreeMap<String, flat::Flat>,
) {
    for (name, value) in old {
        if !new.contains_key(name) {
            changes.push(Change {
                kind: ChangeKind::Removed,
                what: format!("{noun} `{name}`"),
                detail: Vec::new(),
                effect: effect::of_removed(noun, value),
            });
        }
    }
    for (name, after) in new {
        let Some(before) = old.get(name) else {
            changes.push(Change {
                kind: ChangeKind::Added,
                what: format!("{noun} `{name}`"),
                detail: flat::lines(after),
                effect: effect::of_added(noun, after),
            });
            continue;
        };
        let detail = flat::differences(before, after);
        if !detail.is_empty() {
            changes.push(Change {
                kind: ChangeKind::Changed,
                what: format!("{noun} `{name}`"),
                effect: effect::of_changed(noun, &detail, before, after),
                detail: detail.iter().map(ToString::to_string).collect(),
            });
        }
    }
}

#[cfg(test)]
mod tests;
