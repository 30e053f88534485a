//! Readers of bodies: forms, parts, JSON and XML, each as names and values. None of them knows
//! about rules; hostile bodies end in an error, with what was read before it.

pub(crate) mod disposition;
pub(crate) mod json;
pub(crate) mod multipart;
mod pairs;
#[cfg(test)]
mod tests;
pub(crate) mod urlencoded;
pub(crate) mod xml;

pub(crate) use pairs::Pairs;

/// LIMIT: bytes of all names of a body. A value's name has those of all levels around it, so that a
/// small body could have very long ones.
pub(crate) const NAMES_BYTES_MAX: usize = 1 << 20;

/// What a reader could not read, for `REQBODY_ERROR_MSG`.
pub(crate) type Problem = String;
