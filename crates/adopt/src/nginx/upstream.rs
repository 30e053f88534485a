//! `upstream`: where a service is, and how one of its addresses is chosen.

use super::Http;
use crate::address;
use crate::draft::{Draft, Service};
use crate::tree::Directive;
use crate::units;
use crate::write::quoted;

/// LIMIT: names of one service that the estate looks up.
const NAMES_MAX: usize = 16;

/// A service for `authority`: a group of the file, or one place. `None` where it has no address
/// that can be carried over.
pub(super) fn service(
    http: &Http<'_>,
    authority: &str,
    usual_port: u16,
    from: &Directive,
    draft: &mut Draft,
) -> Option<Service> {
    if let Some(group) = http.upstreams.get(authority) {
        let mut service = Service::new(authority, Vec::new(), &group.place);
        group.carried(&mut draft.notes);
        members(group, &mut service, draft);
        balance(group, &mut service, draft);
        return (!service.addresses.is_empty()).then_some(service);
    }
    let (name, port) = address::split(authority)?;
    let port = port.unwrap_or(usual_port);
    let place = address::place(name, port)?;
    let wanted = match name.parse::<std::net::IpAddr>() {
        Ok(_) => format!("service-{port}"),
        Err(_) if name == "localhost" => format!("service-{port}"),
        Err(_) => name.split('.').next().unwrap_or(name).to_owned(),
    };
    Some(Service::new(&wanted, vec![place], &from.place))
}

#[derive(Default)]
struct Failing {
    fails: Option<u64>,
    timeout_ms: Option<u64>,
    differ: bool,
    never: bool,
}

fn members(group: &Directive, service: &mut Service, draft: &mut Draft) {
    let mut failing = Failing::default();
    let mut named = 0_usize;
    let mut weights = Vec::new();
    let mut conns = None;
    for server in group.each("server") {
        let has = |word: &str| server.args.iter().skip(1).any(|arg| arg == word);
        let option = |word: &str| {
            server
                .args
                .iter()
                .skip(1)
                .find_map(|a| a.strip_prefix(word))
        };
        if has("down") {
            server.unneeded(&mut draft.notes, "it is marked as down");
            continue;
        }
        if has("backup") {
            let why = "a service has no addresses in reserve: all of them get requests";
            let instead = "add it to `addresses` when it may serve at any time";
            server.left(&mut draft.notes, why, instead);
            continue;
        }
        let place = address::split(server.arg(0))
            .and_then(|(name, port)| address::place(name, port.unwrap_or(80)));
        let Some(place) = place else {
            let why = "a service is reached over TCP, at an address or name with a port";
            let instead = "let it listen on `127.0.0.1` and a port, and add that to `addresses`";
            server.left(&mut draft.notes, why, instead);
            continue;
        };
        let is_name = place.parse::<std::net::SocketAddr>().is_err();
        named = named.saturating_add(usize::from(is_name));
        if service.addresses.contains(&place) || (is_name && named > NAMES_MAX) {
            server.left(
                &mut draft.notes,
                "it is there already, or there are too many names",
                "",
            );
            continue;
        }
        server.carried(&mut draft.notes);
        let known = ["weight=", "max_fails=", "fail_timeout=", "max_conns="];
        let options = server.args.iter().skip(1);
        for other in options.filter(|arg| !known.iter().any(|word| arg.starts_with(word))) {
            let what = format!("server {} {other}", server.arg(0));
            let why = "of an address, this option is not carried over";
            draft
                .notes
                .left(&server.place, &what, why, "see `slow_start` and `resolve`");
        }
        weights.push(option("weight=").unwrap_or("1").to_owned());
        failing.add(option("max_fails="), option("fail_timeout="));
        conns = conns.or(option("max_conns=").and_then(|n| n.parse::<u32>().ok()));
        service.addresses.push(place);
    }
    if weights.iter().any(|weight| weights.first() != Some(weight)) {
        let why = "addresses have no weights: each gets as many requests at once as it can take";
        draft.notes.differs(&group.place, &group.shown(), why);
    }
    failing.tell(group, service, draft);
    if let Some(conns) = conns.filter(|conns| *conns > 0) {
        service.set("capacity", format!("{{ connections = {conns} }}"));
    }
}

