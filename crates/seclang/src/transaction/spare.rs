//! Memory of exchanges that are over, for those that come: to take and to give back so much of it
//! for each costs as much as some of the rules.
//!
//! What it held is forgotten before it is used again, not wiped: it is what any freed memory holds.
//! What was given back last is taken first: it is still near the processor.

use std::sync::{Mutex, PoisonError};

use super::Links;
use super::columns::Columns;
use super::store::{Kept, Lists};
use super::values::{Notes, Values};
use crate::rules::Ruleset;

/// LIMIT: how many exchanges' memory is kept.
const KEPT_MAX: usize = 64;
/// LIMIT: how many desks are kept: they are only used while rules run.
const DESKS_MAX: usize = 16;
/// LIMIT: bytes that are kept of one; more is given back.
const BYTES_MAX: usize = 256 << 10;

/// What an exchange has as long as it lasts.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) values: Values,
    pub(super) lists: Lists,
    pub(super) slots: Vec<Option<Kept<'static>>>,
}

/// What an exchange works with while its rules run. One that waits for its service has none.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) notes: Notes,
    pub(super) columns: Columns,
    pub(super) links: Links,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    parts: Mutex<Vec<Parts>>,
    desks: Mutex<Vec<Desk>>,
}

impl Spare {
    /// Parts without anything in them.
    pub(super) fn take(&self, rules: &Ruleset) -> Parts {
        match pop(&self.parts) {
            Some(mut parts) => {
                parts.values.clear();
                parts.lists.clear();
                parts
            }
            None => Parts {
                values: Values::new(rules),
                lists: Lists::new(),
                slots: Vec::new(),
            },
        }
    }

    /// Keeps parts, unless they have grown, or there are enough.
    pub(super) fn keep(&self, parts: Parts) {
        let bytes = parts.values.memory_bytes() + parts.lists.memory_bytes();
        if bytes <= BYTES_MAX {
            push(&self.parts, parts, KEPT_MAX);
        }
    }

    /// A desk with nothing on it.
    pub(super) fn take_desk(&self, rules: &Ruleset) -> Desk {
        match pop(&self.desks) {
            Some(mut desk) => {
                desk.notes.clear();
                desk.columns.clear(rules);
                desk.links.clear();
                desk
            }
            None => Desk {
                notes: Notes::new(rules),
                columns: Columns::new(rules),
                links: Links::default(),
            },
        }
    }

    /// Keeps a desk, unless it has grown, or there are enough.
    pub(super) fn keep_desk(&self, desk: Desk) {
        let Desk {
            notes,
            columns,
            links,
        } = &desk;
        let bytes = notes.memory_bytes() + columns.memory_bytes() + links.memory_bytes();
        if bytes <= BYTES_MAX {
            push(&self.desks, desk, DESKS_MAX);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        fn count<T>(kept: &Mutex<Vec<T>>) -> usize {
            kept.lock().unwrap_or_else(PoisonError::into_inner).len()
        }
        (count(&self.parts), count(&self.desks))
    }
}

fn pop<T>(kept: &Mutex<Vec<T>>) -> Option<T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn push<T>(kept: &Mutex<Vec<T>>, one: T, most: usize) {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() < most {
        kept.push(one);
    }
}
