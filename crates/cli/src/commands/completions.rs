//! `rampart completions`: a script for the shell.

use clap::Args;
use clap_complete::Shell;

use super::Session;
use crate::{Exit, Failure};

/// Arguments of `rampart completions`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart completions bash > /etc/bash_completion.d/rampart\n  \
    rampart completions zsh > ~/.zfunc/_rampart"
)]
pub struct CompletionsArgs {
    /// For which shell.
    pub shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::command(), "rampart", &mut script);
    session.printer.raw(&String::from_utf8_lossy(&script));
    Ok(Exit::Ok)
}
