//! Limits through the whole program: gateways that count together, a server that goes and comes
//! back, and clients who make up what they are counted by.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use testkit::{RedisServer, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::backend::Backend;
use crate::world::{Answer, SOON, World, memory_mib};
use crate::{measured, skipped};

async fn redis(folder: &tempfile::TempDir) -> Option<RedisServer> {
    let server = RedisServer::start(folder.path(), &[]).await.unwrap();
    if server.is_none() {
        skipped("redis-server is not installed");
    }
    server
}

/// Where gateways count together, and a route that counts.
fn shared(address: SocketAddr, more: &str, limit: &str) -> String {
    format!(
        "[limits.shared]\naddress = \"redis://{address}\"\n{more}\n\
         [[route]]\nname = \"counted\"\nhost = \"app.localhost\"\npath = \"/counted/**\"\n\
         to = \"backend\"\nauth = \"none\"\n{limit}\n\
         [[route]]\nname = \"free\"\nhost = \"app.localhost\"\npath = \"/free\"\nto = \"backend\"\n\
         auth = \"none\"\n"
    )
}

/// A header's text.
pub(crate) fn text<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let value = answer.headers.get(name);
    value.and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// One command without an answer that matters but for its first line.
async fn tell(server: SocketAddr, command: &str) -> String {
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream
        .write_all(format!("{command}\r\n").as_bytes())
        .await
        .unwrap();
    let mut line = String::new();
    while !line.ends_with("\r\n") {
        line.push(char::from(stream.read_u8().await.unwrap()));
    }
    line.trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_count_one_limit_together_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = redis(&folder).await else {
        return;
    };
    let (backend, address) = Backend::start().await;
    let routes = shared(
        server.address(),
        "timeout = \"5s\"",
        "limit = [\"1000/h per route\", \"60/h per address\"]\ncost = { POST = 3 }",
    );
    let first = Arc::new(World::start(address, &routes).await);
    let second = Arc::new(World::start(address, &routes).await);
    let (mut units, mut refused) = (0, 0);
    for _batch in 0..8 {
        let mut asking = tokio::task::JoinSet::new();
        for number in 0..16 {
            let world = Arc::clone(if number < 8 { &first } else { &second });
            asking.spawn(async move {
                let cost = if number % 2 == 0 { 1 } else { 3 };
                let method = if cost == 1 { "GET" } else { "POST" };
                let request = Request::builder().method(method).uri("/counted/x");
                let request = request.header("host", "app.localhost");
                let answer = world.try_send(request.body(Bytes::new()).unwrap()).await;
                (cost, answer.unwrap())
            });
        }
        for (cost, answer) in asking.join_all().await {
            assert_eq!(text(&answer, "ratelimit-policy"), "\"address\";q=60;w=3600");
            assert!(
                text(&answer, "ratelimit").starts_with("\"address\";r="),
                "{answer:?}"
            );
            if answer.status == 200 {
                units += cost;
                continue;
            }
            assert_eq!(answer.status, 429);
            refused += 1;
            let wait: u64 = text(&answer, "retry-after").parse().unwrap();
            assert!((1..=180).contains(&wait), "{wait}");
            assert!(
                answer.body.contains("limits.route_address"),
                "{}",
                answer.body
            );
        }
    }
    assert_eq!(units, 60, "no unit more and none less, over both");
    assert!(refused > 0);
    assert_eq!(backend.lines().len(), 128 - refused);
    // What was refused cost nothing of the route's own limit; and who asked is not to be read there.
    assert_eq!(tell(server.address(), "DBSIZE").await, ":2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_that_is_killed_costs_nobody_more_than_the_timeout_and_comes_back_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut server) = redis(&folder).await else {
        return;
    };
    let (_backend, address) = Backend::start().await;
    let routes = shared(
        server.address(),
        "timeout = \"500ms\"",
        "limit = \"100000/h per address\"",
    );
    let world = World::start(address, &routes).await;
    let counted = || async {
        let answer = world.get("app.localhost", "/counted/x").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        tell(server.address(), "DBSIZE").await != ":0"
    };
    assert!(eventually(SOON, counted).await, "{}", world.log());
    server.end().await.unwrap();
    let began = Instant::now();
    for _ in 0..200 {
        assert_eq!(world.get("app.localhost", "/counted/x").await.status, 200);
    }
    // At most a few waited; were each to wait, this would take a hundred seconds.
    assert!(
        began.elapsed() < Duration::from_secs(50),
        "{:?}",
        began.elapsed()
    );
    assert!(
        told(&world, "gateway.limits.store_away").await,
        "{}",
        world.log()
    );
    server.start_again().await.unwrap();
    let address = server.address();
    let counted = || async {
        let answer = world.get("app.localhost", "/counted/x").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        // Beside the key of its own trial.
        tell(address, "DBSIZE").await == ":2" || tell(address, "DBSIZE").await == ":1"
    };
    assert!(eventually(SOON, counted).await, "{}", world.log());
    assert!(
        told(&world, "gateway.limits.store_back").await,
        "{}",
        world.log()
    );
}

