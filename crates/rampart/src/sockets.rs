//! Serves a router over a Unix socket: the admin socket for the local command line, and the
//! socket over which the gateway forwards the console's host. Control never listens on TCP.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use net::UnixAccess;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// LIMIT: open connections on one socket; more wait in the kernel's backlog.
const CONNECTIONS_MAX: usize = 512;
/// LIMIT: a local peer has this long to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// LIMIT: bytes buffered for one connection, so also the longest head.
const BUFFER_BYTES_MAX: usize = 128 * 1024;
/// How long open requests may finish after a stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Turns a request's peer into the extension the routers read. Returns `None` to refuse.
pub(crate) type Introduce = Arc<dyn Fn(u32, &mut Request<Body>) -> bool + Send + Sync>;

/// Serves `router` until `stop`, then lets open requests finish.
pub(crate) async fn serve(
    listener: UnixListener,
    router: Router,
    access: UnixAccess,
    introduce: Introduce,
    stop: CancellationToken,
) {
    let tasks = TaskTracker::new();
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else {
            break;
        };
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let stream = match stream {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept on a local socket");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some(uid) = net::permitted_peer(&stream, access) else {
            tracing::warn!("refused a local peer");
            continue;
        };
        let (router, introduce, stop) = (router.clone(), introduce.clone(), stop.clone());
        tasks.spawn(async move {
            connection(stream, uid, router, introduce, stop).await;
            drop(slot);
        });
    }
    tasks.close();
    if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
        tracing::warn!("requests on a local socket did not finish in time");
    }
}

async fn connection(
    stream: UnixStream,
    uid: u32,
    router: Router,
    introduce: Introduce,
    stop: CancellationToken,
) {
    let service = tower::service_fn(move |request: Request<hyper::body::Incoming>| {
        let (router, introduce) = (router.clone(), introduce.clone());
        async move {
            let mut request = request.map(Body::new);
            if !introduce(uid, &mut request) {
                let mut refused =
                    http::Response::new(Body::from("the peer did not say who asks\n"));
                *refused.status_mut() = http::StatusCode::BAD_REQUEST;
                return Ok(refused);
            }
            router.oneshot(request).await
        }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(BUFFER_BYTES_MAX);
    let serving = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a local connection ended early");
    }
}
