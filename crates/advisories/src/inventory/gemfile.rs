//! `Gemfile.lock` of Bundler: sections of indented lines. It does not tell what a gem is used for.

use super::{Builder, Draft, ReadError, Why};
use crate::text::{address, lines, utf8};
use crate::{Ecosystem, Origin};

/// Where the gems of a section come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Registry,
    Git,
    Path,
    Other,
}

/// Letters of an address or a commit.
const REMOTE_LETTERS: usize = 1_024;

/// Sections without gems.
const OTHERS: &[&str] = &[
    "PLATFORMS",
    "DEPENDENCIES",
    "CHECKSUMS",
    "RUBY VERSION",
    "BUNDLED WITH",
];

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let mut section = Section::Other;
    let (mut remote, mut revision) = (String::new(), None::<String>);
    let mut known = false;
    for (at, line) in lines(utf8(bytes)?) {
        if line.trim().is_empty() {
            continue;
        }
        if !line.starts_with(' ') {
            section = match line {
                "GEM" => Section::Registry,
                "GIT" => Section::Git,
                "PATH" => Section::Path,
                // A plugin of Bundler lies in sections of its own kind.
                "PLUGIN SOURCE" => Section::Other,
                _ if OTHERS.contains(&line) => Section::Other,
                _ => {
                    builder.gap(at, Why::Unsupported, line, "a section that is not known");
                    Section::Other
                }
            };
            known |= section != Section::Other || OTHERS.contains(&line);
            (remote, revision) = (String::new(), None::<String>);
            continue;
        }
        if section == Section::Other {
            continue;
        }
        if let Some(gem) = line
            .strip_prefix("    ")
            .filter(|rest| !rest.starts_with(' '))
        {
            self::gem(at, gem, section, (&remote, revision.as_deref()), builder)?;
        } else if let Some(place) = line.strip_prefix("  remote: ") {
            // LIMIT: bytes of an address, which is kept for each gem of its section.
            remote = place.trim().chars().take(REMOTE_LETTERS).collect();
        } else if let Some(commit) = line.strip_prefix("  revision: ") {
            revision = Some(commit.trim().chars().take(REMOTE_LETTERS).collect());
        }
    }
    if known {
        return Ok(());
    }
    builder.shape(
        1,
        "it has no section `GEM`, `GIT`, `PATH` or `DEPENDENCIES`",
    )
}

/// `name (version)`, or `name (version-platform)`.
fn gem(
    at: u32,
    line: &str,
    section: Section,
    (remote, revision): (&str, Option<&str>),
    builder: &mut Builder,
) -> Result<(), ReadError> {
    // `!` marks what comes from elsewhere than the registry.
    let line = line.strip_suffix('!').unwrap_or(line);
    let parts = line
        .split_once(" (")
        .and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?)));
    let Some((name, version)) = parts else {
        builder.gap(at, Why::Malformed, line, "no version is named");
        return Ok(());
    };
    let version = version.split('-').next().unwrap_or(version);
    let origin = match section {
        Section::Git => Origin::Git {
            address: address(remote),
            commit: revision.map(str::to_owned),
        },
        Section::Path => Origin::Path(remote.to_owned()),
        Section::Registry | Section::Other => Origin::Registry,
    };
    builder.package(Draft::new(Ecosystem::RubyGems, name, version, at).origin(origin))
}
