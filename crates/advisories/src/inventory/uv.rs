//! `uv.lock`, version 1.

use std::collections::HashMap;

use super::graph::Graph;
use super::{Builder, Draft, ReadError, Why, at_commit};
use crate::document::{Node, toml};
use crate::text::address;
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
    let Some(name) = builder.name_of(item) else {
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
        builder.gap(item.line, why, name, "no version is named");
        return Ok(());
    };
    let draft = Draft::new(Ecosystem::PyPi, name, version, item.line);
    builder.package(draft.origin(origin).usage(usage))
}

fn origin(source: Option<&Node<'_>>) -> Origin {
    let field = |name: &str| source.and_then(|source| source.text_of(name));
    if let Some(git) = field("git") {
        return at_commit(git);
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
    let names = Names::of(packages);
    let mut graph = Graph::of(names.count);
    for (at, item) in packages.iter().enumerate() {
        // A need leads to a name or to a version of it, and those to packages: so that what has many
        // versions costs no more than what has one.
        let (name, version) = identity(item);
        for key in [(name, None), (name, version)] {
            if let Some(middle) = names.places.get(&key) {
                graph.need(*middle, at);
            }
        }
        let is_own = is_own(item);
        let mut take = |needs: &[Node<'_>], usage: Usage| {
            for need in needs {
                match names.places.get(&identity(need)) {
                    Some(to) if is_own => graph.root(*to, usage),
                    Some(to) => graph.need(at, *to),
                    None => {}
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
        if is_own {
            graph.root(at, Usage::Runtime);
        }
    }
    let mut usages = graph.usages();
    usages.truncate(packages.len());
    usages
}

fn identity<'n>(node: &'n Node<'_>) -> (&'n str, Option<&'n str>) {
    (
        node.text_of("name").unwrap_or_default(),
        node.text_of("version"),
    )
}

/// Numbers for names and for versions of them, behind those of the packages.
struct Names<'n> {
    places: HashMap<(&'n str, Option<&'n str>), usize>,
    count: usize,
}

impl<'n> Names<'n> {
    fn of(packages: &'n [Node<'_>]) -> Self {
        let mut places = HashMap::new();
        let mut count = packages.len();
        for item in packages {
            let (name, version) = identity(item);
            for key in [(name, None), (name, version)] {
                places.entry(key).or_insert_with(|| {
                    count += 1;
                    count - 1
                });
            }
        }
        Self { places, count }
    }
}
