//! Time as upstreams count it: milliseconds of the process's clock, from 1 on, so that 0 can mean
//! never.

use std::cell::Cell;

use model::Clock;

/// The time, asked for once at most, and only when somebody needs it.
#[derive(Debug)]
pub(super) struct Now<'a> {
    clock: &'a dyn Clock,
    ticks: Cell<u64>,
}

impl<'a> Now<'a> {
    pub(super) fn of(clock: &'a dyn Clock) -> Self {
        Self {
            clock,
            ticks: Cell::new(0),
        }
    }

    pub(super) fn ticks(&self) -> u64 {
        if self.ticks.get() == 0 {
            self.ticks.set(ticks(self.clock));
        }
        self.ticks.get()
    }
}

/// What time it is.
pub(super) fn ticks(clock: &dyn Clock) -> u64 {
    let ms = u64::try_from(clock.monotonic().as_millis()).unwrap_or(u64::MAX);
    ms.saturating_add(1)
}
