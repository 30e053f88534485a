//! How often and how many at once: by address, key, person, route and the estate's own keys.
//!
//! A request that one limit refuses costs nothing of the others: nobody uses up what others share
//! by being refused.

use std::sync::Arc;
use std::time::Duration;

use estate::{Mode, WhenAway};
use http::StatusCode;
use net::Decision;
use smallvec::SmallVec;

use crate::flow::{Counted, Flow};
use crate::limiter::{Answer, By, Full, Permits, Rated, Store, Unkeyed, What};
use crate::refused::Refused;
use crate::state::Chosen;

/// When it may be worth trying again after as many as may were under way: nobody can know.
const AT_ONCE_RETRY: Duration = Duration::from_secs(1);

/// Which limits of a route count a request, by their place.
type Applying = SmallVec<[(usize, What); 4]>;

/// Where the request's limits are counted together with other gateways; nothing when this one
/// counts for itself.
pub(crate) fn store<'a>(flow: &Flow<'a>) -> Option<&'a Arc<Store>> {
    let store = flow.state.store.as_ref()?;
    let chosen = flow.chosen()?;
    (!chosen.limits.rates.is_empty()).then_some(store)
}

/// Counts the request under each limit of its route, here.
pub(crate) fn check(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let Some(chosen) = flow.chosen() else {
        return Ok(());
    };
    if chosen.limits.rates.is_empty() {
        return Ok(());
    }
    let applying = applying(flow, &chosen)?;
    let said = count(flow, &chosen, &applying);
    conclude(flow, &chosen, &applying, &said)
}

/// Counts the request under each limit of its route, together with other gateways.
pub(crate) async fn check_together(flow: &mut Flow<'_>, store: &Arc<Store>) -> Result<(), Refused> {
    let Some(chosen) = flow.chosen() else {
        return Ok(());
    };
    let applying = applying(flow, &chosen)?;
    if applying.is_empty() {
        return Ok(());
    }
    let limits = applying
        .iter()
        .filter_map(|(at, what)| Some((chosen.limits.rates.get(*at)?, *what)));
    let mode = chosen.route.modes.limits;
    let question = store.question(cost(flow, &chosen), mode, limits);
    let said = match flow.shared.line.ask(store, &question).await {
        Ok(said) => said,
        Err(_) if store.when_away() == WhenAway::Local => count(flow, &chosen, &applying),
        Err(_) => {
            let text = "what was asked before cannot be counted now";
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let refused = Refused::new(status, "limits.store_away", text);
            return flow.enforce(mode, refused.retry_after(store.pause()));
        }
    };
    conclude(flow, &chosen, &applying, &said)
}

/// Takes a place among the requests under way, until the answer has ended.
pub(crate) fn at_once(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let Some(chosen) = flow.chosen() else {
        return Ok(());
    };
    if chosen.limits.at_once.is_empty() {
        return Ok(());
    }
    let mode = chosen.route.modes.limits;
    let mut permits = Box::new(Permits::new(&flow.shared.at_once));
    for limit in &chosen.limits.at_once {
        let what = match limit.by.what(flow, chosen.number) {
            Ok(Some(what)) => what,
            Ok(None) => continue,
            Err(Unkeyed) => {
                flow.enforce(mode, unkeyed(&limit.by))?;
                continue;
            }
        };
        let Err(full) = permits.take(what, limit.max) else {
            continue;
        };
        let refused = match full {
            Full::Max => {
                let code = at_once_code(&limit.by);
                let text = format!("{} at once per {} already", limit.max, word(&limit.by));
                Refused::new(StatusCode::TOO_MANY_REQUESTS, code, text)
            }
            Full::Room => {
                let text = "too many are counted apart already";
                Refused::new(StatusCode::SERVICE_UNAVAILABLE, "limits.at_once_room", text)
            }
        };
        flow.enforce(mode, refused.retry_after(AT_ONCE_RETRY))?;
    }
    flow.permits = Some(permits);
    Ok(())
}

/// What a request takes of each limit.
pub(crate) fn cost(flow: &Flow<'_>, chosen: &Chosen<'_>) -> u32 {
    chosen.route.cost.of(flow.head.method.as_str())
}

