//! Whether they may: roles to permissions per route and method, deny by default.

use http::{Method, StatusCode, header};

use crate::body::Held;
use crate::compile::Required;
use crate::flow::Flow;
use crate::inspect::BodyKind;
use crate::overriding::{self, NoMethod};
use crate::refused::{More, Refused};
use crate::state::Chosen;
use crate::steps::inspect;

/// Refuses methods the route does not name, and callers who do not hold what it requires.
pub(crate) fn check(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let Some(chosen) = flow.chosen() else {
        return Ok(());
    };
    let mode = chosen.route.modes.authorise;
    match judge(flow, &chosen) {
        Ok(()) => Ok(()),
        Err(refused) => flow.enforce(mode, refused),
    }
}

/// The same for methods that the body names, where the route tells methods apart.
pub(crate) async fn body(flow: &mut Flow<'_>, held: &Held) -> Result<(), Refused> {
    let Some(chosen) = flow.chosen() else {
        return Ok(());
    };
    let tells_apart = matches!(chosen.compiled.require, Required::Methods(_));
    if !tells_apart || flow.head.method != Method::POST || held.is_empty() {
        return Ok(());
    }
    let mode = chosen.route.modes.authorise;
    match judge_body(flow, &chosen, held).await {
        Ok(()) => Ok(()),
        Err(refused) => flow.enforce(mode, refused),
    }
}

fn judge(flow: &Flow<'_>, chosen: &Chosen<'_>) -> Result<(), Refused> {
    method(flow, chosen, &flow.head.method)?;
    if matches!(chosen.compiled.require, Required::Nothing) {
        return Ok(());
    }
    for named in overriding::in_head(&flow.head) {
        let named = named.map_err(|NoMethod| {
            let text = "a header names another method, and it is none";
            Refused::new(StatusCode::BAD_REQUEST, "authorise.method_override", text)
        })?;
        method(flow, chosen, &named)?;
    }
    Ok(())
}

async fn judge_body(flow: &Flow<'_>, chosen: &Chosen<'_>, held: &Held) -> Result<(), Refused> {
    let unread = || {
        let text = "the body may name another method, and cannot be read";
        Refused::new(StatusCode::BAD_REQUEST, "authorise.method_override", text)
    };
    // SECURITY: of a type that is said twice, the service may take the other one.
    if flow.single(&header::CONTENT_TYPE).is_err() {
        return Err(unread());
    }
    let Some(kind) = inspect::readable_kind(flow).filter(BodyKind::has_fields) else {
        return Ok(());
    };
    let named = match held.as_slice() {
        Some(bytes) => Some(overriding::in_body(&kind, bytes)),
        None if inspect::is_too_long(held) && !mentions(held, &kind).await => return Ok(()),
        None => {
            let look = move |bytes: &[u8]| overriding::in_body(&kind, bytes);
            Box::pin(inspect::off_thread(flow, held, look)).await
        }
    };
    let named = named.ok_or_else(unread)?.map_err(|_| unread())?;
    named
        .iter()
        .try_for_each(|named| method(flow, chosen, named))
}

/// Whether a body that is too long to be read could name a method; also when it cannot be read.
async fn mentions(held: &Held, kind: &BodyKind) -> bool {
    let (mut at, mut window) = (0, Vec::new());
    while at < held.len() {
        let Ok(chunk) = held.chunk(at).await else {
            return true;
        };
        window.extend_from_slice(&chunk);
        if chunk.is_empty() || overriding::may_be_in(kind, &window) {
            return true;
        }
        at = at.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        // What is looked for may begin in this chunk and end in the next.
        window.drain(..window.len().saturating_sub(overriding::LOOK_BACK_BYTES));
    }
    false
}

fn method(flow: &Flow<'_>, chosen: &Chosen<'_>, method: &Method) -> Result<(), Refused> {
    let require = &chosen.compiled.require;
    let Ok(needed) = require.of(method) else {
        let refused = Refused::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "authorise.method",
            format!("the route does not name {method}"),
        );
        return Err(refused.with(More {
            allow: require.allow(),
            ..More::default()
        }));
    };
    let Some(needed) = needed else {
        return Ok(());
    };
    let Some(caller) = &flow.caller else {
        return Err(Refused::new(
            StatusCode::UNAUTHORIZED,
            "authorise.nobody",
            format!("this needs the permission `{}`", needed.1),
        ));
    };
    if caller.holds(&flow.state.compiled, needed) {
        return Ok(());
    }
    Err(Refused::new(
        StatusCode::FORBIDDEN,
        "authorise.permission_missing",
        format!("this needs the permission `{}`", needed.1),
    ))
}
