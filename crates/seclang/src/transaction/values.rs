//! The bytes of a transaction: every value is a number, and what a transformation makes of it is worked
//! out once, whatever chain it stands in. Unchanged values are the same number.

use crate::rules::{ByteSet, Rule, Ruleset, Side};
use crate::transform::Node;

/// A value of this transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ValueId(u32);

impl ValueId {
    /// The empty value.
    pub(crate) const EMPTY: Self = Self(0);

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// Not worked out yet.
const UNKNOWN: u32 = u32::MAX;

/// How many values were kept not long ago.
const RECENT: usize = 256;
/// While there are fewer values, none is looked for.
const REPEATS_FROM: usize = 64;
/// Longer values are not looked for.
const REPEATED_MAX: usize = 64;

/// LIMIT: bytes of all values of a transaction, before and after transformations.
const BYTES_MAX: usize = 256 << 20;

/// A value, and what is known about it.
#[derive(Clone, Copy, Debug)]
struct Known {
    begin: u32,
    end: u32,
    /// The bytes it has; meaningless until it was looked at.
    set: ByteSet,
    is_looked_at: bool,
    /// Where its candidates are, for rules of requests and for rules of responses.
    candidates: [u32; 2],
    /// Where it is kept what each chain makes of it, and what each single transformation does:
    /// chains that differ meet in the same values. Most values are left alone by all.
    derived: u32,
    stepped: u32,
    /// The last mark it got.
    mark: u32,
}

/// Something that values are marked with, to be known when they come again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(u32);

/// What a value has that was never marked.
const UNMARKED: u32 = 0;
/// The mark that says nothing.
const NO_MARK: u32 = u32::MAX;

/// All values.
#[derive(Debug, Default)]
pub(crate) struct Values {
    bytes: Vec<u8>,
    all: Vec<Known>,
    nodes: usize,
    kinds: usize,
    notes: Notes,
    /// Values kept not long ago, each where its hash says; one takes another's place.
    recent: Vec<u32>,
    /// The last mark that was made.
    last_mark: u32,
    /// Bytes that transformations and operators have looked at.
    pub(crate) spent_bytes: u64,
}

/// What was found out about values; worked out again where it is missing.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Rows of as many values as there are nodes, or transformations.
    made: Vec<u32>,
    /// Candidates.
    words: Vec<u64>,
    /// Lent while candidates are looked for, and while a value is made.
    layers: Vec<u64>,
    scratch: Vec<u8>,
}

impl Notes {
    pub(crate) fn new(rules: &Ruleset) -> Self {
        Self {
            made: Vec::with_capacity(32 * rules.trie.len()),
            words: Vec::with_capacity(1024),
            layers: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Forgets all; the memory stays.
    pub(crate) fn clear(&mut self) {
        self.made.clear();
        self.words.clear();
    }

    /// How many bytes of memory it has.
    pub(crate) fn memory_bytes(&self) -> usize {
        let words = self.words.capacity() + self.layers.capacity();
        self.scratch.capacity() + self.made.capacity() * size_of::<u32>() + words * size_of::<u64>()
    }
}

impl Values {
    pub(crate) fn new(rules: &Ruleset) -> Self {
        let mut values = Self {
            bytes: Vec::with_capacity(4096),
            all: Vec::with_capacity(128),
            nodes: rules.trie.len(),
            kinds: rules.trie.kinds(),
            notes: Notes::default(),
            recent: Vec::new(),
            last_mark: UNMARKED,
            spent_bytes: 0,
        };
        values.push(b"");
        values
    }

    /// Forgets all values; the memory stays.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.all.clear();
        self.notes.clear();
        self.recent.clear();
        self.last_mark = UNMARKED;
        self.spent_bytes = 0;
        self.push(b"");
    }

    /// Goes on with these notes, in which nothing is written.
    pub(crate) fn lend(&mut self, notes: Notes) {
        self.notes = notes;
    }

    /// Takes the notes away; the values stay.
    pub(crate) fn take_notes(&mut self) -> Notes {
        for known in &mut self.all {
            known.candidates = [UNKNOWN; 2];
            known.derived = UNKNOWN;
            known.stepped = UNKNOWN;
        }
        std::mem::take(&mut self.notes)
    }

    /// How many bytes of memory values have.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes.capacity()
            + self.all.capacity() * size_of::<Known>()
            + self.recent.capacity() * size_of::<u32>()
    }

