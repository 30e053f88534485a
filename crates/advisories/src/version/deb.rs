//! Versions of Debian and Ubuntu packages: `[epoch:]upstream[-revision]`.
//!
//! Source: Debian Policy §5.6.12, and dpkg's reading of it: a revision that is not there is `0`, an
//! epoch that is not there is 0. Within a part, runs of other characters and runs of digits take
//! turns; letters come before what is no letter, `~` before the end.

use std::cmp::Ordering;

use super::number::{by_value, is_number, split_digits};

/// A version, taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version<'a> {
    epoch: &'a str,
    upstream: &'a str,
    revision: &'a str,
}

pub(super) fn parse(text: &str) -> Result<Version<'_>, &'static str> {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) if is_number(epoch) => (epoch, rest),
        Some(_) => return Err("what stands before `:` is no number"),
        None => ("0", text),
    };
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
    if upstream.is_empty() || revision.is_empty() {
        return Err("a part of it is empty");
    }
    if !upstream.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("it begins with no digit");
    }
    let usable = |byte: u8| byte.is_ascii_alphanumeric() || b".+-~:".contains(&byte);
    if !rest.bytes().all(usable) || revision.contains(':') {
        return Err("a character of it stands in no Debian version");
    }
    Ok(Version {
        epoch,
        upstream,
        revision,
    })
}

pub(super) fn compare(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    by_value(a.epoch, b.epoch)
        .then_with(|| part(a.upstream, b.upstream))
        .then_with(|| part(a.revision, b.revision))
}

fn part(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (left, right) = (split_word(a), split_word(b));
        let order = word(left.0, right.0);
        if order != Ordering::Equal {
            return order;
        }
        let ((digits, after), (others, behind)) = (split_digits(left.1), split_digits(right.1));
        let order = by_value(digits, others);
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (after, behind);
    }
    Ordering::Equal
}

/// Splits before the first digit.
fn split_word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| c.is_ascii_digit());
    end.and_then(|end| text.split_at_checked(end))
        .unwrap_or((text, ""))
}

fn word(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.bytes(), b.bytes());
    loop {
        let (left, right) = (a.next(), b.next());
        let order = weight(left).cmp(&weight(right));
        if order != Ordering::Equal || left.is_none() {
            return order;
        }
    }
}

/// `~`, the end, letters, everything else.
fn weight(byte: Option<u8>) -> u16 {
    match byte {
        Some(b'~') => 0,
        None => 1,
        Some(letter) if letter.is_ascii_alphabetic() => u16::from(letter),
        Some(other) => 256 + u16::from(other),
    }
}
