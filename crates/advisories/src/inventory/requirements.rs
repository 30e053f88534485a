//! Requirements files of pip (pip's "Requirements File Format"). Files they name are not followed.

use super::python::{Requirement, origin_of, repository};
use super::{Builder, Draft, ReadError, Why};
use crate::text::{address, lines, said, utf8};
use crate::{Ecosystem, Origin};

/// LIMIT: bytes of a line and what continues it.
const LINE_BYTES: usize = 256 * 1024;

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let mut held = String::new();
    let mut from = 1;
    for (at, line) in lines(utf8(bytes)?) {
        if held.is_empty() {
            from = at;
        }
        if let Some(begun) = line.strip_suffix('\\') {
            held.push_str(begun);
            if held.len() > LINE_BYTES {
                return Err(ReadError::TooMany {
                    line: from,
                    most: LINE_BYTES,
                    of: "bytes of one line",
                });
            }
            continue;
        }
        held.push_str(line);
        let whole = std::mem::take(&mut held);
        requirement(from, without_comment(&whole), builder)?;
    }
    requirement(from, without_comment(&held), builder)
}

/// A comment begins a line or follows white space.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with('#') {
        return "";
    }
    let mut before = ' ';
    for (at, letter) in line.char_indices() {
        if letter == '#' && before.is_whitespace() {
            return line.get(..at).unwrap_or_default().trim();
        }
        before = letter;
    }
    line.trim()
}

/// Options that name another file of requirements.
const FILES: &[&str] = &["-r", "--requirement", "-c", "--constraint"];
/// Options that name a folder or an address to install from.
const EDITABLE: &[&str] = &["-e", "--editable"];

fn requirement(at: u32, line: &str, builder: &mut Builder) -> Result<(), ReadError> {
    if line.is_empty() {
        return Ok(());
    }
    if line.starts_with('-') {
        option(at, line, builder);
        return Ok(());
    }
    // `--hash=…` and its siblings stand behind.
    let line = line.split(" --").next().unwrap_or(line).trim();
    if line.contains("${") {
        let message = "a variable of the environment, which is not known here";
        builder.gap(at, Why::Unresolved, &address(line), message);
        return Ok(());
    }
    let Some(parsed) = Requirement::parse(line) else {
        if line.starts_with('.') || is_file(line) {
            place(at, line, builder);
        } else {
            builder.gap(at, Why::Malformed, line, "this line is not understood");
        }
        return Ok(());
    };
    if let Some(from) = parsed.address {
        return from_address(at, parsed.name, from, builder);
    }
    if line.contains("://") || (parsed.specifier.is_empty() && is_file(line)) {
        place(at, line, builder);
        return Ok(());
    }
    match parsed.pinned() {
        Some(version) => builder.package(Draft::new(Ecosystem::PyPi, parsed.name, version, at)),
        None => {
            let message = if parsed.specifier.is_empty() {
                "any version is allowed".to_owned()
            } else {
                format!("`{}` allows several versions", said(parsed.specifier))
            };
            builder.gap(at, Why::Unpinned, parsed.name, message);
            Ok(())
        }
    }
}

fn is_file(line: &str) -> bool {
    line.contains('/')
        || [".whl", ".zip", ".tar.gz", ".tar.bz2"]
            .iter()
            .any(|end| line.ends_with(end))
}

fn option(at: u32, line: &str, builder: &mut Builder) {
    let (name, value) = line.split_once(['=', ' ']).unwrap_or((line, ""));
    let value = value.trim();
    if FILES.contains(&name) {
        builder.gap(
            at,
            Why::Elsewhere,
            value,
            "another file of requirements, not followed",
        );
    } else if EDITABLE.contains(&name) {
        place(at, value, builder);
    } else if let Some(file) = line.strip_prefix("-r").or_else(|| line.strip_prefix("-c")) {
        builder.gap(
            at,
            Why::Elsewhere,
            file.trim(),
            "another file of requirements, not followed",
        );
    } else if let Some(folder) = line.strip_prefix("-e") {
        place(at, folder.trim(), builder);
    }
}

/// `name @ address`. A wheel's and an archive's name says the version.
fn from_address(at: u32, name: &str, from: &str, builder: &mut Builder) -> Result<(), ReadError> {
    let origin = match repository(from) {
        Some(git) => {
            builder.unversioned(at, name, &git);
            return Ok(());
        }
        None if from.starts_with("file:") => Origin::Path(address(from)),
        None => Origin::Address(address(from.split('#').next().unwrap_or(from))),
    };
    match version_of_file(from) {
        Some(version) => {
            builder.package(Draft::new(Ecosystem::PyPi, name, version, at).origin(origin))
        }
        None => {
            builder.unversioned(at, name, &origin);
            Ok(())
        }
    }
}

/// The version in a wheel's name: `name-1.0-py3-none-any.whl` (PEP 427).
fn version_of_file(place: &str) -> Option<&str> {
    let file = place.split(['#', '?']).next()?.rsplit('/').next()?;
    let mut parts = file.strip_suffix(".whl")?.split('-');
    let version = parts.nth(1)?;
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then_some(version)
}

/// An address or a folder alone.
fn place(at: u32, place: &str, builder: &mut Builder) {
    let egg = place.split_once("egg=").map(|(_, rest)| rest);
    let egg = egg.map(|rest| rest.split(['&', '[', ' ']).next().unwrap_or(rest));
    let origin = origin_of(place);
    let subject = egg.unwrap_or(place);
    let subject = if subject.contains("://") {
        &address(subject)
    } else {
        subject
    };
    builder.unversioned(at, subject, &origin);
}
