//! What the server is asked, in one exchange for all limits of a request, and what it answers.

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use estate::Mode;
use model::Rate;
use net::Decision;
use smallvec::SmallVec;

use super::super::{Rated, What, half};

/// The script, which the server runs as one step.
const TEXT: &str = include_str!("limits.lua");
/// Of what stands under a key: a change of it counts anew, beside older gateways.
const VERSION: u32 = 1;
/// Numbers of one limit's answer.
const NUMBERS: usize = 4;

/// What each limit said, in the order it was asked.
pub(crate) type Answer = SmallVec<[Decision; 4]>;

/// See the module.
#[derive(Debug)]
pub(super) struct Script {
    /// By what the server knows it (SHA-1, as EVALSHA has it).
    sha: String,
    /// What every key begins with.
    prefix: String,
    /// What every digest begins with.
    estate: String,
}

/// All limits of one request.
#[derive(Debug)]
pub(crate) struct Question {
    keys: SmallVec<[String; 4]>,
    numbers: SmallVec<[(u64, u32); 4]>,
    cost: u32,
    mode: Mode,
}

impl Script {
    /// Keys of estates of other names are others.
    pub(super) fn new(name: &str, domain: &str) -> Self {
        let sha = digest(&SHA1_FOR_LEGACY_USE_ONLY, TEXT.as_bytes());
        let sha = sha.as_ref().iter().map(|byte| format!("{byte:02x}"));
        Self {
            sha: sha.collect(),
            // In braces: a server that shares keys out keeps those of one request together.
            prefix: format!("rampart:limit:{VERSION}:{{{name}}}:"),
            estate: format!("{name}\0{domain}\0"),
        }
    }

    /// Whether both put the same under the same keys.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.prefix, &self.estate) == (&other.prefix, &other.estate)
    }

    /// Who is counted stands there as a digest alone.
    pub(super) fn key(&self, limit: &[u8], what: Option<&What>) -> String {
        let mut digest = Context::new(&SHA256);
        digest.update(self.estate.as_bytes());
        digest.update(limit);
        digest.update(b"\0");
        if let Some(what) = what {
            what.note(&mut digest);
        }
        let mut key = self.prefix.clone();
        URL_SAFE_NO_PAD.encode_string(half(digest), &mut key);
        key
    }

    /// The question by what the server knows the script by, and with its text for one that does
    /// not know it.
    pub(super) fn commands(&self, question: &Question) -> [redis::Cmd; 2] {
        let command = |name: &str, script: &str| {
            let mut command = redis::cmd(name);
            command.arg(script).arg(question.keys.len());
            for key in &question.keys {
                command.arg(key);
            }
            let all_or_nothing = match question.mode {
                Mode::Block => 1,
                Mode::Observe => 0,
            };
            command.arg(question.cost).arg(all_or_nothing);
            for (interval_us, count) in &question.numbers {
                command.arg(*interval_us).arg(*count);
            }
            command
        };
        [command("EVALSHA", &self.sha), command("EVAL", TEXT)]
    }
}

impl Question {
    /// In `block` everything is taken or nothing, in `observe` each limit counts for itself.
    pub(super) fn new(cost: u32, mode: Mode) -> Self {
        Self {
            keys: SmallVec::new(),
            numbers: SmallVec::new(),
            cost,
            mode,
        }
    }

    /// One more limit.
    pub(super) fn ask(&mut self, script: &Script, rated: &Rated, what: &What) {
        let key = script.key(&rated.identity, Some(what));
        self.push(key, rated.policy.rate);
    }

    /// Numbers of Lua hold microseconds of this century exactly, and no nanoseconds: what lies
    /// beyond some hundred thousand a second is rounded.
    pub(super) fn push(&mut self, key: String, rate: Rate) {
        let period_us = rate.per_ms.saturating_mul(1000);
        let count = u64::from(rate.count).max(1);
        let interval_us = period_us.saturating_add(count / 2) / count;
        self.keys.push(key);
        self.numbers.push((interval_us.max(1), rate.count));
    }

    /// What the server's numbers say; nothing when they are not what the script returns.
    pub(super) fn read(&self, said: &[i64]) -> Option<Answer> {
        if said.len() != self.keys.len().checked_mul(NUMBERS)? {
            return None;
        }
        let micros = |number: i64| u64::try_from(number).ok().map(Duration::from_micros);
        let one = |numbers: &[i64]| match numbers {
            [allowed, remaining, reset, retry_after] => Some(Decision {
                allowed: *allowed == 1,
                remaining: u32::try_from(*remaining).ok()?,
                reset: micros(*reset)?,
                retry_after: micros(*retry_after)?,
            }),
            _ => None,
        };
        said.chunks(NUMBERS).map(one).collect()
    }
}

#[cfg(test)]
mod tests;
