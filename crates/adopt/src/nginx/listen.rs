//! `listen` and `server_name`.

use std::net::{Ipv4Addr, SocketAddr};

use crate::address;
use crate::draft::Draft;
use crate::tree::Directive;

/// One `listen` of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listen {
    pub(super) address: SocketAddr,
    pub(super) is_tls: bool,
    /// Whether it is the server for names that nobody has.
    pub(super) is_default: bool,
    pub(super) proxy_protocol: bool,
}

/// Every `listen` that can be carried over; nginx's own where there is none.
pub(super) fn listens(server: &Directive, draft: &mut Draft) -> Vec<Listen> {
    let all: Vec<&Directive> = server.each("listen").collect();
    if all.is_empty() {
        return vec![Listen {
            address: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 80)),
            is_tls: false,
            is_default: false,
            proxy_protocol: false,
        }];
    }
    let old_tls = server.each("ssl").any(|one| one.arg(0) == "on");
    let mut listens = Vec::new();
    for one in all {
        let has = |word: &str| one.args.iter().skip(1).any(|arg| arg == word);
        if has("quic") {
            one.left(
                &mut draft.notes,
                "HTTP/3 is not spoken",
                "HTTP/2 is, on the same port over TCP",
            );
            continue;
        }
        let Some(address) = socket(one.arg(0)) else {
            let why = "the gateway listens on one address and one port each";
            one.left(
                &mut draft.notes,
                why,
                "name an address and port in `[listen]`",
            );
            continue;
        };
        one.carried(&mut draft.notes);
        listens.push(Listen {
            address,
            is_tls: has("ssl") || old_tls,
            is_default: has("default_server") || has("default"),
            proxy_protocol: has("proxy_protocol"),
        });
    }
    listens
}

/// `80`, `*:80`, `127.0.0.1:80`, `[::]:80`, `localhost:80`, `10.0.0.1`.
fn socket(text: &str) -> Option<SocketAddr> {
    if let Some(port) = address::port(text) {
        return Some(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)));
    }
    let (name, port) = address::split(text)?;
    let port = port.unwrap_or(80);
    match name {
        "*" => Some(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
        "localhost" => Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        name => Some(SocketAddr::new(name.parse().ok()?, port)),
    }
}

/// Names of a server.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// Exact names, in lower case.
    pub(super) exact: Vec<String>,
    /// Names that certificates may be for: `*.shop.example` among them.
    pub(super) wildcards: Vec<String>,
    /// Whether there are names that cannot be carried over.
    pub(super) others: bool,
}

pub(super) fn names(server: &Directive, draft: &mut Draft) -> Names {
    let mut names = Names::default();
    for one in server.each("server_name") {
        one.carried(&mut draft.notes);
        for name in &one.args {
            let mut left = |why: &str, instead: &str| {
                names.others = true;
                let what = format!("server_name {name}");
                draft.notes.left(&one.place, &what, why, instead);
            };
            let one_host = "a route is for one host, or for all";
            if matches!(name.as_str(), "_" | "") || name.starts_with("$hostname") {
                continue;
            } else if name.starts_with('~') {
                left(
                    one_host,
                    "write a route for each host that the expression stands for",
                );
            } else if let Some(parent) = name
                .strip_prefix('.')
                .filter(|p| address::host(p).is_some())
            {
                left(
                    one_host,
                    "write a route for each host below it; the name itself is carried over",
                );
                names.exact.extend(address::host(parent));
                names
                    .wildcards
                    .push(format!("*.{}", parent.to_ascii_lowercase()));
            } else if name.contains('*') {
                left(one_host, "write a route for each host that it stands for");
                names.wildcards.push(name.to_ascii_lowercase());
            } else if let Some(host) = address::host(name) {
                names.exact.push(host);
            } else {
                left("this is no name of a host", "");
            }
        }
    }
    names.exact.sort();
    names.exact.dedup();
    names
}
