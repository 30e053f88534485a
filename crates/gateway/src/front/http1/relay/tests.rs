//! A client and a service over the whole way, with nothing decided in between.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Request, StatusCode};
use model::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::body::Carried;
use crate::exchange::{Connection, Incoming, Outgoing, WebSocket};
use crate::front::service::{Purpose, Service};
use crate::front::{Handler, http1, testing};
use crate::reply::{Reply, ReplyFields};
use crate::upstream::ServiceRequest;
use crate::upstream::{PoolUse, Target, Timeouts, Upstreams};

/// Opens a WebSocket for everybody who asks for one.
#[derive(Debug)]
struct Opens {
    upstreams: Upstreams,
    target: Target,
    allowed: Arc<AtomicBool>,
}

const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    response: Duration::from_secs(5),
    idle: Duration::from_secs(5),
    ends: None,
    response_max: 1 << 20,
};

impl Handler for Opens {
    async fn handle(self: Arc<Self>, _: Arc<Connection>, request: Request<Incoming>) -> Reply {
        let refused = Reply {
            status: StatusCode::BAD_GATEWAY,
            fields: ReplyFields::default(),
            body: Outgoing::Empty,
        };
        if request.extensions().get::<WebSocket>().is_none() {
            return refused;
        }
        let request = request.map(|_| Carried::empty());
        let opened = self
            .upstreams
            .open(
                &self.target,
                ServiceRequest::of(&self.target, request),
                &TIMEOUTS,
            )
            .await;
        let allowed = Arc::clone(&self.allowed);
        match opened {
            Ok(Ok(response)) => response.map(|upstream| {
                let allowed = move |_| allowed.load(Ordering::Relaxed);
                Outgoing::Tunnel(Box::new(Tunnel {
                    upstream,
                    message_max: 100_000,
                    allowed: Some(Box::new(allowed)),
                    permits: None,
                }))
            }),
            Ok(Err(response)) => response.map(Outgoing::Upstream),
            Err(_) => refused,
        }
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn refused(&self, _: SocketAddr, _: &'static str, _: u16) {}

    fn accepted(&self) {}

    fn exhausted(&self) {}

    fn tick(&self) {}

    fn upstreams(&self) -> PoolUse {
        self.upstreams.usage()
    }
}

struct Ground {
    client: DuplexStream,
    server: TcpStream,
    handler: Arc<Opens>,
    drain: net::Drain,
    serving: tokio::task::JoinHandle<()>,
}

const HANDSHAKE: &[u8] = b"GET /live HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
    Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n";

/// Up to the service's answer to the handshake, which is `answer`.
async fn ground(answer: &[u8]) -> Ground {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let allowed = Arc::new(AtomicBool::new(true));
    let handler = Arc::new(Opens {
        upstreams: Upstreams::new(),
        target: crate::upstream::plain(listener.local_addr().unwrap()),
        allowed,
    });
    let (mut client, end) = tokio::io::duplex(64 * 1024);
    let service = Arc::new(Service {
        handler: Arc::clone(&handler),
        connection: Arc::new(Connection::of("127.0.0.1:1".parse().unwrap())),
        purpose: Purpose::Plain,
    });
    let drain = net::Drain::new();
    let guard = drain.guard();
    let serving = tokio::spawn(async move {
        http1::serve(end, service, &testing::settings(), guard).await;
    });
    client.write_all(HANDSHAKE).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let head = head(&mut server).await;
    assert!(
        head.contains("connection: upgrade\r\nupgrade: websocket\r\n"),
        "{head}"
    );
    assert_eq!(head.matches("upgrade").count(), 2, "{head}");
    server.write_all(answer).await.unwrap();
    Ground {
        client,
        server,
        handler,
        drain,
        serving,
    }
}

async fn head<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        text.push(char::from(stream.read_u8().await.unwrap()));
    }
    text
}

async fn opened() -> Ground {
    let mut ground = ground(
        b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX: y\r\n\r\n",
    )
    .await;
    let head = head(&mut ground.client).await;
    assert!(
        head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"),
        "{head}"
    );
    assert!(
        head.contains("connection: upgrade\r\nupgrade: websocket\r\n"),
        "{head}"
    );
    assert!(
        head.contains("X: y\r\n") && !head.contains("content-length"),
        "{head}"
    );
    ground
}

/// A masked frame of text.
fn masked(text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | u8::try_from(text.len()).unwrap(), 1, 2, 3, 4];
    frame.extend(text);
    frame
}

fn plain(text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81, u8::try_from(text.len()).unwrap()];
    frame.extend(text);
    frame
}

async fn exactly<S: AsyncRead + Unpin>(stream: &mut S, expected: &[u8]) {
    let mut got = vec![0; expected.len()];
    stream.read_exact(&mut got).await.unwrap();
    assert_eq!(got, expected);
}

/// Everything up to the end, however it ends.
async fn rest<S: AsyncRead + Unpin>(stream: &mut S) -> Vec<u8> {
    let mut rest = Vec::new();
    drop(stream.read_to_end(&mut rest).await);
    rest
}

