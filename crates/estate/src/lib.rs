//! The estate, `rampart.toml`: parse it, report every error at once with its place, and derive
//! what the parts need from it. Pure: text in, values out.

mod certificate_name;
mod derive;
mod diff;
mod documents;
mod fields;
mod findings;
mod kind;
mod limits;
mod model;
mod node;
mod origins;
mod parse;
mod path;
mod read;
mod sanitize;
mod schema;
mod shape;
mod starter;
mod suggest;
mod upstream;
mod values;
mod waf;

pub use certificate_name::CertificateName;
pub use diff::{Change, ChangeKind, diff};
pub use documents::{documents, rule_folders};
pub use limits::{
    Budget, Cost, KeySource, LimitKey, MissingKey, Per, RouteConcurrent, RouteRate, SharedLimits,
    StoreAddress, WhenAway,
};
pub use model::*;
pub use origins::{Origin, Place, origins};
pub use parse::Parsed;
pub use path::ParsePatternError;
pub use sanitize::{FieldPath, JsonStep, Keep, Sanitize};
pub use schema::{reference_markdown, schema};
pub use starter::starter;
pub use upstream::{
    Balance, Breaker, Capacity, Failure, HashKey, Health, NamedPlace, NoneHealthy, Outliers,
    Percent, Reach, Resolve, Retries, Statuses, UpstreamTimeouts,
};
pub use waf::{
    Exclusion, NewExclusion, RouteWaf, RuleSource, Tuning, Unwritable, Waf, WhenSpent, can_except,
    excepted,
};

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
