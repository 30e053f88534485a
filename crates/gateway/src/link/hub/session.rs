//! One link of one gateway: reads what it says, answers what it asks.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use super::Hub;
use super::registry::{Joined, Key};
use crate::link::client::SILENCE_MAX;
use crate::link::frames::{Broken, Reader, send};
use crate::link::port::ExchangeRefused;
use crate::link::protocol::{Content, ExchangeOutcome, PROTOCOL, ToControl, ToGateway};

/// LIMIT: questions of one gateway at once.
const QUESTIONS_MAX: usize = 32;
/// LIMIT: deliveries of one gateway that wait; it sends one after the other.
const DELIVERIES_MAX: usize = 16;
/// A sign of life this often.
const ALIVE: Duration = Duration::from_secs(2);
/// LIMIT: bytes of a gateway's name.
const NODE_BYTES_MAX: usize = 64;

/// Runs the link to its end.
pub(super) async fn run(hub: Hub, stream: UnixStream) {
    let (read, write) = stream.into_split();
    let mut reader = Reader::new(read);
    match begin(&hub, &mut reader).await {
        Ok((key, joined)) => {
            let link = joined.link;
            tracing::info!(node = key.node, "a gateway is linked");
            let broken = go_on(&hub, &key, joined, reader, write).await;
            hub.registry().leave(&key, link);
            tracing::info!(node = key.node, error = %broken, "a gateway's link ended");
        }
        Err(broken) => tracing::warn!(error = %broken, "a link was not begun"),
    }
}

async fn begin(hub: &Hub, reader: &mut Reader<OwnedReadHalf>) -> Result<(Key, Joined), Broken> {
    let hello = timeout(SILENCE_MAX, reader.next()).await;
    match hello.map_err(|_| Broken::Silent)?? {
        ToControl::Hello { protocol, .. } if protocol != PROTOCOL => Err(Broken::Unexpected(
            format!("a gateway speaks version {protocol} of the link, not {PROTOCOL}"),
        )),
        ToControl::Hello {
            node,
            instance,
            version,
            ..
        } if is_name(&node) && (instance.is_empty() || is_name(&instance)) => {
            let since = hub.0.clock.now();
            let key = Key { node, instance };
            let mut registry = hub.registry();
            let joined = registry.join(&key, version, since);
            Ok((key, joined))
        }
        _ => Err(Broken::Unexpected(
            "a gateway did not say who it is".to_owned(),
        )),
    }
}

fn is_name(node: &str) -> bool {
    (1..=NODE_BYTES_MAX).contains(&node.len())
        && node
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'))
}

async fn go_on(
    hub: &Hub,
    node: &Key,
    joined: Joined,
    mut reader: Reader<OwnedReadHalf>,
    write: OwnedWriteHalf,
) -> Broken {
    let Joined { link, queue, cut } = joined;
    let mut helpers = JoinSet::new();
    helpers.spawn(write_all(write, queue));
    let (deliver, delivered) = mpsc::channel(DELIVERIES_MAX);
    helpers.spawn(record_all(hub.clone(), node.clone(), link, delivered));
    let questions = Arc::new(Semaphore::new(QUESTIONS_MAX));
    loop {
        let message = tokio::select! {
            message = timeout(SILENCE_MAX, reader.next()) => message,
            () = cut.cancelled() => return Broken::Unexpected("it was cut".to_owned()),
            Some(_) = helpers.join_next() => return Broken::Ended,
        };
        let message = match message {
            Ok(Ok(message)) => message,
            Ok(Err(broken)) => return broken,
            Err(_) => return Broken::Silent,
        };
        match message {
            ToControl::Hello { .. } => return Broken::Unexpected("hello, again".to_owned()),
            ToControl::Alive => {}
            ToControl::Prepared { version, refused } => {
                hub.registry().prepared(node, version, refused);
            }
            ToControl::Swapped { version } => hub.registry().swapped(node, version),
            ToControl::CertificatesHeld { id, refused } => {
                hub.registry().certificates_held(node, id, refused);
            }
            ToControl::Settled { id } => hub.registry().settled(node, id),
            ToControl::Stats(stats) => {
                let now = hub.0.clock.now();
                hub.registry().counted(node, *stats, now);
            }
            ToControl::Learnt(learnt) => hub.registry().learnt(&node.node, *learnt),
            ToControl::Seen { sessions } => hub.0.port.seen(sessions).await,
            ToControl::Deliver { id, content } => {
                if deliver.try_send((id, content)).is_err() {
                    return Broken::Unexpected("more deliveries than agreed".to_owned());
                }
            }
            asked @ (ToControl::Exchange { .. } | ToControl::SignOut { .. }) => {
                answer(hub, node, link, asked, &questions);
            }
        }
    }
}

