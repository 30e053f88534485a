//! How many at once, through the whole program: a place is given back on every way out.

use std::net::SocketAddr;
use std::sync::Arc;

use http::Request;
use testkit::eventually;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

use crate::limits::{text, until};
use crate::world::{SOON, World};

/// A service that answers as its paths say, and ends its streams when it is told to.
async fn holding(ended: watch::Receiver<bool>, held: Arc<Notify>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(hold(stream, ended.clone(), Arc::clone(&held)));
        }
    });
    address
}

async fn hold(mut stream: TcpStream, mut ended: watch::Receiver<bool>, held: Arc<Notify>) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else {
            return;
        };
        head.push(char::from(byte));
    }
    let begun: &[u8] = match head.split(' ').nth(1).unwrap_or("") {
        "/wait" => b"",
        "/stream" => b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbegun\r\n",
        "/live" => {
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        }
        _ => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
    };
    drop(stream.write_all(begun).await);
    if begun.ends_with(b"ok") {
        return;
    }
    held.notify_one();
    let mut byte = [0];
    let told = async { drop(ended.wait_for(|ended| *ended).await) };
    tokio::select! {
        () = told => drop(stream.write_all(b"0\r\n\r\n").await),
        _ = stream.read(&mut byte) => {}
    }
    // Only its end is to be seen, not that of the connection.
    drop(stream.read(&mut byte).await);
}

const AT_ONCE: &str = r#"
[[route]]
name = "all"
host = "app.localhost"
path = "/**"
to = "backend"
auth = "none"
websocket = true
concurrent = "1 per address"
limits = { response_timeout = "5m", response_idle_timeout = "5m" }
"#;

struct Holding {
    world: World,
    end: watch::Sender<bool>,
    held: Arc<Notify>,
}

impl Holding {
    async fn new() -> Self {
        let (end, ended) = watch::channel(false);
        let held = Arc::new(Notify::new());
        let service = holding(ended, Arc::clone(&held)).await;
        let world = World::start(service, AT_ONCE).await;
        Self { world, end, held }
    }

    async fn open(&self, path: &str, fields: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.world.plain).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: app.localhost\r\n{fields}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }

    /// Somebody else is under way, as the service has seen.
    async fn is_busy(&self) -> bool {
        let held = tokio::time::timeout(SOON, self.held.notified());
        held.await.expect("the service was asked");
        let busy = || async {
            let answer = self.world.get("app.localhost", "/ok").await;
            if answer.status == 200 {
                return false;
            }
            assert_eq!(answer.status, 429);
            assert!(
                answer.body.contains("limits.at_once_address"),
                "{}",
                answer.body
            );
            assert_eq!(text(&answer, "retry-after"), "1");
            true
        };
        eventually(SOON, busy).await
    }

    /// Nobody is under way any more.
    async fn is_free(&self) -> bool {
        let free = || async { self.world.get("app.localhost", "/ok").await.status == 200 };
        eventually(SOON, free).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn place_is_given_back_by_a_client_that_leaves_before_its_answer() {
    let holding = Holding::new().await;
    let waiting = holding.open("/wait", "").await;
    assert!(holding.is_busy().await);
    drop(waiting);
    assert!(holding.is_free().await);
    // And by one that leaves in the middle of an answer.
    let mut reading = holding.open("/stream", "").await;
    until(&mut reading, "begun").await;
    assert!(holding.is_busy().await);
    drop(reading);
    assert!(holding.is_free().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn place_is_given_back_when_a_stream_ends_although_its_client_stays() {
    let holding = Holding::new().await;
    let mut reading = holding.open("/stream", "").await;
    let head = until(&mut reading, "begun").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(holding.is_busy().await);
    holding.end.send(true).unwrap();
    until(&mut reading, "0\r\n\r\n").await;
    assert!(holding.is_free().await);
    drop(reading);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn place_is_given_back_when_a_websocket_closes() {
    let holding = Holding::new().await;
    let asked = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let mut socket = holding.open("/live", asked).await;
    let head = until(&mut socket, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(holding.is_busy().await);
    drop(socket);
    assert!(holding.is_free().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn place_is_given_back_by_an_http2_stream_that_is_reset() {
    let holding = Holding::new().await;
    let stream = holding.world.over_http2("app.localhost").await;
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    for path in ["/wait", "/stream"] {
        let uri = format!("https://app.localhost:{}{path}", holding.world.https.port());
        let request = Request::get(uri).body(()).unwrap();
        let (answer, mut sending) = client.send_request(request, true).unwrap();
        if path == "/stream" {
            let mut answer = answer.await.unwrap();
            assert_eq!(answer.body_mut().data().await.unwrap().unwrap(), "begun");
            assert!(holding.is_busy().await);
            sending.send_reset(h2::Reason::CANCEL);
        } else {
            assert!(holding.is_busy().await);
            sending.send_reset(h2::Reason::CANCEL);
            drop(answer);
        }
        assert!(holding.is_free().await, "{path}");
    }
}
