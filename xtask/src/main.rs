//! The project's own chores: `tidy` (what a program can check about the source), `gen` (the
//! generated reference), `bench` and `conformance` (figures beside other programs). Never part of
//! what is shipped.

mod bench;
mod chores;
mod commands;
mod conformance;
mod fuzz;
mod generate;
mod soak;
mod tidy;

use std::process::ExitCode;

use chores::{Exit, complain, root, say};

const USAGE: &str = "\
usage: cargo xtask <chore>

  tidy                       check what a program can check about the source
  gen [--check]              write docs/reference from the program itself, or only compare
  bench NAME                 measure beside other programs; NAME: gateway, waf, restart
      [--format json] [--rounds N] [--seconds S] [--write]
  conformance NAME           run published vectors; NAME: one that `cargo xtask conformance` lists
      [--format json]
  fuzz waf --minutes N       look for bytes that break what the WAF's engine promises; minutes of processor time
      [--seed N]
  soak --minutes N           the whole program under everything at once; nothing may grow
      [--debug] [--write]
  conformance --write        run all of them and write docs/reference/conformance.md

exit codes: 0 fine, 1 the answer is no, 2 usage, 3 the chore failed, 4 a peer or its data is missing
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["tidy"] => tidy::run(&root()),
        ["gen"] => generate::run(&root(), generate::Mode::Write),
        ["gen", "--check"] => generate::run(&root(), generate::Mode::Check),
        ["bench", name, rest @ ..] => bench::run(&root(), name, rest),
        ["conformance", rest @ ..] => conformance::run(rest),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["soak", rest @ ..] => soak::run(rest),
        ["help" | "--help" | "-h"] => {
            say(USAGE.trim_end());
            Ok(Exit::Fine)
        }
        _ => {
            complain(USAGE.trim_end());
            Ok(Exit::Usage)
        }
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            complain(&format!("error: {error:#}"));
            Exit::Failed.into()
        }
    }
}
