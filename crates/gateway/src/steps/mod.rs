//! The steps of the pipeline, one per file. Each looks at one thing and says `Ok` or why not.

pub(crate) mod address;
pub(crate) mod authenticate;
pub(crate) mod authorise;
pub(crate) mod ban;
pub(crate) mod body;
pub(crate) mod certificate;
pub(crate) mod client;
pub(crate) mod cors;
pub(crate) mod forward;
pub(crate) mod grpc;
pub(crate) mod inspect;
pub(crate) mod limits;
pub(crate) mod path;
pub(crate) mod respond;
pub(crate) mod route;
pub(crate) mod same_origin;
pub(crate) mod sanitize;
pub(crate) mod size;
pub(crate) mod snapshot;
pub(crate) mod sni;
pub(crate) mod validate;
pub(crate) mod waf;
pub(crate) mod websocket;
