//! `cabal.project.freeze` of cabal: constraints, of which those of one version are packages.

use super::{Builder, Draft, ReadError, Why};
use crate::Ecosystem;
use crate::text::{lines, said, utf8};

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let mut inside = false;
    let mut seen = false;
    for (at, line) in lines(utf8(bytes)?) {
        let line = line.split("--").next().unwrap_or_default();
        let indented = line.starts_with([' ', '\t']);
        let mut text = line.trim();
        if text.is_empty() {
            continue;
        }
        if !indented || !inside {
            match text.split_once(':') {
                Some(("constraints", rest)) => {
                    (inside, seen) = (true, true);
                    text = rest.trim();
                }
                // `active-repositories:`, `index-state:`
                Some(_) => {
                    (inside, seen) = (false, true);
                    continue;
                }
                None => {
                    builder.gap(at, Why::Malformed, text, "this line is not understood");
                    continue;
                }
            }
        }
        for constraint in text
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
        {
            self::constraint(at, constraint, builder)?;
        }
    }
    if seen {
        return Ok(());
    }
    builder.shape(1, "it has no `constraints`")
}

/// `any.name ==1.2.3`, or flags: `name +flag -other`.
fn constraint(at: u32, text: &str, builder: &mut Builder) -> Result<(), ReadError> {
    let end = text.find([' ', '=', '<', '>', '^']).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let (name, rest) = (name.strip_prefix("any.").unwrap_or(name), rest.trim());
    if rest.starts_with(['+', '-']) || matches!(rest, "installed" | "source") {
        return Ok(());
    }
    let exact = rest.strip_prefix("==").map(str::trim);
    match exact.filter(|version| !version.contains([' ', '*', '|', '&', '{'])) {
        Some(version) => builder.package(Draft::new(Ecosystem::Hackage, name, version, at)),
        None => {
            let message = format!("`{}` allows several versions", said(rest));
            builder.gap(at, Why::Unpinned, name, message);
            Ok(())
        }
    }
}
