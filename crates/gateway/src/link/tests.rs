//! Both ends over real sockets.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use estate::Estate;
use model::snapshot::{IdentityChange, IdentitySnapshot};
use model::{Context, Event, RequestId, Secret, SegmentId, SessionId, Timestamp};
use testkit::{FakeClock, SeededEntropy, eventually};
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::local::Compiled;
use super::protocol::{Content, EstateTexts};
use super::*;
use crate::exchange::LinkAddress;
use crate::orders::Order;

const SOON: Duration = Duration::from_secs(10);

/// Control's services: everything is noted.
#[derive(Debug, Default)]
struct Port {
    recorded: Mutex<Vec<String>>,
    seen: Mutex<Vec<SessionId>>,
    refuse_records: AtomicBool,
}

impl ControlPort for Port {
    fn exchange<'a>(
        &'a self,
        code: &'a str,
        host: &'a str,
        _: IpAddr,
        _: RequestId,
    ) -> PortFuture<'a, Result<Secret<String>, ExchangeRefused>> {
        let outcome = match code {
            "good" => Ok(Secret::new(format!("cookie of {host}"))),
            "later" => Err(ExchangeRefused::Unavailable),
            _ => Err(ExchangeRefused::Refused),
        };
        Box::pin(async { outcome })
    }

    fn sign_out<'a>(
        &'a self,
        session: SessionId,
        host: &'a str,
        _: IpAddr,
        _: RequestId,
    ) -> PortFuture<'a, bool> {
        let ended = session == SessionId::from_raw(5) && host == "shop.example";
        Box::pin(async move { ended })
    }

    fn record<'a>(
        &'a self,
        node: &'a str,
        events: Vec<Event>,
    ) -> PortFuture<'a, Result<(), String>> {
        let refused = self.refuse_records.load(Ordering::SeqCst);
        if !refused {
            let mut recorded = self.recorded.lock().unwrap();
            recorded.extend(
                events
                    .iter()
                    .map(|event| format!("{node} {}", event.message)),
            );
        }
        Box::pin(async move {
            if refused {
                Err("full".to_owned())
            } else {
                Ok(())
            }
        })
    }

    fn sealed<'a>(&'a self, node: &'a str, seal: Seal) -> PortFuture<'a, Result<(), String>> {
        let line = format!("{node} sealed {}", seal.count);
        self.recorded.lock().unwrap().push(line);
        Box::pin(async { Ok(()) })
    }

    fn seen<'a>(&'a self, sessions: Vec<(SessionId, Timestamp)>) -> PortFuture<'a, ()> {
        self.seen
            .lock()
            .unwrap()
            .extend(sessions.iter().map(|(id, _)| *id));
        Box::pin(async {})
    }
}

/// A gateway's process: what control said, as one list.
#[derive(Debug, Default)]
struct Process {
    said: Mutex<Vec<String>>,
    version: Arc<AtomicU64>,
    revision: AtomicU64,
}

impl Process {
    fn note(&self, line: impl Into<String>) {
        self.said.lock().unwrap().push(line.into());
    }

    fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }
}

impl Local for Process {
    fn compile(&self, version: u64, texts: &EstateTexts) -> Result<Compiled, String> {
        let source = texts.source.as_str();
        self.note(format!("compile {version}"));
        if source == "cannot" {
            return Err("this gateway cannot".to_owned());
        }
        let estate = Estate::parse(&estate::starter("shop")).unwrap().estate;
        let serving = Arc::clone(&self.version);
        let install = move || serving.store(version, Ordering::SeqCst);
        Ok((Arc::new(estate), Box::new(install)))
    }

    fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    fn identity(&self, snapshot: IdentitySnapshot) {
        self.revision.store(snapshot.revision, Ordering::SeqCst);
        self.note(format!("identity {}", snapshot.revision));
    }

    fn change(&self, revision: u64, _: IdentityChange) -> Continuity {
        if revision != self.revision.load(Ordering::SeqCst) + 1 {
            self.note(format!("gap {revision}"));
            return Continuity::Gap;
        }
        self.revision.store(revision, Ordering::SeqCst);
        self.note(format!("change {revision}"));
        Continuity::InOrder
    }

    fn assertion_key(&self, key: &AssertionKeyText) {
        self.note(format!("key {}", key.id));
    }

    fn heard(&self) {}

    fn challenges(&self, challenges: Vec<ChallengeText>) -> Result<(), String> {
        self.note(format!("challenges {challenges:?}"));
        Ok(())
    }

