//! Reads the PROXY protocol's header from a socket, and not a byte more: what follows belongs to
//! TLS or to the first request.

use std::io;
use std::net::SocketAddr;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::wire::proxy::{self, HEADER_BYTES_MAX, Refusal, Said};

/// Why nobody knows whom a proxy speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unnamed {
    /// It left without a word, as health checks do.
    Gone,
    /// What it sent is no such header.
    Refused(Refusal),
}

/// Whom the proxy speaks for; nothing when it speaks for itself.
pub(super) async fn read(stream: &mut TcpStream) -> Result<Option<SocketAddr>, Unnamed> {
    // Most headers fit; the rest of a long one is asked for when its length is known.
    let mut bytes = vec![0; 256];
    let mut kept = 0_usize;
    loop {
        // Looked at first and taken after: where a header of version 1 ends is only seen then.
        let seen = match stream.peek(bytes.get_mut(kept..).unwrap_or_default()).await {
            Ok(0) | Err(_) if kept == 0 => return Err(Unnamed::Gone),
            Ok(0) | Err(_) => return Err(Unnamed::Refused(Refusal::CutOff)),
            Ok(seen) => seen,
        };
        let here = kept.saturating_add(seen);
        let said = proxy::parse(bytes.get(..here).unwrap_or_default());
        let (take, client) = match said.map_err(Unnamed::Refused)? {
            Said::All { length, client } => (length, Some(client)),
            // All of it is header so far, and taken: the next look waits for what is new.
            Said::Part { length } => {
                let length = length.max(here.saturating_add(1)).min(HEADER_BYTES_MAX);
                if bytes.len() < length {
                    bytes.resize(length, 0);
                }
                (here, None)
            }
        };
        let fresh = bytes.get_mut(kept..take).unwrap_or_default();
        let taken = stream.read_exact(fresh).await;
        taken.map_err(|_: io::Error| Unnamed::Refused(Refusal::CutOff))?;
        kept = take;
        if let Some(client) = client {
            return Ok(client);
        }
    }
}

#[cfg(test)]
mod tests;
