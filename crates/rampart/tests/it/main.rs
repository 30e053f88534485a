//! The running program, from the outside: real processes, real sockets, real requests.

#[cfg(test)]
mod acme;
#[cfg(test)]
mod adopt;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod auth_request;
#[cfg(test)]
mod backend;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod down;
#[cfg(test)]
mod everyday;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod http2;
#[cfg(test)]
mod liars;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod listeners;
#[cfg(test)]
mod monitoring;
#[cfg(test)]
mod observed;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod places;
#[cfg(test)]
mod principals;
#[cfg(test)]
mod races;
#[cfg(test)]
mod real_backends;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod schemathesis;
#[cfg(test)]
mod smuggling;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod tune;
#[cfg(test)]
mod visitor;
#[cfg(test)]
mod waf;
#[cfg(test)]
mod waf_rules;
#[cfg(test)]
mod websocket;
#[cfg(test)]
mod world;

/// Says on the test's output why it did not run.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// Says on the test's output what was measured.
#[expect(clippy::print_stderr, reason = "figures are for whoever runs it")]
fn measured(what: &str) {
    eprintln!("measured: {what}");
}

/// A variable that tells a test run what it may use.
fn told(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "how a test run is told what it may use"
    )]
    std::env::var(name).ok()
}
