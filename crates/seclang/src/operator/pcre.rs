//! Patterns of PCRE in the syntax of the `regex` crate. What cannot mean the same is refused.
//!
//! Both read bytes here. What differs: `{` that begins no repetition, `[` inside a class, escapes
//! that one of them does not know, `\<` (a letter there, a boundary here), possessive repetitions,
//! and everything that needs more than one pass (look-around, back references, atomic groups).

use crate::bytes::{at, hex, tail};
use crate::place::Bad;

/// LIMIT: bytes of one pattern.
const PATTERN_MAX: usize = 64 << 10;

/// The same pattern for `regex`, in ASCII.
pub(crate) fn translate(pattern: &[u8]) -> Result<String, Bad> {
    if pattern.len() > PATTERN_MAX {
        return Err(Bad::new(format!(
            "the pattern has more than {PATTERN_MAX} bytes"
        )));
    }
    let mut writer = Writer {
        input: pattern,
        at: 0,
        out: String::with_capacity(pattern.len() + 16),
        repeats: false,
    };
    while let Some(byte) = at(writer.input, writer.at) {
        writer.step(byte)?;
    }
    Ok(writer.out)
}

struct Writer<'p> {
    input: &'p [u8],
    at: usize,
    out: String,
    /// Whether the last thing written was a repetition.
    repeats: bool,
}

