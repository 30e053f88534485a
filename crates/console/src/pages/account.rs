//! A person's own account: sessions, password, authenticator, recovery codes, API keys.

use askama::Template;

use super::identity::{Choice, SessionRow};
use crate::frame::Frame;
use crate::ui::{Empty, Icon, Notice, When};

/// An API key, without its secret.
#[derive(Debug)]
pub(crate) struct KeyRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) prefix: String,
    pub(crate) permissions: Vec<String>,
    pub(crate) expires: Option<When>,
    pub(crate) created: When,
}

/// `/account`.
#[derive(Template)]
#[template(path = "account/index.html")]
pub(crate) struct AccountPage {
    pub(crate) frame: Frame,
    pub(crate) login: String,
    pub(crate) state: String,
    pub(crate) roles: Vec<String>,
    pub(crate) permissions: Vec<String>,
    pub(crate) recovery_left: String,
    pub(crate) sessions: Vec<SessionRow>,
    pub(crate) revoke_action: String,
    pub(crate) keys: Vec<KeyRow>,
}

impl AccountPage {
    fn no_keys(&self) -> Empty {
        Empty::new(
            Icon::Key,
            "No API keys",
            "A key lets a program act for you, with some of your permissions, until a day you choose.",
            "rampart identity keys create NAME --allow PERMISSION",
        )
    }
}

/// `/account/password`.
#[derive(Template)]
#[template(path = "account/password.html")]
pub(crate) struct PasswordChangePage {
    pub(crate) frame: Frame,
    pub(crate) problem: Option<Notice>,
    pub(crate) login: String,
    pub(crate) length_min: u32,
}

/// `/account/keys/new`.
#[derive(Template)]
#[template(path = "account/new_key.html")]
pub(crate) struct NewKeyPage {
    pub(crate) frame: Frame,
    pub(crate) problem: Option<Notice>,
    pub(crate) name: String,
    pub(crate) permissions: Vec<Choice>,
    pub(crate) networks: String,
}
