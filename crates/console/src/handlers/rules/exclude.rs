//! One request that met rules, explained; and an exclusion from there, as a plan of the estate that
//! somebody with the right to applies.

use api::{RuledMatch, RuledRequest, Services};
use axum::extract::{Path, State};
use axum::response::Response;
use estate::NewExclusion;
use model::{EventId, own};
use serde::Deserialize;

use crate::address;
use crate::error::{WebError, sentence};
use crate::form::Posted;
use crate::frame::Place;
use crate::handlers::{Answer, plan};
use crate::pages::estate::Added;
use crate::pages::rules::{ExcludePage, FoundRow, MatchPage, MatchRow, PlaceChoice};
use crate::parameters::Parameters;
use crate::render;
use crate::session::Session;
use crate::ui::{Copy, Notice, Prose, Tone, When};

/// How long an exclusion lasts unless somebody says otherwise.
const LASTS: std::time::Duration = std::time::Duration::from_secs(90 * 24 * 3600);
/// What the form sends for every place of a rule.
const EVERYWHERE: &str = "*";

/// Which match of the request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Chosen {
    rule: Option<u64>,
    place: String,
}

async fn found(services: &Services, id: &str) -> Result<RuledRequest, WebError> {
    let id: EventId = id.parse().map_err(|_| WebError::NotFound)?;
    let found = api::ruled_request(services, id).await;
    let found = found.map_err(|problem| WebError::Malformed(problem.detail.clone()))?;
    found.ok_or(WebError::NotFound)
}

/// `GET /gateway/rules/{event}`.
pub(crate) async fn show(
    State(services): State<Services>,
    session: Session,
    Path(id): Path<String>,
) -> Answer {
    session.require(own::GATEWAY_READ)?;
    let request = found(&services, &id).await?;
    let may_apply = session.may(own::ESTATE_APPLY);
    let may_read = session.may(own::TRAIL_READ);
    let event = request.event.to_string();
    let now = services.clock.now();
    Ok(render::html(&MatchPage {
        frame: session.below(&services, Place::Rules, "One match"),
        state: Prose::from(state(&request)),
        what: super::outcome(request.is_observed),
        when: When::new(request.time, now),
        request: request.request.clone(),
        route: request.route.clone(),
        answered: request.answered.map(|status| status.to_string()),
        id: request
            .request_id
            .map(|id| id.to_string())
            .unwrap_or_default(),
        href: may_read.then(|| format!("/trail/{event}")),
        rules: request
            .rules
            .iter()
            .map(|one| row(one, &request, &event, may_apply))
            .collect(),
        may_apply,
    }))
}

/// Why it was refused, in one sentence.
fn state(request: &RuledRequest) -> String {
    let verb = match request.is_observed {
        true => "would refuse",
        false => "refused",
    };
    match &request.decision {
        None => format!("Rules {verb} it; its record does not say which of them decided."),
        Some(decision) => match &decision.sum {
            None => format!("Rule `{}` {verb} it by itself.", decision.rule),
            Some(sum) => {
                let from = sum
                    .threshold
                    .map(|threshold| format!(", and `{threshold}` is refused"))
                    .unwrap_or_default();
                format!(
                    "Rule `{}` {verb} it: `{}` came to `{}`{from}.",
                    decision.rule, sum.name, sum.score
                )
            }
        },
    }
}

fn row(one: &RuledMatch, request: &RuledRequest, event: &str, may_apply: bool) -> MatchRow {
    let decides = request
        .decision
        .as_ref()
        .is_some_and(|it| it.rule == one.id && it.sum.is_some());
    MatchRow {
        id: one.id,
        message: one.message.as_str().into(),
        place: one.place.clone(),
        score: match one.score {
            0 => String::new(),
            score => format!("+{score}"),
        },
        found: one
            .found
            .iter()
            .map(|(target, value)| FoundRow {
                target: target.clone(),
                value: value.clone(),
            })
            .collect(),
        is_whole: one.is_whole,
        // Without the rule that adds up nothing would be refused any more.
        except: (may_apply && !decides).then(|| {
            let rule = one.id.to_string();
            let first = one.choices().first().cloned().unwrap_or_default();
            let path = format!("/gateway/rules/{event}/exclude");
            address::with(&path, &[("rule", &rule), ("place", &first)])
        }),
    }
}

