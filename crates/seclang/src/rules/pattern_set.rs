//! Patterns that are tried on one value together, with the same first look that rules get.

use regex::{RegexSet, RegexSetBuilder};

use super::prefilter::CHUNK;
use super::wants::Wants;
use super::{ByteSet, Prefilter};
use crate::error::Error;

/// LIMIT: patterns of one set.
const PATTERNS_MAX: usize = 64 * CHUNK;
/// LIMIT: bytes of one compiled set.
const SET_BYTES_MAX: usize = 8 << 20;

/// Patterns of text, in the syntax of the `regex` crate: `\d`, `\s` and `\w` are Unicode's, other classes
/// and case folding of Unicode are not there.
///
/// What a value lacks that every pattern needs (a length, some bytes, literals) is seen in one cheap
/// pass; only a value that some pattern can match is held to them, in one more pass that is linear in
/// it whatever it holds.
#[derive(Debug)]
pub struct PatternSet {
    set: RegexSet,
    prefilter: Prefilter,
}

impl PatternSet {
    /// Compiles at most 256 patterns, together to at most 8 MiB; what searches need beside is as much
    /// again at most.
    ///
    /// # Errors
    /// [`Error::Patterns`] when one of them is not understood, or they are too large.
    pub fn new(patterns: &[&str]) -> Result<Self, Error> {
        let refused = |problem: String| Error::Patterns { problem };
        if patterns.len() > PATTERNS_MAX {
            return Err(refused(format!(
                "there are {}, and at most {PATTERNS_MAX} may be",
                patterns.len()
            )));
        }
        let set = RegexSetBuilder::new(patterns)
            .size_limit(SET_BYTES_MAX)
            .build()
            .map_err(|error| refused(error.to_string()))?;
        let wants = patterns.iter().map(|pattern| {
            let parsed = regex_syntax::parse(pattern);
            let parsed = parsed.map_err(|error| refused(error.to_string()))?;
            Ok(Wants::of(&parsed))
        });
        let wants: Result<_, Error> = wants.collect();
        Ok(Self {
            set,
            prefilter: Prefilter::of(wants?),
        })
    }

    /// The number of the first pattern that matches somewhere in `value`.
    pub fn first_match(&self, value: &str) -> Option<usize> {
        if !self.may_match(value.as_bytes()) {
            return None;
        }
        self.set.matches(value).iter().next()
    }

    fn may_match(&self, value: &[u8]) -> bool {
        let (mut found, mut candidates) = ([0; CHUNK], [0; CHUNK]);
        let set = ByteSet::of(value);
        self.prefilter
            .candidates(value, &set, &mut found, &mut candidates);
        candidates != [0; CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATTERNS: [&str; 6] = [
        r"\bunion\s+select\b",
        r"(?:^|/)\.\.(?:/|$)",
        r"[0-9]{3}-[a-f]+",
        r"é+x|ÿ\s",
        r"<(?:script|iframe)[\s>]",
        r"\x00",
    ];

    #[test]
    fn first_match_is_what_the_patterns_say_one_by_one() {
        let set = PatternSet::new(&PATTERNS).unwrap();
        let alone = PATTERNS.map(|pattern| regex::Regex::new(pattern).unwrap());
        let pieces = [
            "union", "\u{3000}", " ", "select", "selects", "../", "..", "/", "a", "123", "-", "ff",
            "é", "x", "ÿ", "<script", ">", "<IFRAME", "<iframe", "\0", "\n",
        ];
        let mut matched = 0;
        for first in pieces {
            for second in pieces {
                for third in pieces {
                    let value = [first, second, third].concat();
                    let expected = alone.iter().position(|regex| regex.is_match(&value));
                    assert_eq!(set.first_match(&value), expected, "{value:?}");
                    matched += usize::from(expected.is_some());
                }
            }
        }
        assert!(matched > 1_000, "{matched}");
    }

    #[test]
    fn values_that_lack_what_all_need_are_told_without_a_match() {
        let set = PatternSet::new(&PATTERNS).unwrap();
        for value in ["", "garden chairs", "selection of chairs", "<b>bold"] {
            assert!(!set.may_match(value.as_bytes()), "{value}");
        }
        assert!(set.may_match(b"union select"));
    }

    #[test]
    fn patterns_that_are_none_are_refused() {
        let error = PatternSet::new(&["a", "(b"]).unwrap_err();
        assert!(error.to_string().contains("(b"), "{error}");
        let error = PatternSet::new(&["a"; PATTERNS_MAX + 1]).unwrap_err();
        assert!(error.to_string().contains("257"), "{error}");
        assert!(PatternSet::new(&["a"; PATTERNS_MAX]).is_ok());
    }
}
