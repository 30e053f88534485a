//! Reads back what hosts are given: exactly the language that `compile` writes, as written or as
//! `nft list table` spells it. Anything else is told with its line, never passed over: a rule that
//! is not understood may permit anything.

mod lines;
mod sets;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use sets::Store;
pub(crate) use table::{Base, HostRules, read};

/// Where a text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// It is to be applied: it begins with taking away the table as it was.
    Applied,
    /// It is what `nft list table inet rampart` printed on a host.
    Listed,
}

/// A text says something that is not proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotOurs {
    pub(crate) what: String,
    /// Counted from one; zero for the text as a whole.
    pub(crate) line: u32,
}

impl NotOurs {
    pub(crate) fn new(line: u32, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { what, line }
    }
}

/// A piece of a stranger's text, for people.
pub(crate) fn shown(text: &str) -> String {
    // LIMIT: a line that is not ours may be of any length.
    let start: String = text.chars().take(120).collect();
    format!("{start:?}")
}
