//! How often one address may ask, over all routes.

use http::StatusCode;
use model::Rate;

use crate::flow::{Counted, Flow};
use crate::limiter::{Client, What};
use crate::refused::Refused;

/// Counts the request for its address, when the estate sets a limit.
pub(crate) fn check(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let Some(rate) = flow.state.estate().limits.per_address else {
        return Ok(());
    };
    let what = What::Address(Client::of(flow.client));
    count(flow, what, rate, "limits.address")
}

/// Counts an attempt to sign in for its address.
pub(crate) fn sign_in(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let rate = flow.state.estate().limits.sign_in_per_address;
    let what = What::SignIn(Client::of(flow.client));
    count(flow, what, rate, "limits.sign_in")
}

fn count(flow: &mut Flow<'_>, what: What, rate: Rate, code: &'static str) -> Result<(), Refused> {
    let said = flow.shared.limiter.check(what, rate, flow.started);
    flow.limit = Some(Counted { rate, said });
    if said.allowed {
        return Ok(());
    }
    let text = format!("more than {rate} from one address");
    let refused = Refused::new(StatusCode::TOO_MANY_REQUESTS, code, text);
    Err(refused.retry_after(said.retry_after))
}
