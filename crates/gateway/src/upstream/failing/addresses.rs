//! Addresses that are found, leave and are chosen.

use super::*;

#[tokio::test]
async fn a_name_is_looked_up_and_leads_nowhere_when_it_may_not() {
    let (around, _, left) = around();
    let (address, _) = answering(HELLO).await;
    let mut service = service(Vec::new());
    service.named = vec![estate::NamedPlace {
        name: "localhost".to_owned(),
        port: address.port(),
    }];
    let target = made(&service, &around);
    let upstreams = Upstreams::new();
    let nowhere = "503 upstream.unresolved";
    assert_eq!(outcome(&upstreams, &target, Method::GET).await, nowhere);
    first_look_up(std::slice::from_ref(&target));
    assert_eq!(
        outcome(&upstreams, &target, Method::GET).await,
        "200 whole hello"
    );
    assert_eq!(target.authority, format!("localhost:{}", address.port()));
    // A resolver that is away changes nothing; that is said once.
    let name = &target.names[0];
    for _ in 0..3 {
        target.found(name, Err("`localhost` is not found".to_owned()));
    }
    assert_eq!(
        outcome(&upstreams, &target, Method::GET).await,
        "200 whole hello"
    );
    // A new version knows it already.
    let next = Target::service(&service, &around, &[], Some(&target)).unwrap();
    assert_eq!(
        outcome(&upstreams, &next, Method::GET).await,
        "200 whole hello"
    );
    // It leads to metadata now, and then to the gateway itself.
    target.found(name, Ok(vec!["169.254.169.254:80".parse().unwrap()]));
    assert_eq!(outcome(&upstreams, &target, Method::GET).await, nowhere);
    let ours = [address];
    let own = Target::service(&service, &around, &ours, None).unwrap();
    own.found(&own.names[0], Ok(vec![address]));
    assert_eq!(outcome(&upstreams, &own, Method::GET).await, nowhere);
    let kinds: Vec<_> = left
        .lock()
        .unwrap()
        .iter()
        .map(|e| e.kind.clone())
        .collect();
    let refused = "gateway.upstream.address_refused";
    assert_eq!(kinds, ["gateway.upstream.unresolved", refused, refused]);
}

#[tokio::test]
async fn an_address_that_leaves_finishes_what_it_has_and_gets_nothing_new() {
    const BEGUN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nh";
    let (around, _, _) = around();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let leaving = listener.local_addr().unwrap();
    let target = made(&service(vec![leaving]), &around);
    let upstreams = Upstreams::new();
    // One connection waits, one has a request.
    let sent = upstreams.send(&target, plainly(&target, Method::GET), &TIMEOUTS);
    let idle = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream.write_all(BEGUN).await.unwrap();
        let mut second = listener.accept().await.unwrap().0;
        head(&mut second).await;
        second.write_all(HELLO).await.unwrap();
        (stream, second)
    };
    let begun = async {
        let begun = sent.await.unwrap();
        let whole = outcome(&upstreams, &target, Method::GET).await;
        assert_eq!(whole, "200 whole hello");
        begun
    };
    let ((mut busy, mut idle), begun) = tokio::join!(idle, begun);
    assert_eq!(upstreams.usage(), PoolUse { open: 2, idle: 1 });
    let (staying, count) = answering(HELLO).await;
    target.group.place([member::Endpoint::Tcp(staying)]);
    assert_eq!(
        outcome(&upstreams, &target, Method::GET).await,
        "200 whole hello"
    );
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert!(idle.read_u8().await.is_err(), "the idle one closed");
    busy.write_all(b"ello").await.unwrap();
    assert_eq!(body(begun).await.unwrap(), "hello");
    assert!(busy.read_u8().await.is_err(), "the other when it was done");

    // A service that leaves takes all its connections along, with the next sweep.
    assert_eq!(upstreams.usage(), PoolUse { open: 1, idle: 1 });
    drop(target);
    upstreams.sweep();
    assert_eq!(upstreams.usage(), PoolUse::default());
}

#[tokio::test]
async fn what_is_hashed_alike_goes_to_the_same_address() {
    let (around, _, _) = around();
    let mut counts = Vec::new();
    let mut addresses = Vec::new();
    for _ in 0..4 {
        let (address, count) = answering(HELLO).await;
        addresses.push(address);
        counts.push(count);
    }
    let mut service = service(addresses);
    let by = estate::HashKey::Header("x-tenant".to_owned());
    service.reach.balance = estate::Balance::Hash(by);
    let target = made(&service, &around);
    assert!(target.hashed_by().is_some());
    let upstreams = Upstreams::new();
    for tenant in 0..10_u8 {
        let before: Vec<_> = counts.iter().map(|c| c.load(Ordering::SeqCst)).collect();
        for _ in 0..5 {
            let mut request = request(Method::GET, "/");
            request.extensions_mut().insert(Key::from_bytes(&[tenant]));
            let sent = upstreams.send(&target, ServiceRequest::of(&target, request), &TIMEOUTS);
            body(sent.await.unwrap()).await.unwrap();
        }
        let after = counts.iter().map(|c| c.load(Ordering::SeqCst));
        let gained: Vec<_> = after.zip(&before).map(|(a, b)| a - b).collect();
        assert!(gained.contains(&5), "{tenant}: {gained:?}");
    }
}
