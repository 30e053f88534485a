//! Versions of Ruby gems: `1.2.3.rc1`.
//!
//! Source: `Gem::Version`. Runs of digits and runs of letters are segments, `-` stands for
//! `.pre.`; a word comes before any number, and a segment that is not there is zero. Zeros before
//! the first word, and at the end, do not count: `1.0.a2` is `1.a.2`.

use std::cmp::Ordering;

use super::number::{by_value, is_zero, split_digits, split_while};

/// A version, taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version<'a> {
    /// The numbers before the first word, up to the last that is not zero.
    numbers: &'a str,
    /// From the first word on.
    rest: &'a str,
}

pub(super) fn parse(text: &str) -> Result<Version<'_>, &'static str> {
    let text = text.trim_ascii();
    check(text)?;
    let mut rest = text;
    // How much is left after the last number that counts.
    let mut left = text.len();
    while let Some((Segment::Number(digits), after)) = next(rest) {
        rest = after;
        if !is_zero(digits) {
            left = rest.len();
        }
    }
    let numbers = text.get(..text.len().saturating_sub(left));
    Ok(Version {
        numbers: numbers.unwrap_or_default(),
        rest,
    })
}

/// `Gem::Version::VERSION_PATTERN`: a number, parts after dots, parts after `-`.
fn check(text: &str) -> Result<(), &'static str> {
    let (release, pre) = match text.split_once('-') {
        Some((release, pre)) => (release, Some(pre)),
        None => (text, None),
    };
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let dashed = |part: &str| {
        let usable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !part.is_empty() && part.bytes().all(usable)
    };
    // `1beta` is none by the pattern; versions before it was written look so, and are compared.
    let begins = release.starts_with(|c: char| c.is_ascii_digit());
    if begins && release.split('.').all(plain) && pre.is_none_or(|pre| pre.split('.').all(dashed)) {
        Ok(())
    } else {
        Err("a gem's version is numbers and words between dots, and begins with a number")
    }
}

/// What is compared.
#[derive(Debug, Clone, Copy)]
enum Segment<'a> {
    Word(&'a str),
    Number(&'a str),
}

/// The first segment, and what follows it.
fn next(text: &str) -> Option<(Segment<'_>, &str)> {
    let text = text.trim_start_matches('.');
    if let Some(rest) = text.strip_prefix('-') {
        return Some((Segment::Word("pre"), rest));
    }
    let (digits, rest) = split_digits(text);
    if !digits.is_empty() {
        return Some((Segment::Number(digits), rest));
    }
    let (word, rest) = split_while(text, |byte| byte.is_ascii_alphabetic());
    (!word.is_empty()).then_some((Segment::Word(word), rest))
}

pub(super) fn compare(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    let mut a = Segments(a.numbers, a.rest);
    let mut b = Segments(b.numbers, b.rest);
    loop {
        let (left, right) = (a.next(), b.next());
        if left.is_none() && right.is_none() {
            return Ordering::Equal;
        }
        let zero = Segment::Number("");
        let order = match (left.unwrap_or(zero), right.unwrap_or(zero)) {
            (Segment::Number(a), Segment::Number(b)) => by_value(a, b),
            (Segment::Word(a), Segment::Word(b)) => a.cmp(b),
            (Segment::Word(_), Segment::Number(_)) => Ordering::Less,
            (Segment::Number(_), Segment::Word(_)) => Ordering::Greater,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// The segments of two texts, one after the other.
struct Segments<'a>(&'a str, &'a str);

impl<'a> Segments<'a> {
    fn next(&mut self) -> Option<Segment<'a>> {
        for text in [&mut self.0, &mut self.1] {
            if let Some((segment, rest)) = next(text) {
                *text = rest;
                return Some(segment);
            }
        }
        None
    }
}
