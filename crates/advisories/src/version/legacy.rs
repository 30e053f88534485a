//! Versions of Python packages that PEP 440 does not take: `0.9-doduo`.
//!
//! Source: the order of `pkg_resources.parse_version` before PEP 440, which setuptools' manual
//! described: runs of digits and runs of letters are parts; a word comes before a number; words
//! that name a pre-release come before the end of the version, others after it. Numbers of up to
//! eight digits are compared by value, longer ones as texts.

use std::cmp::Ordering;

use super::number::{ignoring_case, is_zero, split_digits, split_while};

/// A version, as its parts.
#[derive(Debug, Clone)]
pub(super) struct Version<'a> {
    parts: Vec<Part<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    Word(&'a str),
    Number(&'a str),
}

/// The end of every version, and what words are measured by.
const FINAL: &str = "final";
/// What `-` stands for.
const DASH: &str = "final-";
/// Numbers are filled with zeros to this many digits, and then compared as texts.
const WIDTH: usize = 8;

pub(super) fn parse(text: &str) -> Result<Version<'_>, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it holds white space, or letters that are not ASCII");
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((part, after)) = next(rest) {
        rest = after;
        if let Some(part) = part {
            push(&mut parts, part);
        }
    }
    push(&mut parts, Part::Word(FINAL));
    Ok(Version { parts })
}

fn push<'a>(parts: &mut Vec<Part<'a>>, part: Part<'a>) {
    if let Part::Word(word) = part {
        if ignoring_case(word, FINAL) == Ordering::Less {
            while parts.last() == Some(&Part::Word(DASH)) {
                parts.pop();
            }
        }
        // Zeros before a word do not count, as far as they are at most eight.
        let zero =
            |part: &Part<'_>| matches!(part, Part::Number(n) if is_zero(n) && n.len() <= WIDTH);
        while parts.last().is_some_and(zero) {
            parts.pop();
        }
    }
    parts.push(part);
}

/// The first part, where it counts, and what follows it.
fn next(text: &str) -> Option<(Option<Part<'_>>, &str)> {
    if let Some(rest) = text.strip_prefix('.') {
        return Some((None, rest));
    }
    if let Some(rest) = text.strip_prefix('-') {
        return Some((Some(Part::Word(DASH)), rest));
    }
    let (digits, rest) = split_digits(text);
    if !digits.is_empty() {
        return Some((Some(Part::Number(digits)), rest));
    }
    let (word, rest) = split_while(text, |byte| byte.is_ascii_alphabetic());
    if !word.is_empty() {
        return Some((Some(Part::Word(meant(word))), rest));
    }
    let (other, rest) = split_while(text, |byte| {
        !byte.is_ascii_alphanumeric() && byte != b'.' && byte != b'-'
    });
    (!other.is_empty()).then_some((Some(Part::Word(other)), rest))
}

/// Words for one thing.
fn meant(word: &str) -> &str {
    const MEANT: &[(&str, &str)] = &[("pre", "c"), ("preview", "c"), ("rc", "c"), ("dev", "@")];
    MEANT
        .iter()
        .find(|(known, _)| word.eq_ignore_ascii_case(known))
        .map_or(word, |(_, meant)| meant)
}

pub(super) fn compare(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    let mut pairs = a.parts.iter().zip(&b.parts);
    pairs
        .find_map(|(a, b)| Some(part(*a, *b)).filter(|order| *order != Ordering::Equal))
        .unwrap_or_else(|| a.parts.len().cmp(&b.parts.len()))
}

fn part(a: Part<'_>, b: Part<'_>) -> Ordering {
    match (a, b) {
        (Part::Word(a), Part::Word(b)) => ignoring_case(a, b),
        (Part::Number(a), Part::Number(b)) => filled(a).cmp(filled(b)),
        (Part::Word(_), Part::Number(_)) => Ordering::Less,
        (Part::Number(_), Part::Word(_)) => Ordering::Greater,
    }
}

/// The digits with zeros before them.
fn filled(digits: &str) -> impl Iterator<Item = u8> + '_ {
    let missing = WIDTH.saturating_sub(digits.len());
    std::iter::repeat_n(b'0', missing).chain(digits.bytes())
}
