//! Versions of PHP packages: `1.2.3-RC1`.
//!
//! Source: Composer's `VersionParser` and PHP's `version_compare`, which it asks. A leading `v`, the
//! case of words and what follows `+` do not count, numbers are filled up to four with zeros, so that
//! `1.0` is `1.0.0` and `2.0.0-RC1` comes before `2.0` (`version_compare` alone says otherwise). Runs of
//! digits and runs of letters are parts; words come in the order dev, alpha, beta, rc, a number,
//! patch.
//!
//! Branches (`dev-main`, `2.x-dev`) and other words name no place in the order: they are
//! refused, where `version_compare` would put them before everything or take them for equal.

use std::cmp::Ordering;

use super::number::{by_value, split_digits, split_while};

/// A version, checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version<'a> {
    text: &'a str,
}

pub(super) fn parse(text: &str) -> Result<Version<'_>, &'static str> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let (text, build) = match text.split_once('+') {
        Some((text, build)) => (text, Some(build)),
        None => (text, None),
    };
    if build.is_some_and(|build| build.is_empty() || !build.bytes().all(|b| b.is_ascii_graphic())) {
        return Err("what follows `+` is empty, or no text");
    }
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("it begins with no number: a branch has no place in the order of versions");
    }
    let mut rest = text;
    while let Some((part, after)) = next(rest) {
        if let Part::Word(word) = part
            && rank(word).is_none()
        {
            return Err("a word of it is none of dev, alpha, beta, rc, patch");
        }
        rest = after;
    }
    if rest.is_empty() {
        Ok(Version { text })
    } else {
        Err("a PHP version is numbers and words between `.`, `-` or `_`")
    }
}

/// What is compared.
#[derive(Debug, Clone, Copy)]
enum Part<'a> {
    Number(&'a str),
    Word(&'a str),
}

/// The first part, and what follows it.
fn next(text: &str) -> Option<(Part<'_>, &str)> {
    let text = text.trim_start_matches(['.', '-', '_']);
    let (digits, rest) = split_digits(text);
    if !digits.is_empty() {
        return Some((Part::Number(digits), rest));
    }
    let (word, rest) = split_while(text, |byte| byte.is_ascii_alphabetic());
    (!word.is_empty()).then_some((Part::Word(word), rest))
}

/// Where a number stands among the words, and where a version ends.
const NUMBER: u8 = 4;

fn rank(word: &str) -> Option<u8> {
    const WORDS: &[(&str, u8)] = &[
        ("dev", 0),
        ("alpha", 1),
        ("a", 1),
        ("beta", 2),
        ("b", 2),
        ("rc", 3),
        ("patch", 5),
        ("pl", 5),
        ("p", 5),
    ];
    WORDS
        .iter()
        .find(|(known, _)| word.eq_ignore_ascii_case(known))
        .map(|(_, rank)| *rank)
}

/// Composer fills versions up to so many numbers.
const NUMBERS: usize = 4;

pub(super) fn compare(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    let (mut a, mut b) = (a.text, b.text);
    for at in 0_usize.. {
        let (left, right) = (filled(a, at), filled(b, at));
        let order = match (left, right) {
            (None, None) => return Ordering::Equal,
            (Some((Part::Number(a), _)), Some((Part::Number(b), _))) => by_value(a, b),
            (Some((Part::Number(_), _)), None) => Ordering::Greater,
            (None, Some((Part::Number(_), _))) => Ordering::Less,
            (a, b) => place(a).cmp(&place(b)),
        };
        if order != Ordering::Equal {
            return order;
        }
        a = left.map_or("", |(_, rest)| rest);
        b = right.map_or("", |(_, rest)| rest);
    }
    Ordering::Equal
}

/// The next part; among the first four places a zero where no number stands.
fn filled(text: &str, at: usize) -> Option<(Part<'_>, &str)> {
    match next(text) {
        Some((Part::Word(_), _)) | None if at < NUMBERS => Some((Part::Number("0"), text)),
        found => found,
    }
}

fn place(part: Option<(Part<'_>, &str)>) -> u8 {
    match part {
        Some((Part::Word(word), _)) => rank(word).unwrap_or(0),
        Some((Part::Number(_), _)) | None => NUMBER,
    }
}
