//! `packages.lock.json` of NuGet, versions 1 and 2.

use super::{Builder, Draft, ReadError, Why};
use crate::Ecosystem;
use crate::document::{Dialect, Node, json};

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = json(bytes, Dialect::Strict, &builder.limits())?;
    let Some(version) = root.get("version") else {
        return builder.shape(root.line, "it has no `version`");
    };
    let number = version.text().unwrap_or_default();
    if !matches!(number, "1" | "2") {
        let hint = "versions 1 and 2 are read: `dotnet restore --use-lock-file` writes one";
        return builder.unknown(version.line, number, hint);
    }
    for framework in root.get("dependencies").map_or(&[][..], Node::members) {
        for member in framework.value.members() {
            let entry = &member.value;
            if entry.text_of("type") == Some("Project") {
                let message = "a project of the same solution, without a version";
                builder.gap(member.line, Why::Local, &member.key, message);
                continue;
            }
            let resolved = entry.text_of("resolved").unwrap_or_default();
            builder.package(Draft::new(
                Ecosystem::NuGet,
                &member.key,
                resolved,
                member.line,
            ))?;
        }
    }
    Ok(())
}