    /// Keeps a copy.
    pub(crate) fn push(&mut self, value: &[u8]) -> ValueId {
        if value.is_empty() && !self.all.is_empty() {
            return ValueId::EMPTY;
        }
        // LIMIT: 4 GiB of bytes and as many values; bodies are limited far below.
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let (id, begin) = (ValueId(place(self.all.len())), place(self.bytes.len()));
        self.bytes.extend_from_slice(value);
        self.all.push(Known {
            begin,
            end: place(self.bytes.len()),
            set: ByteSet::default(),
            is_looked_at: false,
            candidates: [UNKNOWN; 2],
            derived: UNKNOWN,
            stepped: UNKNOWN,
            mark: UNMARKED,
        });
        id
    }

    /// A mark that no value has.
    pub(crate) fn new_mark(&mut self) -> Mark {
        // LIMIT: after four thousand million marks no value is known to have come before.
        self.last_mark = self.last_mark.saturating_add(1);
        Mark(self.last_mark)
    }

    /// Marks a value.
    pub(crate) fn mark(&mut self, id: ValueId, mark: Mark) {
        if let Some(known) = self.all.get_mut(id.index()) {
            known.mark = mark.0;
        }
    }

    /// Whether a value has a mark; false where that is not known, or not any more.
    pub(crate) fn is_marked(&self, id: ValueId, mark: Mark) -> bool {
        let known = self.all.get(id.index());
        known.is_some_and(|known| known.mark == mark.0 && mark.0 != NO_MARK)
    }

    /// Keeps a copy, or answers with one that was kept not long ago: long lists repeat themselves, and
    /// what is found out about a value holds for all that are like it.
    ///
    /// SECURITY: one place is looked at, so that no choice of values makes this dear.
    pub(crate) fn keep(&mut self, value: &[u8]) -> ValueId {
        if self.all.len() < REPEATS_FROM || value.len() > REPEATED_MAX {
            return self.push(value);
        }
        let length = u32::try_from(value.len()).unwrap_or_default();
        let mix = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        let hash = value.iter().fold(length, mix);
        let place = (hash ^ hash >> 8) as usize % RECENT;
        self.recent.resize(RECENT, 0);
        let known = self.recent.get(place).copied().map(ValueId);
        if let Some(known) = known.filter(|known| self.get(*known) == value) {
            return known;
        }
        let new = self.push(value);
        if let Some(place) = self.recent.get_mut(place) {
            *place = new.0;
        }
        new
    }

    pub(crate) fn get(&self, id: ValueId) -> &[u8] {
        let known = self.all.get(id.index());
        let bytes =
            known.and_then(|known| self.bytes.get(known.begin as usize..known.end as usize));
        bytes.unwrap_or_default()
    }

    pub(crate) fn len(&self, id: ValueId) -> usize {
        self.get(id).len()
    }

    /// The bytes that a value has.
    pub(crate) fn set(&mut self, id: ValueId) -> &ByteSet {
        let Some(known) = self.all.get_mut(id.index()) else {
            return &ByteSet::EMPTY;
        };
        if !known.is_looked_at {
            let bytes = self.bytes.get(known.begin as usize..known.end as usize);
            known.set = ByteSet::of(bytes.unwrap_or_default());
            known.is_looked_at = true;
        }
        &known.set
    }

    /// Whether values take more than a transaction may have.
    pub(crate) fn are_too_many(&self) -> bool {
        self.bytes.len() > BYTES_MAX
    }

    /// Counts work: the bytes of a value, and a little for looking at it at all.
    pub(crate) fn spend(&mut self, length: usize) {
        let bytes = u64::try_from(length).unwrap_or(u64::MAX);
        self.spent_bytes = self.spent_bytes.saturating_add(bytes).saturating_add(16);
    }

    /// What the chain that ends at `node` makes of a value.
    pub(crate) fn transformed(&mut self, id: ValueId, node: Node, rules: &Ruleset) -> ValueId {
        if node == Node::ROOT {
            return id;
        }
        if !rules.trie.may_change(node, self.set(id)) {
            return id;
        }
        let row = self.row(id, |known| &mut known.derived, self.nodes);
        let cell = row + node.index();
        match self.notes.made.get(cell) {
            Some(known) if *known != UNKNOWN => return ValueId(*known),
            _ => {}
        }
        let Some((parent, _)) = rules.trie.step(node) else {
            return id;
        };
        let before = self.transformed(id, parent, rules);
        let after = self.stepped(before, node, rules);
        self.remember(cell, after)
    }

