//! Versions of rpm packages: `[epoch:]version[-release]`.
//!
//! Source: rpm's `rpmvercmp` and its manual's `rpm-version(7)`. Runs of digits and runs of letters
//! are compared one after the other, whatever stands between; `~` comes before the end, `^` after
//! it but before everything else, letters before digits. A version without a release comes before
//! the same one with any: advisories name both.

use std::cmp::Ordering;

use super::number::{by_value, is_number, split_while};

/// A version, taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version<'a> {
    epoch: &'a str,
    version: &'a str,
    release: Option<&'a str>,
}

pub(super) fn parse(text: &str) -> Result<Version<'_>, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("it holds white space");
    }
    // As rpm reads it: what stands before `:` is an epoch only where it is a number.
    let (epoch, rest) = match text.split_once(':') {
        Some(("", rest)) => ("0", rest),
        Some((epoch, rest)) if is_number(epoch) => (epoch, rest),
        _ => ("0", text),
    };
    let (version, release) = match rest.rsplit_once('-') {
        Some((version, release)) => (version, Some(release)),
        None => (rest, None),
    };
    Ok(Version {
        epoch,
        version,
        release,
    })
}

pub(super) fn compare(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    by_value(a.epoch, b.epoch)
        .then_with(|| part(a.version, b.version))
        .then_with(|| match (a.release, b.release) {
            (Some(a), Some(b)) => part(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        })
}

/// What is compared, in its order.
#[derive(Debug, Clone, Copy)]
enum Token<'a> {
    Tilde,
    End,
    Caret,
    Letters(&'a str),
    Digits(&'a str),
}

fn part(mut a: &str, mut b: &str) -> Ordering {
    loop {
        let (left, rest) = next(a);
        let (right, behind) = next(b);
        let order = match (left, right) {
            (Token::End, Token::End) => return Ordering::Equal,
            (Token::Letters(a), Token::Letters(b)) => a.cmp(b),
            (Token::Digits(a), Token::Digits(b)) => by_value(a, b),
            _ => rank(left).cmp(&rank(right)),
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest, behind);
    }
}

fn rank(token: Token<'_>) -> u8 {
    match token {
        Token::Tilde => 0,
        Token::End => 1,
        Token::Caret => 2,
        Token::Letters(_) => 3,
        Token::Digits(_) => 4,
    }
}

fn next(text: &str) -> (Token<'_>, &str) {
    let text =
        text.trim_start_matches(|c: char| !c.is_ascii_alphanumeric() && c != '~' && c != '^');
    if let Some(rest) = text.strip_prefix('~') {
        return (Token::Tilde, rest);
    }
    if let Some(rest) = text.strip_prefix('^') {
        return (Token::Caret, rest);
    }
    let (digits, rest) = split_while(text, |byte| byte.is_ascii_digit());
    if !digits.is_empty() {
        return (Token::Digits(digits), rest);
    }
    let (letters, rest) = split_while(text, |byte| byte.is_ascii_alphabetic());
    if letters.is_empty() {
        (Token::End, "")
    } else {
        (Token::Letters(letters), rest)
    }
}
