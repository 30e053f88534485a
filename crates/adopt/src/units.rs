//! Times and sizes as the formats write them, and as the estate does.

use std::time::Duration;

use model::{ByteSize, format_duration};

/// nginx's time: `60`, `60s`, `1m30s`, `500ms`, `2h 15m`; a bare number is seconds.
pub(crate) fn nginx_ms(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = rest.split_at_checked(letters)?;
        let one: u64 = match unit {
            "ms" => 1,
            "" | "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            "M" => 2_592_000_000,
            "y" => 31_536_000_000,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(one)?)?;
        rest = tail.trim_start();
    }
    Some(total)
}

/// nginx's size: `8k`, `20m`, `1g`, plain bytes.
pub(crate) fn nginx_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = match text.char_indices().next_back()? {
        (at, 'k' | 'K') => (text.get(..at)?, 1 << 10),
        (at, 'm' | 'M') => (text.get(..at)?, 1 << 20),
        (at, 'g' | 'G') => (text.get(..at)?, 1 << 30),
        _ => (text, 1),
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// Go's duration with days, as Caddy, Traefik and Compose take it: `1m30s`, `500ms`, `1.5h`, `2d`.
pub(crate) fn go_ms(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(end)?;
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at_checked(letters)?;
        let one: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        // Three digits are as fine as anybody writes.
        let thousandths: u64 = format!("{part:0<3}").get(..3)?.parse().ok()?;
        let whole: u64 = whole.parse().ok()?;
        let ms = whole
            .checked_mul(one)?
            .checked_add(thousandths.checked_mul(one)? / 1_000)?;
        total = total.checked_add(ms)?;
        rest = tail;
    }
    Some(total)
}

/// A size with a unit: `10MB` is a million bytes each, `10MiB` and Compose's `10m` are not.
pub(crate) fn human_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let one: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(one)
}

/// As the estate writes it.
pub(crate) fn duration(ms: u64) -> String {
    format_duration(Duration::from_millis(ms))
}

/// As the estate writes it.
pub(crate) fn size(bytes: u64) -> String {
    ByteSize(bytes).to_string()
}

/// A rate whose whole count may come at once, and that refills at `per_ms` for one: what a leaky
/// bucket with a burst lets through.
pub(crate) fn rate(count: u64, one_ms: u64) -> Option<String> {
    let count = u32::try_from(count.max(1)).ok()?;
    let per = u64::from(count).checked_mul(one_ms.max(1))?;
    // The unit alone where it is one of them: `10/s`.
    let per = duration(per);
    let short = match per.as_str() {
        "1s" => "s",
        "1m" => "min",
        "1h" => "h",
        "1d" => "d",
        other => other,
    };
    Some(format!("{count}/{short}"))
}
