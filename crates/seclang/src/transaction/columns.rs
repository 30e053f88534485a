//! Which rules can match any value of a list at all: the candidates of all its values under one chain
//! of transformations, together. One look leaves out a rule for the whole list; and a chain that
//! touches none of the bytes that the list has needs no look of its own.

use super::store::Store;
use super::values::{Values, is_set};
use crate::rules::{ByteSet, Column, Part, Root, Ruleset, Side};

/// Where the candidates of no values are.
const NONE: u32 = 0;

/// Not worked out yet.
const UNKNOWN: u32 = u32::MAX;

/// The columns of a transaction, worked out when a rule first asks.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    /// Lists, as their values came.
    roots: Vec<Seen>,
    /// Several of them together.
    bases: Vec<Seen>,
    /// For each column, the list's count of changes when it was looked at, and where the candidates
    /// are of those values that its chain makes others of.
    changed: Vec<(u32, u32)>,
    /// For each group, the count of all changes, and where its candidates are.
    groups: Vec<(u32, u32)>,
    words: Vec<u64>,
}

/// Values as they came.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// The count of changes, of their list or of all, when they were looked at.
    changes: u32,
    /// Where their candidates are; none where there are no values.
    begin: Option<u32>,
    /// The bytes they have.
    set: ByteSet,
}

/// Not looked at.
const UNSEEN: Seen = Seen {
    changes: UNKNOWN,
    begin: None,
    set: ByteSet::EMPTY,
};

/// What columns are made of.
pub(super) struct Made<'t> {
    pub(super) store: &'t Store<'t>,
    pub(super) values: &'t mut Values,
    pub(super) rules: &'t Ruleset,
}

impl Columns {
    pub(crate) fn new(rules: &Ruleset) -> Self {
        let columns = &rules.columns;
        let mut new = Self {
            roots: vec![UNSEEN; columns.roots.len()],
            bases: vec![UNSEEN; columns.bases.len()],
            changed: vec![(UNKNOWN, UNKNOWN); columns.all.len()],
            groups: vec![(UNKNOWN, UNKNOWN); columns.groups.len()],
            words: Vec::with_capacity(1024),
        };
        new.clear(rules);
        new
    }

    /// Forgets all that was looked at; the memory stays.
    pub(crate) fn clear(&mut self, rules: &Ruleset) {
        self.roots.fill(UNSEEN);
        self.bases.fill(UNSEEN);
        self.changed.fill((UNKNOWN, UNKNOWN));
        self.groups.fill((UNKNOWN, UNKNOWN));
        // The candidates of no values come first: there are none.
        let sides = [Side::Request, Side::Response].map(|side| rules.prefilter(side).words());
        let none = sides.into_iter().max().unwrap_or_default();
        self.words.clear();
        self.words.resize(none, 0);
    }

    /// How many bytes of memory its words have; what else it has is as many as rules need.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }

    /// Whether an operator can hold for a value of the column.
    ///
    /// Values that a chain changes may be told to match as they came; that is asked again of each.
    pub(super) fn may_match(&mut self, at: u32, bit: u32, of: &mut Made<'_>) -> bool {
        // What is not known may match.
        let known = self.column(at, of);
        known.is_none_or(|(begin, changed)| {
            let mut parts = begin.into_iter().chain(changed);
            parts.any(|begin| is_set(&self.words, begin as usize, bit))
        })
    }

    /// Where the candidates of a column are: of the values as they came, and of those that its chain
    /// makes others of.
    #[inline]
    fn column(&mut self, at: u32, of: &mut Made<'_>) -> Option<(Option<u32>, Option<u32>)> {
        let column = of.rules.columns.all.get(at as usize)?;
        let seen = self.root(column.root, of)?;
        let begin = seen.begin;
        if begin.is_none() || !of.rules.trie.may_change(column.node, &seen.set) {
            return Some((begin, None));
        }
        let changes = seen.changes;
        let changed = match *self.changed.get(at as usize)? {
            (seen, begin) if seen == changes => begin,
            _ => self.look_at_changed(at, column, of)?,
        };
        Some((begin, Some(changed)))
    }

    /// Whether an operator can hold for a value of any column of the group.
    pub(super) fn group_may_match(&mut self, at: u32, bit: u32, of: &mut Made<'_>) -> bool {
        let changes = of.store.all_changes();
        let begin = match self.groups.get(at as usize) {
            Some((seen, begin)) if *seen == changes => Some(*begin),
            _ => self.group(at, changes, of),
        };
        begin.is_none_or(|begin| is_set(&self.words, begin as usize, bit))
    }

