//! What the link does to this process: every word of control, carried out on what requests are
//! decided by.

use std::sync::Arc;

use estate::Estate;
use model::snapshot::{IdentityChange, IdentitySnapshot};
use model::{Secret, SessionId, Timestamp};
use net::tls::Challenge;

use crate::assertion::Signer;
use crate::body::Use;
use crate::contract::Documents;
use crate::directory::Order;
use crate::front::Caps;
use crate::link::protocol::{AssertionKeyText, EstateTexts, HeldStats, Learnt, PlaceStats, Stats};
use crate::link::{ChallengeText, Continuity, Local};
use crate::shared::Common;
use crate::state::Builder;

/// See the module.
#[derive(Debug)]
pub(crate) struct Process {
    /// What requests reach.
    pub(crate) common: Arc<Common>,
    /// Makes states.
    pub(crate) builder: Builder,
    /// Open connections.
    pub(crate) caps: Arc<Caps>,
    /// Rules of the version in force, which the next one may share.
    pub(crate) shelf: waf::Shelf,
}

impl Local for Process {
    fn compile(
        &self,
        version: u64,
        texts: &EstateTexts,
    ) -> Result<(Arc<Estate>, Box<dyn FnOnce() + Send>), String> {
        let parsed = Estate::parse(&texts.source).map_err(|diagnostics| {
            let first = diagnostics.iter().find(|one| one.is_error());
            first.map_or_else(
                || "the estate is not valid".to_owned(),
                |one| one.message.clone(),
            )
        })?;
        let documents = Documents::compile(&parsed.estate, &texts.documents, &self.shelf);
        let documents = documents.map_err(|error| error.to_string())?;
        let estate = Arc::new(parsed.estate);
        let before = self.common.state.load();
        let state = self
            .builder
            .build(version, Arc::clone(&estate), &documents, before.as_deref())
            .map_err(|error| match std::error::Error::source(&error) {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            })?;
        let common = Arc::clone(&self.common);
        let install = move || {
            let estate = state.estate();
            let keep = estate.trail.traffic_keep;
            if let Some(recorder) = &common.recorder {
                recorder.configure(keep, estate.gateway.pressure);
            }
            common.state.store(Some(Arc::new(state)));
            common.keeper.notify_one();
        };
        Ok((estate, Box::new(install)))
    }

    fn version(&self) -> u64 {
        let state = self.common.state.load();
        state.as_ref().map_or(0, |state| state.compiled.version)
    }

    fn identity(&self, snapshot: IdentitySnapshot) {
        self.common.directory.replace(snapshot);
    }

    fn change(&self, revision: u64, change: IdentityChange) -> Continuity {
        match self.common.directory.change(revision, change) {
            Order::Kept => Continuity::InOrder,
            Order::Broken => Continuity::Gap,
        }
    }

    fn assertion_key(&self, key: &AssertionKeyText) {
        match Signer::new(key.id.clone(), &key.seed) {
            Some(signer) => self.common.sign_with(signer),
            None => tracing::error!(id = %key.id, "control sent an assertion key that is none"),
        }
    }

    fn challenges(&self, texts: Vec<ChallengeText>) -> Result<(), String> {
        let mut challenges = Vec::with_capacity(texts.len());
        for text in texts {
            challenges.push(match text {
                ChallengeText::Page {
                    host,
                    token,
                    answer,
                } => Challenge::Page {
                    host,
                    token,
                    answer,
                },
                ChallengeText::Handshake(text) => {
                    let key = Secret::new(text.key);
                    let certificate = net::Certificate::of_challenge(text.hosts, text.chain, key);
                    Challenge::Handshake(certificate.map_err(|error| error.to_string())?)
                }
            });
        }
        let answered = self.common.certificates.challenges();
        let replaced = answered.replace(&challenges);
        replaced.map_err(|error| error.to_string())
    }

    fn heard(&self) {
        self.common.directory.heard(self.common.clock.monotonic());
    }

    fn stats(&self) -> Stats {
        let budget = &self.common.budget;
        let place = |used: Use| PlaceStats {
            taken_bytes: used.taken,
            max_bytes: used.max,
            full: used.refused,
        };
        let held = HeldStats {
            memory: place(budget.memory()),
            disk: place(budget.disk()),
        };
        self.builder.registry.stats(self.caps.open(), held)
    }

    fn learnt(&self) -> Vec<Learnt> {
        let state = self.common.state.load_full();
        state.map_or_else(Vec::new, |state| self.common.book.news(&state))
    }

    fn seen(&self) -> Vec<(SessionId, Timestamp)> {
        self.common.directory.take_seen()
    }
}
