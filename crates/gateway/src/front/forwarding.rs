//! The whole way of bytes: client, connection, held body, upstream connection, streamed answer,
//! over real sockets, with nothing decided in between.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use estate::Listen;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::testing::{self, BODY};
use super::{Caps, Ending, Fleet, Handler};
use crate::body::{self, Budget, Carried, Streamed};
use crate::exchange::{Connection, Incoming, Outgoing};
use crate::reply::{Reply, ReplyFields};
use crate::upstream::ServiceRequest;
use crate::upstream::{PoolUse, Target, Timeouts, Upstreams};

/// Forwards everything; what is below `/stream` as it comes.
#[derive(Debug)]
pub(super) struct Forward {
    upstreams: Upstreams,
    target: Target,
    budget: Arc<Budget>,
    _folder: tempfile::TempDir,
}

const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    response: Duration::from_secs(5),
    idle: Duration::from_secs(5),
    ends: None,
    response_max: 64 << 20,
};

impl Handler for Forward {
    async fn handle(self: Arc<Self>, _: Arc<Connection>, request: Request<Incoming>) -> Reply {
        let (parts, incoming) = request.into_parts();
        let carried = if parts.uri.path().starts_with("/stream") {
            Streamed::new(incoming, &BODY).map(|body| Carried::Streamed(Box::new(body)))
        } else {
            body::hold(incoming, &BODY, &self.budget)
                .await
                .map(Carried::Held)
        };
        let status = match carried {
            Err(refused) => refused.status(),
            Ok(carried) => {
                let request = Request::from_parts(parts, carried);
                match self
                    .upstreams
                    .send(
                        &self.target,
                        ServiceRequest::of(&self.target, request),
                        &TIMEOUTS,
                    )
                    .await
                {
                    Ok(response) => return response.map(Outgoing::Upstream),
                    Err(failed) => failed.status(),
                }
            }
        };
        Reply {
            status,
            fields: ReplyFields::default(),
            body: Outgoing::Empty,
        }
    }

    fn time(&self) -> model::Timestamp {
        model::Timestamp::from_millis(0)
    }

    fn refused(&self, _: SocketAddr, _: &'static str, _: u16) {}

    fn accepted(&self) {}

    fn exhausted(&self) {}

    fn tick(&self) {
        self.upstreams.sweep();
    }

    fn upstreams(&self) -> PoolUse {
        self.upstreams.usage()
    }
}

/// A backend as backends are: `/n/<bytes>` answers that many, `/chunked` without a length, the
/// rest echo method and body.
async fn backend(
    request: Request<hyper::body::Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    if let Some(count) = parts.uri.path().strip_prefix("/n/") {
        let count = count.parse().unwrap_or(0);
        return Ok(Response::new(Full::from(vec![b'x'; count])));
    }
    if parts.uri.path() == "/304" {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    let text = format!("{} {} {}", parts.method, parts.uri, body.len());
    Ok(Response::new(Full::from(text)))
}

pub(super) struct Running {
    fleet: Fleet,
    pub(super) handler: Arc<Forward>,
    pub(super) address: SocketAddr,
}

pub(super) async fn start() -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(backend));
            tokio::spawn(async move { drop(serving.await) });
        }
    });
    start_before(upstream).await
}

pub(super) async fn start_before(upstream: SocketAddr) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let (memory, disk) = (model::ByteSize(8 << 20), model::ByteSize(32 << 20));
    let handler = Arc::new(Forward {
        upstreams: Upstreams::new(),
        target: crate::upstream::plain(upstream),
        budget: Arc::new(Budget::new(folder.path().to_path_buf(), memory, disk)),
        _folder: folder,
    });
    let certificates = Arc::new(net::tls::Certificates::new());
    let tls = net::tls::server_config(certificates, net::tls::Offer::Http1).unwrap();
    let caps = Arc::new(Caps::new());
    caps.set(1000, 1000, &[]);
    let handlers = vec![Arc::clone(&handler)];
    let fleet = Fleet::start(handlers, &tls, testing::settings(), caps).unwrap();
    let listen = Listen {
        https: Vec::new(),
        http: vec!["127.0.0.1:0".parse().unwrap()],
        plain: true,
        proxy_protocol: Vec::new(),
        metrics: None,
        strict_sni: false,
    };
    let prepared = fleet.prepare(&listen).unwrap();
    let (address, _) = prepared.addresses().next().unwrap();
    fleet.commit(prepared).await;
    Running {
        fleet,
        handler,
        address,
    }
}

/// A client that keeps its connection.
pub(super) async fn client(
    address: SocketAddr,
) -> hyper::client::conn::http1::SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(async move { drop(connection.await) });
    sender
}

pub(super) fn request(method: Method, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "shop.example")
        .body(Full::new(body.into()))
        .unwrap()
}

