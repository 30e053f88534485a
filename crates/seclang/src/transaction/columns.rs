//! Which rules can match any value of a list at all: the candidates of all its values under one chain
//! of transformations, together. One look leaves out a rule for the whole list; and a chain that
//! touches none of the bytes that the list has needs no look of its own.

use super::store::Store;
use super::values::{ValueId, Values, is_set};
use crate::rules::{ByteSet, Column, Part, Root, Ruleset, Side};

/// Not looked at in this exchange, nor in any before.
const NEVER: u32 = 0;
/// The first stamp of an exchange is at most this, so that there is room for changes.
const FIRST_MAX: u32 = 1 << 30;

/// The words of a set of bytes, which stand before the candidates of a column.
const SET: usize = 4;
/// Where the candidates of no values are.
const NONE: u32 = 4;

/// The columns of a transaction, worked out when a rule first asks.
///
/// What was looked at has a stamp: the count of changes of its list, or of all lists, at that time. The
/// stamps of an exchange are greater than those of exchanges before, so that nothing is to be wiped.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    /// Lists, as their values came.
    roots: Vec<Seen>,
    /// Several of them together.
    bases: Vec<Seen>,
    /// For each column its stamp, and where the candidates are of those values that its chain makes
    /// others of. Before them stand the bytes that all its values have.
    changed: Vec<(u32, u32)>,
    /// For each group its stamp, and where its candidates are.
    groups: Vec<(u32, u32)>,
    words: Vec<u64>,
    /// The values of roots, each once.
    ids: Vec<ValueId>,
    /// The stamp of an exchange without changes.
    first: u32,
    /// The greatest stamp there is.
    last: u32,
}

/// Values as they came.
#[derive(Clone, Copy, Debug)]
struct Seen {
    stamp: u32,
    /// Where their candidates are; none where there are no values.
    begin: Option<u32>,
    /// The bytes they have.
    set: ByteSet,
    /// Which they are, each once: where they begin and end.
    ids: (u32, u32),
}

