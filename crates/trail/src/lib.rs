//! The trail: every decision of every part, in one tamper-evident log that anyone can verify
//! offline.
//!
//! Files under one folder, never a database: leaves of 64 bytes whose Merkle tree is signed in
//! checkpoints, and beside them the payloads, which can be erased without breaking a proof. One
//! thread writes; an event of class change is on disk before its action is answered.

mod appender;
mod check;
mod checkpoints;
mod disk;
mod error;
mod export;
mod health;
mod index;
mod leaf;
mod log;
mod mark;
mod opening;
mod reader;
mod search;
mod segment;
mod summary;
mod trail;
pub mod verify;
mod writer;

pub use appender::Position;
pub use checkpoints::read_all as read_checkpoints;
pub use error::Error;
pub use export::{Exported, export};
pub use health::Health;
pub use search::{Page, Query, SCANNED_MAX};
pub use segment::SegmentSeal;
pub use trail::{Record, Settings, Trail};

#[cfg(test)]
mod tests;
