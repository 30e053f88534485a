//! `composer.lock` of Composer.

use super::{Algorithm, Builder, Draft, ReadError, Why};
use crate::document::{Dialect, Node, json};
use crate::text::address;
use crate::{Ecosystem, Origin, Usage};

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = json(bytes, Dialect::Strict, &builder.limits())?;
    if root.get("packages").is_none() && root.get("packages-dev").is_none() {
        return builder.shape(root.line, "it has no `packages`");
    }
    for (key, usage) in [
        ("packages", Usage::Runtime),
        ("packages-dev", Usage::Development),
    ] {
        for item in root.get(key).map_or(&[][..], Node::items) {
            package(item, usage, builder)?;
        }
    }
    Ok(())
}

fn package(item: &Node<'_>, usage: Usage, builder: &mut Builder) -> Result<(), ReadError> {
    let line = item.get("name").map_or(item.line, |name| name.line);
    let Some(name) = item.text_of("name") else {
        builder.gap(line, Why::Malformed, "packages", "a package has no name");
        return Ok(());
    };
    let version = item.text_of("version").unwrap_or_default();
    let dist = item.get("dist");
    let field = |name: &str| dist.and_then(|dist| dist.text_of(name));
    let origin = if field("type") == Some("path") {
        Origin::Path(field("url").unwrap_or_default().to_owned())
    } else if version.starts_with("dev-") || version.ends_with("-dev") {
        branch(item)
    } else {
        Origin::Registry
    };
    let draft = Draft::new(Ecosystem::Packagist, name, version, line)
        .origin(origin)
        .usage(usage)
        .hex(Algorithm::Sha1, field("shasum"));
    builder.package(draft)
}

/// A branch is no release: its commit says what it is.
fn branch(item: &Node<'_>) -> Origin {
    let source = item.get("source").or(item.get("dist"));
    let field = |name: &str| source.and_then(|source| source.text_of(name));
    match field("url") {
        Some(url) => Origin::Git {
            address: address(url),
            commit: field("reference").map(str::to_owned),
        },
        None => Origin::Registry,
    }
}