    fn stats(&self) -> Stats {
        Stats {
            connections: 7,
            ..Stats::default()
        }
    }

    fn learnt(&self) -> Vec<Learnt> {
        Vec::new()
    }

    fn seen(&self) -> Vec<(SessionId, Timestamp)> {
        vec![(SessionId::from_raw(5), Timestamp::from_millis(1))]
    }
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<VecDeque<(u64, Content)>>,
    fresh: Notify,
}

impl Queue {
    fn push(&self, id: u64, message: &str) {
        let (clock, entropy) = (FakeClock::new(), SeededEntropy::new(id));
        let ctx = Context::system(&clock, &entropy);
        let event = Event::change("gateway.test", &ctx, &clock, &entropy).message(message);
        self.waiting
            .lock()
            .unwrap()
            .push_back((id, Content::Events(vec![event])));
        self.fresh.notify_waiters();
    }

    fn is_empty(&self) -> bool {
        self.waiting.lock().unwrap().is_empty()
    }
}

impl Deliveries for Queue {
    async fn next(&self, after: u64) -> (u64, Content) {
        loop {
            let fresh = self.fresh.notified();
            tokio::pin!(fresh);
            fresh.as_mut().enable();
            let found = {
                let waiting = self.waiting.lock().unwrap();
                waiting.iter().find(|(id, _)| *id > after).cloned()
            };
            if let Some(found) = found {
                return found;
            }
            fresh.await;
        }
    }

    fn done(&self, id: u64) {
        self.waiting
            .lock()
            .unwrap()
            .retain(|(waiting, _)| *waiting != id);
    }
}

/// Carries orders out as the process would; an estate can be refused there too.
async fn obey(mut orders: mpsc::Receiver<Order>) {
    let mut prepared = false;
    while let Some(order) = orders.recv().await {
        match order {
            Order::Prepare { outcome, .. } => {
                prepared = true;
                outcome.send(Ok(())).unwrap();
            }
            Order::Swap { install, outcome } => {
                let was = std::mem::take(&mut prepared);
                if was {
                    install();
                }
                outcome.send(was).unwrap();
            }
            Order::Abandon => prepared = false,
            Order::Certificates { outcome, .. } => outcome.send(Ok(())).unwrap(),
        }
    }
}

struct Ground {
    folder: tempfile::TempDir,
    port: Arc<Port>,
}

struct Gateway {
    process: Arc<Process>,
    queue: Arc<Queue>,
    client: Client,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Ground {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            port: Arc::default(),
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("link.sock")
    }

    async fn hub(&self) -> (Hub, CancellationToken) {
        let hub = Hub::new(self.port.clone(), Arc::new(FakeClock::new()));
        let access = net::UnixAccess {
            mode: 0o600,
            also: None,
        };
        let listener = net::bind_unix(&self.socket(), access).await.unwrap();
        let stop = CancellationToken::new();
        let (serving, stopping) = (hub.clone(), stop.clone());
        tokio::spawn(async move { serving.serve(listener, access, stopping).await });
        (hub, stop)
    }

    fn gateway(&self, node: &str) -> Gateway {
        let process = Arc::new(Process::default());
        let queue = Arc::new(Queue::default());
        let address = LinkAddress::Unix(self.socket());
        let client = Client::new(address, node.to_owned(), Arc::new(SeededEntropy::new(1)));
        let (orders, received) = mpsc::channel(16);
        tokio::spawn(obey(received));
        let running = client.clone().run(process.clone(), queue.clone(), orders);
        Gateway {
            task: tokio::spawn(running),
            process,
            queue,
            client,
        }
    }
}

async fn tell_everything(hub: &Hub, version: u64) {
    hub.set_certificates(Vec::new()).await.unwrap();
    hub.set_assertion_key(AssertionKeyText {
        id: "k1".to_owned(),
        seed: [1; 32],
    });
    hub.set_identity(IdentitySnapshot {
        revision: 10,
        ..IdentitySnapshot::default()
    });
    hub.prepare(version, "fine".to_owned())
        .await
        .unwrap()
        .swap()
        .await;
}

async fn serves(gateway: &Gateway, version: u64) -> bool {
    eventually(SOON, || async { gateway.process.version() == version }).await
}

fn gone(id: u128) -> IdentityChange {
    IdentityChange::SessionGone(SessionId::from_raw(id))
}

