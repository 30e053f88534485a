//! `rampart demo`: arguments only; the program runs it.

use std::net::SocketAddr;

use clap::Args;

/// Arguments of `rampart demo`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart demo\n  rampart demo --check\n  \
    rampart demo --check --data /tmp/demo && rampart trail verify --data /tmp/demo")]
pub struct DemoArgs {
    /// Play the scripted day, assert every outcome, and end: 0 when all hold, else 1.
    #[arg(long)]
    pub check: bool,
    /// Where the gateway listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
}
