//! How often one address may ask, over all routes.

use http::StatusCode;

use crate::flow::{Counted, Flow};
use crate::limiter::{Client, Policy, What};
use crate::refused::Refused;

/// Counts the request for its address, when the estate sets a limit.
pub(crate) fn check(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let Some(policy) = &flow.state.per_address else {
        return Ok(());
    };
    let what = What::Address(Client::of(flow.client));
    count(flow, what, policy, "limits.address")
}

/// Counts an attempt to sign in for its address.
pub(crate) fn sign_in(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let policy = &flow.state.sign_in;
    let what = What::SignIn(Client::of(flow.client));
    count(flow, what, policy, "limits.sign_in")
}

fn count<'a>(
    flow: &mut Flow<'a>,
    what: What,
    policy: &'a Policy,
    code: &'static str,
) -> Result<(), Refused> {
    let rate = policy.rate;
    let said = flow.shared.limiter.check(what, rate, flow.started);
    flow.limit = Some(Counted { policy, said });
    if said.allowed {
        return Ok(());
    }
    let text = format!("more than {rate} from one address");
    let refused = Refused::new(StatusCode::TOO_MANY_REQUESTS, code, text);
    Err(refused.retry_after(said.retry_after))
}
