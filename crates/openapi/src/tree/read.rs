//! JSON read once and strictly (RFC 8259): what two readers could take differently is refused. Keys
//! that come twice, lone surrogates, numbers past any use, anything after the value.

use super::{Arena, Held, Kind};
use crate::number::Decimal;

/// Why a text is no JSON that is taken, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReadError {
    /// Bytes before it.
    pub(crate) offset: usize,
    /// What is wrong.
    pub(crate) what: &'static str,
    /// Which kind of wrong.
    pub(crate) fault: Fault,
}

/// Which kind of wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No JSON.
    Syntax,
    /// A key that comes twice.
    Repeated,
    /// A limit.
    Limit,
}

/// Nodes that room is made for before any is read.
const NODES_BEGUN: usize = 512;
// LIMIT: bytes of one number.
const NUMBER_BYTES: usize = 1_024;

/// Reads one value into an empty arena; spans are of the text that is returned.
///
/// # Errors
/// What is wrong, at its first place.
pub(crate) fn read<'a>(
    arena: &mut Arena,
    bytes: &'a [u8],
    depth_max: usize,
    nodes_max: usize,
) -> Result<&'a str, ReadError> {
    let fail = |offset, what, fault| {
        Err(ReadError {
            offset,
            what,
            fault,
        })
    };
    if u32::try_from(bytes.len()).is_err() {
        return fail(0, "it is too long", Fault::Limit);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // RFC 8259 §8.1: JSON between systems is UTF-8.
        Err(error) => return fail(error.valid_up_to(), "it is not UTF-8", Fault::Syntax),
    };
    // A guess, so that the list does not grow step by step for every small body.
    arena.nodes.reserve((bytes.len() / 8).min(NODES_BEGUN));
    let mut reader = Reader {
        arena,
        text,
        bytes,
        at: 0,
        // LIMIT: nesting, also against the reader's own stack.
        depth_left: depth_max.min(256),
        nodes_max,
    };
    reader.space();
    reader.value()?;
    reader.space();
    if reader.at < bytes.len() {
        return reader.fail("something follows the value", Fault::Syntax);
    }
    Ok(text)
}

/// Members of an object whose keys' marks are compared each with each.
const FEW: usize = 12;

fn all_differ(marks: &[u64]) -> bool {
    let mut rest = marks;
    while let [first, others @ ..] = rest {
        if others.contains(first) {
            return false;
        }
        rest = others;
    }
    true
}

/// Where two keys differ in it they differ.
fn mark_of(key: &str) -> u64 {
    let bytes = key.as_bytes();
    let ends = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(23)
        }
        _ => bytes
            .iter()
            .fold(1, |mark, byte| (mark << 8) | u64::from(*byte)),
    };
    ends ^ (key.len() as u64).rotate_left(57)
}

/// A bit for the first of eight bytes of a string that is a quote, a backslash or a control
/// character, and maybe for some behind it; none where none is.
fn odd_of(eight: &[u8; 8]) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let eight = u64::from_le_bytes(*eight);
    // A borrow only goes up: below the first hit nothing is set.
    let is = |byte: u8| {
        let same = eight ^ ONES.wrapping_mul(u64::from(byte));
        same.wrapping_sub(ONES) & !same
    };
    let below = eight.wrapping_sub(ONES.wrapping_mul(0x20)) & !eight;
    (below | is(b'"') | is(b'\\')) & HIGH
}

struct Reader<'a, 'r> {
    arena: &'r mut Arena,
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth_left: usize,
    nodes_max: usize,
}

type Read<T> = Result<T, ReadError>;