/// Not looked at.
const UNSEEN: Seen = Seen {
    stamp: NEVER,
    begin: None,
    set: ByteSet::EMPTY,
    ids: (0, 0),
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
            changed: vec![(NEVER, 0); columns.all.len()],
            groups: vec![(NEVER, 0); columns.groups.len()],
            words: Vec::with_capacity(1024),
            ids: Vec::with_capacity(128),
            first: NEVER,
            last: NEVER,
        };
        new.clear(rules);
        new
    }

    /// Forgets all that was looked at; the memory stays.
    pub(crate) fn clear(&mut self, rules: &Ruleset) {
        if self.last >= FIRST_MAX {
            self.roots.fill(UNSEEN);
            self.bases.fill(UNSEEN);
            self.changed.fill((NEVER, 0));
            self.groups.fill((NEVER, 0));
            self.last = NEVER;
        }
        self.first = self.last + 1;
        // The candidates of no values come first: there are none.
        let sides = [Side::Request, Side::Response].map(|side| rules.prefilter(side).words());
        let none = sides.into_iter().max().unwrap_or_default();
        self.words.clear();
        self.words.resize(SET + none, 0);
        self.ids.clear();
    }

    /// The stamp of what is looked at after so many changes; none where there were too many to tell.
    fn stamp(&self, changes: u32) -> Option<u32> {
        self.first.checked_add(changes)
    }

    /// How many bytes of memory its words and values have; what else it has is as many as rules need.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>() + self.ids.capacity() * size_of::<ValueId>()
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
    fn column(&mut self, at: u32, of: &mut Made<'_>) -> Option<(Option<u32>, Option<u32>)> {
        let column = of.rules.columns.all.get(at as usize)?;
        let seen = *self.root(column.root, of)?;
        Some((seen.begin, self.changed(at, column, &seen, of)?))
    }

    /// Where the candidates are of those values of a root that the chain of a column makes others of;
    /// none where there are no such values.
    #[inline]
    #[expect(clippy::option_option, reason = "what is not known is not nothing")]
    fn changed(
        &mut self,
        at: u32,
        column: &Column,
        root: &Seen,
        of: &mut Made<'_>,
    ) -> Option<Option<u32>> {
        if root.begin.is_none() || !of.rules.trie.may_change(column.node, &root.set) {
            return Some(None);
        }
        match *self.changed.get(at as usize)? {
            (stamp, begin) if stamp == root.stamp => Some(Some(begin)),
            _ => self.look_at_changed(at, column, root, of).map(Some),
        }
    }

    /// Whether an operator can hold for a value of any column of the group.
    pub(super) fn group_may_match(&mut self, at: u32, bit: u32, of: &mut Made<'_>) -> bool {
        // What is not known may match.
        let Some(stamp) = self.stamp(of.store.all_changes()) else {
            return true;
        };
        let begin = match self.groups.get(at as usize) {
            Some((seen, begin)) if *seen == stamp => Some(*begin),
            _ => self.group(at, stamp, of),
        };
        begin.is_none_or(|begin| is_set(&self.words, begin as usize, bit))
    }

    fn group(&mut self, at: u32, stamp: u32, of: &mut Made<'_>) -> Option<u32> {
        let group = of.rules.columns.groups.get(at as usize)?;
        let base = match self.bases.get(group.base as usize) {
            Some(base) if base.stamp == stamp => *base,
            _ => self.base(group.base, stamp, of)?,
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
            // Columns of the same root stand together, and many have the same candidates.
            let (mut root, mut seen, mut added) = (u32::MAX, UNSEEN, NONE);
            for at in of.rules.columns.of(group) {
                let column = of.rules.columns.all.get(*at as usize)?;
                if column.root != root {
                    (root, seen) = (column.root, *self.root(column.root, of)?);
                }
                let changed = self.changed(*at, column, &seen, of)?;
                if let Some(changed) = changed.filter(|changed| *changed != added) {
                    self.add(begin as usize, changed as usize, size)?;
                    added = changed;
                }
            }
        }
        self.last = self.last.max(stamp);
        *self.groups.get_mut(at as usize)? = (stamp, begin);
        Some(begin)
    }

    /// Looks at several roots together.
    fn base(&mut self, at: u32, stamp: u32, of: &mut Made<'_>) -> Option<Seen> {
        let base = of.rules.columns.bases.get(at as usize)?;
        let mut all = Seen { stamp, ..UNSEEN };
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
        self.last = self.last.max(stamp);
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
        let stamp = self.stamp(of.store.changes(root.list))?;
        if self.roots.get(at as usize)?.stamp != stamp {
            self.look(at, root, stamp, of)?;
        }
        self.roots.get(at as usize)
    }

    #[inline(never)]
    fn look(&mut self, at: u32, root: &Root, stamp: u32, of: &mut Made<'_>) -> Option<()> {
        let mut seen = Seen { stamp, ..UNSEEN };
        if !of.store.list(root.list).is_empty() {
            let first = self.ids.len();
            let known = of.values.new_mark();
            let size = of.rules.prefilter(root.side).words();
            let begin = self.words.len();
            self.words.resize(begin + size, 0);
            let out = self.words.get_mut(begin..)?;
            seen.begin = Some(u32::try_from(begin).ok()?);
            for entry in of.store.list(root.list) {
                let value = match root.part {
                    Part::Value => entry.value,
                    Part::Name => entry.name,
                };
                if !root.means(of.values.get(entry.name)) {
                    continue;
                }
                // What this costs without looking at a byte.
                of.values.spent_bytes = of.values.spent_bytes.saturating_add(1);
                if !of.values.is_marked(value, known) {
                    of.values.mark(value, known);
                    self.ids.push(value);
                    seen.set = seen.set.union(*of.values.set(value));
                    of.values.gather(value, root.side, of.rules, out);
                }
            }
            let place = |at: usize| u32::try_from(at).ok();
            seen.ids = (place(first)?, place(self.ids.len())?);
        }
        self.last = self.last.max(stamp);
        *self.roots.get_mut(at as usize)? = seen;
        Some(())
    }

    /// Looks at those values that the chain of a column makes others of.
    #[inline(never)]
    fn look_at_changed(
        &mut self,
        at: u32,
        column: &Column,
        seen: &Seen,
        of: &mut Made<'_>,
    ) -> Option<u32> {
        let begin = match self.as_before(column, seen, of.rules) {
            Some(begin) => begin,
            None => self.look_at_each(column, seen, of)?,
        };
        // A stamp that its root has.
        *self.changed.get_mut(at as usize)? = (seen.stamp, begin);
        Some(begin)
    }

    /// Where the column is that the chain has before its last step, when that one is known and the step
    /// touches none of the bytes its values have: both have the same.
    fn as_before(&self, column: &Column, seen: &Seen, rules: &Ruleset) -> Option<u32> {
        let (stamp, before) = *self.changed.get(column.before? as usize)?;
        if stamp != seen.stamp {
            return None;
        }
        let set = (before as usize).checked_sub(SET)?;
        let (set, _) = self.words.get(set..)?.split_first_chunk::<SET>()?;
        let (_, may_change) = rules.trie.last(column.node, &ByteSet::from_words(*set))?;
        (!may_change).then_some(before)
    }

    fn look_at_each(&mut self, column: &Column, seen: &Seen, of: &mut Made<'_>) -> Option<u32> {
        let side = of.rules.columns.roots.get(column.root as usize)?.side;
        let mut set = ByteSet::EMPTY;
        let of_set = self.words.len();
        self.words.resize(of_set + SET, 0);
        let begin = self.words.len();
        self.words
            .resize(begin + of.rules.prefilter(side).words(), 0);
        let out = self.words.get_mut(begin..)?;
        let (first, end) = seen.ids;
        for value in self.ids.get(first as usize..end as usize)? {
            // What this costs without looking at a byte.
            of.values.spent_bytes = of.values.spent_bytes.saturating_add(1);
            let made = of.values.transformed(*value, column.node, of.rules);
            set = set.union(*of.values.set(made));
            if made != *value {
                of.values.gather(made, side, of.rules, out);
            }
        }
        let place = self.words.get_mut(of_set..of_set + SET)?;
        place.copy_from_slice(&set.words());
        u32::try_from(begin).ok()
    }

    /// Empty words for candidates, and where they begin.
    fn room(&mut self, side: Side, rules: &Ruleset) -> Option<(u32, &mut [u64])> {
        let begin = self.words.len();
        self.words.resize(begin + rules.prefilter(side).words(), 0);
        Some((u32::try_from(begin).ok()?, self.words.get_mut(begin..)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Leniency, Loader};

    #[test]
    fn stamps_are_greater_than_those_of_exchanges_before_until_all_is_wiped() {
        let mut loader = Loader::new(&crate::NoFiles, Leniency::Strict);
        let rule = b"SecRule ARGS \"@contains attack\" \"id:1,phase:1,deny,t:lowercase\"";
        loader.text("a.conf", rule);
        let rules = loader.finish().unwrap().rules;
        let mut columns = Columns::new(&rules);
        let before = columns.stamp(7).unwrap();
        (columns.last, columns.groups[0]) = (before, (before, 9));
        columns.clear(&rules);
        assert!((0..100).all(|changes| columns.stamp(changes) > Some(before)));
        assert_eq!(columns.groups[0], (before, 9));
        columns.last = FIRST_MAX;
        columns.clear(&rules);
        assert_eq!((columns.stamp(0), columns.groups[0]), (Some(1), (NEVER, 0)));
        columns.first = FIRST_MAX;
        assert_eq!(columns.stamp(u32::MAX), None);
    }
}
