//! What happens at once: clients that leave, keys that are revoked and estates that change while
//! requests are under way, and callers on one connection.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Method, Request};
use testkit::eventually;
use testkit::frames::{flag, frame, greeting, kind, literals};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::backend::Backend;
use crate::smuggling::ledger::{Recorded, records};
use crate::world::{OPEN, SOON, World};

/// The records of `path`, once there is one.
async fn recorded(world: &World, path: &str) -> Vec<Recorded> {
    let found = || -> Vec<Recorded> {
        let mut all = records(&world.data());
        all.retain(|record| record.path == path);
        all
    };
    let there = || async { !found().is_empty() };
    assert!(eventually(SOON, there).await, "`{path}` is not recorded");
    found()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_whose_client_leaves_before_the_answer_is_recorded() {
    let (backend, address) = Backend::start().await;
    let world = World::start(address, OPEN).await;
    let mut client = TcpStream::connect(world.plain).await.unwrap();
    let request = b"GET /slow HTTP/1.1\r\nHost: app.localhost\r\n\r\n";
    client.write_all(request).await.unwrap();
    let seen = || async { !backend.lines().is_empty() };
    assert!(eventually(SOON, seen).await);
    drop(client);
    let all = recorded(&world, "/slow").await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].id, backend.seen()[0].header("x-request-id"));
    assert_eq!(all[0].refused.as_deref(), Some("client.gone"));

    let mut client = world.over_http2("app.localhost").await;
    let block = literals(&[
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "app.localhost"),
        (":path", "/slow?again"),
    ]);
    let mut bytes = greeting();
    bytes.extend(frame(
        kind::HEADERS,
        flag::END_STREAM | flag::END_HEADERS,
        1,
        &block,
    ));
    client.write_all(&bytes).await.unwrap();
    let seen = || async { backend.lines().len() == 2 };
    assert!(eventually(SOON, seen).await);
    let reset = frame(kind::RST_STREAM, 0, 1, &8_u32.to_be_bytes());
    client.write_all(&reset).await.unwrap();
    let both = || async {
        records(&world.data())
            .iter()
            .filter(|r| r.path == "/slow")
            .count()
            == 2
    };
    assert!(eventually(SOON, both).await, "{:?}", records(&world.data()));
}

const PRIVATE: &str = r#"
[[route]]
name = "things"
host = "app.localhost"
path = "/things/**"
to = "backend"
require = { GET = "things:read" }
"#;

fn with_key(target: &str, key: &str) -> Request<Bytes> {
    Request::get(target)
        .header("host", "app.localhost")
        .header("authorization", format!("Bearer {key}"))
        .body(Bytes::new())
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_that_begins_after_a_revocation_was_answered_gets_through() {
    let (_backend, address) = Backend::start().await;
    let world = Arc::new(World::start(address, PRIVATE).await);
    let mut ada = world.visitor("ada", "reader").await;
    for round in 0..5 {
        let key = ada.key("things:read").await;
        let (revoked, good) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicUsize::new(0)),
        );
        let mut clients = Vec::new();
        for _ in 0..4 {
            let (world, key) = (Arc::clone(&world), key.clone());
            let (revoked, good) = (Arc::clone(&revoked), Arc::clone(&good));
            clients.push(tokio::spawn(async move {
                loop {
                    let is_late = revoked.load(Ordering::SeqCst);
                    let answer = world.try_send(with_key("/things/1", &key)).await.unwrap();
                    if is_late {
                        assert_eq!(answer.status, 401, "round {round}");
                        return;
                    }
                    assert!([200, 401].contains(&answer.status.as_u16()), "{answer:?}");
                    good.fetch_add(usize::from(answer.status == 200), Ordering::SeqCst);
                }
            }));
        }
        let busy = || async { good.load(Ordering::SeqCst) > 20 };
        assert!(eventually(SOON, busy).await);
        let keys = world.ask(Method::GET, "/api-keys", None).await.unwrap();
        let all = keys["keys"].as_array().unwrap().iter();
        let mut present = all.filter(|one| one["prefix"].as_str().is_some_and(|p| key.contains(p)));
        let id = present.next().unwrap()["id"].as_str().unwrap().to_owned();
        let path = format!("/api-keys/{id}");
        world.ask(Method::DELETE, &path, None).await.unwrap();
        revoked.store(true, Ordering::SeqCst);
        for client in clients {
            client.await.unwrap();
        }
    }
}

