//! Tokens of SQL, of all dialects at once: what one of them would understand is understood.

use super::token::{TEXT_MAX, Token};
use super::{kind, words};
use crate::bytes::{at, head, tail};

/// How comments are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Ansi,
    Mysql,
}

/// Reads a value's tokens one after the other.
#[derive(Debug)]
pub(super) struct Reader<'v> {
    input: &'v [u8],
    at: usize,
    dialect: Dialect,
    /// The mark within which the value begins.
    quote: Option<u8>,
    /// How many tokens were read.
    pub(super) count: usize,
    /// Whether something was read that the other dialect reads in another way.
    pub(super) dialects_differ: bool,
}

/// A token, if there is one, and where to go on.
type Read = (Option<Token>, usize);

impl<'v> Reader<'v> {
    pub(super) fn new(input: &'v [u8], quote: Option<u8>, dialect: Dialect) -> Self {
        Self {
            input,
            at: 0,
            dialect,
            quote,
            count: 0,
            dialects_differ: false,
        }
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Option<Token> {
        if let Some(quote) = self.quote.filter(|_| self.at == 0) {
            let (token, next) = self.string(0, quote, 0);
            self.at = next;
            self.count += 1;
            return Some(token);
        }
        while let Some(byte) = at(self.input, self.at) {
            let (token, next) = self.token(byte);
            self.at = next;
            if token.is_some() {
                self.count += 1;
                return token;
            }
        }
        None
    }

    fn token(&mut self, byte: u8) -> Read {
        let from = self.at;
        match byte {
            0..=b' ' | 0x7f | 0xa0 => (None, from + 1),
            b'!' | b'&' | b'*' | b':' | b'<' | b'=' | b'>' | b'|' => self.operator(from),
            b'"' | b'\'' => some(self.string(from, byte, 1)),
            b'#' => self.hash(from),
            b'$' => some(self.money(from)),
            b'%' | b'+' | b'^' | b'~' => self.one(from, kind::OPERATOR),
            b'(' | b')' | b',' | b';' | b'{' | b'}' => self.one(from, byte),
            b'-' => self.dash(from),
            b'.' | b'0'..=b'9' => self.number(from),
            b'/' => self.slash(from),
            b'?' | b']' => self.one(from, kind::UNKNOWN),
            b'@' => some(self.variable(from)),
            b'[' => self.bracket(from),
            b'\\' if at(self.input, from + 1) == Some(b'N') => self.many(from, 2, kind::NUMBER),
            b'\\' => self.one(from, kind::BACKSLASH),
            b'`' => some(self.tick(from)),
            b'b' | b'B' => some(self.digits(from, b"01")),
            b'x' | b'X' => some(self.digits(from, b"0123456789abcdefABCDEF")),
            b'e' | b'E' => some(self.escaped(from)),
            b'n' | b'N' if self.has_quote(from + 1) => some(self.escaped(from)),
            b'n' | b'N' => some(self.any_marks(from, from + 1)),
            b'q' | b'Q' => some(self.any_marks(from, from)),
            b'u' | b'U' => some(self.unicode(from)),
            _ => some(self.word(from)),
        }
    }

    fn one(&self, from: usize, kind: u8) -> Read {
        self.many(from, 1, kind)
    }

    fn many(&self, from: usize, length: usize, kind: u8) -> Read {
        let text = head(tail(self.input, from), length);
        (Some(Token::new(kind, text)), from + length)
    }

    /// How many bytes from `from` on are among these. A zero byte is, as C's `strchr` has it.
    fn span(&self, from: usize, bytes: &[u8]) -> usize {
        let rest = tail(self.input, from).iter();
        rest.take_while(|byte| **byte == 0 || bytes.contains(byte))
            .count()
    }

    /// Whether a `'` is at `place`, and something after it.
    fn has_quote(&self, place: usize) -> bool {
        at(self.input, place) == Some(b'\'') && place + 1 < self.input.len()
    }

    fn line_comment(&self, from: usize) -> Read {
        let rest = tail(self.input, from);
        let end = memchr::memchr(b'\n', rest);
        let token = Token::new(kind::COMMENT, head(rest, end.unwrap_or(rest.len())));
        let next = end.map_or(self.input.len(), |end| from + end + 1);
        (Some(token), next)
    }

    /// `#` begins a comment in MySQL, and is an operator elsewhere.
    fn hash(&mut self, from: usize) -> Read {
        self.dialects_differ = true;
        match self.dialect {
            Dialect::Mysql => self.line_comment(from),
            Dialect::Ansi => self.one(from, kind::OPERATOR),
        }
    }

    /// `--` begins a comment; in MySQL only before white space or the end.
    fn dash(&mut self, from: usize) -> Read {
        if at(self.input, from + 1) != Some(b'-') {
            return self.one(from, kind::OPERATOR);
        }
        if at(self.input, from + 2).is_none_or(is_white) {
            return self.line_comment(from);
        }
        match self.dialect {
            Dialect::Mysql => self.one(from, kind::OPERATOR),
            Dialect::Ansi => {
                self.dialects_differ = true;
                self.line_comment(from)
            }
        }
    }

    /// `/*…*/`. One within another is a comment's end in one database and not in another; `/*!` is a
    /// comment for all but MySQL.
    fn slash(&self, from: usize) -> Read {
        if at(self.input, from + 1) != Some(b'*') {
            return self.one(from, kind::OPERATOR);
        }
        let inner = tail(self.input, from + 2);
        let end = memchr::memmem::find(inner, b"*/");
        let length = end.map_or(inner.len(), |end| end + 2) + 2;
        // The star that ends it may belong to one within.
        let within = end.map(|end| head(inner, end + 1)).unwrap_or_default();
        let is_nested = memchr::memmem::find(within, b"/*").is_some();
        let is_conditional = at(self.input, from + 2) == Some(b'!');
        let kind = if is_nested || is_conditional {
            kind::EVIL
        } else {
            kind::COMMENT
        };
        self.many(from, length, kind)
    }

    fn operator(&self, from: usize) -> Read {
        let rest = tail(self.input, from);
        if rest.starts_with(b"<=>") {
            return self.many(from, 3, kind::OPERATOR);
        }
        let known = rest.get(..2).and_then(words::kind);
        match (known, rest.first()) {
            (Some(kind), _) => self.many(from, 2, kind),
            (None, Some(b':')) if rest.len() > 1 => self.one(from, kind::COLON),
            _ => self.one(from, kind::OPERATOR),
        }
    }

    /// A text from `from + offset` on, to the mark that ends it. The mark twice, or after an odd number of
    /// `\`, does not end it.
    fn string(&self, from: usize, mark: u8, offset: usize) -> (Token, usize) {
        let begin = from + offset;
        let open = if offset > 0 { mark } else { 0 };
        let mut look = begin;
        let end = loop {
            let Some(found) = memchr::memchr(mark, tail(self.input, look)) else {
                break None;
            };
            let end = look + found;
            let before = self.input.get(begin..end).unwrap_or_default();
            let slashes = before.iter().rev().take_while(|byte| **byte == b'\\');
            if slashes.count() % 2 == 1 {
                look = end + 1;
            } else if at(self.input, end + 1) == Some(mark) {
                look = end + 2;
            } else {
                break Some(end);
            }
        };
        let text = self.input.get(begin..end.unwrap_or(self.input.len()));
        let mut token = Token::new(kind::STRING, text.unwrap_or_default());
        token.open = open;
        token.close = if end.is_some() { mark } else { 0 };
        (token, end.map_or(self.input.len(), |end| end + 1))
    }

    /// `E'…'` of PostgreSQL, `N'…'`.
    fn escaped(&self, from: usize) -> (Token, usize) {
        if self.has_quote(from + 1) {
            self.string(from, b'\'', 2)
        } else {
            self.word(from)
        }
    }

    /// `U&'…'`.
    fn unicode(&self, from: usize) -> (Token, usize) {
        let is_one =
            at(self.input, from + 1) == Some(b'&') && at(self.input, from + 2) == Some(b'\'');
        if !is_one {
            return self.word(from);
        }
        let (mut token, next) = self.string(from + 2, b'\'', 1);
        token.open = b'u';
        if token.close == b'\'' {
            token.close = b'u';
        }
        (token, next)
    }

    /// `q'(…)'` of Oracle, with any marks; `letter` is where the `q` would be.
    fn any_marks(&self, from: usize, letter: usize) -> (Token, usize) {
        let is_one =
            matches!(at(self.input, letter), Some(b'q' | b'Q')) && self.has_quote(letter + 1);
        let mark = at(self.input, letter + 2).filter(|mark| is_one && (b'!'..0x80).contains(mark));
        let Some(mark) = mark else {
            return self.word(from);
        };
        let close = match mark {
            b'(' => b')',
            b'[' => b']',
            b'{' => b'}',
            b'<' => b'>',
            other => other,
        };
        let begin = letter + 3;
        let text = tail(self.input, begin);
        let end = memchr::memmem::find(text, &[close, b'\'']);
        let mut token = Token::new(kind::STRING, head(text, end.unwrap_or(text.len())));
        token.open = b'q';
        token.close = if end.is_some() { b'q' } else { 0 };
        (token, end.map_or(self.input.len(), |end| begin + end + 2))
    }

    /// `b'01'` and `x'1f'`.
    fn digits(&self, from: usize, digits: &[u8]) -> (Token, usize) {
        if !self.has_quote(from + 1) {
            return self.word(from);
        }
        let end = from + 2 + self.span(from + 2, digits);
        if at(self.input, end) != Some(b'\'') {
            return self.word(from);
        }
        let text = self.input.get(from..=end).unwrap_or_default();
        (Token::new(kind::NUMBER, text), end + 1)
    }

    /// `[…]` is a word, where it is not one of MySQL.
    fn bracket(&self, from: usize) -> Read {
        let rest = tail(self.input, from);
        let end = memchr::memchr(b']', rest).map_or(rest.len(), |end| end + 1);
        self.many(from, end, kind::BAREWORD)
    }

    fn word(&self, from: usize) -> (Token, usize) {
        let rest = tail(self.input, from);
        let length = rest.iter().position(|byte| ends_word(*byte));
        let text = head(rest, length.unwrap_or(rest.len()));
        let mut token = Token::new(kind::BAREWORD, text);
        // `SELECT.1` and ``SELECT`column` `` are a keyword and what follows.
        let kept = head(text, TEXT_MAX.min(text.len()));
        for (end, byte) in kept.iter().enumerate() {
            if !matches!(byte, b'.' | b'`') {
                continue;
            }
            let first = head(kept, end);
            if let Some(kind) = words::kind(first).filter(|kind| *kind != kind::BAREWORD) {
                return (Token::new(kind, first), from + end);
            }
        }
        if text.len() <= TEXT_MAX {
            token.kind = words::kind(text).unwrap_or(kind::BAREWORD);
        }
        (token, from + text.len())
    }

    /// `` `name` `` of MySQL.
    fn tick(&self, from: usize) -> (Token, usize) {
        let (mut token, next) = self.string(from, b'`', 1);
        let is_function = words::kind(token.text()) == Some(kind::FUNCTION);
        token.kind = if is_function {
            kind::FUNCTION
        } else {
            kind::BAREWORD
        };
        (token, next)
    }

    /// `@name`, `@@name`, with the name in marks or without.
    fn variable(&self, from: usize) -> (Token, usize) {
        let second = at(self.input, from + 1) == Some(b'@');
        let begin = from + 1 + usize::from(second);
        let marked = match at(self.input, begin) {
            Some(b'`') => Some(self.tick(begin)),
            Some(mark @ (b'\'' | b'"')) => Some(self.string(begin, mark, 1)),
            _ => None,
        };
        if let Some((mut token, next)) = marked {
            token.kind = kind::VARIABLE;
            return (token, next);
        }
        let rest = tail(self.input, begin);
        let length = rest.iter().position(|byte| ends_variable(*byte));
        let text = head(rest, length.unwrap_or(rest.len()));
        (Token::new(kind::VARIABLE, text), begin + text.len())
    }

    /// `$1,000.00`; `$$text$$` and `$tag$text$tag$` of PostgreSQL.
    fn money(&self, from: usize) -> (Token, usize) {
        let dollar = (Token::new(kind::BAREWORD, b"$"), from + 1);
        if from + 1 == self.input.len() {
            return dollar;
        }
        match self.span(from + 1, b"0123456789.,") {
            0 => {}
            1 if at(self.input, from + 1) == Some(b'.') => return self.word(from),
            digits => {
                let text = head(tail(self.input, from), 1 + digits);
                return (Token::new(kind::NUMBER, text), from + 1 + digits);
            }
        }
        if at(self.input, from + 1) == Some(b'$') {
            return self.tagged(from, 2);
        }
        let letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let tag = self.span(from + 1, letters);
        if tag == 0 || at(self.input, from + 1 + tag) != Some(b'$') {
            return dollar;
        }
        self.tagged(from, tag + 2)
    }

    /// A text between two tags of this length.
    fn tagged(&self, from: usize, length: usize) -> (Token, usize) {
        let (tag, text) = tail(self.input, from)
            .split_at_checked(length)
            .unwrap_or_default();
        let end = memchr::memmem::find(text, tag);
        let mut token = Token::new(kind::STRING, head(text, end.unwrap_or(text.len())));
        token.open = b'$';
        token.close = if end.is_some() { b'$' } else { 0 };
        let next = end.map_or(self.input.len(), |end| from + length + end + length);
        (token, next)
    }

    fn number(&self, from: usize) -> Read {
        let digits = match (at(self.input, from), at(self.input, from + 1)) {
            (Some(b'0'), Some(b'x' | b'X')) => Some(b"0123456789ABCDEFabcdef".as_slice()),
            (Some(b'0'), Some(b'b' | b'B')) => Some(b"01".as_slice()),
            _ => None,
        };
        if let Some(digits) = digits {
            return match self.span(from + 2, digits) {
                0 => self.many(from, 2, kind::BAREWORD),
                length => self.many(from, 2 + length, kind::NUMBER),
            };
        }
        let mut end = from + self.decimals(from);
        if at(self.input, end) == Some(b'.') {
            end += 1 + self.decimals(end + 1);
            if end - from == 1 {
                return self.one(from, kind::DOT);
            }
        }
        let mut has_exponent = true;
        if matches!(at(self.input, end), Some(b'e' | b'E')) {
            end += 1 + usize::from(matches!(at(self.input, end + 1), Some(b'+' | b'-')));
            let exponent = self.decimals(end);
            has_exponent = exponent > 0;
            end += exponent;
        }
        end += usize::from(self.is_suffix(end));
        // MySQL passes over `1.e` as if it were not there: so does this.
        match has_exponent {
            true => self.many(from, end - from, kind::NUMBER),
            false => (None, end),
        }
    }

    fn decimals(&self, from: usize) -> usize {
        let rest = tail(self.input, from).iter();
        rest.take_while(|byte| byte.is_ascii_digit()).count()
    }

    /// `1.2f` of Oracle: at the end, before white space or `;`, and in `1fUNION`.
    fn is_suffix(&self, place: usize) -> bool {
        let is_letter = matches!(at(self.input, place), Some(b'd' | b'D' | b'f' | b'F'));
        is_letter
            && at(self.input, place + 1)
                .is_none_or(|next| is_white(next) || matches!(next, b';' | b'u' | b'U'))
    }
}

fn some((token, next): (Token, usize)) -> Read {
    (Some(token), next)
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | 0xa0 | 0)
}

fn ends_word(byte: u8) -> bool {
    is_white(byte) || b"[]{}<>:\\?=@!#~+-*/&|^%(),';\"".contains(&byte)
}

fn ends_variable(byte: u8) -> bool {
    let white = byte != 0xa0 && is_white(byte);
    white || b"<>:\\?=@!#~+-*/&|^%(),';`\"".contains(&byte)
}
