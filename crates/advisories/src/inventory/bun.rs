//! `bun.lock` (bun's text lockfile), versions 0 to 2: JSON with comments.

use std::collections::HashMap;

use super::graph::Graph;
use super::npm::{git, is_version, split_id, unversioned};
use super::{Builder, Draft, ReadError, Why};
use crate::document::{Dialect, Member, Node, json};
use crate::text::address;
use crate::{Ecosystem, Origin, Usage};

/// LIMIT: slashes of a key: folders of `node_modules` within one another.
const LEVELS: usize = 24;
/// LIMIT: bytes of a key in which what is needed is looked for. What is beyond is looked for at the
/// root alone.
const KEY_BYTES: usize = 768;

/// What a folder of the project needs, and what for. Of a package only what it needs to run is
/// installed.
const NEEDS: &[(&str, Usage)] = &[
    ("dependencies", Usage::Runtime),
    ("peerDependencies", Usage::Runtime),
    ("optionalDependencies", Usage::Optional),
    ("devDependencies", Usage::Development),
];

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = json(bytes, Dialect::Comments, &builder.limits())?;
    let Some(version) = root.get("lockfileVersion") else {
        return builder.shape(root.line, "it has no `lockfileVersion`");
    };
    let number = version.text().unwrap_or_default();
    if !matches!(number, "0" | "1" | "2") {
        return builder.unknown(version.line, number, "versions 0, 1 and 2 are read");
    }
    let packages = root.get("packages").map_or(&[][..], Node::members);
    let usages = usages(&root, packages);
    for (member, usage) in packages.iter().zip(usages) {
        package(member, usage, builder)?;
    }
    Ok(())
}

/// `"key": ["name@version", "registry", { needs }, "integrity"]`.
fn package(member: &Member<'_>, usage: Usage, builder: &mut Builder) -> Result<(), ReadError> {
    let items = member.value.items();
    let id = items.first().and_then(Node::text).unwrap_or_default();
    let Some((name, version)) = split_id(id) else {
        builder.gap(
            member.line,
            Why::Malformed,
            &member.key,
            "it names no package",
        );
        return Ok(());
    };
    // Folders of the project, and the project itself.
    if version.starts_with("workspace:") || version.starts_with("root:") {
        return Ok(());
    }
    if !is_version(version) {
        unversioned(builder, member.line, name, version);
        return Ok(());
    }
    let registry = items.get(1).and_then(Node::text).unwrap_or_default();
    let origin = match git(registry) {
        Some(git) => git,
        None if registry.ends_with(".tgz") => super::npm::origin(registry, name, version),
        None if registry.contains("://") => Origin::Address(address(registry)),
        None => Origin::Registry,
    };
    let integrity = items.get(3).and_then(Node::text);
    let draft = Draft::new(Ecosystem::Npm, name, version, member.line)
        .origin(origin)
        .usage(usage)
        .integrity(integrity);
    builder.package(draft)
}

/// What each package is used for, in their order.
fn usages(root: &Node<'_>, packages: &[Member<'_>]) -> Vec<Usage> {
    let places: HashMap<&str, usize> = packages
        .iter()
        .enumerate()
        .map(|(at, member)| (member.key.as_ref(), at))
        .collect();
    let mut graph = Graph::of(packages.len());
    for workspace in root.get("workspaces").map_or(&[][..], Node::members) {
        let own = folders(workspace.value.text_of("name").unwrap_or_default());
        for (kind, usage) in NEEDS {
            for need in workspace.value.get(kind).map_or(&[][..], Node::members) {
                if let Some(at) = find(&places, &own, &need.key) {
                    graph.root(at, *usage);
                }
            }
        }
    }
    for (from, member) in packages.iter().enumerate() {
        let around = folders(&member.key);
        let about = member.value.items().iter().find(|item| item.is_map());
        for (kind, usage) in NEEDS {
            if *usage == Usage::Development {
                continue;
            }
            let needs = about.and_then(|about| about.get(kind));
            for need in needs.map_or(&[][..], Node::members) {
                if let Some(to) = find(&places, &around, &need.key) {
                    graph.need(from, to);
                }
            }
        }
    }
    graph.usages()
}

/// The folders in which a package looks for what it needs: beside it, then each around.
fn folders(from: &str) -> Vec<&str> {
    // SECURITY: each folder is a text of its own for each need.
    if from.len() > KEY_BYTES || from.bytes().filter(|byte| *byte == b'/').count() >= LEVELS {
        return Vec::new();
    }
    let mut folders = vec![from];
    let mut around = from;
    while let Some((before, _)) = around.rsplit_once('/') {
        folders.push(before);
        around = before;
    }
    folders
}

fn find(places: &HashMap<&str, usize>, folders: &[&str], name: &str) -> Option<usize> {
    let inner = folders.iter().filter(|folder| !folder.is_empty());
    let mut inner = inner.filter_map(|folder| places.get(format!("{folder}/{name}").as_str()));
    inner.next().or_else(|| places.get(name)).copied()
}
