//! One connection from accept to close: TLS, then HTTP/1 or HTTP/2, until it ends, is idle for too
//! long, or the process stops.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use net::tls::PeerCertificate;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

use super::caps::Permit;
use super::service::{Purpose, Sending, Service};
use super::wire::Wire;
use super::worker::{Settings, Worker};
use super::{Asks, Handler, http1, http2};
use crate::deadline::Deadline;
use crate::exchange::Connection;
use crate::gates::{Admitted, Gate};

/// How often an HTTP/2 connection is looked at.
const TICK: Duration = Duration::from_secs(1);

/// A connection that was just accepted.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) purpose: Purpose,
    pub(super) _permit: Permit,
    pub(super) drain: net::Guard,
}

/// Serves a connection until it ends.
pub(super) async fn serve<H: Handler>(worker: Arc<Worker<H>>, accepted: Accepted) {
    let settings = worker.settings.load_full();
    let mut connection = Connection {
        peer: accepted.peer,
        secure: false,
        sni: None,
        http2: false,
        admitted: None,
    };
    let Accepted {
        stream,
        purpose,
        drain,
        ..
    } = accepted;
    if net::prepare_stream(&stream).is_err() {
        return;
    }
    if purpose != Purpose::Https {
        let service = service(&worker, connection, purpose, &settings);
        return http1::serve(stream, service, &settings, drain).await;
    }
    let handshake = handshake(&worker, stream);
    let limit = settings.wire.head_timeout;
    let (stream, gate) = match Box::pin(tokio::time::timeout(limit, handshake)).await {
        Ok(Ok(done)) => done,
        failed => {
            let code = if failed.is_err() {
                "tls.timeout"
            } else {
                "tls.failed"
            };
            worker.handler.refused(connection.peer, code, 0);
            return;
        }
    };
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
    let service = service(&worker, connection, purpose, &settings);
    if speaks_http2 {
        http2(stream, service, &settings, drain).await;
    } else {
        http1::serve(stream, service, &settings, drain).await;
    }
}

/// The handshake, with certificates of clients asked for where the name wants them.
async fn handshake<H: Handler>(
    worker: &Worker<H>,
    stream: TcpStream,
) -> io::Result<(TlsStream<TcpStream>, Option<Arc<Gate>>)> {
    if worker.handler.asks() == Asks::Nobody {
        let acceptor = TlsAcceptor::from(Arc::clone(&worker.tls));
        return Ok((acceptor.accept(stream).await?, None));
    }
    let started = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let name = started
        .client_hello()
        .server_name()
        .map(str::to_ascii_lowercase);
    let gate = worker.handler.gate(name.as_deref());
    let config = match &gate {
        Some(gate) => gate.config(),
        None => Arc::clone(&worker.tls),
    };
    Ok((started.into_stream(config).await?, gate))
}

fn service<H: Handler>(
    worker: &Arc<Worker<H>>,
    connection: Connection,
    purpose: Purpose,
    settings: &Settings,
) -> Arc<Service<H>> {
    Arc::new(Service {
        handler: Arc::clone(&worker.handler),
        connection: Arc::new(connection),
        purpose,
        wire: Arc::new(Wire::new()),
        sending: Arc::new(Sending::default()),
        fields_max: settings.wire.head.fields_max,
    })
}

pub(super) async fn http2<S, H>(
    stream: S,
    service: Arc<Service<H>>,
    settings: &Settings,
    drain: net::Guard,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let mut watch = Watch::new(&service, settings);
    let serving = http2::builder(&settings.streams, &settings.wire.head).serve_connection(
        TokioIo::new(stream),
        service_fn(move |request| Arc::clone(&service).serve(request)),
    );
    let mut serving = pin!(serving);
    let mut stop = Stop::new(drain);
    let ended = std::future::poll_fn(|cx| {
        if stop.poll(cx) {
            serving.as_mut().graceful_shutdown();
        }
        match watch.poll(cx) {
            Verdict::Fine => {}
            Verdict::Idle => serving.as_mut().graceful_shutdown(),
            Verdict::Stuck => return Poll::Ready(Ok(())),
        }
        serving.as_mut().poll(cx)
    });
    if let Err(error) = ended.await {
        tracing::debug!(%error, "an HTTP/2 connection ended early");
    }
}

/// Notices an HTTP/2 connection that is idle, or whose client reads nothing: one socket carries
/// many answers, so a stalled write alone does not tell.
#[derive(Debug)]
struct Watch {
    wire: Arc<Wire>,
    sending: Arc<Sending>,
    tick: Deadline,
    first: Duration,
    idle: Duration,
    stall: Duration,
    quiet_since: Instant,
    stuck_since: Instant,
    moved: u64,
    closing: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Fine,
    Idle,
    Stuck,
}

impl Watch {
    fn new<H>(service: &Service<H>, settings: &Settings) -> Self {
        let now = Instant::now();
        let mut tick = Deadline::unset();
        tick.set(TICK);
        Self {
            wire: Arc::clone(&service.wire),
            sending: Arc::clone(&service.sending),
            tick,
            first: settings.wire.head_timeout,
            idle: settings.wire.idle_timeout,
            stall: settings.wire.stall_timeout,
            quiet_since: now,
            stuck_since: now,
            moved: 0,
            closing: false,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Verdict {
        let mut verdict = Verdict::Fine;
        while verdict == Verdict::Fine && self.tick.poll_passed(cx).is_ready() {
            verdict = self.look(Instant::now());
            self.tick.set(TICK);
        }
        verdict
    }

    fn look(&mut self, now: Instant) -> Verdict {
        let moved = self.sending.moved();
        if !self.sending.blocked() || moved != self.moved {
            self.moved = moved;
            self.stuck_since = now;
        }
        if now.duration_since(self.stuck_since) >= self.stall {
            return Verdict::Stuck;
        }
        if self.wire.is_busy() {
            self.quiet_since = now;
            self.closing = false;
            return Verdict::Fine;
        }
        let limit = match self.wire.accepted() {
            _ if self.closing => self.stall,
            0 => self.first,
            _ => self.idle,
        };
        if now.duration_since(self.quiet_since) < limit {
            return Verdict::Fine;
        }
        if self.closing {
            // It was told to go, and still stays without a request.
            return Verdict::Stuck;
        }
        self.closing = true;
        self.quiet_since = now;
        Verdict::Idle
    }
}

/// The process stops: heard once, without asking again at every wake-up.
pub(super) struct Stop {
    started: Pin<Box<dyn Future<Output = ()> + Send>>,
    listening: bool,
    done: bool,
    drain: Arc<net::Guard>,
}

impl Stop {
    pub(super) fn new(drain: net::Guard) -> Self {
        let drain = Arc::new(drain);
        let heard = Arc::clone(&drain);
        let started = Box::pin(async move { heard.started().await });
        Self {
            started,
            listening: false,
            done: false,
            drain,
        }
    }

    /// Whether it was asked for, heard or not.
    pub(super) fn is_due(&self) -> bool {
        self.drain.is_started()
    }

    /// `true` once: when the stop was asked for.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        // INVARIANT: one task polls this, and a task's waker stays the same.
        if self.done || (self.listening && !self.drain.is_started()) {
            return false;
        }
        self.listening = true;
        self.done = self.started.as_mut().poll(cx).is_ready();
        self.done
    }
}
