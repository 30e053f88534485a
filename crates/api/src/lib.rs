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
mod lately;
mod learnt;
mod observed;
mod openapi;
mod peer;
mod port;
mod problem;
mod router;
mod rules;
mod schema;
mod services;
mod settle;
mod top;
mod traffic;
mod tune;
mod upstreams;

pub use certificates::{CertificateSource, CertificateState};
pub use endpoints::link;
pub use explain::{Asked, Explained, ExplainedStep, Verdict};
pub use health::{Colour, Component, Counters, Health, Surface, health, metrics, probes};
pub use history::{History, Rates, watch_traffic};
pub use lately::{Lately, UnknownWindow, Window};
pub use learnt::{Learnt, LearntDrift};
pub use observed::{
    Effect, Example, Finding, Observed, Observing, Reports, RouteShare, Sought, observed,
};
pub use peer::Peer;
pub use port::{GatewayPort, Later, PortError, RestartOf, Unsettled};
pub use problem::{Details, Fault, Problem};
pub use router::router;
pub use rules::{
    RouteCount, RuleCount, Ruled, RuledDecision, RuledMatch, RuledPart, RuledRequest, RuledSum,
    ruled, ruled_request,
};
pub use services::{Facts, Services};
pub use settle::{PENDING, settle};
pub use top::{RouteTop, ServiceTop, Top, observing, service_tops, top};
pub use traffic::{Flow, GatewayState, HeldBytes, Numbers, StepNumbers, Traffic};
pub use tune::{TuneReport, TuneSought, known_rules, tune};
pub use upstreams::{AddressState, Breaker, Condition, ServiceState};

#[cfg(test)]
mod tests;
