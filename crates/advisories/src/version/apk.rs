//! Versions of Alpine packages: `number{.number}{letter}{_suffix{number}}{~hash}{-r number}`.
//!
//! Source: apk-tools' manual `apk-package(5)` and what its version 3 does. Parts are compared from
//! the left; where one version has a part that the other lacks, the earlier kind of part is the
//! greater, but for a suffix that names a version before the release. A number after the first
//! that begins with `0` is compared as a text, as Gentoo does. What apk takes for no version is
//! none here, but for digits after the letter (`6.6.2p1`), which apk 2 took and old indexes hold.

use std::cmp::Ordering;

use super::number::{by_value, split_digits, split_while};

/// A version, taken apart. Each part but the first may be empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version<'a> {
    first: &'a str,
    /// `.1.02`
    numbers: &'a str,
    /// `p`, or `p1`.
    letter: &'a str,
    /// `_rc1_p2`
    suffixes: &'a str,
    /// Without `~`.
    hash: &'a str,
    revision: Option<&'a str>,
}

/// Suffixes in their order.
const SUFFIXES: &[&str] = &["alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"];
/// The suffixes before this one come before the version without a suffix.
const RELEASED: usize = 4;

pub(super) fn parse(text: &str) -> Result<Version<'_>, &'static str> {
    let (first, rest) = split_digits(text);
    if first.is_empty() {
        return Err("an Alpine version begins with a digit");
    }
    let (numbers, rest) = split_after(rest, |text| {
        let (digits, rest) = split_digits(text.strip_prefix('.')?);
        (!digits.is_empty()).then_some(rest)
    });
    let (letter, rest) = split_after(rest, |text| {
        let rest = text.strip_prefix(|c: char| c.is_ascii_lowercase())?;
        Some(split_digits(rest).1)
    });
    if letter.chars().filter(char::is_ascii_lowercase).count() > 1 {
        return Err("an Alpine version has one letter after its numbers");
    }
    let (suffixes, rest) = split_after(rest, |text| suffix(text).map(|(_, _, rest)| rest));
    let (hash, rest) = match rest.strip_prefix('~') {
        Some(rest) => split_while(rest, |byte| byte.is_ascii_hexdigit()),
        None => ("", rest),
    };
    let (revision, rest) = match rest.strip_prefix("-r") {
        Some(rest) => {
            let (digits, rest) = split_digits(rest);
            if digits.is_empty() {
                return Err("`-r` is followed by a number");
            }
            (Some(digits), rest)
        }
        None => (None, rest),
    };
    if !rest.is_empty() {
        return Err("an Alpine version is `1.2.3a_rc1-r0`, with fewer parts or these");
    }
    Ok(Version {
        first,
        numbers,
        letter,
        suffixes,
        hash,
        revision,
    })
}

/// Splits `text` after what `step` takes off, as often as it does.
fn split_after<'a>(text: &'a str, step: impl Fn(&'a str) -> Option<&'a str>) -> (&'a str, &'a str) {
    let mut rest = text;
    while let Some(after) = step(rest) {
        rest = after;
    }
    let taken = text.len().saturating_sub(rest.len());
    text.split_at_checked(taken).unwrap_or((text, ""))
}

/// `_rc1` as its place among [`SUFFIXES`], its number, and what follows.
fn suffix(text: &str) -> Option<(usize, &str, &str)> {
    let (word, rest) = split_while(text.strip_prefix('_')?, |byte| byte.is_ascii_lowercase());
    let place = SUFFIXES.iter().position(|known| *known == word)?;
    let (number, rest) = split_digits(rest);
    Some((place, number, rest))
}

pub(super) fn compare(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    by_value(a.first, b.first).then_with(|| {
        let (mut left, mut right) = (a.tail(), b.tail());
        loop {
            let (l, r) = (left.next(), right.next());
            let order = part(&l, &r);
            if order != Ordering::Equal || l == Part::End {
                return order;
            }
        }
    })
}

/// What follows the first number, part by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    Number(&'a str),
    Letter(&'a str),
    LetterNumber(&'a str),
    Suffix(usize),
    SuffixNumber(&'a str),
    Hash(&'a str),
    Revision(&'a str),
    End,
}

/// What is left of a version.
struct Tail<'a> {
    left: Version<'a>,
    /// The number of the suffix before.
    number: Option<&'a str>,
}

impl<'a> Version<'a> {
    fn tail(&self) -> Tail<'a> {
        Tail {
            left: *self,
            number: None,
        }
    }
}

impl<'a> Tail<'a> {
    fn next(&mut self) -> Part<'a> {
        let left = &mut self.left;
        if let Some(rest) = left.numbers.strip_prefix('.') {
            let (digits, rest) = split_digits(rest);
            left.numbers = rest;
            return Part::Number(digits);
        }
        if !left.letter.is_empty() {
            let (letter, rest) = split_while(left.letter, |byte| byte.is_ascii_lowercase());
            if letter.is_empty() {
                left.letter = "";
                return Part::LetterNumber(rest);
            }
            left.letter = rest;
            return Part::Letter(letter);
        }
        if let Some(number) = self.number.take() {
            return Part::SuffixNumber(number);
        }
        if let Some((place, number, rest)) = suffix(left.suffixes) {
            left.suffixes = rest;
            self.number = (!number.is_empty()).then_some(number);
            return Part::Suffix(place);
        }
        let hash = std::mem::take(&mut left.hash);
        if !hash.is_empty() {
            return Part::Hash(hash);
        }
        left.revision.take().map_or(Part::End, Part::Revision)
    }
}

fn part(a: &Part<'_>, b: &Part<'_>) -> Ordering {
    match (a, b) {
        (Part::Number(a), Part::Number(b)) if a.starts_with('0') || b.starts_with('0') => a.cmp(b),
        (Part::Number(a), Part::Number(b))
        | (Part::LetterNumber(a), Part::LetterNumber(b))
        | (Part::SuffixNumber(a), Part::SuffixNumber(b))
        | (Part::Revision(a), Part::Revision(b)) => by_value(a, b),
        (Part::Letter(a), Part::Letter(b)) | (Part::Hash(a), Part::Hash(b)) => a.cmp(b),
        (Part::Suffix(a), Part::Suffix(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// Where two versions have parts of different kinds: the greater has the greater rank.
fn rank(part: &Part<'_>) -> u8 {
    match part {
        Part::Suffix(place) if *place < RELEASED => 0,
        Part::End => 1,
        Part::Revision(_) => 2,
        Part::Hash(_) => 3,
        Part::SuffixNumber(_) => 4,
        Part::Suffix(_) => 5,
        // The number comes where the letter was, and is compared with what follows a letter.
        Part::LetterNumber(_) => 6,
        Part::Letter(_) => 7,
        Part::Number(_) => 8,
    }
}
