//! Diagnostics for the operator: `tracing` lines on stderr. Never a place for security facts,
//! which are events in the trail.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging for one process; `role` stands in every line.
///
/// Control characters in fields are escaped by the formatter, so that a hostile value cannot
/// forge a line.
pub(crate) fn start(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(true)
        .try_init();
    // A second start within one process (tests) keeps the first.
    drop(started);
}
