//! Who may, and how often: `allow`, `auth_basic`, `auth_request`, `limit_req` and their kin.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::{Http, Scope};
use crate::draft::{Draft, Guard};
use crate::limits::Beyond;
use crate::tree::Directive;
use crate::units;

/// A zone of `limit_req_zone`.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    key: String,
    /// How long one request takes to be free again.
    one_ms: Option<u64>,
    place: crate::Place,
    shown: String,
    used: Cell<usize>,
}

pub(super) fn zones<'d>(level: &'d [Directive], draft: &mut Draft) -> BTreeMap<&'d str, Zone> {
    let mut zones = BTreeMap::new();
    for one in level.iter().filter(|one| one.name == "limit_req_zone") {
        let option = |word: &str| one.args.iter().find_map(|arg| arg.strip_prefix(word));
        let name = option("zone=").map(|zone| zone.split(':').next().unwrap_or(zone));
        let Some(name) = name else {
            continue;
        };
        one.carried(&mut draft.notes);
        let zone = Zone {
            key: one.arg(0).to_owned(),
            one_ms: option("rate=").and_then(interval_ms),
            place: one.place.clone(),
            shown: one.shown(),
            used: Cell::new(0),
        };
        zones.insert(name, zone);
    }
    zones
}

/// `10r/s` lets one through every 100 ms. Rounded up, so that nobody gets more.
fn interval_ms(rate: &str) -> Option<u64> {
    let (number, per) = rate.split_once("r/")?;
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    let of: u64 = match per {
        "s" => 1_000,
        "m" => 60_000,
        _ => return None,
    };
    Some(of.div_ceil(number))
}

/// Says of zones whether routes shared them.
pub(super) fn shared(http: &Http<'_>, draft: &mut Draft) {
    for zone in http.zones.values() {
        match zone.used.get() {
            0 => draft.notes.left(
                &zone.place,
                &zone.shown,
                "no route that was carried over uses it",
                "",
            ),
            1 => {}
            _ => draft
                .notes
                .differs(&zone.place, &zone.shown, Beyond::Shared.why()),
        }
    }
}

/// `limit` of a route.
pub(super) fn rates(http: &Http<'_>, scope: &Scope<'_>, draft: &mut Draft) -> Vec<String> {
    let mut rates = Vec::new();
    for one in scope.all("limit_req") {
        let option = |word: &str| one.args.iter().find_map(|arg| arg.strip_prefix(word));
        let zone = option("zone=").and_then(|name| http.zones.get(name));
        let burst: u64 = option("burst=").and_then(|b| b.parse().ok()).unwrap_or(0);
        let Some(zone) = zone else {
            one.unguarded(&mut draft.notes, "its zone was not found", "");
            continue;
        };
        zone.used.set(zone.used.get().saturating_add(1));
        let per = match zone.key.as_str() {
            "$binary_remote_addr" | "$remote_addr" => "address",
            "$server_name" | "$host" | "$http_host" => "route",
            key if !key.contains('$') => "route",
            _ => {
                one.unguarded(&mut draft.notes, Beyond::Key.why(), Beyond::Key.instead());
                continue;
            }
        };
        // One more than the burst passes at once: the burst is what is over the rate.
        let rate = zone
            .one_ms
            .and_then(|ms| units::rate(burst.saturating_add(1), ms));
        match rate {
            // LIMIT: a route has at most eight.
            Some(rate) if rates.len() < 8 => {
                one.differs(&mut draft.notes, Beyond::Delay.why());
                rates.push(format!("{rate} per {per}"));
            }
            _ => one.unguarded(&mut draft.notes, "its rate was not understood", ""),
        }
    }
    for name in ["limit_req_status", "limit_conn_status"] {
        if let Some(one) = scope.one(name) {
            one.unneeded(&mut draft.notes, "what is over a limit is refused with 429");
        }
    }
    for one in scope.all("limit_conn") {
        one.unguarded(
            &mut draft.notes,
            Beyond::Concurrent.why(),
            Beyond::Concurrent.instead(),
        );
    }
    rates
}

