//! `rampart waf`: rules of the ModSecurity language, checked, explained and tested on this machine
//! alone, without a server; and tuned, by what the server recorded. No request is sent.

pub mod check;
pub mod explain;
mod rules;
pub mod test;
pub mod tune;

use clap::Subcommand;

use super::Session;
use crate::{Exit, Failure};

/// `rampart waf`.
#[derive(Clone, Debug, Subcommand)]
pub enum WafCommand {
    /// Load rules and report every problem at once, each with its line and what to do.
    Check(check::CheckArgs),
    /// Say which rules a request matches and what they decide, without sending it.
    Explain(explain::ExplainArgs),
    /// Run regression tests of rules, in the format of the OWASP Core Rule Set.
    Test(test::TestArgs),
    /// Propose exclusions for false positives, out of what the server recorded.
    Tune(tune::TuneArgs),
}

pub(super) fn run(command: &WafCommand, session: &mut Session<'_>) -> Result<Exit, Failure> {
    match command {
        WafCommand::Check(args) => check::run(args, session),
        WafCommand::Explain(args) => explain::run(args, session),
        WafCommand::Test(args) => test::run(args, session),
        WafCommand::Tune(args) => tune::run(args, session),
    }
}

#[cfg(test)]
mod tests;
