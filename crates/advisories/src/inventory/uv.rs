//! `uv.lock`, version 1.

use std::collections::HashMap;

use super::graph::Graph;
use super::text::address;
use super::tree::{Node, toml};
use super::{Builder, Draft, ReadError, Why};
use crate::{Ecosystem, Origin, Usage};

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = toml(bytes, &builder.limits())?;
    let Some(version) = root.get("version") else {
        return builder.shape(1, "it has no `version`");
    };
    let number = version.text().unwrap_or_default();
    if number != "1" {
        return builder.unknown(
            version.line,
            number,
            "version 1 is read: `uv lock` writes it",
        );
    }
    let packages = root.get("package").map_or(&[][..], Node::items);
    for (item, usage) in packages.iter().zip(usages(packages)) {
        package(item, usage, builder)?;
    }
    Ok(())
}

fn package(item: &Node<'_>, usage: Usage, builder: &mut Builder) -> Result<(), ReadError> {
    let Some(name) = item.text_of("name") else {
        builder.finding(
            item.line,
            Why::Malformed,
            "package",
            "a package has no name",
        );
        return Ok(());
    };
    let origin = origin(item.get("source"));
    let Some(version) = item.text_of("version") else {
        // A project may take its version from elsewhere when it is built.
        let why = if matches!(origin, Origin::Path(_)) {
            Why::Local
        } else {
            Why::NoVersion
        };
        builder.finding(item.line, why, name, "no version is named");
        return Ok(());
    };
    let draft = Draft::new(Ecosystem::PyPi, name, version, item.line);
    builder.package(draft.origin(origin).usage(usage))
}

fn origin(source: Option<&Node<'_>>) -> Origin {
    let field = |name: &str| source.and_then(|source| source.text_of(name));
    if let Some(git) = field("git") {
        let (place, commit) = match git.split_once('#') {
            Some((place, commit)) => (place, Some(commit.to_owned())),
            None => (git, None),
        };
        return Origin::Git {
            address: address(place),
            commit,
        };
    }
    if let Some(url) = field("url") {
        return Origin::Address(address(url));
    }
    let folders = ["path", "directory", "editable", "virtual"];
    match folders.iter().find_map(|kind| field(kind)) {
        Some(path) => Origin::Path(path.to_owned()),
        None => Origin::Registry,
    }
}

fn is_own(item: &Node<'_>) -> bool {
    let source = item.get("source");
    source.is_some_and(|source| source.get("editable").is_some() || source.get("virtual").is_some())
}

/// What each package is used for, in their order: by who needs whom, from the project's own.
fn usages(packages: &[Node<'_>]) -> Vec<Usage> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, item) in packages.iter().enumerate() {
        places
            .entry(item.text_of("name").unwrap_or_default())
            .or_default()
            .push(at);
    }
    // Of a name with several versions, a need says which one.
    let find = |need: &Node<'_>| -> Vec<usize> {
        let all = places.get(need.text_of("name").unwrap_or_default());
        let version = need.text_of("version");
        let fits = |at: &&usize| {
            let item = packages.get(**at);
            version.is_none() || item.and_then(|item| item.text_of("version")) == version
        };
        all.into_iter().flatten().filter(fits).copied().collect()
    };
    let mut graph = Graph::of(packages.len());
    for (from, item) in packages.iter().enumerate() {
        let mut take = |needs: &[Node<'_>], usage: Usage| {
            for to in needs.iter().flat_map(&find) {
                if is_own(item) {
                    graph.root(to, usage);
                } else {
                    graph.need(from, to);
                }
            }
        };
        take(
            item.get("dependencies").map_or(&[][..], Node::items),
            Usage::Runtime,
        );
        for group in item
            .get("optional-dependencies")
            .map_or(&[][..], Node::members)
        {
            take(group.value.items(), Usage::Optional);
        }
        for group in item.get("dev-dependencies").map_or(&[][..], Node::members) {
            take(group.value.items(), Usage::Development);
        }
        if is_own(item) {
            graph.root(from, Usage::Runtime);
        }
    }
    graph.usages()
}
