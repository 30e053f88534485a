//! Which of several addresses a request goes to.

use std::net::SocketAddr;

use http::{Method, header};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::*;
use crate::reply::Reply;
use crate::upstream::ResponseBody;
use crate::upstream::ServiceRequest;
use crate::upstream::tests::{HELLO, TIMEOUTS, body, head, request, several};

/// Answers every request with `answer`; nothing, when it is empty, and closes.
async fn always(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                while stream.readable().await.is_ok() {
                    head(&mut stream).await;
                    if answer.is_empty() || stream.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

async fn asked(upstreams: &Upstreams, target: &Target) -> Option<Reply<ResponseBody>> {
    let request = request(Method::GET, "/");
    upstreams
        .send(target, ServiceRequest::of(target, request), &TIMEOUTS)
        .await
        .ok()
}

#[tokio::test]
async fn busy_address_gets_no_more_while_another_is_free() {
    const BEGUN: &[u8] = b"HTTP/1.1 200 OK\r\nserver: slow\r\ncontent-length: 5\r\n\r\nh";
    const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\nserver: fast\r\ncontent-length: 5\r\n\r\nhello";
    let target = several(vec![always(BEGUN).await, always(WHOLE).await]);
    let upstreams = Upstreams::new();
    let mut held = Vec::new();
    for _ in 0..10 {
        let response = asked(&upstreams, &target).await.unwrap();
        if response.fields.get(&header::SERVER) == Some(b"slow") {
            held.push(response);
        } else {
            assert_eq!(body(response).await.unwrap(), "hello");
        }
    }
    assert_eq!(held.len(), 1, "one begun answer keeps it busy");
}

#[tokio::test]
async fn address_that_answers_nothing_is_passed_over_and_nobody_notices() {
    let target = several(vec![always(b"").await, always(HELLO).await]);
    let upstreams = Upstreams::new();
    for _ in 0..50 {
        let response = asked(&upstreams, &target).await.unwrap();
        assert_eq!(body(response).await.unwrap(), "hello");
    }
    let stats = target.stats(10);
    assert_eq!(stats.addresses[0].ejections, 1);
    assert_eq!(stats.addresses[0].failures["reset"], 3);
    assert_eq!((stats.retries, stats.requests), (3, 50));
}
