//! Who is at the other end of a local socket, as the composition root found out.

use std::net::IpAddr;

use http::HeaderMap;
use model::RequestId;

/// Inserted into every request as an extension by whoever accepted the connection. A request
/// without it is refused: nothing is assumed about where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A process of this machine on the administration socket, by its peer credentials.
    Local {
        /// The user it runs as.
        uid: u32,
    },
    /// A client of the gateway, on the socket only the gateway may open.
    Gateway {
        /// The client's address.
        client: IpAddr,
        /// The id the gateway gave the request.
        request_id: RequestId,
    },
}

impl Peer {
    /// Reads `x-rampart-client` and `x-rampart-request`, which the gateway makes anew for every
    /// request. Only for connections of the gateway's own socket; `None` when either is missing,
    /// repeated or malformed.
    #[must_use]
    pub fn from_gateway(headers: &HeaderMap) -> Option<Self> {
        let one = |name: &str| {
            let mut values = headers.get_all(name).iter();
            let value = values.next()?.to_str().ok()?;
            values.next().is_none().then_some(value)
        };
        Some(Self::Gateway {
            client: one("x-rampart-client")?.parse().ok()?,
            request_id: one("x-rampart-request")?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests;
