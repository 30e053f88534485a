//! Semantic versions: `1.2.3-rc.1+build`, of npm, crates, Go modules, Hex and Pub.
//!
//! Source: Semantic Versioning 2.0.0 §9 to §11. Numbers that are left out are zero and a `v` before
//! them is passed over, as tags and Go modules have them. Build metadata does not count, but for
//! Pub, whose `pub_semver` compares it last (and reads `-01` as the number 1).

use std::cmp::Ordering;

use super::number::{by_value, is_number, split_digits};

/// What an ecosystem adds to the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Nothing.
    Plain,
    /// Build metadata counts.
    Pub,
}

/// A version, taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version<'a> {
    core: [&'a str; 3],
    pre: Option<&'a str>,
    /// Only where it counts.
    build: Option<&'a str>,
}

pub(super) fn parse(text: &str, dialect: Dialect) -> Result<Version<'_>, &'static str> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (text, build) = match text.split_once('+') {
        Some((text, build)) => (text, Some(build)),
        None => (text, None),
    };
    let (numbers, pre) = match text.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (text, None),
    };
    let mut core = ["0"; 3];
    let mut places = core.iter_mut();
    for number in numbers.split('.') {
        let place = places.next().ok_or("it has more than three numbers")?;
        if !is_number(number) {
            return Err("a semantic version is `1.2.3`, then `-rc.1` or `+build`");
        }
        if number.len() > 1 && number.starts_with('0') {
            return Err("a number of it begins with `0` (Semantic Versioning §2)");
        }
        *place = number;
    }
    for identifier in pre.into_iter().flat_map(|pre| pre.split('.')) {
        check(identifier)?;
        let padded = identifier.len() > 1 && identifier.starts_with('0') && is_number(identifier);
        if padded && dialect == Dialect::Plain {
            return Err("a number after `-` begins with `0` (Semantic Versioning §9)");
        }
    }
    for identifier in build.into_iter().flat_map(|build| build.split('.')) {
        check(identifier)?;
    }
    Ok(Version {
        core,
        pre,
        build: build.filter(|_| dialect == Dialect::Pub),
    })
}

fn check(identifier: &str) -> Result<(), &'static str> {
    let usable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if identifier.is_empty() || !identifier.bytes().all(usable) {
        return Err("what follows `-` or `+` is letters, digits and `-`, in parts between dots");
    }
    Ok(())
}

pub(super) fn compare(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    a.core
        .iter()
        .zip(&b.core)
        .map(|(a, b)| by_value(a, b))
        .find(|order| *order != Ordering::Equal)
        .unwrap_or(Ordering::Equal)
        .then_with(|| match (a.pre, b.pre) {
            (Some(a), Some(b)) => identifiers(a, b, str::cmp),
            // A version comes after all that lead to it.
            (a, b) => b.is_some().cmp(&a.is_some()),
        })
        .then_with(|| match (a.build, b.build) {
            (Some(a), Some(b)) => identifiers(a, b, str::cmp),
            (a, b) => a.is_some().cmp(&b.is_some()),
        })
}

/// Compares identifiers between dots: numbers by value and before words, fewer before more.
pub(super) fn identifiers(a: &str, b: &str, words: fn(&str, &str) -> Ordering) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (Some(a), Some(b)) => match (is_number(a), is_number(b)) {
                (true, true) => by_value(a, b),
                (false, false) => words(a, b),
                (a, b) => b.cmp(&a),
            },
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// The three numbers of a version, for the ranges that requirements name.
pub(crate) fn core(text: &str) -> Option<[&str; 3]> {
    parse(text, Dialect::Plain).ok().map(|version| version.core)
}

/// The number after `number`.
pub(crate) fn successor(number: &str) -> String {
    let (digits, _) = split_digits(number);
    let kept = digits.trim_end_matches('9');
    let nines = digits.len().saturating_sub(kept.len());
    let mut next: String = match kept.char_indices().next_back() {
        Some((at, last)) => {
            let head = kept.get(..at).unwrap_or_default();
            let last = last.to_digit(10).unwrap_or(0).saturating_add(1);
            format!("{head}{last}")
        }
        None => "1".to_owned(),
    };
    next.extend(std::iter::repeat_n('0', nines));
    next
}
