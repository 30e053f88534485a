//! `@pm phrases`, `@pmFromFile files` (also `@pmf`): whether one of many phrases occurs.
//!
//! - Arguments: phrases between spaces, in which `|68 69|` spells bytes in hexadecimal; or names
//!   of files between spaces, with one phrase a line, `#` beginning a comment.
//! - Returns: true when one occurs, ASCII case aside; `TX.0` is what the value has there.
//! - Example: `SecRule REQUEST_HEADERS:User-Agent "@pm sqlmap nikto" "id:1,capture,deny"`.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::bytes::{hex_pair, is_space, split_once, tail, trim};
use crate::place::Bad;

/// Phrases, all looked for at once.
#[derive(Clone, Debug)]
pub(crate) struct Pm {
    automaton: AhoCorasick,
    /// Until all rules are known.
    phrases: Vec<Vec<u8>>,
}

impl Pm {
    pub(crate) fn new(phrases: &[Vec<u8>]) -> Result<Self, Bad> {
        if phrases.is_empty() {
            return Err(Bad::new("no phrase is named"));
        }
        // A dense automaton of few phrases is fast; one of thousands would be large.
        let kind = (phrases.len() > 512).then_some(AhoCorasickKind::ContiguousNFA);
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(kind)
            .build(phrases)
            .map_err(|error| Bad::new(format!("the phrases are too many: {error}")))?;
        Ok(Self {
            automaton,
            phrases: phrases.to_vec(),
        })
    }

    /// The phrases, once.
    pub(crate) fn take_phrases(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.phrases)
    }

    /// Where the first phrase to end stands.
    pub(crate) fn find(&self, value: &[u8]) -> Option<Range<usize>> {
        Some(self.automaton.find(value)?.range())
    }

    pub(crate) fn matches(&self, value: &[u8]) -> bool {
        self.automaton.is_match(value)
    }
}

/// The phrases of `@pm`.
pub(crate) fn phrases(argument: &[u8]) -> Vec<Vec<u8>> {
    let text = spelled(argument).unwrap_or_else(|| argument.to_vec());
    let words = text.split(|byte| is_space(*byte));
    words
        .filter(|word| !word.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

/// The argument with its hexadecimal blocks as bytes; none when they are not well formed.
fn spelled(argument: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let mut rest = argument;
    while let Some((before, after)) = split_once(rest, b'|') {
        text.extend_from_slice(before);
        let (block, after) = split_once(after, b'|')?;
        if block.is_empty() {
            return None;
        }
        for word in block.split(|byte| *byte == b' ') {
            if word.len() != 2 {
                return None;
            }
            text.push(hex_pair(word, 0)?);
        }
        rest = after;
    }
    text.extend_from_slice(rest);
    Some(text)
}

/// The phrases of a file of `@pmFromFile`.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let text = text
        .strip_prefix(b"\xef\xbb\xbf")
        .map_or(text, |rest| tail(rest, 0));
    let lines = text.split(|byte| *byte == b'\n').map(trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
        .map(|line| spelled(line).unwrap_or_else(|| line.to_vec()))
}