/// Waits for an event of a kind.
async fn told(world: &World, kind: &str) -> bool {
    eventually(SOON, || async {
        let found = world.ask(Method::GET, "/trail?limit=100", None).await;
        found.is_ok_and(|page| page.to_string().contains(kind))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn estate_that_says_refuse_refuses_what_it_cannot_count_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut server) = redis(&folder).await else {
        return;
    };
    server.end().await.unwrap();
    let (backend, address) = Backend::start().await;
    let routes = shared(
        server.address(),
        "timeout = \"500ms\"\nwhen_away = \"refuse\"",
        "limit = \"100000/h per address\"",
    );
    let world = World::start(address, &routes).await;
    for _ in 0..20 {
        let answer = world.get("app.localhost", "/counted/x").await;
        assert_eq!(answer.status, 503);
        assert!(answer.body.contains("limits.store_away"), "{}", answer.body);
        let wait: u64 = text(&answer, "retry-after").parse().unwrap();
        assert!((1..=5).contains(&wait), "{wait}");
        assert_eq!(world.get("app.localhost", "/free").await.status, 200);
    }
    assert_eq!(backend.lines(), ["GET /free"; 20]);
    server.start_again().await.unwrap();
    let served = || async { world.get("app.localhost", "/counted/x").await.status == 200 };
    assert!(eventually(SOON, served).await, "{}", world.log());
}

/// Reads until `end` has come.
pub(crate) async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let read = async {
        while !text.contains(end) {
            text.push(char::from(stream.read_u8().await.unwrap()));
        }
    };
    let came = tokio::time::timeout(SOON, read).await;
    assert!(came.is_ok(), "waiting for {end:?} after {text:?}");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_who_make_up_what_they_are_counted_by_cost_no_memory() {
    let (_backend, address) = Backend::start().await;
    let routes = r#"
[[limit_key]]
name = "tenant"
from = ["header:x-tenant", "query:tenant"]
missing = "refuse"

[[route]]
name = "all"
host = "app.localhost"
path = "/**"
to = "backend"
auth = "none"
limit = ["2/h per tenant", "1000000/h per address"]
mode = { inspect = "observe" }
"#;
    let world = World::start(address, routes).await;
    let gateway = world.role("gateway").unwrap();
    let none = world.get("app.localhost", "/").await;
    assert_eq!(none.status, 400);
    assert!(none.body.contains("limits.key_missing"), "{}", none.body);
    let before = memory_mib(gateway);
    let mut statuses = std::collections::BTreeMap::<String, usize>::new();
    let mut stream = TcpStream::connect(world.plain).await.unwrap();
    for number in 0..6000_u32 {
        let mut value = number.to_string().into_bytes();
        match number % 4 {
            // Longer than any name of anybody's.
            0 => value.resize(24 * 1024, b'x'),
            // No text.
            1 => value.extend([0xff, 0xfe, 0x80]),
            _ => value.resize(500, b'y'),
        }
        let head = [
            b"GET /a HTTP/1.1\r\nHost: app.localhost\r\nX-Tenant: ",
            value.as_slice(),
            b"\r\n\r\n",
        ];
        stream.write_all(&head.concat()).await.unwrap();
        let answer = until(&mut stream, "\r\n\r\n").await.to_ascii_lowercase();
        let length = answer.split("content-length: ").nth(1).unwrap();
        let length = length.split("\r\n").next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let status = answer.split(' ').nth(1).unwrap().to_owned();
        *statuses.entry(status).or_default() += 1;
    }
    // Each short one is new; the long ones are all the same, of whom two got through.
    let expected = [("200".to_owned(), 4502), ("429".to_owned(), 1498)];
    assert_eq!(statuses, expected.into());
    let grown = memory_mib(gateway) - before;
    assert!(grown < 32.0, "{grown} MiB more");
    // A head of 64 KiB is refused as any other is.
    let long = "z".repeat(64 * 1024);
    let answer = world
        .raw(
            format!("GET /a HTTP/1.1\r\nHost: app.localhost\r\nX-Tenant: {long}\r\n\r\n")
                .as_bytes(),
        )
        .await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_says_which_limits_would_count_and_under_what() {
    let (_backend, address) = Backend::start().await;
    let routes = r#"
[limits.shared]
address = "redis://127.0.0.1:1"

[[limit_key]]
name = "tenant"
from = ["header:x-tenant"]

[[limit]]
name = "api"
rate = "1000/min per user"

[[route]]
name = "all"
host = "app.localhost"
path = "/**"
to = "backend"
auth = "optional"
limit = ["api", "10/s per tenant"]
cost = { GET = 2 }
concurrent = "5 per address"
"#;
    let world = World::start(address, routes).await;
    world.visitor("ada", "reader").await;
    let url = format!("GET https://app.localhost:{}/x", world.https.port());
    let (code, out, err) = world.cli(&[
        "gateway",
        "explain",
        &url,
        "--as",
        "ada",
        "--header",
        "x-tenant: acme",
    ]);
    assert_eq!(code, 0, "{out}{err}");
    let flat = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "`api`, 1000/m per person: takes 2, for `",
        "10/s per tenant: takes 2, for its `header:x-tenant`, which a client can choose",
        "at once, 5 per address: for its address",
        "counted at `redis://127.0.0.1:1`, by each gateway for itself while that is away",
    ] {
        assert!(flat.contains(part), "{part}\n{out}{err}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_the_server_adds_little_to_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = redis(&folder).await else {
        return;
    };
    let (_backend, address) = Backend::start().await;
    let routes = shared(
        server.address(),
        "timeout = \"5s\"",
        "limit = \"1000000/h per address\"",
    );
    let world = World::start(address, &routes).await;
    let median = async |path: &str| {
        let mut stream = TcpStream::connect(world.plain).await.unwrap();
        let mut took = Vec::new();
        for _ in 0..500 {
            let head = format!("GET {path} HTTP/1.1\r\nHost: app.localhost\r\n\r\n");
            let began = Instant::now();
            stream.write_all(head.as_bytes()).await.unwrap();
            until(&mut stream, &format!("GET {path}")).await;
            took.push(began.elapsed());
        }
        took.sort_unstable();
        took[took.len() / 2]
    };
    median("/counted/x").await;
    let (with, without) = (median("/counted/x").await, median("/free").await);
    measured(&format!(
        "an answer takes {without:?}, counted together {with:?}"
    ));
    assert!(with < Duration::from_secs(1), "{with:?}");
    let sent = Request::get("/counted/x").header(header::HOST, "app.localhost");
    assert_eq!(world.send(sent).await.status, 200);
}
