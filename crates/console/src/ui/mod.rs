//! Small parts that pages are made of: icons, badges, times, notices and charts.
//!
//! Every part escapes what it is given; none of them knows where its values come from.

mod chart;
mod icon;
mod words;

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;
use model::{Outcome, Severity, Timestamp};

pub(crate) use chart::{Bar, Bars, Series, Sparkline, TimeChart};
pub(crate) use icon::Icon;
pub(crate) use words::{count, duration, percent, plural, rate, relative};

/// What a colour says. Never alone: an icon's shape and a word say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing to say.
    Quiet,
    /// As it should be.
    Ok,
    /// For information.
    Info,
    /// Worth a look.
    Medium,
    /// Worth a look today.
    High,
    /// Act now.
    Critical,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Ok => "ok",
            Self::Info => "info",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The shape that says the same as the colour.
    pub(crate) fn icon(self) -> Icon {
        match self {
            Self::Quiet => Icon::Dot,
            Self::Ok => Icon::Check,
            Self::Info => Icon::Circle,
            Self::Medium => Icon::Diamond,
            Self::High => Icon::Triangle,
            Self::Critical => Icon::Octagon,
        }
    }
}

impl fmt::Display for Tone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.class())
    }
}

/// A coloured word with its shape.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<span class="badge {{ tone }}">{{ tone.icon() }}{{ word }}</span>"#
)]
pub(crate) struct Badge {
    tone: Tone,
    word: String,
}

impl HtmlSafe for Badge {}

impl Badge {
    /// A word in a tone.
    pub(crate) fn new(tone: Tone, word: impl Into<String>) -> Self {
        Self {
            tone,
            word: word.into(),
        }
    }

    /// How an event ended.
    pub(crate) fn outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::new(Tone::Ok, "Success"),
            Outcome::Failure => Self::new(Tone::Medium, "Failure"),
            Outcome::Refused => Self::new(Tone::High, "Refused"),
        }
    }

    /// How much an event matters.
    pub(crate) fn severity(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::new(Tone::Quiet, "Info"),
            Severity::Low => Self::new(Tone::Info, "Low"),
            Severity::Medium => Self::new(Tone::Medium, "Medium"),
            Severity::High => Self::new(Tone::High, "High"),
            Severity::Critical => Self::new(Tone::Critical, "Critical"),
        }
    }
}

/// A moment: in words, with the exact time as its title.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<time datetime="{{ exact }}" title="{{ exact }}"{% if past %} data-ago{% endif %} class="nowrap">{{ words }}</time>"#
)]
pub(crate) struct When {
    exact: String,
    words: String,
    past: bool,
}

impl HtmlSafe for When {}

impl When {
    /// `at`, as seen from `now`.
    pub(crate) fn new(at: Timestamp, now: Timestamp) -> Self {
        Self {
            exact: at.to_string(),
            words: relative(at, now),
            past: at <= now,
        }
    }
}

/// A sentence in which names stand in backticks, as every part of Rampart writes its messages;
/// they are shown as code.
#[derive(Clone, Debug, Default, Template)]
#[template(
    ext = "html",
    source = r#"{% for piece in self.pieces() %}{% if piece.0 %}<code class="said">{{ piece.1 }}</code>{% else %}{{ piece.1 }}{% endif %}{% endfor %}"#
)]
pub(crate) struct Prose {
    text: String,
}

impl HtmlSafe for Prose {}

impl Prose {
    /// The pieces between backticks alternate: words, code, words. A last backtick without a
    /// partner is only a backtick.
    fn pieces(&self) -> impl Iterator<Item = (bool, &str)> {
        let paired = self.text.matches('`').count() / 2 * 2;
        self.text
            .splitn(paired + 1, '`')
            .enumerate()
            .map(|(i, piece)| (i % 2 == 1, piece))
            .filter(|(_, piece)| !piece.is_empty())
    }
}

impl Prose {
    /// Whether there is nothing to say.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

impl<T: Into<String>> From<T> for Prose {
    fn from(text: T) -> Self {
        Self { text: text.into() }
    }
}

/// A message above the page's content.
#[derive(Clone, Debug, Template)]
#[template(path = "components/notice.html")]
pub(crate) struct Notice {
    tone: Tone,
    title: Prose,
    text: Prose,
}

impl HtmlSafe for Notice {}

impl Notice {
    /// A message of one line, with what to do about it (or nothing).
    pub(crate) fn new(tone: Tone, title: impl Into<Prose>, text: impl Into<Prose>) -> Self {
        Self {
            tone,
            title: title.into(),
            text: text.into(),
        }
    }

    fn role(&self) -> &'static str {
        match self.tone {
            Tone::High | Tone::Critical => "alert",
            _ => "status",
        }
    }
}

/// A button that copies a text; shown only where the script runs.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<button class="copy" type="button" data-copy="{{ text }}" aria-label="Copy {{ what }}" hidden>{{ Icon::Copy }}</button>"#
)]
pub(crate) struct Copy {
    text: String,
    what: &'static str,
}

impl HtmlSafe for Copy {}

impl Copy {
    /// Copies `text`, which is the `what`.
    pub(crate) fn new(text: impl Into<String>, what: &'static str) -> Self {
        Self {
            text: text.into(),
            what,
        }
    }
}

/// What a page shows in place of a list with nothing in it.
#[derive(Clone, Debug, Template)]
#[template(path = "components/empty.html")]
pub(crate) struct Empty {
    icon: Icon,
    title: &'static str,
    text: Prose,
    command: &'static str,
}

impl HtmlSafe for Empty {}

impl Empty {
    /// What will appear here, and the command that does the same as the page's button.
    pub(crate) fn new(
        icon: Icon,
        title: &'static str,
        text: &'static str,
        command: &'static str,
    ) -> Self {
        Self {
            icon,
            title,
            text: text.into(),
            command,
        }
    }
}

/// One number, what it means and how it moved.
#[derive(Clone, Debug, Template)]
#[template(path = "components/tile.html")]
pub(crate) struct Tile {
    label: &'static str,
    value: String,
    unit: &'static str,
    note: String,
    stat: String,
    spark: Option<Sparkline>,
}

impl HtmlSafe for Tile {}

impl Tile {
    /// A number with its name and a line about it.
    pub(crate) fn new(
        label: &'static str,
        value: impl Into<String>,
        note: impl Into<String>,
    ) -> Self {
        Self {
            label,
            value: value.into(),
            unit: "",
            note: note.into(),
            stat: String::new(),
            spark: None,
        }
    }

    /// Names its unit.
    pub(crate) fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// Lets live updates of that name change the number.
    pub(crate) fn live(mut self, stat: impl Into<String>) -> Self {
        self.stat = stat.into();
        self
    }

    /// Draws how it moved.
    pub(crate) fn spark(mut self, spark: Sparkline) -> Self {
        self.spark = Some(spark);
        self
    }
}

#[cfg(test)]
mod tests;
