//! The bytes alone: whatever way they are split, the verdict and what is made of them stay the same.

use std::collections::VecDeque;
use std::io as stdio;
use std::pin::Pin;

use proptest::prelude::*;
use tokio::io::ReadBuf;

use super::*;
use crate::front::WireLimits;
use crate::front::connection::Word;
use crate::front::testing::{self, Expected};
use crate::wire::Refusal;

/// Gives its pieces one read at a time, then ends; takes whatever is written.
#[derive(Debug)]
struct Pieces(VecDeque<Vec<u8>>);

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<stdio::Result<()>> {
        if let Some(mut piece) = self.0.pop_front() {
            let rest = piece.split_off(piece.len().min(buf.remaining()));
            buf.put_slice(&piece);
            if !rest.is_empty() {
                self.0.push_front(rest);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pieces {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<stdio::Result<usize>> {
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<stdio::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<stdio::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The requests that were made, each with its content, and why the rest was none.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    requests: Vec<String>,
    head: Option<Refusal>,
    body: bool,
}

fn run(pieces: Vec<Vec<u8>>, limits: WireLimits) -> Outcome {
    let pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
    let mut io = Io::new(Pieces(pieces.collect()), limits);
    let mut outcome = Outcome::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        loop {
            match std::future::poll_fn(|cx| io.poll_head(cx)).await {
                Next::Request(request) => outcome.requests.push(format!("{request:?}")),
                Next::Refused(refusal) => {
                    outcome.head = Some(refusal);
                    return;
                }
                Next::End => return,
            }
            let mut all = Vec::new();
            while let Some(content) = std::future::poll_fn(|cx| io.poll_content(cx)).await {
                match content {
                    Ok(content) => all.extend(content),
                    Err(error) => {
                        // The end of the pieces is no verdict on them.
                        let error = error.downcast_ref::<stdio::Error>().unwrap();
                        outcome.body = error.kind() == stdio::ErrorKind::InvalidData;
                        return;
                    }
                }
            }
            outcome.requests.push(format!("{all:?}"));
        }
    });
    outcome
}

fn check(case: &testing::Case, outcome: &Outcome) {
    let requests = u64::try_from(outcome.requests.len() / 2).unwrap();
    match &case.expected {
        Expected::Requests(count) => {
            assert_eq!((outcome.head, outcome.body), (None, false), "{}", case.name);
            assert_eq!(requests, *count, "{}", case.name);
        }
        Expected::Head {
            status,
            code,
            before,
        } => {
            let refusal = outcome
                .head
                .unwrap_or_else(|| panic!("{} passed", case.name));
            assert_eq!(refusal.code(), code, "{}", case.name);
            assert_eq!(refusal.status().as_u16(), *status, "{}", case.name);
            assert_eq!(requests, *before, "{}", case.name);
        }
        Expected::Body => assert!(outcome.body, "{}", case.name),
    }
}

#[test]
fn each_case_of_the_table_has_its_verdict() {
    for case in testing::cases() {
        check(&case, &run(vec![case.bytes.clone()], testing::limits()));
    }
}

#[test]
fn one_byte_at_a_time_changes_no_verdict() {
    for case in testing::cases() {
        let bytes = case.bytes.iter().map(|byte| vec![*byte]).collect();
        check(&case, &run(bytes, testing::limits()));
    }
}

#[test]
fn every_single_split_changes_no_verdict() {
    for case in testing::cases() {
        let whole = run(vec![case.bytes.clone()], testing::limits());
        for at in 0..case.bytes.len() {
            let (left, right) = case.bytes.split_at(at);
            let split = run(vec![left.to_vec(), right.to_vec()], testing::limits());
            assert_eq!(split, whole, "{} split at {at}", case.name);
        }
    }
}

#[test]
fn nothing_is_made_of_a_refused_head() {
    let bytes =
        b"GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n";
    for at in 0..bytes.len() {
        let (left, right) = bytes.split_at(at);
        let outcome = run(vec![left.to_vec(), right.to_vec()], testing::limits());
        assert!(
            outcome.requests.concat().contains("/first"),
            "split at {at}"
        );
        assert!(
            !outcome.requests.concat().contains("second"),
            "split at {at}"
        );
    }
}

#[test]
fn head_over_its_limits_is_refused() {
    let mut limits = testing::limits();
    limits.head.bytes_max = 128;
    limits.head.fields_max = 3;
    let long_line = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(128));
    let long_head = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "x".repeat(128)
    );
    let many = "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\nE: f\r\n\r\n";
    let endless = "x".repeat(200);
    for (bytes, refusal) in [
        (long_line.as_str(), Refusal::LineTooLong),
        (long_head.as_str(), Refusal::HeadTooLarge),
        (many, Refusal::TooManyFields),
        (endless.as_str(), Refusal::LineTooLong),
    ] {
        let whole = run(vec![bytes.into()], limits);
        let split = run(bytes.bytes().map(|byte| vec![byte]).collect(), limits);
        assert_eq!(whole.head, Some(refusal), "{bytes}");
        assert_eq!(split.head, Some(refusal), "{bytes}");
    }
}

