//! The TLS handshake of one connection: the client's first words are looked at before anything is
//! answered, so that a name without a certificate is told from a handshake that failed.

use std::sync::Arc;
use std::time::Duration;

use rustls::server::Acceptor;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::Handler;
use super::worker::Worker;

/// A fatal alert `unrecognized_name` (RFC 6066 §3) in a record of its own (RFC 8446 §5.1, §6): the
/// library can refuse, but says another word.
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// Makes a handshake within `limit`, or says why there is none.
pub(super) async fn accept<H: Handler>(
    worker: &Worker<H>,
    stream: TcpStream,
    limit: Duration,
) -> Result<TlsStream<TcpStream>, &'static str> {
    match tokio::time::timeout(limit, shake(worker, stream)).await {
        Ok(made) => made,
        Err(_) => Err("tls.timeout"),
    }
}

async fn shake<H: Handler>(
    worker: &Worker<H>,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, &'static str> {
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
    let made = start.into_stream(Arc::clone(&worker.tls)).await;
    made.map_err(|_| "tls.failed")
}
