//! `rampart serve`: arguments only; the program runs it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `rampart serve`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart serve\n  rampart serve --config /etc/rampart/rampart.toml\n  \
    rampart serve --role gateway --data /var/lib/rampart"
)]
pub struct ServeArgs {
    /// Run this process alone instead of both under supervision.
    #[arg(long, value_enum, value_name = "ROLE")]
    pub role: Option<Role>,
    /// File with the root key, outside the data folder [default: made beside the data folder on
    /// first start].
    #[arg(
        long,
        value_name = "FILE",
        env = "RAMPART_ROOT_KEY_FILE",
        hide_env_values = true
    )]
    pub root_key: Option<PathBuf>,
    /// Where state is kept: a path of an SQLite file, or `postgres://…` [default: SQLite in the
    /// data folder].
    #[arg(
        long,
        value_name = "LOCATION",
        env = "RAMPART_STORE",
        hide_env_values = true
    )]
    pub store: Option<String>,
    /// Threads of the gateway that serve requests [default: one per core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
    /// With `--role gateway`: take the listening sockets of the gateway that runs, serve, and let
    /// it leave.
    #[arg(long, requires = "role")]
    pub take_over: bool,
    /// How the log is written.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// What is logged, such as `info` or `gateway=debug`.
    #[arg(
        long,
        value_name = "FILTER",
        default_value = "info",
        env = "RAMPART_LOG",
        hide_env_values = true
    )]
    pub log: String,
}

/// One of the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// API, console, identity, store, trail.
    Control,
    /// The data plane.
    Gateway,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}
