//! `pdm.lock`, version 4.

use super::python::first_of;
use super::{Builder, Draft, ReadError, Why};
use crate::document::{Node, toml};
use crate::text::address;
use crate::{Ecosystem, Origin, Usage};

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = toml(bytes, &builder.limits())?;
    let version = root
        .get("metadata")
        .and_then(|metadata| metadata.get("lock_version"));
    let Some(version) = version else {
        return builder.shape(1, "`[metadata]` has no `lock_version`");
    };
    let text = version.text().unwrap_or_default();
    if text.split('.').next() != Some("4") {
        return builder.unknown(
            version.line,
            text,
            "version 4 is read: `pdm lock` writes it",
        );
    }
    for item in root.get("package").map_or(&[][..], Node::items) {
        let Some(name) = builder.name_of(item) else {
            continue;
        };
        let Some(version) = item.text_of("version") else {
            builder.gap(item.line, Why::NoVersion, name, "no version is named");
            continue;
        };
        let draft = Draft::new(Ecosystem::PyPi, name, version, item.line)
            .origin(origin(item))
            .usage(usage(item));
        builder.package(draft)?;
    }
    Ok(())
}

fn origin(item: &Node<'_>) -> Origin {
    if let Some(git) = item.text_of("git") {
        return Origin::Git {
            address: address(git),
            commit: first_of(item, &["revision", "ref"]).map(str::to_owned),
        };
    }
    match (item.text_of("path"), item.text_of("url")) {
        (Some(path), _) => Origin::Path(path.to_owned()),
        (None, Some(url)) => Origin::Address(address(url)),
        (None, None) => Origin::Registry,
    }
}

/// The group `default` is what the project needs to run. Of the others nothing tells whether they are
/// for development or for whoever asks, but that `dev` is.
fn usage(item: &Node<'_>) -> Usage {
    let groups = item.get("groups").map_or(&[][..], Node::items);
    let has = |name: &str| groups.iter().any(|group| group.text() == Some(name));
    if groups.is_empty() || has("default") {
        return Usage::Runtime;
    }
    if groups.iter().all(|group| group.text() == Some("dev")) {
        return Usage::Development;
    }
    Usage::Optional
}
