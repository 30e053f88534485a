//! Speaks to the running server over its administration socket: HTTP/1.1 with JSON.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use net::{Client, Endpoint};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Exit;
use crate::failure::{Failure, Fault, chain};

/// LIMIT: applying an estate waits for every gateway; nothing takes longer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// LIMIT: one line of a stream.
const LINE_BYTES_MAX: usize = 1 << 20;

/// The server of one data folder.
#[derive(Debug)]
pub(crate) struct Server {
    client: Client,
    socket: PathBuf,
    runtime: tokio::runtime::Runtime,
    pending: Pending,
}

/// Where a change may not count yet, as the server said last.
pub(crate) type Pending = Rc<RefCell<Option<String>>>;

/// An error answer (RFC 9457).
#[derive(Debug, Default, serde::Deserialize)]
struct Problem {
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    request_id: Option<String>,
    #[serde(default)]
    errors: Vec<Fault>,
}

/// Whether a stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    More,
    Stop,
}

impl Server {
    /// The server whose data folder is `data`.
    pub(crate) fn of(data: &Path, pending: Pending) -> Result<Self, Failure> {
        let socket = data.join("run").join("admin.sock");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::because(Exit::Failed, "cannot start", &error))?;
        Ok(Self {
            client: Client::new(Endpoint::Unix(socket.clone())).timeout(TIMEOUT),
            socket,
            runtime,
            pending,
        })
    }

    /// Waits.
    pub(crate) fn pause(&self, length: Duration) {
        self.runtime
            .block_on(async { tokio::time::sleep(length).await });
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.call(Method::GET, path, None)
    }

    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, Failure> {
        self.call(Method::POST, path, Some(body))
    }

    pub(crate) fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::DELETE, path, None)
    }

    /// The body of an answer whatever its status, for pages that answer 503 with content.
    pub(crate) fn look(&self, path: &str) -> Result<(StatusCode, Value), Failure> {
        let (status, body) = self.exchange(Method::GET, path, None)?;
        match serde_json::from_slice(&body) {
            Ok(value) if status == StatusCode::SERVICE_UNAVAILABLE || status.is_success() => {
                Ok((status, value))
            }
            _ => Err(refused(status, &body)),
        }
    }

    fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, Failure> {
        let (status, body) = self.exchange(method, path, body)?;
        if !status.is_success() {
            return Err(refused(status, &body));
        }
        let body = if body.is_empty() { &b"null"[..] } else { &body };
        serde_json::from_slice(body).map_err(|error| {
            Failure::failed(format!("the server answered something unexpected: {error}"))
                .hint("server and command line may be of different versions")
        })
    }

    fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let request = request(method, path, body)?;
        self.runtime.block_on(async {
            let answer = self
                .client
                .send(request)
                .await
                .map_err(|e| self.unreachable(&e))?;
            let status = answer.status();
            let said = answer.headers().get("rampart-pending");
            if let Some(text) = said.and_then(|value| value.to_str().ok()) {
                *self.pending.borrow_mut() = Some(text.to_owned());
            }
            let body = answer.bytes().await.map_err(|e| self.unreachable(&e))?;
            Ok((status, body))
        })
    }

    /// Calls `each` with every line of a stream until it says stop or the server ends it.
    pub(crate) fn stream(
        &self,
        path: &str,
        mut each: impl FnMut(&str) -> Next,
    ) -> Result<(), Failure> {
        let request = request(Method::GET, path, None)?;
        self.runtime.block_on(async {
            let mut answer = self
                .client
                .send(request)
                .await
                .map_err(|e| self.unreachable(&e))?;
            let status = answer.status();
            if !status.is_success() {
                let body = answer.bytes().await.map_err(|e| self.unreachable(&e))?;
                return Err(refused(status, &body));
            }
            let mut rest: Vec<u8> = Vec::new();
            while let Some(chunk) = answer.chunk().await.map_err(|e| self.unreachable(&e))? {
                rest.extend_from_slice(&chunk);
                while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = rest.drain(..=end).collect();
                    let line = String::from_utf8_lossy(&line);
                    if each(line.trim_end()) == Next::Stop {
                        return Ok(());
                    }
                }
                if rest.len() > LINE_BYTES_MAX {
                    return Err(Failure::failed("the server sent a line that is too long"));
                }
            }
            Ok(())
        })
    }

    fn unreachable(&self, error: &net::Error) -> Failure {
        let socket = self.socket.display();
        let mut failure = Failure::failed(chain(error));
        if let net::Error::Connect { source, .. } = error {
            failure.hint = Some(match source.kind() {
                std::io::ErrorKind::PermissionDenied => format!(
                    "`{socket}` belongs to the user the server runs as; use that user or root"
                ),
                _ => "is rampart running? start it with `rampart serve`, or name its data folder \
                      with `--data DIR`"
                    .to_owned(),
            });
        }
        failure
    }
}

fn request(method: Method, path: &str, body: Option<&Value>) -> Result<Request<Bytes>, Failure> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
        .header(header::ACCEPT, "application/json, application/x-ndjson");
    let bytes = match body {
        Some(body) => {
            request = request.header(header::CONTENT_TYPE, "application/json");
            Bytes::from(body.to_string())
        }
        None => Bytes::new(),
    };
    request
        .body(bytes)
        .map_err(|error| Failure::because(Exit::Usage, "this cannot be asked", &error))
}

/// What a refusal of the server means for the command.
fn refused(status: StatusCode, body: &[u8]) -> Failure {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let message = problem
        .detail
        .or(problem.title)
        .unwrap_or_else(|| format!("the server answered {status}"));
    let exit = match status.as_u16() {
        400 | 413 | 415 | 422 => Exit::Usage,
        401 | 403 => Exit::No,
        _ => Exit::Failed,
    };
    let mut failure = Failure::new(exit, message);
    failure.faults = problem.errors;
    if status.is_server_error() {
        failure.hint = problem
            .request_id
            .map(|id| format!("the server's log has more under `{id}`"));
    }
    failure
}

/// A text as one segment or value of a path.
pub(crate) fn escape(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// `?a=b&c=d` of the parameters that are there.
pub(crate) fn query(parameters: &[(&str, Option<String>)]) -> String {
    let given: Vec<String> = parameters
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", escape(value.as_ref()?))))
        .collect();
    if given.is_empty() {
        String::new()
    } else {
        format!("?{}", given.join("&"))
    }
}
