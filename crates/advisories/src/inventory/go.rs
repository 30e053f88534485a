//! `go.mod` and `go.sum` (The Go Modules Reference). A `go.mod` of Go 1.17 or later lists every module
//! that the project's packages need.

use std::collections::{HashMap, HashSet};

use super::{Builder, Draft, Gap, Inventory, Limits, ReadError, Why};
use crate::text::{lines, said, syntax, utf8};
use crate::{Ecosystem, Origin};

/// What comes in place of a module.
struct Replaced {
    /// A module, or a folder where there is no version.
    by: String,
    version: Option<String>,
}

#[derive(Default)]
struct Module {
    required: Vec<(u32, String, String)>,
    replaced: HashMap<(String, Option<String>), Replaced>,
    excluded: HashMap<(String, String), u32>,
    go: Option<(u32, String)>,
    toolchain: Option<(u32, String)>,
    is_named: bool,
}

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let mut module = Module::default();
    let mut block: Option<String> = None;
    for (at, line) in lines(utf8(bytes)?) {
        let words = words(line, at)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match (words.as_slice(), block.as_deref()) {
            ([], _) => {}
            ([")"], Some(_)) => block = None,
            ([word, "("], None) => block = Some((*word).to_owned()),
            (rest, Some(word)) => {
                let word = word.to_owned();
                module.directive(&word, rest, at, builder);
            }
            ([word, rest @ ..], None) => module.directive(word, rest, at, builder),
        }
    }
    if let Some(word) = block {
        return builder.shape(1, format!("the block `{}` has no end", said(&word)));
    }
    if !module.is_named && module.required.is_empty() {
        return builder.shape(1, "it has no `module` and requires nothing");
    }
    module.finish(builder)
}

impl Module {
    fn directive(&mut self, word: &str, rest: &[&str], at: u32, builder: &mut Builder) {
        match (word, rest) {
            ("module", _) => self.is_named = true,
            ("go", [version]) => self.go = Some((at, (*version).to_owned())),
            ("toolchain", [version]) => self.toolchain = Some((at, (*version).to_owned())),
            ("require", [path, version]) => {
                self.required
                    .push((at, (*path).to_owned(), (*version).to_owned()));
            }
            ("exclude", [path, version]) => {
                self.excluded
                    .insert(((*path).to_owned(), (*version).to_owned()), at);
            }
            ("replace", [from, "=>", to @ ..]) => self.replace((*from, None), to),
            ("replace", [from, version, "=>", to @ ..]) => {
                self.replace((*from, Some(*version)), to);
            }
            ("retract" | "tool" | "godebug" | "ignore", _) => {}
            _ => builder.gap(at, Why::Malformed, word, "this line is not understood"),
        }
    }

    fn replace(&mut self, (from, version): (&str, Option<&str>), to: &[&str]) {
        let (by, new) = match to {
            [by] => (*by, None),
            [by, version, ..] => (*by, Some((*version).to_owned())),
            [] => return,
        };
        let key = (from.to_owned(), version.map(str::to_owned));
        let by = by.to_owned();
        self.replaced.insert(key, Replaced { by, version: new });
    }

    fn finish(self, builder: &mut Builder) -> Result<(), ReadError> {
        let (line, go) = self.go.clone().unwrap_or((0, "1.16".to_owned()));
        if minor(&go).is_none_or(|minor| minor < 17) {
            let message = "before Go 1.17 a go.mod does not list every module that is needed";
            builder.gap(line, Why::Elsewhere, &go, message);
        }
        let toolchain = self.toolchain.or(self.go);
        if let Some((line, version)) = toolchain {
            let message = "the standard library is that of the toolchain that builds, which is at \
                           least of this version";
            builder.gap(line, Why::Unpinned, &version, message);
        }
        for (line, path, version) in self.required {
            if self.excluded.contains_key(&(path.clone(), version.clone())) {
                let message = format!("`{}` is required and excluded", said(&version));
                builder.gap(line, Why::Conflict, &path, message);
            }
            let exact = (path.clone(), Some(version.clone()));
            let replaced = self.replaced.get(&exact);
            let replaced = replaced.or_else(|| self.replaced.get(&(path.clone(), None)));
            match replaced {
                None => builder.package(Draft::new(Ecosystem::Go, &path, &version, line))?,
                Some(Replaced {
                    by,
                    version: Some(version),
                }) => builder.package(Draft::new(Ecosystem::Go, by, version, line))?,
                Some(Replaced { by, version: None }) => {
                    let message = format!("replaced by the folder `{}`", said(by));
                    builder.gap(line, Why::Local, &path, message);
                }
            }
        }
        Ok(())
    }
}

fn minor(go: &str) -> Option<u32> {
    let rest = go.strip_prefix("1.")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// The words of a line: bare, in `"…"` or in backquotes; comments are none.
fn words(line: &str, at: u32) -> Result<Vec<String>, ReadError> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with("//") {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '`'));
        if let Some(quote) = quote {
            let inside = rest.strip_prefix(quote).unwrap_or_default();
            let Some((word, after)) = inside.split_once(quote) else {
                return syntax((at, 1), "a quote has no end", None);
            };
            words.push(word.to_owned());
            rest = after.trim_start();
            continue;
        }
        let end = rest
            .char_indices()
            .find(|(at, c)| c.is_whitespace() || (*at > 0 && matches!(c, '(' | ')')))
            .map_or(rest.len(), |(at, _)| at);
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Ok(words)
}

pub(super) fn read_sums(_: &[u8], _: &mut Builder) -> Result<(), ReadError> {
    Err(ReadError::NotAlone {
        format: "go.sum",
        hint: "it also names what was only looked at: read go.mod, and hand this to `check_go_sums`",
    })
}

/// Holds the modules of a `go.mod` against its `go.sum`: one that has no sum there was changed by
/// hand, or is not the one that is built.
///
/// # Errors
/// A `go.sum` that is too large or is none.
pub fn check_go_sums(
    inventory: &mut Inventory,
    sums: &[u8],
    limits: &Limits,
) -> Result<(), ReadError> {
    if sums.len() > limits.bytes {
        return Err(ReadError::TooLong {
            bytes: sums.len(),
            most: limits.bytes,
        });
    }
    let mut known: HashSet<(&str, &str)> = HashSet::new();
    for (at, line) in lines(utf8(sums)?) {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words.as_slice() {
            [] => {}
            [path, version, _sum] => {
                known.insert((path, version.strip_suffix("/go.mod").unwrap_or(version)));
            }
            _ => return syntax((at, 1), "a line of go.sum has three words", None),
        }
    }
    for package in &inventory.packages {
        let is_module = package.scope.ecosystem == Ecosystem::Go;
        let is_fetched = package.origin == Origin::Registry;
        if is_module
            && is_fetched
            && !known.contains(&(package.name.as_str(), package.version.as_str()))
        {
            if inventory.gaps.len() >= limits.gaps {
                inventory.gaps_dropped += 1;
                continue;
            }
            inventory.gaps.push(Gap {
                line: package.line,
                why: Why::Conflict,
                subject: said(&package.name),
                message: format!("go.sum has no sum of `{}`", said(&package.version)),
            });
        }
    }
    Ok(())
}
