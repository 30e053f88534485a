//! JSON, read strictly and without recursion: each key once in its object, nothing after the end,
//! bounded depth and number of fields.

use std::collections::HashSet;

use super::BodyError;

/// LIMIT: arrays and objects within each other.
const DEPTH_MAX: usize = 64;
/// LIMIT: values of all kinds.
const VALUES_MAX: usize = 100_000;

/// An array or object that is being read.
enum Level {
    Array,
    Object(HashSet<String>),
}

/// Shows every string, with the key it stands under, and every key to `look` until it finds
/// something; the whole text is checked first or together.
pub(super) fn walk<T>(
    body: &[u8],
    look: impl Fn(&str, &str) -> Option<T>,
) -> Result<Option<T>, BodyError> {
    let text = std::str::from_utf8(body).map_err(|_| BodyError::Utf8)?;
    let mut scanner = Scanner { rest: text };
    let mut levels: Vec<Level> = Vec::new();
    let mut name = String::new();
    let mut found = None;
    let mut values = 0;
    loop {
        values += 1;
        if values > VALUES_MAX {
            return Err(BodyError::TooManyFields);
        }
        let opened = match scanner.peek() {
            Some('"') => {
                let value = scanner.string()?;
                if found.is_none() {
                    found = look(&name, &value);
                }
                false
            }
            Some('{') => {
                scanner.expect('{')?;
                levels.push(Level::Object(HashSet::new()));
                true
            }
            Some('[') => {
                scanner.expect('[')?;
                levels.push(Level::Array);
                true
            }
            _ => {
                scanner.scalar()?;
                false
            }
        };
        if levels.len() > DEPTH_MAX {
            return Err(BodyError::TooDeep);
        }
        // Close what ends here, and come to the next value.
        let mut fresh = opened;
        loop {
            let Some(level) = levels.last_mut() else {
                scanner.end()?;
                return Ok(found);
            };
            let close = match level {
                Level::Array => ']',
                Level::Object(_) => '}',
            };
            if scanner.peek() == Some(close) {
                scanner.expect(close)?;
                levels.pop();
                fresh = false;
                continue;
            }
            if !fresh {
                scanner.expect(',')?;
            }
            if let Level::Object(keys) = level {
                name = scanner.string()?;
                if found.is_none() {
                    found = look(&name, &name);
                }
                if !keys.insert(name.clone()) {
                    return Err(BodyError::DuplicateKey);
                }
                scanner.expect(':')?;
            }
            break;
        }
    }
}

/// RFC 8259's tokens.
struct Scanner<'a> {
    rest: &'a str,
}

impl Scanner<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn peek(&mut self) -> Option<char> {
        self.skip();
        self.rest.chars().next()
    }

    fn expect(&mut self, wanted: char) -> Result<(), BodyError> {
        self.skip();
        self.rest = self.rest.strip_prefix(wanted).ok_or(BodyError::Json)?;
        Ok(())
    }

    fn end(&mut self) -> Result<(), BodyError> {
        self.skip();
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(BodyError::Json)
        }
    }

    fn string(&mut self) -> Result<String, BodyError> {
        self.expect('"')?;
        let mut end = None;
        let mut escaped = false;
        for (at, byte) in self.rest.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    end = Some(at);
                    break;
                }
                byte if byte < 0x20 => return Err(BodyError::Json),
                _ => {}
            }
        }
        let end = end.ok_or(BodyError::Json)?;
        let (inside, rest) = self.rest.split_at_checked(end).ok_or(BodyError::Json)?;
        self.rest = rest.strip_prefix('"').unwrap_or(rest);
        if !inside.contains('\\') {
            return Ok(inside.to_owned());
        }
        // A lone surrogate is no character (RFC 8259 §8.2), and the library refuses it.
        serde_json::from_str(&format!("\"{inside}\"")).map_err(|_| BodyError::Json)
    }

    /// A number, `true`, `false` or `null`.
    fn scalar(&mut self) -> Result<(), BodyError> {
        self.skip();
        let length = self
            .rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.'))
            .count();
        let (word, rest) = self.rest.split_at_checked(length).ok_or(BodyError::Json)?;
        if !matches!(word, "true" | "false" | "null") && !is_number(word) {
            return Err(BodyError::Json);
        }
        self.rest = rest;
        Ok(())
    }
}

/// RFC 8259 §6: `-`, an integer without leading zeros, a fraction, an exponent.
fn is_number(word: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = word.strip_prefix('-').unwrap_or(word);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = rest.get(whole..).unwrap_or("");
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = fraction.get(length..).unwrap_or("");
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let length = digits(exponent);
        return length > 0 && exponent.len() == length;
    }
    rest.is_empty()
}
