//! Numbers of answers as people read them.

use serde_json::Value;

/// A rate with as many digits as mean something.
pub(super) fn number(value: f64) -> String {
    match value {
        v if v <= 0.0 => "0".to_owned(),
        v if v < 0.01 => "<0.01".to_owned(),
        v if v < 10.0 => format!("{v:.2}"),
        v if v < 100.0 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

/// The rate under `key`.
pub(super) fn count(value: &Value, key: &str) -> String {
    number(value.get(key).and_then(Value::as_f64).unwrap_or(0.0))
}

/// The rate under `key` with its unit.
pub(super) fn per_second(value: &Value, key: &str) -> String {
    format!("{}/s", count(value, key))
}

/// The milliseconds under `key`; a dash where nothing was measured.
pub(super) fn ms(value: &Value, key: &str) -> String {
    match value.get(key).and_then(Value::as_f64) {
        Some(v) if v >= 10_000.0 => format!("{:.1} s", v / 1000.0),
        Some(v) if v >= 100.0 => format!("{v:.0} ms"),
        Some(v) if v >= 10.0 => format!("{v:.1} ms"),
        Some(v) if v > 0.0 => format!("{v:.2} ms"),
        _ => "-".to_owned(),
    }
}

/// The percentage under `key`; a dash where it cannot be said.
pub(super) fn percent(value: &Value, key: &str) -> String {
    match value.get(key).and_then(Value::as_f64) {
        Some(v) if v > 0.0 && v < 0.1 => "<0.1 %".to_owned(),
        Some(v) if v < 10.0 => format!("{v:.1} %"),
        Some(v) => format!("{v:.0} %"),
        None => "-".to_owned(),
    }
}

/// Bytes in a unit of their size.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut left = count;
    while left >= 10 * 1024 && unit + 1 < UNITS.len() {
        left /= 1024;
        unit += 1;
    }
    format!("{left} {}", UNITS.get(unit).copied().unwrap_or("B"))
}
