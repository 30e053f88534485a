//! The Merkle tree over the lines of a segment: a leaf for every few of them, so that hashing costs
//! a request little. Segments of the first format have a leaf for each.

use merkle::{Frontier, Hash, leaf_hash};

/// Lines of one leaf, each with its line end; the last leaf may have fewer.
pub(super) const LEAF_LINES: usize = 64;

/// Which lines make a leaf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Grouping {
    /// `rampart.traffic.v1`: each line, without its end.
    Each,
    /// `rampart.traffic.v2`: [`LEAF_LINES`] of them, with their ends.
    #[default]
    Several,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Leaves {
    grouping: Grouping,
    tree: Frontier,
    /// Whole lines that are in no leaf yet.
    open: Vec<u8>,
    open_lines: usize,
    count: u64,
}

impl Leaves {
    /// No lines yet.
    pub(super) fn new(grouping: Grouping) -> Self {
        Self {
            grouping,
            ..Self::default()
        }
    }

    /// Adds whole lines.
    pub(super) fn add(&mut self, lines: &[u8]) {
        match self.grouping {
            Grouping::Each => self.add_each(lines),
            Grouping::Several => self.add_several(lines),
        }
    }

    fn add_each(&mut self, lines: &[u8]) {
        let lines = lines.split(|byte| *byte == b'\n');
        for line in lines.filter(|line| !line.is_empty()) {
            self.tree.push(leaf_hash(line));
            self.count = self.count.saturating_add(1);
        }
    }

    fn add_several(&mut self, lines: &[u8]) {
        let mut rest = lines;
        while !rest.is_empty() {
            let wanted = LEAF_LINES.saturating_sub(self.open_lines);
            let (length, taken) = span(rest, wanted);
            let (some, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = after;
            self.count = self.count.saturating_add(u64::try_from(taken).unwrap_or(0));
            if taken == LEAF_LINES {
                self.tree.push(leaf_hash(some));
                continue;
            }
            self.open.extend_from_slice(some);
            self.open_lines = self.open_lines.saturating_add(taken);
            if self.open_lines == LEAF_LINES {
                self.push_open();
            }
        }
    }

    /// The root, and how many lines there are.
    pub(super) fn close(mut self) -> (Hash, u64) {
        if self.open_lines > 0 {
            self.push_open();
        }
        (self.tree.root(), self.count)
    }

    fn push_open(&mut self) {
        self.tree.push(leaf_hash(&self.open));
        self.open.clear();
        self.open_lines = 0;
    }
}

/// The length of the first `wanted` lines, or of as many as there are; and their number. One
/// without an end counts as whole, so that something is always taken.
fn span(lines: &[u8], wanted: usize) -> (usize, usize) {
    let ends = memchr::memchr_iter(b'\n', lines).take(wanted.max(1));
    let span = ends.fold((0, 0_usize), |(_, taken), end| {
        (end.saturating_add(1), taken.saturating_add(1))
    });
    match span {
        (_, 0) => (lines.len(), 1),
        some => some,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_does_not_depend_on_how_lines_came() {
        let lines: Vec<String> = (0..200).map(|n| format!("line {n}\n")).collect();
        let whole = lines.concat();
        let mut at_once = Leaves::default();
        at_once.add(whole.as_bytes());
        let expected = at_once.close();
        assert_eq!(expected.1, 200);
        for some in [1, 7, 63, 64, 65, 199] {
            let mut leaves = Leaves::default();
            for lines in lines.chunks(some) {
                leaves.add(lines.concat().as_bytes());
            }
            assert_eq!(leaves.close(), expected, "{some} at a time");
        }
    }

    #[test]
    fn leaves_are_groups_of_lines_with_their_ends() {
        let lines: Vec<String> = (0..130).map(|n| format!("{n}\n")).collect();
        let mut leaves = Leaves::default();
        leaves.add(lines.concat().as_bytes());
        let mut tree = Frontier::new();
        for group in lines.chunks(LEAF_LINES) {
            tree.push(leaf_hash(group.concat().as_bytes()));
        }
        assert_eq!(leaves.close(), (tree.root(), 130));
    }
}