#[tokio::test]
async fn frames_pass_both_ways_as_they_are() {
    let mut ground = opened().await;
    for text in [b"hello".as_slice(), b"", &[b'x'; 125]] {
        ground.client.write_all(&masked(text)).await.unwrap();
        exactly(&mut ground.server, &masked(text)).await;
        ground.server.write_all(&plain(text)).await.unwrap();
        exactly(&mut ground.client, &plain(text)).await;
    }
    // Byte by byte, and many at once.
    for byte in masked(b"slow") {
        ground.client.write_all(&[byte]).await.unwrap();
    }
    exactly(&mut ground.server, &masked(b"slow")).await;
    let mut long = vec![0x82, 127];
    long.extend(90_000_u64.to_be_bytes());
    long.extend([7; 90_000]);
    let writing = async { ground.server.write_all(&long).await.unwrap() };
    tokio::join!(writing, exactly(&mut ground.client, &long));
    // Each side says goodbye, and the connection ends.
    ground
        .client
        .write_all(&close(Sender::Client, 1000))
        .await
        .unwrap();
    exactly(&mut ground.server, &close(Sender::Client, 1000)).await;
    ground
        .server
        .write_all(&close(Sender::Server, 1000))
        .await
        .unwrap();
    assert_eq!(rest(&mut ground.client).await, close(Sender::Server, 1000));
    ground.serving.await.unwrap();
    assert_eq!(ground.handler.upstreams(), PoolUse::default());
}

#[tokio::test]
async fn broken_frames_do_not_reach_the_other_side() {
    let mut ground = opened().await;
    let both = [masked(b"fine"), plain(b"not masked")].concat();
    ground.client.write_all(&both).await.unwrap();
    let expected = [masked(b"fine"), close(Sender::Client, 1002)].concat();
    assert_eq!(rest(&mut ground.server).await, expected);
    assert_eq!(rest(&mut ground.client).await, close(Sender::Server, 1002));

    let mut ground = opened().await;
    let too_long = [&[0x82, 127], 100_001_u64.to_be_bytes().as_slice()].concat();
    ground.server.write_all(&too_long).await.unwrap();
    assert_eq!(rest(&mut ground.client).await, close(Sender::Server, 1009));
    assert_eq!(rest(&mut ground.server).await, close(Sender::Client, 1009));
}

#[tokio::test]
async fn who_may_no_longer_is_cut_off() {
    let mut ground = opened().await;
    ground.handler.allowed.store(false, Ordering::Relaxed);
    let end = tokio::time::timeout(TICK * 2, rest(&mut ground.client)).await;
    assert_eq!(end.unwrap(), close(Sender::Server, POLICY));
    assert_eq!(
        rest(&mut ground.server).await,
        close(Sender::Client, POLICY)
    );
}

#[tokio::test]
async fn a_side_that_leaves_ends_it_for_the_other() {
    let mut ground = opened().await;
    drop(ground.client);
    assert!(rest(&mut ground.server).await.is_empty());
    let mut ground = opened().await;
    drop(ground.server);
    assert!(rest(&mut ground.client).await.is_empty());
}

#[tokio::test]
async fn both_are_told_when_the_process_stops() {
    let mut ground = opened().await;
    ground.drain.start();
    assert_eq!(rest(&mut ground.client).await, close(Sender::Server, AWAY));
    assert_eq!(rest(&mut ground.server).await, close(Sender::Client, AWAY));
}

#[tokio::test]
async fn service_may_answer_otherwise() {
    let mut ground = ground(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await;
    let head = head(&mut ground.client).await;
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    exactly(&mut ground.client, b"no").await;
}

/// Always has another frame, and takes whatever it is told.
#[derive(Debug)]
struct Tireless;

impl AsyncRead for Tireless {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        buf.put_slice(&masked(b"x"));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tireless {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The runtime stops a task that is never out of work, and its timers with it: the question must
/// not wait for a pause.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_pauses_is_asked_about_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = crate::upstream::plain(listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut server, _) = listener.accept().await.unwrap();
        head(&mut server).await;
        let answer = b"HTTP/1.1 101 Switching\r\n\r\n";
        server.write_all(answer).await.unwrap();
        let mut some = vec![0; 1 << 20];
        while server.read(&mut some).await.is_ok_and(|read| read > 0) {}
    });
    let request = Request::new(Carried::empty());
    let upstreams = Upstreams::new();
    let opened = upstreams
        .open(&target, ServiceRequest::of(&target, request), &TIMEOUTS)
        .await;
    let upstream = opened.unwrap().unwrap().body;
    let tunnel = Box::new(Tunnel {
        upstream,
        message_max: 100,
        allowed: Some(Box::new(|_| false)),
        permits: None,
    });
    let io = std::sync::Mutex::new(Io::new(Tireless, testing::limits()));
    let mut stop = Stop::new(net::Drain::new().guard());
    let ended = tokio::time::timeout(TICK * 3, run(&io, tunnel, &mut stop));
    ended.await.expect("cut off in time");
    server.await.unwrap();
}
