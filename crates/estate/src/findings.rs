//! Collects what is wrong, up to a limit.

use ::model::{Diagnostic, Span};

use crate::values::Wrong;

/// LIMIT: findings reported for one file. A file with more has one cause many times over.
pub(crate) const FINDINGS_MAX: usize = 200;

/// LIMIT: names compared for "did you mean" in one file, so that a large file full of mistakes
/// costs no more than a large file.
const COMPARISONS_MAX: usize = 50_000;

/// The findings so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Diagnostic>,
    left_out: usize,
    compared: usize,
}

impl Findings {
    pub(crate) fn push(&mut self, finding: Diagnostic) {
        if self.list.len() < FINDINGS_MAX {
            self.list.push(finding);
        } else if finding.is_error() {
            self.left_out += 1;
        }
    }

    pub(crate) fn error(&mut self, code: &'static str, span: Span, message: String) {
        self.push(Diagnostic::error(code, span, message));
    }

    pub(crate) fn wrong(&mut self, span: Span, key: &str, wrong: Wrong) {
        let message = format!("`{key}`: {}", wrong.message);
        let finding = Diagnostic::error("estate.bad_value", span, message);
        self.push(match wrong.hint {
            Some(hint) => finding.hint(hint),
            None => finding,
        });
    }

    /// Whether a suggestion out of so many names is still worth its cost.
    pub(crate) fn may_suggest(&mut self, candidates: usize) -> bool {
        self.compared = self.compared.saturating_add(candidates);
        self.list.len() < FINDINGS_MAX && self.compared <= COMPARISONS_MAX
    }

    /// Adds a finding, with a hint out of so many names when that is worth its cost.
    pub(crate) fn push_hinted(
        &mut self,
        finding: Diagnostic,
        candidates: usize,
        hint: impl FnOnce() -> String,
    ) {
        let finding = if self.may_suggest(candidates) {
            finding.hint(hint())
        } else {
            finding
        };
        self.push(finding);
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.left_out > 0 || self.list.iter().any(Diagnostic::is_error)
    }

    /// Everything, in the order of the file.
    pub(crate) fn finish(self) -> Vec<Diagnostic> {
        let mut list = self.list;
        list.sort_by_key(|finding| {
            let span = finding.span.unwrap_or_default();
            (span.start, span.end, !finding.is_error())
        });
        if self.left_out > 0 {
            let message = format!("{} more errors are not shown", self.left_out);
            list.push(
                Diagnostic::error("estate.too_many_errors", None, message)
                    .hint("correct these first, then check again"),
            );
        }
        list
    }
}
