//! An append-only Merkle log as pure functions: the tree of RFC 9162 §2.1, inclusion and
//! consistency proofs, and checkpoints as C2SP signed notes.
//!
//! No files, no clock, no randomness; bad input is a value, never a panic.

mod checkpoint;
mod frontier;
mod hash;
mod note;
mod proof;

pub use checkpoint::{Checkpoint, ParseCheckpointError, SignedCheckpoint, VerifyCheckpointError};
pub use frontier::{Frontier, ParseFrontierError};
pub use hash::{Hash, leaf_hash, node_hash, root_of};
pub use note::{KeyError, SigningKey, VerifyingKey};
pub use proof::{
    ProofError, consistency_proof, inclusion_parts, inclusion_proof, verify_consistency,
    verify_inclusion,
};

#[cfg(test)]
mod tests;
