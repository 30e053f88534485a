//! `yarn.lock` of version 1: its own syntax, of lines and their indentation. It does not tell what a
//! package is used for. A file of Berry is handed to its reader.

use super::npm::{is_version, origin, split_id, unversioned};
use super::{Builder, Draft, ReadError, yarn_berry};
use crate::text::{lines, syntax, utf8};
use crate::{Ecosystem, Origin};

const HEAD: &str = "# yarn lockfile v";

#[derive(Default)]
struct Entry {
    line: u32,
    /// The first of the ranges it stands for: `name@range`.
    pattern: String,
    version: String,
    resolved: Option<String>,
    integrity: Option<String>,
}

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let text = utf8(bytes)?;
    if lines(text).any(|(_, line)| line == "__metadata:") {
        return yarn_berry::read(bytes, builder);
    }
    let head = lines(text).find_map(|(at, line)| Some((at, line.strip_prefix(HEAD)?)));
    match head {
        Some((_, "1")) => {}
        Some((line, version)) => {
            let hint = "version 1 and the files of yarn 2 and later are read";
            return builder.unknown(line, version, hint);
        }
        None => return builder.shape(1, "no line says `# yarn lockfile v1`"),
    }
    let mut entry: Option<Entry> = None;
    for (at, line) in lines(text) {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        if ["<<<<<<< ", "=======", ">>>>>>> "]
            .iter()
            .any(|mark| line.starts_with(mark))
        {
            let hint = Some("resolve the conflict of the merge first");
            return syntax((at, 1), "a conflict of a merge stands here", hint);
        }
        if !line.starts_with(' ') {
            finish(entry.take(), builder)?;
            entry = Some(begin(at, line)?);
            continue;
        }
        let Some(entry) = &mut entry else {
            return syntax((at, 1), "a value stands before any package", None);
        };
        // Deeper lines are what the package needs, in entries of their own.
        if let Some(field) = line
            .strip_prefix("  ")
            .filter(|rest| !rest.starts_with(' '))
        {
            entry.take(field);
        }
    }
    finish(entry, builder)
}

fn begin(at: u32, line: &str) -> Result<Entry, ReadError> {
    let Some(patterns) = line.strip_suffix(':') else {
        return syntax((at, 1), "a package's line ends in `:`", None);
    };
    let first = match patterns.strip_prefix('"') {
        Some(rest) => rest.split('"').next().unwrap_or_default(),
        None => patterns.split(", ").next().unwrap_or_default(),
    };
    Ok(Entry {
        line: at,
        pattern: first.to_owned(),
        ..Entry::default()
    })
}

impl Entry {
    fn take(&mut self, field: &str) {
        let Some((key, value)) = field.split_once(' ') else {
            return;
        };
        let value = value.trim();
        let value = value
            .strip_prefix('"')
            .and_then(|v| v.strip_suffix('"'))
            .unwrap_or(value);
        match key {
            "version" => self.version = value.to_owned(),
            "resolved" => self.resolved = Some(value.to_owned()),
            "integrity" => self.integrity = Some(value.to_owned()),
            _ => {}
        }
    }
}

fn finish(entry: Option<Entry>, builder: &mut Builder) -> Result<(), ReadError> {
    let Some(entry) = entry else {
        return Ok(());
    };
    let (name, range) = split_id(&entry.pattern).unwrap_or((&entry.pattern, ""));
    // `alias@npm:name@range`.
    let name = match range.strip_prefix("npm:") {
        Some(real) => split_id(real).map_or(real, |(name, _)| name),
        None => name,
    };
    if !is_version(&entry.version) {
        unversioned(builder, entry.line, name, &entry.version);
        return Ok(());
    }
    let resolved = entry.resolved.as_deref();
    let local = range.starts_with("file:") || range.starts_with("link:");
    let origin = match resolved {
        Some(resolved) => {
            // What stands after `#` is a digest, but where it is a commit.
            origin(resolved, name, &entry.version)
        }
        None if local => Origin::Path(range.split_once(':').map_or("", |(_, p)| p).to_owned()),
        None => Origin::Registry,
    };
    let sha1 = resolved
        .and_then(|at| at.split_once('#'))
        .filter(|_| origin == Origin::Registry)
        .map(|(_, digest)| digest);
    let draft = Draft::new(Ecosystem::Npm, name, &entry.version, entry.line)
        .hex(super::Algorithm::Sha1, sha1)
        .integrity(entry.integrity.as_deref())
        .origin(origin);
    builder.package(draft)
}
