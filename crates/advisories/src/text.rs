//! Texts of files: their places, and how words of theirs are said to people.

#[cfg(test)]
mod tests;

use crate::inventory::ReadError;

/// LIMIT: letters of a word that a message repeats.
const SAID_LETTERS: usize = 120;

/// Whether a letter could make a line look like another one: control characters, ends of lines, and
/// what turns the direction of writing (Unicode TR 36 §3.1).
pub(crate) fn is_treacherous(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}' | '\u{e0000}'..='\u{e007f}')
}

/// A word of a file as a message repeats it: on one line, and not too long.
pub(crate) fn said(word: &str) -> String {
    let mut out = String::new();
    for (at, letter) in word.chars().enumerate() {
        if at == SAID_LETTERS {
            out.push('…');
            break;
        }
        if is_treacherous(letter) {
            out.push_str(&format!("\\u{{{:x}}}", u32::from(letter)));
        } else {
            out.push(letter);
        }
    }
    out
}

/// An address as an inventory keeps it.
///
/// SECURITY: what stands before `@`, and a query, may be a password: neither is kept.
pub(crate) fn address(text: &str) -> String {
    let text = text.split('?').next().unwrap_or_default();
    let text = match text.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (host, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => text.to_owned(),
    };
    plain(&text)
}

/// A text without letters that could change a line.
pub(crate) fn plain(text: &str) -> String {
    if !text.chars().any(is_treacherous) {
        return text.to_owned();
    }
    let mut out = String::new();
    for letter in text.chars() {
        if is_treacherous(letter) {
            out.push_str(&format!("\\u{{{:x}}}", u32::from(letter)));
        } else {
            out.push(letter);
        }
    }
    out
}

/// The file's text, without a byte order mark.
///
/// # Errors
/// Bytes that are no UTF-8, with their line.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, ReadError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = memchr::memchr_iter(b'\n', before).count();
            Err(ReadError::Syntax {
                line: count(line).saturating_add(1),
                column: 1,
                what: "the line holds bytes that are no UTF-8".to_owned(),
                hint: Some("lockfiles are UTF-8: write it again with its own tool"),
            })
        }
    }
}

/// A number of lines or columns.
pub(crate) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The lines of a text with their numbers, without what ends them.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let lines = text.split('\n').enumerate();
    lines.map(|(at, line)| {
        (
            count(at).saturating_add(1),
            line.strip_suffix('\r').unwrap_or(line),
        )
    })
}

/// Bytes between two places whose lines are known.
const BLOCK: usize = 1_024;

/// Where offsets of a text stand: the line of each block, so that a text of nothing but lines takes
/// no more memory than another.
pub(crate) struct Places<'a> {
    text: &'a [u8],
    /// Ends of lines before each block.
    blocks: Vec<usize>,
}

impl<'a> Places<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let text = text.as_bytes();
        let mut before = 0;
        let blocks = text.chunks(BLOCK).map(|block| {
            let here = before;
            before += memchr::memchr_iter(b'\n', block).count();
            here
        });
        Self {
            text,
            blocks: blocks.collect(),
        }
    }

    /// The line of an offset, from one.
    pub(crate) fn line(&self, offset: usize) -> u32 {
        let offset = offset.min(self.text.len());
        let block = (offset / BLOCK).min(self.blocks.len().saturating_sub(1));
        let before = self.blocks.get(block).copied().unwrap_or(0);
        let rest = self.text.get(block * BLOCK..offset).unwrap_or_default();
        count(before + memchr::memchr_iter(b'\n', rest).count()).saturating_add(1)
    }

    /// Line and column of an offset, both from one, the column in characters.
    pub(crate) fn mark(&self, offset: usize) -> (u32, u32) {
        let all = self.text.get(..offset).unwrap_or(self.text);
        let start = memchr::memrchr(b'\n', all).map_or(0, |at| at + 1);
        let before = all.get(start..).unwrap_or_default();
        let letters = before.iter().filter(|byte| (**byte & 0xC0) != 0x80).count();
        (self.line(offset), count(letters).saturating_add(1))
    }
}

/// An error of syntax.
pub(crate) fn syntax<T>(
    (line, column): (u32, u32),
    what: impl Into<String>,
    hint: Option<&'static str>,
) -> Result<T, ReadError> {
    Err(ReadError::Syntax {
        line,
        column,
        what: what.into(),
        hint,
    })
}
