//! What a change of the estate does, as a plan shows it.

mod effect;
mod flat;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Certificate, Estate, Route};

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
    let certificates = |estate: &Estate| named(&estate.certificates, certificate_name);
    let routes = |estate: &Estate| named(&estate.routes, |route: &Route| route.name.clone());
    entries(
        &mut changes,
        "certificate",
        &certificates(old),
        &certificates(new),
    );
    entries(&mut changes, "zone", &old.zones, &new.zones);
    entries(&mut changes, "host", &old.hosts, &new.hosts);
    entries(&mut changes, "service", &old.services, &new.services);
    entries(&mut changes, "store", &old.stores, &new.stores);
    entries(&mut changes, "role", &old.roles, &new.roles);
    entries(&mut changes, "group", &old.groups, &new.groups);
    entries(&mut changes, "client", &old.clients, &new.clients);
    entries(&mut changes, "route", &routes(old), &routes(new));
    changes
}

fn certificate_name(certificate: &Certificate) -> String {
    certificate.hosts.join(", ")
}

fn named<T: Clone>(list: &[T], name: impl Fn(&T) -> String) -> BTreeMap<String, T> {
    list.iter().map(|item| (name(item), item.clone())).collect()
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
fn entries<T: Serialize>(
    changes: &mut Vec<Change>,
    noun: &'static str,
    old: &BTreeMap<String, T>,
    new: &BTreeMap<String, T>,
) {
    for (name, value) in old {
        if !new.contains_key(name) {
            let flat = flat::flatten(value);
            changes.push(Change {
                kind: ChangeKind::Removed,
                what: format!("{noun} `{name}`"),
                detail: Vec::new(),
                effect: effect::of_removed(noun, &flat),
            });
        }
    }
    for (name, value) in new {
        let after = flat::flatten(value);
        let Some(before) = old.get(name).map(flat::flatten) else {
            changes.push(Change {
                kind: ChangeKind::Added,
                what: format!("{noun} `{name}`"),
                detail: flat::lines(&after),
                effect: effect::of_added(noun, &after),
            });
            continue;
        };
        let detail = flat::differences(&before, &after);
        if !detail.is_empty() {
            changes.push(Change {
                kind: ChangeKind::Changed,
                what: format!("{noun} `{name}`"),
                effect: effect::of_changed(noun, &detail, &before, &after),
                detail: detail.iter().map(ToString::to_string).collect(),
            });
        }
    }
}

#[cfg(test)]
mod tests;
