//! Numbers, sizes and times as people say them.

use std::time::Duration;

use model::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

/// `3 min ago`, `in 5 d`, or the day when it is more than 30 days away.
pub(crate) fn relative(at: Timestamp, now: Timestamp) -> String {
    let (gap, past) = if at <= now {
        (now.since(at), true)
    } else {
        (at.since(now), false)
    };
    let seconds = gap.as_secs();
    if seconds >= 30 * DAY {
        return at.to_string().chars().take(10).collect();
    }
    match (past, seconds) {
        (true, 0..5) => "just now".to_owned(),
        (true, _) => format!("{} ago", age(gap)),
        (false, _) => format!("in {}", age(gap)),
    }
}

/// The largest whole unit: `45 s`, `3 min`, `5 h`, `12 d`.
pub(crate) fn age(gap: Duration) -> String {
    let seconds = gap.as_secs();
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        _ => format!("{} d", seconds / DAY),
    }
}

/// A number with thin spaces between thousands: `12 345`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// `1 route`, `2 routes`.
pub(crate) fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A rate per second with as many digits as mean something.
pub(crate) fn rate(per_second: f64) -> String {
    match per_second {
        r if r <= 0.0 => "0".to_owned(),
        r if r < 0.01 => "< 0.01".to_owned(),
        r if r < 10.0 => format!("{r:.2}"),
        r if r < 100.0 => format!("{r:.1}"),
        r => format!("{r:.0}"),
    }
}

/// A share of a whole in percent.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0 %".to_owned();
    }
    let tenths = u128::from(part) * 1000 / u128::from(whole);
    match tenths {
        0 if part > 0 => "< 0.1 %".to_owned(),
        t if t < 100 => format!("{}.{} %", t / 10, t % 10),
        t => format!("{} %", t / 10),
    }
}

/// A short measured time: `0.8 ms`, `12 ms`, `1.4 s`.
pub(crate) fn duration(time: Duration) -> String {
    let us = time.as_micros();
    match us {
        0 => "0 ms".to_owned(),
        1..10_000 => format!("{}.{} ms", us / 1000, (us % 1000) / 100),
        10_000..1_000_000 => format!("{} ms", us / 1000),
        _ => format!("{}.{} s", us / 1_000_000, (us % 1_000_000) / 100_000),
    }
}
