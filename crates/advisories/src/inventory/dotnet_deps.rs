//! `*.deps.json` of .NET: what a built program brings along.

use super::{Builder, Draft, ReadError, Why};
use crate::document::{Dialect, json};
use crate::{Ecosystem, Origin};

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = json(bytes, Dialect::Strict, &builder.limits())?;
    let (Some(libraries), Some(_)) = (root.get("libraries"), root.get("runtimeTarget")) else {
        return builder.shape(root.line, "it has no `runtimeTarget` and `libraries`");
    };
    for member in libraries.members() {
        let Some((name, version)) = member.key.rsplit_once('/') else {
            builder.gap(
                member.line,
                Why::Malformed,
                &member.key,
                "no `name/version`",
            );
            continue;
        };
        let draft = Draft::new(Ecosystem::NuGet, name, version, member.line);
        match member.value.text_of("type").unwrap_or_default() {
            "package" => builder.package(draft)?,
            // The runtime itself, as a package of its own kind.
            "runtimepack" => {
                let name = name.strip_prefix("runtimepack.").unwrap_or(name);
                builder.package(Draft::new(Ecosystem::NuGet, name, version, member.line))?;
            }
            "project" => builder.package(draft.origin(Origin::Path(String::new())))?,
            _ => {
                let message = "a file that is referred to, of no package";
                builder.gap(member.line, Why::Local, &member.key, message);
            }
        }
    }
    Ok(())
}
