//! What happens around every endpoint: who calls, whether they may, and what is said and recorded
//! when they may not.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use model::{
    Authentication, Class, Context, Event, Method, Outcome, PermissionSet, Principal,
    PrincipalKind, RequestId, Severity, activity, ocsf, own,
};

use crate::endpoint::Needs;
use crate::peer::Peer;
use crate::problem::Problem;
use crate::services::Services;

/// LIMIT: of the `Authorization` header; our keys have about 60 characters.
const AUTHORIZATION_BYTES_MAX: usize = 512;
const ROOT: u32 = 0;

/// The context of the caller, for handlers.
#[derive(Debug)]
pub(crate) struct Caller(pub(crate) Context);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // INVARIANT: `guard` runs before every handler and inserts it.
        parts
            .extensions
            .get::<Context>()
            .cloned()
            .map(Self)
            .ok_or_else(|| Problem::new(model::ErrorKind::Internal, "no context"))
    }
}

/// Runs an endpoint for those who may call it.
pub(crate) async fn guard(
    State((services, needs)): State<(Services, Needs)>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let admitted = admit(&services, needs, request.extensions(), request.headers()).await;
    let (ctx, response) = match admitted {
        Ok(ctx) => {
            request.extensions_mut().insert(ctx.clone());
            (Some(ctx), next.run(request).await)
        }
        Err(refusal) => (refusal.ctx, refusal.problem.into_response()),
    };
    let Some(ctx) = ctx else {
        return response;
    };
    if let Some(problem) = response.extensions().get::<Problem>() {
        record_refusal(&services, &ctx, problem, &format!("{method} {path}")).await;
    }
    response
}

struct Refusal {
    ctx: Option<Context>,
    problem: Problem,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { ctx: None, problem }
    }
}

async fn admit(
    services: &Services,
    needs: Needs,
    extensions: &http::Extensions,
    headers: &HeaderMap,
) -> Result<Context, Refusal> {
    let peer = peer(extensions)?;
    let id = extensions
        .get::<RequestId>()
        .copied()
        .unwrap_or_else(|| fresh(services));
    let (ctx, source) = match peer {
        Peer::Local { uid } => (Some(local(services, uid, id)?), None),
        Peer::Gateway { client, .. } => {
            let ctx = remote(services, headers, client, id).await?;
            (ctx, Some(client))
        }
    };
    let known = ctx.is_some();
    let ctx = ctx.unwrap_or_else(|| Context::anonymous(id, source));
    if needs != Needs::Nothing && !known {
        return Err(Problem::unauthenticated(
            "send an API key as `Authorization: Bearer rk_…`; cookies are not accepted here",
        )
        .into());
    }
    let refused = match needs {
        Needs::Nothing | Needs::Known => None,
        Needs::Permission(permission) => ctx
            .require(&own::permission(permission))
            .err()
            .map(Problem::from),
        Needs::Local if matches!(peer, Peer::Local { .. }) => None,
        Needs::Local => Some(Problem::new(
            model::ErrorKind::Denied,
            "this works on the administration socket of the machine only",
        )),
    };
    match refused {
        None => Ok(ctx),
        Some(problem) => Err(Refusal {
            ctx: Some(ctx),
            problem,
        }),
    }
}

/// SECURITY: a request about whose connection nothing is known is not served.
fn peer(extensions: &http::Extensions) -> Result<Peer, Problem> {
    extensions.get::<Peer>().copied().ok_or_else(|| {
        Problem::status(
            StatusCode::MISDIRECTED_REQUEST,
            "misdirected",
            "The request arrived on a connection of unknown origin",
            "the API is reached through the gateway or the administration socket",
        )
    })
}

fn fresh(services: &Services) -> RequestId {
    RequestId::new(&*services.clock, &*services.entropy)
}

/// A user of this machine. Root and the server's own user can read the store and the keys anyway:
/// they count as administrators, and may give any role of the estate. Nobody else does.
fn local(services: &Services, uid: u32, request_id: RequestId) -> Result<Context, Problem> {
    if uid != ROOT && uid != services.facts.uid {
        return Err(Problem::new(
            model::ErrorKind::Denied,
            format!("the user {uid} of this machine may not administer Rampart"),
        ));
    }
    let mut held: Vec<_> = own::built_in_role(own::ADMINISTRATOR)
        .unwrap_or_default()
        .into();
    if let Some(version) = services.rollout.current() {
        let roles = version.estate.roles.values();
        held.extend(roles.flat_map(|role| role.allow.iter().cloned()));
    }
    Ok(Context {
        principal: Principal::new(
            PrincipalKind::Local,
            format!("uid:{uid}"),
            format!("uid:{uid}"),
        ),
        permissions: PermissionSet::from(held),
        request_id,
        source: None,
        authentication: Some(Authentication {
            at: services.clock.now(),
            methods: vec![Method::Peer],
            session: None,
        }),
    })
}

async fn remote(
    services: &Services,
    headers: &HeaderMap,
    client: std::net::IpAddr,
    request_id: RequestId,
) -> Result<Option<Context>, Problem> {
    let Some(key) = bearer(headers)? else {
        return Ok(None);
    };
    services
        .identity
        .authenticate_api_key(key, request_id, Some(client))
        .await
        .map_err(|error| Problem::of(error.kind(), &error))?
        .map(Some)
        // SECURITY: a wrong credential is refused even where none is needed.
        .ok_or_else(|| Problem::unauthenticated("the API key is unknown, expired or revoked"))
}

/// The API key of the one `Authorization` header.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let malformed = || Problem::unauthenticated("the `Authorization` header is not `Bearer rk_…`");
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() || value.len() > AUTHORIZATION_BYTES_MAX {
        return Err(malformed());
    }
    let (scheme, key) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(malformed)?;
    if scheme.eq_ignore_ascii_case("bearer") && key.starts_with("rk_") {
        Ok(Some(key))
    } else {
        Err(malformed())
    }
}

/// A known caller was refused: a fact for the trail.
async fn record_refusal(services: &Services, ctx: &Context, problem: &Problem, call: &str) {
    let stranger = ctx.principal.kind == PrincipalKind::Anonymous;
    if problem.status != StatusCode::FORBIDDEN.as_u16() || stranger {
        return;
    }
    let mut event = Event::change(
        "api.call.refused",
        ctx,
        &*services.clock,
        &*services.entropy,
    )
    .class(Class::Use)
    .ocsf(ocsf::API_ACTIVITY, activity::OTHER)
    .outcome(Outcome::Refused)
    .severity(Severity::Low)
    .target("endpoint", call)
    .message(format!("refused `{call}`: {}", problem.detail));
    if let Some(missing) = &problem.missing {
        event = event.with("permission", missing.as_str());
    }
    // The call is refused whether or not that can be recorded; the trail's health says the rest.
    if let Err(error) = services.trail.append(vec![event]).await {
        tracing::error!(%error, "a refusal could not be recorded");
    }
}

/// The outermost layer: names the request, in errors too, and adds the headers of every answer.
pub(crate) async fn finish(
    State(services): State<Services>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = match request.extensions().get::<Peer>() {
        Some(Peer::Gateway { request_id, .. }) => *request_id,
        _ => fresh(&services),
    };
    request.extensions_mut().insert(id);
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem.request(id).into_response();
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests;