    fn group(&mut self, at: u32, changes: u32, of: &mut Made<'_>) -> Option<u32> {
        let group = of.rules.columns.groups.get(at as usize)?;
        let base = match self.bases.get(group.base as usize) {
            Some(base) if base.changes == changes => *base,
            _ => self.base(group.base, changes, of)?,
        };
        let mut begin = base.begin.unwrap_or(NONE);
        let touched = group.touched.as_ref();
        let may_change = touched.is_none_or(|touched| touched.meets(&base.set));
        if base.begin.is_some() && may_change {
            let side = of.rules.columns.bases.get(group.base as usize)?.side;
            let size = of.rules.prefilter(side).words();
            let from = begin as usize;
            begin = u32::try_from(self.words.len()).ok()?;
            self.words.extend_from_within(from..from + size);
            for at in of.rules.columns.of(group) {
                if let (Some(_), Some(changed)) = self.column(*at, of)? {
                    self.add(begin as usize, changed as usize, size)?;
                }
            }
        }
        *self.groups.get_mut(at as usize)? = (changes, begin);
        Some(begin)
    }

    /// Looks at several roots together.
    fn base(&mut self, at: u32, changes: u32, of: &mut Made<'_>) -> Option<Seen> {
        let base = of.rules.columns.bases.get(at as usize)?;
        let mut all = Seen { changes, ..UNSEEN };
        for root in &base.roots {
            let seen = self.root(*root, of)?;
            let Some(begin) = seen.begin else {
                continue;
            };
            all.set = all.set.union(seen.set);
            let size = of.rules.prefilter(base.side).words();
            let own = match all.begin {
                Some(own) => own,
                None => self.room(base.side, of.rules)?.0,
            };
            self.add(own as usize, begin as usize, size)?;
            all.begin = Some(own);
        }
        *self.bases.get_mut(at as usize)? = all;
        Some(all)
    }

    /// Adds the candidates at `from` to those at `to`. They never overlap.
    fn add(&mut self, to: usize, from: usize, size: usize) -> Option<()> {
        let (to, from) = if from < to {
            let (before, after) = self.words.split_at_mut_checked(to)?;
            (after.get_mut(..size)?, before.get(from..from + size)?)
        } else {
            let (before, after) = self.words.split_at_mut_checked(from)?;
            (before.get_mut(to..to + size)?, after.get(..size)?)
        };
        for (word, more) in to.iter_mut().zip(from) {
            *word |= more;
        }
        Some(())
    }

    /// The values of a root.
    #[inline]
    fn root(&mut self, at: u32, of: &mut Made<'_>) -> Option<&Seen> {
        let root = of.rules.columns.roots.get(at as usize)?;
        let changes = of.store.changes(root.list);
        if self.roots.get(at as usize)?.changes != changes {
            self.look(at, root, changes, of)?;
        }
        self.roots.get(at as usize)
    }

    #[inline(never)]
    fn look(&mut self, at: u32, root: &Root, changes: u32, of: &mut Made<'_>) -> Option<()> {
        let mut seen = Seen { changes, ..UNSEEN };
        if !of.store.list(root.list).is_empty() {
            let (begin, out) = self.room(root.side, of.rules)?;
            seen.begin = Some(begin);
            for entry in of.store.list(root.list) {
                let value = match root.part {
                    Part::Value => entry.value,
                    Part::Name => entry.name,
                };
                if root.means(of.values.get(entry.name)) {
                    // What this costs without looking at a byte.
                    of.values.spent_bytes = of.values.spent_bytes.saturating_add(1);
                    seen.set = seen.set.union(of.values.set(value));
                    of.values.gather(value, root.side, of.rules, out);
                }
            }
        }
        *self.roots.get_mut(at as usize)? = seen;
        Some(())
    }

    /// Looks at those values that the chain of a column makes others of.
    #[inline(never)]
    fn look_at_changed(&mut self, at: u32, column: &Column, of: &mut Made<'_>) -> Option<u32> {
        let root = of.rules.columns.roots.get(column.root as usize)?;
        let changes = of.store.changes(root.list);
        let (begin, out) = self.room(root.side, of.rules)?;
        for entry in of.store.list(root.list) {
            if !root.means(of.values.get(entry.name)) {
                continue;
            }
            let value = match root.part {
                Part::Value => entry.value,
                Part::Name => entry.name,
            };
            // What this costs without looking at a byte.
            of.values.spent_bytes = of.values.spent_bytes.saturating_add(1);
            let made = of.values.transformed(value, column.node, of.rules);
            if made != value {
                of.values.gather(made, root.side, of.rules, out);
            }
        }
        *self.changed.get_mut(at as usize)? = (changes, begin);
        Some(begin)
    }

    /// Empty words for candidates, and where they begin.
    fn room(&mut self, side: Side, rules: &Ruleset) -> Option<(u32, &mut [u64])> {
        let begin = self.words.len();
        self.words.resize(begin + rules.prefilter(side).words(), 0);
        Some((u32::try_from(begin).ok()?, self.words.get_mut(begin..)?))
    }
}
