//! `package-lock.json` and `npm-shrinkwrap.json` (docs of npm, "package-lock.json"), versions 1 to
//! 3, and what else of npm's words yarn, pnpm and bun share.

use super::{Builder, Draft, ReadError, Why};
use crate::document::{Dialect, Node, json};
use crate::text::{address, said};
use crate::{Ecosystem, Origin, Usage};

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = json(bytes, Dialect::Strict, &builder.limits())?;
    let version = root.get("lockfileVersion");
    match version.map(|node| (node.line, node.text().unwrap_or_default())) {
        // Files older than npm 5 do not name a version and are like the first.
        None | Some((_, "1")) if root.get("packages").is_none() => {}
        None | Some((_, "2" | "3")) => {}
        Some((line, text)) => {
            let hint =
                "versions 1, 2 and 3 are read: `npm install --lockfile-version 3` writes one";
            return builder.unknown(line, text, hint);
        }
    }
    if let Some(packages) = root.get("packages") {
        return installed(packages, builder);
    }
    match root.get("dependencies") {
        Some(dependencies) => nested(dependencies, builder),
        // A project that needs nothing.
        None if version.is_some() => Ok(()),
        None => builder.shape(root.line, "it has no `packages` and no `dependencies`"),
    }
}

/// Versions 2 and 3: every folder of the tree with what is in it.
fn installed(packages: &Node<'_>, builder: &mut Builder) -> Result<(), ReadError> {
    for member in packages.members() {
        let (path, entry) = (member.key.as_ref(), &member.value);
        // The project itself.
        if path.is_empty() {
            continue;
        }
        if entry.is_true("link") {
            // What a link leads to has an entry of its own, or lies outside.
            let target = entry.text_of("resolved").unwrap_or_default();
            let inside = !target.is_empty() && !target.starts_with("../");
            if !inside {
                builder.gap(
                    member.line,
                    Why::Local,
                    path,
                    "a link to a folder elsewhere",
                );
            }
            continue;
        }
        let (folder, name) = match path.rsplit_once("node_modules/") {
            Some((_, name)) => (None, name),
            None => (Some(path), path.rsplit('/').next().unwrap_or(path)),
        };
        let name = entry.text_of("name").unwrap_or(name);
        let version = entry.text_of("version").unwrap_or_default();
        let origin = match (folder, entry.text_of("resolved")) {
            (Some(folder), _) => Origin::Path(folder.to_owned()),
            (None, Some(resolved)) => origin(resolved, name, version),
            (None, None) => Origin::Registry,
        };
        if version.is_empty() {
            let why = if folder.is_some() {
                Why::Local
            } else {
                Why::NoVersion
            };
            builder.gap(member.line, why, name, "no version is named");
            continue;
        }
        let draft = Draft::new(Ecosystem::Npm, name, version, member.line)
            .origin(origin)
            .usage(usage(entry))
            .integrity(entry.text_of("integrity"));
        builder.package(draft)?;
    }
    Ok(())
}

/// Version 1: dependencies within dependencies.
fn nested(dependencies: &Node<'_>, builder: &mut Builder) -> Result<(), ReadError> {
    // INVARIANT: the reader of JSON bounds how deep this goes.
    for member in dependencies.members() {
        let (key, entry) = (member.key.as_ref(), &member.value);
        let written = entry.text_of("version").unwrap_or_default();
        let (name, version) = match written.strip_prefix("npm:").and_then(split_id) {
            Some((name, version)) => (name, version),
            None => (key, written),
        };
        if is_version(version) {
            let resolved = entry.text_of("resolved");
            let origin = resolved.map_or(Origin::Registry, |at| origin(at, name, version));
            let draft = Draft::new(Ecosystem::Npm, name, version, member.line)
                .origin(origin)
                .usage(usage(entry))
                .integrity(entry.text_of("integrity"));
            builder.package(draft)?;
        } else {
            unversioned(builder, member.line, name, version);
        }
        if let Some(inner) = entry.get("dependencies") {
            nested(inner, builder)?;
        }
    }
    Ok(())
}

