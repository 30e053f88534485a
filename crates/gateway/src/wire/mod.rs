//! HTTP as it stands on the wire: heads and framing of HTTP/1 (RFC 9112), frames and fields of HTTP/2
//! (RFC 9113), and why something is refused. Bytes in, messages out; no sockets, no time.
//!
//! Two readers that frame a message differently are how requests are smuggled. This is the only
//! reader there is: what it refuses nobody else sees, and what it accepts it has read itself.

mod framing;
mod head;
pub(crate) mod http2;
pub(crate) mod proxy;
mod refusal;
mod response;
pub(crate) mod websocket;

pub(crate) use framing::Framing;
pub(crate) use head::{Head, HeadLimits, is_all_value, is_request};
pub(crate) use refusal::Refusal;
pub(crate) use response::{ResponseHead, Search, Unreadable};
