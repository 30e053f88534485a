//! JSON (RFC 8259), and JSON with comments and trailing commas, which bun writes.

use std::borrow::Cow;

use super::{Limits, Member, Node, Value, twice};
use crate::inventory::ReadError;
use crate::text::{Places, said};

/// Which JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// RFC 8259.
    Strict,
    /// With comments, and commas after the last value.
    Comments,
}

pub(super) fn read<'a>(
    text: &'a str,
    dialect: Dialect,
    limits: &Limits,
) -> Result<Node<'a>, ReadError> {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        depth: 0,
        values: 0,
        dialect,
        limits,
    };
    reader.space()?;
    let node = reader.value()?;
    reader.space()?;
    match reader.peek() {
        None => Ok(node),
        Some(_) => reader.fail("something stands after the document's end"),
    }
}

struct Reader<'a, 'l> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    line: u32,
    depth: usize,
    values: usize,
    dialect: Dialect,
    limits: &'l Limits,
}

type Read<T> = Result<T, ReadError>;

impl<'a> Reader<'a, '_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn fail<T>(&self, what: impl Into<String>) -> Read<T> {
        self.fail_at(self.at, what)
    }

    fn fail_at<T>(&self, at: usize, what: impl Into<String>) -> Read<T> {
        let (line, column) = Places::of(self.text).mark(at);
        let what = what.into();
        let conflict = self.bytes.get(self.at..).is_some_and(|rest| {
            [&b"<<<<<<<"[..], b"=======", b">>>>>>>"]
                .iter()
                .any(|mark| rest.starts_with(mark))
        });
        Err(ReadError::Syntax {
            line,
            column,
            what: format!("no JSON: {what}"),
            hint: conflict.then_some("resolve the conflict of the merge first"),
        })
    }

    fn space(&mut self) -> Read<()> {
        loop {
            match self.peek() {
                Some(b'\n') => {
                    self.line = self.line.saturating_add(1);
                    self.at += 1;
                }
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'/') if self.dialect == Dialect::Comments => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Read<()> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(b"//") {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            self.at += end;
            return Ok(());
        }
        let inside = rest.strip_prefix(b"/*");
        let Some(end) = inside.and_then(|inside| memchr::memmem::find(inside, b"*/")) else {
            return self.fail("a comment has no end");
        };
        let skipped = rest.get(..end.saturating_add(4)).unwrap_or_default();
        let lines = memchr::memchr_iter(b'\n', skipped).count();
        self.line = self.line.saturating_add(crate::text::count(lines));
        self.at += skipped.len();
        Ok(())
    }

    fn value(&mut self) -> Read<Node<'a>> {
        self.values += 1;
        if self.values > self.limits.values {
            return Err(ReadError::TooMany {
                line: self.line,
                most: self.limits.values,
                of: "values",
            });
        }
        let line = self.line;
        let value = match self.peek() {
            Some(b'{') => self.nested(Self::map)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'a'..=b'z') => self.word()?,
            Some(_) => return self.fail("a value is missing"),
            None => return self.fail("it ends too early"),
        };
        Ok(Node { value, line })
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Read<Value<'a>>) -> Read<Value<'a>> {
        if self.depth >= self.limits.depth {
            return self.fail(format!("it is nested more than {} deep", self.limits.depth));
        }
        self.depth += 1;
        self.at += 1;
        let value = inner(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// After an item: whether another follows.
    fn goes_on(&mut self, close: u8, what: &str) -> Read<bool> {
        self.space()?;
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.space()?;
                if self.dialect == Dialect::Comments && self.peek() == Some(close) {
                    self.at += 1;
                    return Ok(false);
                }
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => self.fail(format!("{what} wants a comma or its end")),
        }
    }

    /// Whether it ends before it began.
    fn is_empty(&mut self, close: u8) -> Read<bool> {
        self.space()?;
        let empty = self.peek() == Some(close);
        if empty {
            self.at += 1;
        }
        Ok(empty)
    }

    fn list(&mut self) -> Read<Value<'a>> {
        let mut items = Vec::new();
        if self.is_empty(b']')? {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value()?);
            if !self.goes_on(b']', "an array")? {
                return Ok(Value::List(items));
            }
        }
    }

    fn map(&mut self) -> Read<Value<'a>> {
        let mut members = Vec::new();
        if self.is_empty(b'}')? {
            return Ok(Value::Map(members));
        }
        loop {
            let line = self.line;
            if self.peek() != Some(b'"') {
                return self.fail("an object wants a key in quotes");
            }
            let key = self.string()?;
            self.space()?;
            if self.peek() != Some(b':') {
                return self.fail("a key wants `:`");
            }
            self.at += 1;
            self.space()?;
            let value = self.value()?;
            members.push(Member { key, line, value });
            if !self.goes_on(b'}', "an object")? {
                break;
            }
        }
        // SECURITY: of a key that comes twice some readers take the first, some the last.
        if let Some((key, line)) = twice(&members) {
            return Err(ReadError::Syntax {
                line,
                column: 1,
                what: format!("the key `{}` stands here again", said(key)),
                hint: Some("readers disagree on which one counts: write the file again"),
            });
        }
        Ok(Value::Map(members))
    }

    fn word(&mut self) -> Read<Value<'a>> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (value, length) = if rest.starts_with(b"true") {
            (Value::Bool(true), 4)
        } else if rest.starts_with(b"false") {
            (Value::Bool(false), 5)
        } else if rest.starts_with(b"null") {
            (Value::Null, 4)
        } else {
            return self.fail("an unknown word");
        };
        self.at += length;
        Ok(value)
    }

    fn number(&mut self) -> Read<Value<'a>> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let end = rest
            .iter()
            .position(|byte| !is_part(byte))
            .unwrap_or(rest.len());
        let text = self.text.get(self.at..self.at + end).unwrap_or_default();
        if !is_number(text) {
            return self.fail("a number is not written as JSON has them");
        }
        self.at += end;
        Ok(Value::Number(Cow::Borrowed(text)))
    }

    fn string(&mut self) -> Read<Cow<'a, str>> {
        self.at += 1;
        let begin = self.at;
        let rest = self.bytes.get(begin..).unwrap_or_default();
        let telling = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
        let Some(end) = rest.iter().position(telling) else {
            return self.fail("a text has no end");
        };
        let first = self.text.get(begin..begin + end).unwrap_or_default();
        self.at = begin + end;
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(first));
        }
        let mut out = first.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(out));
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(0..=0x1f) => return self.fail("a text holds a control character"),
                Some(_) => {
                    let rest = self.bytes.get(self.at..).unwrap_or_default();
                    let end = rest.iter().position(telling).unwrap_or(rest.len());
                    out.push_str(self.text.get(self.at..self.at + end).unwrap_or_default());
                    self.at += end;
                }
                None => return self.fail("a text has no end"),
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        self.at += 1;
        let byte = self.peek();
        self.at += 1;
        Ok(match byte {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unit(),
            _ => return self.fail("an unknown escape"),
        })
    }

    /// `\uXXXX`, of which two may be one letter (RFC 8259 §7).
    fn unit(&mut self) -> Read<char> {
        let high = self.hex()?;
        if !(0xD800..0xDC00).contains(&high) {
            return match char::from_u32(high) {
                Some(letter) => Ok(letter),
                None => self.fail("half a pair of surrogates"),
            };
        }
        let next = self.bytes.get(self.at..self.at + 2);
        if next != Some(b"\\u") {
            return self.fail("half a pair of surrogates");
        }
        self.at += 2;
        let low = self.hex()?;
        let code = 0x10000 + ((high - 0xD800) << 10) + low.wrapping_sub(0xDC00);
        match char::from_u32(code) {
            Some(letter) if (0xDC00..0xE000).contains(&low) => Ok(letter),
            _ => self.fail("half a pair of surrogates"),
        }
    }

    fn hex(&mut self) -> Read<u32> {
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(code) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
            return self.fail("`\\u` wants four hexadecimal digits");
        };
        self.at += 4;
        Ok(code)
    }
}

/// RFC 8259 §6.
fn is_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let exponent = exponent.map(|e| e.strip_prefix(['+', '-']).unwrap_or(e));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}