#[tokio::test]
async fn what_is_settled_counts_at_every_gateway_and_without_one_nothing_is() {
    let ground = Ground::new();
    let (hub, _stop) = ground.hub().await;
    assert_eq!(
        hub.settled().await,
        Err(vec!["no gateway is linked".to_owned()])
    );
    let (a, b) = (ground.gateway("a"), ground.gateway("b"));
    tell_everything(&hub, 1).await;
    assert!(serves(&a, 1).await && serves(&b, 1).await);
    for revision in 11..40 {
        hub.change(revision, gone(1));
        hub.settled().await.unwrap();
        for gateway in [&a, &b] {
            assert_eq!(gateway.process.revision.load(Ordering::SeqCst), revision);
        }
    }
}

#[tokio::test]
async fn gateway_is_told_everything_before_it_serves_whoever_comes_first() {
    let ground = Ground::new();
    let early = ground.gateway("early");
    let (hub, _stop) = ground.hub().await;
    assert!(eventually(SOON, || async { hub.gateways().len() == 1 }).await);
    assert_eq!(early.process.said(), Vec::<String>::new());
    tell_everything(&hub, 3).await;
    let late = ground.gateway("late");
    for gateway in [&early, &late] {
        assert!(serves(gateway, 3).await);
        assert_eq!(
            gateway.process.said(),
            ["key k1", "identity 10", "compile 3"]
        );
    }
    let counted = || async { hub.gateways().iter().all(|one| one.stats.connections == 7) };
    assert!(eventually(SOON, counted).await);
    assert!(hub.gateways().iter().all(|gateway| gateway.version == 3));
    let seen = || async { !ground.port.seen.lock().unwrap().is_empty() };
    assert!(eventually(SOON, seen).await);
}

#[tokio::test]
async fn changes_come_in_order_and_a_gap_brings_everything_again() {
    let ground = Ground::new();
    let (hub, _stop) = ground.hub().await;
    let gateway = ground.gateway("a");
    tell_everything(&hub, 1).await;
    assert!(serves(&gateway, 1).await);
    hub.change(11, gone(1));
    hub.change(12, gone(2));
    let said = |line: &'static str| {
        let process = gateway.process.clone();
        eventually(SOON, move || {
            let process = process.clone();
            async move { process.said().iter().any(|said| said == line) }
        })
    };
    assert!(said("change 12").await);
    hub.change(14, gone(3));
    assert!(said("gap 14").await);
    assert!(said("identity 14").await, "with a new link, all of it");
}

#[tokio::test]
async fn one_gateway_that_cannot_keeps_every_gateway_as_it_is() {
    let ground = Ground::new();
    let (hub, _stop) = ground.hub().await;
    let (a, b) = (ground.gateway("a"), ground.gateway("b"));
    tell_everything(&hub, 1).await;
    assert!(serves(&a, 1).await && serves(&b, 1).await);
    let refused = hub.prepare(2, "cannot".to_owned()).await.unwrap_err();
    assert_eq!(refused.len(), 2);
    assert!(
        refused[0].contains("gateway `a`: this gateway cannot"),
        "{refused:?}"
    );
    hub.prepare(3, "fine".to_owned())
        .await
        .unwrap()
        .swap()
        .await;
    assert!(serves(&a, 3).await && serves(&b, 3).await);
    // Prepared and dropped: nobody serves it, and the next one still works.
    drop(hub.prepare(4, "fine".to_owned()).await.unwrap());
    hub.prepare(5, "fine".to_owned())
        .await
        .unwrap()
        .swap()
        .await;
    assert!(serves(&a, 5).await && serves(&b, 5).await);
}

#[tokio::test]
async fn what_was_not_recorded_is_delivered_until_it_is() {
    let ground = Ground::new();
    let (hub, stop) = ground.hub().await;
    let gateway = ground.gateway("a");
    tell_everything(&hub, 1).await;
    assert!(serves(&gateway, 1).await);
    ground.port.refuse_records.store(true, Ordering::SeqCst);
    gateway.queue.push(1, "one");
    gateway.queue.push(2, "two");
    stop.cancel();
    drop(hub);
    ground.port.refuse_records.store(false, Ordering::SeqCst);
    let (hub, _stop) = ground.hub().await;
    tell_everything(&hub, 1).await;
    assert!(eventually(SOON, || async { gateway.queue.is_empty() }).await);
    let recorded = ground.port.recorded.lock().unwrap().clone();
    assert_eq!(recorded, ["a one", "a two"]);
}

