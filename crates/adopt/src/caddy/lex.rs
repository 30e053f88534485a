//! The Caddyfile's grammar: words, quotes, lines, blocks, imports.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Error;
use crate::draft::Draft;
use crate::files::{Opened, folder, within};
use crate::notes::Place;
use crate::tree::Directive;

/// LIMIT: blocks within blocks.
const DEPTH_MAX: usize = 24;
/// LIMIT: directives, imported ones counted each time.
const DIRECTIVES_MAX: usize = 20_000;
/// LIMIT: snippets that import each other.
const IMPORTS_MAX: usize = 16;
/// LIMIT: words of one file.
const WORDS_MAX: usize = 100_000;

struct Word {
    text: String,
    line: usize,
    /// Whether it stood in quotes: then it opens and closes nothing.
    quoted: bool,
}

/// Reads the lines of a text as directives.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Directive>, Error> {
    let file: Arc<str> = file.into();
    let words = words(&file, text)?;
    let mut at = 0;
    let list = block(&file, &words, &mut at, 0)?;
    match words.get(at) {
        Some(word) => Err(fail(&file, word.line, "`}` closes nothing", "")),
        None => Ok(list),
    }
}

fn fail(file: &Arc<str>, line: usize, message: &str, hint: &str) -> Error {
    let place = Place {
        file: file.clone(),
        line,
    };
    Error::syntax(&place, message, hint)
}

fn words(file: &Arc<str>, text: &str) -> Result<Vec<Word>, Error> {
    let mut words: Vec<Word> = Vec::new();
    let mut chars = text.chars().peekable();
    let mut line = 1_usize;
    let mut joined = 0_usize;
    while let Some(c) = chars.next() {
        match c {
            '\n' => line = line.saturating_add(1),
            c if c.is_whitespace() => {}
            '#' => while chars.next_if(|c| *c != '\n').is_some() {},
            // A line that goes on: its words belong to the line it began on.
            '\\' if chars.peek() == Some(&'\n') => {
                chars.next();
                joined = joined.saturating_add(1);
                line = line.saturating_add(1);
                if let Some(last) = words.last() {
                    joined = line.saturating_sub(last.line);
                }
                continue;
            }
            '"' | '`' => {
                let from = line;
                let text = quoted(c, &mut chars, &mut line)
                    .ok_or_else(|| fail(file, from, "a quoted text does not end", ""))?;
                words.push(Word {
                    text,
                    line: from.saturating_sub(joined),
                    quoted: true,
                });
            }
            first => {
                let mut text = String::from(first);
                while let Some(c) = chars.next_if(|c| !c.is_whitespace()) {
                    text.push(c);
                }
                let from = line.saturating_sub(joined);
                if let Some(mark) = text.strip_prefix("<<").filter(|mark| is_mark(mark)) {
                    let text = heredoc(mark, &mut chars, &mut line).ok_or_else(|| {
                        fail(file, from, "a text that `<<` begins does not end", "")
                    })?;
                    words.push(Word {
                        text,
                        line: from,
                        quoted: true,
                    });
                } else {
                    words.push(Word {
                        text,
                        line: from,
                        quoted: false,
                    });
                }
            }
        }
        if chars.peek() == Some(&'\n') {
            joined = 0;
        }
        if words.len() > WORDS_MAX {
            return Err(Error::Limit {
                what: "words".to_owned(),
                max: WORDS_MAX,
            });
        }
    }
    Ok(words)
}

fn is_mark(mark: &str) -> bool {
    !mark.is_empty()
        && mark
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

type Chars<'t> = std::iter::Peekable<std::str::Chars<'t>>;

fn quoted(quote: char, chars: &mut Chars<'_>, line: &mut usize) -> Option<String> {
    let mut text = String::new();
    loop {
        match chars.next()? {
            c if c == quote => return Some(text),
            '\\' if quote == '"' && chars.peek() == Some(&'"') => {
                chars.next();
                text.push('"');
            }
            c => {
                *line = line.saturating_add(usize::from(c == '\n'));
                text.push(c);
            }
        }
    }
}

fn heredoc(mark: &str, chars: &mut Chars<'_>, line: &mut usize) -> Option<String> {
    let mut text = String::new();
    let mut row = String::new();
    // The rest of the line that it begins on is empty.
    for c in chars.by_ref() {
        if c == '\n' {
            *line = line.saturating_add(1);
            break;
        }
    }
    loop {
        let next = chars.peek().copied();
        if row.trim() == mark && next.is_none_or(char::is_whitespace) {
            return Some(text);
        }
        match chars.next()? {
            '\n' => {
                *line = line.saturating_add(1);
                text.push_str(&row);
                text.push('\n');
                row.clear();
            }
            c => row.push(c),
        }
    }
}

fn block(
    file: &Arc<str>,
    words: &[Word],
    at: &mut usize,
    depth: usize,
) -> Result<Vec<Directive>, Error> {
    let mut list = Vec::new();
    while let Some(first) = words.get(*at) {
        if first.text == "}" && !first.quoted {
            return Ok(list);
        }
        if depth > DEPTH_MAX {
            return Err(fail(file, first.line, "blocks are nested too deep", ""));
        }
        let line = first.line;
        let mut row: Vec<String> = Vec::new();
        let mut inside = None;
        let mut last = line;
        while let Some(word) = words.get(*at) {
            // Addresses of a site go on after a comma.
            let goes_on = depth == 0 && row.last().is_some_and(|text| text.ends_with(','));
            if word.line > last && !goes_on {
                break;
            }
            last = word.line;
            let ends = words
                .get(at.saturating_add(1))
                .is_none_or(|next| next.line > word.line);
            if word.text == "{" && !word.quoted && ends {
                *at = at.saturating_add(1);
                inside = Some(block(file, words, at, depth.saturating_add(1))?);
                if words.get(*at).is_none() {
                    return Err(fail(file, line, "this block is never closed", "add `}`"));
                }
                *at = at.saturating_add(1);
                break;
            }
            if word.text == "}" && !word.quoted {
                break;
            }
            row.push(word.text.clone());
            *at = at.saturating_add(1);
        }
        let place = Place {
            file: file.clone(),
            line,
        };
        list.push(Directive::new(row, inside, place));
    }
    Ok(list)
}

/// Puts what `import` names in its place.
pub(super) struct Imports<'f> {
    opened: Opened<'f>,
    folder: String,
    snippets: BTreeMap<String, Vec<Directive>>,
    count: usize,
}

