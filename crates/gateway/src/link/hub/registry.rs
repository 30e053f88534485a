//! What the hub knows: what gateways must be told, and which are there. One lock, never held while
//! anything waits.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::Timestamp;
use model::snapshot::IdentitySnapshot;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::GatewayStatus;
use super::flow::{Flow, per_second};
use crate::link::protocol::{
    AssertionKeyText, CertificateText, ChallengeText, EstateTexts, Learnt, Stats, ToGateway,
};

/// LIMIT: messages that wait for one gateway. One that is so far behind begins anew, with
/// everything.
pub(super) const QUEUE_MAX: usize = 4096;

/// LIMIT: bytes of what gateways learnt; what does not fit is left out.
const LEARNT_BYTES_MAX: usize = 64 << 20;

/// Which process a link is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// What it calls itself.
    pub(super) node: String,
    /// Which process of that name.
    pub(super) instance: String,
}

/// What a gateway will have said.
pub(super) type Answer = oneshot::Receiver<Result<(), String>>;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wait {
    Prepared(u64),
    Swapped(u64),
    Certificates(u64),
    Settled(u64),
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Registry {
    pub(super) estate: Option<(u64, Arc<EstateTexts>)>,
    pub(super) certificates: Option<Vec<CertificateText>>,
    pub(super) challenges: Vec<ChallengeText>,
    pub(super) assertion_key: Option<AssertionKeyText>,
    pub(super) identity: Option<IdentitySnapshot>,
    /// What gateways learnt, by node and route; it outlives their links.
    learnt: BTreeMap<(String, String), Learnt>,
    /// What went through all of them since this process started.
    pub(super) flow: Flow,
    gateways: BTreeMap<Key, Gateway>,
    last_id: u64,
}

#[derive(Debug)]
struct Gateway {
    link: u64,
    out: mpsc::Sender<Arc<ToGateway>>,
    cut: CancellationToken,
    /// Whether it was told everything.
    begun: bool,
    /// What it has ready.
    prepared: Option<u64>,
    /// What it is to swap in by itself as soon as it has it ready.
    wanted: Option<u64>,
    version: u64,
    /// What it counted, and when it said so; nothing before its first word.
    stats: Option<(Timestamp, Stats)>,
    /// Requests per second between its last two words.
    rate: f64,
    since: Timestamp,
    waits: HashMap<Wait, oneshot::Sender<Result<(), String>>>,
}

/// A new link's ends.
pub(super) struct Joined {
    pub(super) link: u64,
    pub(super) queue: mpsc::Receiver<Arc<ToGateway>>,
    pub(super) cut: CancellationToken,
}

impl Registry {
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// A gateway is there; an older link of the same process ends.
    pub(super) fn join(&mut self, node: &Key, version: u64, since: Timestamp) -> Joined {
        let link = self.next_id();
        let (out, queue) = mpsc::channel(QUEUE_MAX);
        let cut = CancellationToken::new();
        let gateway = Gateway {
            link,
            out,
            cut: cut.clone(),
            begun: false,
            prepared: None,
            wanted: None,
            version,
            stats: None,
            rate: 0.0,
            since,
            waits: HashMap::new(),
        };
        if let Some(old) = self.gateways.insert(node.clone(), gateway) {
            old.cut.cancel();
        }
        self.begin_ready();
        Joined { link, queue, cut }
    }

    /// The link ended; whoever waits for its answers hears that it is gone.
    pub(super) fn leave(&mut self, node: &Key, link: u64) {
        if self.gateways.get(node).is_some_and(|one| one.link == link) {
            self.gateways.remove(node);
        }
    }

    /// Tells everything to gateways that wait for it, once there is everything.
    pub(super) fn begin_ready(&mut self) {
        let (Some((version, texts)), Some(certificates), Some(key), Some(identity)) = (
            &self.estate,
            &self.certificates,
            &self.assertion_key,
            &self.identity,
        ) else {
            return;
        };
        if self.gateways.values().all(|gateway| gateway.begun) {
            return;
        }
        let all = [
            ToGateway::Certificates {
                id: 0,
                certificates: certificates.clone(),
            },
            ToGateway::AssertionKey(key.clone()),
            ToGateway::Identity(Box::new(identity.clone())),
            ToGateway::Prepare {
                version: *version,
                texts: EstateTexts::clone(texts),
            },
        ]
        .map(Arc::new);
        let challenges = Arc::new(ToGateway::Challenges {
            id: 0,
            challenges: self.challenges.clone(),
        });
        for gateway in self.gateways.values_mut().filter(|gateway| !gateway.begun) {
            gateway.begun = true;
            gateway.wanted = Some(*version);
            all.iter().for_each(|message| gateway.tell(message));
            if !self.challenges.is_empty() {
                gateway.tell(&challenges);
            }
        }
    }

    /// Tells every gateway that was told everything.
    pub(super) fn tell_all(&mut self, message: &Arc<ToGateway>) {
        self.begun().for_each(|(_, gateway)| gateway.tell(message));
    }

    /// Tells them, and gives what they will have said.
    pub(super) fn ask_all(&mut self, wait: Wait, message: &Arc<ToGateway>) -> Vec<(Key, Answer)> {
        self.begun()
            .map(|(node, gateway)| (node.clone(), gateway.ask(wait, message)))
            .collect()
    }

    /// Lets those swap that have `version` ready; the others get it ready first.
    pub(super) fn swap_prepared(&mut self, version: u64) -> Vec<(Key, Answer)> {
        let texts = self.estate.as_ref().map(|(_, texts)| &**texts);
        let swap = Arc::new(ToGateway::Swap { version });
        let prepare = Arc::new(ToGateway::Prepare {
            version,
            texts: texts.cloned().unwrap_or_default(),
        });
        self.begun()
            .map(|(node, gateway)| {
                let answer = if gateway.prepared == Some(version) {
                    gateway.prepared = None;
                    gateway.ask(Wait::Swapped(version), &swap)
                } else {
                    gateway.wanted = Some(version);
                    gateway.ask(Wait::Swapped(version), &prepare)
                };
                (node.clone(), answer)
            })
            .collect()
    }

    /// Ends every link whose gateway does not serve `version`.
    pub(super) fn cut_all_but(&mut self, version: u64) {
        let behind = self
            .begun()
            .filter(|(_, gateway)| gateway.version != version);
        behind.for_each(|(_, gateway)| gateway.cut.cancel());
    }

    /// A gateway has a version ready, or cannot.
    pub(super) fn prepared(&mut self, node: &Key, version: u64, refused: Option<String>) {
        let Some(gateway) = self.gateways.get_mut(node) else {
            return;
        };
        let wanted = gateway.wanted == Some(version);
        match &refused {
            None if wanted => {
                gateway.wanted = None;
                gateway.tell(&Arc::new(ToGateway::Swap { version }));
            }
            None => gateway.prepared = Some(version),
            Some(why) if wanted => {
                // It must serve this version and cannot: it is asked again with a new link.
                tracing::error!(node = node.node, version, %why, "a gateway cannot take the estate into force");
                gateway.answer(Wait::Swapped(version), Err(why.clone()));
                gateway.cut_later();
            }
            Some(_) => {}
        }
        gateway.answer(Wait::Prepared(version), refused.map_or(Ok(()), Err));
    }

    /// A gateway serves a version.
    pub(super) fn swapped(&mut self, node: &Key, version: u64) {
        if let Some(gateway) = self.gateways.get_mut(node) {
            gateway.version = version;
            gateway.answer(Wait::Swapped(version), Ok(()));
        }
    }

    /// A gateway took certificates, or did not.
    pub(super) fn certificates_held(&mut self, node: &Key, id: u64, refused: Option<String>) {
        if let Some(why) = &refused {
            tracing::error!(node = node.node, %why, "a gateway refused certificates");
        }
        if let Some(gateway) = self.gateways.get_mut(node) {
            gateway.answer(Wait::Certificates(id), refused.map_or(Ok(()), Err));
        }
    }

    /// Everything said to a gateway before the question counts there.
    pub(super) fn settled(&mut self, node: &Key, id: u64) {
        if let Some(gateway) = self.gateways.get_mut(node) {
            gateway.answer(Wait::Settled(id), Ok(()));
        }
    }

    /// A gateway says what it counted so far. What it had counted before its first word went
    /// through at another time, and moves nothing now.
    pub(super) fn counted(&mut self, node: &Key, stats: Stats, now: Timestamp) {
        let Some(gateway) = self.gateways.get_mut(node) else {
            return;
        };
        if let Some((at, before)) = &gateway.stats {
            let grown = self.flow.grow(before, &stats);
            gateway.rate = per_second(grown, now.since(*at));
        }
        gateway.stats = Some((now, stats));
    }

    /// A gateway learnt something of a route; the newest word counts.
    pub(super) fn learnt(&mut self, node: &str, learnt: Learnt) {
        let key = (node.to_owned(), learnt.route.clone());
        let others = self.learnt.iter().filter(|(known, _)| **known != key);
        let bytes: usize = others.map(|(_, one)| size(one)).sum();
        if bytes.saturating_add(size(&learnt)) > LEARNT_BYTES_MAX {
            tracing::warn!(node, route = %learnt.route, "no room for what was learnt");
            return;
        }
        self.learnt.insert(key, learnt);
    }

    /// What gateways learnt: which gateway, and what.
    pub(super) fn all_learnt(&self) -> Vec<(String, Learnt)> {
        let all = self.learnt.iter();
        all.map(|((node, _), learnt)| (node.clone(), learnt.clone()))
            .collect()
    }

    /// Tells one gateway something, when its link is still `link`.
    pub(super) fn tell(&mut self, node: &Key, link: u64, message: ToGateway) {
        if let Some(gateway) = self.gateways.get(node).filter(|one| one.link == link) {
            gateway.tell(&Arc::new(message));
        }
    }

    /// Whether a gateway that was told everything serves.
    pub(super) fn is_serving(&self) -> bool {
        let mut gateways = self.gateways.values();
        gateways.any(|gateway| gateway.begun && gateway.version > 0)
    }

    pub(super) fn statuses(&self) -> Vec<GatewayStatus> {
        let status = |(key, gateway): (&Key, &Gateway)| GatewayStatus {
            node: key.node.clone(),
            instance: key.instance.clone(),
            version: gateway.version,
            stats: gateway
                .stats
                .as_ref()
                .map(|(_, stats)| stats.clone())
                .unwrap_or_default(),
            rate: gateway.rate,
            connected_since: gateway.since,
        };
        self.gateways.iter().map(status).collect()
    }

    fn begun(&mut self) -> impl Iterator<Item = (&Key, &mut Gateway)> {
        self.gateways
            .iter_mut()
            .filter(|(_, gateway)| gateway.begun)
    }
}

impl Gateway {
    fn tell(&self, message: &Arc<ToGateway>) {
        if self.out.try_send(Arc::clone(message)).is_err() {
            tracing::warn!("a gateway is too far behind; its link begins anew");
            self.cut.cancel();
        }
    }

    fn ask(&mut self, wait: Wait, message: &Arc<ToGateway>) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.waits.retain(|_, waiting| !waiting.is_closed());
        self.waits.insert(wait, answer);
        self.tell(message);
        answered
    }

    fn answer(&mut self, wait: Wait, said: Result<(), String>) {
        if let Some(waiting) = self.waits.remove(&wait)
            && waiting.send(said).is_err()
        {
            tracing::debug!("nobody waits for the gateway's answer any more");
        }
    }

    fn cut_later(&self) {
        let cut = self.cut.clone();
        tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_secs(5)).await;
            cut.cancel();
        });
    }
}

/// About how many bytes it takes.
fn size(learnt: &Learnt) -> usize {
    let drift = learnt.drift.iter().flatten();
    let drift: usize = drift
        .map(|one| one.template.len() + one.place.len() + one.text.len() + 100)
        .sum();
    learnt.route.len() + learnt.proposal.len() + drift + 100
}
