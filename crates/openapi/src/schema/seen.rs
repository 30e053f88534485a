//! Which properties and items some schema has evaluated: what `unevaluated…` asks for
//! (JSON Schema core §11).

use smallvec::SmallVec;

/// Evaluated members or items of one value, by their place in it.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    all: bool,
    first: u32,
    bits: SmallVec<[u64; 2]>,
}

impl Seen {
    pub(super) fn add(&mut self, at: u32) {
        let word = (at / 64) as usize;
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        if let Some(bits) = self.bits.get_mut(word) {
            *bits |= 1 << (at % 64);
        }
    }

    /// The first so many.
    pub(super) fn add_first(&mut self, count: u32) {
        self.first = self.first.max(count);
    }

    pub(super) fn add_all(&mut self) {
        self.all = true;
    }

    pub(super) fn has(&self, at: u32) -> bool {
        let word = self.bits.get((at / 64) as usize).copied().unwrap_or(0);
        self.all || at < self.first || word & (1 << (at % 64)) != 0
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.all |= other.all;
        self.first = self.first.max(other.first);
        if self.bits.len() < other.bits.len() {
            self.bits.resize(other.bits.len(), 0);
        }
        for (bits, more) in self.bits.iter_mut().zip(&other.bits) {
            *bits |= more;
        }
    }
}
