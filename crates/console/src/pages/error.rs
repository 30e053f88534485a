//! What a reader sees when something was refused or went wrong: what happened, what to do, and
//! the request's id. Internals stay behind that id.

use askama::Template;

use crate::frame::{Frame, Plain};
use crate::ui::{Copy, Icon, Prose};

/// What is said, the same in both frames.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) title: String,
    pub(crate) text: Prose,
    pub(crate) hint: Prose,
    /// The permission that was missing.
    pub(crate) missing: Option<String>,
    pub(crate) request_id: String,
    pub(crate) copy: Copy,
}

/// For somebody signed in.
#[derive(Template)]
#[template(path = "error.html")]
pub(crate) struct ErrorPage {
    pub(crate) frame: Frame,
    pub(crate) said: Said,
}

/// For everybody else.
#[derive(Template)]
#[template(path = "error_plain.html")]
pub(crate) struct PlainErrorPage {
    pub(crate) plain: Plain,
    pub(crate) said: Said,
}
