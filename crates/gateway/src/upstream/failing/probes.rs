//! Probes: what they take for unwell, and what follows from it.

use super::*;

fn health() -> estate::Health {
    estate::Health {
        path: Some("/healthz".to_owned()),
        every: Duration::from_millis(10),
        timeout: Duration::from_millis(300),
        expect: Statuses(vec![(200, 299)]),
        rise: 2,
        fall: 3,
        none_healthy: NoneHealthy::Refuse,
    }
}

#[tokio::test]
async fn probes_decide_who_gets_requests_and_when_nobody_does() {
    let (around, _, left) = around();
    let (bad, at_bad) = answering(UNWELL).await;
    let (good, _) = answering(HELLO).await;
    let mut service = service(vec![bad, good]);
    service.reach.health = Some(health());
    let target = made(&service, &around);
    keep::probe_all(&target, &around).await;
    let upstreams = Upstreams::new();
    for _ in 0..10 {
        assert_eq!(
            outcome(&upstreams, &target, Method::GET).await,
            "200 whole hello"
        );
    }
    assert_eq!(at_bad.load(Ordering::SeqCst), 1, "the probe alone");
    let conditions = |target: &Target| -> Vec<_> {
        let stats = target.stats(9);
        stats.addresses.iter().map(|one| one.condition).collect()
    };
    assert_eq!(conditions(&target), [Condition::Unwell, Condition::Well]);

    // The same addresses in the next version: what was learnt stays. None of them is well any more.
    service.endpoints = vec![bad];
    let next = Target::service(&service, &around, &[], Some(&target)).unwrap();
    assert_eq!(conditions(&next), [Condition::Unwell]);
    assert_eq!(
        outcome(&upstreams, &next, Method::GET).await,
        "503 upstream.unhealthy"
    );
    service.reach.health.as_mut().unwrap().none_healthy = NoneHealthy::Try;
    let next = Target::service(&service, &around, &[], Some(&next)).unwrap();
    assert_eq!(
        outcome(&upstreams, &next, Method::GET).await,
        "503 whole no"
    );
    // Who is not asked any more cannot be unwell.
    service.reach.health = None;
    let next = Target::service(&service, &around, &[], Some(&next)).unwrap();
    assert_eq!(conditions(&next), [Condition::Well]);
    let left = left.lock().unwrap();
    let [event] = &left[..] else {
        panic!("{left:?}")
    };
    assert_eq!(event.kind, "gateway.upstream.unhealthy");
    assert!(
        event.message.ends_with("it answers 503"),
        "{}",
        event.message
    );
}

#[tokio::test]
async fn probes_find_out_every_way_to_be_unwell() {
    let (around, _, _) = around();
    for (steps, expected) in [
        (vec![Step::Refuse], "it takes no connection"),
        (vec![Step::Hang], "it did not answer within 300ms"),
        (vec![Step::Read, Step::Close], "it closed without an answer"),
        (
            vec![
                Step::Read,
                Step::Send(b"nonsense\r\n\r\n".to_vec()),
                Step::Hang,
            ],
            "its answer is broken",
        ),
        (
            vec![
                Step::Read,
                Step::Send(b"HTTP/1.1 200 O".to_vec()),
                Step::Drip,
            ],
            "it did not answer within 300ms",
        ),
        (
            vec![
                Step::Read,
                Step::Send(b"HTTP/1.1 200 OK\r\nx: ".to_vec()),
                Step::Flood(300_000),
                Step::Hang,
            ],
            "its answer is broken",
        ),
    ] {
        let address = act(steps).await;
        let target = made(&service(vec![address]), &around);
        let endpoint = member::Endpoint::Tcp(address);
        let word = health::probe(&target, &endpoint, &health()).await;
        assert_eq!(word.unwrap_err(), expected);
    }
    // Without a path, taking a connection is enough.
    let address = act(vec![Step::Hang]).await;
    let target = made(&service(vec![address]), &around);
    let health = estate::Health {
        path: None,
        ..health()
    };
    let endpoint = member::Endpoint::Tcp(address);
    assert_eq!(health::probe(&target, &endpoint, &health).await, Ok(()));
}

#[tokio::test]
async fn an_address_is_probed_again_and_again_until_its_service_is_gone() {
    let (around, _, _) = around();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut service = service(vec![listener.local_addr().unwrap()]);
    service.reach.health = Some(health());
    let target = made(&service, &around);
    start(&target, &around);
    for _ in 0..3 {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = head(&mut stream).await;
        assert!(head.starts_with("GET /healthz HTTP/1.1\r\n"), "{head}");
        stream.write_all(HELLO).await.unwrap();
    }
    let gone = Arc::downgrade(&target);
    drop(target);
    // A probe under way holds it a moment longer.
    while gone.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
}
