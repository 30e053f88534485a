//! `rampart doctor`: looks at this installation and changes nothing.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::Session;
use super::status::text;
use crate::output::Table;
use crate::paths::ConfigFile;
use crate::{Exit, Failure};

/// Arguments of `rampart doctor`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart doctor\n  rampart doctor --format jsonl")]
pub struct DoctorArgs {}

/// How one check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    Skip,
    Warn,
    Fail,
}

#[derive(Debug, Serialize)]
struct Check {
    id: &'static str,
    state: State,
    evidence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Check {
    fn new(id: &'static str, state: State, evidence: impl Into<String>) -> Self {
        Self {
            id,
            state,
            evidence: evidence.into(),
            remedy: None,
        }
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

pub(super) fn run(_: &DoctorArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let mut checks = Vec::new();
    let file = config(session, &mut checks);
    match session.places.data(session.global.data.as_deref()) {
        Ok(data) => folder(&data, &mut checks),
        Err(failure) => checks.push(Check::new("data.folder", State::Fail, failure.message)),
    }
    server(session, file.as_ref(), &mut checks);
    let worst = checks
        .iter()
        .map(|check| check.state)
        .max()
        .unwrap_or(State::Ok);
    session
        .printer
        .list("rampart.doctor.v1", "checks", &checks, || {
            let mut table = Table::new(&["check", "state", "evidence"]);
            for check in &checks {
                let state = match check.state {
                    State::Ok => "ok",
                    State::Skip => "skipped",
                    State::Warn => "warning",
                    State::Fail => "fails",
                };
                table.row([
                    check.id.to_owned(),
                    state.to_owned(),
                    check.evidence.clone(),
                ]);
            }
            let remedies: String = checks
                .iter()
                .filter_map(|check| Some(format!("{}: {}\n", check.id, check.remedy.as_ref()?)))
                .collect();
            let gap = if remedies.is_empty() { "" } else { "\n" };
            format!("{}{gap}{remedies}", table.render("nothing was checked"))
        });
    Ok(if worst == State::Fail {
        Exit::No
    } else {
        Exit::Ok
    })
}

fn config(session: &Session<'_>, checks: &mut Vec<Check>) -> Option<ConfigFile> {
    let file = match session.places.read_config(session.global.config.as_deref()) {
        Ok(file) => file,
        Err(failure) => {
            let check = Check::new("estate.file", State::Warn, failure.message);
            checks.push(match failure.hint {
                Some(hint) => check.remedy(hint),
                None => check,
            });
            return None;
        }
    };
    checks.push(match file.check() {
        Ok(parsed) if parsed.warnings.is_empty() => Check::new(
            "estate.file",
            State::Ok,
            format!("`{}` is valid", file.name()),
        ),
        Ok(parsed) => {
            let evidence = format!("`{}` has {} warnings", file.name(), parsed.warnings.len());
            Check::new("estate.file", State::Warn, evidence).remedy("`rampart check` shows them")
        }
        Err(list) => {
            let evidence = format!("`{}` has {} errors", file.name(), list.len());
            Check::new("estate.file", State::Fail, evidence).remedy("`rampart check` shows them")
        }
    });
    Some(file)
}

/// SECURITY: people's records, keys of the trail and the administration socket lie in here.
fn folder(data: &Path, checks: &mut Vec<Check>) {
    let shown = data.display();
    let Ok(found) = data.metadata() else {
        let check = Check::new(
            "data.folder",
            State::Skip,
            format!("`{shown}` is not there"),
        );
        checks.push(check.remedy("`rampart serve` makes it"));
        return;
    };
    checks.push(if found.is_dir() {
        Check::new("data.folder", State::Ok, format!("`{shown}` is there"))
    } else {
        Check::new(
            "data.folder",
            State::Fail,
            format!("`{shown}` is no folder"),
        )
    });
    for inner in ["store", "trail", "gateway"] {
        let path = data.join(inner);
        let Ok(found) = path.metadata() else { continue };
        let mode = found.permissions().mode() & 0o777;
        checks.push(if mode & 0o077 == 0 {
            let evidence = format!(
                "`{}` is {mode:04o}, owned by {}",
                path.display(),
                found.uid()
            );
            Check::new("data.modes", State::Ok, evidence)
        } else {
            let evidence = format!("`{}` is {mode:04o}: others can read it", path.display());
            Check::new("data.modes", State::Fail, evidence)
                .remedy(format!("chmod 700 {}", path.display()))
        });
    }
}

fn server(session: &Session<'_>, file: Option<&ConfigFile>, checks: &mut Vec<Check>) {
    let server = match session.server() {
        Ok(server) => server,
        Err(failure) => {
            checks.push(Check::new("server", State::Fail, failure.message));
            return;
        }
    };
    let health = match server.look("/health") {
        Ok((_, health)) => health,
        Err(failure) => {
            let check = Check::new("server", State::Fail, failure.message);
            checks.push(match failure.hint {
                Some(hint) => check.remedy(hint),
                None => check,
            });
            return;
        }
    };
    for part in health
        .get("components")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let state = if text(part, "state") == "green" {
            State::Ok
        } else {
            State::Fail
        };
        let evidence = format!("{}: {}", text(part, "name"), text(part, "detail"));
        checks.push(Check::new("server.part", state, evidence));
    }
    let Some(file) = file else { return };
    let drift: Result<Value, Failure> =
        server.post("/estate/drift", &file.body(serde_json::Map::new()));
    checks.push(match drift {
        Ok(drift) if drift.get("same_text") == Some(&Value::Bool(true)) => {
            Check::new("estate.drift", State::Ok, "the file is what is applied")
        }
        Ok(drift) => {
            let changes = drift
                .get("changes")
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            let evidence = format!("the file differs from what is applied in {changes} places");
            Check::new("estate.drift", State::Warn, evidence)
                .remedy("`rampart plan` shows it, `rampart apply` applies it")
        }
        Err(failure) => Check::new("estate.drift", State::Warn, failure.message),
    });
}
