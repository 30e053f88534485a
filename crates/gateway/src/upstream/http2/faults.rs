//! Whose fault it is when something fails, and what is shared, counted and tried again where a
//! service speaks HTTP/2; where both protocols must agree, both are tried.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use estate::{Failure, Health, NoneHealthy, Protocol, Statuses};
use http::{Method, Response, StatusCode};
use tokio::net::TcpListener;

use super::tests::{Asked, Respond, address, ask, hello, plain, service, streamed};
use super::*;
use crate::upstream::tests::{self as both, TIMEOUTS, around, body, plainly};
use crate::upstream::{Upstreams, health};

fn made(service: &estate::Service) -> Arc<Target> {
    let (around, _, _) = around();
    Arc::new(Target::service(service, &around, &[], None).unwrap())
}

fn at(protocol: Protocol, addresses: Vec<SocketAddr>) -> estate::Service {
    let mut service = both::service(addresses);
    service.protocol = protocol;
    service
}

/// Takes connections, and never answers.
async fn hanging(protocol: Protocol) -> SocketAddr {
    if protocol == Protocol::H2c {
        let (target, _) = service(plain(), |_: Asked, respond: Respond| async move {
            std::future::pending::<()>().await;
            drop(respond);
        })
        .await;
        return address(&target);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    address
}

fn failures(target: &Target) -> u64 {
    let stats = target.stats(2);
    stats
        .addresses
        .iter()
        .flat_map(|one| one.failures.values())
        .sum()
}

#[tokio::test]
async fn what_a_client_does_is_never_held_against_an_address() {
    for protocol in [Protocol::Http, Protocol::H2c] {
        let target = made(&at(protocol, vec![hanging(protocol).await]));
        let upstreams = Upstreams::new();
        let hasty = Timeouts {
            response: Duration::from_millis(100),
            ..TIMEOUTS
        };
        // A body over its limit.
        let (pieces, asked) = streamed(5);
        pieces.put(Some(b"longer"));
        let sent = upstreams
            .send(&target, ServiceRequest::of(&target, asked), &TIMEOUTS)
            .await;
        let too_large = Failed::Body(crate::body::Refused::TooLarge);
        assert_eq!(sent.map(|_| ()), Err(too_large), "{protocol:?}");
        // One that does not go on.
        let (pieces, asked) = streamed(5);
        pieces.put(Some(b"some"));
        let sent = upstreams
            .send(&target, ServiceRequest::of(&target, asked), &hasty)
            .await;
        assert_eq!(
            sent.map(|_| ()),
            Err(Failed::ResponseTimeout),
            "{protocol:?}"
        );
        // A call that gives itself no time.
        let call = Timeouts {
            ends: Instant::now().checked_add(Duration::from_millis(100)),
            ..TIMEOUTS
        };
        let sent = upstreams
            .send(&target, plainly(&target, Method::GET), &call)
            .await;
        assert_eq!(
            sent.map(|_| ()),
            Err(Failed::ResponseTimeout),
            "{protocol:?}"
        );
        assert_eq!(failures(&target), 0, "{protocol:?}");
        assert_eq!(target.stats(2).retries, 0, "{protocol:?}");
        // What the address does not do is.
        let sent = upstreams
            .send(&target, plainly(&target, Method::GET), &hasty)
            .await;
        assert_eq!(
            sent.map(|_| ()),
            Err(Failed::ResponseTimeout),
            "{protocol:?}"
        );
        assert_eq!(failures(&target), 1, "{protocol:?}");
        assert_eq!(target.stats(2).under_way, 0, "{protocol:?}");
    }
}

#[tokio::test]
async fn interim_answers_end_at_a_limit() {
    for (count, expected) in [(16, Ok("hello".to_owned())), (17, Err(Failed::Broken))] {
        let (target, _) = service(
            plain(),
            move |asked: Asked, mut respond: Respond| async move {
                for _ in 0..count {
                    let mut interim = Response::new(());
                    *interim.status_mut() = StatusCode::PROCESSING;
                    drop(respond.send_informational(interim));
                }
                hello(asked, respond).await;
            },
        )
        .await;
        assert_eq!(ask(&Upstreams::new(), &target).await, expected, "{count}");
    }
}

async fn unavailable(asked: Asked, mut respond: Respond) {
    let mut body = asked.into_body();
    if !body.is_end_stream() {
        drop(body.data().await);
    }
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    drop(respond.send_response(response, true));
}

#[tokio::test]
async fn unwanted_answer_is_given_up_for_another_address_while_the_request_is_whole() {
    let (bad, _) = service(plain(), unavailable).await;
    let (good, _) = service(plain(), hello).await;
    let mut estate = at(Protocol::H2c, vec![address(&bad), address(&good)]);
    estate.reach.retries.on.push(Failure::Status(503));
    let target = made(&estate);
    let upstreams = Upstreams::new();
    for _ in 0..6 {
        assert_eq!(ask(&upstreams, &target).await.unwrap(), "hello");
    }
    let retries = target.stats(2).retries;
    assert!(retries > 0);
    // A method that may be repeated, and a body that cannot: what comes is what the client gets.
    let (other, _) = service(plain(), unavailable).await;
    let mut estate = at(Protocol::H2c, vec![address(&bad), address(&other)]);
    estate.reach.retries.on.push(Failure::Status(503));
    let target = made(&estate);
    let (pieces, mut asked) = streamed(100);
    *asked.method_mut() = Method::PUT;
    pieces.put(Some(b"some"));
    let sent = upstreams
        .send(&target, ServiceRequest::of(&target, asked), &TIMEOUTS)
        .await;
    assert_eq!(sent.unwrap().status, 503);
    assert_eq!(target.stats(2).retries, 0);
    let sent = upstreams
        .send(&target, plainly(&target, Method::PUT), &TIMEOUTS)
        .await;
    assert_eq!(sent.unwrap().status, 503);
    assert_eq!(target.stats(2).retries, 1, "one without a body is");
}

#[tokio::test]
async fn connections_are_counted_and_kept_within_what_the_estate_allows() {
    let mut one = plain();
    one.max_concurrent_streams(1);
    let (served, accepted) = service(one, |_: Asked, mut respond: Respond| async move {
        let mut body = respond.send_response(Response::new(()), false).unwrap();
        drop(body.send_data(Bytes::from_static(b"some"), false));
        std::future::pending::<()>().await;
    })
    .await;
    let mut estate = at(Protocol::H2c, vec![address(&served)]);
    estate.reach.capacity.connections = Some(1);
    let target = made(&estate);
    let upstreams = Upstreams::new();
    let first = upstreams
        .send(&target, plainly(&target, Method::GET), &TIMEOUTS)
        .await
        .unwrap();
    let second = upstreams
        .send(&target, plainly(&target, Method::GET), &TIMEOUTS)
        .await;
    assert_eq!(second.map(|_| ()), Err(Failed::TooMany));
    assert_eq!(accepted.load(Ordering::Relaxed), 1);
    assert_eq!(target.stats(2).under_way, 1);
    assert_eq!(target.stats(2).addresses[0].connections, 1);
    drop(first);
    assert_eq!(target.stats(2).under_way, 0);
    assert_eq!(failures(&target), 0);
}

#[tokio::test]
async fn address_that_leaves_finishes_what_it_has_and_gets_nothing_more() {
    let (go_on, wait) = tokio::sync::watch::channel(false);
    let (old, _) = service(plain(), move |_: Asked, mut respond: Respond| {
        let mut wait = wait.clone();
        async move {
            let mut body = respond.send_response(Response::new(()), false).unwrap();
            wait.wait_for(|go| *go).await.unwrap();
            drop(body.send_data(Bytes::from_static(b"old"), true));
        }
    })
    .await;
    let (new, _) = service(plain(), hello).await;
    let target = made(&at(Protocol::H2c, vec![address(&old)]));
    let upstreams = Upstreams::new();
    let under_way = upstreams
        .send(&target, plainly(&target, Method::GET), &TIMEOUTS)
        .await
        .unwrap();
    let member = Arc::clone(&target.group.set().members[0]);
    assert_eq!(member.connections.load(Ordering::Relaxed), 1);
    target.group.place([Endpoint::Tcp(address(&new))]);
    assert_eq!(ask(&upstreams, &target).await.unwrap(), "hello");
    go_on.send(true).unwrap();
    assert_eq!(body(under_way).await.unwrap(), "old");
    while member.connections.load(Ordering::Relaxed) > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(upstreams.usage().open, 1);
}

#[tokio::test]
async fn probes_ask_in_the_protocol_of_the_service() {
    let health = Health {
        path: Some("/healthz".to_owned()),
        every: Duration::from_secs(5),
        timeout: Duration::from_secs(5),
        expect: Statuses(vec![(200, 299)]),
        rise: 1,
        fall: 1,
        none_healthy: NoneHealthy::Refuse,
    };
    let (well, _) = service(plain(), |asked: Asked, respond: Respond| async move {
        match asked.uri().path() {
            "/healthz" => hello(asked, respond).await,
            _ => unavailable(asked, respond).await,
        }
    })
    .await;
    let (unwell, _) = service(plain(), unavailable).await;
    let probe = async |target: &Target, health: &Health| {
        let endpoint = Endpoint::Tcp(address(target));
        health::probe(target, &endpoint, health).await
    };
    assert_eq!(probe(&well, &health).await, Ok(()));
    assert_eq!(
        probe(&unwell, &health).await,
        Err("it answers 503".to_owned())
    );
    let silent = made(&at(Protocol::H2c, vec![hanging(Protocol::Http).await]));
    let hasty = Health {
        timeout: Duration::from_millis(100),
        ..health.clone()
    };
    let word = probe(&silent, &hasty).await.unwrap_err();
    assert!(word.starts_with("it did not answer"), "{word}");
    // Without a path a connection is enough.
    let open = Health {
        path: None,
        ..health
    };
    assert_eq!(probe(&silent, &open).await, Ok(()));
}
