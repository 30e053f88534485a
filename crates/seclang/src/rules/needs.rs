//! What every value has that an operator holds for: a length, and of some sets of bytes at least one
//! each.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::ByteSet;

/// LIMIT: sets of one pattern.
pub(super) const SETS_MAX: usize = 2;
/// A set that most values meet is not worth a look.
const WEIGHT_MAX: u32 = 220;

/// What an operator needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// The least length.
    pub(super) length: usize,
    pub(super) sets: Vec<ByteSet>,
}

impl Needs {
    pub(super) fn of(pattern: &Hir) -> Self {
        let mut sets = Vec::new();
        collect(pattern, &mut sets);
        sets.sort_by_key(weight);
        sets.dedup();
        sets.retain(|set| weight(set) <= WEIGHT_MAX);
        sets.truncate(SETS_MAX);
        Self {
            length: pattern.properties().minimum_len().unwrap_or_default(),
            sets,
        }
    }

    /// One byte of a set.
    pub(super) fn one_of(set: ByteSet) -> Self {
        Self {
            length: 1,
            sets: vec![set],
        }
    }
}

/// How likely a value has one of a set: letters, digits and spaces are everywhere.
fn weight(set: &ByteSet) -> u32 {
    let weight = |byte: u8| match byte {
        b'a'..=b'z' | b' ' => 16,
        b'A'..=b'Z' | b'0'..=b'9' => 8,
        b'-' | b'.' | b'/' | b'=' | b'_' | b',' => 4,
        _ => 1,
    };
    set.iter().map(weight).sum()
}

/// The bytes of a class; none where it has characters of several bytes.
fn set_of(class: &Class) -> Option<ByteSet> {
    let bytes = match class {
        Class::Bytes(class) => class.clone(),
        Class::Unicode(class) => class.to_byte_class()?,
    };
    let mut set = ByteSet::default();
    for byte in bytes.iter().flat_map(|range| range.start()..=range.end()) {
        set.insert(byte);
    }
    Some(set)
}

/// Sets of which every match has one byte each.
fn collect(pattern: &Hir, sets: &mut Vec<ByteSet>) {
    match pattern.kind() {
        HirKind::Literal(literal) => {
            sets.extend(literal.0.iter().map(|byte| ByteSet::of(&[*byte])));
        }
        HirKind::Class(class) => sets.extend(set_of(class)),
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
                match own.into_iter().min_by_key(weight) {
                    Some(best) => whole = whole.union(best),
                    None => return,
                }
            }
            sets.push(whole);
        }
        _ => {}
    }
}
