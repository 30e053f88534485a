//! What goes on for long, through the whole program and against programs of others: gRPC calls of
//! every kind, uploads that nobody holds, event streams.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::json;
use testkit::{Process, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use crate::backend::Backend;
use crate::real_backends::program;
use crate::world::{Answer, SOON, World};

fn script(name: &str) -> String {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/python");
    scripts.join(name).to_str().unwrap().to_owned()
}

/// Starts a program of another, and waits until it listens.
async fn start(python: &str, arguments: &[&str], address: SocketAddr) -> Process {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.keep().join("log");
    let process = Process::start(Path::new(python), arguments, &log).unwrap();
    let up = || async { TcpStream::connect(address).await.is_ok() };
    assert!(eventually(SOON, up).await, "{}", process.output());
    process
}

/// A service and a route to it, whose calls are named `shop.<name>`.
fn call_route(name: &str, service: &str, more: &str) -> String {
    let route = name.to_lowercase();
    format!(
        r#"
[[route]]
name = "{route}"
host = "app.localhost"
path = "/shop.{name}/**"
to = "{service}"
limits = {{ body_max = "8MiB", response_timeout = "20s" }}
{more}
"#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpc_calls_of_every_kind_pass_with_a_key_and_are_refused_in_its_own_words() {
    let Some(python) = program("python3") else {
        return;
    };
    let [clear, secure, nowhere] = testkit::free_addresses().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (key, chain) = certificate(folder.path());
    let service = script("grpc_service.py");
    let _clear = start(&python, &[&service, &clear.port().to_string()], clear).await;
    let port = secure.port().to_string();
    let _secure = start(&python, &[&service, &port, &key, &chain], secure).await;
    let mut routes = format!(
        r#"
[[service]]
name = "calls"
address = "{clear}"
protocol = "h2c"

[[service]]
name = "secure"
address = "{secure}"
protocol = "h2"
tls_name = "calls.internal"
tls_authority = "{chain}"

[[service]]
name = "nowhere"
address = "{nowhere}"
protocol = "h2c"
"#
    );
    let read = "require = { POST = \"things:read\" }\n";
    for (name, service, more) in [
        ("Streamed", "calls", format!("{read}body = \"stream\"")),
        ("Held", "calls", read.to_owned()),
        ("Secure", "secure", format!("{read}body = \"stream\"")),
        ("Limited", "calls", format!("{read}limit = \"1/h per key\"")),
        ("Nowhere", "nowhere", read.to_owned()),
        (
            "Written",
            "calls",
            "require = { POST = \"things:write\" }".to_owned(),
        ),
    ] {
        routes.push_str(&call_route(name, service, &more));
    }
    let world = World::start(clear, &routes).await;
    let mut ada = world.visitor("ada", "writer").await;
    let keys = [ada.key("things:read").await, ada.key("things:write").await];
    let authority = world.data().join("tls/ca.pem");
    let client = tokio::process::Command::new(&python)
        .arg(script("grpc_client.py"))
        .args([&world.https.port().to_string(), authority.to_str().unwrap()])
        .args(&keys)
        .output();
    let said = tokio::time::timeout(2 * SOON, client)
        .await
        .unwrap()
        .unwrap();
    let error = String::from_utf8_lossy(&said.stderr).into_owned();
    let out = String::from_utf8_lossy(&said.stdout).into_owned();
    assert_eq!(out, "fine\n", "{error}\n{}", world.log());
}

/// A certificate of its own for `calls.internal`: its key's file and its own.
fn certificate(folder: &Path) -> (String, String) {
    let names = vec!["calls.internal".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let (key, chain) = (folder.join("key.pem"), folder.join("chain.pem"));
    store::atomic_write(&key, made.signing_key.serialize_pem().as_bytes(), 0o600).unwrap();
    store::atomic_write(&chain, made.cert.pem().as_bytes(), 0o644).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    (text(&key), text(&chain))
}

const STREAMS: &str = r#"
[[route]]
name = "streams"
host = "app.localhost"
path = "/**"
to = "backend"
require = { GET = "things:read", POST = "things:write", PUT = "things:write" }
body = "stream"
limits = { body_max = "512MiB", response_timeout = "60s", response_idle_timeout = "5m" }
"#;

struct Streams {
    _process: Process,
    world: World,
    key: String,
}

async fn streams() -> Option<Streams> {
    let python = program("python3")?;
    let [address] = testkit::free_addresses().unwrap();
    let service = script("streams_service.py");
    let process = start(&python, &[&service, &address.port().to_string()], address).await;
    let world = World::start(address, STREAMS).await;
    let mut ada = world.visitor("ada", "writer").await;
    let key = ada.key("things:*").await;
    Some(Streams {
        _process: process,
        world,
        key,
    })
}

impl Streams {
    async fn tell(&self, text: &'static str) -> Answer {
        let request = Request::post("/tell")
            .header("host", "app.localhost")
            .header("authorization", format!("Bearer {}", self.key))
            .body(Bytes::from_static(text.as_bytes()))
            .unwrap();
        self.world.try_send(request).await.unwrap()
    }

    /// Sends a head with the key.
    async fn open(&self, line: &str, fields: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.world.plain).await.unwrap();
        let head = format!(
            "{line} HTTP/1.1\r\nHost: app.localhost\r\nAuthorization: Bearer {}\r\n{fields}\r\n",
            self.key
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }
}

/// Reads until `text` has come.
async fn until(stream: &mut TcpStream, text: &str) -> String {
    let mut got = String::new();
    let read = async {
        while !got.contains(text) {
            got.push(char::from(stream.read_u8().await.unwrap()));
        }
    };
    let came = tokio::time::timeout(SOON, read).await;
    assert!(came.is_ok(), "waiting for {text:?} after {got:?}");
    got
}

/// The most memory a process ever had, in MiB.
fn peak_mib(id: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmHWM:"));
    let kib: f64 = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    kib / 1024.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_upload_passes_while_the_gateway_holds_next_to_nothing() {
    const PIECE: usize = 1 << 20;
    const PIECES: usize = 300;
    let Some(streams) = streams().await else {
        return;
    };
    let gateway = streams.world.role("gateway").unwrap();
    let before = peak_mib(gateway);
    let length = format!("Content-Length: {}\r\n", PIECE * PIECES);
    let mut stream = streams.open("PUT /upload", &length).await;
    for n in 0..PIECES {
        let piece = vec![u8::try_from(n % 251).unwrap(); PIECE];
        stream.write_all(&piece).await.unwrap();
    }
    let answer = until(&mut stream, "}").await;
    let size = format!("\"size\": {}", PIECE * PIECES);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains(&size), "{answer}");
    let sum = expected_sha256(PIECE, PIECES);
    assert!(answer.contains(&sum), "{answer}");
    let grown = peak_mib(gateway) - before;
    assert!(grown < 16.0, "{grown} MiB more than before");
    // Too long by its own word, and too long without one.
    let mut stream = streams
        .open("PUT /upload", "Content-Length: 536870913\r\n")
        .await;
    let answer = until(&mut stream, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

fn expected_sha256(piece: usize, pieces: usize) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for n in 0..pieces {
        context.update(&vec![u8::try_from(n % 251).unwrap(); piece]);
    }
    let digest = context.finish();
    digest.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_arrive_as_they_are_sent_until_the_key_is_revoked() {
    let Some(streams) = streams().await else {
        return;
    };
    let mut listener = streams
        .open("GET /events", "Accept: text/event-stream\r\n")
        .await;
    let head = until(&mut listener, "data: welcome\n\n").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    for text in ["one", "two", "three"] {
        // The next is only sent once the last has arrived.
        assert_eq!(streams.tell(text).await.status, 200);
        until(&mut listener, &format!("data: {text}\n\n")).await;
    }
    // A long poll is answered by what happens.
    let mut poll = streams.open("GET /wait", "").await;
    let told = || async { streams.tell("now").await.body.contains("\"listeners\": 2") };
    assert!(eventually(SOON, told).await);
    until(&mut poll, "now").await;
    let keys = streams.world.ask(Method::GET, "/api-keys", None).await;
    let keys = keys.unwrap().to_string();
    let id = keys.split("\"id\":\"").nth(1).unwrap();
    let id = id.split('"').next().unwrap();
    let path = format!("/api-keys/{id}");
    streams
        .world
        .ask(Method::DELETE, &path, None)
        .await
        .unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(15), listener.read_to_end(&mut rest));
    drop(ended.await.expect("it is cut off"));
    assert!(!rest.ends_with(b"0\r\n\r\n"), "it never looks whole");
    assert!(streams.world.in_trail("authenticate.key_unknown").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streamed_upload_of_a_stranger_reaches_nobody_and_explain_says_what_is_not_looked_at() {
    let (backend, address) = Backend::start().await;
    let world = World::start(address, STREAMS).await;
    let head = "PUT /upload HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 5\r\n\r\nhello";
    let last = head.replace("Content-Length", "Connection: close\r\nContent-Length");
    let answer = world.raw(last.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(backend.lines().is_empty());
    let mut ada = world.visitor("ada", "writer").await;
    let key = ada.key("things:*").await;
    let keyed = head.replace(
        "\r\n\r\n",
        &format!("\r\nAuthorization: Bearer {key}\r\n\r\n"),
    );
    let mut stream = TcpStream::connect(world.plain).await.unwrap();
    stream.write_all(keyed.as_bytes()).await.unwrap();
    let answer = until(&mut stream, "PUT /upload").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let seen = backend.seen();
    assert_eq!(seen[0].body, "hello");
    assert!(!seen[0].header("rampart-assertion").is_empty());
    let url = format!("https://app.localhost:{}/upload", world.https.port());
    let (_, out, err) = world.cli(&["gateway", "explain", &format!("PUT {url}"), "--as", "ada"]);
    assert!(out.contains("passed on as it comes"), "{out}{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answer_that_goes_on_ends_when_its_client_is_banned() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let begun = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhey\r\n";
            drop(stream.write_all(begun).await);
            open.push(stream);
        }
    });
    let world = World::start(address, crate::world::OPEN).await;
    let mut stream = TcpStream::connect(world.plain).await.unwrap();
    let head = b"GET /events HTTP/1.1\r\nHost: app.localhost\r\n\r\n";
    stream.write_all(head).await.unwrap();
    until(&mut stream, "hey").await;
    let body = json!({ "network": "127.0.0.1", "for": "1h", "reason": "guessing" });
    world
        .ask(Method::POST, "/gateway/bans", Some(body))
        .await
        .unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(15), stream.read_to_end(&mut rest));
    drop(ended.await.expect("it is cut off"));
    assert!(!rest.ends_with(b"0\r\n\r\n"), "it never looks whole");
    assert!(world.in_trail("ban.address").await);
}

/// An HTTP/2 connection over TLS, verified with the development authority.
async fn over_http2(world: &World) -> h2::client::SendRequest<Bytes> {
    let roots = net::tls::Roots::File(world.data().join("tls/ca.pem"));
    let mut config = Arc::unwrap_or_clone(net::tls::client_config(&roots).unwrap());
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(world.https).await.unwrap();
    let name = "app.localhost".try_into().unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, stream).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(async move { drop(connection.await) });
    sender
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upload_over_http2_streams_to_a_service_that_speaks_http1() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let routes = crate::world::OPEN.replace("256KiB\" }", "1KiB\" }\nbody = \"stream\"");
    let world = World::start(listener.local_addr().unwrap(), &routes).await;
    let mut sender = over_http2(&world).await;
    let ask = || {
        let request = Request::post("https://app.localhost/upload");
        request.body(()).unwrap()
    };
    let (answer, mut upload) = sender.send_request(ask(), false).unwrap();
    upload
        .send_data(Bytes::from_static(b"first"), false)
        .unwrap();
    let (mut service, _) = listener.accept().await.unwrap();
    let head = until(&mut service, "5\r\nfirst\r\n").await;
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    upload.send_data(Bytes::from_static(b"last"), true).unwrap();
    until(&mut service, "4\r\nlast\r\n0\r\n\r\n").await;
    let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";
    service.write_all(whole).await.unwrap();
    let mut body = answer.await.unwrap().into_body();
    assert_eq!(body.data().await.unwrap().unwrap(), "fine");
    // One that is too long is broken off, and its client told.
    let (answer, mut upload) = sender.send_request(ask(), false).unwrap();
    upload
        .send_data(Bytes::from(vec![b'x'; 2000]), true)
        .unwrap();
    let status = answer.await.unwrap().status();
    assert_eq!(status, 413);
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(SOON, service.read_to_end(&mut rest));
    drop(ended.await.expect("the service's connection ends"));
    assert!(!rest.ends_with(b"0\r\n\r\n"), "it never looks whole");
}
