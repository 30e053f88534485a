//! Which patterns can match a value at all: all literals that patterns need are looked for at once.
//!
//! Rules with the same chain of transformations make a group. A pattern that needs one of some
//! literals is a candidate for a value only when one of them occurs there, ASCII case aside;
//! patterns without such literals are always candidates.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::{Rule, literals};
use crate::operator::Test;
use crate::transform::Trie;

/// A group for each node of the trie.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: Vec<Group>,
}

#[derive(Debug, Default)]
struct Group {
    automaton: Option<AhoCorasick>,
    /// The bit of each literal's pattern.
    bits: Vec<u32>,
    words: usize,
}

impl Groups {
    /// Gives every rule whose pattern needs literals its bit.
    pub(super) fn build(rules: &mut [Rule], trie: &Trie) -> Self {
        let mut literals_of: Vec<Vec<Vec<u8>>> = vec![Vec::new(); trie.len()];
        let mut bits: Vec<Vec<u32>> = vec![Vec::new(); trie.len()];
        let mut counts = vec![0_u32; trie.len()];
        for rule in rules.iter_mut().filter(|rule| !rule.multi_match) {
            let Some(Test::Rx(rx)) = rule.operator.as_ref().map(|operator| &operator.test) else {
                continue;
            };
            let node = rule.node.index();
            let needed = rx.hir().as_ref().and_then(literals::needed);
            let (Some(needed), Some(count)) = (needed, counts.get_mut(node)) else {
                continue;
            };
            rule.bit = Some(*count);
            for literal in needed {
                if let (Some(literals), Some(bits)) =
                    (literals_of.get_mut(node), bits.get_mut(node))
                {
                    literals.push(literal);
                    bits.push(*count);
                }
            }
            *count += 1;
        }
        let groups = literals_of.into_iter().zip(bits).zip(counts);
        let groups = groups.map(|((literals, bits), count)| Group {
            automaton: automaton(&literals),
            bits,
            words: (count as usize).div_ceil(64),
        });
        Self {
            groups: groups.collect(),
        }
    }

    /// How many words the candidates of a group take.
    pub(crate) fn words(&self, node: usize) -> usize {
        self.groups.get(node).map_or(0, |group| group.words)
    }

    /// Sets the bit of every candidate for `value` in `out`, which is zero and long enough.
    pub(crate) fn candidates(&self, node: usize, value: &[u8], out: &mut [u64]) {
        let Some(group) = self.groups.get(node) else {
            return;
        };
        let Some(automaton) = &group.automaton else {
            // Without an automaton nothing is known: all are candidates.
            out.fill(u64::MAX);
            return;
        };
        for found in automaton.find_overlapping_iter(value) {
            let bit = group
                .bits
                .get(found.pattern().as_usize())
                .copied()
                .unwrap_or_default();
            if let Some(word) = out.get_mut((bit / 64) as usize) {
                *word |= 1 << (bit % 64);
            }
        }
    }
}

/// LIMIT: a dense automaton takes about 256 bytes for each byte of literals.
const DENSE_MAX: usize = 6_000;

fn automaton(literals: &[Vec<u8>]) -> Option<AhoCorasick> {
    if literals.is_empty() {
        return None;
    }
    let bytes: usize = literals.iter().map(Vec::len).sum();
    let kind = if bytes <= DENSE_MAX {
        AhoCorasickKind::DFA
    } else {
        AhoCorasickKind::ContiguousNFA
    };
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(kind))
        .build(literals);
    automaton.ok()
}
