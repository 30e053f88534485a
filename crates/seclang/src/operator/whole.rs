//! Patterns that mean whole values: `^$`, `^.*$`, `^(?:GET|HEAD)$`. To compare costs less than to begin
//! with an automaton.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// LIMIT: more are left to the automaton.
const TEXTS_MAX: usize = 16;

/// What a pattern without groups says of values of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    /// Each of them matches, as a whole.
    Any,
    /// These match, as a whole.
    OneOf(Box<[Box<[u8]>]>),
}

impl Whole {
    /// Of a pattern in which `^` and `$` match at lines.
    pub(super) fn of(pattern: &Hir) -> Option<Self> {
        let HirKind::Concat(parts) = pattern.kind() else {
            return None;
        };
        let [first, between @ .., last] = parts.as_slice() else {
            return None;
        };
        let is_whole = matches!(first.kind(), HirKind::Look(Look::Start | Look::StartLF))
            && matches!(last.kind(), HirKind::Look(Look::End | Look::EndLF));
        match between {
            _ if !is_whole => None,
            [] => Some(Self::OneOf([Box::default()].into())),
            [one] if is_anything(one) => Some(Self::Any),
            [one] => texts(one).map(|texts| Self::OneOf(texts.into())),
            _ => None,
        }
    }

    /// Whether a value matches; none where that is not known here.
    pub(super) fn matches(&self, value: &[u8]) -> Option<bool> {
        let holds = match self {
            Self::Any => true,
            Self::OneOf(texts) => texts.iter().any(|text| **text == *value),
        };
        // Of several lines one may be meant.
        let is_line = memchr::memchr(b'\n', value).is_none();
        is_line.then_some(holds)
    }
}

/// `.*`
fn is_anything(pattern: &Hir) -> bool {
    let HirKind::Repetition(repetition) = pattern.kind() else {
        return false;
    };
    let HirKind::Class(Class::Bytes(class)) = repetition.sub.kind() else {
        return false;
    };
    let all = class.iter().map(|range| range.len()).sum::<usize>() == 256;
    all && repetition.min == 0 && repetition.max.is_none()
}

/// A text, or several one of which is meant.
fn texts(pattern: &Hir) -> Option<Vec<Box<[u8]>>> {
    let text = |pattern: &Hir| match pattern.kind() {
        HirKind::Literal(literal) => Some(literal.0.clone()),
        _ => None,
    };
    match pattern.kind() {
        HirKind::Alternation(parts) if parts.len() <= TEXTS_MAX => parts.iter().map(text).collect(),
        _ => text(pattern).map(|text| vec![text]),
    }
}

#[cfg(test)]
mod tests {
    use crate::operator::{Rx, Which};

    #[test]
    fn whole_values_match_as_the_automaton_says() {
        let patterns = [
            "^$",
            "^.*$",
            "^(?:GET|HEAD)$",
            "^0$",
            r"^\r\n$",
            r"\Aab\z",
            r"\A\z",
            "^(?:|a)$",
            "^.+$",
            "^[^x]*$",
            "^(GET)$",
            "^(?i:get)$",
            "^a",
            "a$",
        ];
        let values = [
            "", "GET", "HEAD", "GETS", "get", "0", "\n", "a\n", "\nGET", "GET\nx", "a\n\nb",
            "x\n0\ny", "\r\n", "ab", "ab\n", "a", "\u{ff}",
        ];
        let mut known = 0;
        for pattern in patterns {
            let rx = Rx::parse(pattern.as_bytes()).unwrap();
            let mut plain = rx.clone();
            plain.whole = None;
            for value in values.map(str::as_bytes) {
                assert_eq!(
                    rx.matches(value),
                    plain.matches(value),
                    "{pattern} {value:?}"
                );
                let groups = |rx: &Rx| rx.groups(value, Which::First);
                assert_eq!(groups(&rx), groups(&plain), "{pattern} {value:?}");
            }
            known += usize::from(rx.whole.is_some());
        }
        assert_eq!(known, 7);
    }
}
