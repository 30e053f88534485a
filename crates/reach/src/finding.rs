//! What is said about an intent, and about which part of it.

use std::fmt;

/// A part of an intent: the estate knows where in its file that stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The list: `zone`, `host`, `outside`, `service`, `flow`, `invariant`, `expectation`; or
    /// `settings` or `intent`, which are none.
    pub list: &'static str,
    /// Which of the list, counted from zero.
    pub index: usize,
    /// What it is called, as it was written.
    pub name: String,
    /// Which of its fields, such as `addresses[1]`; empty for the whole.
    pub field: String,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.list)?;
        if !matches!(self.list, "settings" | "intent") {
            // A name is a stranger's until it has been checked.
            write!(f, "[{}] {:?}", self.index, self.name)?;
        }
        if !self.field.is_empty() {
            write!(f, ".{}", self.field)?;
        }
        Ok(())
    }
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The intent is refused.
    Error,
    /// The intent is taken, and something in it has no effect.
    Note,
}

/// Something about an intent that its author should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it weighs.
    pub weight: Weight,
    /// Where.
    pub part: Part,
    /// What is the matter; what the author wrote stands in backticks.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part, self.message)?;
        if !self.hint.is_empty() {
            write!(f, "\nhint: {}", self.hint)?;
        }
        Ok(())
    }
}

/// SECURITY: a name that is told before it was checked may hold what moves a terminal's cursor or
/// turns the direction of a text; such characters are shown by their numbers.
fn plain(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    for character in text.chars() {
        let is_ours = matches!(character, ' '..='~');
        if is_ours || character.escape_debug().count() == 1 {
            made.push(character);
        } else {
            made.extend(character.escape_debug());
        }
    }
    made
}

/// Findings as they are made.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    all: Vec<Finding>,
    left_out: usize,
}

impl Findings {
    // LIMIT: findings told of one intent; how many more there are is the last of them.
    const MOST: usize = 1_000;

    pub(crate) fn error(
        &mut self,
        part: Part,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(Weight::Error, part, &message.into(), &hint.into());
    }

    pub(crate) fn note(&mut self, part: Part, message: impl Into<String>, hint: impl Into<String>) {
        self.push(Weight::Note, part, &message.into(), &hint.into());
    }

    fn push(&mut self, weight: Weight, part: Part, message: &str, hint: &str) {
        let finding = Finding {
            weight,
            part,
            message: plain(message),
            hint: plain(hint),
        };
        if self.all.len() < Self::MOST {
            self.all.push(finding);
        } else {
            // An error that is left out comes after a thousand findings, of which one must be
            // enough to refuse the intent.
            self.left_out += 1;
            if weight == Weight::Error
                && let Some(last) = self
                    .all
                    .last_mut()
                    .filter(|last| last.weight == Weight::Note)
            {
                *last = finding;
            }
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.all
            .iter()
            .any(|finding| finding.weight == Weight::Error)
    }

    pub(crate) fn finish(mut self) -> Vec<Finding> {
        if self.left_out > 0 {
            let part = Part {
                list: "intent",
                index: 0,
                name: String::new(),
                field: String::new(),
            };
            self.all.push(Finding {
                weight: Weight::Note,
                part,
                message: format!("{} more findings are not listed", self.left_out),
                hint: "mend these first".to_owned(),
            });
        }
        self.all
    }
}
