//! How the console looks in this browser.

use askama::Template;

use crate::frame::{Frame, Look};
use crate::ui::Icon;

/// `/settings`.
#[derive(Template)]
#[template(path = "settings.html")]
pub(crate) struct SettingsPage {
    pub(crate) frame: Frame,
    pub(crate) look: Look,
    pub(crate) version: &'static str,
}

impl SettingsPage {
    fn theme_is(&self, name: &str) -> bool {
        self.look.theme.name() == name
    }

    fn density_is(&self, name: &str) -> bool {
        self.look.density.name() == name
    }
}
