//! The scripted day: people arrive, good requests pass, each attack is refused at its step, is
//! found in the trail, and leaves nothing at the shop.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use serde_json::Value;

use super::browser::{Answer, Browser};
use super::campaign::{self, Attack, Campaign};
use super::good::{VISITS, Visit};
use super::people::{self, PEOPLE, ROBOT, ask};
use super::stage::Stage;

/// How long a refusal may take to be in the trail: strangers' are gathered for a second.
const RECORDED_WITHIN: Duration = Duration::from_secs(8);
/// How long a new credential may take to reach the gateway.
const KNOWN_WITHIN: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// One thing that was tried, and how it went.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// One line for people.
    pub(crate) title: String,
    /// What had to happen.
    pub(crate) expected: String,
    /// What happened.
    pub(crate) seen: String,
    /// Whether that is the same.
    pub(crate) holds: bool,
}

/// How the day went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Scenes that went as they had to.
    pub(crate) held: usize,
    /// Scenes that did not.
    pub(crate) broken: usize,
}

/// Everybody who acts.
#[derive(Debug, Default)]
pub(crate) struct Cast {
    browsers: BTreeMap<&'static str, Browser>,
    keys: BTreeMap<&'static str, String>,
}

/// Plays the whole day and tells each scene as it ends; everybody stays for what comes after.
///
/// # Errors
/// When the day cannot go on: somebody cannot arrive, or nothing answers.
pub(crate) async fn play(
    stage: &Stage,
    mut tell: impl FnMut(&Scene),
) -> anyhow::Result<(Cast, Summary)> {
    let mut summary = Summary::default();
    let mut note = |scene: Scene| {
        if scene.holds {
            summary.held += 1;
        } else {
            summary.broken += 1;
        }
        tell(&scene);
    };
    let mut cast = Cast::default();
    for person in &PEOPLE {
        let browser = people::arrive(stage, person)
            .await
            .with_context(|| format!("{} cannot enrol and sign in", person.name))?;
        cast.browsers.insert(person.part, browser);
        note(Scene {
            title: format!("{} enrols and signs in with a code", person.name),
            expected: "back at the shop".to_owned(),
            seen: "back at the shop".to_owned(),
            holds: true,
        });
    }
    let owner = cast.browsers.get_mut(people::ROBOT_OWNER);
    let owner = owner.context("nobody owns the robot")?;
    let key = people::robot_key(stage, owner).await?;
    cast.keys.insert(ROBOT, key);
    key_arrives(stage, &mut cast).await?;
    for visit in VISITS {
        note(good(stage, &mut cast, visit).await?);
    }
    note(forged_header(stage, &mut cast).await?);
    for campaign in campaign::all()? {
        note(attack(stage, &mut cast, &campaign).await?);
    }
    Ok((cast, summary))
}

/// One request of the traffic that goes on after the day: mostly good, now and then an attack.
///
/// # Errors
/// When nothing answers.
pub(crate) async fn turn(stage: &Stage, cast: &mut Cast, turn: usize) -> anyhow::Result<()> {
    const ATTACK_EVERY: usize = 4;
    if turn % ATTACK_EVERY == ATTACK_EVERY - 1 {
        let campaigns = campaign::all()?;
        let next = campaigns
            .iter()
            .cycle()
            .nth(turn / ATTACK_EVERY % campaigns.len().max(1));
        if let Some(Campaign {
            who,
            attack: Attack::Request(request, _),
            ..
        }) = next
        {
            act(stage, cast, who, request).await?;
        }
    } else if let Some(visit) = VISITS.iter().cycle().nth(turn % VISITS.len()) {
        good(stage, cast, visit).await?;
    }
    Ok(())
}