#[tokio::test]
async fn one_connection_on_each_side_serves_many_requests() {
    let running = start().await;
    let mut client = client(running.address).await;
    for size in [0, 1, 5_000, 70_000, 3_000_000, 0, 10] {
        client.ready().await.unwrap();
        let request = request(Method::GET, &format!("/n/{size}"), "");
        let response = client.send_request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-length"], size.to_string());
        assert_eq!(
            response
                .into_body()
                .collect()
                .await
                .unwrap()
                .to_bytes()
                .len(),
            size
        );
    }
    assert_eq!(running.handler.upstreams(), PoolUse { open: 1, idle: 1 });
}

#[tokio::test]
async fn bodies_of_every_size_arrive_whole() {
    let running = start().await;
    let mut client = client(running.address).await;
    for size in [0, 1, 65_536, 65_537, 1 << 20] {
        client.ready().await.unwrap();
        let request = request(Method::POST, "/up", vec![b'y'; size]);
        let response = client.send_request(request).await.unwrap();
        let text = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(text, format!("POST /up {size}"));
    }
    client.ready().await.unwrap();
    let too_large = request(Method::POST, "/up", vec![b'y'; (1 << 20) + 1]);
    assert_eq!(client.send_request(too_large).await.unwrap().status(), 413);
    assert_eq!(running.handler.budget.memory().taken, 0);
    assert_eq!(running.handler.budget.disk().taken, 0);
}

#[tokio::test]
async fn answers_without_a_body_keep_both_connections() {
    let running = start().await;
    let mut client = client(running.address).await;
    for _ in 0..3 {
        client.ready().await.unwrap();
        let head = client
            .send_request(request(Method::HEAD, "/n/100", ""))
            .await
            .unwrap();
        assert_eq!(head.headers()["content-length"], "100");
        client.ready().await.unwrap();
        let same = client
            .send_request(request(Method::GET, "/304", ""))
            .await
            .unwrap();
        assert_eq!(same.status(), 304);
    }
    assert_eq!(running.handler.upstreams(), PoolUse { open: 1, idle: 1 });
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let running = start().await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let mut bytes = Vec::new();
    for n in 0..50 {
        bytes.extend(
            format!("POST /{n} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi").bytes(),
        );
    }
    bytes.extend(b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    stream.write_all(&bytes).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    let mut rest = answers.as_str();
    for n in 0..50 {
        let text = format!("POST /{n} 2");
        rest = rest
            .split_once(&text)
            .unwrap_or_else(|| panic!("{text} in order"))
            .1;
    }
    assert!(rest.contains("GET /last 0"));
}

#[tokio::test]
async fn many_clients_at_once_share_few_upstream_connections() {
    let running = start().await;
    let mut tasks = Vec::new();
    for _ in 0..20 {
        let address = running.address;
        tasks.push(tokio::spawn(async move {
            let mut client = client(address).await;
            for n in 0..20 {
                client.ready().await.unwrap();
                let size = n * 997;
                let request = request(Method::GET, &format!("/n/{size}"), "");
                let response = client.send_request(request).await.unwrap();
                let body = response.into_body().collect().await.unwrap().to_bytes();
                assert_eq!(body.len(), size);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let usage = running.handler.upstreams();
    assert!(usage.open <= 20 && usage.idle == usage.open, "{usage:?}");
}

#[tokio::test]
async fn upstream_that_breaks_off_never_looks_like_a_whole_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = start_before(listener.local_addr().unwrap()).await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await.unwrap();
            let half = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
            stream.write_all(half).await.unwrap();
        }
    });
    let mut client = client(running.address).await;
    let whole = match client.send_request(request(Method::GET, "/", "")).await {
        Err(_) => false,
        Ok(response) => response.into_body().collect().await.is_ok(),
    };
    assert!(!whole);
    assert_eq!(running.handler.upstreams(), PoolUse::default());
}

#[tokio::test]
async fn client_that_leaves_early_frees_everything() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = start_before(listener.local_addr().unwrap()).await;
    let mut client = TcpStream::connect(running.address).await.unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let (mut upstream, _) = listener.accept().await.unwrap();
    let mut head = [0; 1024];
    let _ = upstream.read(&mut head).await.unwrap();
    drop(client);
    // The upstream is told too: its connection ends.
    assert_eq!(upstream.read(&mut head).await.unwrap_or(0), 0);
    assert!(
        running
            .fleet
            .stop(Ending::Stop, Duration::from_secs(5))
            .await
    );
    assert_eq!(running.handler.upstreams(), PoolUse::default());
}

#[tokio::test]
async fn nobody_behind_is_a_502() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap();
    drop(listener);
    let running = start_before(upstream).await;
    let mut client = client(running.address).await;
    let response = client
        .send_request(request(Method::GET, "/", ""))
        .await
        .unwrap();
    assert_eq!(response.status(), 502);
}
