//! Who is signed in. A page that needs somebody takes a [`Session`]; without one the reader is
//! led to the sign-in page and back.

use api::Services;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use model::{Context, Permission, PersonId, SessionId, Timestamp, own};

use crate::error::WebError;
use crate::frame::{Around, FormToken, Frame, Place};
use crate::handlers::health;
use crate::pages::sign_in::OnwardPage;
use crate::render;
use crate::visit::{self, Visit};

/// Somebody signed in.
#[derive(Debug)]
pub(crate) struct Session {
    /// On whose behalf services act.
    pub(crate) ctx: Context,
    /// The request.
    pub(crate) visit: Visit,
}

impl Session {
    /// Stops here unless the person holds a permission of Rampart's own.
    ///
    /// # Errors
    /// [`WebError::Denied`], which names the permission.
    pub(crate) fn require(&self, needed: &'static str) -> Result<(), WebError> {
        self.ctx
            .require(&own::permission(needed))
            .map_err(WebError::Denied)
    }

    /// Whether the person holds a permission of Rampart's own.
    pub(crate) fn may(&self, needed: &'static str) -> bool {
        self.ctx.permissions.allows(&own::permission(needed))
    }

    /// Every permission the person holds, as text.
    pub(crate) fn held(&self) -> Vec<String> {
        self.ctx
            .permissions
            .iter()
            .map(Permission::to_string)
            .collect()
    }

    /// The person, by id.
    ///
    /// # Errors
    /// Never for a session of ours: its principal is a person.
    pub(crate) fn person(&self) -> Result<PersonId, WebError> {
        let id = self.ctx.principal.id.parse();
        id.map_err(|_| WebError::Malformed("this session is not a person's".to_owned()))
    }

    /// The session itself.
    pub(crate) fn id(&self) -> Option<SessionId> {
        self.ctx.authentication.as_ref()?.session
    }

    /// The frame of an entry's own page.
    pub(crate) fn top(&self, services: &Services, place: Place, title: &str) -> Frame {
        Frame::top(around(services, &self.visit, &self.ctx), place, title)
    }

    /// The frame of a page beneath an entry.
    pub(crate) fn below(&self, services: &Services, place: Place, title: &str) -> Frame {
        Frame::below(around(services, &self.visit, &self.ctx), place, title)
    }

    /// For forms on pages without a frame.
    pub(crate) fn token(&self) -> FormToken {
        self.visit.token()
    }
}

/// What every frame of this request shares.
pub(crate) fn around(services: &Services, visit: &Visit, ctx: &Context) -> Around {
    let now: Timestamp = services.clock.now();
    Around {
        estate: visit::estate_name(services),
        person: ctx.principal.name.clone().into_owned(),
        held: ctx.permissions.clone(),
        now: now.to_string(),
        look: visit.look(),
        token: visit.token(),
        health: health::badge(services),
    }
}

impl FromRequestParts<Services> for Session {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, Response> {
        let visit = Visit::from_request_parts(parts, services).await?;
        match authenticate(services, &visit).await {
            Ok(Some(ctx)) => Ok(Self { ctx, visit }),
            Ok(None) => Err(sign_in_first(services, &visit)),
            Err(error) => Err(error.into_response()),
        }
    }
}

/// Who the session cookie says it is, if it is good.
pub(crate) async fn authenticate(
    services: &Services,
    visit: &Visit,
) -> Result<Option<Context>, WebError> {
    if let Some(ctx) = visit.known() {
        return Ok(Some(ctx.clone()));
    }
    let Some(cookie) = visit.session() else {
        return Ok(None);
    };
    let ctx = services
        .identity
        .authenticate_session(cookie, visit.request_id(), Some(visit.source()))
        .await?;
    if let Some(ctx) = &ctx {
        visit.remember(ctx);
    }
    Ok(ctx)
}

/// To the sign-in page. A reader who came over a link of another site gets a page that asks for
/// the same address again by itself: that second request starts here, so the browser sends the
/// `SameSite=Strict` cookies along, and a signed-in reader arrives.
fn sign_in_first(services: &Services, visit: &Visit) -> Response {
    let target = visit.target();
    if visit.crossed_sites() && visit.session().is_none() && visit::is_local(target) {
        return onward(services, visit, target, "this page");
    }
    if target == "/" || !visit::is_local(target) {
        return render::see_other("/sign-in");
    }
    render::see_other(&format!("/sign-in?next={}", crate::address::encode(target)))
}

/// A page that goes on to `to` by a navigation of its own.
///
/// Chromium applies `form-action` to every redirect that follows a form (CSP 3 §6.4.1 leaves it
/// open): a form on this origin could not lead to a protected origin by redirects alone.
pub(crate) fn onward(services: &Services, visit: &Visit, to: &str, place: &str) -> Response {
    render::html(&OnwardPage {
        plain: visit.plain(&format!("Going on to {place}"), services),
        to: to.to_owned(),
        place: place.to_owned(),
    })
}
