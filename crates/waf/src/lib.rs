//! The rules in force: what an estate says about rules of the ModSecurity language, and the texts
//! that came with it, as loaded sets. Control checks them with this before a version is applied;
//! the gateway decides by them.
//!
//! Pure: texts in, rules or findings out. It opens no file, and a clock only matters to a request:
//! when an exclusion ends stands in the rules themselves.

mod decision;
mod exclusions;
mod files;
mod known;
mod load;
mod own;
mod sets;
mod shelf;
#[cfg(test)]
mod tests;
pub mod tune;

pub use decision::{Decision, Reached};
pub use files::{is_rule_file, read_order};
pub use known::{Known, KnownRule};
pub use load::{Finding, check};
pub use own::ANSWER_BYTES_MAX;
pub use sets::{Ruleset, Sets};
pub use shelf::Shelf;
