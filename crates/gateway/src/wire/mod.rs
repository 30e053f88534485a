//! HTTP/1 as it stands on the wire (RFC 9112): heads, framing, and why something is refused. Bytes
//! in, messages out; no sockets, no time.
//!
//! Two readers that frame a message differently are how requests are smuggled. This is the only
//! reader there is: what it refuses nobody else sees, and what it accepts it has read itself.

mod framing;
mod head;
pub(crate) mod proxy;
mod refusal;
mod response;
pub(crate) mod websocket;

pub(crate) use framing::Framing;
pub(crate) use head::{Head, HeadLimits, check_path, content_length, is_host, is_request};
pub(crate) use refusal::Refusal;
pub(crate) use response::{ResponseHead, Search, Unreadable};
