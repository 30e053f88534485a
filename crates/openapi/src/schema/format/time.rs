//! Dates and times: RFC 3339 §5.6 and its appendix A for durations.

fn number(text: &str, digits: usize) -> Option<u32> {
    let plain = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

pub(super) fn date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut part = |digits| parts.next().and_then(|part| number(part, digits));
    let (Some(year), Some(month), Some(day)) = (part(4), part(2), part(2)) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

pub(super) fn date_time(text: &str) -> bool {
    // ISO 8601 and RFC 3339 differ on a space here; the grammar has `T`.
    let (Some(day), Some(separator), Some(clock)) =
        (text.get(..10), text.get(10..11), text.get(11..))
    else {
        return false;
    };
    matches!(separator, "T" | "t") && date(day) && time(clock)
}

pub(super) fn time(text: &str) -> bool {
    let (Some(clock), Some(mut rest)) = (text.get(..8), text.get(8..)) else {
        return false;
    };
    let mut parts = clock.splitn(3, ':');
    let mut part = || parts.next().and_then(|part| number(part, 2));
    let (Some(hour), Some(minute), Some(second)) = (part(), part(), part()) else {
        return false;
    };
    if hour > 23 || minute > 59 || second > 60 {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return false;
        }
        rest = fraction.get(digits..).unwrap_or_default();
    }
    let Some(offset) = offset(rest) else {
        return false;
    };
    // A leap second is the last of a day in UTC (RFC 3339 §5.7).
    let day = 24 * 60;
    let utc = (i64::from(hour) * 60 + i64::from(minute) - offset).rem_euclid(day);
    second < 60 || utc == day - 1
}

/// Minutes east of UTC.
fn offset(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let sign = match text.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    (hours <= 23 && minutes <= 59).then(|| sign * (i64::from(hours) * 60 + i64::from(minutes)))
}

/// RFC 3339 appendix A: units follow each other without a gap.
pub(super) fn duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else {
        return false;
    };
    if let Some(weeks) = rest.strip_suffix('W') {
        return !weeks.is_empty() && weeks.bytes().all(|b| b.is_ascii_digit());
    }
    let (days, clock) = match rest.split_once('T') {
        Some((days, clock)) => (days, Some(clock)),
        None => (rest, None),
    };
    let held = |part: &str, units: &str| run(part, units);
    match clock {
        Some(clock) => (days.is_empty() || held(days, "YMD")) && held(clock, "HMS"),
        None => held(days, "YMD"),
    }
}

/// Numbers each followed by a unit, the units in a row of `units`.
fn run(text: &str, units: &str) -> bool {
    let mut expected: Option<usize> = None;
    let mut digits = 0;
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits += 1;
            continue;
        }
        let Some(at) = units.find(c) else {
            return false;
        };
        if digits == 0 || expected.is_some_and(|next| next != at) {
            return false;
        }
        expected = Some(at + 1);
        digits = 0;
    }
    expected.is_some() && digits == 0
}
