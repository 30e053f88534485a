//! People, one person, and roles.

use askama::Template;

use crate::frame::{FormToken, Frame, Plain};
use crate::ui::{Badge, Copy, Empty, Icon, Notice, When};

/// A row of the people list.
#[derive(Debug)]
pub(crate) struct PersonRow {
    pub(crate) href: String,
    pub(crate) name: String,
    pub(crate) login: String,
    pub(crate) roles: Vec<String>,
    pub(crate) state: Badge,
    pub(crate) email: String,
    pub(crate) created: When,
}

/// A choice of a form.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) about: String,
}

/// `/identity/people`.
#[derive(Template)]
#[template(path = "identity/people.html")]
pub(crate) struct PeoplePage {
    pub(crate) frame: Frame,
    pub(crate) state: String,
    pub(crate) people: Vec<PersonRow>,
    pub(crate) may_invite: bool,
}

impl PeoplePage {
    fn empty(&self) -> Empty {
        Empty::new(
            Icon::People,
            "Nobody here yet",
            "Invite somebody: they get a one-time link, and choose their own password and authenticator.",
            "rampart identity invite NAME --login LOGIN",
        )
    }
}

/// `/identity/people/invite`.
#[derive(Template)]
#[template(path = "identity/invite.html")]
pub(crate) struct InvitePage {
    pub(crate) frame: Frame,
    pub(crate) problem: Option<Notice>,
    pub(crate) name: String,
    pub(crate) login: String,
    pub(crate) email: String,
    pub(crate) roles: Vec<Choice>,
}

/// A one-time link or key, shown in the answer to the form that made it and never again.
#[derive(Template)]
#[template(path = "identity/once.html")]
pub(crate) struct OncePage {
    pub(crate) frame: Frame,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) label: &'static str,
    pub(crate) secret: String,
    pub(crate) copy: Copy,
    pub(crate) expires: Option<When>,
    pub(crate) back: String,
    pub(crate) back_label: &'static str,
}

/// A role or group somebody holds.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) what: &'static str,
    pub(crate) name: String,
    pub(crate) given: When,
    pub(crate) by: String,
}

/// A session, of one's own or of another.
#[derive(Debug)]
pub(crate) struct SessionRow {
    pub(crate) id: String,
    pub(crate) device: String,
    pub(crate) source: String,
    pub(crate) origin: String,
    pub(crate) started: When,
    pub(crate) seen: When,
    pub(crate) current: bool,
}

/// `/identity/people/{id}`.
#[derive(Template)]
#[template(path = "identity/person.html")]
pub(crate) struct PersonPage {
    pub(crate) frame: Frame,
    pub(crate) id: String,
    pub(crate) id_copy: Copy,
    pub(crate) name: String,
    pub(crate) state: Badge,
    pub(crate) disabled: bool,
    pub(crate) login: String,
    pub(crate) email: String,
    pub(crate) created: When,
    pub(crate) held: Vec<Held>,
    pub(crate) grantable: Vec<Choice>,
    pub(crate) groups: Vec<Choice>,
    pub(crate) permissions: Vec<String>,
    pub(crate) sessions: Vec<SessionRow>,
    pub(crate) revoke_action: String,
    pub(crate) may_write: bool,
    pub(crate) may_grant: bool,
    pub(crate) trail_href: Option<String>,
}

impl PersonPage {
    fn token(&self) -> &FormToken {
        &self.frame.token
    }
}

/// A role, what it allows and who holds it.
#[derive(Debug)]
pub(crate) struct RoleRow {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) built_in: bool,
    pub(crate) allow: Vec<String>,
    pub(crate) holders: Vec<(String, String)>,
    pub(crate) groups: Vec<String>,
    pub(crate) source: Option<String>,
}

/// `/identity/roles`.
#[derive(Template)]
#[template(path = "identity/roles.html")]
pub(crate) struct RolesPage {
    pub(crate) frame: Frame,
    pub(crate) state: String,
    pub(crate) roles: Vec<RoleRow>,
}

/// A question before something irreversible.
#[derive(Template)]
#[template(path = "confirm.html")]
pub(crate) struct ConfirmPage {
    pub(crate) plain: Plain,
    pub(crate) token: FormToken,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) action: String,
    /// What must be typed.
    pub(crate) typed: String,
    pub(crate) button: &'static str,
    pub(crate) back: String,
}
