//! What blocking would have refused: read from the trail, so that it says the same after a restart.
//!
//! Every observation is in the trail, counted where there were many within a second; what is said of
//! *who* and *which request* is said of those that were kept one by one. How many requests there were
//! in all comes from the seals of traffic records. Reading is bounded, and what could not be read or
//! was never recorded is said, not guessed.

mod estate_lines;
mod report;
mod scan;

use std::time::Duration;

use model::{ErrorKind, Timestamp};
use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};

pub use report::{Example, Finding, Observed, Observing, RouteShare};

use crate::problem::Problem;
use crate::services::Services;

/// LIMIT: reports that are made at once: each reads much of the trail.
const REPORTS_MAX: usize = 2;

/// Whose turn it is to make a report.
#[derive(Debug)]
pub struct Reports(Semaphore);

impl Default for Reports {
    fn default() -> Self {
        Self(Semaphore::new(REPORTS_MAX))
    }
}

impl Reports {
    /// Waits for a turn. Nobody closes it, so that there is always one.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.0.acquire().await.ok()
    }
}

/// Which observations.
#[derive(Clone, Debug)]
pub struct Sought {
    /// How far back.
    pub length: Duration,
    /// Of this route alone.
    pub route: Option<String>,
    /// Of this step alone.
    pub step: Option<String>,
}

/// The longest that is read back.
pub(crate) const LENGTH_MAX: Duration = Duration::from_secs(31 * 24 * 3600);

/// Steps by which observations are told apart.
pub(crate) const STEPS: [&str; 8] = [
    "authenticate",
    "authorise",
    "limits",
    "body",
    "inspect",
    "waf",
    "validate",
    "sanitize",
];

/// What an observation would have come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The request would have been refused.
    Refuse,
    /// The request would have been changed, and let through.
    Clean,
    /// Nothing: answers of services are compared, never held up.
    Note,
}

impl Effect {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Clean => "clean",
            Self::Note => "note",
        }
    }
}

/// Reads and adds up.
///
/// # Errors
/// A length that is too long, a step there is none of, a route that neither the estate nor the
/// trail knows, or a trail that cannot be read.
pub async fn observed(services: &Services, sought: &Sought) -> Result<Observed, Problem> {
    let invalid = |text: String| Problem::new(ErrorKind::Invalid, text);
    if sought.length > LENGTH_MAX || sought.length.is_zero() {
        return Err(invalid(
            "`since` is more than nothing and at most 31 d".to_owned(),
        ));
    }
    if let Some(step) = &sought.step
        && !STEPS.contains(&step.as_str())
    {
        let text = format!("there is no step `{step}`: one of {}", STEPS.join(", "));
        return Err(invalid(text));
    }
    let now = services.clock.now();
    let from = now.before(sought.length);
    let turn = services.reports.turn().await;
    let scanned = scan::scan(services, from, sought).await?;
    drop(turn);
    let version = services.rollout.current();
    if let Some(route) = &sought.route {
        let is_named = version
            .iter()
            .flat_map(|version| &version.estate.routes)
            .any(|one| one.name == *route);
        if !is_named && scanned.rows.is_empty() {
            let text = format!("there is no route `{route}`, and none was observed");
            return Err(Problem::new(ErrorKind::NotFound, text));
        }
    }
    let lines = estate_lines::Lines::of(services).await?;
    let is_linked = !services.gateway.traffic().gateways.is_empty();
    Ok(report::write(
        &scanned,
        &lines,
        sought,
        (from, now),
        is_linked,
    ))
}

/// The step whose mode decides about a code's step.
fn mode_of(step: &str) -> &str {
    match step {
        // What is no body as it should be is validation's to say.
        "body" | "sanitize" => "validate",
        step => step,
    }
}

/// The earlier of both, where there is one.
fn earliest(known: Option<Timestamp>, at: Timestamp) -> Option<Timestamp> {
    Some(known.map_or(at, |known| known.min(at)))
}
