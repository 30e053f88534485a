//! Versions of .NET packages: `1.2.3.4-beta.1+build`.
//!
//! Source: NuGet's package versioning: Semantic Versioning 2.0.0 with a fourth number, numbers that
//! may begin with `0` or be left out, and labels whose letters' case does not count.

use std::cmp::Ordering;

use super::number::{by_value, ignoring_case, is_number};
use super::semver::identifiers;

/// A version, taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version<'a> {
    numbers: [&'a str; 4],
    labels: Option<&'a str>,
}

pub(super) fn parse(text: &str) -> Result<Version<'_>, &'static str> {
    let (text, build) = match text.split_once('+') {
        Some((text, build)) => (text, Some(build)),
        None => (text, None),
    };
    let (core, labels) = match text.split_once('-') {
        Some((core, labels)) => (core, Some(labels)),
        None => (text, None),
    };
    let mut numbers = ["0"; 4];
    let mut places = numbers.iter_mut();
    for number in core.split('.') {
        let place = places.next().ok_or("it has more than four numbers")?;
        if !is_number(number) {
            return Err("a NuGet version is `1.2.3.4`, then `-beta.1` or `+build`");
        }
        *place = number;
    }
    let parts = [labels, build].into_iter().flatten();
    for label in parts.flat_map(|part| part.split('.')) {
        let usable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if label.is_empty() || !label.bytes().all(usable) {
            return Err("a label is letters, digits and `-`");
        }
    }
    Ok(Version { numbers, labels })
}

pub(super) fn compare(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    a.numbers
        .iter()
        .zip(&b.numbers)
        .map(|(a, b)| by_value(a, b))
        .find(|order| *order != Ordering::Equal)
        .unwrap_or(Ordering::Equal)
        .then_with(|| match (a.labels, b.labels) {
            (Some(a), Some(b)) => identifiers(a, b, ignoring_case),
            (a, b) => b.is_some().cmp(&a.is_some()),
        })
}
