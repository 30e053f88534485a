//! `/metrics` of the process, on an address of its own that the public does not reach.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::Error;

/// LIMIT: scrapes at once.
const CONNECTIONS_MAX: usize = 8;
/// LIMIT: a whole scrape.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);

/// A bound address; dropping it closes it.
#[derive(Debug)]
pub(crate) struct Scrape {
    /// What the estate says.
    pub(crate) address: SocketAddr,
    listener: Option<std::net::TcpListener>,
    /// The same socket, for whoever comes after this process.
    kept: Option<std::net::TcpListener>,
    task: Option<JoinHandle<()>>,
}

impl Scrape {
    /// Binds `address`; nothing is answered before [`Scrape::serve`].
    pub(crate) fn bind(address: SocketAddr) -> Result<Self, Error> {
        let listener =
            net::bind_tcp(address).map_err(|source| Error::Listen { address, source })?;
        Ok(Self::on(address, listener))
    }

    /// On a socket that listens already.
    pub(crate) fn on(address: SocketAddr, listener: std::net::TcpListener) -> Self {
        Self {
            address,
            // Without it a successor binds one of its own beside this one.
            kept: listener.try_clone().ok(),
            listener: Some(listener),
            task: None,
        }
    }

    /// The socket again, by the address it has in the estate.
    pub(crate) fn socket(&self) -> std::io::Result<Option<(SocketAddr, std::net::TcpListener)>> {
        let socket = self.kept.as_ref().map(std::net::TcpListener::try_clone);
        Ok(socket.transpose()?.map(|socket| (self.address, socket)))
    }

    /// Where it really listens: with the port the kernel chose, for port 0.
    #[cfg(test)]
    pub(crate) fn local(&self) -> SocketAddr {
        self.listener.as_ref().unwrap().local_addr().unwrap()
    }

    /// Answers scrapes with what `render` gives, until dropped or until it gives nothing.
    pub(crate) fn serve(&mut self, render: impl Fn() -> Option<String> + Send + Sync + 'static) {
        let Some(listener) = self.listener.take() else {
            return;
        };
        match TcpListener::from_std(listener) {
            Ok(listener) => self.task = Some(tokio::spawn(accept(listener, Arc::new(render)))),
            Err(error) => tracing::error!(%error, "metrics cannot be served"),
        }
    }
}

impl Drop for Scrape {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn accept<F>(listener: TcpListener, render: Arc<F>)
where
    F: Fn() -> Option<String> + Send + Sync + 'static,
{
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let render = Arc::clone(&render);
        tokio::spawn(async move {
            let answering = answer(stream, render);
            if tokio::time::timeout(SCRAPE_TIMEOUT, answering)
                .await
                .is_err()
            {
                tracing::debug!("a scrape took too long");
            }
            drop(slot);
        });
    }
}

async fn answer<F>(stream: TcpStream, render: Arc<F>)
where
    F: Fn() -> Option<String> + Send + Sync + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let response = respond(&request, render.as_ref());
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).keep_alive(false);
    if let Err(error) = builder
        .serve_connection(TokioIo::new(stream), service)
        .await
    {
        tracing::debug!(%error, "a scrape ended early");
    }
}

fn respond(
    request: &Request<Incoming>,
    render: &(impl Fn() -> Option<String> + ?Sized),
) -> Response<Full<Bytes>> {
    let status = |status| {
        let mut response = Response::new(Full::default());
        *response.status_mut() = status;
        response
    };
    if request.uri().path() != "/metrics" {
        return status(StatusCode::NOT_FOUND);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return status(StatusCode::METHOD_NOT_ALLOWED);
    }
    let Some(text) = render() else {
        return status(StatusCode::SERVICE_UNAVAILABLE);
    };
    let mut response = Response::new(Full::from(text));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
