//! Changing what is designed: a plan shows what a new estate would do, an apply does it whole or
//! not at all, and every version stays.
//!
//! Every part *prepares* the new version first; only when all have, one swap takes it everywhere.
//! Knows nothing of what the parts do with it, and reads no file.

mod apply;
mod error;
mod events;
mod participant;
mod plan;
mod service;
mod store;
mod version;

pub use error::Error;
pub use participant::{Participant, Prepared, Preparing, Swapping};
pub use plan::{Drift, Plan, PlanRef};
pub use service::Rollout;
pub use store::MIGRATIONS;
pub use version::{Summary, Version};

#[cfg(test)]
mod tests;
