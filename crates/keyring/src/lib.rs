//! Sealing of values at rest: one root key, terms derived from it, and a sealed-value format that
//! says which term opens it.
//!
//! Pure: no files, no clock; randomness is a parameter. Never hands out the root key.

mod format;
mod keyring;
mod root;
mod xaes;

pub use keyring::{Error, Keyring, Place};
pub use root::{RootKey, RootKeyError};

#[cfg(test)]
mod tests;
