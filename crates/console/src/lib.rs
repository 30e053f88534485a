//! The web console: sign-in, enrolment, self-service, and pages over what Rampart protects.
//!
//! Server-rendered HTML that works without JavaScript. Never decides anything by itself: every
//! page asks the services for what the signed-in person may see, and every form calls a service
//! operation that authorises, acts and records.

mod address;
mod assets;
mod cookies;
mod csrf;
mod error;
mod form;
mod frame;
mod handlers;
mod headers;
mod pages;
mod parameters;
mod render;
mod router;
mod session;
mod ui;
mod visit;
mod wanted;

pub use api::{Facts, Peer, Services};
pub use router::router;

#[cfg(test)]
mod tests;
