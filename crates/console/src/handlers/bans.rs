//! Bans: addresses refused before anything else is looked at.

use api::Services;
use axum::extract::State;
use axum::response::Response;
use model::{Ban, Network, own, parse_duration};

use super::Answer;
use crate::error::{WebError, sentence};
use crate::form::Posted;
use crate::frame::Place;
use crate::pages::gateway::{BanRow, BansPage};
use crate::parameters::Parameters;
use crate::render;
use crate::session::Session;
use crate::ui::{Notice, Tone, When, plural};

/// What was just done, after a redirect.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Done {
    done: String,
}

/// `GET /gateway/bans`.
pub(crate) async fn list(
    State(services): State<Services>,
    session: Session,
    Parameters(done): Parameters<Done>,
) -> Answer {
    session.require(own::GATEWAY_READ)?;
    let said = match done.done.as_str() {
        "banned" => Some(Notice::new(Tone::Ok, "Banned", "")),
        "lifted" => Some(Notice::new(Tone::Ok, "Lifted", "")),
        _ => None,
    };
    page(&services, &session, said, None, ["", ""]).await
}

async fn page(
    services: &Services,
    session: &Session,
    said: Option<Notice>,
    problem: Option<Notice>,
    [network, reason]: [&str; 2],
) -> Answer {
    let now = services.clock.now();
    let bans = services.gateway.bans(&session.ctx).await?;
    let number = u64::try_from(bans.len()).unwrap_or(u64::MAX);
    let response: Response = render::html(&BansPage {
        frame: session.top(services, Place::Bans, "Bans").said(said),
        state: match number {
            0 => "Nobody is refused by address.".to_owned(),
            n => format!("{} in force.", plural(n, "ban is", "bans are")),
        },
        problem,
        bans: bans
            .iter()
            .map(|ban: &Ban| BanRow {
                id: ban.id.to_string(),
                network: ban.network.to_string(),
                reason: ban.reason.clone(),
                until: When::new(ban.until, now),
            })
            .collect(),
        may_ban: session.may(own::GATEWAY_BAN),
        network: network.to_owned(),
        reason: reason.to_owned(),
    });
    Ok(response)
}

/// `POST /gateway/bans`.
pub(crate) async fn ban(
    State(services): State<Services>,
    session: Session,
    posted: Posted,
) -> Answer {
    session.require(own::GATEWAY_BAN)?;
    let network = posted.fields.trimmed("network")?;
    let reason = posted.fields.trimmed("reason")?;
    let length = parse_duration(posted.fields.one("for")?)
        .map_err(|error| WebError::Malformed(error.to_string()))?;
    let failed = |text: String| Some(Notice::new(Tone::High, "Not banned", sentence(&text)));
    let parsed: Network = match network.parse() {
        Ok(parsed) => parsed,
        Err(error) => {
            let problem = failed(format!("{error}"));
            return page(&services, &session, None, problem, [network, reason]).await;
        }
    };
    // SECURITY: nobody locks themselves out by a slip.
    if parsed.contains(session.visit.source()) {
        let problem = failed(format!(
            "`{parsed}` contains your own address {}",
            session.visit.source()
        ));
        return page(&services, &session, None, problem, [network, reason]).await;
    }
    match services
        .gateway
        .ban(&session.ctx, parsed, length, reason)
        .await
    {
        Ok(_) => Ok(render::see_other("/gateway/bans?done=banned")),
        Err(error) if error.kind() == model::ErrorKind::Invalid => {
            let problem = failed(error.to_string());
            page(&services, &session, None, problem, [network, reason]).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /gateway/bans/lift`.
pub(crate) async fn lift(
    State(services): State<Services>,
    session: Session,
    posted: Posted,
) -> Answer {
    session.require(own::GATEWAY_BAN)?;
    services
        .gateway
        .lift(&session.ctx, posted.fields.id("ban")?)
        .await?;
    Ok(render::see_other("/gateway/bans?done=lifted"))
}
