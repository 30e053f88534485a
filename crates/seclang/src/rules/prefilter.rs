//! Which rules can match a value at all, answered for all rules at once.
//!
//! Every operator that needs something of a value has a bit. A value's candidates are found in three
//! steps, each for all bits together: its length, the bytes that occur in it, and, when there is still
//! a candidate that needs one, one Aho-Corasick pass for the literals of all patterns and phrases,
//! ASCII case aside. What is left out cannot match; what stays may.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::needs::{Needs, SETS_MAX};
use super::wants::{self, Wants};
use super::{ByteSet, Rule};

/// Lengths beyond this are all the same.
const LENGTHS: usize = 32;
/// Of longer literals only so many bytes are looked for: they tell enough, and all of them together
/// have few enough states for a dense automaton.
const LITERAL_MAX: usize = 6;
/// LIMIT: states of a dense automaton, of about 256 bytes each.
const STATES_MAX: usize = 48_000;

/// What all operators of some rules need.
#[derive(Debug, Default)]
pub(crate) struct Prefilter {
    /// How many words a bit for each operator takes.
    words: usize,
    /// For each byte: `SETS_MAX` layers of words. A bit of a layer says that the byte is in the
    /// operator's set of that layer.
    by_byte: Vec<u64>,
    /// The same layers, for operators that have no set there: they need nothing.
    without: Vec<u64>,
    /// For each length up to the greatest that is told apart: who may match.
    by_length: Vec<u64>,
    /// Operators that need no literal.
    literal_free: Vec<u64>,
    /// Operators that no single word or number satisfies.
    not_words: Vec<u64>,
    automaton: Option<AhoCorasick>,
    /// The bit of each literal's operator.
    bits: Vec<u32>,
}

impl Prefilter {
    /// Gives a bit to each of these rules whose operator needs something.
    pub(super) fn build(rules: &mut [Rule], chosen: impl Fn(usize) -> bool) -> Self {
        let mut all = Vec::new();
        for (at, rule) in rules.iter_mut().enumerate().filter(|(at, _)| chosen(*at)) {
            if let Some(wants) = rule.operator.as_mut().and_then(wants::of) {
                all.push((at, wants));
            }
        }
        let mut prefilter = Self::sized(all.len());
        let mut literals = Vec::new();
        for (bit, (at, wants)) in (0_u32..).zip(all) {
            if let Some(rule) = rules.get_mut(at) {
                rule.bit = Some(bit);
            }
            prefilter.learn(bit, &wants);
            literals.extend(wants.literals.into_iter().map(|mut literal| {
                literal.truncate(LITERAL_MAX);
                literal.make_ascii_lowercase();
                (literal, bit)
            }));
        }
        literals.sort_unstable();
        literals.dedup();
        let (literals, bits): (Vec<Vec<u8>>, Vec<u32>) = literals.into_iter().unzip();
        let kind = if states(&literals) <= STATES_MAX {
            AhoCorasickKind::DFA
        } else {
            AhoCorasickKind::ContiguousNFA
        };
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(kind))
            .build(&literals);
        prefilter.automaton = automaton.ok().filter(|_| !literals.is_empty());
        prefilter.bits = bits;
        prefilter
    }

    fn sized(bits: usize) -> Self {
        let words = bits.div_ceil(64);
        Self {
            words,
            by_byte: vec![0; 256 * SETS_MAX * words],
            without: vec![0; SETS_MAX * words],
            by_length: vec![0; (LENGTHS + 1) * words],
            literal_free: vec![0; words],
            not_words: vec![0; words],
            automaton: None,
            bits: Vec::new(),
        }
    }

    fn learn(&mut self, bit: u32, wants: &Wants) {
        let Needs { length, sets } = &wants.needs;
        let words = self.words;
        for length in *length..=LENGTHS {
            raise(&mut self.by_length, length * words, bit);
        }
        if *length > LENGTHS {
            raise(&mut self.by_length, LENGTHS * words, bit);
        }
        for layer in 0..SETS_MAX {
            match sets.get(layer) {
                None => raise(&mut self.without, layer * words, bit),
                Some(set) => {
                    for byte in set.iter() {
                        let begin = (usize::from(byte) * SETS_MAX + layer) * words;
                        raise(&mut self.by_byte, begin, bit);
                    }
                }
            }
        }
        if wants.literals.is_empty() {
            raise(&mut self.literal_free, 0, bit);
        }
        if wants.not_a_word {
            raise(&mut self.not_words, 0, bit);
        }
    }

    /// How many words the candidates take.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// Puts the candidates for a value in `out`, which is long enough. `layers` is only lent. Answers
    /// whether all of the value had to be looked at.
    pub(crate) fn candidates(
        &self,
        value: &[u8],
        set: &ByteSet,
        layers: &mut Vec<u64>,
        out: &mut [u64],
    ) -> bool {
        layers.clear();
        layers.extend_from_slice(&self.without);
        let size = layers.len();
        for byte in set.iter() {
            let begin = usize::from(byte) * size;
            let of_byte = self.by_byte.get(begin..begin + size).unwrap_or_default();
            for (word, more) in layers.iter_mut().zip(of_byte) {
                *word |= more;
            }
        }
        let begin = value.len().min(LENGTHS) * self.words;
        out.copy_from_slice(
            self.by_length
                .get(begin..begin + self.words)
                .unwrap_or_default(),
        );
        for layer in layers.chunks_exact(self.words.max(1)) {
            meet(out, layer);
        }
        if joint(out, &self.not_words) && crate::operator::is_word(value) {
            for (word, not) in out.iter_mut().zip(&self.not_words) {
                *word &= !not;
            }
        }
        let asks = out
            .iter()
            .zip(&self.literal_free)
            .any(|(word, free)| word & !free != 0);
        if asks {
            self.literals(value, layers, out);
        }
        asks
    }

    fn literals(&self, value: &[u8], found: &mut Vec<u64>, out: &mut [u64]) {
        let Some(automaton) = &self.automaton else {
            // Without an automaton nothing is known: all stay candidates.
            return;
        };
        found.clear();
        found.extend_from_slice(&self.literal_free);
        for one in automaton.find_overlapping_iter(value) {
            let pattern = one.pattern().as_usize();
            let bit = self.bits.get(pattern).copied().unwrap_or_default();
            raise(found, 0, bit);
        }
        meet(out, found);
    }
}

/// How many beginnings sorted literals have.
fn states(literals: &[Vec<u8>]) -> usize {
    let mut before: &[u8] = &[];
    let mut count = 1;
    for literal in literals {
        let pairs = before.iter().zip(literal);
        count += literal.len() - pairs.take_while(|(a, b)| a == b).count();
        before = literal;
    }
    count
}

fn raise(words: &mut [u64], begin: usize, bit: u32) {
    if let Some(word) = words.get_mut(begin + (bit / 64) as usize) {
        *word |= 1 << (bit % 64);
    }
}

fn meet(out: &mut [u64], with: &[u64]) {
    for (word, with) in out.iter_mut().zip(with) {
        *word &= with;
    }
}

fn joint(a: &[u64], b: &[u64]) -> bool {
    a.iter().zip(b).any(|(a, b)| a & b != 0)
}