/// Answers in a task of its own: a slow store holds up no sign of life.
fn answer(hub: &Hub, node: &Key, link: u64, asked: ToControl, slots: &Arc<Semaphore>) {
    let Ok(slot) = Arc::clone(slots).try_acquire_owned() else {
        if let Some(said) = cannot(&asked) {
            hub.registry().tell(node, link, said);
        }
        return;
    };
    let (hub, node) = (hub.clone(), node.clone());
    tokio::spawn(async move {
        if let Some(said) = reply(&hub, asked).await {
            hub.registry().tell(&node, link, said);
        }
        drop(slot);
    });
}

/// What control's services say to a question.
async fn reply(hub: &Hub, asked: ToControl) -> Option<ToGateway> {
    let port = &hub.0.port;
    Some(match asked {
        ToControl::Exchange {
            id,
            code,
            host,
            source,
            request,
        } => {
            let outcome = match port.exchange(&code, &host, source, request).await {
                Ok(cookie) => ExchangeOutcome::Session {
                    cookie: cookie.expose().clone(),
                },
                Err(ExchangeRefused::Refused) => ExchangeOutcome::Refused,
                Err(ExchangeRefused::Unavailable) => ExchangeOutcome::Unavailable,
            };
            ToGateway::Exchanged { id, outcome }
        }
        ToControl::SignOut {
            id,
            session,
            host,
            source,
            request,
        } => {
            let done = port.sign_out(session, &host, source, request).await;
            ToGateway::SignedOut { id, done }
        }
        _ => return None,
    })
}

/// The answer when too much is asked at once.
fn cannot(asked: &ToControl) -> Option<ToGateway> {
    Some(match *asked {
        ToControl::Exchange { id, .. } => ToGateway::Exchanged {
            id,
            outcome: ExchangeOutcome::Unavailable,
        },
        ToControl::SignOut { id, .. } => ToGateway::SignedOut { id, done: false },
        _ => return None,
    })
}

/// Records deliveries in order, and acknowledges each only then.
async fn record_all(hub: Hub, node: Key, link: u64, mut delivered: mpsc::Receiver<(u64, Content)>) {
    while let Some((id, content)) = delivered.recv().await {
        let recorded = match content {
            Content::Events(events) => hub.0.port.record(&node.node, events).await,
            Content::Seal(seal) => hub.0.port.sealed(&node.node, seal).await,
        };
        let said = match recorded {
            Ok(()) => ToGateway::Recorded { id },
            Err(reason) => ToGateway::NotRecorded { id, reason },
        };
        hub.registry().tell(&node, link, said);
    }
}

async fn write_all(mut stream: OwnedWriteHalf, mut queue: mpsc::Receiver<Arc<ToGateway>>) {
    let mut alive = interval(ALIVE);
    let welcome = ToGateway::Welcome { protocol: PROTOCOL };
    let mut sent = send(&mut stream, &welcome).await;
    while sent.is_ok() {
        sent = tokio::select! {
            message = queue.recv() => match message {
                Some(message) => send(&mut stream, &*message).await,
                None => return,
            },
            _ = alive.tick() => send(&mut stream, &ToGateway::Alive).await,
        };
    }
    if let Err(broken) = sent {
        tracing::debug!(error = %broken, "cannot tell a gateway");
    }
}
