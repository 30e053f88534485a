//! Lines as they are meant: `\` at the end of one continues it, `#` begins a comment.

use crate::bytes::{trim, trim_left};

/// A directive's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Where it begins, counted from one.
    pub(crate) number: u32,
    pub(crate) text: Vec<u8>,
}

/// The lines that say something. A comment never continues: the line after it would be lost
/// unseen.
pub(crate) fn logical(text: &[u8]) -> Vec<Line> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut lines = Vec::new();
    let mut open: Option<Line> = None;
    for (number, raw) in (1_u32..).zip(text.split(|byte| *byte == b'\n')) {
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        if open.is_none() && matches!(trim_left(raw).first(), None | Some(b'#')) {
            continue;
        }
        let (part, goes_on) = match raw.strip_suffix(b"\\") {
            Some(part) => (part, true),
            None => (raw, false),
        };
        let mut line = open.take().unwrap_or(Line {
            number,
            text: Vec::new(),
        });
        let part = if line.text.is_empty() {
            part
        } else {
            trim_left(part)
        };
        line.text.extend_from_slice(part);
        if goes_on {
            open = Some(line);
        } else {
            lines.push(line);
        }
    }
    lines.extend(open);
    lines.retain(|line| !trim(&line.text).is_empty());
    lines
}
