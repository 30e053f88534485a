//! What limits would count a request, under what and how much; nothing is counted by asking.

use estate::{KeySource, MissingKey, WhenAway};

use crate::flow::Flow;
use crate::limiter::{By, Key, Rated};
use crate::state::Chosen;
use crate::steps::limits;

/// Every limit of the request's route, in one line.
pub(super) fn described(flow: &Flow<'_>) -> String {
    let Some(chosen) = flow.chosen() else {
        return "no route, no limit of one".to_owned();
    };
    let cost = limits::cost(flow, &chosen);
    let mut parts = Vec::new();
    for rated in &chosen.limits.rates {
        parts.push(rate(flow, rated, cost));
    }
    for limit in &chosen.limits.at_once {
        let who = who(flow, &limit.by);
        let word = limits::word(&limit.by);
        parts.push(format!("at once, {} per {word}: {who}", limit.max));
    }
    if parts.is_empty() {
        return "the route has no limit of its own".to_owned();
    }
    parts.extend(together(flow, &chosen));
    parts.push("counted when it is sent, not now".to_owned());
    parts.join("; ")
}

fn rate(flow: &Flow<'_>, rated: &Rated, cost: u32) -> String {
    let (rate, word) = (rated.policy.rate, limits::word(&rated.by));
    let limit = match &rated.budget {
        Some(budget) => format!("`{budget}`, {rate} per {word}"),
        None => format!("{rate} per {word}"),
    };
    format!("{limit}: takes {cost}, {}", who(flow, &rated.by))
}

fn who(flow: &Flow<'_>, by: &By) -> String {
    match by {
        By::Address => "for its address".to_owned(),
        By::Route => "together with all others".to_owned(),
        By::Key => match flow.caller.as_ref().and_then(|caller| caller.key()) {
            Some(_) => "for its API key".to_owned(),
            None => "where an API key is shown".to_owned(),
        },
        By::User => match &flow.caller {
            Some(caller) => format!("for `{}`", caller.principal().name),
            None => "not for strangers".to_owned(),
        },
        By::Named(key) => named(flow, key),
    }
}

fn named(flow: &Flow<'_>, key: &Key) -> String {
    let name = &key.of.name;
    match (key.found(flow), key.of.missing) {
        (Some(source), _) if source.is_forgeable() => {
            format!("for its `{source}`, which a client can choose")
        }
        (Some(KeySource::Principal), _) => "for whoever is signed in".to_owned(),
        (Some(_), _) => "for its address".to_owned(),
        (None, MissingKey::Skip) => format!("not counted, as it has no `{name}`"),
        (None, MissingKey::Refuse) => format!("refused, as it has no `{name}`"),
        (None, MissingKey::Address) => format!("for its address, as it has no `{name}`"),
    }
}

fn together(flow: &Flow<'_>, chosen: &Chosen<'_>) -> Option<String> {
    let shared = flow.state.estate().shared_limits.as_ref()?;
    if chosen.limits.rates.is_empty() {
        return None;
    }
    let away = match shared.when_away {
        WhenAway::Local => "by each gateway for itself while that is away",
        WhenAway::Refuse => "refused while that is away",
    };
    Some(format!("rates are counted at `{}`, {away}", shared.address))
}
