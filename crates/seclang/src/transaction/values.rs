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

/// LIMIT: bytes of all values of a transaction, before and after transformations.
const BYTES_MAX: usize = 256 << 20;

/// What is known about a value's bytes.
#[derive(Clone, Copy, Debug)]
struct Facts {
    set: ByteSet,
    /// Where its candidates are, for rules of requests and for rules of responses.
    candidates: [u32; 2],
}

/// All values.
#[derive(Debug)]
pub(crate) struct Values {
    bytes: Vec<u8>,
    /// Where each value begins and ends.
    spans: Vec<(u32, u32)>,
    nodes: usize,
    /// What each node makes of each value.
    derived: Vec<u32>,
    kinds: usize,
    /// What each transformation makes of each value: chains that differ meet in the same values.
    stepped: Vec<u32>,
    facts: Vec<Option<Facts>>,
    words: Vec<u64>,
    layers: Vec<u64>,
    scratch: Vec<u8>,
    /// Bytes that transformations and operators have looked at.
    pub(crate) spent_bytes: u64,
}

impl Values {
    pub(crate) fn new(rules: &Ruleset) -> Self {
        let mut values = Self {
            bytes: Vec::with_capacity(4096),
            spans: Vec::with_capacity(256),
            nodes: rules.trie.len(),
            derived: Vec::with_capacity(64 * rules.trie.len()),
            kinds: rules.trie.kinds(),
            stepped: Vec::with_capacity(64 * rules.trie.kinds()),
            facts: Vec::with_capacity(256),
            words: Vec::with_capacity(1024),
            layers: Vec::new(),
            scratch: Vec::new(),
            spent_bytes: 0,
        };
        values.push(b"");
        values
    }

    /// Keeps a copy.
    pub(crate) fn push(&mut self, value: &[u8]) -> ValueId {
        if value.is_empty() && !self.spans.is_empty() {
            return ValueId::EMPTY;
        }
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.span(begin)
    }

    /// Names the bytes from `begin` on.
    fn span(&mut self, begin: usize) -> ValueId {
        // LIMIT: 4 GiB of bytes and as many values; bodies are limited far below.
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let id = ValueId(place(self.spans.len()));
        self.spans.push((place(begin), place(self.bytes.len())));
        id
    }

    pub(crate) fn get(&self, id: ValueId) -> &[u8] {
        let span = self.spans.get(id.index());
        let bytes = span.and_then(|(begin, end)| self.bytes.get(*begin as usize..*end as usize));
        bytes.unwrap_or_default()
    }

    pub(crate) fn len(&self, id: ValueId) -> usize {
        self.get(id).len()
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

    fn cell(&self, id: ValueId, node: Node) -> usize {
        id.index() * self.nodes + node.index()
    }

    /// What the chain that ends at `node` makes of a value.
    pub(crate) fn transformed(&mut self, id: ValueId, node: Node, rules: &Ruleset) -> ValueId {
        if node == Node::ROOT {
            return id;
        }
        let set = self.facts(id).set;
        if !rules.trie.may_change(node, &set) {
            return id;
        }
        let cell = self.cell(id, node);
        match self.derived.get(cell) {
            Some(known) if *known != UNKNOWN => return ValueId(*known),
            _ => {}
        }
        let Some((parent, _)) = rules.trie.step(node) else {
            return id;
        };
        let before = self.transformed(id, parent, rules);
        let after = self.stepped(before, node, rules);
        remember(&mut self.derived, cell, after.0);
        after
    }

    /// What the last transformation of the chain that ends at `node` makes of a value.
    fn stepped(&mut self, before: ValueId, node: Node, rules: &Ruleset) -> ValueId {
        let set = self.facts(before).set;
        let (Some((kind, true)), Some((_, step))) =
            (rules.trie.last(node, &set), rules.trie.step(node))
        else {
            return before;
        };
        let cell = before.index() * self.kinds + kind;
        match self.stepped.get(cell) {
            Some(known) if *known != UNKNOWN => return ValueId(*known),
            _ => {}
        }
        self.spend(self.len(before));
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let input = self.get(before);
        let changed = step.apply(input, &mut scratch, &rules.settings.unicode) && scratch != input;
        let after = if changed { self.push(&scratch) } else { before };
        self.scratch = scratch;
        remember(&mut self.stepped, cell, after.0);
        after
    }

    /// Whether a rule's operator can hold for a value, which the rule's chain has made.
    pub(crate) fn is_candidate(&mut self, id: ValueId, rule: &Rule, rules: &Ruleset) -> bool {
        let Some(bit) = rule.bit else {
            return true;
        };
        let begin = self.candidates(id, rule.side(), rules);
        is_set(&self.words, begin, bit)
    }

    /// Adds the candidates of a value to `out`, and answers with its bytes.
    pub(crate) fn gather(
        &mut self,
        id: ValueId,
        side: Side,
        rules: &Ruleset,
        out: &mut [u64],
    ) -> ByteSet {
        let begin = self.candidates(id, side, rules);
        let own = self.words.get(begin..).unwrap_or_default();
        for (word, more) in out.iter_mut().zip(own) {
            *word |= more;
        }
        self.facts(id).set
    }

    fn facts(&mut self, id: ValueId) -> Facts {
        if let Some(Some(known)) = self.facts.get(id.index()) {
            return *known;
        }
        let facts = Facts {
            set: ByteSet::of(self.get(id)),
            candidates: [UNKNOWN; 2],
        };
        self.keep_facts(id, facts);
        facts
    }

    fn keep_facts(&mut self, id: ValueId, facts: Facts) {
        if self.facts.len() <= id.index() {
            self.facts.resize(self.spans.len(), None);
        }
        if let Some(place) = self.facts.get_mut(id.index()) {
            *place = Some(facts);
        }
    }

    /// Where the words with a value's candidates begin.
    fn candidates(&mut self, id: ValueId, side: Side, rules: &Ruleset) -> usize {
        let mut facts = self.facts(id);
        let [requests, responses] = &mut facts.candidates;
        let place = match side {
            Side::Request => requests,
            Side::Response => responses,
        };
        if *place != UNKNOWN {
            return *place as usize;
        }
        let prefilter = rules.prefilter(side);
        let begin = self.words.len();
        *place = u32::try_from(begin).unwrap_or(UNKNOWN);
        let mut words = std::mem::take(&mut self.words);
        let mut layers = std::mem::take(&mut self.layers);
        words.resize(begin + prefilter.words(), 0);
        if let Some(out) = words.get_mut(begin..) {
            let set = facts.set;
            if prefilter.candidates(self.get(id), &set, &mut layers, out) {
                self.spend(self.len(id));
            }
        }
        self.words = words;
        self.layers = layers;
        self.keep_facts(id, facts);
        begin
    }
}

/// Whether the bit is set in the words from `begin` on.
pub(crate) fn is_set(words: &[u64], begin: usize, bit: u32) -> bool {
    let word = words.get(begin + (bit / 64) as usize);
    word.is_none_or(|word| word >> (bit % 64) & 1 == 1)
}

fn remember(cells: &mut Vec<u32>, cell: usize, value: u32) {
    if cells.len() <= cell {
        cells.resize(cell + 1, UNKNOWN);
    }
    if let Some(place) = cells.get_mut(cell) {
        *place = value;
    }
}
