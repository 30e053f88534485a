//! The first page: is it fine, what changed, what should I do?

use ::estate::Mode;
use api::{Colour, Health, Services, Traffic};
use axum::extract::State;
use model::{Class, own};
use trail::Query;

use super::gateway::{self, chart, modes, refusals, tiles};
use super::trail::line;
use super::{Answer, estate, health};
use crate::address;
use crate::error::WebError;
use crate::frame::Place;
use crate::pages::overview::{Changed, OverviewPage, Todo};
use crate::render;
use crate::session::Session;
use crate::ui::{Prose, Tone, When, count, plural};

/// Changes shown.
const CHANGES: usize = 8;
/// LIMIT: suggestions shown.
const TODOS_MAX: usize = 6;

/// `GET /`.
pub(crate) async fn show(State(services): State<Services>, session: Session) -> Answer {
    let sees_gateway = session.may(own::GATEWAY_READ);
    let sees_health = session.may(own::HEALTH_READ);
    let sees_trail = session.may(own::TRAIL_READ);
    let health = api::health(&services).await;
    let traffic = services.gateway.traffic();
    let todos = todos(&services, &session, &traffic).await?;
    let mut frame = session.top(&services, Place::Overview, "Overview");
    if sees_gateway {
        frame = frame.live("/live?what=numbers");
    }
    Ok(render::html(&OverviewPage {
        frame,
        state: state(&session, &health, todos.len()),
        alarm: gateway::alarm(&traffic).filter(|_| sees_gateway),
        tiles: if sees_gateway {
            tiles(&services, &traffic.total, None)
        } else {
            Vec::new()
        },
        traffic: chart(&services, "traffic", None).filter(|_| sees_gateway),
        refusals: sees_gateway.then(|| refusals(&traffic.total)),
        todos,
        may_read_trail: sees_trail,
        changes: if sees_trail {
            changes(&services).await?
        } else {
            Vec::new()
        },
        parts: if sees_health {
            health::parts(&health)
        } else {
            Vec::new()
        },
    }))
}

fn state(session: &Session, health: &Health, todos: usize) -> String {
    if session.ctx.permissions.is_empty() {
        return "You are signed in. Your roles open none of the console's pages.".to_owned();
    }
    let fine = match health.state {
        Colour::Green => "Everything that is switched on works.",
        Colour::Red => "Something does not work: the parts below say what.",
    };
    match u64::try_from(todos).unwrap_or(u64::MAX) {
        0 => fine.to_owned(),
        n => format!(
            "{fine} {} could use a person.",
            plural(n, "thing", "things")
        ),
    }
}

async fn changes(services: &Services) -> Result<Vec<Changed>, WebError> {
    let now = services.clock.now();
    // Traffic and uses fill the newest entries on a busy day; the page looks a bit further back.
    let page = services
        .trail
        .search(&Query {
            limit: 200,
            ..Query::default()
        })
        .await?;
    Ok(page
        .records
        .iter()
        .filter(|record| record.event.class == Class::Change)
        .take(CHANGES)
        .map(|record| Changed {
            text: Prose::from(line(&record.event)),
            kind: record.event.kind.to_string(),
            actor: record.event.actor.name.to_string(),
            href: format!("/trail/{}", record.index),
            when: When::new(record.event.time, now),
        })
        .collect())
}

async fn todos(
    services: &Services,
    session: &Session,
    traffic: &Traffic,
) -> Result<Vec<Todo>, WebError> {
    let mut todos = Vec::new();
    if session.may(own::ESTATE_READ) {
        todos.extend(drift(services, session).await?);
        todos.extend(checkpoints(services));
    }
    if session.may(own::GATEWAY_READ) {
        todos.extend(observing(services, traffic));
    }
    todos.truncate(TODOS_MAX);
    Ok(todos)
}

async fn drift(services: &Services, session: &Session) -> Result<Option<Todo>, WebError> {
    Ok(estate::drift(services, session).await?.map(|_| Todo {
        tone: Tone::Medium,
        text: "The estate file differs from what is applied".into(),
        why: "Plan it and apply it, or put the file back.".into(),
        href: "/estate".to_owned(),
        action: "Look",
    }))
}

fn checkpoints(services: &Services) -> Option<Todo> {
    let version = services.rollout.current()?;
    version.estate.trail.checkpoints.is_empty().then(|| Todo {
        tone: Tone::Info,
        text: "Send checkpoints of the trail to another machine".into(),
        why: "Without one outside, a rollback of the whole trail cannot be excluded.".into(),
        href: "/estate".to_owned(),
        action: "Estate",
    })
}

fn observing(services: &Services, traffic: &Traffic) -> Vec<Todo> {
    let Some(version) = services.rollout.current() else {
        return Vec::new();
    };
    let observes =
        |route: &&::estate::Route| modes(route).iter().any(|(_, mode)| *mode == Mode::Observe);
    version
        .estate
        .routes
        .iter()
        .filter(observes)
        .map(|route| {
            let numbers = traffic.routes.get(&route.name).cloned().unwrap_or_default();
            Todo {
                tone: Tone::Medium,
                text: Prose::from(format!("Enforce `{}`: it only observes", route.name)),
                why: Prose::from(format!(
                    "In {} blocking would have refused {}.",
                    plural(numbers.requests, "request", "requests"),
                    count(numbers.would_refuse)
                )),
                href: format!("/gateway/routes/{}", address::encode(&route.name)),
                action: "Look",
            }
        })
        .collect()
}
