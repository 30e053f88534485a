//! `rampart gateway`: what the gateway serves, refuses and why.

pub mod bans;
pub mod explain;
mod figures;
pub mod learn;
pub mod observed;
pub mod routes;
pub mod services;
pub mod top;

use clap::Subcommand;

use super::Session;
use crate::{Exit, Failure};

/// `rampart gateway`.
#[derive(Clone, Debug, Subcommand)]
pub enum GatewayCommand {
    /// Say which step and which line of the estate decide about a request, without sending it.
    Explain(explain::ExplainArgs),
    /// List routes with their live rates, latencies and refusals.
    Routes(routes::RoutesArgs),
    /// Show what goes through now, again and again: rates, times, refusals, services.
    Top(top::TopArgs),
    /// Say what blocking would have refused, where steps only observe.
    Observed(observed::ObservedArgs),
    /// Say how services and each of their addresses stand, since when and why.
    Services(services::ServicesArgs),
    /// Print the OpenAPI documents that traffic of routes with `learn = true` proposes.
    Learn(learn::LearnArgs),
    /// Show how traffic differs from routes' OpenAPI documents.
    Drift(learn::DriftArgs),
    /// List refused addresses.
    Bans(bans::BansArgs),
    /// Refuse an address or a range for a while.
    Ban(bans::BanArgs),
    /// End a ban.
    Unban(bans::UnbanArgs),
}

pub(super) fn run(command: &GatewayCommand, session: &mut Session<'_>) -> Result<Exit, Failure> {
    match command {
        GatewayCommand::Explain(args) => explain::run(args, session),
        GatewayCommand::Routes(args) => routes::run(args, session),
        GatewayCommand::Top(args) => top::run(args, session),
        GatewayCommand::Observed(args) => observed::run(args, session),
        GatewayCommand::Services(args) => services::run(args, session),
        GatewayCommand::Learn(args) => learn::learn(args, session),
        GatewayCommand::Drift(args) => learn::drift(args, session),
        GatewayCommand::Bans(args) => bans::list(args, session),
        GatewayCommand::Ban(args) => bans::ban(args, session),
        GatewayCommand::Unban(args) => bans::unban(args, session),
    }
}

#[cfg(test)]
mod tests;
