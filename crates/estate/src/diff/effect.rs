//! What a change means once applied, in one sentence.

use std::collections::BTreeSet;

use super::flat::{Difference, Flat};

pub(super) fn of_table(key: &str) -> &'static str {
    match key {
        "estate" => "every host that has no dot in it moves with the domain",
        "listen" => "the gateway listens there at once; connections elsewhere may finish",
        "console" => "sign-in and console move; people there must sign in again",
        "gateway" => "the gateway works by these from the next request on",
        "identity" => {
            "sign-in works by these from the next request on; shorter sessions end sooner"
        }
        "acme" => "certificates are asked for and renewed by these; those held stay until then",
        "trail" => "recording works by these from now on",
        "limits.shared" => {
            "gateways count there from the next request on, and begin anew; with nothing there, \
             each for itself"
        }
        "waf" => "every route is held to these rules from the next request on",
        "limits" => "every route that says nothing of its own takes these from the next request on",
        _ => "takes effect with the next request",
    }
}

pub(super) fn of_added(noun: &str, flat: &Flat) -> String {
    let value = |key: &str| flat.get(key).map_or("", String::as_str);
    match noun {
        "route" => format!(
            "requests for `{}` go to `{}`; {}",
            address(flat),
            value("to"),
            admission(flat)
        ),
        "role" => "it can be given to people, groups and API keys".to_owned(),
        "group" => "people can be put into it".to_owned(),
        "client" => "it can sign people in".to_owned(),
        "certificate" => "new connections to its hosts get it".to_owned(),
        "client certificates" => match value("mode") {
            "require" => "nobody connects there without a certificate".to_owned(),
            _ => "clients there may prove themselves by a certificate".to_owned(),
        },
        "limit key" => "limits can count by it".to_owned(),
        "limit" => "routes can count in it".to_owned(),
        "issuer" => format!("tokens of `{}` are believed", value("url")),
        "service" => "routes can lead to it".to_owned(),
        "exclusion of" => format!("rules do not look there until {}", value("until")),
        _ => "it is known from now on".to_owned(),
    }
}

pub(super) fn of_removed(noun: &str, flat: &Flat) -> String {
    match noun {
        "route" => format!(
            "requests for `{}` are refused, unless a less specific route matches",
            address(flat)
        ),
        "role" => "whoever holds it loses what it allows, at once".to_owned(),
        "group" => "whoever is in it loses its roles, at once".to_owned(),
        "client" => "it can no longer sign people in".to_owned(),
        "certificate" => {
            "new connections to its hosts get one of the development authority".to_owned()
        }
        "client certificates" => "no certificate counts there any more".to_owned(),
        "issuer" => "its tokens are refused, at once".to_owned(),
        "service" => "no route leads to it any more".to_owned(),
        "exclusion of" => "rules look there again".to_owned(),
        _ => "it is no longer known".to_owned(),
    }
}

pub(super) fn of_changed(
    noun: &str,
    differences: &[Difference],
    before: &Flat,
    after: &Flat,
) -> String {
    match noun {
        "route" => changed_route(differences, after),
        "role" => match gained_and_lost(before, after, "allow") {
            (gained, lost) if lost.is_empty() && gained.is_empty() => {
                "nobody may do more or less than before".to_owned()
            }
            (gained, lost) if lost.is_empty() => format!("whoever holds it also may {gained}"),
            (gained, lost) if gained.is_empty() => {
                format!("whoever holds it may no longer {lost}")
            }
            (gained, lost) => format!("whoever holds it also may {gained}, and no longer {lost}"),
        },
        "group" => "whoever is in it holds the new roles, at once".to_owned(),
        "certificate" => "new connections to its hosts get it".to_owned(),
        "client certificates" => "open connections there are asked to connect anew".to_owned(),
        "issuer" => "its next token is judged by this".to_owned(),
        "limit key" => "requests are told apart by this from the next one on".to_owned(),
        "limit" => {
            "every route that counts in it takes this, and a new rate counts anew".to_owned()
        }
        "service" => "the next request goes there".to_owned(),
        "exclusion of" => {
            let until = after.get("until").map_or("", String::as_str);
            format!("rules do not look there until {until}")
        }
        _ => "takes effect at once".to_owned(),
    }
}