impl Writer<'_> {
    fn step(&mut self, byte: u8) -> Result<(), Bad> {
        let repeated = std::mem::take(&mut self.repeats);
        match byte {
            b'\\' => self.escape(Inside::Pattern)?,
            b'[' => self.class()?,
            b'(' => self.group()?,
            b'{' if !self.is_repetition() => self.literal(b'{', 1),
            b'}' => self.literal(b'}', 1),
            b'{' => self.repetition(),
            b'+' if repeated => {
                return Err(unsupported(
                    "a possessive repetition",
                    "leave its second `+` out",
                ));
            }
            b'?' | b'*' | b'+' => {
                // A lazy mark ends the repetition; only its first sign begins one.
                self.repeats = !repeated;
                self.raw(byte);
            }
            _ => self.raw(byte),
        }
        Ok(())
    }

    fn raw(&mut self, byte: u8) {
        if byte.is_ascii() && !byte.is_ascii_control() {
            self.out.push(char::from(byte));
        } else {
            self.byte(byte);
        }
        self.at += 1;
    }

    fn byte(&mut self, byte: u8) {
        self.out.push_str(&format!("\\x{byte:02x}"));
    }

    fn literal(&mut self, byte: u8, length: usize) {
        self.byte(byte);
        self.at += length;
    }

    /// Whether `{…}` here is a repetition: `{n}`, `{n,}` or `{n,m}`.
    fn is_repetition(&self) -> bool {
        self.repetition_length().is_some()
    }

    fn repetition_length(&self) -> Option<usize> {
        let rest = tail(self.input, self.at + 1);
        let end = memchr::memchr(b'}', rest)?;
        let text = std::str::from_utf8(rest.get(..end)?).ok()?;
        let (from, to) = text.split_once(',').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        (!from.is_empty() && digits(from) && digits(to)).then_some(end + 2)
    }

    fn repetition(&mut self) {
        let length = self.repetition_length().unwrap_or(1);
        for _ in 0..length {
            if let Some(byte) = at(self.input, self.at) {
                self.raw(byte);
            }
        }
        self.repeats = true;
    }

    fn group(&mut self) -> Result<(), Bad> {
        let rest = tail(self.input, self.at + 1);
        let refused = [
            (b"?=".as_slice(), "a look-ahead"),
            (b"?!", "a look-ahead"),
            (b"?<=", "a look-behind"),
            (b"?<!", "a look-behind"),
            (b"?>", "an atomic group"),
            (b"?R", "a recursion"),
            (b"?(", "a condition"),
            (b"?|", "a branch reset"),
            (b"?&", "a recursion"),
            (b"?P>", "a recursion"),
            (b"?P=", "a back reference"),
            (b"*", "a verb"),
        ];
        if let Some((_, what)) = refused.iter().find(|(sign, _)| rest.starts_with(sign)) {
            return Err(unsupported(what, "say it in a second rule of a chain"));
        }
        if rest.starts_with(b"?#") {
            let end =
                memchr::memchr(b')', rest).ok_or_else(|| Bad::new("a comment does not end"))?;
            self.at += end + 2;
            return Ok(());
        }
        self.raw(b'(');
        // The `?` of `(?:` is no repetition.
        if rest.first() == Some(&b'?') {
            self.raw(b'?');
        }
        Ok(())
    }

    fn class(&mut self) -> Result<(), Bad> {
        self.raw(b'[');
        if at(self.input, self.at) == Some(b'^') {
            self.raw(b'^');
        }
        let mut first = true;
        // A range cannot begin with a class such as `\w`: a dash after it stands for itself.
        let mut after_class = false;
        loop {
            let Some(byte) = at(self.input, self.at) else {
                return Err(Bad::new(
                    "a class of the pattern does not end: `]` is missing",
                ));
            };
            let rest = tail(self.input, self.at);
            match byte {
                b']' if !first => {
                    self.raw(b']');
                    return Ok(());
                }
                b'\\' => self.escape(Inside::Class)?,
                b'[' if rest.starts_with(b"[:") && posix(rest).is_some() => {
                    let length = posix(rest).unwrap_or_default();
                    for byte in rest.get(..length).unwrap_or_default() {
                        self.raw(*byte);
                    }
                }
                // What would begin a class within the class, or an operation on classes.
                b'[' | b']' | b'&' | b'~' | b'^' => self.literal(byte, 1),
                b'-' if first || after_class || self.dash_at_end() => self.literal(b'-', 1),
                _ => self.raw(byte),
            }
            first = false;
            after_class = rest.starts_with(b"[:")
                || matches!(
                    rest,
                    [
                        b'\\',
                        b'w' | b'W' | b's' | b'S' | b'd' | b'D' | b'h' | b'v',
                        ..
                    ]
                );
        }
    }

    fn dash_at_end(&self) -> bool {
        matches!(at(self.input, self.at + 1), Some(b']' | b'-'))
    }

    fn escape(&mut self, inside: Inside) -> Result<(), Bad> {
        let Some(letter) = at(self.input, self.at + 1) else {
            return Err(Bad::new("the pattern ends with `\\`"));
        };
        match letter {
            b'x' => return self.hexadecimal(),
            b'0'..=b'7' if letter == b'0' || inside == Inside::Class => self.octal(),
            b'1'..=b'9' if inside == Inside::Pattern => {
                return Err(unsupported("a back reference", ""));
            }
            b'd' | b'D' | b'w' | b'W' | b's' | b'S' | b'n' | b'r' | b't' | b'f' | b'a' => {
                self.kept(letter);
            }
            b'b' if inside == Inside::Class => self.literal(0x08, 2),
            b'b' | b'B' | b'A' | b'z' if inside == Inside::Pattern => self.kept(letter),
            b'Z' => self.written("(?-m:\\n?\\z)"),
            b'e' => self.literal(0x1b, 2),
            b'h' if inside == Inside::Class => self.written("\\t\\x20\\xa0"),
            b'h' => self.written("[\\t\\x20\\xa0]"),
            b'v' if inside == Inside::Class => self.written("\\n\\x0b\\x0c\\r\\x85"),
            b'v' => self.written("[\\n\\x0b\\x0c\\r\\x85]"),
            b'H' | b'V' if inside == Inside::Class => {
                return Err(unsupported("`\\H` or `\\V` within a class", ""));
            }
            b'H' => self.written("[^\\t\\x20\\xa0]"),
            b'V' => self.written("[^\\n\\x0b\\x0c\\r\\x85]"),
            b'N' => self.written("[^\\n]"),
            b'R' => self.written("(?:\\r\\n|[\\n\\x0b\\x0c\\r\\x85])"),
            b'Q' => return self.quoted(),
            b'E' => self.at += 2,
            b'c' | b'C' | b'G' | b'K' | b'X' | b'p' | b'P' | b'g' | b'k' | b'o' | b'u' | b'U'
            | b'l' | b'L' => {
                return Err(unsupported(&format!("`\\{}`", char::from(letter)), ""));
            }
            other => self.literal(other, 2),
        }
        Ok(())
    }

    fn kept(&mut self, letter: u8) {
        self.out.push('\\');
        self.out.push(char::from(letter));
        self.at += 2;
    }

    fn written(&mut self, text: &str) {
        self.out.push_str(text);
        self.at += 2;
    }

    /// `\xHH`, `\xH`, `\x` or `\x{…}`.
    fn hexadecimal(&mut self) -> Result<(), Bad> {
        let braced = at(self.input, self.at + 2) == Some(b'{');
        let from = self.at + if braced { 3 } else { 2 };
        let most = if braced { 8 } else { 2 };
        let digits: Vec<u8> = tail(self.input, from)
            .iter()
            .take(most)
            .map_while(|b| hex(*b))
            .collect();
        let value = digits
            .iter()
            .fold(0_u32, |value, digit| value << 4 | u32::from(*digit));
        let Ok(byte) = u8::try_from(value) else {
            return Err(Bad::new(format!("`\\x{{{value:x}}}` is no byte")));
        };
        let mut length = from - self.at + digits.len();
        if braced {
            if at(self.input, self.at + length) != Some(b'}') {
                return Err(Bad::new("`\\x{` is not closed"));
            }
            length += 1;
        }
        self.literal(byte, length);
        Ok(())
    }

    fn octal(&mut self) {
        let rest = tail(self.input, self.at + 1);
        let digits = rest
            .iter()
            .take(3)
            .take_while(|b| (b'0'..=b'7').contains(b));
        let (value, count) = digits.fold((0_u16, 0), |(value, count), digit| {
            (value << 3 | u16::from(digit - b'0'), count + 1)
        });
        self.literal(value.to_le_bytes()[0], count + 1);
    }

    fn quoted(&mut self) -> Result<(), Bad> {
        let rest = tail(self.input, self.at + 2);
        let end = memchr::memmem::find(rest, b"\\E");
        let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        for byte in text {
            self.byte(*byte);
        }
        self.at += 2 + text.len();
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Pattern,
    Class,
}

/// The length of `[:name:]` when `rest` begins with one.
fn posix(rest: &[u8]) -> Option<usize> {
    let end = memchr::memmem::find(rest, b":]")?;
    let name = rest.get(2..end)?;
    let name = name.strip_prefix(b"^").unwrap_or(name);
    (!name.is_empty() && name.iter().all(u8::is_ascii_lowercase)).then_some(end + 2)
}

fn unsupported(what: &str, hint: &str) -> Bad {
    Bad::new(format!(
        "{what} cannot be matched in linear time, or is not understood"
    ))
    .hint(hint)
}
