//! The gateway's end of the link: connects for ever, does what control says in the order it says
//! it, and delivers what is to be recorded until control says that it is.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Secret, SessionId, SharedEntropy};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::ask::{ASKED_MAX, Asked, Asker, Call, Question, Reply};
use super::frames::{Broken, Reader, send};
use super::local::{Continuity, Deliveries, Local};
use super::protocol::{
    CertificateText, EstateTexts, ExchangeOutcome, PROTOCOL, ToControl, ToGateway,
};
use crate::exchange::LinkAddress;
use crate::orders::Order;

/// LIMIT: messages that wait to be written.
const OUT_MAX: usize = 64;
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The first and the longest pause before connecting again.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// What was counted is told this often; it is also the sign of life.
const TELL: Duration = Duration::from_secs(1);
/// Uses of sessions are told every so many times.
const TELL_SEEN_EVERY: u32 = 5;
/// What traffic showed is told every so many times.
const TELL_LEARNT_EVERY: u32 = 10;
/// A link that says nothing for so long is dead: control says something every two seconds.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(6);
/// How long to wait before something that could not be recorded is delivered again.
const DELIVER_AGAIN: Duration = Duration::from_secs(1);

/// A handle on the link, for what only control can answer; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: PathBuf,
    node: String,
    instance: String,
    entropy: SharedEntropy,
    calls: mpsc::Sender<Call>,
    waiting: Mutex<Option<mpsc::Receiver<Call>>>,
    up: AtomicBool,
}

/// Why there is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSession {
    /// The code is not valid (any more).
    Refused,
    /// Control cannot be asked now.
    Unavailable,
}

impl Client {
    /// A link to `address` for a gateway called `node`; nothing is connected before
    /// [`Client::run`].
    pub(crate) fn new(address: LinkAddress, node: String, entropy: SharedEntropy) -> Self {
        let LinkAddress::Unix(address) = address;
        let (calls, waiting) = mpsc::channel(ASKED_MAX);
        Self(Arc::new(Inner {
            address,
            node,
            instance: u64::from_be_bytes(entropy.bytes()).to_string(),
            entropy,
            calls,
            waiting: Mutex::new(Some(waiting)),
            up: AtomicBool::new(false),
        }))
    }

    /// Turns a one-time code into a session of the asker's host; the cookie's value.
    pub(crate) async fn exchange(
        &self,
        code: &str,
        asker: Asker,
    ) -> Result<Secret<String>, NoSession> {
        let code = Secret::new(code.to_owned());
        match self.answer(Question::Exchange(code), asker).await {
            Some(Reply::Exchanged(ExchangeOutcome::Session { cookie })) => Ok(Secret::new(cookie)),
            Some(Reply::Exchanged(ExchangeOutcome::Refused)) => Err(NoSession::Refused),
            _ => Err(NoSession::Unavailable),
        }
    }

    /// Ends a session of the asker's host; whether it has ended.
    pub(crate) async fn sign_out(&self, session: SessionId, asker: Asker) -> bool {
        let reply = self.answer(Question::SignOut(session), asker).await;
        matches!(reply, Some(Reply::SignedOut(true)))
    }

    /// What control says; nothing when it says nothing in time.
    async fn answer(&self, question: Question, asker: Asker) -> Option<Reply> {
        if !self.0.up.load(Ordering::Relaxed) {
            return None;
        }
        let (reply, answered) = oneshot::channel();
        let call = Call {
            question,
            asker,
            reply,
        };
        self.0.calls.try_send(call).ok()?;
        timeout(ANSWER_TIMEOUT, answered).await.ok()?.ok()
    }

    /// Keeps the link up for ever. A second call does nothing.
    pub(crate) async fn run<L: Local, D: Deliveries>(
        self,
        local: Arc<L>,
        deliveries: Arc<D>,
        orders: mpsc::Sender<Order>,
    ) {
        let calls = {
            let mut waiting = self
                .0
                .waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            waiting.take()
        };
        let Some(mut calls) = calls else {
            return;
        };
        let mut pause = PAUSE_MIN;
        loop {
            match UnixStream::connect(&self.0.address).await {
                Err(error) => tracing::debug!(%error, "control does not answer yet"),
                Ok(stream) => {
                    let (local, deliveries) = (Arc::clone(&local), Arc::clone(&deliveries));
                    let session = Session::new(&self.0, local, deliveries, orders.clone());
                    let began = tokio::time::Instant::now();
                    let broken = session.run(stream, &mut calls).await;
                    self.0.up.store(false, Ordering::Relaxed);
                    tracing::warn!(error = %in_one_line(&broken), "the link to control ended");
                    if began.elapsed() > SILENCE_MAX {
                        pause = PAUSE_MIN;
                    }
                }
            }
            // Whoever asks while the link is down gets an answer now, not after its return.
            while calls.try_recv().is_ok() {}
            sleep(jittered(pause, &self.0.entropy)).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}

/// Between half of a pause and all of it, so that many gateways do not come back at once.
fn jittered(pause: Duration, entropy: &SharedEntropy) -> Duration {
    let [byte] = entropy.bytes::<1>();
    pause / 2 + pause * u32::from(byte) / 512
}

fn in_one_line(error: &Broken) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// One link, from its beginning to its end.
struct Session<'c, L, D> {
    inner: &'c Inner,
    local: Arc<L>,
    deliveries: Arc<D>,
    orders: mpsc::Sender<Order>,
    prepared: Option<(u64, Box<dyn FnOnce() + Send>)>,
    asked: Asked,
    recorded: Arc<Acknowledged>,
}

/// What control said about the delivery under way.
#[derive(Debug, Default)]
struct Acknowledged {
    word: Mutex<Option<(u64, bool)>>,
    said: Notify,
}

impl<'c, L: Local, D: Deliveries> Session<'c, L, D> {
    fn new(
        inner: &'c Inner,
        local: Arc<L>,
        deliveries: Arc<D>,
        orders: mpsc::Sender<Order>,
    ) -> Self {
        Self {
            inner,
            local,
            deliveries,
            orders,
            prepared: None,
            asked: Asked::default(),
            recorded: Arc::default(),
        }
    }

