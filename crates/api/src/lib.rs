//! The JSON API of the control plane, `/api/v1/…`: for programs with an API key over the gateway,
//! and for the command line over the administration socket.
//!
//! Never accepts a cookie, so that no page of another site can call it. Decides nothing by
//! itself: every endpoint asks a service, which authorises, acts and records.

mod body;
mod certificates;
mod endpoint;
mod endpoints;
mod explain;
mod guard;
mod health;
mod history;
mod learnt;
mod openapi;
mod peer;
mod port;
mod problem;
mod router;
mod schema;
mod services;
mod settle;
mod traffic;

pub use certificates::{CertificateSource, CertificateState};
pub use endpoints::link;
pub use explain::{Asked, Explained, ExplainedStep, Verdict};
pub use health::{Colour, Component, Counters, Health, Surface, health, metrics, probes};
pub use history::{History, Rates, watch_traffic};
pub use learnt::{Learnt, LearntDrift};
pub use peer::Peer;
pub use port::{GatewayPort, Later, PortError, RestartOf, Unsettled};
pub use problem::{Details, Fault, Problem};
pub use router::router;
pub use services::{Facts, Services};
pub use settle::{PENDING, settle};
pub use traffic::{GatewayState, Numbers, StepNumbers, Traffic};

#[cfg(test)]
mod tests;
