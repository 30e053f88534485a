//! Passwords: what is accepted (NIST SP 800-63B-4 §3.1.1.2, ASVS 5.0 V6.2) and how it is kept.

mod hash;
mod policy;

pub use hash::{Cost, Hasher};
pub(crate) use hash::{HashError, Kept};
pub use policy::Weakness;
pub(crate) use policy::{Policy, normalise};
