//! JSON (RFC 8259) as named values: `{"a":[{"b":1}]}` is `json.a.array_0.b` with the value `1`, as
//! ModSecurity 3 names them. Strings are decoded, other values are their text, `null` is empty.

use super::{Pairs, Problem};
use crate::bytes::{at, hex_pair, tail};

/// What was read, also when it ended in a problem.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Json {
    pub(crate) pairs: Pairs,
    pub(crate) problem: Option<Problem>,
}

/// Reads a text of at most `depth` levels and `most` values.
pub(crate) fn read(text: &[u8], depth: usize, most: usize) -> Json {
    let mut reader = Reader {
        text,
        at: 0,
        path: b"json".to_vec(),
        open: Vec::new(),
        value: Vec::new(),
        pairs: Pairs::default(),
        names_bytes: 0,
        depth,
        most,
    };
    let problem = reader.document().err();
    Json {
        pairs: reader.pairs,
        problem,
    }
}

/// An array or an object that is not closed yet.
struct Open {
    is_array: bool,
    /// The index of the next element.
    index: usize,
    /// How long the path is without this level.
    path: usize,
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    path: Vec<u8>,
    open: Vec<Open>,
    /// Lent while a string is read.
    value: Vec<u8>,
    pairs: Pairs,
    /// Bytes of all names so far.
    names_bytes: usize,
    depth: usize,
    most: usize,
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Result<(), Problem> {
        self.space();
        self.value()?;
        while let Some(open) = self.open.last_mut() {
            let is_array = open.is_array;
            let first = open.index == 0;
            let path = open.path;
            self.path.truncate(path);
            self.space();
            let close = if is_array { b']' } else { b'}' };
            if self.peek() == Some(close) {
                self.at += 1;
                self.open.pop();
                continue;
            }
            if !first {
                self.expect(b',')?;
                self.space();
            }
            self.member(is_array)?;
            self.space();
            self.value()?;
        }
        self.space();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.wrong("trailing garbage")),
        }
    }

    /// The name of the next member, in front of its value.
    fn member(&mut self, is_array: bool) -> Result<(), Problem> {
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        let index = open.index;
        open.index += 1;
        if is_array {
            self.path.extend_from_slice(b".array_");
            let index = i64::try_from(index).unwrap_or(i64::MAX);
            crate::bytes::write_number(index, &mut self.path);
            return Ok(());
        }
        let mut path = std::mem::take(&mut self.path);
        path.push(b'.');
        let read = self.string(&mut path);
        self.path = path;
        read?;
        self.space();
        self.expect(b':')
    }

    fn value(&mut self) -> Result<(), Problem> {
        match self.peek() {
            Some(byte @ (b'{' | b'[')) => {
                if self.open.len() >= self.depth {
                    return Err(self.wrong("the nesting is too deep"));
                }
                self.at += 1;
                self.open.push(Open {
                    is_array: byte == b'[',
                    index: 0,
                    path: self.path.len(),
                });
                Ok(())
            }
            Some(b'"') => {
                let mut value = std::mem::take(&mut self.value);
                value.clear();
                self.string(&mut value)?;
                self.keep(&value)?;
                self.value = value;
                Ok(())
            }
            Some(b't') => self.word(b"true", b"true"),
            Some(b'f') => self.word(b"false", b"false"),
            Some(b'n') => self.word(b"null", b""),
            Some(b'-' | b'0'..=b'9') => {
                let number = self.number()?;
                self.keep(number)
            }
            Some(_) => Err(self.wrong("no value begins here")),
            None => Err(self.wrong("the text ends early")),
        }
    }

    fn keep(&mut self, value: &[u8]) -> Result<(), Problem> {
        if self.pairs.len() >= self.most {
            return Err(self.wrong("there are too many values"));
        }
        self.names_bytes += self.path.len();
        if self.names_bytes > super::NAMES_BYTES_MAX {
            return Err(self.wrong("the names are too long"));
        }
        self.pairs.push(&self.path, value);
        Ok(())
    }

    fn word(&mut self, word: &[u8], value: &[u8]) -> Result<(), Problem> {
        if !tail(self.text, self.at).starts_with(word) {
            return Err(self.wrong("no value begins here"));
        }
        self.at += word.len();
        self.keep(value)
    }

    /// RFC 8259 §6.
    fn number(&mut self) -> Result<&'t [u8], Problem> {
        let begin = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(self.text.get(begin..self.at).unwrap_or_default())
    }

    fn digits(&mut self) -> Result<(), Problem> {
        let rest = tail(self.text, self.at);
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        match count {
            0 => Err(self.wrong("a digit is missing")),
            _ => Ok(()),
        }
    }

    /// Adds a string to `value` (RFC 8259 §7). Half a surrogate pair becomes U+FFFD: it has no bytes in UTF-8.
    fn string(&mut self, value: &mut Vec<u8>) -> Result<(), Problem> {
        self.expect(b'"')?;
        loop {
            let rest = tail(self.text, self.at);
            let plain = rest
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            let Some(plain) = plain else {
                return Err(self.wrong("a string does not end"));
            };
            let text = rest.get(..plain).unwrap_or_default();
            if std::str::from_utf8(text).is_err() {
                return Err(self.wrong("a string is no UTF-8"));
            }
            value.extend_from_slice(text);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape(value)?,
                _ => return Err(self.wrong("a control character stands in a string")),
            }
        }
    }

    fn escape(&mut self, value: &mut Vec<u8>) -> Result<(), Problem> {
        let byte = match at(self.text, self.at + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => return self.unicode(value),
            _ => return Err(self.wrong("an escape is none")),
        };
        value.push(byte);
        self.at += 2;
        Ok(())
    }

    fn unicode(&mut self, value: &mut Vec<u8>) -> Result<(), Problem> {
        let Some(first) = self.code(self.at + 2) else {
            return Err(self.wrong("an escape is none"));
        };
        self.at += 6;
        let mut units = vec![first];
        if (0xd800..0xdc00).contains(&first)
            && tail(self.text, self.at).starts_with(b"\\u")
            && let Some(second) = self.code(self.at + 2)
            && (0xdc00..0xe000).contains(&second)
        {
            self.at += 6;
            units.push(second);
        }
        for letter in char::decode_utf16(units) {
            let letter = letter.unwrap_or(char::REPLACEMENT_CHARACTER);
            let mut buffer = [0; 4];
            value.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes());
        }
        Ok(())
    }

    fn code(&self, from: usize) -> Option<u16> {
        let high = hex_pair(self.text, from)?;
        let low = hex_pair(self.text, from + 2)?;
        Some(u16::from_be_bytes([high, low]))
    }

    fn space(&mut self) {
        let rest = tail(self.text, self.at);
        let blank = rest
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        self.at += blank.count();
    }

    fn peek(&self) -> Option<u8> {
        at(self.text, self.at)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Problem> {
        if self.peek() != Some(byte) {
            return Err(self.wrong(&format!("`{}` is missing", char::from(byte))));
        }
        self.at += 1;
        Ok(())
    }

    fn wrong(&self, what: &str) -> Problem {
        format!("JSON: {what} at byte {}", self.at)
    }
}