/// One route, in two estates that differ in two places at once.
fn one_of_two(second: SocketAddr, turn: usize) -> String {
    let service = format!("\n[[service]]\nname = \"second\"\naddress = \"{second}\"\n");
    let rest = match turn % 2 {
        0 => "to = \"backend\"\n",
        _ => "to = \"second\"\nstrip_prefix = \"/x\"\n",
    };
    format!(
        "{service}\n[[route]]\nname = \"x\"\nhost = \"app.localhost\"\npath = \"/x/**\"\nauth = \"none\"\n{rest}"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_decided_by_half_an_estate() {
    let (first, one) = Backend::start().await;
    let (second, two) = Backend::start().await;
    let world = Arc::new(World::start(one, &one_of_two(two, 0)).await);
    let over = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    for _ in 0..4 {
        let (world, over) = (Arc::clone(&world), Arc::clone(&over));
        clients.push(tokio::spawn(async move {
            while !over.load(Ordering::SeqCst) {
                let answer = world.get("app.localhost", "/x/y").await;
                let body = answer.body.as_str();
                assert!(
                    answer.status == 200 && ["GET /x/y", "GET /y"].contains(&body),
                    "{answer:?}"
                );
            }
        }));
    }
    for turn in 1..=8 {
        world.write_estate(one, &one_of_two(two, turn));
        let applying = Arc::clone(&world);
        let apply = move || applying.cli(&["apply", "--yes"]);
        let (code, out, err) = tokio::task::spawn_blocking(apply).await.unwrap();
        assert_eq!(code, 0, "{out}{err}");
    }
    over.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    for (backend, only) in [(first, "GET /x/y"), (second, "GET /y")] {
        let lines = backend.lines();
        assert!(
            !lines.is_empty() && lines.iter().all(|line| line == only),
            "{only}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_share_a_connection_stay_who_they_are() {
    let (backend, address) = Backend::start().await;
    let world = World::start(address, PRIVATE).await;
    let mut keys = Vec::new();
    for name in ["ada", "bob"] {
        let mut person = world.visitor(name, "reader").await;
        keys.push((name, person.key("things:read").await));
    }
    for _ in 0..10 {
        let mut text = String::new();
        for at in 0..20 {
            let (name, key) = &keys[at % 2];
            let end = if at == 19 {
                "Connection: close\r\n"
            } else {
                ""
            };
            text.push_str(&format!(
                "GET /things/{name} HTTP/1.1\r\nHost: app.localhost\r\nAuthorization: Bearer {key}\r\n{end}\r\n"
            ));
        }
        let answer = world.raw(text.as_bytes()).await;
        assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 20, "{answer}");
    }
    let mut subjects: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for seen in backend.seen() {
        let claims = seen
            .header("rampart-assertion")
            .split('.')
            .nth(1)
            .unwrap()
            .to_owned();
        let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        let subject = claims["sub"].as_str().unwrap().to_owned();
        subjects
            .entry(seen.line.clone())
            .or_default()
            .insert(subject);
        assert!(
            ids.insert(seen.header("x-request-id").to_owned()),
            "an id twice"
        );
    }
    let all: BTreeSet<_> = subjects.values().flatten().collect();
    assert_eq!(
        (subjects.len(), all.len(), ids.len()),
        (2, 2, 200),
        "{subjects:?}"
    );
    assert!(
        subjects.values().all(|of_one| of_one.len() == 1),
        "{subjects:?}"
    );
}