    async fn run(mut self, stream: UnixStream, calls: &mut mpsc::Receiver<Call>) -> Broken {
        let (read, write) = stream.into_split();
        let mut reader = Reader::new(read);
        let (out, queue) = mpsc::channel(OUT_MAX);
        // Ends with this session, whatever they wait for.
        let mut helpers = JoinSet::new();
        helpers.spawn(write_all(write, queue));
        let hello = ToControl::Hello {
            protocol: PROTOCOL,
            node: self.inner.node.clone(),
            instance: self.inner.instance.clone(),
            version: self.local.version(),
        };
        if let Err(broken) = say(&out, hello).await {
            return broken;
        }
        match timeout(SILENCE_MAX, reader.next()).await {
            Ok(Ok(ToGateway::Welcome { protocol: PROTOCOL })) => {}
            Ok(Ok(other)) => {
                return Broken::Unexpected(format!("control did not say welcome but {other:?}"));
            }
            Ok(Err(broken)) => return broken,
            Err(_) => return Broken::Silent,
        }
        tracing::info!("linked to control");
        self.local.heard();
        self.inner.up.store(true, Ordering::Relaxed);
        helpers.spawn(tell(Arc::clone(&self.local), out.clone()));
        helpers.spawn(deliver(
            Arc::clone(&self.deliveries),
            Arc::clone(&self.recorded),
            out.clone(),
        ));
        loop {
            let done = tokio::select! {
                message = timeout(SILENCE_MAX, reader.next()) => match message {
                    Ok(Ok(message)) => self.obey(message, &out).await,
                    Ok(Err(broken)) => Err(broken),
                    Err(_) => Err(Broken::Silent),
                },
                Some(call) = calls.recv() => match self.asked.ask(call) {
                    Some(asked) => say(&out, asked).await,
                    None => Ok(()),
                },
                // One that ended has lost the link; the others only end with the session.
                Some(_) = helpers.join_next() => Err(Broken::Ended),
            };
            if let Err(broken) = done {
                return broken;
            }
        }
    }

    async fn obey(
        &mut self,
        message: ToGateway,
        out: &mpsc::Sender<ToControl>,
    ) -> Result<(), Broken> {
        self.local.heard();
        let Some(message) = self.asked.answered(message) else {
            return Ok(());
        };
        match message {
            ToGateway::Alive | ToGateway::Exchanged { .. } | ToGateway::SignedOut { .. } => Ok(()),
            ToGateway::Welcome { .. } => Err(Broken::Unexpected("welcome, again".to_owned())),
            ToGateway::Prepare { version, texts } => {
                let refused = self.prepare(version, texts).await.err();
                say(out, ToControl::Prepared { version, refused }).await
            }
            ToGateway::Swap { version } => {
                self.swap(version).await?;
                say(out, ToControl::Swapped { version }).await
            }
            ToGateway::Abandon { version } => {
                if self
                    .prepared
                    .take_if(|(number, _)| *number == version)
                    .is_some()
                {
                    order(&self.orders, Order::Abandon).await?;
                }
                Ok(())
            }
            ToGateway::Certificates { id, certificates } => {
                let refused = self.certificates(certificates).await.err();
                say(out, ToControl::CertificatesHeld { id, refused }).await
            }
            ToGateway::Challenges { id, challenges } => {
                let refused = self.local.challenges(challenges).err();
                say(out, ToControl::CertificatesHeld { id, refused }).await
            }
            ToGateway::AssertionKey(key) => {
                self.local.assertion_key(&key);
                Ok(())
            }
            ToGateway::Identity(snapshot) => {
                self.local.identity(*snapshot);
                Ok(())
            }
            ToGateway::Change { revision, change } => match self.local.change(revision, *change) {
                Continuity::InOrder => Ok(()),
                Continuity::Gap => Err(Broken::Unexpected(format!(
                    "revision {revision} came too early"
                ))),
            },
            ToGateway::Settle { id } => say(out, ToControl::Settled { id }).await,
            ToGateway::Recorded { id } => {
                self.recorded.say(id, true);
                Ok(())
            }
            ToGateway::NotRecorded { id, reason } => {
                tracing::warn!(%reason, "control cannot record now");
                self.recorded.say(id, false);
                Ok(())
            }
        }
    }

