//! Which rules can match a value at all, answered for all rules at once.
//!
//! Every operator that needs something of a value has a bit. A value's candidates are found in three
//! steps, each for all bits together: its length, the bytes that occur in it, and, when there is still
//! a candidate that needs one, one pass for the literals of all patterns and phrases,
//! ASCII case aside. What is left out cannot match; what stays may.

use super::finder::{Finder, LITERAL_MAX};
use super::needs::{Needs, SETS_MAX};
use super::wants::{self, Wants};
use super::{ByteSet, Rule};

/// Lengths beyond this are all the same.
const LENGTHS: usize = 32;

/// Words that are worked on at once: a bit each for 256 operators.
pub(crate) const CHUNK: usize = 4;
type Chunk = [u64; CHUNK];
/// What a byte says about 256 operators: a bit of a layer says that it is in the operator's set of that
/// layer.
type Layers = [Chunk; SETS_MAX];
const NONE: Layers = [[0; CHUNK]; SETS_MAX];

/// What all operators of some rules need.
#[derive(Debug, Default)]
pub(crate) struct Prefilter {
    /// How many chunks a bit for each operator takes.
    chunks: usize,
    /// Bytes that say the same have the same class.
    classes: Vec<u8>,
    /// What each class says: its chunks one after the other. Few enough to stay near the processor.
    by_class: Vec<Layers>,
    /// The same layers for each chunk, for operators that have no set there: they need nothing.
    without: Vec<Layers>,
    /// For each length up to the greatest that is told apart: who may match.
    by_length: Vec<Chunk>,
    /// Operators that need no literal.
    literal_free: Vec<Chunk>,
    /// Operators that no single word or number satisfies.
    not_words: Vec<Chunk>,
    literals: Finder,
}

impl Prefilter {
    /// Gives a bit to each of these rules whose operator needs something.
    pub(super) fn build(rules: &mut [Rule], chosen: impl Fn(usize) -> bool) -> Self {
        let mut all = Vec::new();
        for (_, rule) in (0..).zip(rules).filter(|(at, _)| chosen(*at)) {
            if let Some(wants) = rule.operator.as_mut().and_then(wants::of) {
                rule.bit = u32::try_from(all.len()).ok();
                all.push(wants);
            }
        }
        Self::of(all)
    }

    /// The first has the first bit, and so on.
    pub(super) fn of(all: Vec<Wants>) -> Self {
        let mut prefilter = Self::sized(all.len());
        let mut literals = Vec::new();
        for (bit, mut wants) in (0_u32..).zip(all) {
            // An empty one occurs everywhere.
            if wants.literals.iter().any(Vec::is_empty) {
                wants.literals.clear();
            }
            prefilter.learn(bit, &wants);
            literals.extend(wants.literals.into_iter().map(|mut literal| {
                literal.truncate(LITERAL_MAX);
                literal.make_ascii_lowercase();
                (literal, bit)
            }));
        }
        literals.sort_unstable();
        literals.dedup();
        prefilter.classify();
        prefilter.literals = Finder::new(&literals);
        prefilter
    }

    fn sized(bits: usize) -> Self {
        let chunks = bits.div_ceil(64 * CHUNK);
        let empty = || vec![[0; CHUNK]; chunks];
        Self {
            chunks,
            classes: (0..=u8::MAX).collect(),
            by_class: vec![NONE; 256 * chunks],
            without: vec![NONE; chunks],
            by_length: vec![[0; CHUNK]; (LENGTHS + 1) * chunks],
            literal_free: empty(),
            not_words: empty(),
            literals: Finder::default(),
        }
    }

    fn learn(&mut self, bit: u32, wants: &Wants) {
        let Needs { length, sets } = &wants.needs;
        let (chunk, bit) = (bit as usize / (64 * CHUNK), bit as usize % (64 * CHUNK));
        for length in (*length).min(LENGTHS)..=LENGTHS {
            raise(self.by_length.get_mut(length * self.chunks + chunk), bit);
        }
        for layer in 0..SETS_MAX {
            match sets.get(layer) {
                None => {
                    let layers = self.without.get_mut(chunk);
                    raise(layers.and_then(|layers| layers.get_mut(layer)), bit);
                }
                Some(set) => set.for_each(|byte| {
                    let layers = self
                        .by_class
                        .get_mut(usize::from(byte) * self.chunks + chunk);
                    raise(layers.and_then(|layers| layers.get_mut(layer)), bit);
                }),
            }
        }
        if wants.literals.is_empty() {
            raise(self.literal_free.get_mut(chunk), bit);
        }
        if wants.not_a_word {
            raise(self.not_words.get_mut(chunk), bit);
        }
    }

