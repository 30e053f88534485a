//! Hostile bytes from good ones: seeded, so that what failed once fails again.

/// A round's damage, at most.
const CHANGES_MAX: usize = 4;
/// LIMIT: bytes a mutated input grows to.
const BYTES_MAX: usize = 256 * 1024;
/// Bytes at which readers of text change their mind.
const TELLING: &[u8] = b"\0\t\n\r !\"#%&'(),-./0;:<=>?@[\\]{|}~\x7f\x80\xbf\xc2\xef\xff";

/// Changes inputs at random; the same seed changes them in the same way.
#[derive(Clone, Debug)]
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// From a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number of SplitMix64.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 when that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next_u64() % end).unwrap_or(0)
    }

    /// One of `all`; nothing when there is none.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }

    /// Damages `bytes` in a few places. `words` are what readers of this format look for: they are
    /// put in, and over what is there.
    pub fn mutate(&mut self, bytes: &mut Vec<u8>, words: &[&[u8]]) {
        for _ in 0..=self.below(CHANGES_MAX) {
            self.change(bytes, words);
        }
        bytes.truncate(BYTES_MAX);
    }

    fn change(&mut self, bytes: &mut Vec<u8>, words: &[&[u8]]) {
        let at = self.below(bytes.len());
        let end = at.saturating_add(self.below(24)).min(bytes.len());
        let at = at.min(end);
        match self.below(9) {
            0 => {
                let bit = self.below(8);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            1 => {
                let telling = self.telling();
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = telling;
                }
            }
            2 => bytes.insert(at, self.telling()),
            3 => drop(bytes.drain(at..end)),
            4 => {
                // The same once more: fields, frames and digits that must stand once.
                let again: Vec<u8> = bytes.get(at..end).unwrap_or_default().to_vec();
                bytes.splice(end..end, again);
            }
            5 => {
                let word = self.pick(words).map_or(&[][..], |word| *word).to_vec();
                bytes.splice(at..at, word);
            }
            6 => {
                let word = self.pick(words).map_or(&[][..], |word| *word).to_vec();
                bytes.splice(at..end, word);
            }
            7 => bytes.truncate(at),
            _ => {
                // A piece from elsewhere.
                let from = self.below(bytes.len());
                let to = from.saturating_add(self.below(48)).min(bytes.len());
                let piece = bytes.get(from..to).unwrap_or_default().to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }

    fn telling(&mut self) -> u8 {
        if self.below(4) == 0 {
            return u8::try_from(self.below(256)).unwrap_or(0);
        }
        self.pick(TELLING).copied().unwrap_or(0)
    }
}

/// Mutates each of `corpus` in turn, `RAMPART_FUZZ_ROUNDS` times in all (`usual` when it is not
/// set), and hands each result to `look`, whose panic is the finding. The seed is
/// `RAMPART_FUZZ_SEED`; round and input are printed when `look` panics.
#[expect(
    clippy::print_stderr,
    reason = "what failed is said where the test runner shows it"
)]
pub fn fuzz(usual: u64, corpus: &[Vec<u8>], words: &[&[u8]], mut look: impl FnMut(&[u8])) {
    let rounds = told("RAMPART_FUZZ_ROUNDS").unwrap_or(usual);
    let seed = told("RAMPART_FUZZ_SEED").unwrap_or(1);
    for input in corpus {
        look(input);
    }
    for round in 0..rounds {
        let mut mutator = Mutator::new(seed.wrapping_add(round.wrapping_mul(0x1000_0001)));
        let mut bytes = mutator.pick(corpus).cloned().unwrap_or_default();
        mutator.mutate(&mut bytes, words);
        let told = OnPanic(|| {
            eprintln!("round {round} of seed {seed}: \"{}\"", bytes.escape_ascii());
        });
        look(&bytes);
        drop(told);
    }
}

/// Says something when it is dropped by a panic.
struct OnPanic<F: Fn()>(F);

impl<F: Fn()> Drop for OnPanic<F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (self.0)();
        }
    }
}

/// A number a test run is told.
#[must_use]
pub fn told(name: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "how a test run is told how long it may take"
    )]
    let text = std::env::var(name).ok()?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_does_the_same_damage() {
        let damage = |seed| {
            let mut mutator = Mutator::new(seed);
            let mut bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec();
            for _ in 0..50 {
                mutator.mutate(&mut bytes, &[b"chunked"]);
            }
            bytes
        };
        assert_eq!(damage(7), damage(7));
        assert_ne!(damage(7), damage(8));
    }

    #[test]
    fn nothing_is_too_short_to_be_damaged() {
        let mut mutator = Mutator::new(1);
        for _ in 0..1000 {
            mutator.mutate(&mut Vec::new(), &[]);
        }
    }
}
