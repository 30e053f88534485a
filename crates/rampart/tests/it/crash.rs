//! `kill -9` of each process under load: every acknowledged action is there afterwards, and the
//! trail verifies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use net::{Client, Endpoint};
use rustix::process::Signal;
use serde_json::{Value, json};
use testkit::eventually;

use crate::backend::Backend;
use crate::world::{OPEN, SOON, World, signal};

/// Kills of each process.
const KILLS: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_of_each_process_50_times_loses_nothing_acknowledged() {
    let (_backend, address) = Backend::start().await;
    let mut world = World::start(address, OPEN).await;
    let stop = Arc::new(AtomicBool::new(false));
    let acknowledged = tokio::spawn(invite(&world, Arc::clone(&stop)));
    let served = Arc::new(AtomicUsize::new(0));
    let visits = tokio::spawn(visit(world.plain, Arc::clone(&stop), Arc::clone(&served)));
    for turn in 0..KILLS {
        for role in ["control", "gateway"] {
            let there = || async { world.role(role).is_some() };
            assert!(
                eventually(SOON, there).await,
                "{role} came back, turn {turn}"
            );
            let id = world.role(role).unwrap();
            if turn % 2 == 0 {
                let before = served.load(Ordering::SeqCst);
                let serves = || async { served.load(Ordering::SeqCst) > before };
                assert!(eventually(SOON, serves).await, "{role} serves, turn {turn}");
            }
            // Somewhere in the middle of whatever it does; every other time, of its start.
            tokio::time::sleep(Duration::from_millis(40 + (turn as u64 * 37) % 160)).await;
            signal(id, Signal::KILL);
        }
    }
    let healthy = || async {
        let health = world.ask(Method::GET, "/health", None).await;
        health.is_ok_and(|health| health["state"] == "green")
    };
    assert!(eventually(SOON, healthy).await, "{}", world.log());
    stop.store(true, Ordering::SeqCst);
    let acknowledged = acknowledged.await.unwrap();
    visits.await.unwrap();
    assert!(
        acknowledged.len() >= KILLS / 5,
        "{} actions",
        acknowledged.len()
    );
    assert!(served.load(Ordering::SeqCst) >= KILLS, "{served:?} visits");
    let people = world.ask(Method::GET, "/people", None).await.unwrap();
    let logins: Vec<&str> = people["people"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|person| person["login"].as_str())
        .collect();
    for login in &acknowledged {
        assert!(logins.contains(&login.as_str()), "{login} was acknowledged");
    }
    every_action_is_in_the_trail(&world, &acknowledged).await;
    world.stop().await;
    let (code, out, err) = world.cli(&["trail", "verify"]);
    assert_eq!(code, 0, "{out}{err}");
    println!(
        "{} kills, {} acknowledged actions, {} visits; {}",
        2 * KILLS,
        acknowledged.len(),
        served.load(Ordering::SeqCst),
        out.lines().next().unwrap_or_default()
    );
}

async fn every_action_is_in_the_trail(world: &World, acknowledged: &[String]) {
    let mut recorded = Vec::new();
    let mut before = String::new();
    loop {
        let path = format!("/trail?kind=identity.person&limit=500{before}");
        let page = world.ask(Method::GET, &path, None).await.unwrap();
        let records = page["records"].as_array().unwrap();
        recorded.extend(records.iter().map(Value::to_string));
        match page["next"].as_u64() {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    for login in acknowledged {
        let found = recorded
            .iter()
            .any(|text| text.contains(&format!("`{login}`")));
        assert!(
            found,
            "{login} is in the trail, of {} records",
            recorded.len()
        );
    }
}

/// Invites people one after the other; those that were acknowledged.
fn invite(
    world: &World,
    stop: Arc<AtomicBool>,
) -> impl Future<Output = Vec<String>> + Send + 'static {
    let socket = world.data().join("run/admin.sock");
    async move {
        let mut acknowledged = Vec::new();
        let mut number = 0;
        while !stop.load(Ordering::SeqCst) {
            number += 1;
            let login = format!("person-{number}");
            let body = json!({ "login": login, "name": login, "roles": ["reader"] });
            let request = Request::post("/api/v1/people")
                .header("content-type", "application/json")
                .body(Bytes::from(body.to_string()))
                .unwrap();
            let client = Client::new(Endpoint::Unix(socket.clone())).timeout(SOON);
            match client.send(request).await {
                Ok(answer) if answer.status().is_success() => {
                    if answer.bytes().await.is_ok() {
                        acknowledged.push(login);
                    }
                }
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
        acknowledged
    }
}

async fn visit(gateway: std::net::SocketAddr, stop: Arc<AtomicBool>, served: Arc<AtomicUsize>) {
    let client = Client::new(Endpoint::Tcp(gateway)).timeout(Duration::from_secs(5));
    let mut turn = 0_u32;
    while !stop.load(Ordering::SeqCst) {
        turn += 1;
        // Every third is refused, and so an event of its own.
        let target = if turn.is_multiple_of(3) {
            "/a%00"
        } else {
            "/ok"
        };
        let request = Request::get(target)
            .header("host", "app.localhost")
            .body(Bytes::new())
            .unwrap();
        match client.send(request).await {
            Ok(answer) if answer.status() == 200 => {
                served.fetch_add(1, Ordering::SeqCst);
            }
            Ok(_) => {}
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}