impl Failing {
    fn add(&mut self, fails: Option<&str>, timeout: Option<&str>) {
        let fails = fails.and_then(|fails| fails.parse::<u64>().ok());
        let timeout = timeout.and_then(units::nginx_ms);
        self.differ |= self.fails.is_some() && fails.is_some() && self.fails != fails;
        self.never |= fails == Some(0);
        self.fails = self.fails.max(fails);
        self.timeout_ms = self.timeout_ms.max(timeout);
    }

    fn tell(&self, group: &Directive, service: &mut Service, draft: &mut Draft) {
        if self.differ || self.never {
            let why = "`outliers` is the same for all addresses, and always passes over one that takes no connection";
            draft.notes.differs(&group.place, &group.shown(), why);
        }
        let mut parts = Vec::new();
        if let Some(fails) = self.fails.filter(|fails| (1..=1000).contains(fails)) {
            parts.push(format!("failures = {fails}"));
        }
        if let Some(ms) = self.timeout_ms.filter(|ms| (100..=3_600_000).contains(ms)) {
            parts.push(format!("eject = {}", quoted(&units::duration(ms))));
            if ms > 300_000 {
                parts.push(format!("eject_max = {}", quoted(&units::duration(ms))));
            }
        }
        if !parts.is_empty() {
            service.set("outliers", format!("{{ {} }}", parts.join(", ")));
        }
    }
}

fn balance(group: &Directive, service: &mut Service, draft: &mut Draft) {
    let mut chosen = false;
    for one in group.inside() {
        match one.name.as_str() {
            "least_conn" | "random" | "least_time" => {
                chosen = true;
                one.unneeded(
                    &mut draft.notes,
                    "the address with the fewest requests under way is taken anyway",
                );
            }
            "ip_hash" => {
                chosen = true;
                one.carried(&mut draft.notes);
                service.set("balance", "{ hash = \"address\" }".to_owned());
            }
            "hash" => {
                chosen = true;
                match hash_key(one.arg(0)) {
                    Some(key) => {
                        one.carried(&mut draft.notes);
                        service.set("balance", format!("{{ hash = {} }}", quoted(&key)));
                    }
                    None => one.left(
                        &mut draft.notes,
                        "an address is chosen by address, user, path, one header or one cookie",
                        "write `balance = { hash = \"…\" }` with one of them",
                    ),
                }
            }
            "sticky" | "ntlm" | "queue" => {
                let instead = "`balance = { hash = \"cookie:…\" }` keeps a client at one address";
                one.left(
                    &mut draft.notes,
                    "there is no such directive in the estate",
                    instead,
                );
            }
            _ => {}
        }
    }
    if !chosen && service.addresses.len() > 1 {
        let why = "nginx takes addresses in turn; Rampart takes the one with the fewest requests under way";
        draft.notes.differs(&group.place, &group.shown(), why);
    }
}

fn hash_key(variable: &str) -> Option<String> {
    let plain = |name: &str| {
        let ok = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        (1..=64).contains(&name.len()) && name.bytes().all(ok)
    };
    match variable {
        "$remote_addr" | "$binary_remote_addr" => Some("address".to_owned()),
        "$uri" | "$request_uri" | "$document_uri" => Some("path".to_owned()),
        "$remote_user" => Some("user".to_owned()),
        _ => {
            let header = variable.strip_prefix("$http_").filter(|name| plain(name));
            let cookie = variable.strip_prefix("$cookie_").filter(|name| plain(name));
            header
                .map(|name| format!("header:{}", name.replace('_', "-").to_ascii_lowercase()))
                .or(cookie.map(|name| format!("cookie:{name}")))
        }
    }
}
