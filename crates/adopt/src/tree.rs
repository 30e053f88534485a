//! A configuration file of blocks and directives, as nginx and Caddy both have it.

use std::cell::Cell;

use crate::notes::{Notes, Place};

/// One directive, with what stands in its braces.
#[derive(Clone, Debug)]
pub(crate) struct Directive {
    pub(crate) name: String,
    pub(crate) args: Vec<String>,
    pub(crate) block: Option<Vec<Self>>,
    pub(crate) place: Place,
    /// Whether somebody said what became of it.
    seen: Cell<bool>,
}

/// Directives whose later arguments may be secrets.
const SECRET: &[&str] = &[
    "proxy_set_header",
    "grpc_set_header",
    "header_up",
    "basic_auth",
    "basicauth",
    "fastcgi_param",
    "set",
    "add_header",
    "auth_basic_user_file",
    "request_header",
    "vars",
    "env",
];

impl Directive {
    pub(crate) fn new(words: Vec<String>, block: Option<Vec<Self>>, place: Place) -> Self {
        let mut words = words.into_iter();
        Self {
            name: words.next().unwrap_or_default(),
            args: words.collect(),
            block,
            place,
            seen: Cell::new(false),
        }
    }

    /// The argument at `at`, empty where there is none.
    pub(crate) fn arg(&self, at: usize) -> &str {
        self.args.get(at).map_or("", String::as_str)
    }

    /// What stands in its braces.
    pub(crate) fn inside(&self) -> &[Self] {
        self.block.as_deref().unwrap_or_default()
    }

    /// The directives of that name within it.
    pub(crate) fn each<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.inside().iter().filter(move |one| one.name == name)
    }

    /// The first directive of that name within it.
    pub(crate) fn first(&self, name: &str) -> Option<&Self> {
        self.inside().iter().find(|one| one.name == name)
    }

    /// As it is shown: without braces, and without what may be a secret.
    pub(crate) fn shown(&self) -> String {
        let mut text = self.name.clone();
        let is_secret = SECRET.contains(&self.name.as_str());
        for (at, arg) in self.args.iter().enumerate() {
            text.push(' ');
            if is_secret && at > 0 {
                text.push('…');
                break;
            }
            text.push_str(arg);
            // LIMIT: nobody reads on.
            if text.len() > 200 {
                break;
            }
        }
        text
    }

    /// It stands in the estate; what is within it is accounted for on its own.
    pub(crate) fn carried(&self, notes: &mut Notes) {
        if !self.seen.replace(true) {
            notes.carried(1);
        }
    }

    /// It stands in the estate with all that is within it.
    pub(crate) fn carried_whole(&self, notes: &mut Notes) {
        self.carried(notes);
        for one in self.inside() {
            one.carried_whole(notes);
        }
    }

    /// It stands in the estate, and is not quite the same there.
    pub(crate) fn differs(&self, notes: &mut Notes, why: &str) {
        self.carried(notes);
        notes.differs(&self.place, &self.shown(), why);
    }

    /// It is not carried over, with all that is within it.
    pub(crate) fn left(&self, notes: &mut Notes, why: &str, instead: &str) {
        self.account();
        notes.left(&self.place, &self.shown(), why, instead);
    }

    /// The same of something that kept somebody out.
    pub(crate) fn unguarded(&self, notes: &mut Notes, why: &str, instead: &str) {
        self.account();
        notes.unguarded(&self.place, &self.shown(), why, instead);
    }

    /// Rampart needs it not, nor what is within it.
    pub(crate) fn unneeded(&self, notes: &mut Notes, why: &str) {
        self.account();
        notes.unneeded(&self.place, &self.shown(), why);
    }

    /// Whoever asks has said of it, and of what is within it, what is to be said.
    pub(crate) fn account(&self) {
        self.seen.set(true);
        for one in self.inside() {
            one.account();
        }
    }

    /// Whether somebody said what became of it.
    pub(crate) fn is_seen(&self) -> bool {
        self.seen.get()
    }
}

/// Every directive of `list` that nobody has accounted for, those within others included.
pub(crate) fn forgotten<'d>(list: &'d [Directive], out: &mut Vec<&'d Directive>) {
    for one in list {
        if one.is_seen() {
            forgotten(one.inside(), out);
        } else {
            out.push(one);
        }
    }
}
