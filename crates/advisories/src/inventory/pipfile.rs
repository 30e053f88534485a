//! `Pipfile.lock` of pipenv, version 6.

use super::python::{exact, first_of, origin_of};
use super::{Builder, Draft, ReadError};
use crate::document::{Dialect, Member, json};
use crate::text::address;
use crate::{Ecosystem, Origin, Usage};

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = json(bytes, Dialect::Strict, &builder.limits())?;
    let version = root.get("_meta").and_then(|meta| meta.get("pipfile-spec"));
    let Some(version) = version else {
        return builder.shape(root.line, "`_meta` has no `pipfile-spec`");
    };
    let number = version.text().unwrap_or_default();
    if number != "6" {
        return builder.unknown(
            version.line,
            number,
            "version 6 is read: `pipenv lock` writes it",
        );
    }
    for group in root.members() {
        // Groups of one's own are installed where somebody asks for them.
        let usage = match group.key.as_ref() {
            "_meta" => continue,
            "default" => Usage::Runtime,
            "develop" => Usage::Development,
            _ => Usage::Optional,
        };
        for member in group.value.members() {
            package(member, usage, builder)?;
        }
    }
    Ok(())
}

fn package(member: &Member<'_>, usage: Usage, builder: &mut Builder) -> Result<(), ReadError> {
    let (name, entry) = (member.key.as_ref(), &member.value);
    let git = entry.text_of("git").map(|place| Origin::Git {
        address: address(place.strip_prefix("git+").unwrap_or(place)),
        commit: entry.text_of("ref").map(str::to_owned),
    });
    let place = first_of(entry, &["file", "path"]);
    let origin = git.or_else(|| place.map(origin_of));
    let version = entry.text_of("version").and_then(exact);
    let origin = origin.unwrap_or(Origin::Registry);
    if let Some(version) = version {
        let draft = Draft::new(Ecosystem::PyPi, name, version, member.line);
        return builder.package(draft.origin(origin).usage(usage));
    }
    builder.unversioned(member.line, name, &origin);
    Ok(())
}
