//! SQL injection by tokens, as libinjection has it: a value is read as SQL would read it (as it is, and
//! as if it began within quotes), its tokens are folded to five at most, and their kinds are looked up
//! among the fingerprints of known attacks.
//!
//! The verdicts and fingerprints are those of the libinjection that libmodsecurity 3.0.15 carries, byte
//! for byte, its defects among them: it is what rules were written against. Nothing here allocates, and every byte of a value is
//! read a fixed number of times.

mod fold;
mod kind;
#[cfg(test)]
mod tests;
mod token;
mod tokens;
mod words;

use crate::bytes::at;
use fold::Folded;
use tokens::{Dialect, Reader};

/// Tokens of a fingerprint.
const TOKENS_MAX: usize = 5;

/// The kinds of a value's folded tokens, a letter each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    kinds: [u8; TOKENS_MAX],
    length: usize,
}

impl Fingerprint {
    /// Its letters.
    pub(crate) fn letters(&self) -> &[u8] {
        self.kinds.get(..self.length).unwrap_or_default()
    }
}

/// The fingerprint of the attack that a value is; none when it is no attack.
pub(crate) fn sql(value: &[u8]) -> Option<Fingerprint> {
    if value.is_empty() {
        return None;
    }
    ansi_then_mysql(value, None)
        .or_else(|| {
            memchr::memchr(b'\'', value)?;
            ansi_then_mysql(value, Some(b'\''))
        })
        .or_else(|| {
            memchr::memchr(b'"', value)?;
            read(value, Some(b'"'), Dialect::Mysql).0
        })
}

/// As the standard has it; where the dialects read comments differently, also as MySQL does.
fn ansi_then_mysql(value: &[u8], quote: Option<u8>) -> Option<Fingerprint> {
    let (found, differs) = read(value, quote, Dialect::Ansi);
    if found.is_some() || !differs {
        return found;
    }
    read(value, quote, Dialect::Mysql).0
}

/// The fingerprint, when it is an attack's; and whether the other dialect may read something else.
fn read(value: &[u8], quote: Option<u8>, dialect: Dialect) -> (Option<Fingerprint>, bool) {
    let folded = Folded::of(Reader::new(value, quote, dialect));
    let print = fingerprint(&folded);
    let is_attack = words::is_known_attack(print.letters()) && is_credible(value, &folded, &print);
    (is_attack.then_some(print), folded.dialects_differ)
}

fn fingerprint(folded: &Folded) -> Fingerprint {
    let mut print = Fingerprint {
        kinds: [0; TOKENS_MAX],
        length: folded.count.min(TOKENS_MAX),
    };
    for (place, token) in print.kinds.iter_mut().zip(&folded.tokens) {
        *place = token.kind;
    }
    // What cannot be read for certain is an attack, whatever else is there; it may be the token after
    // those of a fingerprint.
    let mut tokens = folded.tokens.iter().take(folded.count);
    if tokens.any(|token| token.kind == kind::EVIL) {
        print.kinds = [0; TOKENS_MAX];
        if let Some(first) = print.kinds.first_mut() {
            *first = kind::EVIL;
        }
        print.length = 1;
    }
    print
}

/// Short fingerprints are those of much that is harmless: these are told apart by their texts.
fn is_credible(value: &[u8], folded: &Folded, print: &Fingerprint) -> bool {
    let letters = print.letters();
    // SQL Server leaves statements that say this out of its log.
    let ends_in_comment = letters.len() > 1 && letters.last() == Some(&kind::COMMENT);
    if ends_in_comment && crate::bytes::contains(value, b"sp_password") {
        return true;
    }
    match letters.len() {
        2 => two_are_credible(value, folded, letters),
        3 => three_are_credible(folded, letters),
        _ => true,
    }
}

fn two_are_credible(value: &[u8], folded: &Folded, letters: &[u8]) -> bool {
    let [first, second, ..] = &folded.tokens;
    if letters.last() == Some(&kind::UNION) {
        return folded.read != 2;
    }
    let comment = second.text().first().copied();
    if comment == Some(b'#') {
        return false;
    }
    if second.kind == kind::COMMENT {
        if first.kind == kind::BAREWORD && comment != Some(b'/') {
            return false;
        }
        if first.kind == kind::NUMBER {
            return comment == Some(b'/')
                || folded.read > 2
                || ends_a_number(value, first.length());
        }
    }
    // `1--` is an attempt, `1-- and more` is prose.
    !(second.length() > 2 && comment == Some(b'-'))
}

/// Whether what follows a number of this length ends it: `1234 --`, not `1234-ABC--`. The number is taken
/// for the first token of the value, which it need not be.
fn ends_a_number(value: &[u8], length: usize) -> bool {
    let next = at(value, length + 1);
    match at(value, length) {
        // Bytes beyond ASCII are negative there.
        None => true,
        Some(byte) if byte <= b' ' || !byte.is_ascii() => true,
        Some(b'/') => next == Some(b'*'),
        Some(b'-') => next == Some(b'-'),
        Some(_) => false,
    }
}

fn three_are_credible(folded: &Folded, letters: &[u8]) -> bool {
    let [first, second, third, ..] = &folded.tokens;
    match letters {
        // `…foo' + 'bar…`: neither is closed on its outer side.
        b"sos" | b"s&s" => first.open == 0 && third.close == 0 && first.close == third.open,
        b"s&n" | b"n&1" | b"1&1" | b"1&v" | b"1&s" => folded.read != 3,
        // Of keywords only `INTO OUTFILE` and `INTO DUMPFILE` stand there in earnest.
        _ if second.kind == kind::KEYWORD => {
            second.length() >= 5 && words::is(second.text().get(..4), b"INTO")
        }
        _ => true,
    }
}
