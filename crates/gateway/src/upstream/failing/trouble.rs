//! Services in trouble: who waits for them, how often they are asked again, and when no more.

use super::*;

#[tokio::test]
async fn a_hundred_requests_that_hang_keep_nobody_else_waiting() {
    let (around, _, _) = around();
    let hanging = made(&service(vec![act(vec![Step::Hang]).await]), &around);
    let other = made(&service(vec![answering(HELLO).await.0]), &around);
    let upstreams = Arc::new(Upstreams::new());
    let hung: Vec<_> = (0..100)
        .map(|_| {
            let (upstreams, target) = (Arc::clone(&upstreams), Arc::clone(&hanging));
            tokio::spawn(async move {
                let sent = upstreams.send(&target, plainly(&target, Method::GET), &TIMEOUTS);
                sent.await.map(|_| ())
            })
        })
        .collect();
    for _ in 0..200 {
        assert_eq!(
            outcome(&upstreams, &other, Method::GET).await,
            "200 whole hello"
        );
    }
    assert_eq!(hanging.stats(1).under_way, 100);
    assert!(hung.iter().all(|one| !one.is_finished()));
    hung.iter().for_each(tokio::task::JoinHandle::abort);
    for one in hung {
        assert!(one.await.unwrap_err().is_cancelled());
    }
    // Clients that go away take their connections along.
    assert_eq!(hanging.stats(1).under_way, 0);
    assert_eq!(hanging.stats(1).addresses[0].connections, 0);
}

#[tokio::test]
async fn an_address_that_died_is_noticed_by_nobody_while_there_is_another() {
    let (around, clock, left) = around();
    let dead = act(vec![Step::Refuse]).await;
    let (alive, count) = answering(HELLO).await;
    let target = made(&service(vec![dead, alive]), &around);
    let upstreams = Upstreams::new();
    for method in [Method::GET, Method::POST].iter().cycle().take(40) {
        let sent = upstreams.send(
            &target,
            ServiceRequest::of(&target, request(method.clone(), "/")),
            &TIMEOUTS,
        );
        assert_eq!(body(sent.await.unwrap()).await.unwrap(), "hello");
    }
    assert_eq!(count.load(Ordering::SeqCst), 40);
    let stats = target.stats(2);
    assert_eq!(stats.addresses[0].condition, Condition::Ejected);
    assert_eq!(stats.addresses[0].failures["connect"], 1);
    assert_eq!(stats.retries, 1);
    // It is there again: one request sees it, and then it has its share.
    let listener = TcpListener::bind(dead).await.unwrap();
    let back = answer_at(listener, HELLO);
    clock.advance(Duration::from_secs(2));
    for _ in 0..20 {
        assert_eq!(
            outcome(&upstreams, &target, Method::GET).await,
            "200 whole hello"
        );
    }
    assert!(back.load(Ordering::SeqCst) >= 8, "{back:?}");
    let kinds: Vec<_> = left
        .lock()
        .unwrap()
        .iter()
        .map(|e| e.kind.clone())
        .collect();
    assert_eq!(
        kinds,
        ["gateway.upstream.ejected", "gateway.upstream.restored"]
    );
}

#[tokio::test]
async fn retries_of_a_service_in_trouble_stay_within_their_budget() {
    let (around, _, _) = around();
    let mut service = service(vec![answering(b"").await.0, answering(HELLO).await.0]);
    // Nothing is passed over: half of all requests fail.
    service.reach.outliers.on = Vec::new();
    let target = made(&service, &around);
    target.group.turn();
    let upstreams = Upstreams::new();
    let mut failed = 0_u64;
    for _ in 0..400 {
        let came = outcome(&upstreams, &target, Method::GET).await;
        failed += u64::from(came == "502 upstream.broken");
    }
    let stats = target.stats(2);
    assert!(stats.retries <= 10 + 400 / 5, "{stats:?}");
    assert!(stats.retries >= 400 / 5, "{stats:?}");
    assert_eq!(stats.retries_withheld, failed);
    assert!(failed > 50, "{failed}");
    // What may not be repeated never is.
    let before = target.stats(2).retries;
    for _ in 0..10 {
        outcome(&upstreams, &target, Method::PATCH).await;
    }
    assert_eq!(target.stats(2).retries, before);
}

#[tokio::test]
async fn an_answer_of_trouble_is_given_up_for_a_better_one_where_the_estate_says_so() {
    let (around, _, _) = around();
    let mut service = service(vec![answering(UNWELL).await.0, answering(HELLO).await.0]);
    service.reach.retries.on = vec![Failure::Status(503)];
    let target = made(&service, &around);
    let upstreams = Upstreams::new();
    let mut posted = Vec::new();
    for _ in 0..10 {
        assert_eq!(
            outcome(&upstreams, &target, Method::GET).await,
            "200 whole hello"
        );
    }
    for _ in 0..10 {
        let sent = upstreams.send(&target, plainly(&target, Method::PATCH), &TIMEOUTS);
        posted.push(sent.await.unwrap().status.as_u16());
    }
    assert!(posted.contains(&503) && posted.contains(&200), "{posted:?}");
    // Both are in trouble: the client hears that, and not a failure of the gateway.
    service.endpoints = vec![answering(UNWELL).await.0, answering(UNWELL).await.0];
    let target = made(&service, &around);
    assert_eq!(
        outcome(&upstreams, &target, Method::GET).await,
        "503 whole no"
    );
}

