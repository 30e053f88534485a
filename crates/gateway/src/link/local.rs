//! What the link's client needs of its process.

use std::sync::Arc;

use estate::Estate;
use model::snapshot::{IdentityChange, IdentitySnapshot};
use model::{SessionId, Timestamp};

use super::protocol::{AssertionKeyText, ChallengeText, Content, EstateTexts, Learnt, Stats};

/// A compiled version, and what puts it in place.
pub(crate) type Compiled = (Arc<Estate>, Box<dyn FnOnce() + Send>);

/// Whether a change of identity followed the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Continuity {
    /// It did.
    InOrder,
    /// Something in between is missing: the link begins anew, with everything.
    Gap,
}

/// What every word of control does here.
pub(crate) trait Local: Send + Sync + 'static {
    /// Parses and compiles a version; or why not, in one line.
    fn compile(&self, version: u64, texts: &EstateTexts) -> Result<Compiled, String>;
    /// The version that is served now; zero before the first.
    fn version(&self) -> u64;
    /// Identity is exactly this.
    fn identity(&self, snapshot: IdentitySnapshot);
    /// Identity changed by one step.
    fn change(&self, revision: u64, change: IdentityChange) -> Continuity;
    /// Assertions are signed with this.
    fn assertion_key(&self, key: &AssertionKeyText);
    /// Control was heard.
    fn heard(&self);
    /// Challenges are answered with exactly these, or what is wrong with one.
    fn challenges(&self, challenges: Vec<ChallengeText>) -> Result<(), String>;
    /// What was counted so far.
    fn stats(&self) -> Stats;
    /// What traffic showed of routes since the last call; takes a while.
    fn learnt(&self) -> Vec<Learnt>;
    /// Sessions used since the last call.
    fn seen(&self) -> Vec<(SessionId, Timestamp)>;
}

/// What waits to be recorded, oldest first.
pub(crate) trait Deliveries: Send + Sync + 'static {
    /// The oldest that is not acknowledged and comes after `after`; waits for one. Nothing is lost
    /// when the caller goes away.
    fn next(&self, after: u64) -> impl Future<Output = (u64, Content)> + Send;
    /// One is recorded.
    fn done(&self, id: u64);
}
