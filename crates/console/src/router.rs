//! Every address of the console, in one place.

use api::{Services, Surface};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};

use crate::error::WebError;
use crate::handlers::{
    account, bans, enrol, estate, explain, gateway, keys, live, overview, people, person, plan,
    roles, rules, settings, sight, sign_in, trail,
};
use crate::{assets, headers, visit};

/// The console, for the gateway's socket.
///
/// Every request needs an [`api::Peer::Gateway`] among its extensions.
pub fn router(services: Services) -> Router {
    Router::new()
        .merge(open())
        .merge(own())
        .merge(protected())
        .method_not_allowed_fallback(|| async { WebError::Method })
        .fallback(|| async { WebError::NotFound })
        // LIMIT: forms bring their own, see `form`.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(services.clone(), api::settle))
        .layer(from_fn_with_state(services.clone(), visit::attend))
        .layer(from_fn(headers::secure))
        .layer(from_fn_with_state(services.clone(), count))
        .with_state(services)
}

/// What needs nobody to be signed in.
fn open() -> Router<Services> {
    Router::new()
        .route("/assets/{name}", get(assets::serve))
        .route("/sign-in", get(sign_in::show).post(sign_in::password))
        .route("/sign-in/code", get(sign_in::code_form).post(sign_in::code))
        .route("/sign-in/recovery", get(sign_in::recovery_form))
        .route("/sign-in/onward", get(sign_in::onward))
        .route("/enrol/{token}", get(enrol::show))
        .route("/enrol/{token}/password", post(enrol::password))
        .route("/enrol/{token}/authenticator", post(enrol::authenticator))
}

/// What everybody signed in may do with what is theirs.
fn own() -> Router<Services> {
    Router::new()
        .route("/", get(overview::show))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/settings", get(settings::show).post(settings::save))
        .route("/account", get(account::show))
        .route(
            "/account/confirm",
            get(account::confirm_form).post(account::confirm),
        )
        .route("/account/sessions/revoke", post(account::revoke_session))
        .route(
            "/account/sessions/revoke-others",
            post(account::revoke_others),
        )
        .route(
            "/account/password",
            get(account::password_form).post(account::password),
        )
        .route(
            "/account/authenticator",
            get(account::authenticator_form).post(account::authenticator),
        )
        .route("/account/recovery-codes", post(account::recovery_codes))
        .route("/account/keys/new", get(keys::form).post(keys::create))
        .route("/account/keys/revoke", post(keys::revoke))
}

/// What needs a permission; each handler names it first.
fn protected() -> Router<Services> {
    Router::new()
        .route("/identity/people", get(people::list))
        .route(
            "/identity/people/invite",
            get(people::invite_form).post(people::invite),
        )
        .route("/identity/people/{id}", get(person::show))
        .route(
            "/identity/people/{id}/disable",
            get(person::disable_form).post(person::disable),
        )
        .route("/identity/people/{id}/enable", post(person::enable))
        .route(
            "/identity/people/{id}/reissue",
            get(person::reissue_form).post(person::reissue),
        )
        .route("/identity/people/{id}/grant", post(person::grant))
        .route("/identity/people/{id}/revoke", post(person::revoke))
        .route(
            "/identity/people/{id}/sessions/revoke",
            post(person::revoke_session),
        )
        .route("/identity/roles", get(roles::list))
        .route("/gateway/routes", get(gateway::routes))
        .route("/gateway/routes/{name}", get(gateway::route))
        .route("/gateway/observed", get(sight::observed))
        .route("/gateway/rules", get(rules::rules))
        .route("/gateway/rules/{event}", get(rules::exclude::show))
        .route(
            "/gateway/rules/{event}/exclude",
            get(rules::exclude::form).post(rules::exclude::exclude),
        )
        .route("/gateway/services", get(sight::services))
        .route(
            "/gateway/explain",
            get(explain::form).post(explain::explain),
        )
        .route("/gateway/bans", get(bans::list).post(bans::ban))
        .route("/gateway/bans/lift", post(bans::lift))
        .route("/trail", get(trail::list))
        .route("/trail/{id}", get(trail::show))
        .route("/estate", get(estate::show))
        .route("/estate/plan", get(plan::form).post(plan::plan))
        .route("/estate/apply", post(plan::apply))
        .route("/live", get(live::open))
}

async fn count(State(services): State<Services>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    services.counters.count(Surface::Console, response.status());
    response
}
