//! Lines that are written over those before (ECMA-48 §8.3): two sequences, nothing to set back.

/// To the beginning of so many lines above, and everything from there is gone.
pub(super) fn back(rows: usize) -> String {
    match rows {
        0 => String::new(),
        rows => format!("\x1b[{rows}A\r\x1b[J"),
    }
}

/// As much of a line as fits without a wrap, which would take a row that nobody counted.
pub(super) fn cut(line: &str, columns: usize) -> &str {
    match line.char_indices().nth(columns) {
        Some((end, _)) => line.get(..end).unwrap_or(line),
        None => line,
    }
}
