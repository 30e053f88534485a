//! Words and phrases of SQL, and the fingerprints of attacks. The table is data of libinjection, as the
//! crate `libinjectionrs` carries it; it is sorted, its words are in upper case.

use std::cmp::Ordering;

use libinjectionrs::sqli::sqli_data::SQL_KEYWORDS;

use super::{TOKENS_MAX, kind};

/// Where fingerprints begin in the table, and where they end: words are after them.
const PRINTS: (usize, usize) = (before(b'0'), before(b'1'));

/// How many words begin with a lesser byte.
#[expect(
    clippy::indexing_slicing,
    reason = "run when this is compiled, within the length"
)]
const fn before(first: u8) -> usize {
    let mut count = 0;
    while count < SQL_KEYWORDS.len() {
        match SQL_KEYWORDS[count].word.as_bytes() {
            [begin, ..] if *begin >= first => return count,
            _ => count += 1,
        }
    }
    count
}

/// The kind of a word or phrase, case aside.
pub(super) fn kind(word: &[u8]) -> Option<u8> {
    let (begin, end) = PRINTS;
    let part = match word.first()? {
        b'1'.. => SQL_KEYWORDS.get(end..),
        b'0' => SQL_KEYWORDS.get(begin..end),
        _ => SQL_KEYWORDS.get(..begin),
    };
    let part = part.unwrap_or_default();
    let found = part.binary_search_by(|known| compare(known.word.as_bytes(), word));
    part.get(found.ok()?).map(|known| known.token_type)
}

/// Whether a text is a word in upper case, case aside.
pub(super) fn is(text: Option<&[u8]>, word: &[u8]) -> bool {
    text.is_some_and(|text| text.eq_ignore_ascii_case(word))
}

/// Whether these letters are an attack's: they stand in the table in upper case, after a zero.
pub(super) fn is_known_attack(letters: &[u8]) -> bool {
    let mut key = [b'0'; TOKENS_MAX + 1];
    for (place, letter) in key.iter_mut().skip(1).zip(letters) {
        *place = *letter;
    }
    let key = key.get(..=letters.len()).unwrap_or_default();
    !letters.is_empty() && kind(key) == Some(kind::FINGERPRINT)
}

/// The order of a word in upper case and a text, case aside.
fn compare(known: &[u8], text: &[u8]) -> Ordering {
    for (known, byte) in known.iter().zip(text) {
        match known.cmp(&byte.to_ascii_uppercase()) {
            Ordering::Equal => {}
            other => return other,
        }
    }
    known.len().cmp(&text.len())
}
