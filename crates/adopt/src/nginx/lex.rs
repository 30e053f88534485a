//! nginx's own grammar: words, quotes, escapes, comments, `;`, and blocks.
//!
//! Blocks of other languages (`content_by_lua_block`, `js_content` in line) are refused: their
//! braces are not nginx's to count.

use crate::Error;
use crate::notes::Place;
use crate::tree::Directive;

/// LIMIT: blocks within blocks.
const DEPTH_MAX: usize = 24;
/// LIMIT: directives of one file.
pub(super) const DIRECTIVES_MAX: usize = 20_000;
/// LIMIT: words of one directive.
const WORDS_MAX: usize = 2_000;

enum Token {
    Word(String),
    Open,
    Close,
    End,
    Nothing,
}

/// Reads the directives of a text.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Directive>, Error> {
    let mut parser = Parser {
        file: file.into(),
        chars: text.chars().peekable(),
        line: 1,
        count: 0,
    };
    parser.block(0, 1)
}

struct Parser<'t> {
    file: std::sync::Arc<str>,
    chars: std::iter::Peekable<std::str::Chars<'t>>,
    line: usize,
    count: usize,
}

impl Parser<'_> {
    fn place(&self, line: usize) -> Place {
        Place {
            file: self.file.clone(),
            line,
        }
    }

    fn fail<T>(&self, line: usize, message: &str, hint: &str) -> Result<T, Error> {
        Err(Error::syntax(&self.place(line), message, hint))
    }

    /// Directives up to the end of the block that was opened on line `opened`.
    fn block(&mut self, depth: usize, opened: usize) -> Result<Vec<Directive>, Error> {
        if depth > DEPTH_MAX {
            return self.fail(opened, "blocks are nested too deep", "");
        }
        let mut list = Vec::new();
        let mut words: Vec<String> = Vec::new();
        let mut at = self.line;
        loop {
            let token = self.token()?;
            match token {
                Token::Word(word) => {
                    if words.is_empty() {
                        at = self.line;
                    }
                    words.push(word);
                    if words.len() > WORDS_MAX {
                        return self.fail(
                            at,
                            "a directive has too many words",
                            "is a `;` missing?",
                        );
                    }
                }
                Token::End | Token::Open if words.is_empty() => {
                    return self.fail(self.line, "a directive has no name", "");
                }
                Token::End => {
                    let words = std::mem::take(&mut words);
                    self.counted(at)?;
                    list.push(Directive::new(words, None, self.place(at)));
                }
                Token::Open => {
                    let words = std::mem::take(&mut words);
                    self.refuse_languages(&words, at)?;
                    self.counted(at)?;
                    let inside = self.block(depth.saturating_add(1), at)?;
                    list.push(Directive::new(words, Some(inside), self.place(at)));
                }
                Token::Close if depth > 0 && words.is_empty() => return Ok(list),
                Token::Close if depth > 0 => {
                    return self.fail(at, "a directive does not end before `}`", "add `;`");
                }
                Token::Close => return self.fail(self.line, "`}` closes nothing", ""),
                Token::Nothing if depth > 0 => {
                    return self.fail(opened, "this block is never closed", "add `}`");
                }
                Token::Nothing if !words.is_empty() => {
                    return self.fail(at, "a directive does not end", "add `;`");
                }
                Token::Nothing => return Ok(list),
            }
        }
    }

    fn counted(&mut self, _at: usize) -> Result<(), Error> {
        self.count = self.count.saturating_add(1);
        if self.count > DIRECTIVES_MAX {
            return Err(Error::Limit {
                what: "directives".to_owned(),
                max: DIRECTIVES_MAX,
            });
        }
        Ok(())
    }

    fn refuse_languages(&self, words: &[String], at: usize) -> Result<(), Error> {
        let name = words.first().map_or("", String::as_str);
        let foreign = name.ends_with("_by_lua_block")
            || name.ends_with("_by_njs_block")
            || (matches!(name, "perl_set" | "perl") && words.len() > 1);
        if foreign {
            let message = format!("`{name}` holds a program in another language");
            let hint = "take the block out of a copy of the file, and adopt the copy: what the program does has to be done by a service";
            return self.fail(at, &message, hint);
        }
        Ok(())
    }

    fn next(&mut self) -> Option<char> {
        let next = self.chars.next();
        if next == Some('\n') {
            self.line = self.line.saturating_add(1);
        }
        next
    }

    fn token(&mut self) -> Result<Token, Error> {
        loop {
            let Some(first) = self.chars.peek().copied() else {
                return Ok(Token::Nothing);
            };
            match first {
                c if c.is_ascii_whitespace() => drop(self.next()),
                '#' => {
                    while self.chars.peek().is_some_and(|c| *c != '\n') {
                        self.next();
                    }
                }
                ';' => {
                    self.next();
                    return Ok(Token::End);
                }
                '{' => {
                    self.next();
                    return Ok(Token::Open);
                }
                '}' => {
                    self.next();
                    return Ok(Token::Close);
                }
                '"' | '\'' => return self.quoted(first).map(Token::Word),
                _ => return self.bare().map(Token::Word),
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, Error> {
        let opened = self.line;
        self.next();
        let mut word = String::new();
        loop {
            match self.next() {
                None => return self.fail(opened, "a quoted text does not end", ""),
                Some('\\') => self.escaped(&mut word, opened)?,
                Some(c) if c == quote => break,
                Some(c) => word.push(c),
            }
        }
        let ends = |c: &char| c.is_ascii_whitespace() || matches!(c, ';' | '{' | ')');
        if self.chars.peek().is_some_and(|c| !ends(c)) {
            let hint = "a quoted text is a word of its own";
            return self.fail(self.line, "something follows a quoted text at once", hint);
        }
        Ok(word)
    }

    /// What stands for itself after a backslash; before any other character it stays.
    fn escaped(&mut self, word: &mut String, opened: usize) -> Result<(), Error> {
        match self.next() {
            Some(c @ ('"' | '\'' | '\\')) => word.push(c),
            Some('t') => word.push('\t'),
            Some('r') => word.push('\r'),
            Some('n') => word.push('\n'),
            Some(c) => {
                word.push('\\');
                word.push(c);
            }
            None => return self.fail(opened, "the file ends after `\\`", ""),
        }
        Ok(())
    }

    fn bare(&mut self) -> Result<String, Error> {
        let opened = self.line;
        let mut word = String::new();
        while let Some(c) = self.chars.peek().copied() {
            match c {
                c if c.is_ascii_whitespace() || c == ';' => break,
                // `${name}` is a variable, not a block.
                '{' if word.ends_with('$') => {
                    while let Some(c) = self.next() {
                        word.push(c);
                        if c == '}' {
                            break;
                        }
                    }
                }
                '{' => break,
                '\\' => {
                    self.next();
                    self.escaped(&mut word, opened)?;
                }
                c => {
                    self.next();
                    word.push(c);
                }
            }
        }
        Ok(word)
    }
}
