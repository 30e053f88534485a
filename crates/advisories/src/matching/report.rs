//! What a scan says, with the words for it.

use std::fmt;
use std::time::Duration;

use crate::{Rating, Stated};

/// What was found of each package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// One for each package, in their order.
    pub verdicts: Vec<Verdict>,
    /// How many advisories of the feeds could not be read, and so say nothing.
    pub refused: u64,
}

/// How many packages have each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// With a finding that counts.
    pub affected: usize,
    /// With none, and nothing in doubt.
    pub not_affected: usize,
    /// With none, and something in doubt.
    pub unknown: usize,
}

/// What was found of one package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What affects it, the most severe first.
    pub findings: Vec<Finding>,
    /// Why nothing more can be said; empty where everything was.
    pub doubts: Vec<Reason>,
    /// The lowest version after its own that none of the advisories about it affects.
    pub upgrade: Option<String>,
}

/// A verdict in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status<'v> {
    /// At least one finding counts.
    Affected,
    /// No advisory affects it, and nothing is in doubt.
    NotAffected,
    /// No finding counts, and something is in doubt: the first of its reasons.
    Unknown(&'v Reason),
}

/// One vulnerability of a package, with every advisory that tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The name people know: its CVE where it has one.
    pub name: String,
    /// Which advisories decided, each with what in it did.
    pub causes: Vec<Cause>,
    /// Every name it goes by, in order.
    pub names: Vec<String>,
    /// The highest score of its advisories, in tenths.
    pub score_tenths: Option<u8>,
    /// How severe in a word: of the score, or else the gravest word of its publishers.
    pub rating: Option<Rating>,
    /// What it tells where it is no vulnerability.
    pub informational: Option<String>,
    /// The lowest version after the package's that none of its advisories affects.
    pub fixed: Option<String>,
    /// Whether it counts.
    pub standing: Standing,
    /// What a statement says of it that does not take it away.
    pub remark: Option<Stated>,
}

/// Whether a finding counts, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Counts,
    /// It is no vulnerability, and the policy only notes such.
    Noted,
    /// A statement says that it does not affect, or is fixed.
    Suppressed(Stated),
}

/// An advisory that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Its name.
    pub id: String,
    /// One line of what it is.
    pub summary: String,
    /// What in it took the package in.
    pub decision: Decision,
}

/// What in an advisory took a package in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A range of versions.
    Range {
        /// From which version on; nothing where from the beginning.
        introduced: Option<String>,
        /// Where it ends.
        end: End,
    },
    /// The version stands in the list.
    Listed(String),
    /// The commit is the one at which it was introduced, or the last that has it.
    Commit(String),
}

/// Where a range ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Nowhere: no fix is known.
    Open,
    /// Before this version.
    Fixed(String),
    /// With this version.
    Last(String),
    /// Before this version, of which nothing is said.
    Limit(String),
}

/// Why a package's status is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No feed is of its ecosystem.
    NoFeed,
    /// The feeds of its ecosystem name no package.
    EmptyFeed,
    /// Advisories are of releases, and the package's is not known.
    NoRelease,
    /// The feeds name no package of its release.
    OtherReleases,
    /// The oldest of its feeds is older than the policy allows.
    Stale {
        /// How old.
        age: Duration,
        /// How old it may be.
        age_max: Duration,
    },
    /// A feed was fetched later than now: a clock is wrong.
    FeedFromLater,
    /// Its version has no place in the order.
    Version(String),
    /// Its version has a place by an older convention only.
    UncertainVersion,
    /// It does not come from the registry whose packages advisories are about.
    Origin,
    /// An advisory about it could not be used.
    Advisory {
        /// Which.
        id: String,
        /// What of it.
        problem: String,
    },
}

impl Report {
    /// How many packages have each status.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for verdict in &self.verdicts {
            let counter = match verdict.status() {
                Status::Affected => &mut counts.affected,
                Status::NotAffected => &mut counts.not_affected,
                Status::Unknown(_) => &mut counts.unknown,
            };
            *counter = counter.saturating_add(1);
        }
        counts
    }
}

impl Verdict {
    /// The verdict in a word.
    #[must_use]
    pub fn status(&self) -> Status<'_> {
        if self.findings.iter().any(Finding::counts) {
            return Status::Affected;
        }
        match self.doubts.first() {
            Some(reason) => Status::Unknown(reason),
            None => Status::NotAffected,
        }
    }
}

impl Finding {
    /// Whether it makes the package affected.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.standing == Standing::Counts
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range { introduced, end } => {
                match introduced {
                    Some(from) => write!(f, "introduced in {from}, ")?,
                    None => f.write_str("in every version from the first, ")?,
                }
                write!(f, "{end}")
            }
            Self::Listed(version) => write!(f, "{version} is listed"),
            Self::Commit(commit) => write!(f, "commit {commit} has it"),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("no fix is known"),
            Self::Fixed(version) => write!(f, "fixed in {version}"),
            Self::Last(version) => write!(f, "up to {version}"),
            Self::Limit(version) => write!(f, "nothing is said from {version} on"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFeed => f.write_str("no feed covers its ecosystem"),
            Self::EmptyFeed => f.write_str("the feed of its ecosystem is empty"),
            Self::NoRelease => f.write_str(
                "the release of its distribution is not known, and advisories are of releases",
            ),
            Self::OtherReleases => f.write_str("the feed names no package of its release"),
            Self::Stale { age, age_max } => write!(
                f,
                "the feed is {} h old, and may be {} h old",
                age.as_secs() / 3600,
                age_max.as_secs() / 3600
            ),
            Self::FeedFromLater => {
                f.write_str("the feed was fetched later than now: a clock is wrong")
            }
            Self::Version(problem) => f.write_str(problem),
            Self::UncertainVersion => f.write_str(
                "its version has a place by a convention that no installer keeps any more",
            ),
            Self::Origin => f.write_str(
                "it comes from elsewhere than the registry whose packages advisories are about",
            ),
            Self::Advisory { id, problem } => write!(f, "{id} could not be used: {problem}"),
        }
    }
}
