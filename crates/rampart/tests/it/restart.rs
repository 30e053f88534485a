//! The gateway is restarted under load: every request that was sent is answered, by the process
//! before or the one after.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use rustix::process::Signal;
use serde_json::json;
use testkit::eventually;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::backend::Backend;
use crate::world::{OPEN, SOON, World, signal};

/// How many restarts a run does; more when it is asked to.
const RESTARTS: usize = 3;
/// An answer takes this long at most; one that takes longer counts as none.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const GET: &[u8] = b"GET /ok HTTP/1.1\r\nHost: app.localhost\r\n\r\n";

/// What strict clients saw: nothing is asked again behind anybody's back.
#[derive(Debug, Default)]
struct Seen {
    stop: AtomicBool,
    asked: AtomicU64,
    answered: AtomicU64,
    connections: AtomicU64,
    /// Requests that crossed the last GOAWAY: it says that nothing was done for them, and the client
    /// asks again elsewhere (RFC 9113 §6.8).
    again: AtomicU64,
    /// Of these, those that are not asked again yet.
    owed: AtomicU64,
    failures: std::sync::Mutex<Vec<String>>,
}

impl Seen {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }

    fn fail(&self, who: &str, why: &str) {
        self.failures.lock().unwrap().push(format!("{who}: {why}"));
    }

    fn numbers(&self) -> (u64, u64, usize) {
        (
            self.asked.load(Ordering::SeqCst),
            self.answered.load(Ordering::SeqCst),
            self.failures.lock().unwrap().len(),
        )
    }
}

