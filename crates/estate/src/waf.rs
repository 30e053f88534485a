//! What the estate says about rules of the ModSecurity language: where they come from, how strictly
//! they are meant, and what is excepted from them until when.

mod write;

use ::model::{ByteSize, Span, Timestamp};
use serde::Serialize;

use crate::model::Mode;

pub(crate) use write::of_parameter;
pub use write::{NewExclusion, Unwritable, can_except, excepted};

/// LIMIT: different strictnesses of one estate. Each is a set of rules of its own in memory.
pub(crate) const TUNINGS_MAX: usize = 8;

/// `[waf]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Waf {
    /// Where the rules come from, in the order they run.
    pub rules: Vec<RuleSource>,
    /// For routes that say nothing of their own.
    pub mode: Mode,
    /// For routes that say nothing of their own.
    pub tuning: Tuning,
    /// Bytes that the rules may look at for one request and its answer, in all.
    pub budget: ByteSize,
    /// For routes that say nothing of their own.
    pub when_spent: WhenSpent,
    /// For routes that say nothing of their own.
    pub answers: bool,
    /// `[[waf.exclusion]]`, in order.
    pub exclusions: Vec<Exclusion>,
}

/// Where rules come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub enum RuleSource {
    /// What Rampart ships.
    Builtin,
    /// A folder laid out as the Core Rule Set is: a path relative to the estate file.
    Folder(String),
}

impl From<RuleSource> for String {
    fn from(source: RuleSource) -> Self {
        match source {
            RuleSource::Builtin => "builtin".to_owned(),
            RuleSource::Folder(path) => path,
        }
    }
}

/// How strictly rules are meant. What is not given stays as the rules' own settings have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Tuning {
    /// 1 to 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paranoia: Option<u8>,
    /// The score from which a request is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbound_threshold: Option<u32>,
    /// The score from which an answer is withheld.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound_threshold: Option<u32>,
}

/// What becomes of a request whose budget is spent, or for whose body there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenSpent {
    /// It is refused.
    Block,
    /// It goes on, and that is recorded.
    Pass,
}

/// What a route says of the rules, or takes from `[waf]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RouteWaf {
    /// Refuse, or only record.
    pub mode: Mode,
    /// How strictly.
    #[serde(flatten)]
    pub tuning: Tuning,
    /// When the work is not finished.
    pub when_spent: WhenSpent,
    /// Whether answers of its service are held and looked into.
    pub answers: bool,
}

/// Something that rules do not look at, for a reason and for a time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exclusion {
    /// The rule with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<u64>,
    /// Rules with this tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Only these targets of them, as the rules write them; all of them when empty.
    pub targets: Vec<String>,
    /// Only on this route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it applies, in UTC.
    pub until: String,
    /// The moment from which it applies no more.
    #[serde(skip)]
    pub ends: Timestamp,
    /// Where it stands in the file.
    #[serde(skip)]
    pub span: Span,
}

impl Exclusion {
    /// What it names, in words: `rule 942100` or `tag attack-sqli`.
    #[must_use]
    pub fn what(&self) -> String {
        let which = match (self.rule, &self.tag) {
            (Some(rule), _) => format!("rule {rule}"),
            (None, Some(tag)) => format!("tag `{tag}`"),
            (None, None) => "nothing".to_owned(),
        };
        match self.targets.first() {
            Some(first) => format!("{which} at `{first}`"),
            None => which,
        }
    }
}

impl crate::Estate {
    /// Exclusions that apply no more at `now`, or end within two weeks: each is a warning.
    #[must_use]
    pub fn ended_exclusions(&self, now: Timestamp) -> Vec<::model::Diagnostic> {
        const SOON: std::time::Duration = std::time::Duration::from_secs(14 * 24 * 3600);
        let all = self.waf.iter().flat_map(|waf| &waf.exclusions);
        let told = all.filter_map(|one| {
            let (code, message) = if one.ends <= now {
                let text = format!(
                    "the exclusion of {} ended with {}, and applies no more",
                    one.what(),
                    one.until
                );
                ("estate.exclusion_ended", text)
            } else if one.ends <= now.after(SOON) {
                let text = format!("the exclusion of {} ends with {}", one.what(), one.until);
                ("estate.exclusion_ends_soon", text)
            } else {
                return None;
            };
            let hint = "take it out, or give `until` a later day with a reason that still holds";
            Some(::model::Diagnostic::warning(code, one.span, message).hint(hint))
        });
        told.collect()
    }
}
