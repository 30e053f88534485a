//! Which of many literals may occur in a value, ASCII case aside: an automaton of Aho and Corasick
//! ("Efficient string matching", CACM 1975), made for values that are short and memory that is cold.
//!
//! A state is a row of 128 bytes, and those that most bytes lead to stand together. Rare bytes share
//! a column: a literal may be told that differs from the value in such a byte. Literals are cut at
//! [`LITERAL_MAX`] bytes, so that what lies further back says nothing, and a long value is read in
//! four places at once: a step waits for memory, and four wait no longer than one.

/// Of longer literals only so many bytes are looked for: they tell enough, and all of them together
/// have few states.
pub(super) const LITERAL_MAX: usize = 6;
/// LIMIT: states. Of more literals fewer bytes are looked for.
const STATES_MAX: usize = 48_000;
/// LIMIT: what all states tell together. Beyond, nothing is known, and every rule is asked.
const TOLD_MAX: usize = 4 << 20;
/// Columns of a row: one for bytes that no literal has, one for rare bytes.
const WIDTH: usize = 64;
/// The column of bytes that no literal has.
const OTHER: u8 = 0;
/// The column that rare bytes share.
const RARE: u8 = 63;
/// How many places of a value are read at once.
const LANES: usize = 4;
/// How far a place reaches into the one before it: a literal that begins there is seen here.
const OVERLAP: usize = LITERAL_MAX - 1;
/// Shorter values are read from their beginning: to get into step costs more.
const LANES_FROM: usize = 24;

type Row = [u16; WIDTH];

/// Numbers that are told together: those of one word.
#[derive(Clone, Copy, Debug)]
struct Told {
    word: u32,
    bits: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Finder {
    /// The column of each byte.
    columns: [u8; 256],
    /// Where each state goes: first those that tell nothing, nearest to the beginning first.
    rows: Vec<Row>,
    /// The first state that tells something.
    telling: u16,
    /// For each of those, where what it tells ends in `told`; it begins where the one before ends.
    ends: Vec<u32>,
    told: Vec<Told>,
}

impl Default for Finder {
    fn default() -> Self {
        Self {
            columns: [OTHER; 256],
            rows: Vec::new(),
            telling: 0,
            ends: Vec::new(),
            told: Vec::new(),
        }
    }
}

impl Finder {
    /// Of sorted literals in lower case, each with the number to be told when it may occur. None of
    /// them is empty.
    pub(super) fn new(literals: &[(Vec<u8>, u32)]) -> Self {
        let columns = columns(literals);
        // Counted before anything is made. Of a single byte there are no more states than bytes.
        let mut cuts = (1..=LITERAL_MAX).rev();
        let cut = cuts.find(|cut| states(literals, *cut) <= STATES_MAX);
        let mut trie = Trie::new(literals, &columns, cut.unwrap_or(1));
        match trie.complete() {
            Some(order) => trie.finish(columns, order),
            None => Self::default(),
        }
    }

    /// Whether there is nothing to be found.
    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// Sets the bit of every number that is told of `value`.
    pub(super) fn find(&self, value: &[u8], found: &mut [u64]) {
        let mut state = 0;
        if value.len() < LANES_FROM {
            for byte in value {
                state = self.next(state, *byte);
                if state >= self.telling {
                    self.tell(state, found);
                }
            }
            return;
        }
        let length = (value.len() + (LANES - 1) * OVERLAP).div_ceil(LANES);
        let lane = |from: usize| value.get(from..from + length).unwrap_or_default();
        let step = length - OVERLAP;
        let ([a, b], [c, d]) = (
            [lane(0), lane(step)],
            [lane(2 * step), lane(value.len() - length)],
        );
        let mut states = [0; LANES];
        for (((a, b), c), d) in a.iter().zip(b).zip(c).zip(d) {
            let [w, x, y, z] = states;
            states = [
                self.next(w, *a),
                self.next(x, *b),
                self.next(y, *c),
                self.next(z, *d),
            ];
            let [w, x, y, z] = states;
            if w.max(x).max(y.max(z)) >= self.telling {
                for state in states {
                    self.tell(state, found);
                }
            }
        }
    }

