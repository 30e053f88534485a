//! Services that fail, against real sockets: what the client gets, what others notice of it, and
//! what is learnt from it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use estate::{Failure, NoneHealthy, Percent, Statuses};
use http::{Method, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::tests::{HELLO, TIMEOUTS, around, body, head, plainly, request, service};
use super::*;
use crate::body::Carried;
use crate::link::protocol::{BreakerWord, Condition};

/// What a service does with a connection.
#[derive(Clone, Debug)]
enum Step {
    Refuse,
    Read,
    Send(Vec<u8>),
    Flood(usize),
    Drip,
    Hang,
    Reset,
    Close,
}

#[derive(Debug)]
struct Case {
    name: String,
    method: Method,
    steps: Vec<Step>,
    expected: String,
}

fn cases() -> Vec<Case> {
    let text = include_str!("../../testdata/upstreams.txt");
    let cases: Vec<_> = text.split("\n## ").skip(1).map(case).collect();
    assert!(cases.len() >= 25, "the table is read whole");
    cases
}

fn case(text: &str) -> Case {
    let mut lines = text.lines();
    let mut case = Case {
        name: lines.next().unwrap().to_owned(),
        method: Method::GET,
        steps: Vec::new(),
        expected: String::new(),
    };
    for line in lines.filter(|line| !line.is_empty()) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        case.steps.push(match word {
            "method" => {
                case.method = rest.parse().unwrap();
                continue;
            }
            "=>" => {
                case.expected = rest.to_owned();
                continue;
            }
            "refuse" => Step::Refuse,
            "read" => Step::Read,
            "send" => Step::Send(rest.replace("\\r", "\r").replace("\\n", "\n").into_bytes()),
            "flood" => Step::Flood(rest.parse().unwrap()),
            "drip" => Step::Drip,
            "hang" => Step::Hang,
            "reset" => Step::Reset,
            "close" => Step::Close,
            other => panic!("{}: {other}", case.name),
        });
    }
    case
}

/// Does as `steps` say with each connection.
async fn act(steps: Vec<Step>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    if matches!(steps[..], [Step::Refuse]) {
        return address;
    }
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(play(stream, steps.clone()));
        }
    });
    address
}

async fn play(mut stream: TcpStream, steps: Vec<Step>) {
    for step in steps {
        match step {
            Step::Read => drop(head(&mut stream).await),
            // The client may be gone: that is what some cases are about.
            Step::Send(bytes) => drop(stream.write_all(&bytes).await),
            Step::Flood(count) => drop(stream.write_all(&vec![b'x'; count]).await),
            Step::Drip => {
                let mut pause = tokio::time::interval(Duration::from_millis(20));
                while stream.write_all(b"x").await.is_ok() {
                    pause.tick().await;
                }
            }
            Step::Hang => std::future::pending().await,
            Step::Reset => {
                // What is not read when a connection closes makes it a reset (RFC 2525 §2.17).
                stream.readable().await.unwrap();
                stream.set_zero_linger().unwrap();
                return;
            }
            Step::Close | Step::Refuse => return,
        }
    }
}

/// An impatient estate.
fn impatient(addresses: Vec<SocketAddr>) -> estate::Service {
    let mut service = service(addresses);
    service.reach.timeouts.send = Duration::from_millis(300);
    service.reach.timeouts.pause = Some(Duration::from_millis(300));
    service.reach.timeouts.answer = Some(Duration::from_millis(900));
    service
}

const IMPATIENT: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    response: Duration::from_millis(300),
    idle: Duration::from_millis(300),
    ends: None,
    response_max: 100_000,
};

fn made(service: &estate::Service, around: &Around) -> Arc<Target> {
    Arc::new(Target::service(service, around, &[], None).unwrap())
}

/// A request, with a body that no socket's buffers take in when it is a POST.
async fn asking(method: Method) -> Request<Carried> {
    let request = request(method.clone(), "/");
    if method != Method::POST {
        return request;
    }
    let size = model::ByteSize(64 << 20);
    let folder = tempfile::tempdir().unwrap();
    let budget = Arc::new(body::Budget::new(folder.path().to_path_buf(), size, size));
    let limits = body::Limits {
        max: 64 << 20,
        bytes_per_s_min: 0,
        grace: Duration::from_secs(1),
    };
    let whole = http_body_util::Full::new(Bytes::from(vec![b'x'; 32 << 20]));
    let held = body::hold(whole, &limits, &budget).await.unwrap();
    request.map(|_| Carried::Held(held))
}

/// What a client gets, in the words of the table.
async fn outcome(upstreams: &Upstreams, target: &Target, method: Method) -> String {
    let sent = upstreams.send(
        target,
        ServiceRequest::of(target, asking(method).await),
        &IMPATIENT,
    );
    match sent.await {
        Err(failed) => format!("{} {}", failed.status().as_u16(), failed.code()),
        Ok(response) => {
            let status = response.status.as_u16();
            match body(response).await {
                Ok(text) => format!("{status} whole {text}"),
                Err(_) => format!("{status} cut"),
            }
        }
    }
}

/// One service does as the case says, another answers: the first fails as expected, and the second
/// is not touched.
async fn check(case: &Case) {
    let (around, _, _) = around();
    let address = act(case.steps.clone()).await;
    let failing = made(&impatient(vec![address]), &around);
    let healthy = made(&service(vec![answering(HELLO).await.0]), &around);
    let upstreams = Upstreams::new();
    let came = outcome(&upstreams, &failing, case.method.clone()).await;
    assert_eq!(came, case.expected, "{}", case.name);
    if case.name != "answers well" {
        let left = PoolUse::default();
        assert_eq!(upstreams.usage(), left, "{}: nothing is kept", case.name);
    }
    assert_eq!(failing.stats(1).under_way, 0, "{}", case.name);
    let other = outcome(&upstreams, &healthy, Method::GET).await;
    assert_eq!(other, "200 whole hello", "{}", case.name);
}

#[tokio::test]
async fn every_way_to_fail_gets_its_own_answer_and_touches_nobody_else() {
    let cases = cases();
    futures_util::future::join_all(cases.iter().map(check)).await;
}

/// Answers every request; how many it got.
async fn answering(answer: &'static [u8]) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (address, answer_at(listener, answer))
}

fn answer_at(listener: TcpListener, answer: &'static [u8]) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let count = Arc::clone(&counting);
            tokio::spawn(async move {
                let mut read = Vec::new();
                while let Ok(byte) = stream.read_u8().await {
                    read.push(byte);
                    if read.ends_with(b"\r\n\r\n") {
                        read.clear();
                        count.fetch_add(1, Ordering::SeqCst);
                        if answer.is_empty() || stream.write_all(answer).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    count
}

const UNWELL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\nno";

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
