//! `stack.yaml.lock` of Stack: what a project takes besides its snapshot.

use super::{Builder, Draft, ReadError, Why};
use crate::document::{Node, yaml};
use crate::text::address;
use crate::{Ecosystem, Origin};

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = yaml(bytes, &builder.limits())?;
    let Some(packages) = root.get("packages") else {
        return builder.shape(root.line, "it has no `packages`");
    };
    for item in packages.items() {
        let Some(completed) = item.get("completed") else {
            builder.gap(
                item.line,
                Why::Malformed,
                "packages",
                "an entry is not completed",
            );
            continue;
        };
        package(completed, builder)?;
    }
    for item in root.get("snapshots").map_or(&[][..], Node::items) {
        let original = item.get("original");
        let name = original.and_then(|node| node.text().or_else(|| node.text_of("url")));
        let message = "the packages of the snapshot stand in a file of its own, which is not read";
        builder.gap(
            item.line,
            Why::Elsewhere,
            name.unwrap_or("snapshot"),
            message,
        );
    }
    Ok(())
}

fn package(completed: &Node<'_>, builder: &mut Builder) -> Result<(), ReadError> {
    let line = completed.line;
    // `name-1.2.3@sha256:…,size`
    if let Some(hackage) = completed.get("hackage") {
        let text = hackage.text().unwrap_or_default();
        let id = text.split('@').next().unwrap_or_default();
        return match id.rsplit_once('-') {
            Some((name, version)) => {
                builder.package(Draft::new(Ecosystem::Hackage, name, version, hackage.line))
            }
            None => {
                builder.gap(hackage.line, Why::Malformed, text, "no `name-version`");
                Ok(())
            }
        };
    }
    let Some(name) = completed.text_of("name") else {
        builder.gap(line, Why::Malformed, "packages", "a package has no name");
        return Ok(());
    };
    let origin = match (completed.text_of("git"), completed.text_of("url")) {
        (Some(git), _) => Origin::Git {
            address: address(git),
            commit: completed.text_of("commit").map(str::to_owned),
        },
        (None, Some(url)) => Origin::Address(address(url)),
        (None, None) => Origin::Registry,
    };
    let version = completed.text_of("version").unwrap_or_default();
    builder.package(Draft::new(Ecosystem::Hackage, name, version, line).origin(origin))
}