/// One answer; whether the connection stays. An error for anything that is no whole 200.
async fn answer(stream: &mut TcpStream) -> Result<bool, String> {
    let mut bytes = Vec::new();
    let mut some = [0; 4096];
    loop {
        let read = stream.read(&mut some).await.map_err(|e| e.to_string())?;
        if read == 0 {
            return Err(format!("ended after {} bytes of its answer", bytes.len()));
        }
        bytes.extend_from_slice(&some[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_ascii_lowercase();
        if !head.starts_with("http/1.1 200 ") {
            return Err(head);
        }
        let length = head.split("content-length: ").nth(1);
        let length = length.and_then(|rest| rest.lines().next()?.parse::<usize>().ok());
        if body.len() == length.ok_or("no length")? {
            return Ok(!head.contains("connection: close"));
        }
    }
}

/// HTTP/1.1, a connection for as long as the gateway keeps it, or for one request.
async fn http1(seen: Arc<Seen>, address: SocketAddr, who: &'static str, keeps: bool) {
    while seen.goes_on() {
        let mut stream = match TcpStream::connect(address).await {
            Ok(stream) => stream,
            Err(error) => {
                seen.fail(who, &format!("no connection: {error}"));
                continue;
            }
        };
        seen.connections.fetch_add(1, Ordering::SeqCst);
        loop {
            seen.asked.fetch_add(1, Ordering::SeqCst);
            let asking = async {
                stream.write_all(GET).await.map_err(|e| e.to_string())?;
                answer(&mut stream).await
            };
            let answered = tokio::time::timeout(ANSWER_WITHIN, asking).await;
            match answered.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
                Ok(stays) => {
                    seen.answered.fetch_add(1, Ordering::SeqCst);
                    if !stays || !keeps || !seen.goes_on() {
                        break;
                    }
                }
                Err(why) => {
                    seen.fail(who, &why);
                    break;
                }
            }
        }
    }
}

/// HTTP/2 over TLS, several requests at once on one connection. A connection that says that it goes
/// away (GOAWAY) before a request was sent costs nothing; a request that was sent and is neither
/// answered nor named as not looked at is a failure.
async fn http2(seen: Arc<Seen>, address: SocketAddr, ca: Arc<str>) {
    while seen.goes_on() {
        let sender = match connect(address, &ca).await {
            Ok(sender) => sender,
            Err(why) => {
                seen.fail("http2", &why);
                continue;
            }
        };
        seen.connections.fetch_add(1, Ordering::SeqCst);
        let streams: Vec<_> = (0..4)
            .map(|_| tokio::spawn(stream(Arc::clone(&seen), sender.clone())))
            .collect();
        drop(sender);
        for stream in streams {
            stream.await.unwrap();
        }
    }
}

type Sender = h2::client::SendRequest<Bytes>;

async fn connect(address: SocketAddr, ca: &str) -> Result<Sender, String> {
    let roots = net::tls::Roots::Pem(ca.to_owned());
    let mut config = (*net::tls::client_config(&roots).unwrap()).clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = TcpStream::connect(address)
        .await
        .map_err(|e| format!("no connection: {e}"))?;
    let name = rustls::pki_types::ServerName::try_from("app.localhost").unwrap();
    let tls = tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await
        .map_err(|e| format!("no TLS: {e}"))?;
    let (sender, connection) = h2::client::handshake(tls)
        .await
        .map_err(|e| format!("no HTTP/2: {e}"))?;
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// h2's client may send a request right behind its answer to the PING that asks whether it has heard
/// of the end; the gateway then says that it has not looked at it.
fn is_past_the_last(error: &h2::Error) -> bool {
    error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR)
}

async fn stream(seen: Arc<Seen>, sender: Sender) {
    let mut sender = sender;
    while seen.goes_on() {
        // Not sent yet: the connection may be going.
        let Ok(mut ready) = sender.clone().ready().await else {
            return;
        };
        let request = Request::get("https://app.localhost/ok").body(()).unwrap();
        let Ok((response, _)) = ready.send_request(request, true) else {
            return;
        };
        sender = ready;
        let less_one = |owed: u64| owed.checked_sub(1);
        let owed = &seen.owed;
        if owed
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less_one)
            .is_err()
        {
            seen.asked.fetch_add(1, Ordering::SeqCst);
        }
        let answering = async {
            let response = match response.await {
                Err(error) if is_past_the_last(&error) => return Ok(false),
                response => response.map_err(|e| e.to_string())?,
            };
            if response.status() != 200 {
                return Err(response.status().to_string());
            }
            let mut body = response.into_body();
            while let Some(piece) = body.data().await {
                let piece = piece.map_err(|e| e.to_string())?;
                drop(body.flow_control().release_capacity(piece.len()));
            }
            Ok(true)
        };
        let answered = tokio::time::timeout(ANSWER_WITHIN, answering).await;
        match answered.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
            Ok(true) => drop(seen.answered.fetch_add(1, Ordering::SeqCst)),
            Ok(false) => {
                seen.again.fetch_add(1, Ordering::SeqCst);
                seen.owed.fetch_add(1, Ordering::SeqCst);
                return;
            }
            Err(why) => {
                seen.fail("http2", &why);
                return;
            }
        }
    }
}

fn gateways(world: &World) -> Vec<u32> {
    world.roles("gateway")
}

