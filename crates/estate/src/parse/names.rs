//! Which names exist, collected before anything refers to them: an entry with an error elsewhere
//! still has its name, so that one mistake is reported once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use ::model::{Diagnostic, Span, own};

use crate::fields::ROOT;
use crate::findings::Findings;
use crate::kind::Kind;
use crate::read::{Placed, Reader};
use crate::suggest;
use crate::values;

/// The names of each kind, with their places.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) zones: Set,
    pub(super) hosts: Set,
    pub(super) services: Set,
    pub(super) stores: Set,
    pub(super) roles: Set,
    pub(super) limit_keys: Set,
    pub(super) budgets: Set,
    groups: Set,
    clients: Set,
    issuers: Set,
}

type Set = BTreeMap<String, Span>;

/// Every table of the list `key`.
pub(crate) fn entries<'a>(root: &Reader<'a>, key: &str) -> Vec<Reader<'a>> {
    match ROOT.field(key).map(|field| &field.kind) {
        Some(Kind::Tables { of, .. }) => root.each(key, of),
        _ => Vec::new(),
    }
}

pub(super) fn collect(findings: &mut Findings, root: &Reader<'_>) -> Names {
    let mut names = Names::default();
    for (key, set) in [
        ("zone", &mut names.zones),
        ("host", &mut names.hosts),
        ("service", &mut names.services),
        ("store", &mut names.stores),
        ("role", &mut names.roles),
        ("group", &mut names.groups),
        ("client", &mut names.clients),
        ("issuer", &mut names.issuers),
        ("limit_key", &mut names.limit_keys),
        ("limit", &mut names.budgets),
    ] {
        for entry in entries(root, key) {
            if let Some(name) = entry.placed("name", values::name) {
                insert(findings, set, key, name);
            }
        }
    }
    for (name, span) in &names.stores {
        if names.services.contains_key(name) {
            let message = format!("`{name}` is both a service and a store");
            findings.push(
                Diagnostic::error("estate.duplicate_name", *span, message)
                    .hint("`needs` names either, so their names must differ"),
            );
        }
    }
    for (name, span) in &names.roles {
        if own::built_in_role(name).is_some() {
            let message = format!("the role `{name}` is built in");
            findings.push(
                Diagnostic::error("estate.reserved_name", *span, message)
                    .hint("give yours another name; people can hold both"),
            );
        }
    }
    names
}

fn insert(findings: &mut Findings, set: &mut Set, what: &str, name: Placed<String>) {
    match set.entry(name.value) {
        Entry::Vacant(free) => {
            free.insert(name.span);
        }
        Entry::Occupied(taken) => findings.push(
            Diagnostic::error(
                "estate.duplicate_name",
                name.span,
                format!("there is already a {what} `{}`", taken.key()),
            )
            .hint(format!("every {what} needs a name of its own")),
        ),
    }
}

/// Reports `name` unless it is one of `known`.
pub(super) fn check(
    findings: &mut Findings,
    known: &[&Set],
    what: &str,
    plural: &str,
    name: &Placed<String>,
) {
    if known.iter().any(|set| set.contains_key(&name.value)) {
        return;
    }
    let message = format!("there is no {what} `{}`", name.value);
    let finding = Diagnostic::error("estate.unknown_name", name.span, message);
    let candidates: usize = known.iter().map(|set| set.len()).sum();
    findings.push_hinted(finding, candidates, || {
        let all: Vec<&str> = known
            .iter()
            .flat_map(|set| set.keys().map(String::as_str))
            .collect();
        suggest::hint(&name.value, all, plural)
    });
}

/// Reports names that are written twice in one list.
pub(super) fn check_once(findings: &mut Findings, key: &str, list: &[Placed<String>]) {
    let mut seen = BTreeMap::new();
    for item in list {
        if seen.insert(&item.value, ()).is_some() {
            let message = format!("`{key}` names `{}` twice", item.value);
            findings.error("estate.duplicate_name", item.span, message);
        }
    }
}

/// Reports roles that neither the estate nor Rampart has.
pub(super) fn check_roles(findings: &mut Findings, names: &Names, list: &[Placed<String>]) {
    check_once(findings, "roles", list);
    for role in list {
        if own::built_in_role(&role.value).is_none() {
            check(findings, &[&names.roles], "role", "roles", role);
        }
    }
}
