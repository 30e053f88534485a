//! How many requests hold a place, and how the server stands where limits are counted together, as
//! Prometheus text.

use super::text::Text;
use crate::limiter::StoreStats;

/// Everything about both.
pub(super) fn render(text: &mut Text, places: u64, store: Option<&StoreStats>) {
    const PLACES: &str = "rampart_gateway_limits_at_once";
    text.head(
        PLACES,
        "gauge",
        "Places held among the requests that may be under way at once.",
    );
    text.line(PLACES, "", places);
    if let Some(stats) = store {
        render_store(text, stats);
    }
}

fn render_store(text: &mut Text, stats: &StoreStats) {
    const AWAY: &str = "rampart_gateway_limits_store_away";
    const ASKED: &str = "rampart_gateway_limits_store_questions_total";
    text.head(
        AWAY,
        "gauge",
        "Whether limits are not counted together, because the server does not answer.",
    );
    text.line(AWAY, "", u64::from(stats.is_away));
    text.head(
        ASKED,
        "counter",
        "Requests whose limits are counted together, by what became of the question.",
    );
    for (outcome, count) in &stats.outcomes {
        text.line(ASKED, &format!("outcome=\"{outcome}\""), *count);
    }
}
