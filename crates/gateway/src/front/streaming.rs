//! Bodies that are passed on as they come, over real sockets: both sides see each other's bytes at
//! once, nothing piles up in between, and what breaks off is never seen whole.

use std::time::Duration;

use http::Method;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::forwarding::{Running, client, request, start, start_before};

/// How long anything may take on a busy machine.
const SOON: Duration = Duration::from_secs(30);

struct Both {
    running: Running,
    listener: TcpListener,
}

async fn both() -> Both {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = start_before(listener.local_addr().unwrap()).await;
    Both { running, listener }
}

/// Reads until `end` stands at the end of what came.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let read = async {
        while !text.ends_with(end) {
            text.push(char::from(stream.read_u8().await.unwrap()));
        }
    };
    let came = tokio::time::timeout(SOON, read).await;
    assert!(came.is_ok(), "waiting for {end:?} after {text:?}");
    text
}

const CHUNKED: &[u8] =
    b"POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n";

#[tokio::test]
async fn service_sees_the_body_before_it_ended() {
    let both = both().await;
    let mut client = TcpStream::connect(both.running.address).await.unwrap();
    client.write_all(CHUNKED).await.unwrap();
    let (mut service, _) = both.listener.accept().await.unwrap();
    let head = until(&mut service, "\r\n\r\n").await;
    assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
    until(&mut service, "5\r\nfirst\r\n").await;
    client.write_all(b"6\r\nsecond\r\n0\r\n\r\n").await.unwrap();
    until(&mut service, "6\r\nsecond\r\n0\r\n\r\n").await;
    service
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine")
        .await
        .unwrap();
    let answer = until(&mut client, "fine").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(!answer.contains("connection: close"), "{answer}");
    // Both connections serve again.
    client.write_all(CHUNKED).await.unwrap();
    until(&mut service, "5\r\nfirst\r\n").await;
}

#[tokio::test]
async fn declared_length_stays_declared() {
    let both = both().await;
    let mut client = TcpStream::connect(both.running.address).await.unwrap();
    let head = b"PUT /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc";
    client.write_all(head).await.unwrap();
    let (mut service, _) = both.listener.accept().await.unwrap();
    let head = until(&mut service, "abc").await;
    assert!(head.contains("content-length: 6\r\n"), "{head}");
    client.write_all(b"def").await.unwrap();
    until(&mut service, "def").await;
}

#[tokio::test]
async fn both_sides_talk_at_once() {
    let both = both().await;
    let mut client = TcpStream::connect(both.running.address).await.unwrap();
    client.write_all(CHUNKED).await.unwrap();
    let (mut service, _) = both.listener.accept().await.unwrap();
    until(&mut service, "first\r\n").await;
    service
        .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nyo\r\n")
        .await
        .unwrap();
    until(&mut client, "2\r\nyo\r\n").await;
    for n in 0..50 {
        let said = format!("4\r\na{n:03}\r\n");
        client.write_all(said.as_bytes()).await.unwrap();
        until(&mut service, &said).await;
        let answered = format!("4\r\nb{n:03}\r\n");
        service.write_all(answered.as_bytes()).await.unwrap();
        until(&mut client, &answered).await;
    }
    client.write_all(b"0\r\n\r\n").await.unwrap();
    until(&mut service, "0\r\n\r\n").await;
    service.write_all(b"0\r\n\r\n").await.unwrap();
    until(&mut client, "0\r\n\r\n").await;
}

