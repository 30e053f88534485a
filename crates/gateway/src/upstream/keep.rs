//! What happens to a service while no request does: its addresses are probed, its names looked up,
//! its files read again. Outside the workers, bounded, and over when the service is.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use model::{Entropy, Severity};

use super::around::Around;
use super::health;
use super::report::{Said, Topic};
use super::resolve;
use super::target::Target;

/// How often counts move on.
const TURN: Duration = Duration::from_secs(1);
/// Every how many turns files are looked at.
const FILES_EVERY: u32 = 10;
/// For how long a new version waits for names that were never looked up.
const FIRST_LOOK_UP: Duration = Duration::from_secs(2);

/// Looks after `target` until it is gone. Outside a runtime nothing is looked after; only
/// supposed services are made there.
pub(crate) fn start(target: &Arc<Target>, around: &Around) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return;
    };
    runtime.spawn(turns(Arc::downgrade(target), around.clone()));
    if target.group.reach.health.is_some() {
        runtime.spawn(probes(Arc::downgrade(target), around.clone()));
    }
    if !target.names.is_empty() {
        runtime.spawn(look_ups(Arc::downgrade(target), around.clone()));
    }
}

/// Looks up what was never looked up, a while at most: a version that holds from now on should
/// know its services. Blocks; not for a worker's thread.
pub(crate) fn first_look_up(targets: &[Arc<Target>]) {
    let (sender, receiver) = std::sync::mpsc::sync_channel(FIRST_MAX);
    let mut waiting = 0_usize;
    for target in targets {
        for (place, name) in target.names.iter().enumerate() {
            // LIMIT: threads at once; the rest is looked up right after.
            if name.is_known() || waiting >= FIRST_MAX {
                continue;
            }
            let (sender, target) = (sender.clone(), Arc::clone(target));
            let asking = std::thread::Builder::new().name("look-up".to_owned());
            let asked = asking.spawn(move || {
                if let Some(name) = target.names.get(place) {
                    target.found(name, resolve::look_up(&name.place));
                }
                // Whoever waited may be gone.
                sender.send(()).unwrap_or_default();
            });
            waiting = waiting.saturating_add(usize::from(asked.is_ok()));
        }
    }
    drop(sender);
    let mut left = FIRST_LOOK_UP;
    for _ in 0..waiting {
        let before = tokio::time::Instant::now();
        if receiver.recv_timeout(left).is_err() {
            return;
        }
        left = left.saturating_sub(before.elapsed());
    }
}

/// LIMIT: names of one new version that are looked up before it holds.
const FIRST_MAX: usize = 64;

async fn turns(target: Weak<Target>, around: Around) {
    let mut count = 0_u32;
    loop {
        tokio::time::sleep(TURN).await;
        let Some(target) = target.upgrade() else {
            return;
        };
        target.group.turn();
        count = count.wrapping_add(1);
        if count.is_multiple_of(FILES_EVERY) && target.tls.is_some() {
            files(&target, &around).await;
        }
    }
}

async fn files(target: &Arc<Target>, around: &Around) {
    let reading = Arc::clone(target);
    let read = tokio::task::spawn_blocking(move || reading.tls.as_ref()?.reload());
    match read.await {
        Ok(Some(Ok(()))) => {
            // Connections that proved themselves with what was there before end.
            target.group.renew();
            target.group.say(None, renewed());
        }
        Ok(Some(Err(why))) => target.group.say(None, unusable(&why)),
        Ok(None) | Err(_) => {}
    }
    let warning = target
        .tls
        .as_ref()
        .and_then(|tls| tls.warning(around.clock.now()));
    if let Some(warning) = warning {
        target.group.say(None, warning);
    }
}

async fn probes(target: Weak<Target>, around: Around) {
    loop {
        let every = {
            let Some(target) = target.upgrade() else {
                return;
            };
            let Some(health) = &target.group.reach.health else {
                return;
            };
            probe_all(&target, &around).await;
            health.every
        };
        tokio::time::sleep(jittered(every, &*around.entropy)).await;
    }
}

/// Asks every address once.
pub(super) async fn probe_all(target: &Target, around: &Around) {
    let Some(health) = &target.group.reach.health else {
        return;
    };
    let set = target.group.set();
    let mut asking: FuturesUnordered<_> = set
        .members
        .iter()
        .map(|member| async move {
            let _slot = around.probes.acquire().await;
            let word = health::probe(target, &member.endpoint, health).await;
            target.group.probed(member, word);
        })
        .collect();
    while asking.next().await.is_some() {}
}

async fn look_ups(target: Weak<Target>, around: Around) {
    loop {
        let every = {
            let Some(target) = target.upgrade() else {
                return;
            };
            look_up_all(&target, &around).await;
            target.group.reach.resolve.every
        };
        tokio::time::sleep(jittered(every, &*around.entropy)).await;
    }
}

/// Looks every name up once. A resolver that does not answer is waited for: another question
/// beside the one that hangs would only hang beside it.
async fn look_up_all(target: &Arc<Target>, around: &Around) {
    for name in &target.names {
        let _slot = around.look_ups.acquire().await;
        let place = name.place.clone();
        let asked = tokio::task::spawn_blocking(move || resolve::look_up(&place));
        let found: Result<Vec<SocketAddr>, String> = asked
            .await
            .unwrap_or_else(|_| Err(format!("`{}` cannot be looked up", name.place.name)));
        target.found(name, found);
    }
}

/// A tenth more or less, so that many services are not asked at once.
fn jittered(every: Duration, entropy: &dyn Entropy) -> Duration {
    let mut byte = [0];
    entropy.fill(&mut byte);
    let part = u32::from(byte[0]);
    // From nine tenths to eleven.
    every.saturating_mul(9) / 10 + every.saturating_mul(part) / (10 * 128)
}

fn renewed() -> Said {
    Said {
        topic: Topic::Tls,
        kind: "gateway.upstream.tls_renewed",
        severity: Severity::Info,
        text: "its TLS files changed and are in use".to_owned(),
    }
}

fn unusable(why: &str) -> Said {
    Said {
        topic: Topic::Tls,
        kind: "gateway.upstream.tls_refused",
        severity: Severity::High,
        text: format!("its TLS files changed and cannot be used, those from before are: {why}"),
    }
}