fn changed_route(differences: &[Difference], after: &Flat) -> String {
    let touches = |key: &str| {
        differences
            .iter()
            .any(|difference| difference.key.split('.').next() == Some(key))
    };
    let mut effects = Vec::new();
    if touches("auth") || touches("require") {
        effects.push(format!("who gets through changes: {}", admission(after)));
    }
    if touches("host") || touches("path") {
        effects.push(format!("it now serves `{}`", address(after)));
    }
    if touches("to") || touches("strip_prefix") {
        effects.push(format!(
            "requests go to `{}`",
            after.get("to").map_or("", String::as_str)
        ));
    }
    if touches("modes") {
        let observed: Vec<&str> = after
            .iter()
            .filter(|(_, mode)| *mode == "observe")
            .filter_map(|(key, _)| key.strip_prefix("modes."))
            .collect();
        effects.push(if observed.is_empty() {
            "every step refuses".to_owned()
        } else {
            format!("only recorded, not refused: {}", observed.join(", "))
        });
    }
    if touches("rates") || touches("cost") {
        effects.push(match after.get("rates") {
            Some(rates) => format!("how often: {rates}; a new rate counts anew"),
            None => "it limits nobody any more by itself".to_owned(),
        });
    }
    if touches("concurrent") {
        effects.push(match after.get("concurrent") {
            Some(max) => format!("at once: {max}; those under way count"),
            None => "any number may be under way at once".to_owned(),
        });
    }
    if touches("body") {
        effects.push(match after.get("body").map(String::as_str) {
            Some("stream") => "bodies are passed on as they come, and not looked into".to_owned(),
            _ => "bodies are held whole, and looked into, before the service is asked".to_owned(),
        });
    }
    if touches("openapi") {
        effects.push(match after.get("openapi") {
            Some(file) => format!("requests must keep to `{file}`"),
            None => "no document says any more what requests may be".to_owned(),
        });
    }
    if touches("sanitize") {
        effects.push(match after.get("sanitize") {
            Some(fields) => format!("cleaned before the service sees it: {fields}"),
            None => "no field is cleaned any more".to_owned(),
        });
    }
    if effects.is_empty() {
        effects.push("takes effect with the next request".to_owned());
    }
    effects.join("; ")
}

/// `shop.example/api/**`.
fn address(flat: &Flat) -> String {
    let host = flat.get("host").map_or("", String::as_str);
    let path = flat.get("path").map_or("", String::as_str);
    format!("{host}{path}")
}

fn admission(flat: &Flat) -> String {
    match flat.get("auth").map(String::as_str) {
        Some("none") => return "nobody is asked to sign in".to_owned(),
        Some("pass") => return "signing in is left to the backend".to_owned(),
        Some("optional") => return "everybody gets through, signed in or not".to_owned(),
        _ => {}
    }
    let needed: BTreeSet<&str> = flat
        .iter()
        .filter(|(key, _)| *key == "require" || key.starts_with("require."))
        .map(|(_, permission)| permission.as_str())
        .collect();
    let needed: Vec<String> = needed.into_iter().map(|p| format!("`{p}`")).collect();
    format!("callers need {}", needed.join(" or, by method, "))
}

fn gained_and_lost(before: &Flat, after: &Flat, key: &str) -> (String, String) {
    let set = |flat: &Flat| -> BTreeSet<String> {
        let text = flat.get(key).map_or("", String::as_str);
        text.split(", ")
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (before, after) = (set(before), set(after));
    let list = |of: Vec<&String>| {
        of.into_iter()
            .map(|p| format!("`{p}`"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    (
        list(after.difference(&before).collect()),
        list(before.difference(&after).collect()),
    )
}
