//! By the test's clock, with an answer that always has something to say and one that has nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use http::Method;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::*;
use crate::upstream::ServiceRequest;
use crate::upstream::{Timeouts, Upstreams, plain};

/// An answer of a service that says `begun` and then, when it is `busy`, goes on for ever.
async fn answer(busy: bool) -> Outgoing {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = plain(listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbegun\r\n";
        stream.write_all(head).await.unwrap();
        while busy && stream.write_all(b"1\r\nx\r\n").await.is_ok() {}
        std::future::pending::<()>().await;
    });
    let mut request = http::Request::new(crate::body::Carried::empty());
    *request.method_mut() = Method::GET;
    let hour = Duration::from_secs(3600);
    let timeouts = Timeouts {
        connect: hour,
        response: hour,
        idle: hour,
        ends: None,
        response_max: u64::MAX,
    };
    let upstreams = Upstreams::new();
    let response = upstreams
        .send(&target, ServiceRequest::of(&target, request), &timeouts)
        .await
        .unwrap();
    Outgoing::Upstream(response.body)
}

struct Asked {
    allowed: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
}

fn watched(body: Outgoing, is_call: bool) -> (Watched, Asked) {
    let asked = Asked {
        allowed: Arc::new(AtomicBool::new(true)),
        count: Arc::default(),
    };
    let (allowed, count) = (Arc::clone(&asked.allowed), Arc::clone(&asked.count));
    let question = Box::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        allowed.load(Ordering::Relaxed)
    });
    (Watched::new(body, question, is_call), asked)
}

async fn next(watched: &mut Watched) -> Option<Result<Frame<Bytes>, BoxError>> {
    std::future::poll_fn(|cx| watched.poll_frame(cx)).await
}

#[tokio::test(start_paused = true)]
async fn quiet_answer_is_asked_about_and_cut_off() {
    let (mut watched, asked) = watched(answer(false).await, false);
    next(&mut watched).await.unwrap().unwrap();
    let quiet = tokio::time::timeout(Duration::from_secs(60), next(&mut watched)).await;
    assert!(quiet.is_err(), "it goes on");
    assert!(asked.count.load(Ordering::Relaxed) >= 29);
    asked.allowed.store(false, Ordering::Relaxed);
    let cut = next(&mut watched).await.unwrap().unwrap_err();
    assert!(cut.downcast_ref::<CutOff>().is_some(), "{cut}");
    assert!(next(&mut watched).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn answer_that_never_pauses_is_cut_off_too() {
    let (mut watched, asked) = watched(answer(true).await, false);
    asked.allowed.store(false, Ordering::Relaxed);
    let mut frames = 0;
    let cut = loop {
        match next(&mut watched).await.unwrap() {
            Ok(_) => frames += 1,
            Err(error) => break error,
        }
        tokio::time::advance(Duration::from_millis(10)).await;
        assert!(frames < 1000, "two seconds are over");
    };
    assert!(cut.downcast_ref::<CutOff>().is_some(), "{cut}");
}

#[tokio::test(start_paused = true)]
async fn call_is_told_so_in_its_trailers() {
    let (mut watched, asked) = watched(answer(false).await, true);
    next(&mut watched).await.unwrap().unwrap();
    asked.allowed.store(false, Ordering::Relaxed);
    let end = next(&mut watched).await.unwrap().unwrap();
    assert_eq!(end.into_trailers().unwrap()["grpc-status"], "7");
    assert!(next(&mut watched).await.is_none());
}
