//! `yarn.lock` of yarn 2 and later: YAML, an entry for each resolution. It does not tell what a
//! package is used for.

use super::npm::{git, is_version, split_id};
use super::{Builder, Draft, ReadError, Why};
use crate::document::yaml;
use crate::text::address;
use crate::{Ecosystem, Origin};

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = yaml(bytes, &builder.limits())?;
    let version = root.get("__metadata").and_then(|node| node.get("version"));
    let Some(version) = version else {
        return builder.shape(1, "`__metadata` has no `version`");
    };
    let number = version.text().unwrap_or_default();
    if !matches!(number, "3" | "4" | "5" | "6" | "7" | "8" | "9" | "10") {
        let hint = "versions 3 to 10 are read: `yarn install` of yarn 2, 3 or 4 writes them";
        return builder.unknown(version.line, number, hint);
    }
    for member in root.members() {
        if member.key == "__metadata" {
            continue;
        }
        let version = member.value.text_of("version").unwrap_or_default();
        let resolution = member.value.text_of("resolution").unwrap_or_default();
        let Some((name, reference)) = split_id(resolution) else {
            builder.gap(
                member.line,
                Why::Malformed,
                &member.key,
                "it has no resolution",
            );
            continue;
        };
        match origin(reference) {
            Some(origin) if is_version(version) => {
                let draft = Draft::new(Ecosystem::Npm, name, version, member.line);
                builder.package(draft.origin(origin))?;
            }
            // The project's own folders have the version `0.0.0-use.local`, which is none.
            Some(_) => builder.gap(member.line, Why::NoVersion, name, "no version is named"),
            None => {}
        }
    }
    Ok(())
}

/// Where a resolution leads; nothing for a folder of the project itself.
fn origin(reference: &str) -> Option<Origin> {
    let (protocol, rest) = reference.split_once(':').unwrap_or(("", reference));
    Some(match protocol {
        "npm" => Origin::Registry,
        // `patch:name@npm%3A1.0.0#…`: the registry's package with changes of the project's own.
        "patch" | "virtual" => Origin::Registry,
        "workspace" => return None,
        "file" | "portal" | "link" | "exec" => {
            let path = rest.split("::").next().unwrap_or(rest);
            Origin::Path(path.split('#').next().unwrap_or(path).to_owned())
        }
        _ => match git(reference) {
            Some(git) => git,
            None => Origin::Address(address(reference)),
        },
    })
}
