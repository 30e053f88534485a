//! `pylock.toml` (PEP 751), version 1. Markers are not weighed: what any platform installs is named.

use super::python::first_of;
use super::{Builder, Draft, ReadError, Why};
use crate::document::{Node, toml};
use crate::text::address;
use crate::{Ecosystem, Origin};

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = toml(bytes, &builder.limits())?;
    let Some(version) = root.get("lock-version") else {
        return builder.shape(1, "it has no `lock-version`");
    };
    let text = version.text().unwrap_or_default();
    if text.split('.').next() != Some("1") {
        return builder.unknown(version.line, text, "version 1 is read: PEP 751");
    }
    for item in root.get("packages").map_or(&[][..], Node::items) {
        let Some(name) = item.text_of("name") else {
            builder.gap(
                item.line,
                Why::Malformed,
                "packages",
                "a package has no name",
            );
            continue;
        };
        let origin = origin(item);
        match item.text_of("version") {
            Some(version) => {
                let draft = Draft::new(Ecosystem::PyPi, name, version, item.line);
                builder.package(draft.origin(origin))?;
            }
            None => {
                let local = matches!(origin, Origin::Path(_));
                let why = if local { Why::Local } else { Why::NoVersion };
                builder.gap(item.line, why, name, "no version is named");
            }
        }
    }
    Ok(())
}

fn origin(item: &Node<'_>) -> Origin {
    if let Some(vcs) = item.get("vcs") {
        return Origin::Git {
            address: address(first_of(vcs, &["url", "path"]).unwrap_or_default()),
            commit: vcs.text_of("commit-id").map(str::to_owned),
        };
    }
    if let Some(folder) = item.get("directory") {
        return Origin::Path(folder.text_of("path").unwrap_or_default().to_owned());
    }
    if let Some(archive) = item.get("archive") {
        return match archive.text_of("url") {
            Some(url) => Origin::Address(address(url)),
            None => Origin::Path(archive.text_of("path").unwrap_or_default().to_owned()),
        };
    }
    Origin::Registry
}
