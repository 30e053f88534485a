//! The estate as it is applied: its source, what it describes, its versions, and drift.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use api::Services;
use axum::extract::State;
use estate::Estate;
use model::own;
use rollout::Sources;

use super::Answer;
use crate::error::WebError;
use crate::frame::Place;
use crate::pages::estate::{EstatePage, Line, VersionRow};
use crate::parameters::Parameters;
use crate::render;
use crate::session::Session;
use crate::ui::{Copy, Notice, Tone, When, count, plural, relative};

const VERSIONS: u32 = 20;
/// LIMIT: of an estate file that is read for drift.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What was just done, after a redirect.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Done {
    done: String,
}

/// `GET /estate`.
pub(crate) async fn show(
    State(services): State<Services>,
    session: Session,
    Parameters(done): Parameters<Done>,
) -> Answer {
    session.require(own::ESTATE_READ)?;
    let now = services.clock.now();
    let said =
        (done.done == "applied").then(|| Notice::new(Tone::Ok, "The new version is applied", ""));
    let frame = session.top(&services, Place::Estate, "Estate").said(said);
    let may_apply = session.may(own::ESTATE_APPLY);
    let Some(current) = services.rollout.current() else {
        return Ok(render::html(&EstatePage {
            frame,
            state: "Nothing is applied.".to_owned(),
            drift: None,
            hash: None,
            counts: Vec::new(),
            lines: Vec::new(),
            versions: Vec::new(),
            may_apply,
        }));
    };
    let versions = services.rollout.versions(&session.ctx, VERSIONS).await?;
    Ok(render::html(&EstatePage {
        frame,
        state: format!(
            "Version {} is applied since {}, by {}.",
            current.number,
            relative(current.applied_at, now),
            current.applied_by.name
        ),
        drift: drift(&services, &session).await?,
        hash: Some((
            short(&current.hash),
            Copy::new(current.hash.clone(), "hash"),
        )),
        counts: counts(&current.estate),
        lines: lines(&current.source),
        versions: versions
            .iter()
            .map(|version| VersionRow {
                number: version.number,
                hash: short(&version.hash),
                applied: When::new(version.applied_at, now),
                by: version.applied_by.name.to_string(),
                current: version.number == current.number,
            })
            .collect(),
        may_apply,
    }))
}

/// The first characters of a hash: enough to compare by eye.
pub(crate) fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

/// A source line by line, without findings.
pub(crate) fn lines(source: &str) -> Vec<Line> {
    source
        .lines()
        .enumerate()
        .map(|(i, text)| Line {
            number: i + 1,
            text: text.to_owned(),
            notes: Vec::new(),
        })
        .collect()
}

fn counts(estate: &Estate) -> Vec<(&'static str, String)> {
    let count = |n: usize| count(u64::try_from(n).unwrap_or(u64::MAX));
    [
        ("Zones", estate.zones.len()),
        ("Hosts", estate.hosts.len()),
        ("Services", estate.services.len()),
        ("Stores", estate.stores.len()),
        ("Routes", estate.routes.len()),
        ("Roles", estate.roles.len()),
        ("Groups", estate.groups.len()),
        ("Clients", estate.clients.len()),
        ("Certificates", estate.certificates.len()),
    ]
    .into_iter()
    .filter(|(_, n)| *n > 0)
    .map(|(name, n)| (name, count(n)))
    .collect()
}

/// Whether the file `serve` was started with still says what is applied.
pub(crate) async fn drift(
    services: &Services,
    session: &Session,
) -> Result<Option<Notice>, WebError> {
    let Some(path) = services.facts.estate_file.clone() else {
        return Ok(None);
    };
    let name = path.display().to_string();
    let sources = match read(path.clone()).await {
        Ok(source) => beside(source, &path).await,
        Err(error) => {
            return Ok(Some(Notice::new(
                Tone::Medium,
                "The estate file cannot be read",
                format!("`{name}`: {error}. What is applied stays in force."),
            )));
        }
    };
    let drift = services.rollout.drift(&session.ctx, sources).await?;
    if drift.same_text {
        return Ok(None);
    }
    let text = match (drift.errors.len(), drift.changes.len()) {
        (0, 0) => format!("`{name}` has other comments or spacing; it means the same."),
        (0, changes) => format!(
            "`{name}` would change {}. Plan it, or put the file back.",
            plural(
                u64::try_from(changes).unwrap_or(u64::MAX),
                "thing",
                "things"
            )
        ),
        _ => format!("`{name}` has errors. What is applied stays in force."),
    };
    Ok(Some(Notice::new(
        Tone::Medium,
        "The file differs from what is applied",
        text,
    )))
}

/// A text with the documents that lie beside the estate file.
pub(crate) async fn beside(source: String, file: &Path) -> Sources {
    let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
    let text = source.clone();
    let read = tokio::task::spawn_blocking(move || Sources::beside(text, &folder)).await;
    read.unwrap_or_else(|_| Sources::from(source))
}

/// Reads an estate file off the runtime's threads.
pub(crate) async fn read(path: PathBuf) -> std::io::Result<String> {
    tokio::task::spawn_blocking(move || read_bounded(&path))
        .await
        .map_err(std::io::Error::other)?
}

fn read_bounded(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(std::io::Error::other("the file is larger than 1 MiB"));
    }
    Ok(text)
}
