//! `pnpm-lock.yaml` (the specification of pnpm's lockfile), versions 5, 6 and 9.

use std::collections::HashMap;

use super::graph::Graph;
use super::npm::{is_version, origin as origin_of, split_id, unversioned};
use super::{Builder, Draft, ReadError, Why};
use crate::document::{Member, Node, yaml};
use crate::text::said;
use crate::{Ecosystem, Origin, Usage};

/// What the parts of a project need, and what for.
const NEEDS: &[(&str, Usage)] = &[
    ("dependencies", Usage::Runtime),
    ("optionalDependencies", Usage::Optional),
    ("devDependencies", Usage::Development),
];

const PATH_BYTES: usize = 1_024;

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = yaml(bytes, &builder.limits())?;
    let Some(version) = root.get("lockfileVersion") else {
        return builder.shape(1, "it has no `lockfileVersion`");
    };
    let number = version.text().unwrap_or_default();
    let major = number.split('.').next().unwrap_or_default();
    if !matches!(major, "5" | "6" | "9") {
        let hint = "versions 5, 6 and 9 are read: write it again with pnpm 6 to 10";
        return builder.unknown(version.line, number, hint);
    }
    links(&root, builder);
    let usages = (major == "9").then(|| usages(&root));
    let packages = root.get("packages").map_or(&[][..], Node::members);
    for member in packages {
        let usage = usages.as_ref().map_or_else(
            || written(&member.value),
            |known| {
                known
                    .get(member.key.as_ref())
                    .copied()
                    .unwrap_or(Usage::Runtime)
            },
        );
        package(member, major, usage, builder)?;
    }
    Ok(())
}

/// Versions 5 and 6 say it of each package; an optional one of what is for development has both words.
fn written(entry: &Node<'_>) -> Usage {
    match (entry.is_true("dev"), entry.is_true("optional")) {
        (true, _) => Usage::Development,
        (false, true) => Usage::Optional,
        (false, false) => Usage::Runtime,
    }
}

fn package(
    member: &Member<'_>,
    major: &str,
    usage: Usage,
    builder: &mut Builder,
) -> Result<(), ReadError> {
    let (key, entry) = (member.key.as_ref(), &member.value);
    let resolution = entry.get("resolution");
    let field = |name: &str| resolution.and_then(|node| node.text_of(name));
    let (name, version) = identity(key, major);
    // What does not come from the registry has its name and version beside it.
    let name = entry.text_of("name").unwrap_or(name);
    let version = entry.text_of("version").unwrap_or(version);
    let origin = match (field("repo"), field("directory"), field("tarball")) {
        (Some(repository), _, _) => Origin::Git {
            address: crate::text::address(repository),
            commit: field("commit").map(str::to_owned),
        },
        (_, Some(folder), _) => Origin::Path(folder.to_owned()),
        (_, _, Some(place)) => origin_of(place, name, version),
        _ => Origin::Registry,
    };
    if !is_version(version) {
        let folder = field("directory").map(|folder| format!("file:{folder}"));
        let place = field("repo").or(field("tarball")).or(folder.as_deref());
        unversioned(builder, member.line, name, place.unwrap_or(version));
        return Ok(());
    }
    let draft = Draft::new(Ecosystem::Npm, name, version, member.line)
        .origin(origin)
        .usage(usage)
        .integrity(field("integrity"));
    builder.package(draft)
}

/// Name and version of a key: `/name/1.0.0_peer@2.0.0`, `/name@1.0.0(peer@2.0.0)`, `name@1.0.0`.
fn identity<'k>(key: &'k str, major: &str) -> (&'k str, &'k str) {
    let bare = without_peers(key);
    if major != "5" {
        let id = bare.strip_prefix('/').unwrap_or(bare);
        return split_id(id).unwrap_or((id, ""));
    }
    let Some(id) = bare.strip_prefix('/') else {
        return (bare, "");
    };
    match id.rsplit_once('/') {
        Some((name, version)) => (name, version.split('_').next().unwrap_or(version)),
        None => (id, ""),
    }
}

fn without_peers(key: &str) -> &str {
    // In version 5 a peer may bring a slash: `/a/1.0.0_@scope+b@1.0.0` writes it as `+`.
    key.split_once('(').map_or(key, |(bare, _)| bare)
}

/// Importers of every version; a file of one project may have no `importers`.
fn importers<'n>(root: &'n Node<'n>) -> Vec<(&'n str, &'n Node<'n>)> {
    match root.get("importers") {
        Some(importers) => importers
            .members()
            .iter()
            .map(|m| (m.key.as_ref(), &m.value))
            .collect(),
        None => vec![(".", root)],
    }
}

/// The version an importer names for what it needs.
fn wanted<'n>(value: &'n Node<'n>) -> &'n str {
    value
        .text_of("version")
        .or(value.text())
        .unwrap_or_default()
}

/// Folders outside the project that it needs.
fn links(root: &Node<'_>, builder: &mut Builder) {
    let all = importers(root);
    let known: std::collections::HashSet<String> =
        all.iter().map(|(path, _)| joined(path, "")).collect();
    for (path, importer) in &all {
        for (kind, _) in NEEDS {
            for member in importer.get(kind).map_or(&[][..], Node::members) {
                let Some(link) = wanted(&member.value).strip_prefix("link:") else {
                    continue;
                };
                if !known.contains(&joined(path, link)) {
                    let message = format!("a link to the folder `{}`", said(link));
                    builder.gap(member.line, Why::Local, &member.key, message);
                }
            }
        }
    }
}

/// A path that begins at another one, without `.` and `..` where that can be.
fn joined(from: &str, path: &str) -> String {
    // LIMIT: bytes of a path, which is put together anew for each link of its project.
    if from.len() + path.len() > PATH_BYTES {
        return "…".to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in from.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Version 9 says it only through who needs whom: by key of `packages`.
fn usages<'n>(root: &'n Node<'n>) -> HashMap<&'n str, Usage> {
    let snapshots = root.get("snapshots").map_or(&[][..], Node::members);
    let places: HashMap<&str, usize> = snapshots
        .iter()
        .enumerate()
        .map(|(at, member)| (member.key.as_ref(), at))
        .collect();
    let find = |name: &str, version: &str| {
        let id = format!("{name}@{version}");
        places
            .get(id.as_str())
            .or_else(|| places.get(version))
            .copied()
    };
    let mut graph = Graph::of(snapshots.len());
    for (_, importer) in importers(root) {
        for (kind, usage) in NEEDS {
            for member in importer.get(kind).map_or(&[][..], Node::members) {
                if let Some(at) = find(&member.key, wanted(&member.value)) {
                    graph.root(at, *usage);
                }
            }
        }
    }
    for (from, snapshot) in snapshots.iter().enumerate() {
        for kind in ["dependencies", "optionalDependencies"] {
            for member in snapshot.value.get(kind).map_or(&[][..], Node::members) {
                let version = member.value.text().unwrap_or_default();
                if let Some(to) = find(&member.key, version) {
                    graph.need(from, to);
                }
            }
        }
    }
    let mut known = HashMap::new();
    for (member, usage) in snapshots.iter().zip(graph.usages()) {
        let usage = match (usage, member.value.is_true("optional")) {
            (Usage::Runtime, true) => Usage::Optional,
            (usage, _) => usage,
        };
        let key = without_peers(&member.key);
        let entry = known.entry(key).or_insert(usage);
        *entry = super::builder::wider(*entry, usage);
    }
    known
}
