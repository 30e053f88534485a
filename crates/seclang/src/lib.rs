//! Rules of the ModSecurity language (SecLang v3) as an engine: loaded once, then requests and
//! responses are held to them.
//!
//! ```text
//! text ─▶ text (lines, words, targets, actions) ─▶ rules (typed, numbered, with places)
//!                                                        │
//! request ─▶ transaction (phases 1 to 5, bodies) ────────┴──▶ verdict, and what matched where
//! ```
//!
//! It never reads a file (a [`Files`] does), has no clock, no randomness and no runtime; hostile
//! rules, requests and bodies are values, never a panic. What rules say and this engine does not
//! do is a [`Finding`], never passed over in silence.

mod body;
mod bytes;
mod error;
mod files;
#[cfg(test)]
#[path = "../tests/fuzz/checks.rs"]
mod fuzz_checks;
#[cfg(test)]
#[path = "tests/fuzz.rs"]
mod fuzz_tests;
mod injection;
mod moment;
mod operator;
mod place;
pub mod regression;
mod rules;
mod settings;
mod template;
mod text;
mod transaction;
mod transform;
mod variable;
mod verdict;

// What is checked by tests and by a program beside them names the crate as that program does.
#[cfg(test)]
extern crate self as seclang;

pub use error::Error;
pub use files::{Files, NoFiles};
pub use moment::Moment;
pub use place::{Finding, Place, Weight};
pub use rules::{Leniency, Loaded, Loader, OperatorView, PatternSet, RuleView, Ruleset};
pub use settings::{EngineMode, LimitAction, Processor, Settings, Switch};
pub use transaction::{Connection, RequestHead, ResponseHead, Transaction};
pub use verdict::{Action, Found, Interruption, Match, Raised, Verdict};