fn applying(flow: &mut Flow<'_>, chosen: &Chosen<'_>) -> Result<Applying, Refused> {
    let mut applying = Applying::new();
    for (at, rated) in chosen.limits.rates.iter().enumerate() {
        match rated.by.what(flow, rated.number) {
            Ok(Some(what)) => applying.push((at, what)),
            Ok(None) => {}
            Err(Unkeyed) => flow.enforce(chosen.route.modes.limits, unkeyed(&rated.by))?,
        }
    }
    Ok(applying)
}

/// Counts here.
fn count(flow: &Flow<'_>, chosen: &Chosen<'_>, applying: &Applying) -> Answer {
    let rate = |at: &usize| chosen.limits.rates.get(*at).map(|one| one.policy.rate);
    let limits = applying
        .iter()
        .filter_map(|(at, what)| Some((*what, rate(at)?)));
    let taken = (cost(flow, chosen), chosen.route.modes.limits);
    flow.shared.limiter.take_all(&limits, taken, flow.started)
}

/// Tells the tightest limit, and refuses when there is one that does.
fn conclude<'a>(
    flow: &mut Flow<'a>,
    chosen: &Chosen<'a>,
    applying: &Applying,
    said: &Answer,
) -> Result<(), Refused> {
    let mode = chosen.route.modes.limits;
    let mut refusing: Option<(&Rated, Decision)> = None;
    for ((at, _), said) in applying.iter().zip(said) {
        let Some(rated) = chosen.limits.rates.get(*at) else {
            continue;
        };
        let policy = &rated.policy;
        let tighter = flow.limit.is_none_or(|counted| {
            let tightness = |of: &Decision| (of.allowed, of.remaining);
            tightness(said) <= tightness(&counted.said)
        });
        if tighter {
            flow.limit = Some(Counted {
                policy,
                said: *said,
            });
        }
        if said.allowed {
            continue;
        }
        if mode == Mode::Observe {
            flow.enforce(mode, too_often(rated, said))?;
        } else if refusing.is_none_or(|(_, longest)| said.retry_after > longest.retry_after) {
            // Of several, the one that is to be waited for the longest.
            refusing = Some((rated, *said));
        }
    }
    let Some((rated, said)) = refusing else {
        return Ok(());
    };
    flow.limit = Some(Counted {
        policy: &rated.policy,
        said,
    });
    flow.enforce(mode, too_often(rated, &said))
}

fn too_often(rated: &Rated, said: &Decision) -> Refused {
    let rate = rated.policy.rate;
    let text = match (&rated.budget, &rated.by) {
        (Some(budget), By::Route) => format!("more than {rate} of `{budget}`"),
        (Some(budget), by) => format!("more than {rate} of `{budget}` per {}", word(by)),
        (None, by) => format!("more than {rate} per {}", word(by)),
    };
    let code = match (&rated.by, &rated.budget) {
        (By::Address, _) => "limits.route_address",
        (By::Key, _) => "limits.route_key",
        (By::User, _) => "limits.route_user",
        (By::Named(_), _) => "limits.route_named",
        (By::Route, None) => "limits.route",
        (By::Route, Some(_)) => "limits.budget",
    };
    let refused = Refused::new(StatusCode::TOO_MANY_REQUESTS, code, text);
    refused.retry_after(said.retry_after)
}

fn at_once_code(by: &By) -> &'static str {
    match by {
        By::Address => "limits.at_once_address",
        By::Key => "limits.at_once_key",
        By::User => "limits.at_once_user",
        By::Route => "limits.at_once_route",
        By::Named(_) => "limits.at_once_named",
    }
}

fn unkeyed(by: &By) -> Refused {
    let text = format!("the request has no {}", word(by));
    Refused::new(StatusCode::BAD_REQUEST, "limits.key_missing", text)
}

/// As people read it.
pub(crate) fn word(by: &By) -> &str {
    match by {
        By::Address => "address",
        By::Key => "API key",
        By::User => "person",
        By::Route => "route",
        By::Named(key) => &key.of.name,
    }
}