impl<'f> Imports<'f> {
    pub(super) fn new(opened: Opened<'f>, folder: &str) -> Self {
        Self {
            opened,
            folder: folder.to_owned(),
            snippets: BTreeMap::new(),
            count: 0,
        }
    }

    pub(super) fn expand(
        &mut self,
        list: Vec<Directive>,
        depth: usize,
        draft: &mut Draft,
    ) -> Result<Vec<Directive>, Error> {
        let mut out = Vec::new();
        for mut one in list {
            self.count = self.count.saturating_add(1);
            if self.count > DIRECTIVES_MAX || depth > IMPORTS_MAX {
                return Err(Error::Limit {
                    what: "imported directives".to_owned(),
                    max: DIRECTIVES_MAX,
                });
            }
            let snippet = one
                .name
                .strip_prefix('(')
                .and_then(|name| name.strip_suffix(')'));
            if let (Some(name), Some(inside)) = (snippet.map(str::to_owned), &one.block) {
                self.snippets.insert(name, inside.clone());
                one.carried(&mut draft.notes);
                one.account();
                continue;
            }
            if one.name == "import" {
                out.extend(self.import(&one, depth, draft)?);
                continue;
            }
            if let Some(inside) = one.block.take() {
                one.block = Some(self.expand(inside, depth, draft)?);
            }
            out.push(one);
        }
        Ok(out)
    }

    fn import(
        &mut self,
        one: &Directive,
        depth: usize,
        draft: &mut Draft,
    ) -> Result<Vec<Directive>, Error> {
        let deeper = depth.saturating_add(1);
        let args = one.args.get(1..).unwrap_or_default();
        if let Some(snippet) = self.snippets.get(one.arg(0)) {
            let filled = snippet.iter().map(|inner| fill(inner, args)).collect();
            one.carried(&mut draft.notes);
            return self.expand(filled, deeper, draft);
        }
        // A relative path is within the folder of the file that imports.
        let around = folder(&one.place.file);
        let around = within(&self.folder, around);
        let pattern = within(&around, one.arg(0));
        match self.opened.open(&pattern, depth)? {
            Ok(texts) => {
                one.carried(&mut draft.notes);
                let mut out = Vec::new();
                for (name, text) in texts {
                    let parsed = parse(&name, &text)?;
                    let filled = parsed.iter().map(|inner| fill(inner, args)).collect();
                    out.extend(self.expand(filled, deeper, draft)?);
                }
                Ok(out)
            }
            Err(why) => {
                let why = format!("the file was not read: {why}");
                let instead = "what it says is missing here; adopt it by itself";
                one.unguarded(&mut draft.notes, &why, instead);
                Ok(Vec::new())
            }
        }
    }
}

/// A snippet with its arguments put in.
fn fill(one: &Directive, args: &[String]) -> Directive {
    let word = |text: &String| {
        let mut text = text.clone();
        for (at, arg) in args.iter().enumerate() {
            for mark in [format!("{{args[{at}]}}"), format!("{{args.{at}}}")] {
                // LIMIT: what grows by filling in is cut: no word is that long.
                if text.len() < 4_096 {
                    text = text.replace(&mark, arg);
                }
            }
        }
        text
    };
    let mut words = vec![word(&one.name)];
    for arg in &one.args {
        if arg == "{args[:]}" {
            words.extend(args.iter().cloned());
        } else {
            words.push(word(arg));
        }
    }
    let inside = one
        .block
        .as_ref()
        .map(|list| list.iter().map(|inner| fill(inner, args)).collect());
    Directive::new(words, inside, one.place.clone())
}
