//! The tree of commands, and what every command accepts.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::Exit;
use crate::commands::{
    api_keys, apply, certificates, check, completions, config, demo, doctor, gateway, init, man,
    people, plan, rescue, restart, roles, schema, serve, sessions, status, trail, waf,
};

/// One program that defends a backend: gateway, sign-in, permissions and a trail nobody can bend.
#[derive(Debug, Parser)]
#[command(
    name = "rampart",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "START HERE\n  rampart demo     everything at once, with a sample shop behind it\n  \
        rampart init     write an estate file for your own backend\n\n\
        Each command's own help ends with its exit codes and examples."
)]
pub struct Cli {
    /// What every command accepts.
    #[command(flatten)]
    pub global: Global,
    /// Which command.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command accepts.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// How data is written.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t = Format::Human,
        env = "RAMPART_FORMAT",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    pub format: Format,
    /// When to use colours; `NO_COLOR` is respected.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t = Color::Auto,
        help_heading = "Global options"
    )]
    pub color: Color,
    /// Estate file [default: ./rampart.toml, then the user's, then /etc/rampart/rampart.toml].
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "RAMPART_CONFIG",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    pub config: Option<PathBuf>,
    /// Data folder [default: /var/lib/rampart for root, else ~/.local/state/rampart].
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "RAMPART_DATA",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    pub data: Option<PathBuf>,
    /// Print no notes and no warnings, only data and errors.
    #[arg(long, short, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub quiet: u8,
}

/// How data is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// One JSON document with its schema's name.
    Json,
    /// One JSON document on one line for each item.
    Jsonl,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Write a commented estate file to start from.
    Init(init::InitArgs),
    /// Check the estate file and report every error at once.
    Check(check::CheckArgs),
    /// Show what applying the estate file would change.
    Plan(plan::PlanArgs),
    /// Put the estate file into force.
    Apply(apply::ApplyArgs),
    /// Print the JSON Schema of the estate file.
    Schema(schema::SchemaArgs),
    /// The estate's values and where they come from.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Run Rampart.
    Serve(serve::ServeArgs),
    /// Start processes anew, such as after an upgrade, without losing a request.
    Restart(restart::RestartArgs),
    /// Run everything with a sample shop behind it.
    Demo(demo::DemoArgs),
    /// Say whether every part works.
    Status(status::StatusArgs),
    /// Look for what is wrong with this installation.
    Doctor(doctor::DoctorArgs),
    /// The tamper-evident record of everything.
    #[command(subcommand)]
    Trail(trail::TrailCommand),
    /// The gateway: routes, bans and its decisions explained.
    #[command(subcommand)]
    Gateway(gateway::GatewayCommand),
    /// Rules against attacks: checked, explained and tested without a server, and tuned.
    #[command(subcommand)]
    Waf(waf::WafCommand),
    /// Certificates of your hosts, from files and from an authority.
    #[command(subcommand)]
    Certificates(certificates::CertificatesCommand),
    /// The people who may sign in.
    #[command(subcommand)]
    People(people::PeopleCommand),
    /// Who holds which role.
    #[command(subcommand)]
    Roles(roles::RolesCommand),
    /// API keys of programs.
    #[command(subcommand)]
    ApiKeys(api_keys::ApiKeysCommand),
    /// Who is signed in.
    #[command(subcommand)]
    Sessions(sessions::SessionsCommand),
    /// Ways back in for root on this machine.
    #[command(subcommand)]
    Rescue(rescue::RescueCommand),
    /// Print a completion script.
    Completions(completions::CompletionsArgs),
    /// Print or write the manual pages.
    Man(man::ManArgs),
}

/// The tree as clap sees it, with the exit codes at the end of every command's help.
#[must_use]
pub fn command() -> clap::Command {
    with_exit_codes(Cli::command())
}

fn with_exit_codes(command: clap::Command) -> clap::Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|c| c.get_name().to_owned())
        .collect();
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |sub| {
            if sub.get_subcommands().next().is_some() {
                return with_exit_codes(sub);
            }
            let examples = sub
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            sub.after_help(format!("{}\n\n{examples}", Exit::HELP))
        })
    })
}

/// Parses a command line; `arguments` begin with the program's name.
///
/// # Errors
/// The code to end with, after help, version or the mistake were printed.
pub fn parse<I, T>(arguments: I) -> Result<Cli, Exit>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let parsed = command()
        .try_get_matches_from(arguments)
        .and_then(|matches| <Cli as clap::FromArgMatches>::from_arg_matches(&matches));
    parsed.map_err(|error| {
        // A reader that went away needs no help text.
        drop(error.print());
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Ok,
            _ => Exit::Usage,
        }
    })
}
