//! What other implementations and raw frames see of whole requests: the h2 crate as a client, bodies
//! of every size both ways, clients that take nothing, take back, wait for a word, or are told to go.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use testkit::frames::{Frame, flag, frame, greeting, kind, literals, setting};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpListener;

use crate::exchange::Connection;
use crate::front::forwarding::{self, Forward};
use crate::front::service::{Purpose, Service};
use crate::front::testing::{self, Echo, Version};

/// How long anything may take on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// A connection to a gateway that forwards everything, and what tells that to go.
fn connect(handler: &Arc<Forward>) -> (DuplexStream, net::Drain) {
    let (client, server) = tokio::io::duplex(64 * 1024);
    let peer: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let service = Arc::new(Service {
        handler: Arc::clone(handler),
        connection: Arc::new(Connection {
            secure: true,
            http2: true,
            ..Connection::of(peer)
        }),
        purpose: Purpose::Https,
    });
    let drain = net::Drain::new();
    let guard = drain.guard();
    tokio::spawn(async move {
        super::serve(server, service, &testing::settings(), guard).await;
    });
    (client, drain)
}

async fn sender(handler: &Arc<Forward>) -> SendRequest<Bytes> {
    let (client, drain) = connect(handler);
    let (sender, connection) = h2::client::handshake(client).await.unwrap();
    tokio::spawn(async move {
        drop(connection.await);
        drop(drain);
    });
    sender
}

fn request(method: Method, path: &str) -> Request<()> {
    Request::builder()
        .method(method)
        .uri(format!("https://shop.example{path}"))
        .body(())
        .unwrap()
}

async fn get(sender: &SendRequest<Bytes>, path: &str) -> Response<h2::RecvStream> {
    let mut sender = sender.clone().ready().await.unwrap();
    let (response, _) = sender
        .send_request(request(Method::GET, path), true)
        .unwrap();
    response.await.unwrap()
}

/// Everything of an answer's content; the client's windows open as it is read.
async fn content(response: Response<h2::RecvStream>) -> usize {
    let mut body = response.into_body();
    let mut length = 0;
    while let Some(data) = body.data().await {
        let data = data.unwrap();
        length += data.len();
        body.flow_control().release_capacity(data.len()).unwrap();
    }
    length
}

/// Sends content as the server has room for it.
async fn upload(sender: &SendRequest<Bytes>, path: &str, size: usize) -> ResponseFuture {
    let mut sender = sender.clone().ready().await.unwrap();
    let (response, mut body) = sender
        .send_request(request(Method::POST, path), false)
        .unwrap();
    let mut left = size;
    while left > 0 {
        body.reserve_capacity(left.min(20_000));
        let Some(Ok(room)) = std::future::poll_fn(|cx| body.poll_capacity(cx)).await else {
            return response;
        };
        let some = room.min(left);
        body.send_data(Bytes::from(vec![b'y'; some]), false)
            .unwrap();
        left -= some;
    }
    body.send_data(Bytes::new(), true).unwrap();
    response
}

