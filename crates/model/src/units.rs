//! Quantities as people write them: `15m`, `64KiB`, `100/min`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A text that is not the quantity it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct ParseUnitError {
    text: String,
    expected: &'static str,
}

fn error(text: &str, expected: &'static str) -> ParseUnitError {
    ParseUnitError {
        text: text.chars().take(64).collect(),
        expected,
    }
}

/// Splits `15m` into 15 and `m`.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = text.get(..digits)?.parse().ok()?;
    Some((number, text.get(digits..)?.trim_start()))
}

/// Parses `250ms`, `30s`, `15m`, `1h`, `7d`, `4w`, or several one after another (`1h 30m`).
///
/// # Errors
/// A text without a unit, with an unknown one, or too long for a `Duration` of milliseconds.
pub fn parse_duration(text: &str) -> Result<Duration, ParseUnitError> {
    const EXPECTED: &str = "a duration such as `250ms`, `30s`, `15m`, `1h`, `7d` or `4w`";
    let fail = || error(text, EXPECTED);
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(fail());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, tail) = number_and_unit(rest).ok_or_else(fail)?;
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at_checked(letters).ok_or_else(fail)?;
        let unit_ms: u64 = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return Err(fail()),
        };
        let ms = number.checked_mul(unit_ms).ok_or_else(fail)?;
        total = total.checked_add(ms).ok_or_else(fail)?;
        rest = tail.trim_start();
    }
    Ok(Duration::from_millis(total))
}

/// Writes a duration the way [`parse_duration`] reads it, in its largest whole unit.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    const UNITS: [(u128, &str); 6] = [
        (604_800_000, "w"),
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1000, "s"),
        (1, "ms"),
    ];
    let ms = duration.as_millis();
    let unit = UNITS
        .iter()
        .find(|(size, _)| ms >= *size && ms.is_multiple_of(*size));
    unit.map_or_else(
        || "0s".to_owned(),
        |(size, name)| format!("{}{name}", ms / size),
    )
}

/// A number of bytes; text form `512B`, `64KiB`, `10MiB`, `1GiB` (powers of 1024).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ByteSize(pub u64);

const SIZES: [(u64, &str); 4] = [
    (1 << 30, "GiB"),
    (1 << 20, "MiB"),
    (1 << 10, "KiB"),
    (1, "B"),
];

impl ByteSize {
    /// As a length in memory, saturating.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = ParseUnitError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let fail = || error(s, "a size such as `512B`, `64KiB`, `10MiB` or `1GiB`");
        let (number, unit) = number_and_unit(s.trim()).ok_or_else(fail)?;
        let (size, _) = SIZES
            .iter()
            .find(|(_, name)| *name == unit)
            .ok_or_else(fail)?;
        number.checked_mul(*size).map(Self).ok_or_else(fail)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = SIZES
            .iter()
            .find(|(size, _)| self.0 >= *size && self.0.is_multiple_of(*size));
        match unit {
            Some((size, name)) => write!(f, "{}{name}", self.0 / size),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// So many per so long: `100/min`. A burst of the whole count is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rate {
    /// How many, at least one.
    pub count: u32,
    /// In how long, in milliseconds.
    pub per_ms: u64,
}

impl FromStr for Rate {
    type Err = ParseUnitError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let fail = || error(s, "a rate such as `10/s`, `100/min`, `1000/h` or `5/15m`");
        let (count, per) = s.trim().split_once('/').ok_or_else(fail)?;
        let count: u32 = count.trim().parse().map_err(|_| fail())?;
        let per = per.trim();
        let per_ms = if per.starts_with(|c: char| c.is_ascii_digit()) {
            parse_duration(per).map_err(|_| fail())?.as_millis()
        } else {
            parse_duration(&format!("1{per}"))
                .map_err(|_| fail())?
                .as_millis()
        };
        let per_ms = u64::try_from(per_ms).map_err(|_| fail())?;
        if count == 0 || per_ms == 0 {
            return Err(fail());
        }
        Ok(Self { count, per_ms })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = format_duration(Duration::from_millis(self.per_ms));
        write!(
            f,
            "{}/{}",
            self.count,
            per.strip_prefix('1')
                .filter(|u| !u.starts_with(|c: char| c.is_ascii_digit()))
                .unwrap_or(&per)
        )
    }
}
