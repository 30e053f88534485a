//! Versions of Maven artifacts: `1.2.3-rc-1`.
//!
//! Source: the version order specification of Maven's POM reference, which `ComparableVersion`
//! implements. Runs of digits and of other characters are tokens; a change from one to the other
//! stands for `-`. Zeros and words for a release before a `-` or a word do not count. Words come
//! in the order alpha, beta, milestone, rc, snapshot, the release, sp, then all others by their
//! letters; then numbers after `-`, then numbers after `.`.
//!
//! Where the specification's padding is no order (`1 < 1-1 < 1.0.alpha < 1`), a word after `.` is
//! one after `-`, as Maven 3.9 has it.

use std::cmp::Ordering;

use super::number::{by_value, ignoring_case, is_zero, split_digits};

/// A version, as its tokens.
#[derive(Debug, Clone)]
pub(super) struct Version<'a> {
    tokens: Vec<Token<'a>>,
}

#[derive(Debug, Clone, Copy)]
enum Token<'a> {
    Word {
        rank: u8,
        word: &'a str,
    },
    /// A number after `-`.
    Dashed(&'a str),
    /// A number after `.`, and the first.
    Dotted(&'a str),
}

/// The rank of the release itself.
const RELEASE: u8 = 5;
/// The rank of words that Maven does not know.
const OTHER: u8 = 7;

const WORDS: &[(&str, u8)] = &[
    ("alpha", 0),
    ("beta", 1),
    ("milestone", 2),
    ("rc", 3),
    ("cr", 3),
    ("snapshot", 4),
    ("", RELEASE),
    ("ga", RELEASE),
    ("final", RELEASE),
    ("release", RELEASE),
    ("sp", 6),
];
/// What stands for a word where a digit follows.
const SHORT: &[(&str, u8)] = &[("a", 0), ("b", 1), ("m", 2)];

pub(super) fn parse(text: &str) -> Result<Version<'_>, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it holds white space, or letters that are not ASCII");
    }
    let mut tokens = Vec::new();
    let (mut rest, mut after) = (text, '.');
    loop {
        let (digits, behind) = split_digits(rest);
        let end = behind.find(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
        let (word, follows) = match end {
            _ if !digits.is_empty() => ("", behind),
            Some(end) => behind.split_at_checked(end).unwrap_or((behind, "")),
            None => (behind, ""),
        };
        let token = if word.is_empty() {
            // A token that is empty is the number zero.
            number(after, digits)
        } else {
            let digit_follows = follows.starts_with(|c: char| c.is_ascii_digit());
            Token::Word {
                rank: rank(word, digit_follows),
                word,
            }
        };
        if after == '-' || matches!(token, Token::Word { .. }) {
            trim(&mut tokens);
        }
        tokens.push(token);
        match follows.strip_prefix(['.', '-']) {
            Some(next) => {
                after = if follows.starts_with('.') { '.' } else { '-' };
                rest = next;
            }
            None if follows.is_empty() => break,
            None => {
                after = '-';
                rest = follows;
            }
        }
    }
    trim(&mut tokens);
    Ok(Version { tokens })
}

fn number(after: char, digits: &str) -> Token<'_> {
    if after == '.' {
        Token::Dotted(digits)
    } else {
        Token::Dashed(digits)
    }
}

fn rank(word: &str, digit_follows: bool) -> u8 {
    let known = |words: &[(&str, u8)]| {
        words
            .iter()
            .find(|(known, _)| word.eq_ignore_ascii_case(known))
            .map(|(_, rank)| *rank)
    };
    let short = if digit_follows { known(SHORT) } else { None };
    short.or_else(|| known(WORDS)).unwrap_or(OTHER)
}

/// Takes off what means nothing at the end.
fn trim(tokens: &mut Vec<Token<'_>>) {
    let nothing = |token: &Token<'_>| match token {
        Token::Word { rank, .. } => *rank == RELEASE,
        Token::Dashed(digits) | Token::Dotted(digits) => is_zero(digits),
    };
    while tokens.last().is_some_and(nothing) {
        tokens.pop();
    }
}

pub(super) fn compare(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    let (mut a, mut b) = (a.tokens.iter(), b.tokens.iter());
    loop {
        let (left, right) = (a.next(), b.next());
        if left.is_none() && right.is_none() {
            return Ordering::Equal;
        }
        let order = token(left, right);
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// What is not there is the release.
///
/// INVARIANT: a number after `.` that is zero is followed by one that is not, or it would have
/// been taken off: so it may come after the release, though zero.
fn token(a: Option<&Token<'_>>, b: Option<&Token<'_>>) -> Ordering {
    let release = Token::Word {
        rank: RELEASE,
        word: "",
    };
    match (a.unwrap_or(&release), b.unwrap_or(&release)) {
        (
            Token::Word { rank, word },
            Token::Word {
                rank: other,
                word: against,
            },
        ) => rank.cmp(other).then_with(|| match *rank {
            OTHER => ignoring_case(word, against),
            _ => Ordering::Equal,
        }),
        (Token::Dashed(a), Token::Dashed(b)) | (Token::Dotted(a), Token::Dotted(b)) => {
            by_value(a, b)
        }
        (a, b) => kind(a).cmp(&kind(b)),
    }
}

fn kind(token: &Token<'_>) -> u8 {
    match token {
        Token::Word { .. } => 0,
        Token::Dashed(_) => 1,
        Token::Dotted(_) => 2,
    }
}
