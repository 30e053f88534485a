//! `pubspec.lock` of Dart and Flutter.

use super::{Algorithm, Builder, Draft, ReadError, Why};
use crate::document::{Node, yaml};
use crate::text::{address, said};
use crate::{Ecosystem, Origin, Usage};

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = yaml(bytes, &builder.limits())?;
    let Some(packages) = root.get("packages") else {
        return builder.shape(root.line, "it has no `packages`");
    };
    for member in packages.members() {
        let (name, entry) = (member.key.as_ref(), &member.value);
        let version = entry.text_of("version").unwrap_or_default();
        let description = entry.get("description");
        let field = |key: &str| description.and_then(|node| node.text_of(key));
        let origin = match entry.text_of("source").unwrap_or_default() {
            "hosted" => Origin::Registry,
            "git" => Origin::Git {
                address: address(field("url").unwrap_or_default()),
                commit: field("resolved-ref").map(str::to_owned),
            },
            "path" => Origin::Path(field("path").unwrap_or_default().to_owned()),
            "sdk" => {
                let sdk = description.and_then(Node::text).unwrap_or("sdk");
                let message = format!(
                    "part of the SDK `{}`, whose version is not named",
                    said(sdk)
                );
                builder.gap(member.line, Why::NoVersion, name, message);
                continue;
            }
            other => {
                let message = format!("of the source `{}`, which is not known", said(other));
                builder.gap(member.line, Why::Unsupported, name, message);
                continue;
            }
        };
        // What others need in turn is not told apart.
        let usage = match entry.text_of("dependency") {
            Some("direct dev") => Usage::Development,
            _ => Usage::Runtime,
        };
        let draft = Draft::new(
            Ecosystem::Pub,
            field("name").unwrap_or(name),
            version,
            member.line,
        )
        .origin(origin)
        .usage(usage)
        .hex(Algorithm::Sha256, field("sha256"));
        builder.package(draft)?;
    }
    Ok(())
}
