//! One connection from accept to close: TLS, then HTTP/1 or HTTP/2, until it ends, is idle for too
//! long, or the process stops.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;

use net::tls::PeerCertificate;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::caps::Permit;
use super::proxied;
use super::service::{Purpose, Service};
use super::worker::{Settings, Worker};
use super::{Handler, handshake, http1, http2};
use crate::exchange::Connection;
use crate::gates::Admitted;

/// A connection that was just accepted.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) purpose: Purpose,
    pub(super) permit: Permit,
    pub(super) drain: net::Guard,
}

/// Serves a connection of a proxy, which says first for whom it is.
pub(super) async fn serve_proxied<H: Handler>(
    worker: Arc<Worker<H>>,
    settings: Arc<Settings>,
    mut accepted: Accepted,
) {
    let limit = settings.wire.head_timeout;
    let said = tokio::time::timeout(limit, proxied::read(&mut accepted.stream));
    let code = match said.await {
        Ok(Ok(client)) => {
            // One that speaks for itself (its health check) stands for its own address.
            let client = client.unwrap_or(accepted.peer);
            match accepted.permit.name(client.ip()) {
                Ok(()) => {
                    accepted.peer = client;
                    return serve(worker, settings, accepted).await;
                }
                Err(full) => {
                    // Against the address that is too many, not the proxy's.
                    return worker.handler.refused(client, full.code(), 0);
                }
            }
        }
        Ok(Err(proxied::Unnamed::Gone)) => return,
        Ok(Err(proxied::Unnamed::Refused(refusal))) => refusal.code(),
        Err(_) => "proxy.timeout",
    };
    worker.handler.refused(accepted.peer, code, 0);
}

/// Serves a connection until it ends.
pub(super) async fn serve<H: Handler>(
    worker: Arc<Worker<H>>,
    settings: Arc<Settings>,
    accepted: Accepted,
) {
    let mut connection = Connection::of(accepted.peer);
    let Accepted {
        stream,
        purpose,
        drain,
        permit: _permit,
        ..
    } = accepted;
    if net::prepare_stream(&stream).is_err() {
        return;
    }
    if purpose != Purpose::Https {
        let service = service(&worker, connection, purpose);
        return http1::serve(stream, service, &settings, drain).await;
    }
    let limit = settings.wire.head_timeout;
    let shaken = Box::pin(handshake::accept(&worker, stream, limit));
    let (mut stream, gate) = match shaken.await {
        Ok(done) => done,
        Err(code) => return worker.handler.refused(connection.peer, code, 0),
    };
    if net::tls::is_challenge(stream.get_ref().1.alpn_protocol()) {
        // The handshake was the answer (RFC 8737 §3).
        drop(stream.shutdown().await);
        return;
    }
    let (_, tls) = stream.get_ref();
    if let Some(gate) = gate {
        let chain = tls.peer_certificates();
        let certificate = chain.map(PeerCertificate::read);
        // SECURITY: one that cannot be read whole was shown all the same; who shows it is not
        // somebody who shows none.
        if certificate.as_ref().is_some_and(Option::is_none) {
            worker
                .handler
                .refused(connection.peer, "tls.certificate", 0);
            return;
        }
        connection.admitted = Some(Arc::new(Admitted::new(gate, certificate.flatten())));
    }
    connection.secure = true;
    connection.sni = tls
        .server_name()
        .map(|name| Arc::from(name.to_ascii_lowercase()));
    connection.http2 = tls.alpn_protocol() == Some(b"h2");
    let speaks_http2 = connection.http2;
    let service = service(&worker, connection, purpose);
    if speaks_http2 {
        http2::serve(stream, service, &settings, drain).await;
    } else {
        http1::serve(stream, service, &settings, drain).await;
    }
}

fn service<H: Handler>(
    worker: &Arc<Worker<H>>,
    connection: Connection,
    purpose: Purpose,
) -> Arc<Service<H>> {
    Arc::new(Service {
        handler: Arc::clone(&worker.handler),
        connection: Arc::new(connection),
        purpose,
    })
}

/// What a connection is told when its process goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Word {
    /// Another process takes what comes: end after the next answer.
    Leave,
    /// End as soon as nothing under way is lost by it.
    Stop,
}

/// The process goes: each word is heard once, without asking again at every wake-up.
pub(super) struct Stop {
    next: Pin<Box<dyn Future<Output = ()> + Send>>,
    listening: bool,
    heard: Option<Word>,
    drain: Arc<net::Guard>,
}

impl Stop {
    pub(super) fn new(drain: net::Guard) -> Self {
        let drain = Arc::new(drain);
        let heard = Arc::clone(&drain);
        let next = Box::pin(async move { heard.started().await });
        Self {
            next,
            listening: false,
            heard: None,
            drain,
        }
    }

    /// What was said so far, heard or not.
    pub(super) fn due(&self) -> Option<Word> {
        match (self.drain.is_stopped(), self.drain.is_started()) {
            (true, _) => Some(Word::Stop),
            (false, true) => Some(Word::Leave),
            (false, false) => None,
        }
    }

    /// Each word, once. [`Word::Leave`] always comes first.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Option<Word> {
        // INVARIANT: one task polls this, and a task's waker stays the same.
        if self.heard == Some(Word::Stop) || (self.listening && self.due() <= self.heard) {
            return None;
        }
        self.listening = true;
        if self.next.as_mut().poll(cx).is_pending() {
            return None;
        }
        if self.heard == Some(Word::Leave) {
            self.heard = Some(Word::Stop);
            return self.heard;
        }
        self.heard = Some(Word::Leave);
        let drain = Arc::clone(&self.drain);
        self.next = Box::pin(async move { drain.stopped().await });
        if self.due() == Some(Word::Stop) {
            // Both were said at once: the second is heard with the next look, which comes now.
            cx.waker().wake_by_ref();
        } else if self.next.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
            self.next = Box::pin(std::future::ready(()));
        }
        self.heard
    }
}
