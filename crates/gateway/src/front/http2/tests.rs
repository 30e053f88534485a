//! HTTP/2 with frames written by hand, so that nothing between test and server is polite.

use std::time::Duration;

use http::{Method, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::Instant;

use crate::front::testing::{self, Echo, Version};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM_AND_HEADERS: u8 = 0x5;
const END_HEADERS: u8 = 0x4;

pub(in crate::front) fn frame_of(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Fields as literals without indexing (RFC 7541 §6.2.2).
fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend(text.bytes());
        }
    }
    block
}

pub(in crate::front) fn get(extra: &[(&str, &str)]) -> Vec<u8> {
    let mut all = vec![
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "a"),
        (":path", "/"),
    ];
    all.extend(extra);
    fields(&all)
}

pub(in crate::front) fn preface() -> Vec<u8> {
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame_of(SETTINGS, 0, 0, &[]),
    ]
    .concat()
}

#[derive(Debug)]
struct Frame {
    kind: u8,
    payload: Vec<u8>,
}

async fn read_frame(client: &mut DuplexStream) -> Option<Frame> {
    let mut head = [0; 9];
    client.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    client.read_exact(&mut payload).await.ok()?;
    Some(Frame {
        kind: head[3],
        payload,
    })
}

/// The first frame of one of `kinds`.
async fn wait_for(client: &mut DuplexStream, kinds: &[u8]) -> Option<Frame> {
    loop {
        let frame = read_frame(client).await?;
        if kinds.contains(&frame.kind) {
            return Some(frame);
        }
    }
}

/// What one raw request leads to: the body's text, or nothing when it was reset.
async fn ask(block: &[u8]) -> (Option<String>, Vec<&'static str>, Vec<String>) {
    let echo = Echo::new();
    let mut client = testing::connect(&echo, Version::Http2, testing::settings());
    client.write_all(&preface()).await.unwrap();
    client
        .write_all(&frame_of(HEADERS, END_STREAM_AND_HEADERS, 1, block))
        .await
        .unwrap();
    let answer = wait_for(&mut client, &[DATA, RST_STREAM, GOAWAY]).await;
    let text = answer
        .filter(|frame| frame.kind == DATA)
        .map(|frame| String::from_utf8(frame.payload).unwrap());
    (text, echo.refusals(), echo.requests())
}

#[tokio::test(start_paused = true)]
async fn plain_request_is_answered() {
    let (text, refusals, requests) = ask(&get(&[("host", "A"), ("cookie", "a=1")])).await;
    assert_eq!(text.unwrap(), "GET / 0\n");
    assert!(refusals.is_empty());
    assert_eq!(requests, ["GET /"]);
}

