//! The TLS handshake of one connection: the client's first words are looked at before anything is
//! answered, so that a name without a certificate is told from a handshake that failed, and clients
//! are asked for certificates where the name wants them.

use std::sync::Arc;
use std::time::Duration;

use rustls::server::{Acceptor, ClientHello};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::worker::Worker;
use super::{Asks, Handler};
use crate::gates::Gate;

/// A connection that is protected, and what its client was asked for certificates by.
pub(super) type Shaken = (TlsStream<TcpStream>, Option<Arc<Gate>>);

/// A fatal alert `unrecognized_name` (RFC 6066 §3) in a record of its own (RFC 8446 §5.1, §6): the
/// library can refuse, but says another word.
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// Makes a handshake within `limit`, or says why there is none.
pub(super) async fn accept<H: Handler>(
    worker: &Worker<H>,
    stream: TcpStream,
    limit: Duration,
) -> Result<Shaken, &'static str> {
    match tokio::time::timeout(limit, shake(worker, stream)).await {
        Ok(made) => made,
        Err(_) => Err("tls.timeout"),
    }
}

async fn shake<H: Handler>(worker: &Worker<H>, stream: TcpStream) -> Result<Shaken, &'static str> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await;
    let start = start.map_err(|_| "tls.failed")?;
    if !worker.handler.knows(&start.client_hello()) {
        let mut stream = start.io;
        // Whoever does not wait for the word has gone already.
        if stream.write_all(&UNRECOGNIZED_NAME).await.is_ok() {
            drop(stream.shutdown().await);
        }
        return Err("tls.unknown_name");
    }
    let gate = gate(worker, &start.client_hello());
    let config = match &gate {
        Some(gate) => gate.config(),
        None => Arc::clone(&worker.tls),
    };
    let made = start.into_stream(config).await;
    Ok((made.map_err(|_| "tls.failed")?, gate))
}

/// What asks this client for a certificate. An authority that checks a challenge and nothing else is
/// not asked (RFC 8737 §3): its connection ends with the handshake.
fn gate<H: Handler>(worker: &Worker<H>, hello: &ClientHello<'_>) -> Option<Arc<Gate>> {
    if worker.handler.asks() == Asks::Nobody {
        return None;
    }
    let mut offered = hello.alpn().into_iter().flatten().peekable();
    if offered.peek().is_some() && offered.all(|one| net::tls::is_challenge(Some(one))) {
        return None;
    }
    let name = hello.server_name().map(str::to_ascii_lowercase);
    worker.handler.gate(name.as_deref())
}
