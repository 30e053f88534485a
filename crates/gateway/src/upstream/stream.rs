//! The bytes below an upstream connection: TCP, TLS over TCP, or a local socket.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Failed;
use super::member::Endpoint;
use super::target::Target;

/// A connected upstream.
#[derive(Debug)]
pub(super) enum Stream {
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
        let in_tls = AtomicBool::new(false);
        let connecting = open(target, endpoint, &in_tls);
        match tokio::time::timeout(limit, connecting).await {
            Ok(outcome) => outcome,
            Err(_) if in_tls.load(Ordering::Relaxed) => Err(Failed::TlsTimeout),
            Err(_) => Err(Failed::ConnectTimeout),
        }
    }
}

impl Stream {
    /// Whether both sides agreed on HTTP/2 where that is agreed on (RFC 9113 §3.2).
    pub(super) fn is_http2(&self) -> bool {
        match self {
            Self::Tls(tls) => tls.get_ref().1.alpn_protocol() == Some(b"h2"),
            Self::Tcp(_) | Self::Unix(_) => true,
        }
    }
}

impl Stream {
    /// Whether it said nothing, not even that it ends; `None` where its TLS has to be asked. What it
    /// said is lost.
    ///
    /// The kernel is only asked when the socket has something to say, and nobody is woken later.
    pub(super) fn is_silent(&self) -> Option<bool> {
        let would_block = |read: io::Result<usize>| matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        match self {
            Self::Tcp(tcp) => Some(would_block(tcp.try_read(&mut [0]))),
            Self::Unix(unix) => Some(would_block(unix.try_read(&mut [0]))),
            Self::Tls(_) => None,
        }
    }
}

/// `in_tls` says how far it came.
async fn open(target: &Target, endpoint: &Endpoint, in_tls: &AtomicBool) -> Result<Stream, Failed> {
    let tcp = match endpoint {
        Endpoint::Unix(path) => {
            return UnixStream::connect(path)
                .await
                .map(Stream::Unix)
                .map_err(|error| failed(&error));
        }
        Endpoint::Tcp(address) => TcpStream::connect(address)
            .await
            .map_err(|error| failed(&error))?,
    };
    // A request is written at once: there is nothing for Nagle to gather.
    tcp.set_nodelay(true).map_err(|_| Failed::Broken)?;
    let Some(tls) = &target.tls else {
        return Ok(Stream::Tcp(tcp));
    };
    in_tls.store(true, Ordering::Relaxed);
    let connector = TlsConnector::from(tls.config());
    match connector.connect(tls.name.clone(), tcp).await {
        Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
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
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
            Self::Unix(unix) => Pin::new(unix).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_write(cx, data),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, data),
            Self::Unix(unix) => Pin::new(unix).poll_write(cx, data),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_write_vectored(cx, data),
            Self::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, data),
            Self::Unix(unix) => Pin::new(unix).poll_write_vectored(cx, data),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
            Self::Unix(unix) => Pin::new(unix).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
            Self::Unix(unix) => Pin::new(unix).poll_shutdown(cx),
        }
    }
}