/// A new key works once the gateway has heard of it, which is moments after it was made.
async fn key_arrives(stage: &Stage, cast: &mut Cast) -> anyhow::Result<()> {
    let request = campaign::Request {
        method: "PUT".to_owned(),
        target: "/api/products/3/stock".to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: r#"{"stock":3}"#.to_owned(),
    };
    let asking = async {
        while act(stage, cast, ROBOT, &request).await?.status == StatusCode::UNAUTHORIZED {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(KNOWN_WITHIN, asking)
        .await
        .context("the gateway never heard of the new API key")?
}

async fn good(stage: &Stage, cast: &mut Cast, visit: &Visit) -> anyhow::Result<Scene> {
    let before = stage.log.count();
    let (kind, body) = visit.body.unwrap_or_default();
    let mut headers = Vec::new();
    if !kind.is_empty() {
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
    let request = campaign::Request {
        method: visit.method.to_owned(),
        target: visit.target.to_owned(),
        headers,
        body: body.to_owned(),
    };
    let answer = act(stage, cast, visit.who, &request).await?;
    let arrived = stage.log.since(before);
    let leaked = arrived
        .iter()
        .any(|seen| seen.head.contains("__Host-rampart") || seen.head.contains("rk_"));
    let signed = visit.who == "stranger"
        || arrived
            .iter()
            .all(|seen| seen.head.contains("rampart-assertion: "));
    let expected = format!("{}, once at the shop", visit.status);
    let mut seen = format!(
        "{}, {} at the shop",
        answer.status.as_u16(),
        times(arrived.len())
    );
    if leaked {
        seen.push_str(", with a credential of Rampart's");
    }
    if !signed {
        seen.push_str(", without saying who asks");
    }
    let shown = answer.body.contains(visit.shows);
    if !shown {
        seen.push_str(", another page");
    }
    let holds =
        answer.status.as_u16() == visit.status && arrived.len() == 1 && shown && signed && !leaked;
    Ok(Scene {
        title: visit.title.to_owned(),
        expected,
        seen,
        holds,
    })
}

/// A stranger may ask, but not say who they are: the header is taken off on the way.
async fn forged_header(stage: &Stage, cast: &mut Cast) -> anyhow::Result<Scene> {
    let before = stage.log.count();
    let request = campaign::Request {
        method: "GET".to_owned(),
        target: "/api/products?search=chair".to_owned(),
        headers: vec![("rampart-assertion".to_owned(), "e30.e30.forged".to_owned())],
        body: String::new(),
    };
    let answer = act(stage, cast, "stranger", &request).await?;
    let arrived = stage.log.since(before);
    let forged = arrived.iter().any(|seen| seen.head.contains("forged"));
    let holds = answer.status.is_success() && arrived.len() == 1 && !forged;
    Ok(Scene {
        title: "a forged header on an open page is taken off".to_owned(),
        expected: "200, once at the shop, without the header".to_owned(),
        seen: format!(
            "{}, {} at the shop, {} the header",
            answer.status.as_u16(),
            times(arrived.len()),
            if forged { "with" } else { "without" }
        ),
        holds,
    })
}

async fn attack(stage: &Stage, cast: &mut Cast, campaign: &Campaign) -> anyhow::Result<Scene> {
    let works = directly(stage, campaign)
        .await
        .with_context(|| format!("the campaign `{}` without the gateway", campaign.name))?;
    let newest = newest(stage).await?;
    let before = stage.log.count();
    let status = match &campaign.attack {
        Attack::Raw(text) => status_of(&stage.network.send_raw(&stage.shop_host, text).await?),
        Attack::Request(request, times) => {
            let mut status = 0;
            for _ in 0..*times {
                status = act(stage, cast, &campaign.who, request)
                    .await?
                    .status
                    .as_u16();
            }
            status
        }
    };
    let arrived = stage.log.count() - before;
    let expect = &campaign.expect;
    let recorded = recorded(stage, &expect.step, newest).await?;
    let refused = format!("{} at `{}`", expect.status, expect.step);
    let in_trail = if recorded {
        "in the trail"
    } else {
        "no such refusal in the trail"
    };
    let mut seen = format!("{status}, {in_trail}, {arrived} at the shop");
    if works == Some(false) {
        seen.push_str("; and it does not work without the gateway either");
    }
    Ok(Scene {
        title: campaign.title.clone(),
        expected: format!(
            "{refused}, in the trail, at most {} at the shop",
            expect.reaches_upstream_max
        ),
        seen,
        holds: status == expect.status
            && recorded
            && arrived <= expect.reaches_upstream_max
            && works != Some(false),
    })
}

/// Whether the attack achieves what it says when the shop is reached directly; `None` when it
/// says nothing. Stopping what would not have worked proves nothing.
async fn directly(stage: &Stage, campaign: &Campaign) -> anyhow::Result<Option<bool>> {
    let (Some(direct), Attack::Request(request, _)) = (&campaign.direct, &campaign.attack) else {
        return Ok(None);
    };
    let mut sent = Request::builder()
        .method(request.method.as_str())
        .uri(&request.target);
    for (name, value) in &request.headers {
        sent = sent.header(name, value);
    }
    let answer = stage
        .shop
        .send(sent.body(Bytes::from(request.body.clone()))?)
        .await?;
    let status = answer.status().as_u16();
    let mut shown = answer.bytes().await?;
    if let Some(page) = &direct.then {
        let look = Request::get(page).body(Bytes::new())?;
        shown = stage.shop.send(look).await?.bytes().await?;
    }
    let wanted = direct.shows.as_deref().unwrap_or_default();
    let shows = String::from_utf8_lossy(&shown).contains(wanted);
    Ok(Some(status == direct.status && shows))
}

/// Sends a request as somebody.
async fn act(
    stage: &Stage,
    cast: &mut Cast,
    who: &str,
    request: &campaign::Request,
) -> anyhow::Result<Answer> {
    let url = stage.at_shop(&request.target)?;
    let mut sent = Request::builder().method(Method::from_bytes(request.method.as_bytes())?);
    if let Some(headers) = sent.headers_mut() {
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/json, text/html;q=0.5"),
        );
        // As a page of the shop itself would ask; a campaign may say otherwise.
        headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
        headers.insert("sec-fetch-mode", HeaderValue::from_static("cors"));
        if request.method != "GET"
            && let Some(authority) = url.authority()
        {
            headers.insert(header::ORIGIN, format!("https://{authority}").parse()?);
        }
        for (name, value) in &request.headers {
            headers.insert(
                HeaderName::from_bytes(name.as_bytes())?,
                HeaderValue::from_str(value)?,
            );
        }
        if let Some(key) = cast.keys.get(who) {
            headers.insert(header::AUTHORIZATION, format!("Bearer {key}").parse()?);
        }
    }
    let sent = sent.uri(url).body(Bytes::from(request.body.clone()))?;
    if who == "stranger" || cast.keys.contains_key(who) {
        return stage.network.send(sent).await;
    }
    let browser = cast.browsers.get_mut(who);
    browser
        .with_context(|| format!("nobody plays `{who}`"))?
        .send(sent)
        .await
}

/// Which record of the trail is the newest.
async fn newest(stage: &Stage) -> anyhow::Result<Option<u64>> {
    let page = ask(&stage.admin, Method::GET, "/trail?limit=1", None).await?;
    Ok(page.pointer("/records/0/index").and_then(Value::as_u64))
}

/// Whether the trail has a refusal by `step` that is newer than the record `newest`.
async fn recorded(stage: &Stage, step: &str, newest: Option<u64>) -> anyhow::Result<bool> {
    let path = "/trail?outcome=refused&limit=200";
    let newer = |record: &Value| record.get("index").and_then(Value::as_u64) > newest;
    let looking = async {
        loop {
            let page = ask(&stage.admin, Method::GET, path, None).await?;
            let records = page.get("records").and_then(Value::as_array);
            let mut newer = records.into_iter().flatten().filter(|record| newer(record));
            if newer.any(|record| speaks_of(record, step)) {
                return anyhow::Ok(true);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(RECORDED_WITHIN, looking)
        .await
        .unwrap_or(Ok(false))
}

/// A refusal names its step, or a code that begins with it.
fn speaks_of(record: &Value, step: &str) -> bool {
    let detail = record.pointer("/event/detail");
    let says = |name: &str| {
        let value = detail
            .and_then(|detail| detail.get(name))
            .and_then(Value::as_str);
        value.is_some_and(|text| text.split('.').next() == Some(step))
    };
    says("step") || says("code")
}

/// The status of a raw answer.
fn status_of(answer: &str) -> u16 {
    let status = answer
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3));
    status.and_then(|status| status.parse().ok()).unwrap_or(0)
}

fn times(count: usize) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

#[cfg(test)]
mod tests;
