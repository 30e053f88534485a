//! The gateway: the one process that parses public bytes. It takes requests, decides about each
//! in the order `pipeline.rs` reads, and forwards what passed.
//!
//! It decides from an in-memory snapshot that control pushes over a local link; it never opens the
//! store, and never holds a root key or a person's record.

mod body;
mod deadline;
mod error;
mod exchange;
mod front;
mod hop;
mod metrics;
mod orders;
mod process;
mod run;
mod scrape;
mod upstream;

pub use error::Error;
pub use exchange::LinkAddress;
pub use run::Settings;
