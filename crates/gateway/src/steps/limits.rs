//! How often: by address, key, person and route.

use estate::Per;
use http::StatusCode;

use crate::caller::Caller;
use crate::flow::{Counted, Flow};
use crate::limiter::{Client, What};
use crate::refused::Refused;

/// Counts the request under each limit of its route.
pub(crate) fn check(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let Some(chosen) = flow.chosen() else {
        return Ok(());
    };
    for limit in &chosen.route.rates {
        let Some(what) = what(flow, chosen.number, limit.per) else {
            continue;
        };
        let said = flow.shared.limiter.check(what, limit.rate, flow.started);
        let tighter = flow
            .limit
            .is_none_or(|counted| said.remaining <= counted.said.remaining);
        if tighter {
            flow.limit = Some(Counted {
                rate: limit.rate,
                said,
            });
        }
        if !said.allowed {
            let (code, per) = words(limit.per);
            let text = format!("more than {} per {per}", limit.rate);
            let refused = Refused::new(StatusCode::TOO_MANY_REQUESTS, code, text);
            flow.enforce(
                chosen.route.modes.limits,
                refused.retry_after(said.retry_after),
            )?;
        }
    }
    Ok(())
}

/// What is counted; nothing when the request has none of it.
fn what(flow: &Flow<'_>, route: u64, per: Per) -> Option<What> {
    let caller = flow.caller.as_ref();
    Some(match per {
        Per::Address => What::RouteAddress(route, Client::of(flow.client)),
        Per::Route => What::Route(route),
        Per::Key => What::RouteKey(route, caller.and_then(Caller::key)?),
        Per::User => What::RouteUser(route, caller?.user()),
    })
}

fn words(per: Per) -> (&'static str, &'static str) {
    match per {
        Per::Address => ("limits.route_address", "address"),
        Per::Key => ("limits.route_key", "API key"),
        Per::User => ("limits.route_user", "person"),
        Per::Route => ("limits.route", "route"),
    }
}
