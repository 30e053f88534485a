//! Which requests of a connection have something to do: a bit for each place, and the task that
//! looks at them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;

/// Places of one word.
const WORD: usize = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct Ready {
    words: Box<[AtomicU64]>,
    task: AtomicWaker,
    /// The task is looking at them: it need not be woken for it.
    is_looking: AtomicBool,
}

/// Wakes for one place.
struct Bell {
    ready: Arc<Ready>,
    place: usize,
}

impl Ready {
    /// For so many places.
    pub(super) fn new(places: usize) -> Arc<Self> {
        let words = places.div_ceil(WORD);
        Arc::new(Self {
            words: (0..words).map(|_| AtomicU64::new(0)).collect(),
            task: AtomicWaker::new(),
            is_looking: AtomicBool::new(false),
        })
    }

    /// What wakes for a place, from now on and for all requests that have it.
    pub(super) fn bell(self: &Arc<Self>, place: usize) -> Waker {
        Waker::from(Arc::new(Bell {
            ready: Arc::clone(self),
            place,
        }))
    }

    /// The task looks from now on.
    pub(super) fn look(&self, task: &Waker) {
        self.task.register(task);
        self.is_looking.store(true, Ordering::SeqCst);
    }

    /// The task looks no more; whether somebody rang in between, who has not woken it.
    pub(super) fn rest(&self) -> bool {
        self.is_looking.store(false, Ordering::SeqCst);
        self.is_any()
    }

    /// Whether somebody rang.
    pub(super) fn is_any(&self) -> bool {
        let mut words = self.words.iter();
        words.any(|word| word.load(Ordering::SeqCst) != 0)
    }

    /// How many words there are.
    pub(super) fn words(&self) -> usize {
        self.words.len()
    }

    /// Takes the places of one word that somebody rang for.
    pub(super) fn take(&self, word: usize) -> Places {
        let bits = self
            .words
            .get(word)
            .filter(|word| word.load(Ordering::Relaxed) != 0)
            .map_or(0, |word| word.swap(0, Ordering::SeqCst));
        Places {
            bits,
            first: word.saturating_mul(WORD),
        }
    }
}

/// Some places.
#[derive(Debug)]
pub(super) struct Places {
    bits: u64,
    first: usize,
}

impl Iterator for Places {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.bits == 0 {
            return None;
        }
        let bit = self.bits.trailing_zeros();
        self.bits &= self.bits.wrapping_sub(1);
        Some(self.first.saturating_add(usize::try_from(bit).ok()?))
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(word) = self.ready.words.get(self.place / WORD) else {
            return;
        };
        let bit = 1_u64 << (self.place % WORD);
        let before = word.fetch_or(bit, Ordering::SeqCst);
        if before & bit == 0 && !self.ready.is_looking.load(Ordering::SeqCst) {
            self.ready.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_rings_for_itself_once() {
        let ready = Ready::new(130);
        let bells: Vec<_> = (0..130).map(|place| ready.bell(place)).collect();
        for place in [0, 63, 64, 129, 129] {
            bells[place].wake_by_ref();
        }
        assert!(ready.is_any());
        let taken: Vec<_> = (0..ready.words())
            .flat_map(|word| ready.take(word))
            .collect();
        assert_eq!(taken, [0, 63, 64, 129]);
        assert!(!ready.is_any());
    }

    #[test]
    fn who_rings_while_it_is_looked_is_not_lost() {
        let ready = Ready::new(1);
        ready.look(Waker::noop());
        assert!(!ready.rest());
        ready.look(Waker::noop());
        ready.bell(0).wake();
        assert!(ready.rest());
    }
}
