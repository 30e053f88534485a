//! Rampart: one program that defends a backend. Here it is put together; what it does stands in
//! the crates.

mod control;
mod demo;
mod lock;
mod logging;
mod paths;
mod serve;
mod sockets;
mod supervise;
mod users;

use std::io::Write as _;
use std::sync::Arc;

use cli::{Command, Env, Exit};
use model::SystemClock;

fn main() -> Exit {
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(exit) => return exit,
    };
    match cli.command {
        Command::Serve(args) => serve::run(args, &cli.global),
        Command::Demo(args) => play(&args, &cli.global),
        _ => cli::run(cli, Env::of_process()),
    }
}

/// `rampart demo`.
fn play(args: &cli::DemoArgs, global: &cli::Global) -> Exit {
    let ended = (|| {
        logging::start("warn", cli::LogFormat::Text)?;
        let settings = demo::Settings {
            program: std::env::current_exe()?,
            data: global.data.clone(),
            listen: args.listen,
            play: if args.check {
                demo::Play::Check
            } else {
                demo::Play::Live
            },
            clock: Arc::new(SystemClock::new()),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        runtime.block_on(demo::run(settings, say))
    })();
    match ended {
        Ok(true) => Exit::Ok,
        Ok(false) => Exit::No,
        Err(error) => {
            complain(&format!("{error:#}"));
            Exit::Failed
        }
    }
}

/// A line on standard output; somebody who closed it does not want it.
pub(crate) fn say(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// An error on standard error.
pub(crate) fn complain(text: &str) {
    drop(writeln!(std::io::stderr(), "error: {text}"));
}
