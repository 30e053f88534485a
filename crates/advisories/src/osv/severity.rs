//! How severe: CVSS vectors kept as texts, with their scores, and the words of publishers.

use std::str::FromStr as _;

/// LIMIT: bytes of a vector. One of version 4 with every metric has about 200.
pub(super) const VECTOR_BYTES_MAX: usize = 512;

/// What one system says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Severity {
    /// Which system: `CVSS_V3`, `CVSS_V4`, `Ubuntu`.
    pub kind: String,
    /// Its vector, or its word, as it is written.
    pub vector: String,
    /// The score of a CVSS vector in tenths, from 0 to 100; nothing where it is none.
    pub score_tenths: Option<u8>,
}

/// How severe, in a word (CVSS 3.1 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rating {
    /// Score 0.1 to 3.9.
    Low,
    /// Score 4.0 to 6.9.
    Medium,
    /// Score 7.0 to 8.9.
    High,
    /// Score 9.0 to 10.0.
    Critical,
}

impl Rating {
    /// Of a score in tenths; nothing for 0.
    #[must_use]
    pub fn of(score_tenths: u8) -> Option<Self> {
        match score_tenths {
            0 => None,
            1..=39 => Some(Self::Low),
            40..=69 => Some(Self::Medium),
            70..=89 => Some(Self::High),
            _ => Some(Self::Critical),
        }
    }

    /// Of the words of publishers.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        const WORDS: &[(&str, Rating)] = &[
            ("low", Rating::Low),
            ("moderate", Rating::Medium),
            ("medium", Rating::Medium),
            ("high", Rating::High),
            ("important", Rating::High),
            ("critical", Rating::Critical),
        ];
        WORDS
            .iter()
            .find(|(known, _)| word.eq_ignore_ascii_case(known))
            .map(|(_, rating)| *rating)
    }

    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl Severity {
    /// Reads a vector. One that is none keeps its text, and has no score.
    #[must_use]
    pub fn new(kind: &str, vector: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            vector: vector.to_owned(),
            score_tenths: tenths(vector),
        }
    }

    /// Of a vector that names its own version (RustSec).
    pub(super) fn of_vector(vector: &str) -> Self {
        let kind = match vector.get(..7) {
            Some("CVSS:4.") => "CVSS_V4",
            Some("CVSS:3.") => "CVSS_V3",
            _ => "CVSS_V2",
        };
        Self::new(kind, vector)
    }
}

fn tenths(vector: &str) -> Option<u8> {
    if vector.len() > VECTOR_BYTES_MAX {
        return None;
    }
    let score = cvss::Cvss::from_str(vector).ok()?.score();
    // The first tenth that the score does not pass, with room for how floats are written.
    (0..=100_u8).find(|tenths| score * 10.0 <= f64::from(*tenths) + 0.01)
}

/// The highest score by the newest kind of vector that has one.
pub(super) fn score(severity: &[Severity]) -> Option<u8> {
    ["CVSS_V4", "CVSS_V3", "CVSS_V2"].iter().find_map(|kind| {
        let of_kind = severity.iter().filter(|one| one.kind == *kind);
        of_kind.filter_map(|one| one.score_tenths).max()
    })
}
