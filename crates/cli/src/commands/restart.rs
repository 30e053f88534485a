//! `rampart restart`: new processes in the place of those that run, such as after an upgrade.

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::Session;
use crate::client::Server;
use crate::{Exit, Failure};

/// How often control is looked for while it starts.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// LIMIT: how often: a minute.
const LOOKS_MAX: u32 = 600;

/// Arguments of `rampart restart`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart restart\n  rampart restart gateway")]
pub struct RestartArgs {
    /// Which processes; `all` is control first, then the gateway.
    #[arg(value_enum, default_value_t = What::All, value_name = "PROCESS")]
    pub what: What,
}

/// Which processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// The gateway: the new one takes over its sockets, then the old one finishes what it began.
    Gateway,
    /// Control: sign-in and console pause for a moment, the gateway goes on.
    Control,
    /// Control, then the gateway.
    All,
}

pub(super) fn run(args: &RestartArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let server = session.server()?;
    let mut restarted = Vec::new();
    if matches!(args.what, What::Control | What::All) {
        control(&server)?;
        restarted.push("control");
    }
    if matches!(args.what, What::Gateway | What::All) {
        let asked: Result<Value, _> =
            server.post("/processes/restart", &json!({ "process": "gateway" }));
        if let Err(failure) = asked {
            return Err(match restarted.is_empty() {
                true => failure,
                false => Failure {
                    exit: Exit::Partly,
                    ..failure
                },
            });
        }
        restarted.push("gateway");
    }
    let answer = json!({ "restarted": restarted });
    session.printer.document("rampart.restart.v1", &answer, || {
        format!("{} restarted", restarted.join(" and "))
    });
    Ok(Exit::Ok)
}

/// Restarts control, and waits until another process answers.
fn control(server: &Server) -> Result<(), Failure> {
    let before: Value = server.get("/processes")?;
    let _: Value = server.post("/processes/restart", &json!({ "process": "control" }))?;
    for _ in 0..LOOKS_MAX {
        server.pause(LOOK_AGAIN);
        match server.get::<Value>("/processes") {
            Ok(now) if now != before => return Ok(()),
            // Away, or on its way out.
            _ => {}
        }
    }
    Err(Failure::failed("control did not come back")
        .hint("`rampart status`, and the log of `rampart serve`"))
}