    #[inline]
    fn next(&self, state: u16, byte: u8) -> u16 {
        let column = self.columns.get(usize::from(byte)).copied();
        let column = usize::from(column.unwrap_or(OTHER)) % WIDTH;
        let row = self.rows.get(usize::from(state));
        row.and_then(|row| row.get(column))
            .copied()
            .unwrap_or_default()
    }

    fn tell(&self, state: u16, found: &mut [u64]) {
        let Some(at) = state.checked_sub(self.telling).map(usize::from) else {
            return;
        };
        let end_of = |at: usize| self.ends.get(at).map_or(0, |end| *end as usize);
        let begin = at.checked_sub(1).map_or(0, end_of);
        for told in self.told.get(begin..end_of(at)).unwrap_or_default() {
            if let Some(word) = found.get_mut(told.word as usize) {
                *word |= told.bits;
            }
        }
    }
}

/// How many beginnings of at most `cut` bytes sorted literals have.
fn states(literals: &[(Vec<u8>, u32)], cut: usize) -> usize {
    let mut before: &[u8] = &[];
    let mut count = 1;
    for (literal, _) in literals {
        let literal = crate::bytes::head(literal, cut);
        let pairs = before.iter().zip(literal);
        count += literal.len() - pairs.take_while(|(a, b)| a == b).count();
        before = literal;
    }
    count
}

/// A column for each byte that literals have; those that have the fewest share one.
fn columns(literals: &[(Vec<u8>, u32)]) -> [u8; 256] {
    let mut counts = vec![0_usize; 256];
    for byte in literals.iter().flat_map(|(literal, _)| literal) {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let mut bytes: Vec<(usize, u8)> = counts.into_iter().zip(0..=u8::MAX).collect();
    bytes.retain(|(count, _)| *count > 0);
    bytes.sort_unstable_by(|a, b| b.cmp(a));
    let mut columns = [OTHER; 256];
    let own = (OTHER + 1..RARE).chain(std::iter::repeat(RARE));
    for ((_, byte), own) in bytes.into_iter().zip(own) {
        for byte in [byte, byte.to_ascii_uppercase()] {
            if let Some(column) = columns.get_mut(usize::from(byte)) {
                *column = own;
            }
        }
    }
    columns
}

/// An automaton that is being made; zero where a state goes nowhere, for nothing leads back to the
/// beginning.
#[derive(Debug)]
struct Trie {
    rows: Vec<[u32; WIDTH]>,
    tells: Vec<Vec<u32>>,
}

impl Trie {
    fn new(literals: &[(Vec<u8>, u32)], columns: &[u8; 256], cut: usize) -> Self {
        let mut trie = Self {
            rows: vec![[0; WIDTH]],
            tells: vec![Vec::new()],
        };
        for (literal, number) in literals {
            let mut state = 0;
            for byte in literal.iter().take(cut) {
                let column = columns.get(usize::from(*byte)).copied();
                state = trie.child(state, usize::from(column.unwrap_or(OTHER)));
            }
            if let Some(tells) = trie.tells.get_mut(state) {
                tells.push(*number);
            }
        }
        trie
    }

    fn at(&self, state: usize, column: usize) -> usize {
        let row = self.rows.get(state);
        row.and_then(|row| row.get(column))
            .map_or(0, |to| *to as usize)
    }

    fn put(&mut self, state: usize, column: usize, to: usize) {
        let row = self.rows.get_mut(state);
        if let Some(place) = row.and_then(|row| row.get_mut(column)) {
            *place = u32::try_from(to).unwrap_or_default();
        }
    }

    fn child(&mut self, state: usize, column: usize) -> usize {
        let known = self.at(state, column);
        if known != 0 {
            return known;
        }
        let new = self.rows.len();
        self.rows.push([0; WIDTH]);
        self.tells.push(Vec::new());
        self.put(state, column, new);
        new
    }

    /// Where each state goes that has no literal going on: where the longest end of what was read
    /// goes. Answers with all states, nearest to the beginning first; with none where they tell too
    /// much.
    fn complete(&mut self) -> Option<Vec<usize>> {
        let mut fails = vec![0; self.rows.len()];
        let mut order = vec![0];
        let (mut at, mut told) = (0, 0);
        while let Some(state) = order.get(at).copied() {
            at += 1;
            let fail = fails.get(state).copied().unwrap_or_default();
            if state != fail {
                let more = self.tells.get(fail).cloned().unwrap_or_default();
                if let Some(tells) = self.tells.get_mut(state) {
                    tells.extend(more);
                    tells.sort_unstable();
                    tells.dedup();
                    told += tells.len();
                }
            }
            if told > TOLD_MAX {
                return None;
            }
            for column in 0..WIDTH {
                let other = if state == 0 { 0 } else { self.at(fail, column) };
                match self.at(state, column) {
                    0 => self.put(state, column, other),
                    child => {
                        order.push(child);
                        if let Some(fail) = fails.get_mut(child) {
                            *fail = other;
                        }
                    }
                }
            }
        }
        Some(order)
    }

    fn finish(self, columns: [u8; 256], mut order: Vec<usize>) -> Finder {
        let tells = |state: &usize| self.tells.get(*state).is_some_and(|told| !told.is_empty());
        order.sort_by_key(tells);
        let telling = order.partition_point(|state| !tells(state));
        let narrow = |number: usize| u16::try_from(number).unwrap_or_default();
        let mut renamed = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(place) = renamed.get_mut(*old) {
                *place = narrow(new);
            }
        }
        let mut finder = Finder {
            columns,
            telling: narrow(telling),
            ..Finder::default()
        };
        for old in &order {
            let row = self.rows.get(*old).copied().unwrap_or([0; WIDTH]);
            let new = |to: u32| renamed.get(to as usize).copied().unwrap_or_default();
            finder.rows.push(row.map(new));
        }
        for old in order.iter().skip(telling) {
            let numbers = self.tells.get(*old).map_or(&[][..], Vec::as_slice);
            // They are sorted.
            for of_word in numbers.chunk_by(|a, b| a / 64 == b / 64) {
                finder.told.push(Told {
                    word: of_word.first().map_or(0, |first| first / 64),
                    bits: of_word
                        .iter()
                        .fold(0, |bits, number| bits | 1 << (number % 64)),
                });
            }
            finder
                .ends
                .push(u32::try_from(finder.told.len()).unwrap_or(u32::MAX));
        }
        finder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(finder: &Finder, value: &[u8]) -> u64 {
        let mut found = [0];
        finder.find(value, &mut found);
        let [found] = found;
        found
    }

    fn occur(literals: &[(Vec<u8>, u32)], value: &[u8]) -> u64 {
        let value = value.to_ascii_lowercase();
        let occurs = |literal: &[u8]| memchr::memmem::find(&value, literal).is_some();
        let all = literals.iter().filter(|(literal, _)| occurs(literal));
        all.fold(0, |all, (_, number)| all | 1 << number)
    }

    /// Numbers from 0 to `below`, always the same.
    fn random(mut seed: u64) -> impl FnMut(u64) -> u64 {
        move |below| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        }
    }

    #[test]
    fn literals_are_told_wherever_they_stand_and_no_others() {
        let mut random = random(1);
        for round in 0..300 {
            let letters = 2 + round % 5;
            let mut text = |longest: u64, from: u8| -> Vec<u8> {
                let length = 1 + random(longest);
                let letter = |_| from + u8::try_from(random(letters)).unwrap();
                (0..length).map(letter).collect()
            };
            let mut literals: Vec<_> = (0..40).map(|number| (text(6, b'a'), number)).collect();
            literals.sort_unstable();
            let finder = Finder::new(&literals);
            for longest in [3, 20, 70, 300] {
                let from = if longest == 20 { b'A' } else { b'a' };
                let value = text(longest, from);
                assert_eq!(found(&finder, &value), occur(&literals, &value));
            }
        }
    }

    #[test]
    fn literal_is_told_at_each_place_of_values_of_each_length() {
        let literals = vec![(b"le".to_vec(), 5), (b"needle".to_vec(), 3)];
        let finder = Finder::new(&literals);
        for length in 6..200 {
            for at in 0..=length - 6 {
                let mut value = vec![b'x'; length];
                value.splice(at..at + 6, *b"NEEdle");
                assert_eq!(found(&finder, &value), 1 << 3 | 1 << 5, "{length} {at}");
            }
        }
    }

    #[test]
    fn bytes_that_share_a_column_are_told_too_often_never_too_seldom() {
        let literals: Vec<_> = (b' '..=b'~')
            .filter(|byte| !byte.is_ascii_uppercase())
            .map(|byte| (vec![byte, b'x'], u32::from(byte) % 64))
            .collect();
        let finder = Finder::new(&literals);
        for byte in b' '..=b'~' {
            let value = [byte, b'X'];
            let (told, occur) = (found(&finder, &value), occur(&literals, &value));
            assert_eq!(told & occur, occur, "{byte}");
        }
        assert_eq!(found(&finder, b"\x80x"), 0);
    }

    #[test]
    fn too_many_literals_are_looked_for_by_their_beginnings() {
        let mut random = random(2);
        let letter = |number: u64| b'a' + u8::try_from(number).unwrap();
        let mut literal = || -> Vec<u8> { (0..6).map(|_| letter(random(26))).collect() };
        let mut literals: Vec<_> = (0..40_000).map(|at| (literal(), at % 64)).collect();
        literals.sort_unstable();
        let finder = Finder::new(&literals);
        assert!((10_000..=STATES_MAX).contains(&finder.rows.len()));
        for (literal, number) in &literals {
            assert_ne!(found(&finder, literal) & 1 << number, 0);
        }
    }

    #[test]
    fn what_would_tell_too_much_tells_nothing() {
        // Each of a thousand ends with what ten thousand rules look for.
        let mut literals: Vec<_> = (0..10_000).map(|at| (b"zz".to_vec(), at)).collect();
        let beginning = |at: u32| [b'a' + low(at / 26), b'a' + low(at % 26)];
        let low_ones = (0..26 * 25).map(|at| ([&beginning(at)[..], b"zz"].concat(), at));
        literals.extend(low_ones);
        literals.sort_unstable();
        assert!(Finder::new(&literals).is_empty());
        literals.retain(|(_, number)| *number < 1_000);
        assert!(!Finder::new(&literals).is_empty());
    }

    fn low(number: u32) -> u8 {
        u8::try_from(number).unwrap()
    }

    #[test]
    fn states_are_counted_as_they_are_made() {
        let mut random = random(3);
        let mut literal = || -> Vec<u8> {
            let length = 1 + random(6);
            (0..length)
                .map(|_| b'a' + low(u32::try_from(random(4)).unwrap()))
                .collect()
        };
        let mut literals: Vec<_> = (0..500).map(|at| (literal(), at)).collect();
        literals.sort_unstable();
        let columns = columns(&literals);
        for cut in 1..=LITERAL_MAX {
            let trie = Trie::new(&literals, &columns, cut);
            assert_eq!(states(&literals, cut), trie.rows.len());
        }
    }

    #[test]
    fn without_literals_nothing_is_told() {
        let finder = Finder::new(&[]);
        assert!(finder.is_empty());
        assert_eq!(found(&finder, &[b'x'; 100]), 0);
    }
}
