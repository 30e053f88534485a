//! Sign-in, enrolment, and the page between a sign-in and the origin it was for.

use askama::Template;

use crate::frame::{FormToken, Plain};
use crate::ui::{Copy, Icon, Notice};

/// First step: who, and the password.
#[derive(Template)]
#[template(path = "sign_in/password.html")]
pub(crate) struct PasswordPage {
    pub(crate) plain: Plain,
    pub(crate) token: FormToken,
    pub(crate) problem: Option<Notice>,
    /// The host that asked for the sign-in, when it was not the console itself.
    pub(crate) wanted_by: Option<String>,
    /// The query of this page, carried through the form.
    pub(crate) query: String,
    pub(crate) login: String,
}

/// Which second proof is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Second {
    /// A code of an authenticator app.
    Code,
    /// A recovery code.
    Recovery,
}

/// Second step: a code.
#[derive(Template)]
#[template(path = "sign_in/code.html")]
pub(crate) struct CodePage {
    pub(crate) plain: Plain,
    pub(crate) token: FormToken,
    pub(crate) problem: Option<Notice>,
    pub(crate) second: Second,
    pub(crate) query: String,
}

impl CodePage {
    fn recovery(&self) -> bool {
        self.second == Second::Recovery
    }
}

/// A fresh proof is needed before what was asked for.
#[derive(Template)]
#[template(path = "sign_in/step_up.html")]
pub(crate) struct StepUpPage {
    pub(crate) plain: Plain,
    pub(crate) token: FormToken,
    pub(crate) problem: Option<Notice>,
    pub(crate) next: String,
}

/// On the way somewhere by a navigation of its own, never by a redirect of a form.
#[derive(Template)]
#[template(path = "sign_in/onward.html")]
pub(crate) struct OnwardPage {
    pub(crate) plain: Plain,
    pub(crate) to: String,
    /// What the reader calls the place.
    pub(crate) place: String,
}

/// Enrolment, first step: a password.
#[derive(Template)]
#[template(path = "sign_in/enrol_password.html")]
pub(crate) struct EnrolPasswordPage {
    pub(crate) plain: Plain,
    pub(crate) token: FormToken,
    pub(crate) problem: Option<Notice>,
    pub(crate) action: String,
    pub(crate) name: String,
    pub(crate) login: String,
    pub(crate) length_min: u32,
}

/// Enrolment, second step (and an authenticator issued again): the secret and a first code.
#[derive(Template)]
#[template(path = "sign_in/enrol_totp.html")]
pub(crate) struct EnrolTotpPage {
    pub(crate) plain: Plain,
    pub(crate) token: FormToken,
    pub(crate) problem: Option<Notice>,
    pub(crate) action: String,
    /// The QR code as a `data:` address.
    pub(crate) picture: String,
    /// The secret in groups of four, to type.
    pub(crate) manual: String,
    pub(crate) copy: Copy,
    /// Whether this is part of an enrolment (three steps) or stands alone.
    pub(crate) enrolling: bool,
}

/// Recovery codes: shown once.
#[derive(Template)]
#[template(path = "sign_in/recovery_codes.html")]
pub(crate) struct RecoveryCodesPage {
    pub(crate) plain: Plain,
    pub(crate) codes: Vec<String>,
    pub(crate) copy: Copy,
    pub(crate) onward: &'static str,
    pub(crate) onward_label: &'static str,
    pub(crate) enrolling: bool,
}
