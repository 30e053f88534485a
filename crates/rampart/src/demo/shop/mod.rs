//! The sample shop: a small backend that is open to attack on purpose, so that what the gateway
//! stops can be seen. Reached directly, every hole in it works, and its tests prove that.
//!
//! It listens on loopback alone, holds invented data in memory, and never runs outside of
//! `rampart demo`.

mod files;
mod log;
mod pages;
mod store;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use http::StatusCode;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) use log::Log;

/// LIMIT: bytes of one request's body.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A running shop. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Shop {
    address: SocketAddr,
    log: Arc<Log>,
    stop: CancellationToken,
}

/// What its pages work with.
#[derive(Clone, Debug)]
struct Rooms {
    store: store::Store,
    files: Arc<files::Files>,
    log: Arc<Log>,
}

impl Shop {
    /// Opens the shop on a free port of loopback; its files go below `folder`.
    ///
    /// # Errors
    /// When the port, the folder or the database in memory cannot be had.
    pub(crate) async fn open(folder: &Path) -> anyhow::Result<Self> {
        let log = Arc::new(Log::default());
        let rooms = Rooms {
            store: store::Store::open().await?,
            files: Arc::new(files::Files::lay_out(folder)?),
            log: Arc::clone(&log),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("the sample shop cannot listen on loopback")?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let router = router(rooms);
        tokio::spawn(async move {
            let serving = axum::serve(listener, router).with_graceful_shutdown(stopped);
            if let Err(error) = serving.await {
                tracing::error!(%error, "the sample shop ended");
            }
        });
        Ok(Self { address, log, stop })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request it has seen.
    pub(crate) fn log(&self) -> &Arc<Log> {
        &self.log
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn router(rooms: Rooms) -> Router {
    Router::new()
        .route("/", get(pages::home))
        .route("/products", get(pages::search))
        .route(
            "/products/{id}/comments",
            get(pages::comments).post(pages::comment),
        )
        .route("/api/products", get(pages::products))
        .route("/api/products/{id}/stock", put(pages::stock))
        .route("/api/my/orders", get(pages::own_orders).post(pages::order))
        .route("/api/orders/{id}", get(pages::any_order))
        .route("/api/coupons/{code}", get(pages::coupon))
        .route("/files", get(pages::file))
        .route("/downloads/{*name}", get(pages::download))
        .route("/admin", get(pages::admin))
        .route("/admin/prices", post(pages::prices))
        .layer(from_fn_with_state(rooms.clone(), note))
        .with_state(rooms)
}

/// Writes every request down before anything else happens to it.
async fn note(State(rooms): State<Rooms>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES_MAX).await else {
        rooms.log.note(&parts, b"(a body that did not arrive)");
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    rooms.log.note(&parts, &body);
    next.run(Request::from_parts(parts, body.into())).await
}
