//! Variables of a transaction: lists of named values, single values, and what rules keep.

use std::collections::BTreeMap;

use super::values::ValueId;
use crate::template::{Slot, TxNames};
use crate::variable::Variable;

/// A named value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) name: ValueId,
    pub(crate) value: ValueId,
}

/// What rules set. Numbers stay numbers until somebody wants to read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Number(i64),
    Bytes(Vec<u8>),
}

impl Kept {
    pub(crate) fn number(&self) -> i64 {
        match self {
            Self::Number(number) => *number,
            Self::Bytes(bytes) => crate::bytes::number(bytes),
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::Bytes(bytes) => out.extend_from_slice(bytes),
        }
    }

    /// From text: what is written exactly as a number is one.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        let number = crate::bytes::number(&bytes);
        if bytes.len() <= 19 && number.to_string().as_bytes() == bytes {
            Self::Number(number)
        } else {
            Self::Bytes(bytes)
        }
    }
}

/// LIMIT: variables whose names rules make while they run, in one transaction.
const NAMED_MAX: usize = 8_192;
/// LIMIT: bytes of one variable that rules keep.
pub(crate) const KEPT_BYTES_MAX: usize = 1 << 20;

/// All variables.
#[derive(Debug)]
pub(crate) struct Store {
    lists: Vec<Vec<Entry>>,
    slots: Vec<Option<Kept>>,
    /// Names in lower case.
    named: BTreeMap<(Variable, Vec<u8>), Kept>,
}

impl Store {
    pub(crate) fn new(names: &TxNames) -> Self {
        Self {
            lists: vec![Vec::new(); Variable::COUNT],
            slots: vec![None; names.len()],
            named: BTreeMap::new(),
        }
    }

    pub(crate) fn list(&self, variable: Variable) -> &[Entry] {
        self.lists.get(variable.index()).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn add(&mut self, variable: Variable, name: ValueId, value: ValueId) {
        if let Some(list) = self.lists.get_mut(variable.index()) {
            list.push(Entry { name, value });
        }
    }

    /// Sets a single value.
    pub(crate) fn set(&mut self, variable: Variable, value: ValueId) {
        if let Some(list) = self.lists.get_mut(variable.index()) {
            list.clear();
            let name = ValueId::EMPTY;
            list.push(Entry { name, value });
        }
    }

    pub(crate) fn slot(&self, slot: Slot) -> Option<&Kept> {
        self.slots.get(slot.index())?.as_ref()
    }

    pub(crate) fn set_slot(&mut self, slot: Slot, value: Option<Kept>) {
        if let Some(place) = self.slots.get_mut(slot.index()) {
            *place = value;
        }
    }

    /// A variable by its name in lower case.
    pub(crate) fn named(&self, variable: Variable, lower: &[u8], names: &TxNames) -> Option<&Kept> {
        if variable == Variable::Tx
            && let Some(slot) = names.find(lower)
        {
            return self.slot(slot);
        }
        self.named.get(&(variable, lower.to_vec()))
    }

    pub(crate) fn set_named(
        &mut self,
        variable: Variable,
        lower: Vec<u8>,
        value: Option<Kept>,
        names: &TxNames,
    ) {
        if variable == Variable::Tx
            && let Some(slot) = names.find(&lower)
        {
            self.set_slot(slot, value);
            return;
        }
        match value {
            None => {
                self.named.remove(&(variable, lower));
            }
            Some(value) if self.named.len() < NAMED_MAX => {
                self.named.insert((variable, lower), value);
            }
            Some(_) => {}
        }
    }

    /// All variables of a collection that are set, in the order of their names.
    pub(crate) fn all<'s>(
        &'s self,
        variable: Variable,
        names: &'s TxNames,
    ) -> Vec<(&'s [u8], &'s Kept)> {
        let mut all: Vec<(&[u8], &Kept)> = Vec::new();
        if variable == Variable::Tx {
            for (at, value) in (0_u32..).zip(&self.slots) {
                if let Some(value) = value {
                    all.push((names.name(Slot(at)), value));
                }
            }
        }
        for ((of, name), value) in &self.named {
            if *of == variable {
                all.push((name, value));
            }
        }
        all.sort_unstable_by_key(|(name, _)| *name);
        all
    }
}