/// `GET /gateway/rules/{event}/exclude`.
pub(crate) async fn form(
    State(services): State<Services>,
    session: Session,
    Path(id): Path<String>,
    Parameters(chosen): Parameters<Chosen>,
) -> Answer {
    session.require(own::GATEWAY_READ)?;
    session.require(own::ESTATE_APPLY)?;
    let request = found(&services, &id).await?;
    let rule = chosen.rule.unwrap_or_default();
    let one = matched(&request, rule)?;
    let until = services.clock.now().after(LASTS).to_string();
    let filled = Filled {
        place: chosen.place,
        every_route: false,
        reason: String::new(),
        until: until.chars().take(10).collect(),
    };
    Ok(page(&services, &session, &request, one, filled, None))
}

/// What the form holds.
struct Filled {
    place: String,
    every_route: bool,
    reason: String,
    until: String,
}

fn matched(request: &RuledRequest, rule: u64) -> Result<&RuledMatch, WebError> {
    let mut rules = request.rules.iter();
    rules
        .find(|one| one.id == rule)
        .ok_or_else(|| WebError::Malformed(format!("the request did not meet rule {rule}")))
}

fn page(
    services: &Services,
    session: &Session,
    request: &RuledRequest,
    one: &RuledMatch,
    filled: Filled,
    problem: Option<Notice>,
) -> Response {
    let mut places: Vec<PlaceChoice> = one
        .choices()
        .into_iter()
        .map(|place| PlaceChoice {
            is_chosen: place == filled.place,
            label: format!("only at {place}"),
            value: place,
        })
        .collect();
    places.push(PlaceChoice {
        value: EVERYWHERE.to_owned(),
        label: "everywhere it looks".to_owned(),
        is_chosen: filled.place == EVERYWHERE,
    });
    render::html(&ExcludePage {
        frame: session.below(services, Place::Rules, "Except a rule"),
        problem,
        event: request.event.to_string(),
        rule: one.id,
        message: one.message.as_str().into(),
        is_whole: one.is_whole,
        places,
        route: request.route.clone(),
        every_route: filled.every_route,
        reason: filled.reason,
        until: filled.until,
    })
}

/// `POST /gateway/rules/{event}/exclude`: a plan of what is applied with the exclusion behind it.
/// Nothing is changed.
pub(crate) async fn exclude(
    State(services): State<Services>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Answer {
    session.require(own::GATEWAY_READ)?;
    session.require(own::ESTATE_APPLY)?;
    let request = found(&services, &id).await?;
    let fields = &posted.fields;
    let rule = fields.one("rule")?.parse().unwrap_or_default();
    let one = matched(&request, rule)?;
    let place = fields.trimmed("place")?;
    let target = Some(place).filter(|place| *place != EVERYWHERE);
    if target.is_some_and(|target| !one.choices().iter().any(|known| known == target)) {
        return Err(WebError::Malformed(format!(
            "rule {rule} did not match there"
        )));
    }
    let every_route = fields.optional("every_route")?.is_some();
    let new = NewExclusion {
        rule,
        target,
        route: (!every_route).then_some(request.route.as_str()),
        reason: fields.trimmed("reason")?,
        until: fields.trimmed("until")?,
    };
    let lines = match new.lines() {
        Ok(lines) => lines,
        Err(error) => {
            let text = sentence(&error.message);
            let problem = Notice::new(Tone::High, "Not planned", text);
            let filled = Filled {
                place: place.to_owned(),
                every_route,
                reason: new.reason.to_owned(),
                until: new.until.to_owned(),
            };
            return Ok(page(
                &services,
                &session,
                &request,
                one,
                filled,
                Some(problem),
            ));
        }
    };
    let Some(version) = services.rollout.current() else {
        return Err(WebError::NotFound);
    };
    let source = format!("{}\n\n{lines}", version.source.trim_end());
    let added = Added {
        text: Prose::from(said(&services, &request, &new).await),
        copy: Copy::new(lines.clone(), "lines"),
        lines,
    };
    plan::planned(&services, &session, source, added).await
}

/// What the exclusion would have done to this request, and what becomes of the file.
async fn said(services: &Services, request: &RuledRequest, new: &NewExclusion<'_>) -> String {
    let outcome = match api::known_rules(services).await {
        Ok(known) => request.outcome(new, &known),
        Err(_) => {
            "What becomes of this request is not known: the rules cannot be loaded.".to_owned()
        }
    };
    let file = match &services.facts.estate_file {
        Some(path) => format!("`{}`", path.display()),
        None => "the estate file".to_owned(),
    };
    format!(
        "With this exclusion {outcome}. Put the same lines into {file}, or the next `rampart apply` from it \
         takes them away."
    )
}
