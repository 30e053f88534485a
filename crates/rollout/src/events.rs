//! The one event a rollout emits.

use estate::Change;
use model::{Clock, Context, Entropy, Event, activity, ocsf};
use serde_json::Value;

use crate::Version;

/// LIMIT: changes named in the event; the text itself is in the store.
const CHANGES_MAX: usize = 100;

/// A version was taken into force.
pub(crate) fn applied(
    ctx: &Context,
    version: &Version,
    changes: &[Change],
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Event {
    let named: Vec<Value> = changes
        .iter()
        .take(CHANGES_MAX)
        .filter_map(|change| serde_json::to_value(change).ok())
        .collect();
    Event::change("rollout.estate.applied", ctx, clock, entropy)
        .ocsf(ocsf::ENTITY_MANAGEMENT, activity::THIRD)
        .target("estate", &version.number)
        .message(format!(
            "estate version {} applied: {} changes",
            version.number,
            changes.len()
        ))
        .with("version", version.number)
        .with("hash", version.hash.as_str())
        .with("changes", named)
        .with(
            "changes_left_out",
            changes.len().saturating_sub(CHANGES_MAX),
        )
}
