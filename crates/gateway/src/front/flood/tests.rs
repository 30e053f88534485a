//! Floods with frames written by hand, and what is no flood.

use std::time::Duration;

use bytes::BytesMut;
use testkit::frames::kind::{DATA, HEADERS, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::front::http2::tests::{frame_of, get, preface};
use crate::front::testing::{self, Echo, Version};
use crate::wire::http2::{Limits, Session};

/// LIMIT: frames a flood of these tests is long.
const FRAMES: usize = 20_000;

/// How many of `frame` are taken before the connection ends, and what is said about it.
async fn flood(frame: &[u8]) -> (usize, Vec<&'static str>) {
    let echo = Echo::new();
    let client = testing::connect(&echo, Version::Http2, testing::settings());
    let (mut reader, mut writer) = tokio::io::split(client);
    let reading =
        tokio::spawn(async move { tokio::io::copy(&mut reader, &mut tokio::io::sink()).await });
    writer.write_all(&preface()).await.unwrap();
    // A request that waits for its body, for frames that need one.
    let head = frame_of(HEADERS, 4, 1, &get(&[]));
    writer.write_all(&head).await.unwrap();
    let mut taken = 0;
    while taken < FRAMES && writer.write_all(frame).await.is_ok() {
        taken += 1;
    }
    drop(writer);
    drop(reading.await.unwrap());
    (taken, echo.refusals())
}

#[tokio::test(start_paused = true)]
async fn floods_end_the_connection_and_are_said() {
    let mut settings = 3_u16.to_be_bytes().to_vec();
    settings.extend(100_u32.to_be_bytes());
    for (name, frame) in [
        ("ping", frame_of(PING, 0, 0, &[7; 8])),
        ("answers to no ping", frame_of(PING, 1, 0, &[7; 8])),
        ("settings", frame_of(SETTINGS, 0, 0, &settings)),
        ("empty settings", frame_of(SETTINGS, 0, 0, &[])),
        ("priority", frame_of(2, 0, 1, &[0, 0, 0, 0, 9])),
        ("unknown", frame_of(0xEE, 0, 0, b"x")),
        ("tiny windows", frame_of(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
    ] {
        let (taken, refusals) = flood(&frame).await;
        // As much as lies in the pipe in between is taken too.
        assert!(taken < FRAMES, "{name}: {taken}");
        assert_eq!(refusals, ["connection.flood"], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn empty_data_ends_the_connection() {
    let (taken, _) = flood(&frame_of(DATA, 0, 1, &[])).await;
    assert!(taken < FRAMES, "{taken}");
}

#[tokio::test(start_paused = true)]
async fn client_that_asks_now_and_then_stays() {
    let echo = Echo::new();
    let client = testing::connect(&echo, Version::Http2, testing::settings());
    let (mut reader, mut writer) = tokio::io::split(client);
    let reading = tokio::spawn(async move {
        let mut got = Vec::new();
        drop(reader.read_to_end(&mut got).await);
        got.len()
    });
    writer.write_all(&preface()).await.unwrap();
    // More than it begins with, so that time has to give some; for less time than the server's own
    // pings may go unanswered.
    for n in 0..50_u32 {
        let mut all = frame_of(HEADERS, 5, 2 * n + 1, &get(&[]));
        for _ in 0..20 {
            all.extend(frame_of(PING, 0, 0, &[7; 8]));
        }
        writer.write_all(&all).await.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(echo.requests().len(), 50);
    assert!(echo.refusals().is_empty(), "{:?}", echo.refusals());
    drop(writer);
    assert!(
        reading.await.unwrap() > 50 * 20 * 17,
        "every ping is answered"
    );
}

#[test]
fn any_split_of_the_bytes_costs_the_same() {
    let mut bytes = preface();
    bytes.extend(frame_of(HEADERS, 4, 1, &get(&[])));
    bytes.extend(frame_of(DATA, 0, 1, &[0; 1000]));
    bytes.extend(frame_of(DATA, 0, 1, &[]));
    bytes.extend(frame_of(DATA, 1, 1, &[]));
    bytes.extend(frame_of(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 9]));
    bytes.extend(frame_of(WINDOW_UPDATE, 0, 0, &[0, 1, 0, 0]));
    bytes.extend(frame_of(PING, 0, 0, &[0; 8]));
    bytes.extend(frame_of(RST_STREAM, 0, 1, &[0; 4]));
    // One SETTINGS of the preface; a head, 1000 bytes; an empty one; the end; two windows; a ping; a
    // reset.
    let each: [i64; 9] = [-4, 4, 3, -1, 0, -3, -1, -2, -8];
    let whole = each.iter().sum::<i64>();
    assert_eq!(worth([bytes.as_slice()]), whole);
    assert_eq!(worth(bytes.chunks(1)), whole);
    for at in 0..bytes.len() {
        let (left, right) = bytes.split_at(at);
        assert_eq!(worth([left, right]), whole, "split at {at}");
    }
}

/// What frames are worth that come in these parts.
fn worth<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> i64 {
    let mut session = Session::new(Limits {
        head: testing::limits().head,
        streams_max: 100,
        error_resets_max: 64,
        stream_window: 1 << 18,
        connection_window: 1 << 20,
    });
    let mut input = BytesMut::new();
    let mut sum = 0;
    for part in parts {
        input.extend_from_slice(part);
        loop {
            let event = session.next(&mut input).unwrap();
            let worth = session.worth();
            sum += worth;
            if event.is_none() && worth >= 0 {
                break;
            }
        }
    }
    sum
}
