//! The running program, from the outside: real processes, real sockets, real requests.

mod attacks;
mod backend;
mod bad_input;
mod browser;
mod crash;
mod down;
mod everyday;
mod real_backends;
mod visitor;
mod world;

/// Says on the test's output why it did not run.
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// A variable that tells a test run what it may use.
fn told(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "how a test run is told what it may use"
    )]
    std::env::var(name).ok()
}
