//! What ended an exchange: a rule by itself, or a sum of what rules added, and how much of it each
//! match was.

use seclang::{Match, Transaction};
use serde::Serialize;

/// How a set of rules adds up.
struct Sum {
    /// The TX variable that is compared.
    name: &'static str,
    /// The TX variable it is compared with.
    threshold: &'static str,
    /// The TX variables that matches add to, by their paranoia level; the sum itself where empty.
    parts: [&'static str; 4],
}

/// The sums of Rampart's own rules and of the Core Rule Set 3 and 4. A sum elsewhere is one that
/// matches add to by its own name, up to a threshold that is not known.
const SUMS: [Sum; 5] = [
    Sum {
        name: "rampart_score",
        threshold: "rampart_threshold",
        parts: [""; 4],
    },
    Sum {
        name: "blocking_inbound_anomaly_score",
        threshold: "inbound_anomaly_score_threshold",
        parts: [
            "inbound_anomaly_score_pl1",
            "inbound_anomaly_score_pl2",
            "inbound_anomaly_score_pl3",
            "inbound_anomaly_score_pl4",
        ],
    },
    Sum {
        name: "blocking_outbound_anomaly_score",
        threshold: "outbound_anomaly_score_threshold",
        parts: [
            "outbound_anomaly_score_pl1",
            "outbound_anomaly_score_pl2",
            "outbound_anomaly_score_pl3",
            "outbound_anomaly_score_pl4",
        ],
    },
    Sum {
        name: "inbound_anomaly_score",
        threshold: "inbound_anomaly_score_threshold",
        parts: [""; 4],
    },
    Sum {
        name: "anomaly_score",
        threshold: "inbound_anomaly_score_threshold",
        parts: [
            "anomaly_score_pl1",
            "anomaly_score_pl2",
            "anomaly_score_pl3",
            "anomaly_score_pl4",
        ],
    },
];

/// The TX variable with the level up to which matches count in the Core Rule Set.
const LEVEL: &str = "blocking_paranoia_level";

/// Why an exchange ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The rule that ended it.
    pub rule: u64,
    /// The sum that it compared; none where the rule looks at the exchange itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<Reached>,
}

/// A sum, as it stood when a rule compared it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// The TX variable, in lower case.
    pub name: String,
    /// What it came to.
    pub score: i64,
    /// From where on the rule refuses; none where rules of others do not say it by a known name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<i64>,
    /// The paranoia level up to which matches count, where the rules have one.
    #[serde(skip)]
    level: Option<i64>,
}

impl Decision {
    /// What ended the exchange; nothing while nothing did, or where a limit of the engine did.
    #[must_use]
    pub fn of(transaction: &Transaction<'_>) -> Option<Self> {
        let ended = transaction.interruption()?;
        let rule = ended.rule;
        if rule == 0 {
            return None;
        }
        let found = transaction.matches().iter().rev();
        let sum = found
            .filter(|one| one.id == rule)
            .find_map(|one| Reached::of(transaction, one));
        Some(Self { rule, sum })
    }

    /// How much a match added to the sum; nothing where there is none.
    #[must_use]
    pub fn added_by(&self, one: &Match) -> i64 {
        self.sum.as_ref().map_or(0, |sum| sum.added_by(one))
    }
}

impl Reached {
    /// The sum that a rule compared: the first TX variable that it met, one with a known meaning
    /// before others.
    fn of(transaction: &Transaction<'_>, decider: &Match) -> Option<Self> {
        let last = decider.found.iter().map(|found| &found.target);
        let met: Vec<String> = decider
            .first
            .iter()
            .chain(last)
            .filter_map(|target| {
                let name = target.strip_prefix(b"TX:")?;
                Some(String::from_utf8_lossy(name).to_ascii_lowercase())
            })
            .collect();
        let known = |name: &&String| SUMS.iter().any(|sum| sum.name == name.as_str());
        let name = met.iter().find(known).or_else(|| met.first())?;
        let number = |name: &str| -> Option<i64> {
            let value = transaction.tx(name)?;
            std::str::from_utf8(&value).ok()?.trim().parse().ok()
        };
        let sum = SUMS.iter().find(|sum| sum.name == name);
        Some(Self {
            score: number(name)?,
            threshold: sum.and_then(|sum| number(sum.threshold)),
            level: number(LEVEL),
            name: name.clone(),
        })
    }

    fn added_by(&self, one: &Match) -> i64 {
        let sum = SUMS.iter().find(|sum| sum.name == self.name);
        let parts = sum.map_or([""; 4], |sum| sum.parts);
        let counts = |name: &[u8]| {
            if parts.iter().all(|part| part.is_empty()) {
                return name == self.name.as_bytes();
            }
            (1..).zip(parts).any(|(level, part)| {
                part.as_bytes() == name && self.level.is_none_or(|max| level <= max)
            })
        };
        let raised = one.raised.iter().filter(|raised| counts(&raised.name));
        raised.fold(0, |sum, raised| sum.saturating_add(raised.by))
    }
}
