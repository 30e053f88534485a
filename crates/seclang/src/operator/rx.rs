//! `@rx pattern`, and `@rxGlobal pattern`: whether a pattern matches.
//!
//! - Arguments: a pattern of PCRE without look-around and back references: what needs more than
//!   one pass over the value is refused when it is loaded. `.` matches line feeds, and `^` and `$`
//!   also match at lines, as in ModSecurity 3.
//! - Returns: true when it matches anywhere; with `capture`, `TX.0` is the whole match and `TX.1`
//!   to `TX.9` are its groups (of the last match, with `@rxGlobal`).
//! - Example: `SecRule ARGS "@rx (?i)union\s+select" "id:1,capture,deny"`.

use std::ops::Range;

use regex::bytes::{Captures, Regex, RegexBuilder};
use regex_syntax::hir::Hir;

use super::whole::Whole;
use super::{Groups, pcre};
use crate::place::Bad;

/// LIMIT: what one compiled pattern, and its cache while it runs, may take.
const PATTERN_BYTES: usize = 8 << 20;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(crate) struct Rx {
    /// The pattern in the syntax of `regex`.
    pub(crate) pattern: String,
    regex: Regex,
    /// The same, where it can be asked without the automaton.
    pub(super) whole: Option<Whole>,
}

impl Rx {
    pub(crate) fn parse(argument: &[u8]) -> Result<Self, Bad> {
        let pattern = pcre::translate(argument)?;
        let regex = RegexBuilder::new(&pattern)
            .unicode(false)
            .dot_matches_new_line(true)
            .multi_line(true)
            .size_limit(PATTERN_BYTES)
            .dfa_size_limit(PATTERN_BYTES)
            .build()
            .map_err(|error| {
                Bad::new(format!(
                    "the pattern is not understood: {}",
                    last_line(&error)
                ))
            })?;
        let whole = parsed(&pattern).as_ref().and_then(Whole::of);
        Ok(Self {
            pattern,
            regex,
            whole,
        })
    }

    pub(crate) fn matches(&self, value: &[u8]) -> bool {
        let known = self.whole.as_ref().and_then(|whole| whole.matches(value));
        known.unwrap_or_else(|| self.regex.is_match(value))
    }

    /// The pattern's structure, from which literals are taken.
    pub(crate) fn hir(&self) -> Option<Hir> {
        parsed(&self.pattern)
    }

    /// Every match, one after the other.
    pub(crate) fn find_all(&self, value: &[u8]) -> impl Iterator<Item = Range<usize>> {
        self.regex.find_iter(value).map(|found| found.range())
    }

    /// Groups of the first match, or of the last one.
    pub(crate) fn groups(&self, value: &[u8], which: Which) -> Option<Groups> {
        let whole = |found: &[u8]| Groups::from_iter([(0, found.to_vec())]);
        if let Some(known) = self.whole.as_ref().and_then(|whole| whole.matches(value)) {
            return known.then(|| whole(value));
        }
        // What has no groups is the whole match, which is found faster than groups are.
        if self.regex.captures_len() == 1 && which == Which::First {
            return Some(whole(self.regex.find(value)?.as_bytes()));
        }
        let found = match which {
            Which::First => self.regex.captures(value),
            Which::Last => self.regex.captures_iter(value).last(),
        };
        found.map(|found| groups(&found))
    }
}

fn parsed(pattern: &str) -> Option<Hir> {
    let mut parser = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .multi_line(true)
        .build();
    parser.parse(pattern).ok()
}

/// Which of several matches is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    First,
    Last,
}

/// LIMIT: ten groups have a place in TX.
fn groups(found: &Captures<'_>) -> Groups {
    let groups = found.iter().enumerate().take(10);
    groups
        .filter_map(|(at, group)| Some((at, group?.as_bytes().to_vec())))
        .collect()
}

/// The libraries draw the pattern with an arrow; the sentence comes last.
fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().last().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}
