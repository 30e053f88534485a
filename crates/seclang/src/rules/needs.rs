//! What every value has that a pattern matches: a length, and of some sets of bytes at least one
//! each. Looked up before anything else, for next to nothing.

use regex_syntax::hir::{Class, Hir, HirKind};

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut set = Self::default();
        for byte in bytes {
            set.insert(*byte);
        }
        set
    }

    fn insert(&mut self, byte: u8) {
        if let Some(word) = self.0.get_mut(usize::from(byte >> 6)) {
            *word |= 1 << (byte & 63);
        }
    }

    fn union(mut self, other: Self) -> Self {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
        self
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.0
            .iter()
            .zip(other.0)
            .any(|(word, other)| word & other != 0)
    }

    fn has(&self, byte: u8) -> bool {
        let word = self
            .0
            .get(usize::from(byte >> 6))
            .copied()
            .unwrap_or_default();
        word >> (byte & 63) & 1 == 1
    }

    /// How likely a value has one of them: letters, digits and spaces are everywhere.
    fn weight(&self) -> u32 {
        let weight = |byte: u8| match byte {
            b'a'..=b'z' | b' ' => 16,
            b'A'..=b'Z' | b'0'..=b'9' => 8,
            b'-' | b'.' | b'/' | b'=' | b'_' | b',' => 4,
            _ => 1,
        };
        (0..=u8::MAX)
            .filter(|byte| self.has(*byte))
            .map(weight)
            .sum()
    }
}

/// LIMIT: sets of one pattern.
const SETS_MAX: usize = 4;
/// A set that most values meet is not worth a look.
const WEIGHT_MAX: u32 = 220;

/// What a pattern needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    length: usize,
    sets: Box<[ByteSet]>,
}

impl Needs {
    pub(super) fn of(pattern: &Hir) -> Self {
        let mut sets = Vec::new();
        collect(pattern, &mut sets);
        sets.sort_by_key(ByteSet::weight);
        sets.dedup();
        sets.retain(|set| set.weight() <= WEIGHT_MAX);
        sets.truncate(SETS_MAX);
        Self {
            length: pattern.properties().minimum_len().unwrap_or_default(),
            sets: sets.into(),
        }
    }

    /// Whether a value of this length, with these bytes, may match.
    pub(crate) fn met(&self, length: usize, bytes: &ByteSet) -> bool {
        length >= self.length && self.sets.iter().all(|set| set.meets(bytes))
    }

    /// Whether the bytes of a value are asked for at all.
    pub(crate) fn asks_bytes(&self) -> bool {
        !self.sets.is_empty()
    }
}

/// Sets of which every match has one byte each.
fn collect(pattern: &Hir, sets: &mut Vec<ByteSet>) {
    match pattern.kind() {
        HirKind::Literal(literal) => {
            sets.extend(literal.0.iter().map(|byte| ByteSet::of(&[*byte])));
        }
        HirKind::Class(Class::Bytes(class)) => {
            let mut set = ByteSet::default();
            for byte in class.iter().flat_map(|range| range.start()..=range.end()) {
                set.insert(byte);
            }
            sets.push(set);
        }
        HirKind::Repetition(repetition) if repetition.min > 0 => collect(&repetition.sub, sets),
        HirKind::Capture(capture) => collect(&capture.sub, sets),
        HirKind::Concat(parts) => {
            for part in parts {
                collect(part, sets);
            }
        }
        HirKind::Alternation(parts) => {
            // Of each alternative its best set; together they are one.
            let mut whole = ByteSet::default();
            for part in parts {
                let mut own = Vec::new();
                collect(part, &mut own);
                match own.into_iter().min_by_key(ByteSet::weight) {
                    Some(best) => whole = whole.union(best),
                    None => return,
                }
            }
            sets.push(whole);
        }
        _ => {}
    }
}
