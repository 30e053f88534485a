//! Sets of bytes, small enough to be copied. Asking whether two of them meet costs four instructions.

/// Values below this length are many, and their bytes few.
const SHORT: usize = 64;

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    /// No byte.
    pub(crate) const EMPTY: Self = Self([0; 4]);

    /// A bit for each byte, the first in the lowest bit of the first word.
    pub(crate) fn words(self) -> [u64; 4] {
        self.0
    }

    /// From [`ByteSet::words`].
    pub(crate) fn from_words(words: [u64; 4]) -> Self {
        Self(words)
    }

    /// The bytes that occur in a value.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        if bytes.len() < SHORT {
            return Self::of_short(bytes);
        }
        // Marks first: one store a byte, which does not wait for the one before.
        let mut marks = [false; 256];
        for byte in bytes {
            if let Some(mark) = marks.get_mut(usize::from(*byte)) {
                *mark = true;
            }
        }
        let mut set = Self::default();
        for (word, marks) in set.0.iter_mut().zip(marks.chunks_exact(64)) {
            *word = (0..)
                .zip(marks)
                .fold(0, |word, (at, mark)| word | u64::from(*mark) << at);
        }
        set
    }

    /// Without branches and without memory: each word takes what is its own.
    fn of_short(bytes: &[u8]) -> Self {
        let [mut a, mut b, mut c, mut d] = [0; 4];
        if bytes.is_ascii() {
            for byte in bytes {
                let bit = 1_u64 << (byte & 63);
                let upper = u64::from(byte >> 6).wrapping_neg();
                a |= bit & !upper;
                b |= bit & upper;
            }
            return Self([a, b, 0, 0]);
        }
        for byte in bytes {
            let bit = 1_u64 << (byte & 63);
            a |= if byte >> 6 == 0 { bit } else { 0 };
            b |= if byte >> 6 == 1 { bit } else { 0 };
            c |= if byte >> 6 == 2 { bit } else { 0 };
            d |= if byte >> 6 == 3 { bit } else { 0 };
        }
        Self([a, b, c, d])
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
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        (a & e) | (b & f) | (c & g) | (d & h) != 0
    }

    /// Does something for each byte in it, in order.
    #[inline]
    pub(crate) fn for_each(&self, mut act: impl FnMut(u8)) {
        let mut at = 0;
        for mut word in self.0 {
            while word != 0 {
                act(at | low(word.trailing_zeros()));
                word &= word - 1;
            }
            at = at.wrapping_add(64);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_of_a_value_has_its_bytes_and_no_others() {
        for length in [0, 1, SHORT - 1, SHORT, 300] {
            for step in [1_u8, 3, 7, 64, 128] {
                for first in [0_u8, 63, 64, 127, 128, 255] {
                    let bytes: Vec<u8> =
                        std::iter::successors(Some(first), |byte| Some(byte.wrapping_add(step)))
                            .take(length)
                            .collect();
                    let set = ByteSet::of(&bytes);
                    for byte in 0..=u8::MAX {
                        assert_eq!(set.has(byte), bytes.contains(&byte), "{byte} in {bytes:?}");
                    }
                }
            }
        }
    }
}