async fn text(response: Response<h2::RecvStream>) -> String {
    let mut body = response.into_body();
    let mut text = Vec::new();
    while let Some(data) = body.data().await {
        text.extend_from_slice(&data.unwrap());
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn answers_of_every_size_arrive_whole_side_by_side() {
    let running = forwarding::start().await;
    let sender = sender(&running.handler).await;
    let mut tasks = Vec::new();
    for n in 0..60_usize {
        let size = [0, 1, 997, 16_384, 16_385, 70_000, 300_000][n % 7] + n;
        let sender = sender.clone();
        tasks.push(tokio::spawn(async move {
            let response = get(&sender, &format!("/n/{size}")).await;
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["content-length"], size.to_string());
            assert!(response.headers().contains_key("date"));
            assert_eq!(content(response).await, size);
        }));
    }
    for task in tasks {
        tokio::time::timeout(SOON, task).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn bodies_of_every_size_arrive_whole_held_and_streamed() {
    let running = forwarding::start().await;
    let sender = sender(&running.handler).await;
    for path in ["/up", "/stream/up"] {
        let mut tasks = Vec::new();
        for size in [0, 1, 16_384, 16_385, 65_536, 300_000, 1 << 20] {
            let sender = sender.clone();
            tasks.push(tokio::spawn(async move {
                let response = upload(&sender, path, size).await.await.unwrap();
                assert_eq!(text(response).await, format!("POST {path} {size}"));
            }));
        }
        for task in tasks {
            tokio::time::timeout(SOON, task).await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn answers_that_are_a_head_alone_have_no_content() {
    let running = forwarding::start().await;
    let sender = sender(&running.handler).await;
    for (method, path, status, length) in [
        (Method::HEAD, "/n/100", 200, Some("100")),
        (Method::GET, "/304", 304, None),
    ] {
        let mut ready = sender.clone().ready().await.unwrap();
        let (response, _) = ready.send_request(request(method, path), true).unwrap();
        let response = response.await.unwrap();
        assert_eq!(response.status(), status);
        let told = response.headers().get("content-length");
        assert_eq!(told.map(|told| told.to_str().unwrap()), length);
        assert_eq!(content(response).await, 0);
    }
}

#[tokio::test]
async fn client_that_takes_nothing_of_one_answer_gets_the_others() {
    let running = forwarding::start().await;
    let sender = sender(&running.handler).await;
    let stalled = get(&sender, "/n/60000").await;
    for _ in 0..20 {
        let response = tokio::time::timeout(SOON, get(&sender, "/n/100"))
            .await
            .unwrap();
        assert_eq!(content(response).await, 100);
    }
    assert_eq!(content(stalled).await, 60_000);
}

#[tokio::test]
async fn trailers_of_a_request_are_its_end() {
    let running = forwarding::start().await;
    let sender = sender(&running.handler).await;
    let mut sender = sender.ready().await.unwrap();
    let (response, mut body) = sender
        .send_request(request(Method::POST, "/up"), false)
        .unwrap();
    body.send_data(Bytes::from_static(b"hello"), false).unwrap();
    let mut fields = HeaderMap::new();
    fields.insert("checksum", HeaderValue::from_static("5"));
    body.send_trailers(fields).unwrap();
    assert_eq!(text(response.await.unwrap()).await, "POST /up 5");
}

#[tokio::test]
async fn request_that_is_taken_back_takes_its_service_along() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = forwarding::start_before(listener.local_addr().unwrap()).await;
    let sender = sender(&running.handler).await;
    let mut sender = sender.ready().await.unwrap();
    let (response, mut body) = sender
        .send_request(request(Method::GET, "/"), true)
        .unwrap();
    let (mut upstream, _) = listener.accept().await.unwrap();
    let mut head = [0; 1024];
    let _ = upstream.read(&mut head).await.unwrap();
    body.send_reset(h2::Reason::CANCEL);
    drop(response);
    let gone = tokio::time::timeout(SOON, upstream.read(&mut head))
        .await
        .unwrap();
    assert_eq!(gone.unwrap_or(0), 0);
}

#[tokio::test]
async fn answer_that_breaks_off_never_looks_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = forwarding::start_before(listener.local_addr().unwrap()).await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await.unwrap();
            let half = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
            stream.write_all(half).await.unwrap();
        }
    });
    let sender = sender(&running.handler).await;
    let response = get(&sender, "/").await;
    let mut body = response.into_body();
    let broken = loop {
        match body.data().await {
            Some(Ok(_)) => {}
            Some(Err(broken)) => break Some(broken),
            None => break None,
        }
    };
    let reason = broken.and_then(|broken| broken.reason());
    assert_eq!(reason, Some(h2::Reason::INTERNAL_ERROR));
}

fn post(more: &[(&str, &str)]) -> Vec<u8> {
    let mut fields = vec![
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "a"),
        (":path", "/"),
    ];
    fields.extend(more);
    frame(kind::HEADERS, flag::END_HEADERS, 1, &literals(&fields))
}