#[tokio::test]
async fn service_may_answer_without_taking_the_body() {
    let both = both().await;
    let mut client = TcpStream::connect(both.running.address).await.unwrap();
    client.write_all(CHUNKED).await.unwrap();
    let (mut service, _) = both.listener.accept().await.unwrap();
    until(&mut service, "\r\n\r\n").await;
    service
        .write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno")
        .await
        .unwrap();
    let answer = until(&mut client, "no").await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

/// What the service got until its connection ended, and the client's answer.
async fn broken_off(both: &Both, mut client: TcpStream) -> (String, String) {
    let (mut service, _) = both.listener.accept().await.unwrap();
    let mut got = Vec::new();
    let read = tokio::time::timeout(SOON, service.read_to_end(&mut got));
    drop(read.await.expect("its connection ends"));
    let mut answer = Vec::new();
    let read = tokio::time::timeout(SOON, client.read_to_end(&mut answer));
    drop(read.await.expect("the client's connection ends"));
    (
        String::from_utf8_lossy(&got).into_owned(),
        String::from_utf8_lossy(&answer).into_owned(),
    )
}

#[tokio::test]
async fn over_long_body_never_looks_whole() {
    let both = both().await;
    let mut client = TcpStream::connect(both.running.address).await.unwrap();
    client.write_all(CHUNKED).await.unwrap();
    let much = format!("{:x}\r\n{}\r\n0\r\n\r\n", 1 << 20, "x".repeat(1 << 20));
    let (reader, mut writer) = client.into_split();
    let writing = tokio::spawn(async move {
        drop(writer.write_all(much.as_bytes()).await);
        writer
    });
    let (mut service, _) = both.listener.accept().await.unwrap();
    let mut got = Vec::new();
    let read = tokio::time::timeout(SOON, service.read_to_end(&mut got));
    drop(read.await.expect("its connection ends"));
    assert!(!got.ends_with(b"0\r\n\r\n"));
    let writer = writing.await.unwrap();
    let mut client = reader.reunite(writer).unwrap();
    let answer = until(&mut client, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn broken_body_never_looks_whole() {
    let both = both().await;
    let mut client = TcpStream::connect(both.running.address).await.unwrap();
    client.write_all(CHUNKED).await.unwrap();
    client.write_all(b"zz\r\n").await.unwrap();
    let (got, answer) = broken_off(&both, client).await;
    assert!(!got.ends_with("0\r\n\r\n"), "{got}");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn client_that_leaves_takes_its_request_along() {
    let both = both().await;
    let mut client = TcpStream::connect(both.running.address).await.unwrap();
    client.write_all(CHUNKED).await.unwrap();
    let (mut service, _) = both.listener.accept().await.unwrap();
    until(&mut service, "first\r\n").await;
    drop(client);
    let mut rest = Vec::new();
    let read = tokio::time::timeout(SOON, service.read_to_end(&mut rest));
    drop(read.await.expect("its connection ends"));
    assert!(rest.is_empty(), "{rest:?}");
}

#[tokio::test]
async fn declared_length_over_the_limit_asks_nobody() {
    let both = both().await;
    let mut client = TcpStream::connect(both.running.address).await.unwrap();
    let head = format!(
        "PUT /stream HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
        (1 << 20) + 1
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let answer = until(&mut client, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn client_is_told_to_go_on_when_the_service_takes_its_body() {
    let both = both().await;
    let mut client = TcpStream::connect(both.running.address).await.unwrap();
    let head =
        b"PUT /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    client.write_all(head).await.unwrap();
    let answer = until(&mut client, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 100 "), "{answer}");
    let (mut service, _) = both.listener.accept().await.unwrap();
    let head = until(&mut service, "\r\n\r\n").await;
    assert!(!head.contains("expect"), "{head}");
    client.write_all(b"abc").await.unwrap();
    until(&mut service, "abc").await;
    service
        .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
        .await
        .unwrap();
    let answer = until(&mut client, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
}

#[tokio::test]
async fn client_is_not_told_to_go_on_when_nobody_takes_its_body() {
    let both = both().await;
    drop(both.listener);
    let mut client = TcpStream::connect(both.running.address).await.unwrap();
    let head =
        b"PUT /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    client.write_all(head).await.unwrap();
    let answer = until(&mut client, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
}

#[tokio::test]
async fn service_that_takes_nothing_holds_the_client_back() {
    let both = both().await;
    let mut client = TcpStream::connect(both.running.address).await.unwrap();
    let head = format!(
        "PUT /stream HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
        1 << 20
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let (service, _) = both.listener.accept().await.unwrap();
    // It reads nothing: what the client can send is what sockets hold, and then it waits; the
    // service never answers, so that its time runs out.
    let sending = client.write_all(&[b'x'; 1 << 20]).await;
    drop(sending);
    let answer = until(&mut client, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
    drop(service);
}

#[tokio::test]
async fn bodies_of_every_size_pass_and_connections_stay() {
    let running = start().await;
    let mut client = client(running.address).await;
    for size in [0, 1, 65_536, 65_537, 1 << 20] {
        client.ready().await.unwrap();
        let request = request(Method::POST, "/stream/up", vec![b'y'; size]);
        let response = client.send_request(request).await.unwrap();
        let text = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(text, format!("POST /stream/up {size}"));
    }
}
