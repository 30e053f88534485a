//! Numbers as JSON writes them, exactly: no binary fraction stands between a text and its value,
//! so `0.1` is a multiple of `0.01` and integers past 2^53 are themselves.

use std::cmp::Ordering;

use smallvec::SmallVec;

// LIMIT: the greatest exponent, either way. Beyond it backends overflow or spend memory.
const EXPONENT_MAX: i32 = 9_999;

/// `digits × 10^exponent`. Digits have no zero at either end; zero has none and is positive, so
/// that equal values are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Decimal {
    negative: bool,
    digits: SmallVec<[u8; 24]>,
    exponent: i32,
}

impl Decimal {
    /// Reads a number of RFC 8259 §6; `None` for anything else, and past the greatest exponent.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => {
                let written = rest.get(at + 1..)?;
                let signed = written.strip_prefix('+').unwrap_or(written);
                let bare = signed.strip_prefix('-').unwrap_or(signed);
                if bare.is_empty()
                    || !bare.bytes().all(|b| b.is_ascii_digit())
                    || (written.len() - bare.len()) > 1
                {
                    return None;
                }
                (rest.get(..at)?, signed.parse::<i32>().ok()?)
            }
            None => (rest, 0),
        };
        if !(-EXPONENT_MAX..=EXPONENT_MAX).contains(&exponent) {
            return None;
        }
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let leading = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading || !plain(whole) || !plain(fraction) {
            return None;
        }
        let mut digits: SmallVec<[u8; 24]> = whole.bytes().chain(fraction.bytes()).collect();
        let mut exponent = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        while digits.last() == Some(&b'0') {
            digits.pop();
            exponent = exponent.checked_add(1)?;
        }
        let zeros = digits.iter().take_while(|d| **d == b'0').count();
        digits.drain(..zeros);
        let zero = digits.is_empty();
        Some(Self {
            negative: negative && !zero,
            exponent: if zero { 0 } else { exponent },
            digits,
        })
    }

    /// Whether it has no fraction: `1.0` is an integer (JSON Schema core §6.3).
    pub(crate) fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    /// The value, where it is an integer of 64 bits.
    pub(crate) fn to_i64(&self) -> Option<i64> {
        if !self.is_integer() || self.exponent > 19 {
            return None;
        }
        let mut value: i128 = 0;
        for digit in self.digits.iter().map(|d| i128::from(d - b'0')) {
            value = value.checked_mul(10)?.checked_add(digit)?;
        }
        for _ in 0..self.exponent {
            value = value.checked_mul(10)?;
        }
        i64::try_from(if self.negative { -value } else { value }).ok()
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        let point =
            |d: &Self| i64::try_from(d.digits.len()).unwrap_or(i64::MAX) + i64::from(d.exponent);
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // With the points at one place, digits compare as text does.
            (false, false) => point(self)
                .cmp(&point(other))
                .then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        let digits = std::str::from_utf8(&self.digits).unwrap_or_default();
        match self.exponent {
            _ if digits.is_empty() => f.write_str("0"),
            exponent @ 0..=20 => {
                f.write_str(digits)?;
                (0..exponent).try_for_each(|_| f.write_str("0"))
            }
            exponent @ -20..=-1 => {
                let places = exponent.unsigned_abs() as usize;
                let whole = digits.len().saturating_sub(places);
                let (before, after) = digits.split_at_checked(whole).unwrap_or((digits, ""));
                f.write_str(if before.is_empty() { "0" } else { before })?;
                write!(f, ".{after:0>places$}")
            }
            exponent => write!(f, "{digits}e{exponent}"),
        }
    }
}

/// What a number must be a multiple of: positive, of at most 18 digits, so that a remainder never
/// needs more than 128 bits.
#[derive(Debug, Clone)]
pub(crate) struct Divisor {
    digits: u64,
    exponent: i32,
    text: Box<str>,
}

impl Divisor {
    /// `None` where it is not positive or has more digits.
    pub(crate) fn new(value: &Decimal) -> Option<Self> {
        if value.negative || value.digits.is_empty() || value.digits.len() > 18 {
            return None;
        }
        let digits = std::str::from_utf8(&value.digits).ok()?.parse().ok()?;
        Some(Self {
            digits,
            exponent: value.exponent,
            text: value.to_string().into(),
        })
    }

    /// Whether `value` is a whole number of times this.
    pub(crate) fn divides(&self, value: &Decimal) -> bool {
        if value.digits.is_empty() {
            return true;
        }
        // value/self = digits × 10^(e-f) / self.digits. Neither ends in zero: with e < f, ten
        // would have to divide the value's digits, and it does not.
        let Some(shift) = value
            .exponent
            .checked_sub(self.exponent)
            .filter(|s| *s >= 0)
        else {
            return false;
        };
        let modulus = u128::from(self.digits);
        let mut rest: u128 = 0;
        for digit in &value.digits {
            rest = (rest * 10 + u128::from(digit - b'0')) % modulus;
        }
        let (mut base, mut power) = (10 % modulus, shift.unsigned_abs());
        while power > 0 && rest != 0 {
            if power & 1 == 1 {
                rest = rest * base % modulus;
            }
            base = base * base % modulus;
            power >>= 1;
        }
        rest == 0
    }

    /// As the document may have written it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests;
