//! Addresses that are refused before anything else is looked at.

use serde::{Deserialize, Serialize};

use crate::{BanId, Network, Timestamp};

/// A refused address or network, until a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// Which ban.
    pub id: BanId,
    /// Who is refused.
    pub network: Network,
    /// When it ends by itself.
    pub until: Timestamp,
    /// Why, for people.
    pub reason: String,
}
