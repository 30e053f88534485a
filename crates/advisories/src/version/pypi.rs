//! Versions of Python packages: `[N!]N(.N)*[{a|b|rc}N][.postN][.devN][+local]`.
//!
//! Source: PEP 440, its normalisation and its order (as `packaging.version` has it). What PEP 440
//! does not take is read by the older rule (`legacy.rs`), and comes before every version that it
//! does.

use std::cmp::Ordering;

use super::legacy;
use super::number::{
    by_value, ignoring_case, is_number, is_zero, split_digits, strip_ignoring_case,
};

/// A version of either rule.
#[derive(Debug, Clone)]
pub(super) enum Version<'a> {
    Legacy(legacy::Version<'a>),
    Pep440(Pep440<'a>),
}

/// A version of PEP 440, taken apart.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pep440<'a> {
    epoch: &'a str,
    release: &'a str,
    pre: Option<(Pre, &'a str)>,
    post: Option<&'a str>,
    dev: Option<&'a str>,
    local: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pre {
    Alpha,
    Beta,
    Candidate,
}

/// Longer words first: `alpha` begins with `a`.
const PRE: &[(&str, Pre)] = &[
    ("alpha", Pre::Alpha),
    ("a", Pre::Alpha),
    ("beta", Pre::Beta),
    ("b", Pre::Beta),
    ("rc", Pre::Candidate),
    ("c", Pre::Candidate),
    ("preview", Pre::Candidate),
    ("pre", Pre::Candidate),
];

const SEPARATORS: [char; 3] = ['-', '_', '.'];

pub(super) fn parse(text: &str) -> Result<Version<'_>, &'static str> {
    let text = text.trim_ascii();
    match pep440(text) {
        Some(version) => Ok(Version::Pep440(version)),
        None => legacy::parse(text).map(Version::Legacy),
    }
}

/// Whether PEP 440 takes the version. Of the others the order is a convention that no installer of
/// today keeps.
pub(super) fn is_pep440(version: &Version<'_>) -> bool {
    matches!(version, Version::Pep440(_))
}

fn pep440(text: &str) -> Option<Pep440<'_>> {
    let mut version = Pep440::default();
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let (text, local) = match text.split_once('+') {
        Some((text, local)) => (text, Some(local)),
        None => (text, None),
    };
    let mut rest = text;
    if let Some((epoch, after)) = text.split_once('!') {
        version.epoch = is_number(epoch).then_some(epoch)?;
        rest = after;
    }
    (version.release, rest) = release(rest)?;
    if let Some((kind, number, after)) = pre(rest) {
        version.pre = Some((kind, number));
        rest = after;
    }
    if let Some((number, after)) = post(rest) {
        version.post = Some(number);
        rest = after;
    }
    if let Some((number, after)) = tagged(rest, &["dev"]) {
        version.dev = Some(number);
        rest = after;
    }
    if let Some(local) = local {
        let part =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        version.local = local.split(SEPARATORS).all(part).then_some(local);
        version.local?;
    }
    rest.is_empty().then_some(version)
}

/// `1.2.3`, without the zeros at its end, and what follows it.
fn release(text: &str) -> Option<(&str, &str)> {
    let (first, mut rest) = split_digits(text);
    if first.is_empty() {
        return None;
    }
    // How much is left after the last number that counts.
    let mut left = if is_zero(first) {
        text.len()
    } else {
        rest.len()
    };
    while let Some(after) = rest.strip_prefix('.') {
        let (digits, after) = split_digits(after);
        if digits.is_empty() {
            break;
        }
        rest = after;
        if !is_zero(digits) {
            left = rest.len();
        }
    }
    let counted = text.get(..text.len().saturating_sub(left))?;
    Some((counted, rest))
}

fn pre(text: &str) -> Option<(Pre, &str, &str)> {
    let text = text.strip_prefix(SEPARATORS).unwrap_or(text);
    let (kind, rest) = PRE
        .iter()
        .find_map(|(word, kind)| Some((*kind, strip_ignoring_case(text, word)?)))?;
    let (number, rest) = number(rest);
    Some((kind, number, rest))
}

/// `-1`, or `.post1` in its spellings.
fn post(text: &str) -> Option<(&str, &str)> {
    if let Some(rest) = text.strip_prefix('-') {
        let (digits, rest) = split_digits(rest);
        if !digits.is_empty() {
            return Some((digits, rest));
        }
    }
    tagged(text, &["post", "rev", "r"])
}

fn tagged<'a>(text: &'a str, words: &[&str]) -> Option<(&'a str, &'a str)> {
    let text = text.strip_prefix(SEPARATORS).unwrap_or(text);
    let rest = words
        .iter()
        .find_map(|word| strip_ignoring_case(text, word))?;
    Some(number(rest))
}

/// The number after a word; none is 0. The separator before it may stand without it, as in the
/// pattern of PEP 440's appendix B.
fn number(text: &str) -> (&str, &str) {
    split_digits(text.strip_prefix(SEPARATORS).unwrap_or(text))
}

pub(super) fn compare(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    match (a, b) {
        (Version::Pep440(a), Version::Pep440(b)) => ordered(a, b),
        (Version::Legacy(a), Version::Legacy(b)) => legacy::compare(a, b),
        (Version::Legacy(_), Version::Pep440(_)) => Ordering::Less,
        (Version::Pep440(_), Version::Legacy(_)) => Ordering::Greater,
    }
}

fn ordered(a: &Pep440<'_>, b: &Pep440<'_>) -> Ordering {
    by_value(a.epoch, b.epoch)
        .then_with(|| numbers(a.release, b.release))
        .then_with(|| {
            let (left, right) = (before(a), before(b));
            left.0.cmp(&right.0).then_with(|| by_value(left.1, right.1))
        })
        .then_with(|| match (a.post, b.post) {
            (Some(a), Some(b)) => by_value(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        })
        .then_with(|| match (a.dev, b.dev) {
            (Some(a), Some(b)) => by_value(a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        })
        .then_with(|| match (a.local, b.local) {
            (Some(a), Some(b)) => local(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        })
}

/// The place a version has by its pre-release: `1.dev1` comes before `1a1`, `1.post1` after all.
fn before<'a>(version: &Pep440<'a>) -> (u8, &'a str) {
    match (version.pre, version.post, version.dev) {
        (None, None, Some(_)) => (0, ""),
        (None, _, _) => (4, ""),
        (Some((Pre::Alpha, number)), _, _) => (1, number),
        (Some((Pre::Beta, number)), _, _) => (2, number),
        (Some((Pre::Candidate, number)), _, _) => (3, number),
    }
}

fn numbers(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let (left, right) = (a.next(), b.next());
        if left.is_none() && right.is_none() {
            return Ordering::Equal;
        }
        let order = by_value(left.unwrap_or(""), right.unwrap_or(""));
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn local(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split(SEPARATORS), b.split(SEPARATORS));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (Some(a), Some(b)) => match (is_number(a), is_number(b)) {
                (true, true) => by_value(a, b),
                (false, false) => ignoring_case(a, b),
                (a, b) => a.cmp(&b),
            },
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}
