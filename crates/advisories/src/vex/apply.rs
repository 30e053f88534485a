//! Statements put on a report.

use std::fmt;

use super::named::Packages;
use super::{Claim, Stated, Statement, Statements, Subject};
use crate::inventory::Inventory;
use crate::{Finding, Purl, Report, Standing};

/// What became of one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which, from 0 in the order of the document.
    pub statement: usize,
    /// The first name of its vulnerability.
    pub vulnerability: String,
    /// How many findings it spoke of.
    pub findings: usize,
    /// Subjects of which it spoke to no effect, each with what came nearest.
    pub misses: Vec<Miss>,
}

/// Why a statement's subject has nothing to do with any finding; the later ones came nearer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Miss {
    /// It names no package in a way that can be compared.
    Unreadable(String),
    /// It is about a part of a product that this is not said to be.
    OtherProduct(String),
    /// No package has its name.
    NoPackage,
    /// A package has its name, and this other version.
    Version(String),
    /// A package has its name and version; this qualifier does not hold, or cannot be checked.
    Qualifier(String),
    /// The package is there; the vulnerability was not found in it.
    NoFinding,
}

impl Outcome {
    /// Whether the statement did nothing at all.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.findings == 0
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(text) => write!(f, "`{text}` is no package URL"),
            Self::OtherProduct(product) => {
                write!(
                    f,
                    "it is about a part of `{product}`, which this is not said to be"
                )
            }
            Self::NoPackage => f.write_str("no package has its name"),
            Self::Version(found) => write!(f, "the package has version `{found}`"),
            Self::Qualifier(qualifier) => {
                write!(f, "`{qualifier}` does not hold, or cannot be checked")
            }
            Self::NoFinding => f.write_str("the vulnerability was not found in the package"),
        }
    }
}

impl Statements {
    /// Puts the statements on a report of this inventory's packages, the oldest first, so that the newest
    /// counts. `product` is what the packages are a part of, as statements name it.
    ///
    /// Every statement has an outcome, in the order of the document; one that found nothing to
    /// speak of says why.
    pub fn apply(
        &self,
        report: &mut Report,
        inventory: &Inventory,
        product: Option<&str>,
    ) -> Vec<Outcome> {
        let packages = Packages::of(inventory);
        let mut order: Vec<(usize, &Statement)> = self.statements.iter().enumerate().collect();
        order.sort_by_key(|(_, statement)| statement.made);
        let mut outcomes: Vec<Outcome> = order
            .into_iter()
            .map(|(at, statement)| self.one(at, statement, report, &packages, product))
            .collect();
        outcomes.sort_by_key(|outcome| outcome.statement);
        outcomes
    }

    fn one(
        &self,
        at: usize,
        statement: &Statement,
        report: &mut Report,
        packages: &Packages<'_>,
        product: Option<&str>,
    ) -> Outcome {
        let mut outcome = Outcome {
            statement: at,
            vulnerability: statement.vulnerability.first().cloned().unwrap_or_default(),
            findings: 0,
            misses: Vec::new(),
        };
        for subject in &statement.subjects {
            let package = match subject {
                Subject::Package(package) => package,
                Subject::Part {
                    product: of,
                    package,
                } if product == Some(of) => package,
                Subject::Part { product: of, .. } => {
                    outcome.misses.push(Miss::OtherProduct(of.clone()));
                    continue;
                }
                Subject::Unreadable(text) => {
                    outcome.misses.push(Miss::Unreadable(text.clone()));
                    continue;
                }
            };
            match self.subject(statement, package, report, packages) {
                Ok(findings) => outcome.findings = outcome.findings.saturating_add(findings),
                Err(miss) => outcome.misses.push(miss),
            }
        }
        if statement.subjects.is_empty() {
            outcome.misses.push(Miss::NoPackage);
        }
        outcome
    }

    /// How many findings it was put on.
    fn subject(
        &self,
        statement: &Statement,
        subject: &Purl,
        report: &mut Report,
        packages: &Packages<'_>,
    ) -> Result<usize, Miss> {
        let mut findings = 0_usize;
        let mut nearest = Miss::NoPackage;
        for (at, fits) in packages.named(subject) {
            let Some(verdict) = report.verdicts.get_mut(at) else {
                continue;
            };
            if let Err(miss) = fits {
                nearest = nearest.max(miss);
                continue;
            }
            nearest = nearest.max(Miss::NoFinding);
            for finding in &mut verdict.findings {
                if finding
                    .names
                    .iter()
                    .any(|name| statement.vulnerability.contains(name))
                {
                    self.put(statement, finding);
                    findings = findings.saturating_add(1);
                }
            }
        }
        match findings {
            0 => Err(nearest),
            _ => Ok(findings),
        }
    }

    fn put(&self, statement: &Statement, finding: &mut Finding) {
        let stated = Stated {
            claim: statement.claim,
            why: statement.why.clone(),
            author: self.author.clone(),
            made: statement.made,
        };
        match statement.claim {
            Claim::NotAffected | Claim::Fixed => {
                finding.remark = None;
                finding.standing = Standing::Suppressed(stated);
            }
            Claim::Affected | Claim::UnderInvestigation => {
                // What an older statement took away comes back.
                if matches!(finding.standing, Standing::Suppressed(_)) {
                    finding.standing = Standing::Counts;
                }
                finding.remark = Some(stated);
            }
        }
    }
}
