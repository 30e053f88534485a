//! What became of each thing that a file says. Nothing is passed over: what nobody accounted for
//! is listed as left.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// LIMIT: notes that are kept; the rest is counted.
const NOTES_MAX: usize = 5_000;
/// LIMIT: characters of a directive that are shown.
const SHOWN_MAX: usize = 90;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file's name, as it is shown.
    pub file: Arc<str>,
    /// The line, from one; 0 is the file as a whole.
    pub line: usize,
}

impl Place {
    /// A line of a file.
    #[must_use]
    pub fn new(file: &str, line: usize) -> Self {
        Self {
            file: file.into(),
            line,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            f.write_str(&clean(&self.file))
        } else {
            write!(f, "{}:{}", clean(&self.file), self.line)
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Something that was not carried over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Note {
    /// Where it stands.
    pub place: Place,
    /// The directive, shortened; values that may be secrets are left out.
    pub what: String,
    /// Why.
    pub why: String,
    /// What to do instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// Whether it kept somebody out, so that less is protected without it.
    pub guards: bool,
}

/// Things of which the same is to be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Group {
    /// What is to be said.
    pub why: String,
    /// Where they stand, and what they are.
    pub of: Vec<Said>,
}

/// A directive and its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Said {
    /// Where it stands.
    pub place: Place,
    /// The directive, shortened.
    pub what: String,
}

/// Collects notes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    left: Vec<Note>,
    differs: BTreeMap<String, Vec<Said>>,
    unneeded: BTreeMap<String, Vec<Said>>,
    carried: usize,
    kept: usize,
    dropped: usize,
}

/// All notes, in order.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) left: Vec<Note>,
    pub(crate) differs: Vec<Group>,
    pub(crate) unneeded: Vec<Group>,
    pub(crate) carried: usize,
}

impl Notes {
    /// It was not carried over.
    pub(crate) fn left(&mut self, place: &Place, what: &str, why: &str, instead: &str) {
        self.push(place, what, why, instead, false);
    }

    /// It was not carried over, and it kept somebody out.
    pub(crate) fn unguarded(&mut self, place: &Place, what: &str, why: &str, instead: &str) {
        self.push(place, what, why, instead, true);
    }

    fn push(&mut self, place: &Place, what: &str, why: &str, instead: &str, guards: bool) {
        let note = Note {
            place: place.clone(),
            what: shown(what),
            why: why.to_owned(),
            instead: (!instead.is_empty()).then(|| instead.to_owned()),
            guards,
        };
        if !self.left.contains(&note) && self.has_room() {
            self.left.push(note);
        }
    }

    /// It is carried over, and not quite the same.
    pub(crate) fn differs(&mut self, place: &Place, what: &str, why: &str) {
        if self.has_room() {
            group(&mut self.differs, place, what, why);
        }
    }

    /// Rampart needs it not.
    pub(crate) fn unneeded(&mut self, place: &Place, what: &str, why: &str) {
        if self.has_room() {
            group(&mut self.unneeded, place, what, why);
        }
    }

    /// It stands in the estate.
    pub(crate) fn carried(&mut self, how_many: usize) {
        self.carried = self.carried.saturating_add(how_many);
    }

    fn has_room(&mut self) -> bool {
        if self.kept >= NOTES_MAX {
            self.dropped = self.dropped.saturating_add(1);
            return false;
        }
        self.kept = self.kept.saturating_add(1);
        true
    }

    pub(crate) fn finish(mut self) -> Told {
        // What guarded something comes first; then by place.
        self.left
            .sort_by(|a, b| b.guards.cmp(&a.guards).then_with(|| a.place.cmp(&b.place)));
        if self.dropped > 0 {
            self.left.push(Note {
                place: Place::new("all files", 0),
                what: format!("{} more", self.dropped),
                why: format!("only the first {NOTES_MAX} notes are told"),
                instead: Some("adopt a part at a time".to_owned()),
                guards: true,
            });
        }
        let groups = |map: BTreeMap<String, Vec<Said>>| {
            let mut groups: Vec<Group> = map
                .into_iter()
                .map(|(why, mut of)| {
                    of.sort_by(|a, b| a.place.cmp(&b.place));
                    Group { why, of }
                })
                .collect();
            groups.sort_by(|a, b| {
                let first = |group: &Group| group.of.first().map(|said| said.place.clone());
                first(a).cmp(&first(b)).then_with(|| a.why.cmp(&b.why))
            });
            groups
        };
        Told {
            left: self.left,
            differs: groups(self.differs),
            unneeded: groups(self.unneeded),
            carried: self.carried,
        }
    }
}

fn group(map: &mut BTreeMap<String, Vec<Said>>, place: &Place, what: &str, why: &str) {
    let said = Said {
        place: place.clone(),
        what: shown(what),
    };
    let of = map.entry(why.to_owned()).or_default();
    if !of.contains(&said) {
        of.push(said);
    }
}

/// Text of others as it may stand in a line: no control characters, not too long.
pub(crate) fn shown(text: &str) -> String {
    let mut all = clean(text).chars().collect::<Vec<_>>();
    if all.len() > SHOWN_MAX {
        all.truncate(SHOWN_MAX);
        all.push('…');
    }
    all.into_iter().collect()
}

pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
