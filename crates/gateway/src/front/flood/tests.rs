//! Floods with frames written by hand, and what is no flood.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::front::http2::tests::{frame_of, get, preface};
use crate::front::testing::{self, Echo, Version};

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
    let whole = Frames::new().follow(&bytes);
    // One SETTINGS of the preface; a head, 1000 bytes; an empty one; two windows; a ping; a reset.
    let each = [-4, 4, 3, -1, -3, -1, -2, -8];
    assert_eq!(whole, each.iter().sum::<i64>());
    let mut frames = Frames::new();
    let single: i64 = bytes.iter().map(|byte| frames.follow(&[*byte])).sum();
    assert_eq!(single, whole);
    for at in 0..bytes.len() {
        let (left, right) = bytes.split_at(at);
        let mut frames = Frames::new();
        let split = frames.follow(left) + frames.follow(right);
        assert_eq!(split, whole, "split at {at}");
    }
}
