//! A version of the estate.

use std::collections::BTreeMap;

use estate::Estate;
use model::{Principal, Timestamp};
use serde::Serialize;

use crate::Sources;

/// One applied version.
#[derive(Clone, Debug)]
pub struct Version {
    /// Counts up from one.
    pub number: u64,
    /// What its texts are known by: see [`Sources::hash`].
    pub hash: String,
    /// The text, as it was applied.
    pub source: String,
    /// The documents it names, as they were applied, by path.
    pub documents: BTreeMap<String, String>,
    /// What it says.
    pub estate: Estate,
    /// When it was applied.
    pub applied_at: Timestamp,
    /// By whom.
    pub applied_by: Principal,
}

/// A version without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Counts up from one.
    pub number: u64,
    /// What its texts are known by: see [`Sources::hash`].
    pub hash: String,
    /// When it was applied.
    pub applied_at: Timestamp,
    /// By whom.
    pub applied_by: Principal,
}

impl Version {
    /// Its texts.
    #[must_use]
    pub fn sources(&self) -> Sources {
        Sources {
            estate: self.source.clone(),
            documents: self.documents.clone(),
            missing: BTreeMap::new(),
        }
    }
}
