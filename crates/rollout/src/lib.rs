//! Changing what is designed: a plan shows what a new estate would do, an apply does it whole or
//! not at all, and every version stays.
//!
//! Every part *prepares* the new version first; only when all have, one swap takes it everywhere.
//! Knows nothing of what the parts do with it. Reads no file but the documents beside an estate
//! file, when asked to ([`Sources::beside`]).

mod apply;
mod documents;
mod error;
mod events;
mod participant;
mod plan;
mod rules;
mod service;
mod sources;
mod store;
mod version;

pub use error::Error;
pub use participant::{Participant, Prepared, Preparing, Swapping};
pub use plan::{Drift, Plan, PlanRef};
pub use service::Rollout;
pub use sources::{Checked, Sources};
pub use store::MIGRATIONS;
pub use version::{Summary, Version};

#[cfg(test)]
mod tests;
