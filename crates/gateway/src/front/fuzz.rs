//! Damaged connections of both versions of HTTP: no damage makes a worker panic, cuts change
//! nothing, and what was accepted is still accepted once it is written again.
//!
//! `RAMPART_FUZZ_ROUNDS=1000000 cargo test -p gateway --lib fuzz_` looks for longer.

use bytes::Bytes;
use http::Request;
use testkit::{Mutator, fuzz};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::http2::conformance;
use super::testing::{self, Echo, Version};
use crate::wire::{Framing, Head, Refusal};

const WORDS: &[&[u8]] = &[
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b": ",
    b" HTTP/1.1\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n",
    b"Host: a\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"0\r\n\r\n",
    b"5\r\nhello\r\n",
    b"Connection: upgrade\r\n",
    b"Upgrade: websocket\r\n",
    b"http://a",
    b"HTTP/1.0",
    b"%2f",
    b"ffffffffffffffff",
];

/// What a reader makes of a connection's bytes.
#[derive(Debug, Default, PartialEq)]
struct Read {
    /// Head and body of each request.
    requests: Vec<(String, Vec<u8>)>,
    refused: Option<Refusal>,
}

fn shown(request: &Request<()>) -> String {
    let mut text = format!("{} {}", request.method(), request.uri());
    for (name, value) in request.headers() {
        text.push_str(&format!("\n{name}: {}", value.as_bytes().escape_ascii()));
    }
    text
}

/// Reads `bytes`, which come in pieces that end at `cuts`.
fn read(bytes: &[u8], cuts: &[usize]) -> Read {
    let mut done = Read::default();
    let mut input: Vec<u8> = Vec::new();
    let mut head = Head::new(testing::limits().head);
    let mut body: Option<(Framing, Vec<u8>)> = None;
    let mut at = 0;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        let end = end.clamp(at, bytes.len());
        input.extend(&bytes[at..end]);
        at = end;
        if let Err(refusal) = step(&mut input, &mut head, &mut body, &mut done) {
            done.refused = Some(refusal);
            return done;
        }
    }
    done
}

/// Reads on as far as what is here goes.
fn step(
    input: &mut Vec<u8>,
    head: &mut Head,
    body: &mut Option<(Framing, Vec<u8>)>,
    done: &mut Read,
) -> Result<(), Refusal> {
    loop {
        if let Some((framing, line)) = body {
            let piece = framing.advance(input, line)?;
            let content = input.drain(..piece.framing + piece.content);
            let content = content.skip(piece.framing);
            let (_, so_far) = done.requests.last_mut().unwrap();
            so_far.extend(content);
            if piece.ended {
                *body = None;
                continue;
            }
            if piece.content == 0 {
                return Ok(());
            }
            continue;
        }
        if input.is_empty() {
            return Ok(());
        }
        let Some(accepted) = head.scan(input)? else {
            return Ok(());
        };
        let whole: Vec<u8> = input.drain(..accepted.length).collect();
        let read = std::mem::replace(head, Head::new(testing::limits().head));
        let request = read.request(&Bytes::from(whole))?;
        done.requests.push((shown(&request), Vec::new()));
        written_again(&request, accepted.framing);
        *body = Some((accepted.framing, Vec::new()));
    }
}

/// What was accepted says the same when it is written as it was understood.
fn written_again(request: &Request<()>, framing: Framing) {
    let mut text = format!(
        "{} {} {:?}\r\n",
        request.method(),
        request.uri(),
        request.version()
    )
    .into_bytes();
    for (name, value) in request.headers() {
        text.extend(name.as_str().as_bytes());
        text.extend(b": ");
        text.extend(value.as_bytes());
        text.extend(b"\r\n");
    }
    text.extend(b"\r\n");
    let mut limits = testing::limits().head;
    limits.bytes_max *= 2;
    let mut head = Head::new(limits);
    let accepted = head.scan(&text).unwrap().unwrap();
    assert_eq!(accepted.framing, framing);
    let again = head.request(&Bytes::from(text)).unwrap();
    assert_eq!(shown(&again), shown(request));
}

fn corpus() -> Vec<Vec<u8>> {
    testing::cases()
        .into_iter()
        .map(|case| case.bytes)
        .collect()
}

#[test]
fn fuzz_requests_are_read_alike_however_they_are_cut() {
    let mut mutator = Mutator::new(11);
    fuzz(20_000, &corpus(), WORDS, |bytes| {
        let whole = read(bytes, &[]);
        let mut cuts: Vec<usize> = (0..3).map(|_| mutator.below(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        assert_eq!(read(bytes, &cuts), whole, "cut at {cuts:?}");
        if bytes.len() < 200 {
            let all: Vec<usize> = (0..bytes.len()).collect();
            assert_eq!(read(bytes, &all), whole, "byte by byte");
        }
    });
}

/// Serves one whole connection; a panic in it is one here.
fn serve(bytes: &[u8], version: Version) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let echo = Echo::new();
        let (client, serving) = testing::serve(&echo, version, testing::settings());
        let (mut reader, mut writer) = tokio::io::split(client);
        let bytes = bytes.to_vec();
        let writing = tokio::spawn(async move {
            // Who is refused in the middle does not get the rest over.
            drop(writer.write_all(&bytes).await);
            drop(writer.shutdown().await);
        });
        let mut answer = Vec::new();
        reader.read_to_end(&mut answer).await.unwrap();
        writing.await.unwrap();
        drop(reader);
        serving.await.expect("no panic");
        echo.requests()
    })
}

#[test]
fn fuzz_connections_of_http_1_end_without_a_panic() {
    fuzz(400, &corpus(), WORDS, |bytes| {
        let seen = serve(bytes, Version::Http1);
        let read = read(bytes, &[]);
        assert!(
            seen.len() <= read.requests.len(),
            "{seen:?} beside {read:?}"
        );
    });
}

#[test]
fn fuzz_connections_of_http_2_end_without_a_panic() {
    let words: &[&[u8]] = &[
        b"\0\0\0\x04\0\0\0\0\0",
        b"\0\0\x04\x08\0\0\0\0\0",
        b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08",
        b"\0\0\x01\x01\x05\0\0\0\x03\x82",
        b"\0\0\x08\x06\0\0\0\0\0",
        b"\x82\x87\x84",
        b"content-length",
        b"\xff\xff\xff\x7f",
    ];
    fuzz(400, &conformance::corpus(), words, |bytes| {
        for line in serve(bytes, Version::Http2) {
            let (_, target) = line.split_once(' ').unwrap();
            assert!(target.starts_with('/') || target == "*", "{line:?}");
            assert!(
                target.bytes().all(|byte| matches!(byte, 0x21..=0x7E)),
                "{line:?}"
            );
        }
    });
}
