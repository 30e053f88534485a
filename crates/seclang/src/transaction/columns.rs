//! Which rules can match any value of a list at all: the candidates of all its values under one chain
//! of transformations, together. One look leaves out a rule for the whole list; and a chain that
//! touches none of the bytes that the list has needs no look of its own.

use super::store::Store;
use super::values::{Values, is_set};
use crate::rules::{ByteSet, Part, Ruleset, Side};

/// Not worked out yet.
const UNKNOWN: u32 = u32::MAX;

/// The columns of a transaction, worked out when a rule first asks.
#[derive(Debug)]
pub(super) struct Columns {
    /// For each column, the list's count of changes when it was looked at, and where its candidates
    /// are.
    known: Vec<(u32, u32)>,
    /// The bytes that the values of each have.
    sets: Vec<ByteSet>,
    /// For each group, the count of all changes, and where its candidates are.
    groups: Vec<(u32, u32)>,
    words: Vec<u64>,
}

/// What columns are made of.
pub(super) struct Made<'t> {
    pub(super) store: &'t Store<'t>,
    pub(super) values: &'t mut Values,
    pub(super) rules: &'t Ruleset,
}

impl Columns {
    pub(super) fn new(rules: &Ruleset) -> Self {
        let count = rules.columns.all.len();
        // The candidates of lists without values come first: there are none.
        let sides = [Side::Request, Side::Response].map(|side| rules.prefilter(side).words());
        let none = sides.into_iter().max().unwrap_or_default();
        let mut words = Vec::with_capacity(2048);
        words.resize(none, 0);
        Self {
            known: vec![(UNKNOWN, UNKNOWN); count],
            sets: vec![ByteSet::default(); count],
            groups: vec![(UNKNOWN, UNKNOWN); rules.columns.groups.len()],
            words,
        }
    }

    /// Whether an operator can hold for a value of the column.
    pub(super) fn may_match(&mut self, at: u32, bit: u32, of: &mut Made<'_>) -> bool {
        let begin = self.look(at, of);
        begin.is_none_or(|begin| is_set(&self.words, begin as usize, bit))
    }

    /// Whether an operator can hold for a value of any column of the group.
    pub(super) fn group_may_match(&mut self, at: u32, bit: u32, of: &mut Made<'_>) -> bool {
        let changes = of.store.all_changes();
        let begin = match self.groups.get(at as usize) {
            Some((seen, begin)) if *seen == changes => Some(*begin),
            _ => self.gather(at, changes, of),
        };
        begin.is_none_or(|begin| is_set(&self.words, begin as usize, bit))
    }

    fn gather(&mut self, at: u32, changes: u32, of: &mut Made<'_>) -> Option<u32> {
        let group = of.rules.columns.groups.get(at as usize)?;
        let size = of.rules.prefilter(group.side).words();
        let known = self.groups.get_mut(at as usize)?;
        if known.1 == UNKNOWN {
            known.1 = u32::try_from(self.words.len()).ok()?;
            self.words.resize(self.words.len() + size, 0);
        }
        let own = known.1;
        let begin = own as usize;
        self.words.get_mut(begin..begin + size)?.fill(0);
        for column in &group.columns {
            let from = self.look(*column, of)? as usize;
            // Where there are none, none are added.
            if from == 0 {
                continue;
            }
            // What is looked at comes before or after what is gathered; never do they overlap.
            let (gathered, more) = if from < begin {
                let (before, after) = self.words.split_at_mut_checked(begin)?;
                (after, before.get(from..from + size)?)
            } else {
                let (before, after) = self.words.split_at_mut_checked(from)?;
                (before.get_mut(begin..)?, after.get(..size)?)
            };
            for (word, more) in gathered.iter_mut().zip(more) {
                *word |= more;
            }
        }
        self.groups.get_mut(at as usize)?.0 = changes;
        Some(own)
    }

    /// Where the candidates of a column are.
    fn look(&mut self, at: u32, of: &mut Made<'_>) -> Option<u32> {
        let place = at as usize;
        let placed = of.rules.columns.all.get(place)?;
        let column = &placed.column;
        let changes = of.store.changes(column.list);
        let (seen, begin) = *self.known.get(place)?;
        if seen == changes {
            return Some(begin);
        }
        if of.store.list(column.list).is_empty() {
            *self.known.get_mut(place)? = (changes, 0);
            return Some(0);
        }
        if placed.root != at {
            let root = self.look(placed.root, of)?;
            let set = *self.sets.get(placed.root as usize)?;
            if !of.rules.trie.may_change(column.node, &set) {
                *self.known.get_mut(place)? = (changes, root);
                return Some(root);
            }
        }
        let begin = self.words.len();
        let size = of.rules.prefilter(column.side).words();
        self.words.resize(begin + size, 0);
        let out = self.words.get_mut(begin..)?;
        let set = self.sets.get_mut(place)?;
        *set = ByteSet::default();
        for entry in of.store.list(column.list) {
            let named = column.name.as_ref();
            if named.is_some_and(|name| !of.values.get(entry.name).eq_ignore_ascii_case(name)) {
                continue;
            }
            let value = match column.part {
                Part::Value => entry.value,
                Part::Name => entry.name,
            };
            let value = of.values.transformed(value, column.node, of.rules);
            *set = set.union(of.values.gather(value, column.side, of.rules, out));
            // What this costs without looking at a byte.
            of.values.spent_bytes = of.values.spent_bytes.saturating_add(1);
        }
        let begin = u32::try_from(begin).unwrap_or(UNKNOWN);
        *self.known.get_mut(place)? = (changes, begin);
        Some(begin)
    }
}
