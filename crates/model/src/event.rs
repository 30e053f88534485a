//! Events: what happened, in one shape for every part, after OCSF 1.x where OCSF has a class.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Clock, Context, Entropy, EventId, Principal, RequestId, Timestamp};

/// How durable an event is before its action is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Sign-ins, grants, estate changes, actions: on disk before the answer.
    Change,
    /// A key used, a secret read: written before the answer, on disk within 100 ms.
    Use,
    /// Requests served and refused: bounded batches.
    Traffic,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done.
    Success,
    /// Tried, and did not work.
    Failure,
    /// Not allowed.
    Refused,
}

/// How much it matters.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For the record.
    #[default]
    Info,
    /// Worth a look some day.
    Low,
    /// Worth a look this week.
    Medium,
    /// Worth a look today.
    High,
    /// Worth waking somebody.
    Critical,
}

/// What was acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// `person`, `role`, `estate`, `route`, `api_key`, …
    pub kind: Cow<'static, str>,
    /// Its stable id or name.
    pub id: String,
}

/// OCSF class numbers (`class_uid`).
pub mod ocsf {
    /// Account Change.
    pub const ACCOUNT_CHANGE: u32 = 3001;
    /// Authentication.
    pub const AUTHENTICATION: u32 = 3002;
    /// User Access Management.
    pub const USER_ACCESS: u32 = 3005;
    /// HTTP Activity.
    pub const HTTP_ACTIVITY: u32 = 4002;
    /// API Activity.
    pub const API_ACTIVITY: u32 = 6003;
    /// Application Lifecycle.
    pub const APPLICATION_LIFECYCLE: u32 = 6002;
    /// Detection Finding.
    pub const DETECTION_FINDING: u32 = 2004;
    /// Entity Management: a managed thing is created, changed or removed.
    pub const ENTITY_MANAGEMENT: u32 = 3004;
}

/// OCSF activity numbers (`activity_id`) that several classes share.
pub mod activity {
    /// Create, sign-in, request: the first activity of a class.
    pub const FIRST: u8 = 1;
    /// Read, sign-out.
    pub const SECOND: u8 = 2;
    /// Update.
    pub const THIRD: u8 = 3;
    /// Delete.
    pub const FOURTH: u8 = 4;
    /// None of the class's own.
    pub const OTHER: u8 = 99;
}

/// One thing that happened. Never contains a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its id; appending the same id twice stores it once.
    pub id: EventId,
    /// When.
    pub time: Timestamp,
    /// How durable.
    pub class: Class,
    /// What: `<strategy>.<noun>.<verb in past>`, such as `identity.session.started`.
    pub kind: Cow<'static, str>,
    /// OCSF `class_uid`, see [`ocsf`].
    pub class_uid: u32,
    /// OCSF `activity_id`, see [`activity`].
    pub activity_id: u8,
    /// How it ended.
    pub outcome: Outcome,
    /// How much it matters.
    pub severity: Severity,
    /// Who did it.
    pub actor: Principal,
    /// What it was done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// From where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    /// Within which request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// One line for people: lower case, no full stop.
    pub message: String,
    /// Everything else, by name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub detail: Map<String, Value>,
}

impl Event {
    /// A change event of `kind` that succeeded, by the principal of `ctx`; the rest by the
    /// builder methods.
    pub fn change(
        kind: &'static str,
        ctx: &Context,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Self {
        Self {
            id: EventId::new(clock, entropy),
            time: clock.now(),
            class: Class::Change,
            kind: Cow::Borrowed(kind),
            class_uid: ocsf::API_ACTIVITY,
            activity_id: activity::OTHER,
            outcome: Outcome::Success,
            severity: Severity::Info,
            actor: ctx.principal.clone(),
            target: None,
            source: ctx.source,
            request_id: Some(ctx.request_id),
            message: String::new(),
            detail: Map::new(),
        }
    }

    /// Sets the durability class.
    #[must_use]
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// Sets the OCSF class and activity.
    #[must_use]
    pub fn ocsf(mut self, class_uid: u32, activity_id: u8) -> Self {
        self.class_uid = class_uid;
        self.activity_id = activity_id;
        self
    }

    /// Sets how it ended.
    #[must_use]
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// Sets how much it matters.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Sets what it was done to.
    #[must_use]
    pub fn target(mut self, kind: &'static str, id: &(impl ToString + ?Sized)) -> Self {
        self.target = Some(Target {
            kind: Cow::Borrowed(kind),
            id: id.to_string(),
        });
        self
    }

    /// Sets the line for people.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Adds one detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }
}
