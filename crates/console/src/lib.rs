//! The web console: sign-in, enrolment, self-service, and pages over what Rampart protects.
//!
//! Server-rendered HTML that works without JavaScript. Never decides anything by itself: every
//! page asks the services for what the signed-in person may see, and every form calls a service
//! operation that authorises, acts and records.

mod assets;
mod frame;
mod headers;
mod pages;
mod ui;
