//! Request smuggling, tried on servers of others behind the gateway: nothing they see is anything
//! else than what the gateway recorded.

mod backends;
pub(crate) mod corpus;
mod frames;
pub(crate) mod ledger;
mod tables;

use std::sync::Arc;
use std::time::Duration;

use testkit::frames::{Frame, flag, frame, greeting, kind};
use testkit::{Mutator, eventually};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use self::backends::{Noted, Server};
use self::corpus::{Case, Corpus, SMUGGLED, Way, replace};
use self::ledger::{Recorded, differences, missing, records};
use crate::world::{SOON, World};

/// How long a connection says nothing before the client ends its half. It decides no verdict.
const QUIET: Duration = Duration::from_millis(120);
/// Mutated cases for each backend.
const MUTATED: u64 = 250;

pub(super) fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn routes(servers: &[Server]) -> String {
    let mut text = String::new();
    for Server { name, address, .. } in servers {
        text.push_str(&format!(
            "\n[[service]]\nname = \"{name}\"\naddress = \"{address}\"\n\n\
             [[route]]\nname = \"{name}\"\nhost = \"{name}.localhost\"\npath = \"/**\"\nto = \"{name}\"\n\
             auth = \"none\"\nlimits = {{ body_max = \"64KiB\" }}\n"
        ));
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_backend_ever_sees_a_request_that_is_not_recorded_as_exactly_that() {
    let folder = tempfile::tempdir().unwrap();
    let Some(servers) = backends::start(folder.path()).await else {
        return;
    };
    let world = World::start(servers[0].address, &routes(&servers)).await;
    let gateway = Arc::new(Gateway::of(&world));
    let tries = servers.iter().map(|server| {
        let host = format!("{}.localhost", server.name);
        tokio::spawn(attack(Arc::clone(&gateway), host))
    });
    let tries: Vec<_> = tries.collect();
    let mut count = 0;
    for (server, attack) in servers.iter().zip(tries) {
        let cases = attack.await.unwrap();
        count += cases.len();
        settled(&world, server, &cases).await;
    }
    println!("{count} connections in front of {} backends", servers.len());
    assert!(count > 5000, "{count}");
}

/// Waits until records and backend agree; says what is between them when they do not.
async fn settled(world: &World, server: &Server, cases: &[Case]) {
    let host = format!("{}.localhost", server.name);
    let look = || -> (Vec<String>, Vec<Recorded>, Noted) {
        let noted = server.noted();
        let mut recorded = records(&world.data());
        recorded.retain(|record| record.host == host);
        let mut found = differences(&recorded, &noted);
        let known = cases.iter().enumerate();
        found.extend(known.filter_map(|(at, case)| missing(case, at, &noted.seen)));
        (found, recorded, noted)
    };
    let agree = || async { look().0.is_empty() };
    // Both write a moment after they have answered.
    if eventually(Duration::from_secs(10), agree).await {
        let (_, recorded, Noted { seen, rejected }) = look();
        assert!(seen.len() > 300, "{}: {} seen", server.name, seen.len());
        let refused = |step: &str| {
            let codes = recorded.iter().filter_map(|one| one.refused.as_deref());
            codes.filter(|code| code.starts_with(step)).count()
        };
        let passed = recorded.iter().filter(|one| one.refused.is_none()).count();
        println!(
            "{}: {} connections, {} records, {passed} answered there, {} seen, {} rejected there, \
             {} given up by the client, {} failed",
            server.name,
            cases.len(),
            recorded.len(),
            seen.len(),
            rejected.len(),
            refused("client."),
            refused("upstream."),
        );
        return;
    }
    let (found, ..) = look();
    let shown: Vec<&String> = found.iter().take(20).collect();
    panic!(
        "{}: {} differences: {shown:#?}\n{}",
        server.name,
        found.len(),
        server.said()
    );
}

/// Tries everything on one backend, one connection after the other; what was tried.
async fn attack(gateway: Arc<Gateway>, host: String) -> Vec<Case> {
    let mut corpus = Corpus::whole(&host);
    mutate(&mut corpus);
    let cases = corpus.cases;
    for case in &cases {
        gateway.send(&host, case).await;
    }
    cases
}

/// Damages what is there, at random.
fn mutate(corpus: &mut Corpus<'_>) {
    let rounds = testkit::told("RAMPART_FUZZ_ROUNDS").unwrap_or(MUTATED);
    let seed = testkit::told("RAMPART_FUZZ_SEED").unwrap_or(1);
    println!("{rounds} mutations with seed {seed}");
    let mut mutator = Mutator::new(seed);
    let words: [&[u8]; 14] = [
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"0\r\n\r\n",
        b"5\r\nhello\r\n",
        b"Connection: keep-alive\r\n",
        b": ",
        b" HTTP/1.1\r\n",
        b"GET /x HTTP/1.1\r\n",
        b"%2f",
        b"\0",
    ];
    let known: Vec<Case> = corpus.cases.clone();
    for round in 0..rounds {
        let at = mutator.below(known.len());
        let case = &known[at];
        // Under a path of its own, as long as the other.
        let (from, to) = (format!("/c{at}/"), format!("/x{at}/"));
        let mut bytes = replace(&case.bytes, from.as_bytes(), to.as_bytes());
        mutator.mutate(&mut bytes, &words);
        if case.way != Way::Frames && mutator.below(4) == 0 {
            bytes.extend(SMUGGLED.as_bytes());
        }
        let name = format!("mutation {round} of {}", case.name);
        corpus.push(name, bytes, case.way);
    }
}

/// How the gateway is reached.
struct Gateway {
    plain: std::net::SocketAddr,
    https: std::net::SocketAddr,
    tls: tokio_rustls::TlsConnector,
}

impl Gateway {
    fn of(world: &World) -> Self {
        let authority = world.data().join("tls/ca.pem");
        let roots = net::tls::Roots::File(authority);
        let mut config = (*net::tls::client_config(&roots).unwrap()).clone();
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self {
            plain: world.plain,
            https: world.https,
            tls: Arc::new(config).into(),
        }
    }

    /// Sends one case on a connection of its own, and waits for the connection's end.
    async fn send(&self, host: &str, case: &Case) {
        let until = tokio::time::timeout(SOON, self.converse(host, case));
        assert!(until.await.is_ok(), "no end: {}", case.name);
    }

    async fn converse(&self, host: &str, case: &Case) {
        // What is known to arrive is answered to its end, however long that takes.
        let quiet = if case.arrives.is_some() { SOON } else { QUIET };
        if case.way != Way::Frames {
            let mut stream = TcpStream::connect(self.plain).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let step = if case.way == Way::Drip { 1 } else { usize::MAX };
            for piece in case.bytes.chunks(step) {
                // Who is refused in the middle does not take the rest.
                if stream.write_all(piece).await.is_err() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            return listen(stream, quiet, |_| false).await;
        }
        let stream = TcpStream::connect(self.https).await.unwrap();
        let name = rustls::pki_types::ServerName::try_from(host.to_owned()).unwrap();
        let mut stream = self.tls.connect(name, stream).await.unwrap();
        let mut bytes = greeting();
        bytes.extend(frame(kind::SETTINGS, flag::ACK, 0, &[]));
        bytes.extend(&case.bytes);
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        let mut ended = [false; 2];
        listen(stream, quiet, |frame| {
            let is_last = match frame.kind {
                kind::RST_STREAM => true,
                kind::DATA | kind::HEADERS => frame.flags & flag::END_STREAM != 0,
                _ => false,
            };
            for (stream, ended) in [1, 3].into_iter().zip(&mut ended) {
                *ended |= is_last && frame.stream == stream;
            }
            ended == [true; 2]
        })
        .await;
    }
}

/// Reads until the other side ends it, or `is_over` says so of its frames. A side that says nothing
/// for a while waits for more: it is told that there is none.
async fn listen<S>(mut stream: S, quiet: Duration, mut is_over: impl FnMut(&Frame) -> bool)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut input = Vec::new();
    let mut told = false;
    let mut some = [0; 4096];
    loop {
        let read = stream.read(&mut some);
        let read = match told {
            true => read.await,
            false => match tokio::time::timeout(quiet, read).await {
                Ok(read) => read,
                Err(_) => {
                    told = true;
                    if stream.shutdown().await.is_err() {
                        return;
                    }
                    continue;
                }
            },
        };
        match read {
            Ok(read) if read > 0 => input.extend(&some[..read]),
            _ => return,
        }
        while let Some(frame) = Frame::take(&mut input) {
            if is_over(&frame) {
                return;
            }
        }
    }
}
