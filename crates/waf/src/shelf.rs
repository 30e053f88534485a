//! Sets of rules that were loaded, so that the same texts are loaded once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use estate::Waf;
use seclang::Ruleset;

use crate::load::{self, Finding, Ready, Whole};

/// LIMIT: sets that are known: what is to be said of them, and themselves while somebody holds them.
const KNOWN_MAX: usize = 16;

/// See the module. It knows every set that somebody holds, and keeps the last ones itself where
/// nobody does.
///
/// One set is loaded at a time: whoever asks for the same meanwhile waits, and gets it. So never on
/// a request's way, and never on a thread that others wait for.
#[derive(Debug)]
pub struct Shelf {
    /// LIMIT: sets that are kept though nobody holds them; one is 35 MiB of the Core Rule Set.
    kept_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Newest first.
    known: VecDeque<Known>,
    kept: VecDeque<Arc<Ruleset>>,
    /// How often one was loaded.
    loads: u64,
}

#[derive(Debug)]
struct Known {
    digest: [u8; 32],
    rules: Weak<Ruleset>,
    findings: Arc<[Finding]>,
    unknown: Arc<[usize]>,
}

impl Shelf {
    /// One that keeps so many sets though nobody holds them.
    #[must_use]
    pub fn keeping(kept_max: usize) -> Self {
        Self {
            kept_max,
            state: Mutex::default(),
        }
    }

    /// How many sets were loaded so far.
    #[must_use]
    pub fn loads(&self) -> u64 {
        self.lock().loads
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rules of `whole`, which is what `waf` names: those that are there, or loaded now.
    ///
    /// # Errors
    /// Every finding, when they cannot be loaded.
    pub(crate) fn rules(&self, waf: &Waf, whole: &Whole<'_>) -> Result<Arc<Ruleset>, Vec<Finding>> {
        let digest = whole.digest();
        let mut state = self.lock();
        if let Some(rules) = state.known(&digest).and_then(|known| known.rules.upgrade()) {
            state.keep(&rules, self.kept_max);
            return Ok(rules);
        }
        Ok(state.load(waf, whole, digest, self.kept_max)?.rules)
    }

    /// What is to be said about them; they need not be there for that.
    ///
    /// # Errors
    /// As [`Shelf::rules`].
    pub(crate) fn said(&self, waf: &Waf, whole: &Whole<'_>) -> Result<Vec<Finding>, Vec<Finding>> {
        let digest = whole.digest();
        let mut state = self.lock();
        if let Some(known) = state.known(&digest) {
            return Ok(load::said(waf, &known.findings, &known.unknown));
        }
        let ready = state.load(waf, whole, digest, self.kept_max)?;
        Ok(load::said(waf, &ready.findings, &ready.unknown))
    }
}

impl State {
    fn known(&self, digest: &[u8; 32]) -> Option<&Known> {
        self.known.iter().find(|known| known.digest == *digest)
    }

    fn load(
        &mut self,
        waf: &Waf,
        whole: &Whole<'_>,
        digest: [u8; 32],
        kept_max: usize,
    ) -> Result<Ready, Vec<Finding>> {
        self.loads = self.loads.saturating_add(1);
        let ready = whole.load(waf)?;
        self.known.retain(|known| known.digest != digest);
        self.known.push_front(Known {
            digest,
            rules: Arc::downgrade(&ready.rules),
            findings: Arc::clone(&ready.findings),
            unknown: Arc::clone(&ready.unknown),
        });
        self.known.truncate(KNOWN_MAX);
        self.keep(&ready.rules, kept_max);
        Ok(ready)
    }

    fn keep(&mut self, rules: &Arc<Ruleset>, kept_max: usize) {
        self.kept.retain(|kept| !Arc::ptr_eq(kept, rules));
        self.kept.push_front(Arc::clone(rules));
        self.kept.truncate(kept_max);
    }
}
