//! The command line: what `rampart` can be asked, and how it answers.
//!
//! Data goes to standard output, everything else to standard error, and only [`Printer`] writes.
//! `serve` and `demo` are only parsed here; the program's composition root runs them.

mod args;
mod client;
pub mod commands;
mod env;
mod exit;
mod failure;
mod output;
mod paths;

pub use args::{Cli, Color, Command, Format, Global, command, parse};
pub use commands::demo::DemoArgs;
pub use commands::serve::{LogFormat, Role, ServeArgs};
pub use env::{Env, Input, Streams};
pub use exit::Exit;
pub use failure::Failure;
pub use output::Printer;
pub use paths::{config_file, data_folder};

/// Runs every command but `serve` and `demo`, which need the whole program.
#[must_use]
pub fn run(cli: Cli, env: Env) -> Exit {
    let mut printer = Printer::new(&cli.global, env.output);
    let places = paths::Places {
        variables: env.variables,
        folder: env.folder,
        is_root: env.is_root,
        input: env.input,
        clock: env.clock,
    };
    let result = commands::run(cli.command, &cli.global, places, &mut printer);
    printer.finish(result)
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
