//! `gradle.lockfile` of Gradle (its manual, "Locking Versions"): a line for a module.

use super::{Builder, Draft, ReadError, Why};
use crate::text::{lines, utf8};
use crate::{Ecosystem, Usage};

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    modules(bytes, usage, builder)
}

/// What a build itself uses.
pub(super) fn read_build(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    modules(bytes, |_| Usage::Development, builder)
}

fn modules(bytes: &[u8], usage: fn(&str) -> Usage, builder: &mut Builder) -> Result<(), ReadError> {
    for (at, line) in lines(utf8(bytes)?) {
        let line = line.trim();
        // `empty=` names configurations that lock nothing.
        if line.is_empty() || line.starts_with('#') || line.starts_with("empty=") {
            continue;
        }
        let (module, configurations) = line.split_once('=').unwrap_or((line, ""));
        let parts: Vec<&str> = module.split(':').collect();
        let [group, artifact, version] = parts.as_slice() else {
            builder.gap(at, Why::Malformed, module, "no `group:artifact:version`");
            continue;
        };
        let name = format!("{group}:{artifact}");
        let draft = Draft::new(Ecosystem::Maven, &name, version, at);
        builder.package(draft.usage(usage(configurations)))?;
    }
    Ok(())
}

/// Configurations of tests begin with the name of their source set: `testCompileClasspath`.
fn usage(configurations: &str) -> Usage {
    let is_test = |name: &str| {
        let name = name.trim();
        name.starts_with("test") || name.contains("Test") || name.starts_with("integrationTest")
    };
    if !configurations.is_empty() && configurations.split(',').all(is_test) {
        Usage::Development
    } else {
        Usage::Runtime
    }
}
