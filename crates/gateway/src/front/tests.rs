//! Whole connections: heads, bodies, answers and the service together.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::Instant;

use super::testing::{self, Echo, Expected, Version};

/// Everything the connection answers until it closes.
async fn read_all(client: &mut DuplexStream) -> String {
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// The statuses of a stream of answers; each begins a line.
fn statuses(answers: &str) -> Vec<u16> {
    let status = |line: &str| line.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok();
    answers.lines().filter_map(status).collect()
}

#[tokio::test(start_paused = true)]
async fn each_case_of_the_table_is_answered_and_seen_as_often_as_accepted() {
    for case in testing::cases() {
        let echo = Echo::new();
        let mut client = testing::connect(&echo, Version::Http1, testing::settings());
        client.write_all(&case.bytes).await.unwrap();
        // Half a request is not in the table: the idle timeout ends what stays open.
        let answers = read_all(&mut client).await;
        let statuses = statuses(&answers);
        let seen = u64::try_from(echo.requests().len()).unwrap();
        match &case.expected {
            Expected::Requests(count) => {
                assert_eq!(seen, *count, "{}: {answers}", case.name);
                assert_eq!(
                    statuses,
                    vec![200; usize::try_from(*count).unwrap()],
                    "{}",
                    case.name
                );
            }
            Expected::Head {
                status,
                code,
                before,
            } => {
                assert_eq!(seen, *before, "{}: {answers}", case.name);
                assert_eq!(statuses.last(), Some(status), "{}: {answers}", case.name);
                assert_eq!(echo.refusals(), [code.as_str()], "{}", case.name);
                assert!(
                    answers.contains("connection: close"),
                    "{}: {answers}",
                    case.name
                );
            }
            Expected::Body => {
                assert_eq!(seen, 1, "{}", case.name);
                assert_eq!(statuses, [400], "{}: {answers}", case.name);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn slow_head_is_answered_408_at_the_deadline() {
    let echo = Echo::new();
    let mut client = testing::connect(&echo, Version::Http1, testing::settings());
    let start = Instant::now();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n")
        .await
        .unwrap();
    // One field every second, for ever: the deadline is the head's, not a pause's.
    let (mut reader, mut writer) = tokio::io::split(client);
    let drip = tokio::spawn(async move {
        while writer.write_all(b"X: y\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let mut answer = String::new();
    reader.read_to_string(&mut answer).await.unwrap();
    drip.abort();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(
        start.elapsed() < Duration::from_secs(14),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(echo.refusals(), ["head.timeout"]);
    assert!(echo.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn connection_that_says_nothing_is_closed_without_an_answer() {
    let echo = Echo::new();
    let mut client = testing::connect(&echo, Version::Http1, testing::settings());
    let start = Instant::now();
    assert_eq!(read_all(&mut client).await, "");
    assert!(
        (10..14).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn idle_connection_is_closed_after_its_timeout() {
    let echo = Echo::new();
    let mut client = testing::connect(&echo, Version::Http1, testing::settings());
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let start = Instant::now();
    assert_eq!(statuses(&read_all(&mut client).await), [200]);
    assert!(
        (60..64).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn slow_body_is_answered_408() {
    let echo = Echo::new();
    let client = testing::connect(&echo, Version::Http1, testing::settings());
    let (mut reader, mut writer) = tokio::io::split(client);
    let drip = tokio::spawn(async move {
        let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
        writer.write_all(head).await.unwrap();
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let start = Instant::now();
    let mut answer = String::new();
    reader.read_to_string(&mut answer).await.unwrap();
    drip.abort();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(echo.budget.memory().taken, 0);
}

#[tokio::test(start_paused = true)]
async fn declared_length_over_the_limit_is_refused_before_the_body() {
    let echo = Echo::new();
    let mut client = testing::connect(&echo, Version::Http1, testing::settings());
    let head =
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n";
    client.write_all(head).await.unwrap();
    let answer = read_all(&mut client).await;
    assert_eq!(statuses(&answer), [413], "{answer}");
}

#[tokio::test(start_paused = true)]
async fn chunk_bomb_ends_at_the_limit_of_the_body() {
    let echo = Echo::new();
    let client = testing::connect(&echo, Version::Http1, testing::settings());
    let (mut reader, mut writer) = tokio::io::split(client);
    let bomb = tokio::spawn(async move {
        let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        writer.write_all(head).await.unwrap();
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        let mut sent = 0_usize;
        while sent < 64 << 20 && writer.write_all(chunk.as_bytes()).await.is_ok() {
            sent += chunk.len();
        }
        sent
    });
    let mut answer = String::new();
    reader.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    drop(reader);
    assert!(
        bomb.await.unwrap() < 8 << 20,
        "the client was stopped long before its end"
    );
    assert_eq!(echo.budget.memory().taken + echo.budget.disk().taken, 0);
}

#[tokio::test(start_paused = true)]
async fn answer_before_the_body_is_read_still_reaches_the_client() {
    let echo = Echo::new();
    let client = testing::connect(&echo, Version::Http1, testing::settings());
    let (mut reader, mut writer) = tokio::io::split(client);
    let upload = tokio::spawn(async move {
        let head = b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n";
        writer.write_all(head).await.unwrap();
        // A client that reads its answer only after it has sent everything.
        writer.write_all(&vec![b'x'; 300_000]).await
    });
    upload.await.unwrap().unwrap();
    let mut answer = String::new();
    reader.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn client_that_does_not_read_its_answer_is_dropped() {
    let echo = Echo::new();
    let mut client = testing::connect(&echo, Version::Http1, testing::settings());
    client
        .write_all(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(40)).await;
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert!(answer.len() < 1 << 20, "the rest of 4 MiB never came");
}

#[tokio::test(start_paused = true)]
async fn expecting_client_is_told_to_continue() {
    let echo = Echo::new();
    let mut client = testing::connect(&echo, Version::Http1, testing::settings());
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    client.write_all(head).await.unwrap();
    let mut interim = [0; 25];
    client.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"ok").await.unwrap();
    let answer = read_all(&mut client).await;
    assert!(answer.contains("POST / 2"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn whatever_bytes_pass_become_one_request() {
    let places: [(&[u8], &[u8]); 7] = [
        (b"GE", b"T / HTTP/1.1\r\nHost: a\r\n"),
        (b"GET /a", b"b HTTP/1.1\r\nHost: a\r\n"),
        (b"GET /a?b", b"c HTTP/1.1\r\nHost: a\r\n"),
        (b"GET http://a", b"/ HTTP/1.1\r\nHost: a\r\n"),
        (b"GET / HTTP/1.1\r\nHost: a", b"b\r\n"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX", b"y: z\r\n"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: y", b"z\r\n"),
    ];
    for (before, after) in places {
        for byte in 0..=u8::MAX {
            let bytes = [before, &[byte], after, b"Connection: close\r\n\r\n"].concat();
            let echo = Echo::new();
            let mut client = testing::connect(&echo, Version::Http1, testing::settings());
            client.write_all(&bytes).await.unwrap();
            let answers = read_all(&mut client).await;
            let (seen, refused) = (echo.requests().len(), echo.refusals().len());
            let text = String::from_utf8_lossy(&bytes);
            assert_eq!(
                (seen + refused, statuses(&answers).len()),
                (1, 1),
                "{text}\n{answers}"
            );
        }
    }
}
