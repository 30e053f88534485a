//! The rules of an estate as a list to look things up in: where each stands, what it is about, and
//! which come after it.

use std::collections::BTreeMap;

use estate::Waf;

use crate::Shelf;
use crate::load::{Finding, Whole};

/// When a rule runs: by phase, then in the order of the files.
type Turn = (u8, usize);

/// See the module.
#[derive(Debug, Default)]
pub struct Known {
    rules: BTreeMap<u64, KnownRule>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownRule {
    /// `coreruleset/rules/….conf:45`.
    pub place: String,
    /// Its tags, but for those that depend on a request.
    pub tags: Vec<String>,
    /// How many rules after it may lead to a refusal on the same side of an exchange.
    after: usize,
}

impl KnownRule {
    /// Whether it recognises a program that looks for weaknesses, by what that says of itself.
    #[must_use]
    pub fn tells_scanners(&self) -> bool {
        self.tags.iter().any(|tag| tag.contains("scanner"))
    }
}

impl Known {
    /// Loads the rules of `waf` from `texts`, where `shelf` does not have them, and takes down what
    /// they are. Takes up to a second.
    ///
    /// # Errors
    /// Every finding, when they cannot be loaded.
    pub fn load(
        waf: &Waf,
        texts: &BTreeMap<String, String>,
        shelf: &Shelf,
    ) -> Result<Self, Vec<Finding>> {
        let rules = shelf.rules(waf, &Whole::of(waf, &waf.tuning, texts)?)?;
        let mut known: Vec<(Turn, bool, u64, KnownRule)> = rules
            .rules()
            .enumerate()
            .map(|(at, rule)| {
                let tags = rule.tags.iter();
                let known = KnownRule {
                    place: rule.place.to_string(),
                    tags: tags
                        .map(|tag| String::from_utf8_lossy(tag).into_owned())
                        .collect(),
                    after: 0,
                };
                ((rule.phase, at), rule.ends, rule.id, known)
            })
            .collect();
        known.sort_by_key(|(turn, ..)| *turn);
        // Behind the last rule that can refuse, the others only count.
        let (mut last, mut after) = (None, 0);
        for ((phase, _), ends, _, rule) in known.iter_mut().rev() {
            let side = side(*phase);
            if last.replace(side) != Some(side) {
                after = 0;
            }
            rule.after = after;
            after += usize::from(*ends || after > 0);
        }
        let rules = known.into_iter().map(|(.., id, rule)| (id, rule));
        Ok(Self {
            rules: rules.collect(),
        })
    }

    /// A rule by its id.
    #[must_use]
    pub fn rule(&self, id: u64) -> Option<&KnownRule> {
        self.rules.get(&id)
    }

    /// How many rules run after this one that may lead to a refusal on the same side of an exchange:
    /// they are not asked when it ends the exchange. Nothing for a rule that is not there.
    #[must_use]
    pub fn after(&self, id: u64) -> Option<usize> {
        self.rules.get(&id).map(|rule| rule.after)
    }
}

/// Which part of an exchange a phase is about: the request, the answer, or what is over.
fn side(phase: u8) -> u8 {
    match phase {
        ..=2 => 0,
        3..=4 => 1,
        _ => 2,
    }
}
