//! What the shop saw: the proof that nothing of a refused request reached it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use http::request::Parts;

/// LIMIT: requests remembered; older ones are forgotten, their count is not.
const REMEMBERED_MAX: usize = 4096;
/// LIMIT: bytes of a body that are remembered.
const BODY_BYTES_MAX: usize = 4096;

/// One request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Its place among all requests ever seen, from zero.
    pub(crate) number: u64,
    /// Method and target: `GET /api/products?search=lamp`.
    pub(crate) line: String,
    /// Names and values of its header fields, one per line.
    pub(crate) head: String,
    /// The beginning of its body.
    pub(crate) body: String,
}

/// Every request the shop has seen, newest last.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    count: u64,
    newest: VecDeque<Seen>,
}

impl Log {
    /// How many requests have been seen so far.
    pub(crate) fn count(&self) -> u64 {
        self.kept().count
    }

    /// Those seen since [`Log::count`] was `mark`, oldest first.
    pub(crate) fn since(&self, mark: u64) -> Vec<Seen> {
        let kept = self.kept();
        let newer = kept.newest.iter().filter(|seen| seen.number >= mark);
        newer.cloned().collect()
    }

    pub(super) fn note(&self, parts: &Parts, body: &[u8]) {
        let target = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let head = parts.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            format!("{name}: {value}\n")
        });
        let body = body.get(..BODY_BYTES_MAX).unwrap_or(body);
        let mut kept = self.kept();
        let seen = Seen {
            number: kept.count,
            line: format!("{} {target}", parts.method),
            head: head.collect(),
            body: String::from_utf8_lossy(body).into_owned(),
        };
        kept.count += 1;
        if kept.newest.len() == REMEMBERED_MAX {
            kept.newest.pop_front();
        }
        kept.newest.push_back(seen);
    }

    /// A panic while noting loses at most that one request.
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