/// Reads until a frame is the one that is waited for.
async fn until(client: &mut DuplexStream, is_it: impl Fn(&Frame) -> bool) -> Frame {
    let mut input = Vec::new();
    let mut some = [0; 4096];
    let reading = async {
        loop {
            while let Some(frame) = Frame::take(&mut input) {
                if is_it(&frame) {
                    return frame;
                }
            }
            let read = client.read(&mut some).await.unwrap();
            assert!(read > 0, "the connection ended");
            input.extend(&some[..read]);
        }
    };
    tokio::time::timeout(SOON, reading).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn client_that_waits_is_told_to_go_on_when_its_content_is_wanted() {
    let echo = Echo::new();
    let mut client = testing::connect(&echo, Version::Http2, testing::settings());
    let asked = [greeting(), post(&[("expect", "100-continue")])].concat();
    client.write_all(&asked).await.unwrap();
    let word = until(&mut client, |f| f.kind == kind::HEADERS).await;
    // A literal with an indexed name: `:status: 100`.
    assert_eq!(word.payload, [8, 3, b'1', b'0', b'0']);
    assert_eq!(word.flags & flag::END_STREAM, 0);
    let content = frame(kind::DATA, flag::END_STREAM, 1, b"hello");
    client.write_all(&content).await.unwrap();
    let answer = until(&mut client, |f| f.kind == kind::HEADERS).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn client_that_does_not_wait_is_told_nothing() {
    let echo = Echo::new();
    let mut client = testing::connect(&echo, Version::Http2, testing::settings());
    let asked = [
        greeting(),
        post(&[("expect", "100-continue"), ("content-length", "5")]),
        frame(kind::DATA, 0, 1, b"hel"),
        frame(kind::DATA, flag::END_STREAM, 1, b"lo"),
    ];
    client.write_all(&asked.concat()).await.unwrap();
    let answer = until(&mut client, |f| {
        f.kind == kind::HEADERS && f.status() == 200
    })
    .await;
    assert_eq!(answer.stream, 1);
}

#[tokio::test(start_paused = true)]
async fn answer_whose_client_has_no_room_ends_in_time_and_others_go_on() {
    let echo = Echo::new();
    let mut settings = testing::settings();
    // Before it is asked whether it is there.
    settings.wire.stall_timeout = Duration::from_secs(10);
    let mut client = testing::connect(&echo, Version::Http2, settings);
    let big = |stream: u32, path: &str| {
        let fields = [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "a"),
            (":path", path),
        ];
        frame(kind::HEADERS, 5, stream, &literals(&fields))
    };
    let room = frame(kind::SETTINGS, 0, 0, &setting(4, 100));
    let asked = [greeting(), room, big(1, "/big"), big(3, "/")].concat();
    client.write_all(&asked).await.unwrap();
    let other = until(&mut client, |f| f.stream == 3 && f.kind == kind::DATA).await;
    assert_eq!(other.payload, b"GET / 0\n");
    let ended = tokio::time::timeout(
        Duration::from_secs(15),
        until(&mut client, |f| f.kind == kind::RST_STREAM),
    );
    let ended = ended.await.unwrap();
    assert_eq!((ended.stream, ended.error()), (1, Some(8)));
}

#[tokio::test]
async fn connection_is_told_twice_to_go_and_loses_nothing() {
    let running = forwarding::start().await;
    let (mut client, drain) = connect(&running.handler);
    let get = |stream: u32| {
        let fields = [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "a"),
            (":path", "/n/9"),
        ];
        frame(kind::HEADERS, 5, stream, &literals(&fields))
    };
    client
        .write_all(&[greeting(), get(1)].concat())
        .await
        .unwrap();
    until(&mut client, |f| f.kind == kind::DATA && f.stream == 1).await;
    drain.leave();
    let first = until(&mut client, |f| f.kind == kind::GOAWAY).await;
    assert_eq!(first.payload[..4], [0x7F, 0xFF, 0xFF, 0xFF]);
    // What was under way before that was heard is still answered.
    client.write_all(&get(3)).await.unwrap();
    until(&mut client, |f| f.kind == kind::DATA && f.stream == 3).await;
    client
        .write_all(&frame(kind::PING, flag::ACK, 0, b"goodbye?"))
        .await
        .unwrap();
    let last = until(&mut client, |f| f.kind == kind::GOAWAY).await;
    assert_eq!(last.payload, [0, 0, 0, 3, 0, 0, 0, 0]);
    let mut rest = Vec::new();
    let read = tokio::time::timeout(SOON, client.read_to_end(&mut rest)).await;
    read.expect("it ends by itself").unwrap();
}
