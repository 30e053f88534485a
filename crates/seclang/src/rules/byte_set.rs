//! Sets of bytes, small enough to be copied. Asking whether two of them meet costs four instructions.

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    /// The bytes that occur in a value.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        // Marks first: one store a byte, which does not wait for the one before.
        let mut marks = [false; 256];
        for byte in bytes {
            if let Some(mark) = marks.get_mut(usize::from(*byte)) {
                *mark = true;
            }
        }
        let mut set = Self::default();
        if bytes.len() < 32 {
            for byte in bytes {
                set.insert(*byte);
            }
            return set;
        }
        for (byte, mark) in (0..=u8::MAX).zip(marks) {
            if mark {
                set.insert(byte);
            }
        }
        set
    }

    /// The bytes of which something is true.
    pub(crate) fn of_those(holds: impl Fn(u8) -> bool) -> Self {
        let mut set = Self::default();
        for byte in (0..=u8::MAX).filter(|byte| holds(*byte)) {
            set.insert(byte);
        }
        set
    }

    pub(crate) fn insert(&mut self, byte: u8) {
        if let Some(word) = self.0.get_mut(usize::from(byte >> 6)) {
            *word |= 1 << (byte & 63);
        }
    }

    pub(crate) fn union(mut self, other: Self) -> Self {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
        self
    }

    /// Whether a byte is in both.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let both = self.0.iter().zip(other.0).map(|(word, other)| word & other);
        both.fold(0, |any, word| any | word) != 0
    }

    #[cfg(test)]
    pub(crate) fn has(&self, byte: u8) -> bool {
        let word = self.0.get(usize::from(byte >> 6));
        word.copied().unwrap_or_default() >> (byte & 63) & 1 == 1
    }

    /// The bytes in it, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u8> {
        let words = (0_u8..).zip(self.0);
        words.flat_map(|(at, word)| {
            std::iter::successors((word != 0).then_some(word), |word| {
                let rest = word & (word - 1);
                (rest != 0).then_some(rest)
            })
            .map(move |word| at << 6 | low(word.trailing_zeros()))
        })
    }
}

fn low(number: u32) -> u8 {
    number.to_le_bytes().first().copied().unwrap_or_default()
}