const ASKED: &str = "the route asks for a permission instead, which nobody holds yet";

/// Whom a place lets in.
pub(super) fn guard(scope: &Scope<'_>, draft: &mut Draft) -> Guard {
    let mut guard = by_address(scope, draft);
    for name in ["auth_basic", "auth_request", "auth_jwt"] {
        let Some(one) = scope.one(name).filter(|one| one.arg(0) != "off") else {
            if let Some(off) = scope.one(name) {
                off.carried(&mut draft.notes);
            }
            continue;
        };
        let instead = match name {
            "auth_basic" => {
                "invite people with `rampart people invite`, give them the route's role; its passwords stay behind"
            }
            _ => {
                "Rampart asks who it is by itself; or write `auth = \"pass\"` where the service checks as well"
            }
        };
        one.left(&mut draft.notes, ASKED, instead);
        if let Some(file) = scope.one("auth_basic_user_file") {
            file.account();
        }
        if !matches!(guard, Guard::Closed(_)) {
            guard = Guard::Asks(format!("nginx asks who it is by `{name}`"));
        }
    }
    if let Some(one) = scope.one("satisfy") {
        one.unneeded(
            &mut draft.notes,
            "it belongs to a directive that is carried or listed by itself",
        );
        let any = one.arg(0) == "any";
        // Whoever has a password may come from anywhere.
        let asked = ["auth_basic", "auth_request", "auth_jwt"]
            .iter()
            .any(|name| scope.one(name).is_some_and(|one| one.arg(0) != "off"));
        if any && asked && matches!(guard, Guard::Closed(_)) {
            guard = Guard::Asks("nginx asks for a password or a certain address".to_owned());
        }
    }
    if let Some(one) = scope.own().iter().find(|one| one.name == "limit_except") {
        let instead = "write `require` by method: `{ GET = \"…\", POST = \"…\" }`";
        one.left(&mut draft.notes, ASKED, instead);
        if guard == Guard::Open {
            guard = Guard::Asks("nginx lets some methods through only to some".to_owned());
        }
    }
    guard
}

fn by_address(scope: &Scope<'_>, draft: &mut Draft) -> Guard {
    // `allow` and `deny` are one list: the innermost level that has either counts.
    let rules = scope.levels.iter().rev().find_map(|level| {
        let rules: Vec<&Directive> = level
            .iter()
            .filter(|one| matches!(one.name.as_str(), "allow" | "deny"))
            .collect();
        (!rules.is_empty()).then_some(rules)
    });
    let Some(rules) = rules else {
        return Guard::Open;
    };
    let end = rules.iter().position(|one| one.arg(0) == "all");
    let ends_closed = end
        .and_then(|end| rules.get(end))
        .is_some_and(|one| one.name == "deny");
    let before = rules.get(..end.unwrap_or(rules.len())).unwrap_or_default();
    if ends_closed {
        if !before.iter().any(|one| one.name == "allow") {
            for one in rules {
                one.carried(&mut draft.notes);
            }
            return Guard::Closed("nginx lets nobody in (`deny all`)".to_owned());
        }
        for one in rules {
            let why = "a route lets in by permission, not by address: it asks for one that nobody holds yet";
            let instead =
                "give people the route's role; or keep this path on a listener of its own network";
            one.left(&mut draft.notes, why, instead);
        }
        return Guard::Asks("nginx lets only some addresses in".to_owned());
    }
    for one in rules {
        if one.name == "deny" {
            let why = "the estate names no addresses to refuse";
            let instead = "ban them: `rampart gateway ban`, or refuse them in the firewall";
            one.unguarded(&mut draft.notes, why, instead);
        } else {
            one.carried(&mut draft.notes);
        }
    }
    Guard::Open
}
