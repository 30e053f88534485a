//! What one worker counts of the rules that `[waf]` names, and all of it as Prometheus text.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::counters::Times;
use super::load;
use super::routes::series;
use super::text::Text;

/// LIMIT: rules with a counter of their own; the rest count together as `other`.
const RULES_MAX: usize = 256;

/// Of one worker.
#[derive(Debug)]
pub(super) struct Counters {
    rules: Box<[OnceLock<Rule>]>,
    others: AtomicU64,
    spent: AtomicU64,
    unseen: AtomicU64,
    times: Box<Times>,
}

#[derive(Debug)]
struct Rule {
    id: u64,
    count: AtomicU64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            rules: (0..RULES_MAX).map(|_| OnceLock::new()).collect(),
            others: AtomicU64::new(0),
            spent: AtomicU64::new(0),
            unseen: AtomicU64::new(0),
            times: Box::default(),
        }
    }
}

impl Counters {
    pub(super) fn matched(&self, id: u64) {
        for cell in &self.rules {
            let rule = cell.get_or_init(|| Rule {
                id,
                count: AtomicU64::new(0),
            });
            if rule.id == id {
                rule.count.fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
        self.others.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn judged(&self, took: Duration) {
        self.times.record(took);
    }

    pub(super) fn spent(&self) {
        self.spent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn unseen(&self) {
        self.unseen.fetch_add(1, Ordering::Relaxed);
    }
}

/// What all workers counted.
pub(super) fn render<'a>(text: &mut Text, workers: impl Iterator<Item = &'a Counters>) {
    let mut rules = BTreeMap::<u64, u64>::new();
    let [mut others, mut spent, mut unseen] = [0_u64; 3];
    let times = Times::default();
    for one in workers {
        for rule in one.rules.iter().filter_map(OnceLock::get) {
            let sum = rules.entry(rule.id).or_default();
            *sum = sum.saturating_add(load(&rule.count));
        }
        others = others.saturating_add(load(&one.others));
        spent = spent.saturating_add(load(&one.spent));
        unseen = unseen.saturating_add(load(&one.unseen));
        times.add(&one.times);
    }
    const MATCHES: &str = "rampart_gateway_waf_matches_total";
    text.head(
        MATCHES,
        "counter",
        "Matches of the rules that `[waf]` names, by rule.",
    );
    for (id, count) in rules {
        text.line(MATCHES, &format!("rule=\"{id}\""), count);
    }
    text.line(MATCHES, "rule=\"other\"", others);
    for (name, help, value) in [
        (
            "rampart_gateway_waf_spent_total",
            "Requests whose budget was spent before all rules had run.",
            spent,
        ),
        (
            "rampart_gateway_waf_unseen_answers_total",
            "Answers that rules wanted to look into and could not: too long, too slow, compressed.",
            unseen,
        ),
    ] {
        text.head(name, "counter", help);
        text.line(name, "", value);
    }
    const TIMES: &str = "rampart_gateway_waf_duration_seconds";
    text.head(
        TIMES,
        "histogram",
        "How long rules looked at a request, or at an answer.",
    );
    series(text, TIMES, "", &times);
}
