//! Sealed segments go when the estate says so, or when there are too many; their roots stay in the
//! trail.

use std::io;
use std::path::Path;

use model::Timestamp;

use super::segment;

/// LIMIT: bytes of all sealed segments.
const BYTES_MAX: u64 = 4 << 30;
/// An id is its time in milliseconds, then 80 random bits.
const RANDOM_BITS: u32 = 80;

/// What went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gone {
    /// Segments that were old enough.
    pub(super) old: u64,
    /// Segments that were not, but there was no room.
    pub(super) crowded: u64,
}

/// Removes what is older than `keep_ms`, and the oldest of what is too much.
pub(super) fn clean(folder: &Path, keep_ms: u64, now: Timestamp) -> io::Result<Gone> {
    clean_to(folder, keep_ms, now, BYTES_MAX)
}

pub(super) fn clean_to(
    folder: &Path,
    keep_ms: u64,
    now: Timestamp,
    bytes_max: u64,
) -> io::Result<Gone> {
    let segments = segment::sealed(folder)?;
    let mut bytes: u64 = segments.iter().map(|(_, _, length)| length).sum();
    let mut gone = Gone::default();
    for (id, path, length) in segments {
        let begun = i64::try_from(id.as_raw() >> RANDOM_BITS).unwrap_or(i64::MAX);
        let age = now.since(Timestamp::from_millis(begun)).as_millis();
        let old = age > u128::from(keep_ms);
        if !old && bytes <= bytes_max {
            break;
        }
        std::fs::remove_file(path)?;
        bytes = bytes.saturating_sub(length);
        if old {
            gone.old += 1;
        } else {
            gone.crowded += 1;
        }
    }
    Ok(gone)
}