fn restarts() -> usize {
    crate::told("RAMPART_RESTARTS")
        .and_then(|count| count.parse().ok())
        .unwrap_or(RESTARTS)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_under_load_lose_no_request() {
    let restarts = restarts();
    let (_backend, address) = Backend::start().await;
    let world = World::start(address, OPEN).await;
    let ca: Arc<str> = std::fs::read_to_string(world.data().join("tls/ca.pem"))
        .unwrap()
        .into();
    let seen = Arc::new(Seen::default());
    let mut clients = Vec::new();
    for _ in 0..4 {
        let (kept, single) = (Arc::clone(&seen), Arc::clone(&seen));
        clients.push(tokio::spawn(http1(kept, world.plain, "kept", true)));
        clients.push(tokio::spawn(http1(single, world.plain, "single", false)));
    }
    for _ in 0..2 {
        let (seen, ca) = (Arc::clone(&seen), Arc::clone(&ca));
        clients.push(tokio::spawn(http2(seen, world.https, ca)));
    }
    // One that says nothing until the very end, over every restart but the last.
    let mut idle = TcpStream::connect(world.plain).await.unwrap();
    idle.write_all(GET).await.unwrap();
    assert!(answer(&mut idle).await.unwrap());
    for round in 0..restarts {
        let before = gateways(&world).len();
        let answered = seen.answered.load(Ordering::SeqCst);
        let more = || async { seen.answered.load(Ordering::SeqCst) > answered + 50 };
        assert!(eventually(SOON, more).await, "load: {:?}", seen.numbers());
        let restart = json!({ "process": "gateway" });
        let said = world
            .ask(Method::POST, "/processes/restart", Some(restart))
            .await;
        assert!(
            said.is_ok(),
            "{round}: {said:?} of {before}\n{}",
            world.log()
        );
        if round == 0 {
            idle.write_all(GET).await.unwrap();
            let stays = answer(&mut idle)
                .await
                .expect("an idle connection is answered");
            assert!(!stays, "and told to come again");
        }
        // Those that leave are gone soon: nothing holds them.
        let alone = || async { gateways(&world).len() == 1 };
        assert!(eventually(SOON, alone).await, "{}", world.log());
    }
    let answered = seen.answered.load(Ordering::SeqCst);
    let more = || async { seen.answered.load(Ordering::SeqCst) > answered + 50 };
    assert!(eventually(SOON, more).await);
    seen.stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    let (asked, answered, failed) = seen.numbers();
    let again = seen.again.load(Ordering::SeqCst);
    crate::measured(&format!(
        "{restarts} restarts, {asked} requests asked, {answered} answered, {failed} failed, \
         {again} asked again after GOAWAY, {} connections",
        seen.connections.load(Ordering::SeqCst)
    ));
    assert_eq!(failed, 0, "{:?}", seen.failures.lock().unwrap());
    // Each that was to be asked again was, and was answered then.
    assert_eq!(asked, answered);
    assert!(
        again * 100 <= answered,
        "{again} is more than a rare crossing"
    );
}

/// wrk as anybody would run it: it counts every connection that breaks and every answer that is not
/// 2xx or 3xx.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_under_wrk_lose_no_request() {
    let restarts = restarts();
    let (_backend, address) = Backend::start().await;
    let world = World::start(address, OPEN).await;
    let url = format!("http://{}/ok", world.plain);
    let mut wrk = std::process::Command::new("wrk");
    // More than enough: it is ended when the restarts are over. How long an answer takes on a busy
    // machine is not the question.
    wrk.args(["-t2", "-c32", "-d3600s", "--timeout", "60s"])
        .args(["-H", "Host: app.localhost", &url])
        .stdout(std::process::Stdio::piped());
    let wrk = match wrk.spawn() {
        Ok(wrk) => wrk,
        Err(error) => return crate::skipped(&format!("wrk: {error}")),
    };
    let pid = wrk.id();
    for round in 0..restarts {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let restart = json!({ "process": "gateway" });
        let said = world
            .ask(Method::POST, "/processes/restart", Some(restart))
            .await;
        assert!(said.is_ok(), "{round}: {said:?}\n{}", world.log());
        let alone = || async { gateways(&world).len() == 1 };
        assert!(eventually(SOON, alone).await, "{}", world.log());
    }
    signal(pid, Signal::INT);
    let output = tokio::task::spawn_blocking(|| wrk.wait_with_output());
    let text = String::from_utf8(output.await.unwrap().unwrap().stdout).unwrap();
    let requests: u64 = text
        .lines()
        .find_map(|line| line.split_once(" requests in ")?.0.trim().parse().ok())
        .expect("wrk counts");
    crate::measured(&format!(
        "{restarts} restarts under wrk, {requests} requests, {}",
        text.lines()
            .filter(|line| line.contains("errors") || line.contains("Non-2xx"))
            .fold("no error".to_owned(), |_, line| line.trim().to_owned())
    ));
    assert!(requests > 1000, "{text}");
    assert!(
        !text.contains("Socket errors") && !text.contains("Non-2xx"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn successor_that_cannot_serve_changes_nothing_and_is_said() {
    let (_backend, address) = Backend::start().await;
    // A copy of the program, so that it can be replaced.
    let world = World::start_copy(address, OPEN).await;
    let before = gateways(&world);
    let program = world.program().to_path_buf();
    let whole = program.with_extension("whole");
    std::fs::rename(&program, &whole).unwrap();
    for bad in ["#!/bin/sh\nexit 9\n", ""] {
        if bad.is_empty() {
            drop(std::fs::remove_file(&program));
        } else {
            store::atomic_write(&program, bad.as_bytes(), 0o755).unwrap();
        }
        let (code, _, errors) = world.cli(&["restart", "gateway"]);
        assert_eq!(code, 3, "{errors}");
        assert!(
            errors.contains("new process") || errors.contains("cannot be started"),
            "{errors}"
        );
        assert_eq!(gateways(&world), before);
        assert_eq!(world.get("app.localhost", "/ok").await.status, 200);
    }
    let recorded = || async {
        let found = world
            .ask(Method::GET, "/trail?text=goes+on&limit=5", None)
            .await;
        found.is_ok_and(|page| page.to_string().contains("the gateway was not restarted"))
    };
    assert!(eventually(SOON, recorded).await, "the failure is recorded");
    std::fs::rename(&whole, &program).unwrap();
    let (code, said, errors) = world.cli(&["restart"]);
    assert_eq!(code, 0, "{errors}");
    assert!(said.contains("control and gateway restarted"), "{said}");
    assert_eq!(world.get("app.localhost", "/ok").await.status, 200);
    let changed = || async { gateways(&world).iter().all(|id| !before.contains(id)) };
    assert!(eventually(SOON, changed).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_of_a_handover_the_other_one_serves() {
    let (_backend, address) = Backend::start().await;
    let world = World::start(address, OPEN).await;
    // The new one dies before it serves: control is frozen, so it waits for its first estate.
    let old = gateways(&world);
    let control = world.role("control").unwrap();
    signal(control, Signal::STOP);
    signal(world.supervisor(), Signal::HUP);
    let two = || async { gateways(&world).len() == 2 };
    assert!(eventually(SOON, two).await);
    let new = gateways(&world).into_iter().find(|id| !old.contains(id));
    signal(new.unwrap(), Signal::KILL);
    let one = || async { gateways(&world) == old };
    assert!(eventually(SOON, one).await);
    assert_eq!(world.get("app.localhost", "/ok").await.status, 200);
    // The old one dies before the new one serves: that one has the sockets, and goes on.
    signal(world.supervisor(), Signal::HUP);
    assert!(eventually(SOON, two).await);
    signal(old[0], Signal::KILL);
    signal(control, Signal::CONT);
    let served = || async {
        let request = Request::get("/ok").header("host", "app.localhost");
        let answer = world.try_send(request.body(Bytes::new()).unwrap()).await;
        answer.is_ok_and(|answer| answer.status == 200)
    };
    assert!(eventually(SOON, served).await, "{}", world.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_both_gateways_refused_is_recorded_once_each() {
    let (_backend, address) = Backend::start().await;
    let world = World::start(address, OPEN).await;
    assert_eq!(world.get("app.localhost", "/a%5cb").await.status, 400);
    let (code, _, errors) = world.cli(&["restart", "gateway"]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(world.get("app.localhost", "/a%00b").await.status, 400);
    assert!(world.in_trail("path.backslash").await, "by the one before");
    assert!(world.in_trail("path.null").await, "by the one after");
    let sealed = || async {
        let traffic = std::fs::read_dir(world.data().join("gateway/traffic")).unwrap();
        let names = traffic.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name.ends_with(".sealed.ndjson"))
            .count()
            == 1
    };
    assert!(
        eventually(SOON, sealed).await,
        "the one before sealed what it wrote"
    );
    let (code, _, _) = world.cli(&["trail", "verify"]);
    assert_eq!(code, 0);
}
