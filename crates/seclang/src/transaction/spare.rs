//! Memory of exchanges that are over, for those that come: to take and to give back so much of it
//! for each costs as much as some of the rules.
//!
//! What it held is forgotten before it is used again, not wiped: it is what any freed memory holds.

use std::sync::{Mutex, PoisonError};

use super::columns::Columns;
use super::store::Lists;
use super::values::Values;
use crate::rules::Ruleset;

/// LIMIT: how many exchanges' memory is kept.
const KEPT_MAX: usize = 16;
/// LIMIT: bytes that are kept of one; more is given back.
const BYTES_MAX: usize = 256 << 10;

/// What an exchange works with.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) values: Values,
    pub(super) columns: Columns,
    pub(super) lists: Lists,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Spare(Mutex<Vec<Parts>>);

impl Spare {
    /// Parts without anything in them.
    pub(super) fn take(&self, rules: &Ruleset) -> Parts {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match kept {
            Some(mut parts) => {
                parts.values.clear();
                parts.columns.clear(rules);
                parts.lists.clear();
                parts
            }
            None => Parts {
                values: Values::new(rules),
                columns: Columns::new(rules),
                lists: Lists::new(),
            },
        }
    }

    /// Keeps parts, unless they have grown, or there are enough.
    pub(super) fn keep(&self, parts: Parts) {
        let bytes =
            parts.values.memory_bytes() + parts.columns.memory_bytes() + parts.lists.memory_bytes();
        if bytes > BYTES_MAX {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_MAX {
            kept.push(parts);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