#[tokio::test]
async fn breaker_opens_answers_at_once_and_closes_when_one_request_succeeds() {
    let (around, clock, left) = around();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut service = service(vec![address]);
    service.reach.breaker = Some(estate::Breaker {
        failures: Percent(50),
        window: Duration::from_secs(10),
        requests_min: 5,
        open: Duration::from_secs(10),
    });
    let target = made(&service, &around);
    let upstreams = Upstreams::new();
    for _ in 0..5 {
        assert_eq!(
            outcome(&upstreams, &target, Method::GET).await,
            "502 upstream.refused"
        );
    }
    for _ in 0..20 {
        let sent = upstreams.send(&target, plainly(&target, Method::GET), &TIMEOUTS);
        let failed = sent.await.map(|_| ()).unwrap_err();
        assert_eq!(failed.code(), "upstream.breaker_open");
        assert_eq!(failed.retry_after(), Some(Duration::from_secs(10)));
    }
    assert_eq!(target.stats(1).held_off, 20);
    assert_eq!(target.stats(1).breaker, Some(BreakerWord::Open));
    clock.advance(Duration::from_secs(10));
    // The one that may see finds it still away.
    assert_eq!(
        outcome(&upstreams, &target, Method::GET).await,
        "502 upstream.refused"
    );
    assert_eq!(
        outcome(&upstreams, &target, Method::GET).await,
        "503 upstream.breaker_open"
    );
    clock.advance(Duration::from_secs(10));
    let count = answer_at(TcpListener::bind(address).await.unwrap(), HELLO);
    for _ in 0..3 {
        assert_eq!(
            outcome(&upstreams, &target, Method::GET).await,
            "200 whole hello"
        );
    }
    assert_eq!(count.load(Ordering::SeqCst), 3);
    let kinds: Vec<_> = left
        .lock()
        .unwrap()
        .iter()
        .map(|e| e.kind.clone())
        .collect();
    assert_eq!(kinds, ["gateway.breaker.opened", "gateway.breaker.closed"]);
}

#[tokio::test]
async fn requests_beyond_the_room_wait_a_while_and_beyond_that_are_refused() {
    const BEGUN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nh";
    let (around, _, _) = around();
    let mut service = service(vec![answering(BEGUN).await.0]);
    service.reach.capacity.requests = Some(1);
    service.reach.capacity.waiting = 1;
    service.reach.capacity.wait = Duration::from_secs(30);
    let target = made(&service, &around);
    let upstreams = Arc::new(Upstreams::new());
    let sent = upstreams.send(&target, plainly(&target, Method::GET), &TIMEOUTS);
    let first = sent.await.unwrap();
    let (waiting, to) = (Arc::clone(&upstreams), Arc::clone(&target));
    let second = tokio::spawn(async move {
        let sent = waiting.send(&to, plainly(&to, Method::GET), &TIMEOUTS);
        sent.await.map(|response| response.status)
    });
    while target.stats(1).waiting == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        outcome(&upstreams, &target, Method::GET).await,
        "503 upstream.too_many"
    );
    assert_eq!(target.stats(1).crowded_out, 1);
    assert!(!second.is_finished());
    // The answer's end makes room, not its head.
    drop(first);
    assert_eq!(second.await.unwrap().unwrap(), 200);
    assert_eq!(target.stats(1).waiting, 0);

    service.reach.capacity.requests = None;
    service.reach.capacity.waiting = 0;
    service.reach.capacity.address_requests = Some(2);
    let target = made(&service, &around);
    let mut held = VecDeque::new();
    for _ in 0..2 {
        let sent = upstreams.send(&target, plainly(&target, Method::GET), &TIMEOUTS);
        held.push_back(sent.await.unwrap());
    }
    assert_eq!(
        outcome(&upstreams, &target, Method::GET).await,
        "503 upstream.too_many"
    );
    held.pop_front();
    let sent = upstreams.send(&target, plainly(&target, Method::GET), &TIMEOUTS);
    assert!(sent.await.is_ok());

    service.reach.capacity.address_requests = None;
    service.reach.capacity.connections = Some(1);
    let target = made(&service, &around);
    let sent = upstreams.send(&target, plainly(&target, Method::GET), &TIMEOUTS);
    let _first = sent.await.unwrap();
    assert_eq!(
        outcome(&upstreams, &target, Method::GET).await,
        "503 upstream.too_many"
    );
}
