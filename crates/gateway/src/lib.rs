//! The gateway: the one process that parses public bytes. It takes requests, decides about each
//! in the order `pipeline.rs` reads, and forwards what passed.
//!
//! It decides from an in-memory snapshot that control pushes over a local link; it never opens the
//! store, and never holds a root key or a person's record.

pub mod acme;
mod again;
mod answer;
mod assertion;
mod auth_request;
pub mod bans;
mod body;
mod book;
mod caller;
mod clients;
mod compare;
mod compile;
mod contract;
mod cookies;
mod deadline;
mod digits;
mod directory;
mod error;
mod exchange;
mod explain;
mod flow;
mod front;
#[cfg(test)]
mod fuzz;
mod gates;
mod handover;
mod hop;
mod inspect;
mod issuers;
mod keeper;
mod limiter;
pub mod link;
mod local;
mod metrics;
mod orders;
mod overriding;
mod path;
mod pipeline;
mod process;
mod records;
mod refused;
mod reply;
mod reserved;
mod router;
mod ruled;
mod run;
mod sanitize;
mod scrape;
mod scratch;
mod shared;
mod sign_in;
mod state;
mod steps;
mod token;
mod trailers;
mod upstream;
mod watched;
mod wire;

pub use error::Error;
pub use exchange::LinkAddress;
pub use explain::{ExplainError, ExplainedStep, Explanation, Ground, Question, Verdict, explain};
pub use handover::{Predecessor, take_over};
pub use run::{Settings, Start, run};
