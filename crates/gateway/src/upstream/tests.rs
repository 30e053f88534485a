//! Against real sockets on loopback that answer byte by byte what a test says.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderValue, Method, Request, header};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::body::Carried;
use crate::exchange::BoxError;
use crate::reply::Reply;

pub(super) const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    response: Duration::from_secs(5),
    idle: Duration::from_secs(5),
    ends: None,
    response_max: 1 << 20,
};

async fn listener() -> (TcpListener, Target) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = target(listener.local_addr().unwrap());
    (listener, target)
}

/// A service in clear at `address`.
pub(crate) fn target(address: SocketAddr) -> Target {
    several(vec![address])
}

/// A service in clear at several addresses.
pub(super) fn several(addresses: Vec<SocketAddr>) -> Target {
    speaking(estate::Protocol::Http, addresses)
}

/// A service at several addresses.
pub(super) fn speaking(protocol: estate::Protocol, addresses: Vec<SocketAddr>) -> Target {
    let (around, _, _) = around();
    let mut service = service(addresses);
    service.protocol = protocol;
    Target::service(&service, &around, &[], None).unwrap()
}

/// A service in clear, as the estate has it.
pub(super) fn service(addresses: Vec<SocketAddr>) -> estate::Service {
    estate::Service {
        name: "orders".to_owned(),
        port: addresses.first().map_or(0, SocketAddr::port),
        endpoints: addresses,
        named: Vec::new(),
        hosts: Vec::new(),
        protocol: estate::Protocol::Http,
        needs: Vec::new(),
        audience: "orders".to_owned(),
        tls_name: None,
        tls_authority: None,
        tls_certificate: None,
        tls_key: None,
        reach: estate::Reach::default(),
        host_header: estate::HostHeader::Preserve,
    }
}

/// Events that were left.
pub(super) type Left = Arc<std::sync::Mutex<Vec<model::Event>>>;

/// What services are made with, a clock that stands still, and the events they leave.
pub(super) fn around() -> (Around, testkit::FakeClock, Left) {
    let (clock, left) = (testkit::FakeClock::new(), Left::default());
    let events = Arc::clone(&left);
    let sink = move |event| events.lock().unwrap().push(event);
    let around = Around::with(
        std::path::Path::new("/"),
        Arc::new(clock.clone()),
        Arc::new(testkit::SeededEntropy::new(1)),
        Some(Arc::new(sink)),
        2,
    );
    (around, clock, left)
}

/// One for `/`.
pub(super) fn plainly(target: &Target, method: Method) -> ServiceRequest {
    ServiceRequest::of(target, request(method, "/"))
}

pub(super) fn request(method: Method, path: &str) -> Request<Carried> {
    let mut request = Request::new(Carried::empty());
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().unwrap();
    request
        .headers_mut()
        .insert(header::HOST, HeaderValue::from_static("shop.example"));
    request
}

/// Reads one bodyless request.
pub(super) async fn head(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        let byte = stream.read_u8().await.unwrap();
        text.push(char::from(byte));
    }
    text
}

pub(super) async fn body(response: Reply<ResponseBody>) -> Result<String, BoxError> {
    let mut body = response.body;
    let mut text = String::new();
    while let Some(frame) = std::future::poll_fn(|cx| body.poll_frame(cx)).await {
        text.push_str(std::str::from_utf8(&frame?.into_data().unwrap()).unwrap());
    }
    Ok(text)
}

pub(super) const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

#[tokio::test]
async fn connection_is_used_again_for_the_next_request() {
    let (listener, target) = listener().await;
    let upstream = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for _ in 0..3 {
            head(&mut stream).await;
            stream.write_all(HELLO).await.unwrap();
        }
        stream
    });
    let upstreams = Upstreams::new();
    for _ in 0..3 {
        let response = upstreams
            .send(&target, plainly(&target, Method::GET), &TIMEOUTS)
            .await
            .unwrap();
        assert_eq!(body(response).await.unwrap(), "hello");
        assert_eq!(upstreams.usage(), PoolUse { open: 1, idle: 1 });
    }
    let _still_open = upstream.await.unwrap();
}

#[tokio::test]
async fn bodyless_response_gives_its_connection_back_at_once() {
    let (listener, target) = listener().await;
    let upstream = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
            .await
            .unwrap();
        stream
    });
    let upstreams = Upstreams::new();
    let response = upstreams
        .send(&target, plainly(&target, Method::GET), &TIMEOUTS)
        .await
        .unwrap();
    assert_eq!(response.status, 204);
    assert_eq!(upstreams.usage(), PoolUse { open: 1, idle: 1 });
    let _still_open = upstream.await.unwrap();
}

#[tokio::test]
async fn large_chunked_response_streams_whole() {
    let (listener, target) = listener().await;
    let upstream = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            .await
            .unwrap();
        for _ in 0..100 {
            let chunk = format!("2000\r\n{}\r\n", "x".repeat(0x2000));
            stream.write_all(chunk.as_bytes()).await.unwrap();
        }
        stream.write_all(b"0\r\n\r\n").await.unwrap();
        stream
    });
    let upstreams = Upstreams::new();
    let response = upstreams
        .send(&target, plainly(&target, Method::GET), &TIMEOUTS)
        .await
        .unwrap();
    assert!(response.fields.get(&header::TRANSFER_ENCODING).is_none());
    assert_eq!(body(response).await.unwrap().len(), 100 * 0x2000);
    assert_eq!(upstreams.usage(), PoolUse { open: 1, idle: 1 });
    let _still_open = upstream.await.unwrap();
}

