//! Texts with macros (`%{TX.score}`), taken apart when rules are loaded; and the interned names of
//! TX variables. Expanding them is the transaction's work.

use std::collections::{BTreeSet, HashMap};

use crate::bytes::{head, tail};
use crate::place::Bad;
use crate::variable::Variable;

/// Where a TX variable whose name is known when rules are loaded lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot(pub(crate) u32);

impl Slot {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The names of TX variables, in lower case; the first ten are `0` to `9`.
#[derive(Clone, Debug)]
pub(crate) struct TxNames {
    slots: HashMap<Vec<u8>, Slot, ahash::RandomState>,
    names: Vec<Vec<u8>>,
    /// Variables that macros name.
    variables: BTreeSet<Variable>,
}

impl Default for TxNames {
    fn default() -> Self {
        let mut names = Self {
            slots: HashMap::default(),
            names: Vec::new(),
            variables: BTreeSet::new(),
        };
        for digit in b'0'..=b'9' {
            names.intern(&[digit]);
        }
        names
    }
}

impl TxNames {
    /// The slot of a name, made when it is new.
    pub(crate) fn intern(&mut self, name: &[u8]) -> Slot {
        let lower = name.to_ascii_lowercase();
        if let Some(slot) = self.slots.get(&lower) {
            return *slot;
        }
        let slot = Slot(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(lower.clone());
        self.slots.insert(lower, slot);
        slot
    }

    /// The slot of a name in lower case, if rules name it.
    pub(crate) fn find(&self, lower: &[u8]) -> Option<Slot> {
        self.slots.get(lower).copied()
    }

    /// The name of a slot, in lower case.
    pub(crate) fn name(&self, slot: Slot) -> &[u8] {
        self.names.get(slot.index()).map_or(&[], Vec::as_slice)
    }

    /// Variables that macros name.
    pub(crate) fn variables(&self) -> impl Iterator<Item = Variable> {
        self.variables.iter().copied()
    }

    /// All slots, in the order of their names.
    pub(crate) fn sorted(&self) -> Vec<Slot> {
        let mut slots: Vec<Slot> = self.slots.values().copied().collect();
        slots.sort_unstable_by_key(|slot| self.name(*slot));
        slots
    }

    /// How many slots there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(Box<[u8]>),
    Tx(Slot),
    /// A variable, and the name within it.
    Variable(Variable, Option<Box<[u8]>>),
}

/// A text with macros.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) pieces: Box<[Piece]>,
}

impl Template {
    /// Takes a text apart. A macro that names no variable is an error: it would stay empty.
    pub(crate) fn parse(text: &[u8], names: &mut TxNames) -> Result<Self, Bad> {
        let mut pieces = Vec::new();
        let mut plain = Vec::new();
        let mut rest = text;
        while let Some(begin) = memchr::memmem::find(rest, b"%{") {
            let inner = tail(rest, begin + 2);
            let Some(end) = memchr::memchr(b'}', inner) else {
                break;
            };
            plain.extend_from_slice(head(rest, begin));
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain).into()));
            }
            pieces.push(piece(head(inner, end), names)?);
            rest = tail(inner, end + 1);
        }
        plain.extend_from_slice(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain.into()));
        }
        Ok(Self {
            pieces: pieces.into(),
        })
    }

    /// The text, when there is no macro in it.
    pub(crate) fn constant(&self) -> Option<&[u8]> {
        match self.pieces.as_ref() {
            [] => Some(&[]),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }
}

fn piece(inner: &[u8], names: &mut TxNames) -> Result<Piece, Bad> {
    let at = inner.iter().position(|byte| matches!(byte, b'.' | b':'));
    let (name, selector) = match at {
        Some(at) => (head(inner, at), Some(tail(inner, at + 1))),
        None => (inner, None),
    };
    let name = String::from_utf8_lossy(name);
    let bad = |bad: Bad| Bad {
        message: format!(
            "the macro `%{{{}}}`: {}",
            crate::bytes::shown(inner),
            bad.message
        ),
        hint: bad.hint,
    };
    let variable = Variable::named(name.trim()).map_err(bad)?;
    match selector {
        Some(selector) if variable == Variable::Tx => Ok(Piece::Tx(names.intern(selector))),
        _ => {
            names.variables.insert(variable);
            Ok(Piece::Variable(variable, selector.map(Into::into)))
        }
    }
}
