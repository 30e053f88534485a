//! What each page shows: values ready for display and the template they fill.
//!
//! Nothing here asks a service, reads a clock or decides anything; `handlers` fills these in.

pub(crate) mod account;
pub(crate) mod error;
pub(crate) mod estate;
pub(crate) mod gateway;
pub(crate) mod identity;
pub(crate) mod overview;
pub(crate) mod rules;
pub(crate) mod settings;
pub(crate) mod sight;
pub(crate) mod sign_in;
pub(crate) mod trail;

#[cfg(test)]
mod tests;
