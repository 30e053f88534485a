//! `Cargo.lock` (The Cargo Book, "Cargo.toml vs Cargo.lock"), versions 1 to 4. It does not tell
//! what a crate is used for.

use std::collections::HashMap;

use super::{Algorithm, Builder, Draft, ReadError, at_commit};
use crate::document::{Node, toml};
use crate::text::address;
use crate::{Ecosystem, Origin};

/// How the public registry is written, also where a mirror or its sparse index is asked.
const PUBLIC: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = toml(bytes, &builder.limits())?;
    // Versions 1 and 2 do not name themselves.
    if let Some(version) = root.get("version") {
        let text = version.text().unwrap_or_default();
        if !matches!(text, "3" | "4") {
            let hint = "versions up to 4 are read: write it again with a cargo that knows it";
            return builder.unknown(version.line, text, hint);
        }
    }
    let checksums = checksums(&root);
    let Some(packages) = root.get("package") else {
        // A project without dependencies, of the first version.
        return match root.get("root") {
            Some(own) => package(own, &checksums, builder),
            None if root.get("version").is_some() => Ok(()),
            None => builder.shape(1, "it has no `[[package]]`"),
        };
    };
    for item in root.get("root").into_iter().chain(packages.items()) {
        package(item, &checksums, builder)?;
    }
    Ok(())
}

/// Version 1 has checksums in a table of their own: `"checksum name version (source)"`.
fn checksums<'n>(root: &'n Node<'_>) -> HashMap<&'n str, &'n str> {
    let members = root.get("metadata").map_or(&[][..], Node::members);
    let pairs = members.iter().filter_map(|member| {
        let key = member.key.strip_prefix("checksum ")?;
        Some((key, member.value.text()?))
    });
    pairs.collect()
}

fn package(
    item: &Node<'_>,
    checksums: &HashMap<&str, &str>,
    builder: &mut Builder,
) -> Result<(), ReadError> {
    let Some(name) = builder.name_of(item) else {
        return Ok(());
    };
    let version = item.text_of("version").unwrap_or_default();
    let source = item.text_of("source");
    let old = source.and_then(|source| {
        let key = format!("{name} {version} ({source})");
        checksums.get(key.as_str()).copied()
    });
    let draft = Draft::new(Ecosystem::CratesIo, name, version, item.line)
        .origin(origin(source))
        .hex(Algorithm::Sha256, item.text_of("checksum").or(old));
    builder.package(draft)
}

fn origin(source: Option<&str>) -> Origin {
    let Some(source) = source else {
        return Origin::Path(String::new());
    };
    if source == PUBLIC {
        return Origin::Registry;
    }
    if let Some(git) = source.strip_prefix("git+") {
        return at_commit(git);
    }
    if let Some(path) = source.strip_prefix("path+") {
        return Origin::Path(address(path));
    }
    let place = source.split_once('+').map_or(source, |(_, place)| place);
    Origin::Address(address(place))
}
