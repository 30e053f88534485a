//! Diagnostics for the operator: `tracing` lines on stderr. Never a place for security facts,
//! which are events in the trail.

use std::io::IsTerminal;

use anyhow::Context as _;
use cli::LogFormat;
use tracing_subscriber::EnvFilter;

/// Starts logging for one process.
///
/// Control characters in fields are escaped by the formatter, so that a hostile value cannot
/// forge a line.
///
/// # Errors
/// When `filter` is none.
pub(crate) fn start(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| {
        format!("`--log {filter}` is not a filter such as `info` or `gateway=debug`")
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(true);
    let started = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    // A second start within one process (tests) keeps the first.
    drop(started);
    Ok(())
}