/// An optional dependency of what is for development has both words, and is for development.
fn usage(entry: &Node<'_>) -> Usage {
    if entry.is_true("dev") {
        Usage::Development
    } else if entry.is_true("optional") || entry.is_true("devOptional") {
        Usage::Optional
    } else {
        Usage::Runtime
    }
}

/// `name@version`, where a name may begin with `@`.
pub(super) fn split_id(id: &str) -> Option<(&str, &str)> {
    let scope = usize::from(id.starts_with('@'));
    let at = id.get(scope..)?.find('@')? + scope;
    Some((id.get(..at)?, id.get(at + 1..)?))
}

/// Whether it is a version of npm's registry: three numbers, and what semver puts behind.
pub(super) fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let mut parts = core.split('.');
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.by_ref().take(3).filter(|part| number(part)).count() == 3 && parts.next().is_none()
}

/// Where a package comes from, by the address it was taken from.
///
/// A registry and its mirrors have a file at `…/name/-/name-version.tgz`; the mirrors cannot be told
/// from the registry.
pub(super) fn origin(resolved: &str, name: &str, version: &str) -> Origin {
    if let Some(git) = git(resolved) {
        return git;
    }
    if resolved.starts_with("file:") || resolved.starts_with("link:") {
        let path = resolved.split_once(':').map_or(resolved, |(_, path)| path);
        return Origin::Path(path.to_owned());
    }
    if !resolved.contains("://") {
        return Origin::Registry;
    }
    let file = resolved.split(['?', '#']).next().unwrap_or_default();
    let short = name.rsplit('/').next().unwrap_or(name);
    let of_registry = file.contains("/-/") && file.ends_with(&format!("/{short}-{version}.tgz"));
    if of_registry {
        Origin::Registry
    } else {
        Origin::Address(address(file))
    }
}

/// Names of hosts that npm has a short word for.
const HOSTS: &[(&str, &str)] = &[
    ("github:", "https://github.com/"),
    ("gitlab:", "https://gitlab.com/"),
    ("bitbucket:", "https://bitbucket.org/"),
];

/// A repository, where an address names one.
pub(super) fn git(resolved: &str) -> Option<Origin> {
    let (place, fragment) = match resolved.split_once('#') {
        Some((place, fragment)) => (place, Some(fragment)),
        None => (resolved, None),
    };
    let commit = fragment.map(|text| text.strip_prefix("commit=").unwrap_or(text).to_owned());
    if let Some((word, host)) = HOSTS.iter().find(|(word, _)| place.starts_with(word)) {
        let path = place.strip_prefix(word)?;
        return Some(Origin::Git {
            address: format!("{host}{}", address(path)),
            commit,
        });
    }
    let plain = place.strip_prefix("git+");
    let is_git = plain.is_some()
        || place.starts_with("git://")
        || place.starts_with("git@")
        || (place.ends_with(".git") && place.contains("://"));
    if is_git {
        return Some(Origin::Git {
            address: address(plain.unwrap_or(place)),
            commit,
        });
    }
    // The archive of a commit, as yarn and pnpm fetch it.
    let archive = place.split_once("codeload.github.com/")?.1;
    let (repository, commit) = archive.split_once("/tar.gz/")?;
    Some(Origin::Git {
        address: format!("https://github.com/{}", address(repository)),
        commit: Some(commit.to_owned()),
    })
}

/// A package that its file gives an address in place of a version.
pub(super) fn unversioned(builder: &mut Builder, line: u32, name: &str, written: &str) {
    let folders = ["file:", "link:", "portal:", "workspace:"];
    if let Some(origin) = git(written) {
        builder.unversioned(line, name, &origin);
    } else if folders.iter().any(|word| written.starts_with(word)) {
        builder.unversioned(line, name, &Origin::Path(written.to_owned()));
    } else {
        let message = format!("`{}` is no version", said(&address(written)));
        builder.gap(line, Why::NoVersion, name, message);
    }
}
