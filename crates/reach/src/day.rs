//! Days of the calendar, which this engine is told and never asks for.

use std::fmt;
use std::str::FromStr;

/// A day: `2027-03-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

impl Day {
    /// The day of a year after Christ, a month and a day counted from one; `None` when the calendar
    /// (RFC 3339 §5.7) has no such day.
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let last = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        let is_one = (1..=9999).contains(&year) && (1..=last).contains(&day);
        is_one.then_some(Self { year, month, day })
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// What was written is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no day of the calendar, which is written `2027-03-31`")]
pub struct NoDay;

impl FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Self, NoDay> {
        let mut parts = text.split('-');
        let mut part = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits)?;
            let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u16>().ok().filter(|_| is_number)
        };
        let made = (part(4), part(2), part(2));
        let (Some(year), Some(month), Some(day)) = made else {
            return Err(NoDay);
        };
        let month = u8::try_from(month).map_err(|_| NoDay)?;
        let day = u8::try_from(day).map_err(|_| NoDay)?;
        let rest = parts.next().is_none();
        Self::new(year, month, day).filter(|_| rest).ok_or(NoDay)
    }
}
