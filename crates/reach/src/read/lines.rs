//! A text line by line, with places.

/// What is left of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines<'a> {
    rest: &'a str,
    /// The line that comes next, counted from one.
    line: u32,
}

impl<'a> Lines<'a> {
    pub(super) const fn of(text: &'a str) -> Self {
        Self {
            rest: text,
            line: 1,
        }
    }

    /// The line that comes next.
    pub(super) const fn line(&self) -> u32 {
        self.line
    }

    /// The next line that is not blank, without the white space around it.
    pub(super) fn next(&mut self) -> Option<(u32, &'a str)> {
        loop {
            let line = self.line;
            if self.rest.is_empty() {
                return None;
            }
            let (text, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
            self.rest = rest;
            self.line = line.saturating_add(1);
            let text = trim(text);
            if !text.is_empty() {
                return Some((line, text));
            }
        }
    }

    /// What stands between `{` and `}` when the next line begins with `start` and a `{`, over as
    /// many lines as it takes. After the `}` its line ends.
    pub(super) fn braced(&mut self, start: &str) -> Option<(u32, &'a str)> {
        let line = self.line;
        let after = trim_start(self.rest)
            .strip_prefix(start)?
            .strip_prefix('{')?;
        let (inner, rest) = after.split_once('}')?;
        let (tail, rest) = rest.split_once('\n')?;
        if !trim(tail).is_empty() {
            return None;
        }
        let breaks = inner.bytes().filter(|byte| *byte == b'\n').count();
        self.rest = rest;
        self.line = line.saturating_add(u32::try_from(breaks + 1).unwrap_or(u32::MAX));
        Some((line, inner))
    }
}

/// Only these two are white space within a line, to nft as well.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn trim_start(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}