    /// What the last transformation of the chain that ends at `node` makes of a value.
    fn stepped(&mut self, before: ValueId, node: Node, rules: &Ruleset) -> ValueId {
        let (Some((kind, true)), Some((_, step))) = (
            rules.trie.last(node, self.set(before)),
            rules.trie.step(node),
        ) else {
            return before;
        };
        let row = self.row(before, |known| &mut known.stepped, self.kinds);
        let cell = row + kind;
        match self.notes.made.get(cell) {
            Some(known) if *known != UNKNOWN => return ValueId(*known),
            _ => {}
        }
        self.spend(self.len(before));
        let mut scratch = std::mem::take(&mut self.notes.scratch);
        scratch.clear();
        let input = self.get(before);
        let changed = step.apply(input, &mut scratch, &rules.settings.unicode) && scratch != input;
        let after = if changed { self.push(&scratch) } else { before };
        self.notes.scratch = scratch;
        self.remember(cell, after)
    }

    /// Where a row of a value begins, which is made when it is asked for first.
    fn row(&mut self, id: ValueId, which: fn(&mut Known) -> &mut u32, length: usize) -> usize {
        let Some(place) = self.all.get_mut(id.index()).map(which) else {
            return usize::MAX - length;
        };
        if *place == UNKNOWN {
            *place = u32::try_from(self.notes.made.len()).unwrap_or(UNKNOWN);
            self.notes
                .made
                .resize(self.notes.made.len() + length, UNKNOWN);
        }
        *place as usize
    }

    fn remember(&mut self, cell: usize, value: ValueId) -> ValueId {
        if let Some(place) = self.notes.made.get_mut(cell) {
            *place = value.0;
        }
        value
    }

    /// Whether a rule's operator can hold for a value, which the rule's chain has made.
    pub(crate) fn is_candidate(&mut self, id: ValueId, rule: &Rule, rules: &Ruleset) -> bool {
        let Some(bit) = rule.bit else {
            return true;
        };
        let begin = self.candidates(id, rule.side(), rules);
        is_set(&self.notes.words, begin, bit)
    }

    /// Adds the candidates of a value to `out`.
    pub(crate) fn gather(&mut self, id: ValueId, side: Side, rules: &Ruleset, out: &mut [u64]) {
        let begin = self.candidates(id, side, rules);
        let own = self.notes.words.get(begin..).unwrap_or_default();
        for (word, more) in out.iter_mut().zip(own) {
            *word |= more;
        }
    }

    /// Where the words with a value's candidates begin.
    fn candidates(&mut self, id: ValueId, side: Side, rules: &Ruleset) -> usize {
        let place = usize::from(side == Side::Response);
        let known = self.all.get(id.index());
        let known = known.and_then(|known| known.candidates.get(place).copied());
        match known {
            Some(begin) if begin != UNKNOWN => begin as usize,
            _ => self.new_candidates(id, side, rules),
        }
    }

    fn new_candidates(&mut self, id: ValueId, side: Side, rules: &Ruleset) -> usize {
        let set = *self.set(id);
        let prefilter = rules.prefilter(side);
        let begin = self.notes.words.len();
        let mut words = std::mem::take(&mut self.notes.words);
        let mut layers = std::mem::take(&mut self.notes.layers);
        words.resize(begin + prefilter.words(), 0);
        layers.resize(prefilter.words(), 0);
        if let Some(out) = words.get_mut(begin..)
            && prefilter.candidates(self.get(id), &set, &mut layers, out)
        {
            self.spend(self.len(id));
        }
        self.notes.words = words;
        self.notes.layers = layers;
        let place = usize::from(side == Side::Response);
        let known = self.all.get_mut(id.index());
        if let Some(place) = known.and_then(|known| known.candidates.get_mut(place)) {
            *place = u32::try_from(begin).unwrap_or(UNKNOWN);
        }
        begin
    }
}

/// Whether the bit is set in the words from `begin` on.
pub(crate) fn is_set(words: &[u64], begin: usize, bit: u32) -> bool {
    let word = words.get(begin + (bit / 64) as usize);
    word.is_none_or(|word| word >> (bit % 64) & 1 == 1)
}