    async fn prepare(&mut self, version: u64, texts: EstateTexts) -> Result<(), String> {
        self.prepared = None;
        let local = Arc::clone(&self.local);
        // Compiling takes a while: signs of life are sent meanwhile, by a task of their own.
        let compiled = tokio::task::spawn_blocking(move || local.compile(version, &texts));
        let (estate, install) = compiled
            .await
            .map_err(|_| "the estate could not be compiled".to_owned())??;
        let (outcome, told) = oneshot::channel();
        order(&self.orders, Order::Prepare { estate, outcome })
            .await
            .map_err(|broken| broken.to_string())?;
        told.await
            .map_err(|_| "the gateway is stopping".to_owned())??;
        self.prepared = Some((version, install));
        Ok(())
    }

    async fn swap(&mut self, version: u64) -> Result<(), Broken> {
        let Some((_, install)) = self.prepared.take_if(|(number, _)| *number == version) else {
            let text = format!("version {version} was to be swapped in but not prepared");
            return Err(Broken::Unexpected(text));
        };
        let (outcome, told) = oneshot::channel();
        order(&self.orders, Order::Swap { install, outcome }).await?;
        match told.await {
            Ok(true) => {
                tracing::info!(version, "the estate is in force");
                Ok(())
            }
            _ => Err(Broken::Unexpected(
                "the estate was not swapped in".to_owned(),
            )),
        }
    }

    async fn certificates(&mut self, texts: Vec<CertificateText>) -> Result<(), String> {
        let certificates = texts
            .into_iter()
            .map(|text| net::Certificate::from_pem(text.hosts, text.chain, Secret::new(text.key)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| error.to_string())?;
        let (outcome, told) = oneshot::channel();
        let replace = Order::Certificates {
            certificates,
            outcome,
        };
        order(&self.orders, replace)
            .await
            .map_err(|broken| broken.to_string())?;
        told.await
            .map_err(|_| "the gateway is stopping".to_owned())?
    }
}

impl Acknowledged {
    fn say(&self, id: u64, recorded: bool) {
        *self.word.lock().unwrap_or_else(PoisonError::into_inner) = Some((id, recorded));
        self.said.notify_one();
    }

    /// What is said about `id`.
    async fn about(&self, id: u64) -> bool {
        loop {
            let said = self.said.notified();
            let word = *self.word.lock().unwrap_or_else(PoisonError::into_inner);
            match word {
                Some((about, recorded)) if about == id => {
                    *self.word.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    return recorded;
                }
                _ => said.await,
            }
        }
    }
}

async fn order(orders: &mpsc::Sender<Order>, order: Order) -> Result<(), Broken> {
    let stopping = |_| Broken::Unexpected("the gateway is stopping".to_owned());
    orders.send(order).await.map_err(stopping)
}

async fn say(out: &mpsc::Sender<ToControl>, message: ToControl) -> Result<(), Broken> {
    out.send(message).await.map_err(|_| Broken::Ended)
}

async fn write_all(mut stream: OwnedWriteHalf, mut queue: mpsc::Receiver<ToControl>) {
    while let Some(message) = queue.recv().await {
        if let Err(broken) = send(&mut stream, &message).await {
            tracing::debug!(error = %broken, "cannot tell control");
            return;
        }
    }
}

/// Says what was counted, and that this side lives.
async fn tell<L: Local>(local: Arc<L>, out: mpsc::Sender<ToControl>) {
    let mut turn = 0_u32;
    loop {
        if say(&out, ToControl::Stats(Box::new(local.stats())))
            .await
            .is_err()
        {
            return;
        }
        if turn.is_multiple_of(TELL_SEEN_EVERY) {
            let sessions = local.seen();
            if !sessions.is_empty() && say(&out, ToControl::Seen { sessions }).await.is_err() {
                return;
            }
        }
        if turn.is_multiple_of(TELL_LEARNT_EVERY) {
            let local = Arc::clone(&local);
            // Making a proposal takes a while: signs of life are sent by other tasks meanwhile.
            let learnt = tokio::task::spawn_blocking(move || local.learnt()).await;
            for one in learnt.unwrap_or_default() {
                if say(&out, ToControl::Learnt(Box::new(one))).await.is_err() {
                    return;
                }
            }
        }
        turn = turn.wrapping_add(1);
        sleep(TELL).await;
    }
}

/// Delivers one thing after the other, each until it is recorded. With a new link the oldest that
/// is not acknowledged comes first again; control takes each event once.
async fn deliver<D: Deliveries>(
    deliveries: Arc<D>,
    recorded: Arc<Acknowledged>,
    out: mpsc::Sender<ToControl>,
) {
    let mut after = 0;
    loop {
        let (id, content) = deliveries.next(after).await;
        if say(&out, ToControl::Deliver { id, content }).await.is_err() {
            return;
        }
        if recorded.about(id).await {
            deliveries.done(id);
            after = id;
        } else {
            sleep(DELIVER_AGAIN).await;
        }
    }
}
