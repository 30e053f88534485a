//! `poetry.lock`, versions 1 and 2.

use super::{Builder, Draft, ReadError};
use crate::document::{Node, toml};
use crate::text::address;
use crate::{Ecosystem, Origin, Usage};

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = toml(bytes, &builder.limits())?;
    let Some(metadata) = root.get("metadata") else {
        return builder.shape(1, "it has no `[metadata]`");
    };
    let version = metadata.get("lock-version");
    let (line, text) = version.map_or((metadata.line, "none"), |node| {
        (node.line, node.text().unwrap_or_default())
    });
    if !text.starts_with("1.") && !text.starts_with("2.") {
        let hint = "versions 1 and 2 are read: `poetry lock` of poetry 1 or 2 writes one";
        return builder.unknown(line, text, hint);
    }
    for item in root.get("package").map_or(&[][..], Node::items) {
        let Some(name) = builder.name_of(item) else {
            continue;
        };
        let version = item.text_of("version").unwrap_or_default();
        let draft = Draft::new(Ecosystem::PyPi, name, version, item.line)
            .origin(origin(item))
            .usage(usage(item));
        builder.package(draft)?;
    }
    Ok(())
}

fn origin(item: &Node<'_>) -> Origin {
    let Some(source) = item.get("source") else {
        return Origin::Registry;
    };
    let url = source.text_of("url").unwrap_or_default();
    match source.text_of("type").unwrap_or_default() {
        "git" => Origin::Git {
            address: address(url),
            commit: source.text_of("resolved_reference").map(str::to_owned),
        },
        "url" => Origin::Address(address(url)),
        "directory" | "file" => Origin::Path(url.to_owned()),
        _ => Origin::Registry,
    }
}

/// Poetry 1 has a `category` or nothing, poetry 2 the groups that want the package. Only the group
/// `main` is what a project needs to run.
fn usage(item: &Node<'_>) -> Usage {
    let groups = item.get("groups").map_or(&[][..], Node::items);
    let is_main = groups.iter().any(|group| group.text() == Some("main"));
    let optional = item.is_true("optional");
    match item.text_of("category") {
        _ if !groups.is_empty() && !is_main => Usage::Development,
        Some("main") | None if optional => Usage::Optional,
        Some("main") | None => Usage::Runtime,
        Some(_) => Usage::Development,
    }
}