    /// Makes one class of bytes that say the same; before, each byte is its own.
    fn classify(&mut self) {
        let mut distinct: Vec<&[Layers]> = Vec::new();
        let mut classes = Vec::with_capacity(256);
        for says in self.by_class.chunks_exact(self.chunks.max(1)) {
            let known = distinct.iter().position(|known| *known == says);
            let class = known.unwrap_or_else(|| {
                distinct.push(says);
                distinct.len() - 1
            });
            // There are no more classes than bytes.
            classes.push(u8::try_from(class).unwrap_or(u8::MAX));
        }
        let by_class = distinct.concat();
        self.by_class = by_class;
        self.classes = classes;
    }

    /// What a byte says of the operators of a chunk.
    fn says(&self, byte: u8, chunk: usize) -> &Layers {
        let class = self.classes.get(usize::from(byte)).copied();
        let at = usize::from(class.unwrap_or_default()) * self.chunks + chunk;
        self.by_class.get(at).unwrap_or(&NONE)
    }

    /// How many words the candidates take; a multiple of [`CHUNK`].
    pub(crate) fn words(&self) -> usize {
        self.chunks * CHUNK
    }

    /// Puts the candidates for a value in `out`, which has [`Prefilter::words`] of them. `found`
    /// has as many, and is only lent. Answers whether all of the value had to be looked at.
    pub(crate) fn candidates(
        &self,
        value: &[u8],
        set: &ByteSet,
        found: &mut [u64],
        out: &mut [u64],
    ) -> bool {
        let (out, _) = out.as_chunks_mut::<CHUNK>();
        let begin = value.len().min(LENGTHS) * self.chunks;
        let lengths = self.by_length.get(begin..).unwrap_or_default();
        let each = out.iter_mut().zip(lengths).zip(&self.without).enumerate();
        for (chunk, ((out, length), without)) in each {
            // Nothing more can be asked of the shortest values.
            if *length == [0; CHUNK] {
                *out = [0; CHUNK];
                continue;
            }
            let mut layers = *without;
            set.for_each(|byte| join(&mut layers, self.says(byte, chunk)));
            let [a, b] = layers;
            *out = meet(meet(*length, a), b);
        }
        if joint(out, &self.not_words) && crate::operator::is_word(value) {
            for (out, not) in out.iter_mut().zip(&self.not_words) {
                *out = without(*out, *not);
            }
        }
        let pairs = out.iter().zip(&self.literal_free);
        let asks = pairs.fold(false, |any, (out, free)| {
            any | (without(*out, *free) != [0; CHUNK])
        });
        if asks {
            self.literals(value, found, out);
        }
        asks
    }

    fn literals(&self, value: &[u8], found: &mut [u64], out: &mut [Chunk]) {
        // Where nothing is known all stay candidates.
        if self.literals.is_empty() {
            return;
        }
        let (chunks, _) = found.as_chunks_mut::<CHUNK>();
        for (found, free) in chunks.iter_mut().zip(&self.literal_free) {
            *found = *free;
        }
        self.literals.find(value, found);
        let (found, _) = found.as_chunks::<CHUNK>();
        for (out, found) in out.iter_mut().zip(found) {
            *out = meet(*out, *found);
        }
    }
}

fn raise(chunk: Option<&mut Chunk>, bit: usize) {
    if let Some(word) = chunk.and_then(|chunk| chunk.get_mut(bit / 64)) {
        *word |= 1 << (bit % 64);
    }
}

#[inline]
fn meet(a: Chunk, b: Chunk) -> Chunk {
    let ([a, b, c, d], [e, f, g, h]) = (a, b);
    [a & e, b & f, c & g, d & h]
}

#[inline]
fn without(a: Chunk, b: Chunk) -> Chunk {
    meet(a, b.map(|word| !word))
}

#[inline]
fn join(layers: &mut Layers, more: &Layers) {
    let ([a, b], [c, d]) = (*layers, *more);
    *layers = [either(a, c), either(b, d)];
}

#[inline]
fn either(a: Chunk, b: Chunk) -> Chunk {
    let ([a, b, c, d], [e, f, g, h]) = (a, b);
    [a | e, b | f, c | g, d | h]
}

fn joint(a: &[Chunk], b: &[Chunk]) -> bool {
    let pairs = a.iter().zip(b);
    pairs.fold(false, |any, (a, b)| any | (meet(*a, *b) != [0; CHUNK]))
}