#[tokio::test]
async fn pooled_connection_that_died_is_replaced() {
    let (listener, target) = listener().await;
    let upstream = tokio::spawn(async move {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            head(&mut stream).await;
            stream.write_all(HELLO).await.unwrap();
        }
    });
    let upstreams = Upstreams::new();
    for _ in 0..2 {
        let response = upstreams
            .send(&target, plainly(&target, Method::POST), &TIMEOUTS)
            .await
            .unwrap();
        assert_eq!(body(response).await.unwrap(), "hello");
        // Let the runtime hear that the upstream closed.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
    }
    upstream.await.unwrap();
    upstreams.sweep();
}

/// The first connection answers one request, takes a second one and closes without a byte; the
/// second connection answers.
async fn dies_on_second(listener: TcpListener) -> usize {
    let (mut first, _) = listener.accept().await.unwrap();
    head(&mut first).await;
    first.write_all(HELLO).await.unwrap();
    head(&mut first).await;
    drop(first);
    let next = tokio::time::timeout(Duration::from_millis(500), listener.accept()).await;
    let Ok(Ok((mut second, _))) = next else {
        return 1;
    };
    head(&mut second).await;
    second.write_all(HELLO).await.unwrap();
    2
}

#[tokio::test]
async fn idempotent_request_is_sent_again_when_the_pooled_connection_died_unanswered() {
    let (listener, target) = listener().await;
    let upstream = tokio::spawn(dies_on_second(listener));
    let upstreams = Upstreams::new();
    for _ in 0..2 {
        let response = upstreams
            .send(&target, plainly(&target, Method::GET), &TIMEOUTS)
            .await
            .unwrap();
        assert_eq!(body(response).await.unwrap(), "hello");
    }
    assert_eq!(upstream.await.unwrap(), 2);
}

#[tokio::test]
async fn other_request_is_never_sent_twice() {
    let (listener, target) = listener().await;
    let upstream = tokio::spawn(dies_on_second(listener));
    let upstreams = Upstreams::new();
    let response = upstreams
        .send(&target, plainly(&target, Method::POST), &TIMEOUTS)
        .await
        .unwrap();
    assert_eq!(body(response).await.unwrap(), "hello");
    let second = upstreams
        .send(&target, plainly(&target, Method::POST), &TIMEOUTS)
        .await;
    assert_eq!(second.map(|_| ()).unwrap_err(), Failed::Broken);
    assert_eq!(upstream.await.unwrap(), 1);
    assert_eq!(upstreams.usage(), PoolUse::default());
}

#[tokio::test]
async fn half_an_answer_is_never_asked_for_again() {
    let (listener, target) = listener().await;
    let upstream = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream.write_all(HELLO).await.unwrap();
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 O").await.unwrap();
        drop(stream);
        tokio::time::timeout(Duration::from_millis(200), listener.accept())
            .await
            .is_ok()
    });
    let upstreams = Upstreams::new();
    let response = upstreams
        .send(&target, plainly(&target, Method::GET), &TIMEOUTS)
        .await
        .unwrap();
    body(response).await.unwrap();
    let second = upstreams
        .send(&target, plainly(&target, Method::GET), &TIMEOUTS)
        .await;
    assert_eq!(second.map(|_| ()).unwrap_err(), Failed::Broken);
    assert!(!upstream.await.unwrap());
}

#[tokio::test]
async fn bytes_nobody_asked_for_end_an_idle_connection() {
    let (listener, target) = listener().await;
    let upstream = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        let poisoned = [HELLO, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"].concat();
        stream.write_all(&poisoned).await.unwrap();
        let (mut second, _) = listener.accept().await.unwrap();
        head(&mut second).await;
        second.write_all(HELLO).await.unwrap();
        (stream, second)
    });
    let upstreams = Upstreams::new();
    for _ in 0..2 {
        let response = upstreams
            .send(&target, plainly(&target, Method::GET), &TIMEOUTS)
            .await
            .unwrap();
        assert_eq!(body(response).await.unwrap(), "hello");
    }
    let _open = upstream.await.unwrap();
}

/// Sends one request to an upstream that answers `answer` and stays open.
async fn one(answer: &'static [u8]) -> Result<Result<String, BoxError>, Failed> {
    let (listener, target) = listener().await;
    let upstream = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream.write_all(answer).await.unwrap();
        std::future::pending::<()>().await;
    });
    let timeouts = Timeouts {
        response: Duration::from_millis(300),
        idle: Duration::from_millis(300),
        response_max: 16,
        ..TIMEOUTS
    };
    let upstreams = Upstreams::new();
    let result = match upstreams
        .send(&target, plainly(&target, Method::GET), &timeouts)
        .await
    {
        Ok(response) => Ok(body(response).await),
        Err(failed) => Err(failed),
    };
    assert_eq!(
        upstreams.usage().idle,
        0,
        "a connection that failed is not used again"
    );
    upstream.abort();
    result
}

