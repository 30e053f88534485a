//! A line taken apart into a directive and its arguments.

use crate::bytes::{at, is_space};
use crate::place::Bad;

/// The words of a line. Within `"…"` or `'…'`, a `\` before the same mark stands for the mark, and
/// every other `\` for itself.
pub(crate) fn words(line: &[u8]) -> Result<Vec<Vec<u8>>, Bad> {
    let mut words = Vec::new();
    let mut i = 0;
    while let Some(byte) = at(line, i) {
        if is_space(byte) {
            i += 1;
        } else if byte == b'"' || byte == b'\'' {
            let (word, next) = quoted(line, i + 1, byte)?;
            words.push(word);
            i = next;
        } else {
            let end = line.iter().skip(i).position(|byte| is_space(*byte));
            let end = end.map_or(line.len(), |end| i + end);
            words.push(line.get(i..end).unwrap_or_default().to_vec());
            i = end;
        }
    }
    Ok(words)
}

fn quoted(line: &[u8], from: usize, mark: u8) -> Result<(Vec<u8>, usize), Bad> {
    let mut word = Vec::new();
    let mut i = from;
    while let Some(byte) = at(line, i) {
        if byte == b'\\' && at(line, i + 1) == Some(mark) {
            word.push(mark);
            i += 2;
        } else if byte == mark {
            if at(line, i + 1).is_some_and(|next| !is_space(next)) {
                return Err(Bad::new(format!(
                    "something follows the closing `{}`",
                    char::from(mark)
                ))
                .hint("put a space between two arguments, and `\\` before a quote within one"));
            }
            return Ok((word, i + 1));
        } else {
            word.push(byte);
            i += 1;
        }
    }
    Err(Bad::new(format!("a `{}` is not closed", char::from(mark))))
}
