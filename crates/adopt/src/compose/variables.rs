//! `${NAME}` in values of Compose. Known is what `.env` beside the file says; the environment of
//! whoever asks is not read.

use std::collections::BTreeMap;

/// LIMIT: variables of one file.
const VARIABLES_MAX: usize = 2_000;

#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    known: BTreeMap<String, String>,
}

impl Variables {
    pub(super) fn of(text: &str) -> Self {
        let one = |line: &str| {
            let line = line.trim();
            let line = line.strip_prefix("export ").unwrap_or(line);
            let (name, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
            let value = value.trim();
            let quoted = |quote: char| {
                value
                    .strip_prefix(quote)
                    .and_then(|value| value.strip_suffix(quote))
            };
            let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
            Some((name.trim().to_owned(), value.to_owned()))
        };
        Self {
            known: text.lines().filter_map(one).take(VARIABLES_MAX).collect(),
        }
    }

    /// `text` with its variables put in; nothing where one is not known.
    pub(super) fn put_into(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            if let Some(tail) = after.strip_prefix('$') {
                out.push('$');
                rest = tail;
            } else if let Some(inside) = after.strip_prefix('{') {
                let (expression, tail) = inside.split_once('}')?;
                out.push_str(&self.value(expression)?);
                rest = tail;
            } else {
                let end = after
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(after.len());
                let (name, tail) = after.split_at_checked(end)?;
                if name.is_empty() {
                    out.push('$');
                } else {
                    out.push_str(self.known.get(name)?);
                }
                rest = tail;
            }
            // LIMIT: a value that grows is none.
            if out.len() > 10_000 {
                return None;
            }
        }
        out.push_str(rest);
        Some(out)
    }

    /// `NAME`, `NAME:-default`, `NAME-default`, `NAME:?message`.
    fn value(&self, expression: &str) -> Option<String> {
        let end = expression
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(expression.len());
        let (name, how) = expression.split_at_checked(end)?;
        let known = self.known.get(name);
        if let Some(default) = how.strip_prefix(":-") {
            return Some(
                known
                    .filter(|value| !value.is_empty())
                    .map_or(default, |v| v)
                    .to_owned(),
            );
        }
        if let Some(default) = how.strip_prefix('-') {
            return Some(known.map_or(default, |value| value).to_owned());
        }
        known.cloned()
    }
}
