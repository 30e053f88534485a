//! The rules against attacks that Rampart ships, as texts of the ModSecurity language, each with
//! its own tests; run by `seclang`, alone or beside other rules.
//!
//! Nothing here decides anything or reads a file: whoever loads the texts does.

mod pack;
#[cfg(test)]
#[path = "../tests/measure/sent.rs"]
mod sent;
#[cfg(test)]
mod tests;

// What is sent by tests and by a program beside them names the crate as that program does.
#[cfg(test)]
extern crate self as wafrules;

pub use pack::{LEVEL_MAX, PARANOIA, SCORE, Setting, THRESHOLD, cases, files, load, tables};
