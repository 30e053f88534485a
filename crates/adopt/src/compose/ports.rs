//! `ports` in both forms.

use std::fmt;
use std::net::IpAddr;

use openapi::Node;

use super::variables::Variables;
use crate::address;

/// One TCP port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Port {
    /// Where it is published; every address when nothing is said.
    pub(super) ip: Option<IpAddr>,
    /// Its port on the machine; one that Docker chooses when nothing is said.
    pub(super) outside: Option<u16>,
    /// Its port in the container.
    pub(super) inside: u16,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(ip) = self.ip {
            write!(f, "{ip}:")?;
        }
        if let Some(outside) = self.outside {
            write!(f, "{outside}:")?;
        }
        write!(f, "{}", self.inside)
    }
}

impl Port {
    /// Whether other machines reach it.
    pub(super) fn is_open(&self) -> bool {
        !self.ip.is_some_and(|ip| ip.is_loopback())
    }

    /// Where this machine reaches it, or else Compose's network.
    pub(super) fn reached(&self, name: &str) -> Option<String> {
        match (self.outside, self.ip) {
            (Some(outside), Some(ip)) if !ip.is_unspecified() => {
                address::place(&ip.to_string(), outside)
            }
            (Some(outside), _) => address::place("127.0.0.1", outside),
            (None, _) => address::place(name, self.inside),
        }
    }
}

pub(super) fn parse(node: &Node, variables: &Variables) -> Option<Port> {
    let said = |key: &str| {
        let text = node.under(key).and_then(Node::scalar)?;
        variables.put_into(&text)
    };
    if node.is_object() {
        if said("protocol").is_some_and(|protocol| protocol != "tcp") {
            return None;
        }
        let outside = match node.under("published") {
            Some(_) => Some(address::port(&said("published")?)?),
            None => None,
        };
        let ip = match node.under("host_ip") {
            Some(_) => Some(said("host_ip")?.parse().ok()?),
            None => None,
        };
        let inside = address::port(&said("target")?)?;
        return Some(Port {
            ip,
            outside,
            inside,
        });
    }
    let text = variables.put_into(&node.scalar()?)?;
    let (text, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
    if protocol != "tcp" {
        return None;
    }
    let (before, inside) = match text.rsplit_once(':') {
        Some((before, inside)) => (Some(before), inside),
        None => (None, text),
    };
    let inside = address::port(inside)?;
    let Some(before) = before else {
        return Some(Port {
            ip: None,
            outside: None,
            inside,
        });
    };
    let (ip, outside) = match before.rsplit_once(':') {
        Some((ip, outside)) => (Some(ip), outside),
        None => (None, before),
    };
    let ip = match ip {
        Some(ip) => Some(ip.trim_matches(['[', ']']).parse().ok()?),
        None => None,
    };
    let outside = match outside {
        "" => None,
        outside => Some(address::port(outside)?),
    };
    Some(Port {
        ip,
        outside,
        inside,
    })
}
