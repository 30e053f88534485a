//! When what is to be done. Pure: moments in, moments out.

use std::time::Duration;

use model::Timestamp;

/// The first pause after a failure.
const PAUSE_MIN: Duration = Duration::from_secs(60);
/// The longest, unless the authority asks for more.
const PAUSE_MAX: Duration = Duration::from_hours(12);
/// LIMIT: how long an authority may ask us to wait.
const ASKED_MAX: Duration = Duration::from_hours(24);
/// Renewals of one moment are spread over this part of the time that is left for them.
const SPREAD: u32 = 10;

/// When a certificate is to be renewed: when one of `part` parts of its life is left, and a little
/// before that, by its host's name, so that many of one day are not all asked for in one minute.
pub(super) fn renewal(host: &str, begin: Timestamp, end: Timestamp, part: u32) -> Timestamp {
    let left = end.since(begin) / part.max(1);
    let mut place = 0_u32;
    for byte in host.bytes() {
        place = place.wrapping_mul(31).wrapping_add(u32::from(byte)) % 256;
    }
    end.before(left + left / SPREAD * place / 256)
}

/// How long to wait after `failures` in a row: longer each time, less while a certificate runs out
/// (`left`), never less than the authority asks for; `jitter` spreads it.
pub(super) fn pause(
    failures: u32,
    left: Option<Duration>,
    asked: Option<Duration>,
    jitter: u8,
) -> Duration {
    let doubled = 1_u32 << failures.saturating_sub(1).min(16);
    let mut pause = PAUSE_MIN.saturating_mul(doubled).min(PAUSE_MAX);
    if let Some(left) = left {
        // One that is used now gets at least eight more tries before it ends.
        pause = pause.min(left / 8).max(PAUSE_MIN);
    }
    let spread = pause / 4 * u32::from(jitter) / 255;
    let pause = pause + spread;
    match asked {
        Some(asked) => pause.max(asked.min(ASKED_MAX)),
        None => pause,
    }
}

/// Whether a certificate runs out although it should have been renewed: half of the time for that
/// is over.
pub(super) fn is_expiring(now: Timestamp, begin: Timestamp, end: Timestamp, part: u32) -> bool {
    end.since(now) < end.since(begin) / part.max(1) / 2
}

#[cfg(test)]
mod tests;
