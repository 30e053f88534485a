//! Services that fail, against real sockets: what the client gets, what others notice of it, and
//! what is learnt from it.

mod addresses;
mod probes;
mod trouble;

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