impl Reader<'_, '_> {
    fn fail<T>(&self, what: &'static str, fault: Fault) -> Read<T> {
        Err(ReadError {
            offset: self.at,
            what,
            fault,
        })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Read<()> {
        if self.arena.nodes.len() >= self.nodes_max {
            return self.fail("it holds too many values", Fault::Limit);
        }
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Kind::True),
            Some(b'f') => self.word("false", Kind::False),
            Some(b'n') => self.word("null", Kind::Null),
            Some(_) => self.fail("a value was expected", Fault::Syntax),
            None => self.fail("it ends where a value was expected", Fault::Syntax),
        }
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Read<()>) -> Read<()> {
        let Some(left) = self.depth_left.checked_sub(1) else {
            return self.fail("it is nested too deep", Fault::Limit);
        };
        self.depth_left = left;
        self.at += 1;
        let read = inner(self);
        self.depth_left += 1;
        read
    }

    fn word(&mut self, word: &str, kind: Kind) -> Read<()> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) != Some(word.as_bytes()) {
            return self.fail("a value was expected", Fault::Syntax);
        }
        let start = self.at;
        self.at = end;
        self.hold(kind, start, end);
        Ok(())
    }

    fn number(&mut self) -> Read<()> {
        let start = self.at;
        let ahead = self.bytes.get(start..).unwrap_or_default();
        let sign = usize::from(ahead.first() == Some(&b'-'));
        let rest = ahead.get(sign..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let rest = rest.get(digits..).unwrap_or_default();
        let more = rest
            .iter()
            .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        let plain = more == 0;
        self.at += sign + digits + more;
        let written = self.text.get(start..self.at).unwrap_or_default();
        if written.len() > NUMBER_BYTES {
            self.at = start;
            return self.fail("a number is too long", Fault::Limit);
        }
        let digits = written.strip_prefix('-').unwrap_or(written);
        let good = if plain {
            !digits.is_empty() && (digits.len() == 1 || !digits.starts_with('0'))
        } else {
            Decimal::parse(written).is_some()
        };
        if !good {
            self.at = start;
            return self.fail(
                "a number is not one of JSON, or out of reach",
                Fault::Syntax,
            );
        }
        self.hold(Kind::Number, start, self.at);
        Ok(())
    }

    fn hold(&mut self, kind: Kind, start: usize, end: usize) {
        // INVARIANT: the text's length fits 32 bits; `read` has looked.
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let len = small(end.saturating_sub(start));
        self.arena.push(kind, Held::Input, small(start), len);
    }

    /// A string, with its opening quote ahead.
    fn string(&mut self) -> Read<u32> {
        self.at += 1;
        let start = self.at;
        let node = self.arena.len();
        match self.clean() {
            Some(b'"') => {
                self.hold(Kind::String, start, self.at);
                self.at += 1;
                Ok(node)
            }
            Some(b'\\') => self.escaped(start).map(|()| node),
            Some(_) => self.fail("a string holds a control character", Fault::Syntax),
            None => self.fail("it ends within a string", Fault::Syntax),
        }
    }

    /// Goes on to the next byte of a string that stands for something else than itself.
    fn clean(&mut self) -> Option<u8> {
        while let Some(eight) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            let odd = odd_of(eight);
            if odd != 0 {
                self.at += (odd.trailing_zeros() / 8) as usize;
                return self.peek();
            }
            self.at += 8;
        }
        while let Some(byte) = self.peek() {
            if byte < 0x20 || byte == b'"' || byte == b'\\' {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// The rest of a string, from its first escape on, decoded.
    fn escaped(&mut self, start: usize) -> Read<()> {
        let begun = self.arena.decoded.len();
        let mut from = start;
        loop {
            let byte = self.clean();
            let clean = self.text.get(from..self.at).unwrap_or_default();
            self.arena.decoded.push_str(clean);
            match byte {
                Some(b'"') => break,
                Some(b'\\') => {
                    let decoded = self.escape()?;
                    self.arena.decoded.push(decoded);
                    from = self.at;
                }
                Some(_) => return self.fail("a string holds a control character", Fault::Syntax),
                None => return self.fail("it ends within a string", Fault::Syntax),
            }
        }
        self.at += 1;
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let len = small(self.arena.decoded.len().saturating_sub(begun));
        self.arena
            .push(Kind::String, Held::Decoded, small(begun), len);
        Ok(())
    }

    fn escape(&mut self) -> Read<char> {
        self.at += 1;
        let plain = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => {
                return self.fail(
                    "a string holds an escape that JSON does not have",
                    Fault::Syntax,
                );
            }
        };
        self.at += 1;
        Ok(plain)
    }

    fn unicode(&mut self) -> Read<char> {
        let first = self.hex()?;
        let code = match first {
            0xD800..=0xDBFF => {
                if self.bytes.get(self.at..self.at + 2) != Some(b"\\u") {
                    return self.lone();
                }
                self.at += 1;
                let second = self.hex()?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return self.lone();
                }
                0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            code => code,
        };
        char::from_u32(code).map_or_else(|| self.lone(), Ok)
    }

    /// SECURITY: readers turn half a surrogate pair into different things, or into one that
    /// equals another key (RFC 8259 §8.2, RFC 7493 §2.1).
    fn lone<T>(&self) -> Read<T> {
        self.fail("a string holds half a surrogate pair", Fault::Syntax)
    }

    /// Four digits after the `u` that is ahead.
    fn hex(&mut self) -> Read<u32> {
        let digits = self.text.get(self.at + 1..self.at + 5);
        let code = digits
            .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|d| u32::from_str_radix(d, 16).ok());
        match code {
            Some(code) => {
                self.at += 5;
                Ok(code)
            }
            None => self.fail("`\\u` wants four hexadecimal digits", Fault::Syntax),
        }
    }

    fn array(&mut self) -> Read<()> {
        let node = self.arena.len();
        self.hold(Kind::Array, self.at, self.at);
        let mut count = 0;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            self.value()?;
            count += 1;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return self.fail("an array wants `,` or `]`", Fault::Syntax),
            }
        }
        self.at += 1;
        self.arena.close(node, count);
        Ok(())
    }

    fn object(&mut self) -> Read<()> {
        let node = self.arena.len();
        self.hold(Kind::Object, self.at, self.at);
        let mut count = 0;
        let mut marks = [0_u64; FEW];
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return self.fail("an object wants a key in quotes", Fault::Syntax);
            }
            let key = self.string()?;
            if let Some(mark) = marks.get_mut(count as usize) {
                *mark = mark_of(self.arena.tree(self.text).text(key));
            }
            self.space();
            if self.peek() != Some(b':') {
                return self.fail("a key wants `:`", Fault::Syntax);
            }
            self.at += 1;
            self.space();
            self.value()?;
            count += 1;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return self.fail("an object wants `,` or `}`", Fault::Syntax),
            }
        }
        self.at += 1;
        self.arena.close(node, count);
        // Of few keys whose marks all differ, all differ.
        let marks = marks.get(..count as usize);
        match marks.is_some_and(all_differ) {
            true => Ok(()),
            false => self.distinct(node),
        }
    }

    /// SECURITY: of a key that comes twice some readers take the first, some the last; what was
    /// checked must be what the backend reads (RFC 8259 §4).
    fn distinct(&self, node: u32) -> Read<()> {
        let tree = self.arena.tree(self.text);
        let mut keys: Vec<&str> = tree.members(node).map(|(key, _)| tree.text(key)).collect();
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair.first() == pair.last()) {
            return self.fail("an object has a key twice", Fault::Repeated);
        }
        Ok(())
    }
}
