//! What gateways learnt of the traffic of routes that say `learn = true`, in words for a surface.

use serde::Serialize;

/// What one gateway learnt of one route since it started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Learnt {
    /// The gateway.
    pub gateway: String,
    /// The route.
    pub route: String,
    /// Exchanges that were looked at.
    pub exchanges: u64,
    /// Exchanges that were not, because there were too many at once.
    pub skipped: u64,
    /// What was seen and not kept, because a limit was reached.
    pub dropped: u64,
    /// An OpenAPI document that describes the traffic, as YAML.
    pub proposal: String,
    /// How traffic differs from the route's document; `null` where it has none.
    pub drift: Option<Vec<LearntDrift>>,
}

/// One difference between a document and its traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LearntDrift {
    /// `undocumented`, `never_seen`, `parameter`, `field`, `type`, `status`, `media_type`.
    pub kind: String,
    /// The operation's method.
    pub method: String,
    /// The operation's path.
    pub template: String,
    /// Where in it; empty for the operation itself.
    pub place: String,
    /// What differs.
    pub text: String,
    /// How often it was seen.
    pub seen: u64,
}
