//! What stands around every page: navigation, breadcrumb, who is signed in, and how it looks.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;
use model::{PermissionSet, own};

use crate::assets::{self, Links};
use crate::ui::{Badge, Icon, Notice};

/// Which colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// From a cookie or a form; anything unknown is the default.
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The name in forms and cookies.
    pub(crate) fn name(self) -> &'static str {
        self.forced().unwrap_or("system")
    }

    /// The value of `data-theme`, when a person chose one.
    pub(crate) fn forced(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }
}

/// How high table rows are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Density {
    /// 40 px.
    #[default]
    Comfortable,
    /// 32 px.
    Compact,
}

impl Density {
    /// From a cookie or a form; anything unknown is the default.
    pub(crate) fn parse(text: &str) -> Self {
        if text == "compact" {
            Self::Compact
        } else {
            Self::Comfortable
        }
    }

    /// The name in forms and cookies.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Comfortable => "comfortable",
            Self::Compact => "compact",
        }
    }
}

impl fmt::Display for Density {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a person chose under Settings, kept in a cookie of this browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// Colours.
    pub(crate) theme: Theme,
    /// Row height.
    pub(crate) density: Density,
}

/// The hidden field that proves a form came from a page of ours.
#[derive(Clone, Debug, Default, Template)]
#[template(
    ext = "html",
    source = r#"<input type="hidden" name="form_token" value="{{ value }}">"#
)]
pub(crate) struct FormToken {
    value: String,
}

impl HtmlSafe for FormToken {}

impl FormToken {
    /// A field with that value.
    pub(crate) fn new(value: String) -> Self {
        Self { value }
    }
}

/// Which entry of the sidebar a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Overview,
    People,
    Roles,
    Routes,
    Observed,
    Rules,
    Services,
    Explain,
    Bans,
    Trail,
    Estate,
    Settings,
    /// A page that no entry leads to (the account, errors).
    Elsewhere,
}

struct Entry {
    place: Place,
    href: &'static str,
    label: &'static str,
    icon: Icon,
    needs: Option<&'static str>,
}

const fn entry(
    place: Place,
    href: &'static str,
    label: &'static str,
    icon: Icon,
    needs: Option<&'static str>,
) -> Entry {
    Entry {
        place,
        href,
        label,
        icon,
        needs,
    }
}

/// The sidebar: the strategies that exist, in the product's order. A strategy that is not built
/// has no entry.
const GROUPS: [(&str, &[Entry]); 4] = [
    (
        "",
        &[entry(
            Place::Overview,
            "/",
            "Overview",
            Icon::Overview,
            None,
        )],
    ),
    (
        "Identity",
        &[
            entry(
                Place::People,
                "/identity/people",
                "People",
                Icon::People,
                Some(own::PEOPLE_READ),
            ),
            entry(
                Place::Roles,
                "/identity/roles",
                "Roles",
                Icon::Roles,
                Some(own::PEOPLE_READ),
            ),
        ],
    ),
    (
        "Gateway",
        &[
            entry(
                Place::Routes,
                "/gateway/routes",
                "Routes",
                Icon::Routes,
                Some(own::GATEWAY_READ),
            ),
            entry(
                Place::Observed,
                "/gateway/observed",
                "Would refuse",
                Icon::Eye,
                Some(own::GATEWAY_READ),
            ),
            entry(
                Place::Rules,
                "/gateway/rules",
                "Rules",
                Icon::Search,
                Some(own::GATEWAY_READ),
            ),
            entry(
                Place::Services,
                "/gateway/services",
                "Services",
                Icon::Device,
                Some(own::GATEWAY_READ),
            ),
            entry(
                Place::Explain,
                "/gateway/explain",
                "Explain",
                Icon::Explain,
                Some(own::GATEWAY_READ),
            ),
            entry(
                Place::Bans,
                "/gateway/bans",
                "Bans",
                Icon::Bans,
                Some(own::GATEWAY_READ),
            ),
        ],
    ),
    (
        "Rampart",
        &[
            entry(
                Place::Trail,
                "/trail",
                "Trail",
                Icon::Trail,
                Some(own::TRAIL_READ),
            ),
            entry(
                Place::Estate,
                "/estate",
                "Estate",
                Icon::Estate,
                Some(own::ESTATE_READ),
            ),
            entry(
                Place::Settings,
                "/settings",
                "Settings",
                Icon::Settings,
                None,
            ),
        ],
    ),
];

