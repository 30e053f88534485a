//! OpenAPI 3.0 and 3.1 as an engine: a document is compiled once, then requests and responses are
//! checked against it; and a document is learnt from traffic that nobody described.
//!
//! ```text
//! text ─▶ source (JSON, YAML; places kept) ─▶ document (paths, parameters, bodies) ─▶ schema
//!                                                  │                                    │
//! request ─▶ find ─▶ check_head ─▶ check_body ─▶ check_response ──────▶ violations ◀────┘
//! ```
//!
//! Standards: OpenAPI 3.0.4 and 3.1.1, JSON Schema draft 2020-12, RFC 8259 (JSON), RFC 3986
//! (URIs), RFC 6901 (JSON pointers), RFC 7578 (multipart forms), YAML 1.2.2.
//!
//! It never reads a file or follows an address, has no clock, no randomness and no runtime;
//! hostile input is a value, never a panic. What a document says and this engine cannot hold
//! requests to is a [`Finding`], never passed over in silence.

mod document;
mod finding;
mod head;
pub mod learn;
mod number;
mod options;
mod outline;
mod schema;
mod source;
mod tree;
mod violation;

pub use document::{Compiled, Document, Found, Operation, Takes};
pub use finding::{Finding, Weight};
pub use head::{Captures, Fields, HeadView};
pub use options::{Base, Formats, Limits, Options, Undeclared};
pub use outline::outline;
pub use source::{Member, Node};
pub use violation::{Keyword, Place, Violation, Violations};
