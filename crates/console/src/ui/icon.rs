//! Icons: drawn for Rampart on a 24-unit grid, stroked in the colour of the text beside them.
//! They never stand alone: a label or `aria-label` says the same.

use std::fmt;

use askama::filters::HtmlSafe;

/// A drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    Mark,
    Overview,
    People,
    Roles,
    Routes,
    Explain,
    Bans,
    Trail,
    Estate,
    Settings,
    Account,
    Copy,
    Check,
    Circle,
    Dot,
    Diamond,
    Triangle,
    Octagon,
    Plus,
    Minus,
    Tilde,
    Close,
    Key,
    Lock,
    Device,
    Search,
    SignOut,
    Eye,
}

impl Icon {
    fn shape(self) -> &'static str {
        match self {
            Self::Mark => {
                r#"<path d="M4 21V7h3.2v3h3.2V7h3.2v3h3.2V7H20v14h-5v-4a3 3 0 0 0-6 0v4z"/>"#
            }
            Self::Overview => {
                r#"<path d="M4 18a8.5 8.5 0 1 1 16 0"/><path d="m12 15 4-5"/><circle cx="12" cy="15.5" r="1.2"/>"#
            }
            Self::People => {
                r#"<circle cx="9" cy="8" r="3.5"/><path d="M2.5 20c.4-3.7 3-5.5 6.5-5.5s6.1 1.8 6.5 5.5"/><path d="M16 4.8a3.5 3.5 0 0 1 0 6.4M18.5 15c1.8.8 2.8 2.4 3 5"/>"#
            }
            Self::Account => {
                r#"<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5c.6-4 3.4-6 7.5-6s6.9 2 7.5 6"/>"#
            }
            Self::Roles => {
                r#"<path d="M12 3 4.5 6v5.5c0 4.6 3 7.9 7.5 9.5 4.5-1.6 7.5-4.9 7.5-9.5V6z"/><path d="m8.8 12 2.3 2.3 4.2-4.5"/>"#
            }
            Self::Routes => {
                r#"<circle cx="5" cy="6" r="2"/><circle cx="19" cy="18" r="2"/><path d="M7 6h8.5a3 3 0 0 1 0 6h-7a3 3 0 0 0 0 6H17"/>"#
            }
            Self::Explain => {
                r#"<path d="M4 5h16M4 10h9M4 15h6"/><circle cx="16" cy="16" r="3.5"/><path d="m18.6 18.6 2.4 2.4"/>"#
            }
            Self::Bans => r#"<circle cx="12" cy="12" r="8.5"/><path d="m6 6 12 12"/>"#,
            Self::Trail => r#"<path d="M6 3h9l4 4v14H6z"/><path d="M15 3v4h4M9.5 12h6M9.5 16h6"/>"#,
            Self::Estate => {
                r#"<rect x="3.5" y="4" width="7" height="6" rx="1"/><rect x="13.5" y="14" width="7" height="6" rx="1"/><path d="M7 10v4.5a2.5 2.5 0 0 0 2.5 2.5h4"/>"#
            }
            Self::Settings => {
                r#"<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>"#
            }
            Self::Copy => {
                r#"<rect x="9" y="9" width="11" height="11" rx="2"/><path d="M15 9V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h3"/>"#
            }
            Self::Check => r#"<circle cx="12" cy="12" r="9"/><path d="m8 12.3 2.8 2.8 5.4-5.8"/>"#,
            Self::Circle => r#"<circle cx="12" cy="12" r="9"/><path d="M12 11v5M12 7.8v.2"/>"#,
            Self::Dot => r#"<circle cx="12" cy="12" r="3.5"/>"#,
            Self::Diamond => {
                r#"<path d="m12 2.5 9.5 9.5-9.5 9.5L2.5 12z"/><path d="M12 8v5M12 16v.2"/>"#
            }
            Self::Triangle => r#"<path d="M12 3.5 22 20.5H2z"/><path d="M12 10v5M12 17.8v.2"/>"#,
            Self::Octagon => {
                r#"<path d="M8 2.8h8L21.2 8v8L16 21.2H8L2.8 16V8z"/><path d="M12 7.5v6M12 16.5v.2"/>"#
            }
            Self::Plus => r#"<path d="M12 5v14M5 12h14"/>"#,
            Self::Minus => r#"<path d="M5 12h14"/>"#,
            Self::Tilde => r#"<path d="M4 14c2-4 5-4 8-2s6 2 8-2"/>"#,
            Self::Close => r#"<path d="m6 6 12 12M18 6 6 18"/>"#,
            Self::Key => {
                r#"<circle cx="8" cy="15.5" r="4.5"/><path d="m11.3 12.2 8.2-8.2M15.5 8l3 3"/>"#
            }
            Self::Lock => {
                r#"<rect x="5" y="11" width="14" height="9.5" rx="2"/><path d="M8 11V7.5a4 4 0 0 1 8 0V11"/>"#
            }
            Self::Device => {
                r#"<rect x="3" y="4.5" width="18" height="12" rx="1.5"/><path d="M8.5 20.5h7"/>"#
            }
            Self::Search => r#"<circle cx="10.5" cy="10.5" r="6.5"/><path d="m15.5 15.5 5 5"/>"#,
            Self::SignOut => r#"<path d="M14 4h5v16h-5M4 12h10M10.5 8.5 14 12l-3.5 3.5"/>"#,
            Self::Eye => {
                r#"<path d="M2.5 12c2.2-4.4 5.4-6.5 9.5-6.5s7.3 2.1 9.5 6.5c-2.2 4.4-5.4 6.5-9.5 6.5S4.7 16.4 2.5 12z"/><circle cx="12" cy="12" r="3"/>"#
            }
        }
    }
}

impl HtmlSafe for Icon {}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, size) = if *self == Self::Mark {
            ("icon mark", 22)
        } else {
            ("icon", 16)
        };
        write!(
            f,
            r#"<svg class="{class}" width="{size}" height="{size}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{}</svg>"#,
            self.shape()
        )
    }
}
