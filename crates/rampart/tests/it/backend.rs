//! A backend that notes every request it sees and says what it saw.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;

/// A running backend; it ends with the runtime of its test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backend {
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request as the backend saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

impl Backend {
    /// Starts one on a free port.
    pub(crate) async fn start() -> (Self, SocketAddr) {
        let backend = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(backend.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (backend, address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

async fn answer(State(backend): State<Backend>, parts: Parts, body: Bytes) -> Response {
    let line = format!("{} {}", parts.method, parts.uri);
    backend.seen.lock().unwrap().push(Seen {
        line: line.clone(),
        headers: parts.headers,
        body: body.clone(),
    });
    if parts.uri.path().starts_with("/api/") {
        // An API that says what it was told.
        let said = if body.is_empty() { "{}".into() } else { body };
        return ([("content-type", "application/json")], said).into_response();
    }
    match parts.uri.path() {
        "/slow" => {
            tokio::time::sleep(Duration::from_millis(300)).await;
            "slow".into_response()
        }
        "/large" => Body::from(vec![b'x'; 3 << 20]).into_response(),
        _ => line.into_response(),
    }
}
