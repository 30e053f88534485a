//! `mix.lock` of Elixir: a map whose values are tuples. It does not tell what a package is used for.

use super::{Algorithm, Builder, Draft, ReadError, Why};
use crate::document::Limits;
use crate::text::{Places, address, said, syntax, utf8};
use crate::{Ecosystem, Origin};

/// A term of Elixir, as far as lockfiles have them.
enum Term {
    /// A text, an atom, a word or a number.
    Word(String),
    /// A tuple, a list or a map.
    Many(Vec<Self>),
}

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let text = utf8(bytes)?;
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
        terms: 0,
        places: Places::of(text),
        limits: builder.limits(),
    };
    reader.space();
    if !reader.takes("%{") {
        return builder.shape(1, "it is no map");
    }
    loop {
        reader.space();
        if reader.takes("}") {
            break;
        }
        let line = reader.places.line(reader.at);
        let Term::Word(app) = reader.term()? else {
            return reader.fail("a key is no text");
        };
        reader.space();
        if !reader.takes(":") && !reader.takes("=>") {
            return reader.fail("a key wants `:`");
        }
        reader.space();
        let value = reader.term()?;
        package(line, &app, &value, builder)?;
        reader.space();
        if !reader.takes(",") && reader.peek() != Some('}') {
            return reader.fail("the map wants a comma or its end");
        }
    }
    reader.space();
    match reader.peek() {
        None => Ok(()),
        Some(_) => reader.fail("something stands after the map's end"),
    }
}

/// `{:hex, :name, "version", "checksum", managers, needs, "hexpm", "checksum of the file"}` or
/// `{:git, "address", "commit", options}`.
fn package(line: u32, app: &str, value: &Term, builder: &mut Builder) -> Result<(), ReadError> {
    let Term::Many(items) = value else {
        builder.gap(line, Why::Malformed, app, "its value is no tuple");
        return Ok(());
    };
    let word = |at: usize| match items.get(at) {
        Some(Term::Word(word)) => word.as_str(),
        _ => "",
    };
    match word(0) {
        "hex" => {
            let origin = match word(6) {
                "" | "hexpm" => Origin::Registry,
                repository => Origin::Address(repository.to_owned()),
            };
            let draft = Draft::new(Ecosystem::Hex, word(1), word(2), line)
                .origin(origin)
                .hex(Algorithm::Sha256, Some(word(7)));
            builder.package(draft)
        }
        "git" => {
            let origin = Origin::Git {
                address: address(word(1)),
                commit: Some(word(2).to_owned()),
            };
            builder.unversioned(line, app, &origin);
            Ok(())
        }
        kind => {
            let message = format!("of the kind `{}`, which is not known", said(kind));
            builder.gap(line, Why::Unsupported, app, message);
            Ok(())
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    terms: usize,
    places: Places<'a>,
    limits: Limits,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn space(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            let mut skipped = rest.len() - trimmed.len();
            if trimmed.starts_with('#') {
                skipped += trimmed.find('\n').unwrap_or(trimmed.len());
            }
            if skipped == 0 {
                return;
            }
            self.at += skipped;
        }
    }

    fn fail<T>(&self, what: &str) -> Result<T, ReadError> {
        syntax(
            self.places.mark(self.at),
            format!("no lockfile of mix: {what}"),
            None,
        )
    }

    fn term(&mut self) -> Result<Term, ReadError> {
        self.terms += 1;
        if self.terms > self.limits.values {
            return Err(ReadError::TooMany {
                line: self.places.line(self.at),
                most: self.limits.values,
                of: "values",
            });
        }
        if self.takes("\"") {
            return self.quoted();
        }
        if self.takes(":\"") {
            return self.quoted();
        }
        for (open, close) in [("%{", "}"), ("{", "}"), ("[", "]")] {
            if self.takes(open) {
                return self.many(close);
            }
        }
        self.takes(":");
        let is_word =
            |c: char| c.is_alphanumeric() || matches!(c, '_' | '@' | '.' | '-' | '?' | '!');
        let rest = self.rest();
        let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default().to_owned();
        if word.is_empty() {
            return self.fail("a value is missing");
        }
        self.at += end;
        Ok(Term::Word(word))
    }

    fn quoted(&mut self) -> Result<Term, ReadError> {
        let mut out = String::new();
        let mut escaped = false;
        for (at, letter) in self.rest().char_indices() {
            match letter {
                '"' if !escaped => {
                    self.at += at + 1;
                    return Ok(Term::Word(out));
                }
                '\\' if !escaped => escaped = true,
                letter => {
                    out.push(letter);
                    escaped = false;
                }
            }
        }
        self.fail("a text has no end")
    }

    /// Items, or keys and values: what parts them does not matter here.
    fn many(&mut self, close: &str) -> Result<Term, ReadError> {
        if self.depth >= self.limits.depth {
            return self.fail("it is nested too deep");
        }
        self.depth += 1;
        let mut items = Vec::new();
        loop {
            self.space();
            if self.takes(close) {
                break;
            }
            items.push(self.term()?);
            self.space();
            let parted = self.takes(",") || self.takes("=>") || self.takes(":");
            if !parted && !self.rest().starts_with(close) {
                return self.fail("a comma or an end is missing");
            }
        }
        self.depth -= 1;
        Ok(Term::Many(items))
    }
}
