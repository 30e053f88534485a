//! What tests of the front share: the table of the wire, and a connection over a pipe.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use model::Timestamp;
use tokio::io::DuplexStream;

use super::Handler;
use super::http2::StreamLimits;
use super::service::{Purpose, Service};
use super::wire::WireLimits;
use super::worker::Settings;
use super::{http1, http2};
use crate::body::{self, Budget};
use crate::exchange::{Connection, Incoming, Outgoing};
use crate::reply::Reply;
use crate::wire::HeadLimits;

/// One case of `testdata/wire.txt`.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) expected: Expected,
    pub(super) bytes: Vec<u8>,
}

#[derive(Debug)]
pub(super) enum Expected {
    /// Everything passes: so many requests.
    Requests(u64),
    /// A head is refused, after so many requests passed.
    Head {
        status: u16,
        code: String,
        before: u64,
    },
    /// A body is refused.
    Body,
}

pub(super) fn cases() -> Vec<Case> {
    let text = include_str!("../../testdata/wire.txt");
    let cases: Vec<_> = text.split("\n## ").skip(1).map(case).collect();
    assert!(cases.len() > 80, "the table is read whole");
    cases
}

fn case(text: &str) -> Case {
    let mut lines = text.lines();
    let name = lines.next().unwrap().to_owned();
    let expected: Vec<_> = lines.next().unwrap().split(' ').collect();
    let expected = match expected.as_slice() {
        ["ok", count] => Expected::Requests(count.parse().unwrap()),
        ["400", "body"] => Expected::Body,
        [status, code, rest @ ..] => Expected::Head {
            status: status.parse().unwrap(),
            code: (*code).to_owned(),
            before: rest.first().map_or(0, |count| count.parse().unwrap()),
        },
        other => panic!("{name}: {other:?}"),
    };
    Case {
        name,
        expected,
        bytes: unescape(&lines.collect::<String>()),
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes: VecDeque<u8> = text.bytes().collect();
    let mut out = Vec::new();
    while let Some(byte) = bytes.pop_front() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        out.push(match bytes.pop_front().unwrap() {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'0' => 0,
            b'\\' => b'\\',
            b'x' => {
                let digits = [bytes.pop_front().unwrap(), bytes.pop_front().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => panic!("unknown escape {other}"),
        });
    }
    out
}

pub(super) fn limits() -> WireLimits {
    WireLimits {
        head: HeadLimits {
            bytes_max: 16 * 1024,
            fields_max: 100,
        },
        head_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(60),
        stall_timeout: Duration::from_secs(30),
    }
}

pub(super) fn settings() -> Settings {
    Settings {
        wire: limits(),
        streams: StreamLimits::default(),
        proxies: Arc::default(),
    }
}

/// Holds each body and answers with what it got; notes everything.
#[derive(Debug)]
pub(crate) struct Echo {
    pub(super) requests: Mutex<Vec<String>>,
    pub(super) refusals: Mutex<Vec<&'static str>>,
    pub(super) peers: Mutex<Vec<SocketAddr>>,
    pub(super) exhausted: AtomicU64,
    pub(super) budget: Arc<Budget>,
    pub(super) _folder: tempfile::TempDir,
}

impl Echo {
    pub(crate) fn new() -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (memory, disk) = (model::ByteSize(1 << 20), model::ByteSize(8 << 20));
        let budget = Arc::new(Budget::new(folder.path().to_path_buf(), memory, disk));
        Arc::new(Self {
            requests: Mutex::default(),
            refusals: Mutex::default(),
            peers: Mutex::default(),
            exhausted: AtomicU64::new(0),
            budget,
            _folder: folder,
        })
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(super) fn refusals(&self) -> Vec<&'static str> {
        self.refusals.lock().unwrap().clone()
    }
}

/// What bodies may do in these tests.
pub(super) const BODY: body::Limits = body::Limits {
    max: 1 << 20,
    bytes_per_s_min: 1024,
    grace: Duration::from_secs(5),
};

impl Handler for Echo {
    async fn handle(
        self: Arc<Self>,
        connection: Arc<Connection>,
        request: Request<Incoming>,
    ) -> Reply {
        self.peers.lock().unwrap().push(connection.peer);
        let line = format!("{} {}", request.method(), request.uri());
        self.requests.lock().unwrap().push(line.clone());
        if request.uri().path() == "/big" {
            return Response::new(Outgoing::Full(Bytes::from(vec![b'x'; 4 << 20]))).into();
        }
        if request.uri().path() == "/early" {
            let mut response = Response::new(Outgoing::Full(Bytes::from_static(b"no\n")));
            *response.status_mut() = StatusCode::FORBIDDEN;
            return response.into();
        }
        let response = match body::hold(request.into_body(), &BODY, &self.budget).await {
            Ok(held) => Response::new(Outgoing::Full(Bytes::from(format!(
                "{line} {}\n",
                held.len()
            )))),
            Err(refused) => {
                let mut response = Response::new(Outgoing::Empty);
                *response.status_mut() = refused.status();
                response
            }
        };
        response.into()
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_millis(784_111_777_000)
    }

    fn refused(&self, _: SocketAddr, code: &'static str, _: u16) {
        self.refusals.lock().unwrap().push(code);
    }

    fn accepted(&self) {}

    fn exhausted(&self) {
        self.exhausted.fetch_add(1, Ordering::Relaxed);
    }

    fn tick(&self) {}

    fn upstreams(&self) -> crate::upstream::PoolUse {
        crate::upstream::PoolUse::default()
    }

    fn challenge(&self, host: &str, token: &str) -> Option<String> {
        (host == "localhost" && token == "under-way").then(|| "under-way.thumb".to_owned())
    }
}

/// Whether a connection of these tests speaks HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    Http2,
}

/// A connection over a pipe, served by `echo` in a task; the client's end.
pub(super) fn connect(echo: &Arc<Echo>, version: Version, settings: Settings) -> DuplexStream {
    serve(echo, version, settings).0
}

/// The same, and the task that serves it.
pub(super) fn serve(
    echo: &Arc<Echo>,
    version: Version,
    settings: Settings,
) -> (DuplexStream, tokio::task::JoinHandle<()>) {
    let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let (client, server) = tokio::io::duplex(64 * 1024);
    let service = Arc::new(Service {
        handler: Arc::clone(echo),
        connection: Arc::new(Connection {
            http2: version == Version::Http2,
            ..Connection::of(address)
        }),
        purpose: Purpose::Plain,
    });
    let drain = net::Drain::new();
    let serving = tokio::spawn(async move {
        let guard = drain.guard();
        match version {
            Version::Http1 => http1::serve(server, service, &settings, guard).await,
            Version::Http2 => http2::serve(server, service, &settings, guard).await,
        }
    });
    (client, serving)
}
