//! The bytes below an upstream connection: TCP, TLS over TCP, or a local socket.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Failed;
use super::target::{Endpoint, Target};

/// A connected upstream, which notes whether it ever answered a byte since it was asked.
#[derive(Debug)]
pub(super) struct Stream {
    kind: Kind,
    answered: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
}

impl Stream {
    /// Connects to `endpoint` of `target` within `limit`, TLS included.
    pub(super) async fn connect(
        target: &Target,
        endpoint: &Endpoint,
        limit: Duration,
    ) -> Result<Self, Failed> {
        let connecting = open(target, endpoint);
        let kind = tokio::time::timeout(limit, connecting)
            .await
            .map_err(|_| Failed::ConnectTimeout)??;
        Ok(Self {
            kind,
            answered: Arc::new(AtomicBool::new(false)),
        })
    }

    /// Set by the first byte that is read; the asker clears it.
    pub(super) fn answered(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.answered)
    }
}

async fn open(target: &Target, endpoint: &Endpoint) -> Result<Kind, Failed> {
    let tcp = match endpoint {
        Endpoint::Unix(path) => {
            return UnixStream::connect(path)
                .await
                .map(Kind::Unix)
                .map_err(|error| failed(&error));
        }
        Endpoint::Tcp(address) => TcpStream::connect(address)
            .await
            .map_err(|error| failed(&error))?,
    };
    // A request is written at once: there is nothing for Nagle to gather.
    tcp.set_nodelay(true).map_err(|_| Failed::Broken)?;
    let Some(tls) = &target.tls else {
        return Ok(Kind::Tcp(tcp));
    };
    let connector = TlsConnector::from(Arc::clone(&tls.config));
    match connector.connect(tls.name.clone(), tcp).await {
        Ok(stream) => Ok(Kind::Tls(Box::new(stream))),
        Err(error) => {
            tracing::warn!(service = %target.name, %error, "the upstream's TLS is not acceptable");
            Err(Failed::Tls)
        }
    }
}

fn failed(error: &io::Error) -> Failed {
    match error.kind() {
        io::ErrorKind::TimedOut => Failed::ConnectTimeout,
        _ => Failed::Refused,
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(match &mut this.kind {
            Kind::Tcp(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Kind::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
            Kind::Unix(unix) => Pin::new(unix).poll_read(cx, buf),
        })?;
        if buf.filled().len() > before {
            this.answered.store(true, Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(tcp) => Pin::new(tcp).poll_write(cx, data),
            Kind::Tls(tls) => Pin::new(tls).poll_write(cx, data),
            Kind::Unix(unix) => Pin::new(unix).poll_write(cx, data),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(tcp) => Pin::new(tcp).poll_write_vectored(cx, data),
            Kind::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, data),
            Kind::Unix(unix) => Pin::new(unix).poll_write_vectored(cx, data),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Kind::Tls(tls) => Pin::new(tls).poll_flush(cx),
            Kind::Unix(unix) => Pin::new(unix).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Kind::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
            Kind::Unix(unix) => Pin::new(unix).poll_shutdown(cx),
        }
    }
}
