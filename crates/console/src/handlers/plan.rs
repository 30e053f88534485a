//! Planning a change of the estate, and applying exactly what was planned.

use std::collections::BTreeMap;

use api::Services;
use axum::extract::State;
use axum::response::Response;
use estate::{Change, ChangeKind};
use model::{Diagnostic, ErrorKind, own};
use rollout::{Plan, PlanRef, Sources};

use super::Answer;
use super::estate::{beside, lines, read, short};
use crate::error::{WebError, sentence};
use crate::form::Posted;
use crate::frame::Place;
use crate::pages::estate::{Added, ChangeRow, Line, LineNote, PlanPage, Planned, Sort};
use crate::render;
use crate::session::Session;
use crate::ui::{Notice, Prose, Tone, plural};

/// LIMIT: of a source.
const SOURCE_BYTES_MAX: usize = 1024 * 1024;
const STATE: &str = "A plan shows what would happen; nothing happens before it is applied.";

/// `GET /estate/plan`: the form, filled with the estate file when there is one, else with what is
/// applied.
pub(crate) async fn form(State(services): State<Services>, session: Session) -> Answer {
    session.require(own::ESTATE_APPLY)?;
    let file = match services.facts.estate_file.clone() {
        Some(path) => read(path).await.ok(),
        None => None,
    };
    let applied = || services.rollout.current().map(|v| v.source.clone());
    let source = file.or_else(applied).unwrap_or_default();
    let draft = Draft::of(source);
    Ok(page(&services, &session, draft, None, None, &[]))
}

/// `POST /estate/plan`.
pub(crate) async fn plan(
    State(services): State<Services>,
    session: Session,
    posted: Posted,
) -> Answer {
    session.require(own::ESTATE_APPLY)?;
    let source = source(&posted)?;
    propose(&services, &session, Draft::of(source)).await
}

/// A text that is planned.
struct Draft {
    source: String,
    added: Option<Added>,
}

impl Draft {
    fn of(source: String) -> Self {
        Self {
            source,
            added: None,
        }
    }
}

/// A plan of a text to which another page has added something.
pub(crate) async fn planned(
    services: &Services,
    session: &Session,
    source: String,
    added: Added,
) -> Answer {
    let draft = Draft {
        source,
        added: Some(added),
    };
    propose(services, session, draft).await
}

async fn propose(services: &Services, session: &Session, draft: Draft) -> Answer {
    session.require(own::ESTATE_APPLY)?;
    let sources = sources(services, &draft.source).await;
    match services.rollout.plan(&session.ctx, sources).await {
        Ok(plan) => {
            let findings = plan.warnings.clone();
            Ok(page(services, session, draft, Some(plan), None, &findings))
        }
        Err(error) => refused(services, session, draft, error),
    }
}

/// `POST /estate/apply`.
pub(crate) async fn apply(
    State(services): State<Services>,
    session: Session,
    posted: Posted,
) -> Answer {
    session.require(own::ESTATE_APPLY)?;
    let source = source(&posted)?;
    let base: u64 = posted
        .fields
        .one("base")?
        .parse()
        .map_err(|_| WebError::Malformed("`base` is not a number".to_owned()))?;
    if posted.fields.trimmed("typed")? != confirmation(base) {
        let problem = Notice::new(
            Tone::High,
            "Not applied",
            format!(
                "Type `{}` to apply. Plan again to see what it would do.",
                confirmation(base)
            ),
        );
        let draft = Draft::of(source);
        return Ok(page(&services, &session, draft, None, Some(problem), &[]));
    }
    let plan = PlanRef {
        base,
        hash: posted.fields.one("hash")?.to_owned(),
    };
    let sources = sources(&services, &source).await;
    match services.rollout.apply(&session.ctx, &plan, sources).await {
        Ok(_) => Ok(render::see_other("/estate?done=applied")),
        Err(error) => refused(&services, &session, Draft::of(source), error),
    }
}

/// Browsers send line ends as CRLF (WHATWG HTML, form submission); files have LF.
fn source(posted: &Posted) -> Result<String, WebError> {
    let source = posted.fields.one("source")?.replace("\r\n", "\n");
    if source.len() > SOURCE_BYTES_MAX {
        return Err(WebError::TooLarge);
    }
    Ok(source)
}

