//! The code that strings of HPACK may stand in (RFC 7541 §5.2, appendix B).
//!
//! The code is canonical: codes of one length follow each other in the order of their symbols, and
//! those of the next length follow them. The lengths therefore say all of it, and the compiler makes
//! the tables.

use super::Broken;

/// The bits of each byte's code, and of the end of string behind them.
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, //
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28, //
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, //
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, //
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, //
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, //
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, //
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, //
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, //
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, //
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, //
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, //
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, //
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, //
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, //
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, //
    30,
];

const SYMBOLS: usize = 257;
/// The longest code.
const BITS_MAX: usize = 30;
/// Codes up to so long are found with one look; all of usual text is.
const FAST_BITS: u32 = 10;
const FAST_MASK: u64 = (1 << FAST_BITS) - 1;

/// The code, made of its lengths.
struct Tables {
    /// Each symbol's code.
    codes: [u32; SYMBOLS],
    /// Symbols in the order of their codes.
    sorted: [u16; SYMBOLS],
    /// Of each length: its first code, how many there are, and where they begin in `sorted`.
    lengths: [(u32, u32, u32); BITS_MAX + 1],
    /// By the next bits: the length of the code that stands there, and its symbol; 0 for a longer.
    fast: [u16; 1 << FAST_BITS],
}

static TABLES: Tables = tables();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "runs in the compiler, where an index out of bounds is an error"
)]
const fn tables() -> Tables {
    let mut tables = Tables {
        codes: [0; SYMBOLS],
        sorted: [0; SYMBOLS],
        lengths: [(0, 0, 0); BITS_MAX + 1],
        fast: [0; 1 << FAST_BITS],
    };
    let (mut code, mut place, mut length) = (0_u32, 0_usize, 1_usize);
    while length <= BITS_MAX {
        code <<= 1;
        let (first, begin) = (code, place);
        let mut symbol = 0;
        while symbol < SYMBOLS {
            if LENGTHS[symbol] as usize == length {
                tables.codes[symbol] = code;
                tables.sorted[place] = symbol as u16;
                if length <= FAST_BITS as usize {
                    let open = FAST_BITS as usize - length;
                    let mut at = (code as usize) << open;
                    let end = at + (1 << open);
                    while at < end {
                        tables.fast[at] = ((length as u16) << 8) | symbol as u16;
                        at += 1;
                    }
                }
                code += 1;
                place += 1;
            }
            symbol += 1;
        }
        tables.lengths[length] = (first, code - first, begin as u32);
        length += 1;
    }
    tables
}

/// Bits that were read and not used.
struct Bits<'a> {
    rest: &'a [u8],
    /// The last `count` bits of it.
    held: u64,
    count: u32,
}

impl Bits<'_> {
    fn fill(&mut self) {
        while self.count <= 56 {
            let Some((byte, rest)) = self.rest.split_first() else {
                return;
            };
            self.held = (self.held << 8) | u64::from(*byte);
            self.count = self.count.wrapping_add(8);
            self.rest = rest;
        }
    }

    /// The next ten bits, with ones behind the last.
    fn peek(&self) -> usize {
        let bits = match self.count.checked_sub(FAST_BITS) {
            Some(behind) => self.held >> behind,
            None => {
                let open = FAST_BITS.wrapping_sub(self.count);
                (self.held << open) | ((1 << open) - 1)
            }
        };
        usize::try_from(bits & FAST_MASK).unwrap_or(0)
    }

    /// Whether what is left is padding: less than a byte, and ones (RFC 7541 §5.2).
    fn is_padding(&self) -> bool {
        let ones = (1_u64 << self.count.min(8)) - 1;
        self.count < 8 && self.held & ones == ones
    }

    /// A symbol whose code is longer than one look; `None` when no whole one stands here.
    fn long(&mut self) -> Option<u16> {
        let from = usize::try_from(FAST_BITS).unwrap_or(0).saturating_add(1);
        for length in from..=BITS_MAX {
            let bits = u32::try_from(length).unwrap_or(0);
            let behind = self.count.checked_sub(bits)?;
            let code = u32::try_from((self.held >> behind) & ((1 << bits) - 1)).unwrap_or(0);
            let (first, count, begin) = *TABLES.lengths.get(length)?;
            if let Some(at) = code.checked_sub(first).filter(|at| *at < count) {
                self.count = behind;
                let at = usize::try_from(begin.saturating_add(at)).unwrap_or(usize::MAX);
                return TABLES.sorted.get(at).copied();
            }
        }
        None
    }
}

/// Puts what `text` stands for behind what is in `out`.
pub(super) fn decode(text: &[u8], out: &mut impl Extend<u8>) -> Result<(), Broken> {
    let mut bits = Bits {
        rest: text,
        held: 0,
        count: 0,
    };
    let symbols = std::iter::from_fn(|| {
        bits.fill();
        let found = TABLES.fast.get(bits.peek()).copied().unwrap_or(0);
        let [length, symbol] = found.to_be_bytes();
        if length > 0 {
            // Where it is longer than what is left, that is padding or nothing.
            bits.count = bits.count.checked_sub(u32::from(length))?;
            return Some(symbol);
        }
        // The end of string is no byte: it must not stand in a string (RFC 7541 §5.2).
        let before = bits.count;
        let symbol = bits.long().and_then(|symbol| u8::try_from(symbol).ok());
        if symbol.is_none() {
            bits.count = before;
        }
        symbol
    });
    out.extend(symbols);
    if bits.rest.is_empty() && bits.is_padding() {
        Ok(())
    } else {
        Err(Broken)
    }
}

/// How many bytes `text` takes in this code.
pub(super) fn encoded_len(text: &[u8]) -> usize {
    let bits: usize = text.iter().map(|byte| usize::from(length(*byte))).sum();
    bits.div_ceil(8)
}

/// Puts `text` in this code behind what is in `out`.
pub(super) fn encode(text: &[u8], out: &mut Vec<u8>) {
    let (mut held, mut count) = (0_u64, 0_u32);
    for byte in text {
        let code = TABLES.codes.get(usize::from(*byte)).copied().unwrap_or(0);
        let bits = u32::from(length(*byte));
        held = (held << bits) | u64::from(code);
        count = count.saturating_add(bits);
        while let Some(behind) = count.checked_sub(8) {
            out.push((held >> behind).to_le_bytes()[0]);
            count = behind;
        }
    }
    if count > 0 {
        let open = 8_u32.saturating_sub(count);
        out.push(((held << open) | ((1 << open) - 1)).to_le_bytes()[0]);
    }
}

fn length(byte: u8) -> u8 {
    LENGTHS.get(usize::from(byte)).copied().unwrap_or(0)
}
