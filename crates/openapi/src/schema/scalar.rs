//! Numbers, texts, and values compared whole.

use std::cmp::Ordering;

use super::check::{Check, Mode};
use super::pattern::Pattern;
use super::{Bound, Encoding, NumberRules, Rules};
use crate::Keyword;
use crate::number::Decimal;
use crate::source::Value;
use crate::tree::{Kind, Tree};

/// Rules of values without parts.
#[derive(Debug, Default)]
pub(crate) struct ScalarRules {
    pub(super) constant: Option<Value>,
    pub(super) number: Option<NumberRules>,
    pub(super) length_max: Option<u64>,
    pub(super) length_min: Option<u64>,
    pub(super) pattern: Option<Pattern>,
    pub(super) encoding: Option<Encoding>,
    /// The text is JSON itself.
    pub(super) json: bool,
}

impl Bound {
    pub(super) fn new(value: Decimal) -> Self {
        Self {
            small: value.to_i64(),
            value,
        }
    }

    /// How a number stands to it.
    fn order(&self, text: &str) -> Ordering {
        if let (Some(bound), Ok(value)) = (self.small, text.parse::<i64>()) {
            return value.cmp(&bound);
        }
        // INVARIANT: the reader took the number, so it is one.
        Decimal::parse(text).map_or(Ordering::Less, |value| value.cmp(&self.value))
    }
}

impl<'c> Check<'c> {
    pub(super) fn scalar(
        &mut self,
        rules: &'c Rules,
        scalar: &'c ScalarRules,
        at: u32,
        mode: Mode,
    ) -> bool {
        if let Some(constant) = &scalar.constant
            && !self.same(constant, at)
        {
            return self.fail(mode, rules, Keyword::Const, || {
                "it is not the one value it must be".to_owned()
            });
        }
        match self.tree.kind(at) {
            Kind::Number => match &scalar.number {
                Some(number) => self.number(rules, number, at, mode),
                None => true,
            },
            Kind::String => self.string(rules, scalar, at, mode),
            _ => true,
        }
    }

    fn number(&mut self, rules: &'c Rules, number: &'c NumberRules, at: u32, mode: Mode) -> bool {
        let text = self.tree.text(at);
        if !self.step(number_steps(text)) {
            return false;
        }
        type Fits = fn(Ordering) -> bool;
        let bounds: [(&Option<Bound>, Keyword, Fits, &str); 4] = [
            (
                &number.maximum,
                Keyword::Maximum,
                Ordering::is_le,
                "at most",
            ),
            (
                &number.below,
                Keyword::ExclusiveMaximum,
                Ordering::is_lt,
                "below",
            ),
            (
                &number.minimum,
                Keyword::Minimum,
                Ordering::is_ge,
                "at least",
            ),
            (
                &number.above,
                Keyword::ExclusiveMinimum,
                Ordering::is_gt,
                "above",
            ),
        ];
        let mut held = true;
        for (bound, keyword, fits, words) in bounds {
            if let Some(bound) = bound
                && !fits(bound.order(text))
            {
                held = self.fail(mode, rules, keyword, || {
                    format!("it must be {words} {}", bound.value)
                });
            }
        }
        if let Some(divisor) = &number.multiple_of
            && !Decimal::parse(text).is_some_and(|value| divisor.divides(&value))
        {
            held = self.fail(mode, rules, Keyword::MultipleOf, || {
                format!("it must be a multiple of {}", divisor.text())
            });
        }
        held
    }

    fn string(&mut self, rules: &'c Rules, scalar: &'c ScalarRules, at: u32, mode: Mode) -> bool {
        let text = self.tree.text(at);
        let mut held = true;
        // Code points lie between a quarter of the bytes and all of them: most texts need no count.
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        if let Some(max) = scalar.length_max
            && bytes > max
            && points(text) > max
        {
            held = self.fail(mode, rules, Keyword::MaxLength, || {
                format!("it must have at most {max} characters")
            });
        }
        if let Some(min) = scalar.length_min
            && bytes < min.saturating_mul(4)
            && points(text) < min
        {
            held = self.fail(mode, rules, Keyword::MinLength, || {
                format!("it must have at least {min} characters")
            });
        }
        if let Some(pattern) = &scalar.pattern
            && !(self.step(text_steps(text)) && pattern.matches(text))
        {
            held = self.fail(mode, rules, Keyword::Pattern, || {
                format!("it must match `{}`", clip(pattern.text()))
            });
        }
        if let Some(encoding) = scalar.encoding
            && self.schemas.asserts
            && !encoding.holds(text)
        {
            held = self.fail(mode, rules, Keyword::ContentEncoding, || {
                format!("it must be {}", encoding.as_str())
            });
        }
        if scalar.json && scalar.encoding.is_none() && self.schemas.asserts && !is_json(text) {
            held = self.fail(mode, rules, Keyword::ContentMediaType, || {
                "it must hold JSON".to_owned()
            });
        }
        held
    }

    /// Whether a value of the document is a value of the message.
    pub(super) fn same(&mut self, value: &Value, at: u32) -> bool {
        if !self.step(1) {
            return false;
        }
        let tree = self.tree;
        match (value, tree.kind(at)) {
            (Value::Null, Kind::Null)
            | (Value::Bool(true), Kind::True)
            | (Value::Bool(false), Kind::False) => true,
            (Value::String(text), Kind::String) => text == tree.text(at),
            (Value::Number(number), Kind::Number) => {
                let text = tree.text(at);
                self.step(number_steps(text)) && Decimal::parse(text).as_ref() == Some(number)
            }
            (Value::Array(items), Kind::Array) => {
                items.len() == tree.count(at) as usize
                    && items
                        .iter()
                        .zip(tree.items(at))
                        .all(|(item, other)| self.same(&item.value, other))
            }
            (Value::Object(members), Kind::Object) => {
                members.len() == tree.count(at) as usize
                    && members.iter().all(|member| {
                        let found = tree.member(at, &member.name);
                        self.step(tree.count(at))
                            && found.is_some_and(|other| self.same(&member.value.value, other))
                    })
            }
            _ => false,
        }
    }
}

fn points(text: &str) -> u64 {
    let starts = text.bytes().filter(|byte| (byte & 0xC0) != 0x80).count();
    u64::try_from(starts).unwrap_or(u64::MAX)
}

/// LIMIT: a long text under many patterns is work too.
pub(super) fn text_steps(text: &str) -> u32 {
    u32::try_from(text.len() / 256)
        .unwrap_or(u32::MAX)
        .saturating_add(1)
}

/// LIMIT: what a long number costs beside others: it is read digit by digit, each time.
pub(super) fn number_steps(text: &str) -> u32 {
    u32::try_from(text.len() / 16).unwrap_or(u32::MAX)
}

/// Words of the document within a message.
pub(super) fn clip(text: &str) -> String {
    const KEPT: usize = 80;
    if text.chars().count() <= KEPT {
        return text.to_owned();
    }
    text.chars()
        .take(KEPT)
        .chain(std::iter::once('…'))
        .collect()
}

fn is_json(text: &str) -> bool {
    let mut arena = crate::tree::Arena::default();
    crate::tree::read(&mut arena, text.as_bytes(), 64, 1 << 16).is_ok()
}

/// Whether a number is an integer, as JSON Schema has it: `1.0` is.
pub(super) fn is_integer(tree: &Tree<'_>, at: u32) -> bool {
    let text = tree.text(at);
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-');
    plain || Decimal::parse(text).is_some_and(|value| value.is_integer())
}
