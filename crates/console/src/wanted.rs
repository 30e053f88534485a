//! Where a sign-in is to end: a page of the console, or a protected origin that asked for it.
//!
//! SECURITY: a code for a protected origin becomes a session there. It is only ever sent to a
//! host that the estate names; anything else would be an open redirect that carries a credential
//! (RFC 9700 §4.11).

use estate::Estate;
use serde::Deserialize;

use crate::address;
use crate::visit::is_local;

/// LIMIT: of the opaque state the gateway gave along.
const STATE_BYTES_MAX: usize = 512;
const HTTPS: u16 = 443;

/// The parameters of the sign-in page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    host: String,
    state: String,
    next: String,
}

/// Where it is to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// At a path of the console.
    Console(String),
    /// At a protected origin.
    Origin(Origin),
}

/// A protected origin that the estate names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Lower case, without port.
    pub(crate) host: String,
    port: Option<u16>,
    state: String,
}

/// Why a sign-in cannot end where it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an origin of this estate")]
pub(crate) struct Unknown(String);

impl Parameters {
    /// Checks what was asked for. `asked_at` is the `Host` the console itself was asked under:
    /// its port is where the gateway is reached.
    ///
    /// # Errors
    /// [`Unknown`] for a host the estate does not name.
    pub(crate) fn check(&self, estate: Option<&Estate>, asked_at: &str) -> Result<Wanted, Unknown> {
        if self.host.is_empty() {
            let next = if is_local(&self.next) {
                &self.next
            } else {
                "/"
            };
            return Ok(Wanted::Console(next.to_owned()));
        }
        let unknown = || Unknown(self.host.chars().take(100).collect());
        let (host, port) = split(&self.host).ok_or_else(unknown)?;
        let estate = estate.ok_or_else(unknown)?;
        let port_is_ours = {
            let own = split(asked_at).and_then(|(_, port)| port);
            let listens = |port| estate.listen.https.iter().any(|at| at.port() == port);
            port == own || port.is_none_or(|port| port == HTTPS || listens(port))
        };
        if !names(estate, &host) || !port_is_ours || self.state.len() > STATE_BYTES_MAX {
            return Err(unknown());
        }
        Ok(Wanted::Origin(Origin {
            host,
            port,
            state: self.state.clone(),
        }))
    }

    /// The same parameters for the next step's address, with the question mark, or nothing.
    pub(crate) fn query(&self) -> String {
        address::with(
            "",
            &[
                ("host", &self.host),
                ("state", &self.state),
                ("next", &self.next),
            ],
        )
    }
}

impl Origin {
    /// Where the gateway takes the code.
    pub(crate) fn callback(&self, code: &str) -> String {
        let port = self
            .port
            .map_or_else(String::new, |port| format!(":{port}"));
        address::with(
            &format!("https://{}{port}/.rampart/callback", self.host),
            &[("code", code), ("state", &self.state)],
        )
    }
}

/// Whether a host is one the estate serves. Routes without a host serve any name, and a name an
/// attacker owns could be pointed here; for those only the estate's own domain counts.
fn names(estate: &Estate, host: &str) -> bool {
    if host == estate.console.host {
        return false;
    }
    let beneath = host
        .strip_suffix(estate.domain.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    estate.routes.iter().any(|route| match &route.host {
        Some(named) => named == host,
        None => beneath && !estate.domain.is_empty(),
    })
}

/// `host` or `host:port` of a name or an IPv4 address, lower case.
fn split(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => {
            (host, Some(port.parse().ok()?))
        }
        Some(_) => return None,
        None => (authority, None),
    };
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    let fine = !host.is_empty() && host.len() <= 253 && host.bytes().all(legal);
    fine.then(|| (host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests;
