//! The network's ground floor: TLS, certificates, listeners, drain, rate limiting, a small HTTP
//! client for Rampart's own sockets and one for servers behind verified TLS.
//!
//! Nothing here decides who may do what, and nothing here reads an estate.

mod authority;
mod client;
mod descriptors;
mod drain;
mod error;
pub mod handover;
mod https;
mod listen;
mod rate;
pub mod tls;

pub use authority::{Authority, Purpose};
pub use client::{Answer, Client, Endpoint};
pub use descriptors::{descriptors_max, raise_descriptors};
pub use drain::{Drain, Guard};
pub use error::Error;
pub use https::HttpsClient;
pub use listen::{BACKLOG, UnixAccess, bind_tcp, bind_unix, permitted_peer, prepare_stream};
pub use rate::{Decision, RateLimiter};
pub use tls::Certificate;