#[test]
fn head_of_exactly_the_limit_passes() {
    let mut limits = testing::limits();
    let head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    limits.head.bytes_max = head.len();
    assert_eq!(run(vec![head.into()], limits).requests.len(), 2);
    limits.head.bytes_max = head.len() - 1;
    assert_eq!(
        run(vec![head.into()], limits).head,
        Some(Refusal::HeadTooLarge)
    );
}

/// Bytes near the grammar: fragments of requests, sometimes damaged.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        8 => Just(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()),
        4 => Just(b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".to_vec()),
        4 => Just(b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_vec()),
        1 => Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        1 => Just(b"\r\n".to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    let damage = (any::<prop::sample::Index>(), any::<u8>(), 0..4_u8);
    (proptest::collection::vec(fragment, 1..5), damage).prop_map(|(parts, (at, byte, how))| {
        let mut bytes = parts.concat();
        if how == 0 && !bytes.is_empty() {
            let index = at.index(bytes.len());
            bytes[index] = byte;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn any_split_of_any_stream_gives_the_same_verdict(
        bytes in stream(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let whole = run(vec![bytes.clone()], testing::limits());
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(bytes[from..cut].to_vec());
            from = cut;
        }
        pieces.push(bytes[from..].to_vec());
        let split = run(pieces, testing::limits());
        prop_assert_eq!(split, whole);
    }
}

/// A connection that was asked once and waits now; its client's end.
async fn idle() -> (tokio::io::DuplexStream, Io<tokio::io::DuplexStream>) {
    use tokio::io::AsyncWriteExt as _;
    let (mut client, end) = tokio::io::duplex(1024);
    let mut io = Io::new(end, testing::limits());
    client.write_all(GET).await.unwrap();
    let next = std::future::poll_fn(|cx| io.poll_head(cx)).await;
    assert!(matches!(next, Next::Request(_)));
    let waiting = std::future::poll_fn(|cx| io.poll_head(cx));
    assert!(tokio::time::timeout(SECOND, waiting).await.is_err(), "idle");
    (client, io)
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn idle_connection_of_a_process_that_leaves_still_gets_to_ask_once() {
    use tokio::io::AsyncWriteExt as _;
    let (mut client, mut io) = idle().await;
    io.leave(Word::Leave);
    let waiting = std::future::poll_fn(|cx| io.poll_head(cx));
    assert!(
        tokio::time::timeout(SECOND, waiting).await.is_err(),
        "still there"
    );
    client.write_all(GET).await.unwrap();
    let next = std::future::poll_fn(|cx| io.poll_head(cx)).await;
    assert!(matches!(next, Next::Request(_)));
    assert!(io.is_leaving() && !io.is_stopping());
}

#[tokio::test(start_paused = true)]
async fn request_that_came_before_the_stop_is_answered() {
    use tokio::io::AsyncWriteExt as _;
    let (mut client, mut io) = idle().await;
    client.write_all(GET).await.unwrap();
    io.leave(Word::Stop);
    let next = std::future::poll_fn(|cx| io.poll_head(cx)).await;
    assert!(matches!(next, Next::Request(_)));
}

#[tokio::test(start_paused = true)]
async fn fresh_connection_of_a_process_that_stops_has_a_moment_to_ask() {
    use tokio::io::AsyncWriteExt as _;
    let (mut client, end) = tokio::io::duplex(1024);
    let mut io = Io::new(end, testing::limits());
    io.leave(Word::Stop);
    let asking = async {
        tokio::time::sleep(SECOND / 4).await;
        client.write_all(GET).await.unwrap();
    };
    let taking = std::future::poll_fn(|cx| io.poll_head(cx));
    let ((), next) = tokio::join!(asking, taking);
    assert!(matches!(next, Next::Request(_)));
    let (_client, end) = tokio::io::duplex(1024);
    let mut io = Io::new(end, testing::limits());
    io.leave(Word::Stop);
    let next = tokio::time::timeout(SECOND, std::future::poll_fn(|cx| io.poll_head(cx))).await;
    assert!(matches!(next, Ok(Next::End)));
}

#[tokio::test(start_paused = true)]
async fn leaving_waits_shortly_for_a_client_that_stays() {
    use tokio::io::AsyncWriteExt as _;
    let (mut client, end) = tokio::io::duplex(1024);
    let mut io = Io::new(end, testing::limits());
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let next = std::future::poll_fn(|cx| io.poll_head(cx)).await;
    assert!(matches!(next, Next::Request(_)));
    let second = std::time::Duration::from_secs(1);
    let waiting = std::future::poll_fn(|cx| io.poll_head(cx));
    assert!(tokio::time::timeout(second, waiting).await.is_err(), "idle");
    io.leave(Word::Stop);
    let next = std::future::poll_fn(|cx| io.poll_head(cx)).await;
    assert!(matches!(next, Next::End));
    let start = tokio::time::Instant::now();
    std::future::poll_fn(|cx| io.poll_close(cx)).await;
    assert!(start.elapsed() < 3 * second, "{:?}", start.elapsed());
    drop(client);
}
