//! One token of SQL.

use super::{kind, words};
use crate::bytes::head;

/// Bytes of a token that are kept; what is longer is known by its beginning.
pub(super) const TEXT_MAX: usize = 31;

/// A token.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Token {
    pub(super) kind: u8,
    /// The mark it begins with; zero when the value is taken to begin within it.
    pub(super) open: u8,
    /// The mark it ends with; zero when it does not end.
    pub(super) close: u8,
    length: u8,
    text: [u8; TEXT_MAX],
}

impl Token {
    pub(super) fn new(kind: u8, text: &[u8]) -> Self {
        let mut token = Self {
            kind,
            ..Self::default()
        };
        token.set_text(text);
        token
    }

    pub(super) fn text(&self) -> &[u8] {
        head(&self.text, self.length())
    }

    pub(super) fn length(&self) -> usize {
        usize::from(self.length)
    }

    fn set_text(&mut self, text: &[u8]) {
        let text = head(text, TEXT_MAX.min(text.len()));
        for (place, byte) in self.text.iter_mut().zip(text) {
            *place = *byte;
        }
        self.length = u8::try_from(text.len()).unwrap_or_default();
    }

    /// Makes one word of this and the next, where both together mean something.
    pub(super) fn merge(&mut self, next: &Self) -> bool {
        let mut both = [b' '; TEXT_MAX];
        let length = self.length() + 1 + next.length();
        if length > TEXT_MAX {
            return false;
        }
        let (first, second) = (self.text(), next.text());
        for (place, byte) in both.iter_mut().zip(first) {
            *place = *byte;
        }
        for (place, byte) in both.iter_mut().skip(first.len() + 1).zip(second) {
            *place = *byte;
        }
        let Some(kind) = words::kind(head(&both, length)) else {
            return false;
        };
        self.kind = kind;
        self.set_text(head(&both, length));
        true
    }

    pub(super) fn is_unary(&self) -> bool {
        let text = self.text();
        self.kind == kind::OPERATOR
            && (matches!(text, b"+" | b"-" | b"!" | b"~" | b"!!") || words::is(Some(text), b"NOT"))
    }

    pub(super) fn is_arithmetic(&self) -> bool {
        let text = self.text();
        self.kind == kind::OPERATOR && matches!(text, b"*" | b"/" | b"-" | b"+" | b"%")
    }
}