/// One link of the sidebar, ready to show.
#[derive(Debug)]
pub(crate) struct NavItem {
    pub(crate) href: &'static str,
    pub(crate) label: &'static str,
    pub(crate) icon: Icon,
    pub(crate) current: bool,
    pub(crate) current_kind: &'static str,
    pub(crate) locked: bool,
}

/// A titled part of the sidebar.
#[derive(Debug)]
pub(crate) struct NavGroup {
    pub(crate) title: &'static str,
    pub(crate) items: Vec<NavItem>,
}

/// Whether a page is an entry's own or one beneath it (`aria-current` differs).
#[derive(Clone, Copy)]
enum Depth {
    Own,
    Beneath,
}

fn nav(place: Place, depth: Depth, held: &PermissionSet) -> Vec<NavGroup> {
    GROUPS
        .iter()
        .map(|(title, entries)| NavGroup {
            title,
            items: entries
                .iter()
                .map(|e| NavItem {
                    href: e.href,
                    label: e.label,
                    icon: e.icon,
                    current: e.place == place,
                    current_kind: match depth {
                        Depth::Own => "page",
                        Depth::Beneath => "true",
                    },
                    locked: e
                        .needs
                        .is_some_and(|needed| !held.allows(&own::permission(needed))),
                })
                .collect(),
        })
        .collect()
}

/// One step of the breadcrumb; the last has no link.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crumb {
    pub(crate) label: String,
    pub(crate) href: String,
}

/// Everything around a page of a signed-in person.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) estate: String,
    pub(crate) person: String,
    pub(crate) now: String,
    pub(crate) look: Look,
    pub(crate) token: FormToken,
    pub(crate) nav: Vec<NavGroup>,
    pub(crate) crumbs: Vec<Crumb>,
    pub(crate) health: Badge,
    pub(crate) live: Option<String>,
    pub(crate) said: Option<Notice>,
    pub(crate) assets: &'static Links,
}

/// What every frame of one request shares.
#[derive(Clone, Debug)]
pub(crate) struct Around {
    /// The estate's name.
    pub(crate) estate: String,
    /// Who is signed in.
    pub(crate) person: String,
    /// What they may do.
    pub(crate) held: PermissionSet,
    /// When the page is made, RFC 3339.
    pub(crate) now: String,
    /// How it looks.
    pub(crate) look: Look,
    /// For its forms.
    pub(crate) token: FormToken,
    /// The state of the whole, in a word.
    pub(crate) health: Badge,
}

impl Frame {
    /// The frame of an entry's own page.
    pub(crate) fn top(around: Around, place: Place, title: &str) -> Self {
        let crumbs = vec![Crumb {
            label: title.to_owned(),
            href: String::new(),
        }];
        let nav = nav(place, Depth::Own, &around.held);
        Self::build(around, title, nav, crumbs)
    }

    /// The frame of a page beneath an entry.
    pub(crate) fn below(around: Around, place: Place, title: &str) -> Self {
        let parent = GROUPS
            .iter()
            .flat_map(|(_, entries)| entries.iter())
            .find(|e| e.place == place);
        let mut crumbs = Vec::new();
        if let Some(parent) = parent {
            crumbs.push(Crumb {
                label: parent.label.to_owned(),
                href: parent.href.to_owned(),
            });
        }
        crumbs.push(Crumb {
            label: title.to_owned(),
            href: String::new(),
        });
        let nav = nav(place, Depth::Beneath, &around.held);
        Self::build(around, title, nav, crumbs)
    }

    /// Subscribes the page to live updates.
    pub(crate) fn live(mut self, source: impl Into<String>) -> Self {
        self.live = Some(source.into());
        self
    }

    /// Puts a message above the content.
    pub(crate) fn said(mut self, said: Option<Notice>) -> Self {
        self.said = said;
        self
    }

    fn build(around: Around, title: &str, nav: Vec<NavGroup>, crumbs: Vec<Crumb>) -> Self {
        Self {
            title: title.to_owned(),
            nav,
            estate: around.estate,
            person: around.person,
            now: around.now,
            look: around.look,
            token: around.token,
            crumbs,
            health: around.health,
            live: None,
            said: None,
            assets: assets::links(),
        }
    }
}

/// What stands around a page of its own: sign-in, enrolment, errors before sign-in.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) title: String,
    pub(crate) estate: String,
    pub(crate) look: Look,
    pub(crate) assets: &'static Links,
}

impl Plain {
    /// A narrow page.
    pub(crate) fn new(title: &str, estate: &str, look: Look) -> Self {
        Self {
            title: title.to_owned(),
            estate: estate.to_owned(),
            look,
            assets: assets::links(),
        }
    }
}
