//! Which patterns can match a value at all: all literals that patterns need are looked for at once.
//!
//! A pattern that needs one of some literals is a candidate for a value only when one of them occurs
//! there, ASCII case aside. One pass over a value answers for all rules; most values are the same
//! under most chains of transformations, so one pass is often enough for all chains as well.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::{Rule, literals};
use crate::operator::Test;

/// The literals of all patterns.
#[derive(Debug, Default)]
pub(crate) struct Literals {
    automaton: Option<AhoCorasick>,
    /// The bit of each literal's pattern.
    bits: Vec<u32>,
    words: usize,
}

impl Literals {
    /// Gives every rule whose pattern needs literals its bit.
    pub(super) fn build(rules: &mut [Rule]) -> Self {
        let mut all = Vec::new();
        let mut bits = Vec::new();
        let mut count: u32 = 0;
        for rule in rules.iter_mut().filter(|rule| !rule.multi_match) {
            let Some(Test::Rx(rx)) = rule.operator.as_ref().map(|operator| &operator.test) else {
                continue;
            };
            let Some(needed) = rx.hir().as_ref().and_then(literals::needed) else {
                continue;
            };
            rule.bit = Some(count);
            bits.extend(needed.iter().map(|_| count));
            all.extend(needed);
            count += 1;
        }
        // Dense automata of many thousand literals are larger than what the processor keeps near.
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&all);
        Self {
            automaton: automaton.ok().filter(|_| !all.is_empty()),
            bits,
            words: (count as usize).div_ceil(64),
        }
    }

    /// How many words the candidates take.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// Sets the bit of every candidate for `value` in `out`, which is zero and long enough.
    pub(crate) fn candidates(&self, value: &[u8], out: &mut [u64]) {
        let Some(automaton) = &self.automaton else {
            // Without an automaton nothing is known: all are candidates.
            out.fill(u64::MAX);
            return;
        };
        for found in automaton.find_overlapping_iter(value) {
            let pattern = found.pattern().as_usize();
            let bit = self.bits.get(pattern).copied().unwrap_or_default();
            if let Some(word) = out.get_mut((bit / 64) as usize) {
                *word |= 1 << (bit % 64);
            }
        }
    }
}
