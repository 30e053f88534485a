//! `rampart check`: every error of the estate file at once.

mod certificates;

use std::path::{Path, PathBuf};

use clap::Args;
use model::Diagnostic;
use serde_json::json;

use super::Session;
use crate::failure::Findings;
use crate::output::findings::to_json;
use crate::paths::ConfigFile;
use crate::{Exit, Failure};

/// Arguments of `rampart check`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart check\n  rampart check other.toml\n  rampart check --format json"
)]
pub struct CheckArgs {
    /// The file [default: the estate file].
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Warnings count as errors.
    #[arg(long)]
    pub strict: bool,
}

pub(super) fn run(args: &CheckArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let file = match &args.file {
        Some(path) => ConfigFile::read(session.places.resolve(path))?,
        None => session
            .places
            .read_config(session.global.config.as_deref())?,
    };
    let name = file.name();
    let mut checked = file.check();
    if let Ok(parsed) = &mut checked {
        let base = file.path.parent().unwrap_or(Path::new("."));
        let found = certificates::findings(&parsed.estate, base, session.places.clock.now());
        parsed.warnings.extend(found);
        let ended = parsed.estate.ended_exclusions(session.places.clock.now());
        parsed.warnings.extend(ended);
    }
    match checked {
        Ok(parsed) if parsed.warnings.is_empty() || !is_refused(&parsed.warnings, args.strict) => {
            session
                .printer
                .warnings(&name, &file.source, &parsed.warnings);
            let estate = &parsed.estate;
            let document = document(&file, &parsed.warnings, "valid");
            session.printer.document("rampart.check.v1", &document, || {
                format!(
                    "{name} is valid: estate `{}` with {}, {}, {}\n",
                    estate.name,
                    count(estate.routes.len(), "route"),
                    count(estate.services.len(), "service"),
                    count(estate.roles.len(), "role"),
                )
            });
            Ok(Exit::Ok)
        }
        Ok(parsed) => Ok(invalid(session, &file, &parsed.warnings)),
        Err(list) => Ok(invalid(session, &file, &list)),
    }
}

/// Errors refuse; so do warnings, when they count as errors.
fn is_refused(findings: &[Diagnostic], strict: bool) -> bool {
    strict || findings.iter().any(Diagnostic::is_error)
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

fn document(file: &ConfigFile, list: &[Diagnostic], result: &str) -> serde_json::Value {
    let findings: Vec<_> = list
        .iter()
        .map(|finding| to_json(finding, &file.source))
        .collect();
    json!({ "file": file.name(), "result": result, "findings": findings })
}

/// The answer is data: in JSON it goes to standard output, whatever it says.
fn invalid(session: &mut Session<'_>, file: &ConfigFile, list: &[Diagnostic]) -> Exit {
    let document = document(file, list, "invalid");
    if session.printer.is_human() {
        let failure = failure(file, list.to_vec());
        session.printer.complain(&failure);
    } else {
        session
            .printer
            .document("rampart.check.v1", &document, String::new);
    }
    Exit::Usage
}

/// An estate file that was refused.
pub(crate) fn failure(file: &ConfigFile, list: Vec<Diagnostic>) -> Failure {
    let errors = list.iter().filter(|finding| finding.is_error()).count();
    let warnings = list.len() - errors;
    let mut parts = Vec::new();
    if errors > 0 {
        parts.push(count(errors, "error"));
    }
    if warnings > 0 {
        parts.push(count(warnings, "warning"));
    }
    let message = format!("{} has {}", file.name(), parts.join(" and "));
    let findings = Findings {
        name: file.name(),
        source: file.source.clone(),
        list,
    };
    Failure::findings(Exit::Usage, message, findings)
}

/// The estate file, read and checked; its warnings are shown.
pub(crate) fn checked(session: &mut Session<'_>) -> Result<ConfigFile, Failure> {
    let file = session
        .places
        .read_config(session.global.config.as_deref())?;
    match file.check() {
        Ok(parsed) => {
            session
                .printer
                .warnings(&file.name(), &file.source, &parsed.warnings);
            Ok(file)
        }
        Err(list) => Err(failure(&file, list)),
    }
}

#[cfg(test)]
mod tests;