#[tokio::test]
async fn bad_upstreams_are_told_apart() {
    assert_eq!(one(b"").await.unwrap_err(), Failed::ResponseTimeout);
    assert_eq!(
        one(b"HTTP/1.1 200").await.unwrap_err(),
        Failed::ResponseTimeout
    );
    assert_eq!(
        one(b"SSH-2.0-OpenSSH\r\n").await.unwrap_err(),
        Failed::Broken
    );
    assert_eq!(
        one(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxy")
            .await
            .unwrap_err(),
        Failed::Broken
    );
    assert_eq!(
        one(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n")
            .await
            .unwrap_err(),
        Failed::Broken
    );
    assert_eq!(
        one(b"HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n")
            .await
            .unwrap_err(),
        Failed::TooLarge
    );
    let endless =
        one(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n11\r\n0123456789abcdefg\r\n");
    assert!(
        endless
            .await
            .unwrap()
            .unwrap_err()
            .to_string()
            .contains("longer than allowed")
    );
    let stalled = one(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel");
    assert!(
        stalled
            .await
            .unwrap()
            .unwrap_err()
            .to_string()
            .contains("stopped sending")
    );
    let chunk = one(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n");
    assert!(chunk.await.unwrap().is_err());
}

#[tokio::test]
async fn interim_responses_are_passed_over() {
    let answer = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
    assert_eq!(one(answer).await.unwrap().unwrap(), "ok");
}

#[tokio::test]
async fn nobody_listening_is_refused() {
    let (listener, target) = listener().await;
    drop(listener);
    let upstreams = Upstreams::new();
    let result = upstreams
        .send(&target, plainly(&target, Method::GET), &TIMEOUTS)
        .await;
    assert_eq!(result.map(|_| ()).unwrap_err(), Failed::Refused);
    assert_eq!(upstreams.usage(), PoolUse::default());
}

#[tokio::test]
async fn framing_from_outside_ends_here() {
    let (listener, target) = listener().await;
    let upstream = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = head(&mut stream).await;
        let answer = b"HTTP/1.1 200 OK\r\nconnection: keep-alive, x-hop\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        head
    });
    let mut request = request(Method::PUT, "/a?b");
    for (name, value) in [
        ("transfer-encoding", "chunked"),
        ("connection", "rampart-assertion"),
        ("rampart-assertion", "1"),
        ("authorization", "Bearer x"),
        ("te", "trailers"),
        ("upgrade", "h2c"),
        ("expect", "100-continue"),
        ("content-length", "77"),
    ] {
        request
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    let upstreams = Upstreams::new();
    let response = upstreams
        .send(&target, ServiceRequest::of(&target, request), &TIMEOUTS)
        .await
        .unwrap();
    assert_eq!(response.fields.len(), 1, "{:?}", response.fields);
    let head = upstream.await.unwrap();
    let mut lines: Vec<_> = head.trim_end().split("\r\n").collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "PUT /a?b HTTP/1.1",
            "authorization: Bearer x",
            "content-length: 0",
            "host: shop.example",
            "rampart-assertion: 1",
        ]
    );
}

#[tokio::test]
async fn held_body_is_sent_by_its_length() {
    let (listener, target) = listener().await;
    let upstream = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = head(&mut stream).await;
        let mut body = [0; 5];
        stream.read_exact(&mut body).await.unwrap();
        stream.write_all(HELLO).await.unwrap();
        (head, body)
    });
    let folder = tempfile::tempdir().unwrap();
    let size = model::ByteSize(1 << 20);
    let budget = Arc::new(body::Budget::new(folder.path().to_path_buf(), size, size));
    let limits = body::Limits {
        max: 10,
        bytes_per_s_min: 0,
        grace: Duration::from_secs(1),
    };
    let whole = http_body_util::Full::new(Bytes::from_static(b"world"));
    let held = body::hold(whole, &limits, &budget).await.unwrap();
    let request = request(Method::POST, "/").map(|_| held.into());
    let upstreams = Upstreams::new();
    let response = upstreams
        .send(&target, ServiceRequest::of(&target, request), &TIMEOUTS)
        .await
        .unwrap();
    assert_eq!(body(response).await.unwrap(), "hello");
    let (head, body) = upstream.await.unwrap();
    assert!(head.contains("content-length: 5\r\n"), "{head}");
    assert_eq!(&body, b"world");
}

#[tokio::test]
async fn client_that_goes_away_closes_the_upstream_connection() {
    let (listener, target) = listener().await;
    let upstream = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nh")
            .await
            .unwrap();
        stream.read_u8().await.is_err()
    });
    let upstreams = Upstreams::new();
    let response = upstreams
        .send(&target, plainly(&target, Method::GET), &TIMEOUTS)
        .await
        .unwrap();
    drop(response);
    assert!(upstream.await.unwrap());
    assert_eq!(upstreams.usage(), PoolUse::default());
}
