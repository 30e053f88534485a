//! The only way out: data to standard output in one of three formats, the rest to standard error.

pub(crate) mod findings;
mod screen;
mod text;

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_json::{Value, json};

pub(crate) use text::{Table, clean};

use crate::env::Streams;
use crate::failure::Failure;
use crate::{Color, Exit, Format, Global};

/// A terminal whose size is not known any more.
const WIDTH: usize = 80;
const HEIGHT: usize = 24;

/// Writes for a command. A reader that goes away ends the command quietly and well.
#[derive(Debug)]
pub struct Printer {
    streams: Streams,
    format: Format,
    quiet: u8,
    out_color: bool,
    err_color: bool,
    /// Rows of the screen that the last look took.
    rows: usize,
    /// Set when nobody reads any more.
    closed: bool,
    /// Set when the output could not be written for another reason.
    broken: Option<io::Error>,
}

impl Printer {
    /// A printer for one command.
    #[must_use]
    pub fn new(global: &Global, streams: Streams) -> Self {
        let colored = |is_terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !streams.no_color,
        };
        Self {
            out_color: colored(streams.out_is_terminal),
            err_color: colored(streams.err_is_terminal),
            format: global.format,
            quiet: global.quiet,
            rows: 0,
            closed: false,
            broken: None,
            streams,
        }
    }

    /// Whether people read the data.
    #[must_use]
    pub fn is_human(&self) -> bool {
        self.format == Format::Human
    }

    /// One document: `value` under its `schema`, or as `human` says it.
    pub(crate) fn document<T: Serialize>(
        &mut self,
        schema: &str,
        value: &T,
        human: impl FnOnce() -> String,
    ) {
        match self.format {
            Format::Human => {
                let text = human();
                self.lines(&text);
            }
            Format::Json => self.json_pretty(&envelope(schema, value)),
            Format::Jsonl => self.json_line(&envelope(schema, value)),
        }
    }

    /// A list: one document with the items under `key`, or one line for each.
    pub(crate) fn list<T: Serialize>(
        &mut self,
        schema: &str,
        key: &str,
        items: &[T],
        human: impl FnOnce() -> String,
    ) {
        match self.format {
            Format::Human => {
                let text = human();
                self.lines(&text);
            }
            Format::Json => self.json_pretty(&envelope(schema, &json!({ key: items }))),
            Format::Jsonl => {
                for item in items {
                    self.json_line(&envelope(schema, item));
                }
            }
        }
    }

    /// One of many items that come one after another, without an end.
    pub(crate) fn item<T: Serialize>(
        &mut self,
        schema: &str,
        value: &T,
        human: impl FnOnce() -> String,
    ) {
        match self.format {
            Format::Human => {
                let text = human();
                self.lines(&text);
            }
            // A stream has no last item, so it is lines in both formats.
            Format::Json | Format::Jsonl => self.json_line(&envelope(schema, value)),
        }
    }

    /// Whether data goes to a terminal whose size is known: what is written can be written over.
    pub(crate) fn is_screen(&self) -> bool {
        self.streams.out_is_terminal && (self.streams.screen)().is_some()
    }

    /// Lines over those that were there before, as many as there is room for. Sets nothing: the
    /// cursor is after the last line at all times but while it writes.
    pub(crate) fn screen(&mut self, lines: &[(Option<Paint>, String)]) {
        let (columns, rows) = (self.streams.screen)().unwrap_or((WIDTH, HEIGHT));
        let mut text = screen::back(self.rows);
        let shown = lines.len().min(rows.saturating_sub(1));
        for (paint, line) in lines.iter().take(shown) {
            let line = screen::cut(line, columns);
            text.push_str(&match paint {
                Some(paint) => self.paint(*paint, line),
                None => line.to_owned(),
            });
            text.push('\n');
        }
        self.rows = shown;
        self.out(text.as_bytes());
    }

    /// Data that is a format of its own: a schema, a completion script.
    pub(crate) fn raw(&mut self, text: &str) {
        self.out(text.as_bytes());
    }

    /// Something to know, for people only.
    pub(crate) fn note(&mut self, text: &str) {
        if self.quiet == 0 {
            self.err(&format!("{text}\n"));
        }
    }

    /// A question, before an answer is read.
    pub(crate) fn ask(&mut self, question: &str) {
        self.err(question);
    }

    /// Warnings about a text, for people; documents carry them themselves.
    pub(crate) fn warnings(&mut self, name: &str, source: &str, list: &[model::Diagnostic]) {
        if self.quiet == 0 && self.is_human() {
            let text = findings::render(name, source, list, self.err_color, self.streams.width);
            self.err(&text);
        }
    }

    /// Why a command failed, while it still has something to say.
    pub(crate) fn complain(&mut self, failure: &Failure) {
        self.failure(failure);
    }

    /// Whether it makes sense to go on.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed || self.broken.is_some()
    }

    /// Data for people in the accent of `style`, when colours are on.
    pub(crate) fn paint(&self, paint: Paint, text: &str) -> String {
        if self.out_color && self.is_human() {
            let style = paint.style();
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// Prints why a command failed, flushes, and gives the code to end with.
    #[must_use]
    pub fn finish(mut self, result: Result<Exit, Failure>) -> Exit {
        let exit = match result {
            Ok(exit) => exit,
            Err(failure) => {
                self.failure(&failure);
                failure.exit
            }
        };
        if let Err(error) = self.streams.out.flush() {
            self.trouble(error);
        }
        if self.closed {
            return Exit::Ok;
        }
        if let Some(error) = self.broken.take() {
            self.err(&format!("error: cannot write the output: {error}\n"));
            return Exit::Failed;
        }
        exit
    }

    fn failure(&mut self, failure: &Failure) {
        if !self.is_human() {
            let document = envelope("rampart.error.v1", &findings::as_json(failure));
            let line = serde_json::to_string(&document).unwrap_or_default();
            return self.err(&format!("{line}\n"));
        }
        if let Some(findings) = &failure.findings {
            let width = self.streams.width;
            let text = findings::render(
                &findings.name,
                &findings.source,
                &findings.list,
                self.err_color,
                width,
            );
            self.err(&text);
        }
        let mut text = format!(
            "{} {}\n",
            self.err_paint(Paint::Bad, "error:"),
            clean(&failure.message)
        );
        for fault in &failure.faults {
            text.push_str(&findings::fault_line(fault));
        }
        if let Some(hint) = &failure.hint {
            let word = self.err_paint(Paint::Hint, "hint:");
            text.push_str(&format!("\n{word} {}\n", clean(hint)));
        }
        self.err(&text);
    }

    fn err_paint(&self, paint: Paint, text: &str) -> String {
        if self.err_color {
            let style = paint.style();
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    fn lines(&mut self, text: &str) {
        let end = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        self.out(format!("{text}{end}").as_bytes());
    }

    fn json_pretty(&mut self, value: &Value) {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        self.out(format!("{text}\n").as_bytes());
    }

    fn json_line(&mut self, value: &Value) {
        self.out(format!("{value}\n").as_bytes());
        if let Err(error) = self.streams.out.flush() {
            self.trouble(error);
        }
    }

    fn out(&mut self, bytes: &[u8]) {
        if self.is_closed() {
            return;
        }
        let written = self
            .streams
            .out
            .write_all(bytes)
            .and_then(|()| self.streams.out.flush());
        if let Err(error) = written {
            self.trouble(error);
        }
    }

    fn err(&mut self, text: &str) {
        // Nobody can be told that telling failed.
        drop(self.streams.err.write_all(text.as_bytes()));
        drop(self.streams.err.flush());
    }

    fn trouble(&mut self, error: io::Error) {
        if error.kind() == io::ErrorKind::BrokenPipe {
            self.closed = true;
        } else if self.broken.is_none() {
            self.broken = Some(error);
        }
    }
}

/// `{"schema": …, …}`: the fields of an object beside its schema, or `value` for what is none.
fn envelope<T: Serialize>(schema: &str, value: &T) -> Value {
    let mut envelope = serde_json::Map::new();
    envelope.insert("schema".to_owned(), schema.into());
    match serde_json::to_value(value).unwrap_or_default() {
        Value::Object(fields) => {
            envelope.extend(fields.into_iter().filter(|(key, _)| key != "schema"));
        }
        other => {
            envelope.insert("value".to_owned(), other);
        }
    }
    Value::Object(envelope)
}

/// What a colour means; never said by colour alone.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Paint {
    Good,
    Bad,
    Care,
    Hint,
}

impl Paint {
    fn style(self) -> Style {
        match self {
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Care => AnsiColor::Yellow.on_default(),
            Self::Hint => AnsiColor::Cyan.on_default(),
        }
    }
}

#[cfg(test)]
mod tests;