#[tokio::test(start_paused = true)]
async fn requests_two_readers_would_read_differently_never_reach_the_handler() {
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[("host", "b")], "head.host_mismatch"),
        (&[("host", "a"), ("host", "a")], "head.host_repeated"),
        (&[("te", "gzip")], ""),
        (
            &[("content-length", "0"), ("content-length", "0")],
            "head.length_repeated",
        ),
    ];
    for (extra, code) in cases {
        let (_, refusals, requests) = ask(&get(extra)).await;
        assert!(requests.is_empty(), "{extra:?}");
        if !code.is_empty() {
            assert_eq!(refusals, [code], "{extra:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn connection_specific_fields_are_refused() {
    for extra in [
        ("connection", "close"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "websocket"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "close"),
    ] {
        let (text, _, requests) = ask(&get(&[extra])).await;
        assert!(requests.is_empty(), "{extra:?}");
        assert!(text.is_none_or(|text| text.starts_with("400")), "{extra:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn malformed_pseudo_fields_are_refused() {
    let whole = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "a"),
        (":path", "/"),
    ];
    let mut cases = vec![
        vec![whole[0], whole[1], whole[3]],
        vec![whole[0], whole[1], whole[2]],
        vec![whole[0], whole[2], whole[3]],
        vec![whole[0], whole[1], (":authority", "u@a"), whole[3]],
        vec![whole[0], whole[1], (":authority", "a/b"), whole[3]],
        vec![whole[0], whole[1], whole[2], (":path", "*")],
        vec![whole[0], (":scheme", "ftp"), whole[2], whole[3]],
        vec![(":method", "CONNECT"), (":authority", "a:443")],
        vec![whole[0], whole[0], whole[1], whole[2], whole[3]],
        vec![whole[0], whole[1], whole[2], whole[3], ("X-Upper", "1")],
    ];
    cases.push([whole.as_slice(), &[("late", "1"), (":path", "/x")]].concat());
    for case in cases {
        let (text, _, requests) = ask(&fields(&case)).await;
        assert!(requests.is_empty(), "{case:?}");
        assert!(
            text.is_none_or(|text| text.starts_with('4') || text.starts_with('5')),
            "{case:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn length_that_lies_is_refused() {
    let echo = Echo::new();
    let mut client = testing::connect(&echo, Version::Http2, testing::settings());
    client.write_all(&preface()).await.unwrap();
    let block = fields(&[
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "a"),
        (":path", "/"),
        ("content-length", "5"),
    ]);
    client
        .write_all(&frame_of(HEADERS, END_HEADERS, 1, &block))
        .await
        .unwrap();
    client
        .write_all(&frame_of(DATA, 1, 1, b"123"))
        .await
        .unwrap();
    let answer = wait_for(&mut client, &[DATA, RST_STREAM, GOAWAY])
        .await
        .unwrap();
    assert_ne!(answer.kind, DATA);
}

#[tokio::test(start_paused = true)]
async fn rapid_resets_end_the_connection() {
    let echo = Echo::new();
    let client = testing::connect(&echo, Version::Http2, testing::settings());
    let mut flood = preface();
    for n in 0..400_u32 {
        let stream = 2 * n + 1;
        flood.extend(frame_of(HEADERS, END_STREAM_AND_HEADERS, stream, &get(&[])));
        flood.extend(frame_of(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    let (mut reader, mut writer) = tokio::io::split(client);
    let writing = tokio::spawn(async move {
        // The server may hang up in the middle.
        drop(writer.write_all(&flood).await);
        writer
    });
    let mut answer = Vec::new();
    reader.read_to_end(&mut answer).await.unwrap();
    drop(writing.await.unwrap());
    let enhance_your_calm = 11_u32.to_be_bytes();
    assert!(
        answer.windows(4).any(|code| code == enhance_your_calm),
        "GOAWAY says why"
    );
    assert!(echo.requests().len() < 400);
}

#[tokio::test(start_paused = true)]
async fn header_bomb_is_refused() {
    // One entry of 4 KiB in the table, referred to 10,000 times by one byte each (RFC 7541 §7.3).
    let echo = Echo::new();
    let mut client = testing::connect(&echo, Version::Http2, testing::settings());
    let mut block = get(&[]);
    block.extend([0x40, 1, b'x', 0x7F]);
    let length = 3900 - 127_usize;
    block.push(u8::try_from(length % 128).unwrap() | 0x80);
    block.push(u8::try_from(length / 128).unwrap());
    block.extend(vec![b'v'; 3900]);
    block.extend(vec![0xBE; 10_000]);
    client.write_all(&preface()).await.unwrap();
    client
        .write_all(&frame_of(HEADERS, END_STREAM_AND_HEADERS, 1, &block))
        .await
        .unwrap();
    let answer = wait_for(&mut client, &[HEADERS, RST_STREAM, GOAWAY]).await;
    assert!(echo.requests().is_empty(), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn endless_continuation_ends_the_connection() {
    let echo = Echo::new();
    let mut client = testing::connect(&echo, Version::Http2, testing::settings());
    client.write_all(&preface()).await.unwrap();
    client
        .write_all(&frame_of(HEADERS, 1, 1, &get(&[])))
        .await
        .unwrap();
    let more = frame_of(9, 0, 1, &fields(&[("x", "y".repeat(120).as_str()); 100]));
    let mut sent = 0_usize;
    while sent < 64 << 20 {
        match tokio::time::timeout(Duration::from_secs(1), client.write_all(&more)).await {
            Ok(Ok(())) => sent += more.len(),
            _ => break,
        }
    }
    assert!(sent < 8 << 20, "the connection ended after {sent} bytes");
    assert!(echo.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn connection_without_requests_is_closed() {
    let echo = Echo::new();
    let mut client = testing::connect(&echo, Version::Http2, testing::settings());
    let start = Instant::now();
    client.write_all(&preface()).await.unwrap();
    while read_frame(&mut client).await.is_some() {}
    assert!(
        start.elapsed() < Duration::from_secs(45),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn client_that_never_opens_its_window_is_dropped() {
    let echo = Echo::new();
    let mut client = testing::connect(&echo, Version::Http2, testing::settings());
    client.write_all(&preface()).await.unwrap();
    let block = fields(&[
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "a"),
        (":path", "/big"),
    ]);
    client
        .write_all(&frame_of(HEADERS, END_STREAM_AND_HEADERS, 1, &block))
        .await
        .unwrap();
    let start = Instant::now();
    // It answers pings, so that only the stalled answer can end it.
    while let Some(frame) = read_frame(&mut client).await {
        if frame.kind == 6 {
            let pong = frame_of(6, 1, 0, &frame.payload);
            if client.write_all(&pong).await.is_err() {
                break;
            }
        }
    }
    // The answer was small enough to be taken whole: the connection counts as idle, then as stuck.
    assert!(
        start.elapsed() < Duration::from_secs(95),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn polite_client_gets_what_it_asks_for() {
    let echo = Echo::new();
    let client = testing::connect(&echo, Version::Http2, testing::settings());
    let (mut sender, connection) = h2::client::handshake(client).await.unwrap();
    tokio::spawn(connection);
    for n in 0..3 {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("https://shop.example/{n}"))
            .body(())
            .unwrap();
        let (response, mut body) = sender.send_request(request, false).unwrap();
        body.send_data(bytes::Bytes::from_static(b"hello"), true)
            .unwrap();
        let mut body = response.await.unwrap().into_body();
        assert_eq!(
            body.data().await.unwrap().unwrap(),
            format!("POST /{n} 5\n")
        );
    }
}