/// A text with the documents it names: those beside the estate file, and where there are none (any
/// more), those of the version in force.
async fn sources(services: &Services, source: &str) -> Sources {
    let source = source.to_owned();
    let mut sources = match &services.facts.estate_file {
        Some(file) => beside(source, file).await,
        None => Sources::from(source),
    };
    if let Some(version) = services.rollout.current() {
        for (path, text) in &version.documents {
            let entry = sources.documents.entry(path.clone());
            entry.or_insert_with(|| text.clone());
        }
    }
    sources
}

/// What has to be typed: it names the version that would be made.
fn confirmation(base: u64) -> String {
    format!("apply {}", base.saturating_add(1))
}

fn refused(services: &Services, session: &Session, draft: Draft, error: rollout::Error) -> Answer {
    let text = sentence(&error.to_string());
    let (title, text) = match error.kind() {
        ErrorKind::Invalid => {
            let tally = tally(error.diagnostics());
            (
                "This text is not an estate that can be applied",
                format!("{text} {tally}"),
            )
        }
        ErrorKind::Conflict => ("Not applied", text),
        _ => return Err(error.into()),
    };
    let findings = error.diagnostics();
    let problem = Notice::new(Tone::High, title, text);
    Ok(page(
        services,
        session,
        draft,
        None,
        Some(problem),
        findings,
    ))
}

fn tally(findings: &[Diagnostic]) -> String {
    let count = |errors: bool| {
        let n = findings.iter().filter(|f| f.is_error() == errors).count();
        u64::try_from(n).unwrap_or(u64::MAX)
    };
    format!(
        "{}, {}.",
        plural(count(true), "error", "errors"),
        plural(count(false), "warning", "warnings")
    )
}

fn page(
    services: &Services,
    session: &Session,
    draft: Draft,
    plan: Option<Plan>,
    problem: Option<Notice>,
    findings: &[Diagnostic],
) -> Response {
    let Draft { source, added } = draft;
    let (lines, elsewhere) = annotated(&source, findings);
    let planned = plan.map(|plan| Planned {
        base: plan.base,
        confirm: confirmation(plan.base),
        changes: plan.changes.iter().map(change).collect(),
        short: short(&plan.hash),
        hash: plan.hash,
        source: source.clone(),
    });
    render::html(&PlanPage {
        frame: session.below(services, Place::Estate, "Plan a change"),
        state: STATE.to_owned(),
        problem,
        added,
        source,
        planned,
        lines,
        elsewhere,
    })
}

fn change(change: &Change) -> ChangeRow {
    ChangeRow {
        sort: match change.kind {
            ChangeKind::Added => Sort::Added,
            ChangeKind::Removed => Sort::Removed,
            ChangeKind::Changed => Sort::Changed,
        },
        what: Prose::from(change.what.clone()),
        detail: change.detail.clone(),
        effect: Prose::from(change.effect.clone()),
    }
}

/// The lines of `source` with the findings beneath those they are about. Without findings, no
/// lines: the form below shows the source already.
fn annotated(source: &str, findings: &[Diagnostic]) -> (Vec<Line>, Vec<LineNote>) {
    let mut by_line: BTreeMap<usize, Vec<LineNote>> = BTreeMap::new();
    let mut elsewhere = Vec::new();
    for finding in findings {
        let place = finding.span.map(|span| span.position(source));
        let note = LineNote {
            error: finding.is_error(),
            text: Prose::from(match &finding.within {
                Some(within) => format!("`{within}`: {}", finding.message),
                None => finding.message.clone(),
            }),
            hint: Prose::from(finding.hint.clone().unwrap_or_default()),
            code: finding.code.to_string(),
            column: place.map_or(1, |(_, column)| column),
        };
        match place {
            Some((line, _)) => by_line.entry(line).or_default().push(note),
            None => elsewhere.push(note),
        }
    }
    if by_line.is_empty() {
        return (Vec::new(), elsewhere);
    }
    let mut lines = lines(source);
    if let Some(line) = lines.last_mut() {
        // A finding behind the last line ("expected more") is shown at it.
        let last = line.number;
        for (_, notes) in by_line.split_off(&(last + 1)) {
            line.notes.extend(notes);
        }
    }
    for line in &mut lines {
        if let Some(notes) = by_line.remove(&line.number) {
            line.notes.extend(notes);
        }
    }
    (lines, elsewhere)
}

#[cfg(test)]
mod tests;
