//! Variables of a transaction: lists of named values, single values, and what rules keep.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::iter::repeat_with;

use super::values::ValueId;
use crate::template::{Slot, TxNames};
use crate::variable::Variable;

/// A named value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) name: ValueId,
    pub(crate) value: ValueId,
}

/// What rules set. Numbers stay numbers until somebody wants to read them, and what stands in a rule
/// stays there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept<'r> {
    Number(i64),
    Bytes(Cow<'r, [u8]>),
}

impl<'r> Kept<'r> {
    pub(crate) fn number(&self) -> i64 {
        match self {
            Self::Number(number) => *number,
            Self::Bytes(bytes) => crate::bytes::number(bytes),
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => crate::bytes::write_number(*number, out),
            Self::Bytes(bytes) => out.extend_from_slice(bytes),
        }
    }

    /// From text: what is written exactly as a number is one.
    ///
    /// LIMIT: cut at [`KEPT_BYTES_MAX`].
    pub(crate) fn from_bytes(bytes: Cow<'r, [u8]>) -> Self {
        if is_written_as_number(&bytes) {
            return Self::Number(crate::bytes::number(&bytes));
        }
        Self::Bytes(match bytes {
            Cow::Borrowed(bytes) => Cow::Borrowed(crate::bytes::head(bytes, KEPT_BYTES_MAX)),
            Cow::Owned(mut bytes) => {
                bytes.truncate(KEPT_BYTES_MAX);
                Cow::Owned(bytes)
            }
        })
    }

    /// The same, without a copy.
    pub(crate) fn lent(&'r self) -> Self {
        match self {
            Self::Number(number) => Self::Number(*number),
            Self::Bytes(bytes) => Self::Bytes(Cow::Borrowed(bytes)),
        }
    }
}

/// Whether a text is what a number of at most 18 digits is written as: without a sign that says
/// nothing, and without zeros before it.
fn is_written_as_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let plain = digits.iter().all(u8::is_ascii_digit) && (1..=18).contains(&digits.len());
    match digits.first() {
        Some(b'0') => text.len() == 1,
        _ => plain,
    }
}

/// LIMIT: variables whose names rules make while they run, in one transaction.
const NAMED_MAX: usize = 8_192;
/// LIMIT: bytes of one variable that rules keep.
pub(crate) const KEPT_BYTES_MAX: usize = 1 << 20;

/// Named values, or a single one.
#[derive(Clone, Debug, Default)]
struct List {
    entries: Vec<Entry>,
    /// How often it was changed.
    changes: u32,
}

/// Variables that are not kept by rules.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    lists: Vec<List>,
    /// Single values, which are most.
    singles: Vec<Option<Entry>>,
}

impl Lists {
    pub(crate) fn new() -> Self {
        Self {
            lists: repeat_with(List::default).take(Variable::COUNT).collect(),
            singles: vec![None; Variable::COUNT],
        }
    }

    /// Forgets all values; the memory stays.
    pub(crate) fn clear(&mut self) {
        for list in &mut self.lists {
            list.entries.clear();
            list.changes = 0;
        }
        self.singles.fill(None);
    }

    /// How many bytes of memory the lists have.
    pub(crate) fn memory_bytes(&self) -> usize {
        let entries = self.lists.iter().map(|list| list.entries.capacity());
        entries.sum::<usize>() * size_of::<Entry>()
    }
}

/// All variables.
#[derive(Debug)]
pub(crate) struct Store<'r> {
    of: Lists,
    slots: Vec<Option<Kept<'r>>>,
    /// How often any list or single value was changed.
    changes: u32,
    /// Names in lower case.
    named: BTreeMap<(Variable, Vec<u8>), Kept<'r>>,
}

impl<'r> Store<'r> {
    /// `lists` are without values; `slots` lend their memory.
    pub(crate) fn new(
        names: &TxNames,
        lists: Lists,
        mut slots: Vec<Option<Kept<'static>>>,
    ) -> Self {
        slots.clear();
        slots.resize(names.len(), None);
        Self {
            of: lists,
            slots,
            changes: 0,
            named: BTreeMap::new(),
        }
    }

    /// Takes the lists back.
    pub(crate) fn take_lists(&mut self) -> Lists {
        std::mem::take(&mut self.of)
    }

    /// Takes the memory of the slots back, without what was in it.
    pub(crate) fn take_slots(&mut self) -> Vec<Option<Kept<'static>>> {
        let slots = std::mem::take(&mut self.slots);
        // In place: what comes out is as large as what goes in.
        slots.into_iter().map(|_| None).collect()
    }

    pub(crate) fn list(&self, variable: Variable) -> &[Entry] {
        if let Some(Some(single)) = self.of.singles.get(variable.index()) {
            return std::slice::from_ref(single);
        }
        let list = self.of.lists.get(variable.index());
        list.map_or(&[], |list| list.entries.as_slice())
    }

    /// How often a list was changed.
    pub(crate) fn changes(&self, variable: Variable) -> u32 {
        let list = self.of.lists.get(variable.index());
        list.map_or(0, |list| list.changes)
    }

    /// How often any of them was changed.
    pub(crate) fn all_changes(&self) -> u32 {
        self.changes
    }

    pub(crate) fn add(&mut self, variable: Variable, name: ValueId, value: ValueId) {
        self.changes = self.changes.wrapping_add(1);
        if let Some(list) = self.of.lists.get_mut(variable.index()) {
            list.entries.push(Entry { name, value });
            list.changes = list.changes.wrapping_add(1);
        }
    }

    /// Sets a single value.
    pub(crate) fn set(&mut self, variable: Variable, value: ValueId) {
        self.changes = self.changes.wrapping_add(1);
        if let Some(place) = self.of.singles.get_mut(variable.index()) {
            let name = ValueId::EMPTY;
            *place = Some(Entry { name, value });
        }
        if let Some(list) = self.of.lists.get_mut(variable.index()) {
            list.changes = list.changes.wrapping_add(1);
        }
    }

    pub(crate) fn slot(&self, slot: Slot) -> Option<&Kept<'r>> {
        self.slots.get(slot.index())?.as_ref()
    }

    pub(crate) fn set_slot(&mut self, slot: Slot, value: Option<Kept<'r>>) {
        if let Some(place) = self.slots.get_mut(slot.index()) {
            *place = value;
        }
    }

    /// A variable by its name in lower case.
    pub(crate) fn named(
        &self,
        variable: Variable,
        lower: &[u8],
        names: &TxNames,
    ) -> Option<&Kept<'r>> {
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
        value: Option<Kept<'r>>,
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

    /// Variables of a collection that are set, in the order of their names: of those with slots the
    /// named ones, of the others all.
    pub(crate) fn all<'s>(
        &'s self,
        variable: Variable,
        slots: &[Slot],
        names: &'s TxNames,
    ) -> Vec<(&'s [u8], &'s Kept<'r>)> {
        let mut all: Vec<(&[u8], &Kept<'r>)> = Vec::new();
        if variable == Variable::Tx {
            let set = slots
                .iter()
                .filter_map(|slot| Some((*slot, self.slot(*slot)?)));
            all.extend(set.map(|(slot, kept)| (names.name(slot), kept)));
        }
        let sorted = all.len();
        for ((of, name), value) in &self.named {
            if *of == variable {
                all.push((name, value));
            }
        }
        if sorted > 0 && all.len() > sorted {
            all.sort_unstable_by_key(|(name, _)| *name);
        }
        all
    }
}
