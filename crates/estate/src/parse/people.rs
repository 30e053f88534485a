//! Roles, groups and client applications.

use std::collections::BTreeMap;

use ::model::{Diagnostic, Permission};

use super::names::{self, Names, entries};
use crate::findings::Findings;
use crate::model::{Client, Group, Role};
use crate::read::{Reader, plain};
use crate::{CertificateName, values};

pub(super) fn roles(findings: &mut Findings, root: &Reader<'_>) -> BTreeMap<String, Role> {
    let one = |table: Reader<'_>| {
        let allow = table.list("allow", str::parse::<Permission>);
        if allow.is_empty()
            && table
                .node("allow")
                .and_then(|node| node.items())
                .is_some_and(|items| items.is_empty())
        {
            let message = "a role that allows nothing".to_owned();
            let span = table.span_of("allow");
            findings.push(Diagnostic::warning("estate.without_effect", span, message));
        }
        let name = table.parse("name", values::name)?;
        let role = Role {
            name: name.clone(),
            about: table.parse("about", plain)?,
            allow: allow
                .into_iter()
                .map(|permission| permission.value)
                .collect(),
            span: table.span,
        };
        Some((name, role))
    };
    entries(root, "role").into_iter().filter_map(one).collect()
}

pub(super) fn groups(
    findings: &mut Findings,
    root: &Reader<'_>,
    names: &Names,
) -> BTreeMap<String, Group> {
    let one = |table: Reader<'_>| {
        let roles = table.list("roles", values::name);
        names::check_roles(findings, names, &roles);
        let name = table.parse("name", values::name)?;
        let roles = roles.into_iter().map(|role| role.value).collect();
        Some((name.clone(), Group { name, roles }))
    };
    entries(root, "group").into_iter().filter_map(one).collect()
}

pub(super) fn clients(
    findings: &mut Findings,
    root: &Reader<'_>,
    names: &Names,
) -> BTreeMap<String, Client> {
    let one = |table: Reader<'_>| {
        let roles = table.list("roles", values::name);
        names::check_roles(findings, names, &roles);
        let redirects = table.list("redirects", values::redirect);
        names::check_once(findings, "redirects", &redirects);
        let name = table.parse("name", values::name)?;
        let client = Client {
            name: name.clone(),
            redirects: redirects
                .into_iter()
                .map(|redirect| redirect.value)
                .collect(),
            roles: roles.into_iter().map(|role| role.value).collect(),
            certificates: table.values("certificates", CertificateName::parse),
        };
        Some((name, client))
    };
    entries(root, "client")
        .into_iter()
        .filter_map(one)
        .collect()
}