#[tokio::test]
async fn refused_record_is_tried_again_on_the_same_link() {
    let ground = Ground::new();
    let (hub, _stop) = ground.hub().await;
    let gateway = ground.gateway("a");
    tell_everything(&hub, 1).await;
    ground.port.refuse_records.store(true, Ordering::SeqCst);
    gateway.queue.push(1, "one");
    let seal = Seal {
        segment: SegmentId::from_raw(1),
        root: String::new(),
        count: 9,
        gap: 0,
        first: Timestamp::default(),
        last: Timestamp::default(),
        routes: std::collections::BTreeMap::new(),
    };
    gateway
        .queue
        .waiting
        .lock()
        .unwrap()
        .push_back((2, Content::Seal(seal)));
    let tried = || async { !gateway.queue.is_empty() && gateway.process.version() == 1 };
    assert!(eventually(SOON, tried).await);
    ground.port.refuse_records.store(false, Ordering::SeqCst);
    assert!(eventually(SOON, || async { gateway.queue.is_empty() }).await);
    assert_eq!(
        *ground.port.recorded.lock().unwrap(),
        ["a one", "a sealed 9"]
    );
}

#[tokio::test]
async fn code_becomes_a_session_or_a_clear_no() {
    let ground = Ground::new();
    let gateway = ground.gateway("a");
    let ask = |code: &'static str| {
        let client = gateway.client.clone();
        async move {
            let cookie = client.exchange(code, asker("shop.example")).await;
            cookie.map(|cookie| cookie.expose().clone())
        }
    };
    assert_eq!(
        ask("good").await,
        Err(NoSession::Unavailable),
        "no link yet"
    );
    let (hub, _stop) = ground.hub().await;
    tell_everything(&hub, 1).await;
    assert!(serves(&gateway, 1).await);
    assert_eq!(ask("good").await, Ok("cookie of shop.example".to_owned()));
    assert_eq!(ask("bad").await, Err(NoSession::Refused));
    assert_eq!(ask("later").await, Err(NoSession::Unavailable));
}

#[tokio::test]
async fn session_ends_at_control_or_is_not_said_to_have_ended() {
    let ground = Ground::new();
    let gateway = ground.gateway("a");
    let end = |id: u128, host: &'static str| {
        let client = gateway.client.clone();
        async move { client.sign_out(SessionId::from_raw(id), asker(host)).await }
    };
    assert!(!end(5, "shop.example").await, "no link yet");
    let (hub, _stop) = ground.hub().await;
    tell_everything(&hub, 1).await;
    assert!(serves(&gateway, 1).await);
    assert!(end(5, "shop.example").await);
    assert!(!end(5, "other.example").await);
    assert!(!end(6, "shop.example").await);
}

fn asker(host: &str) -> Asker {
    Asker {
        host: host.to_owned(),
        source: "192.0.2.1".parse().unwrap(),
        request: RequestId::from_raw(1),
    }
}

#[tokio::test]
async fn garbage_ends_its_own_link_and_no_other() {
    let ground = Ground::new();
    let (hub, _stop) = ground.hub().await;
    let gateway = ground.gateway("a");
    tell_everything(&hub, 1).await;
    assert!(serves(&gateway, 1).await);
    for bytes in [
        b"\xff\xff\xff\xff".as_slice(),
        b"\0\0\0\x04nope",
        b"\0\0\0\x0f{\"say\":\"alive\"}",
        b"\0\0\0\x38{\"say\":\"hello\",\"protocol\":1,\"node\":\"../etc\",\"version\":0}",
    ] {
        let mut stranger = UnixStream::connect(ground.socket()).await.unwrap();
        stranger.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::io::AsyncReadExt::read_to_end(&mut stranger, &mut answer);
        tokio::time::timeout(SOON, read).await.unwrap().unwrap();
        assert!(answer.is_empty(), "a stranger is told nothing");
    }
    hub.change(11, gone(1));
    let process = gateway.process.clone();
    let changed = || {
        let process = process.clone();
        async move { process.said().iter().any(|said| said == "change 11") }
    };
    assert!(eventually(SOON, changed).await);
    assert_eq!(hub.gateways().len(), 1);
}

#[tokio::test]
async fn new_link_of_the_same_gateway_replaces_the_old_one() {
    let ground = Ground::new();
    let (hub, _stop) = ground.hub().await;
    let first = ground.gateway("a");
    tell_everything(&hub, 1).await;
    assert!(serves(&first, 1).await);
    drop(first);
    let second = ground.gateway("a");
    assert!(serves(&second, 1).await);
    assert_eq!(hub.gateways().len(), 1);
}
