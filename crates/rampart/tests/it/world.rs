//! A whole `rampart serve` with a data folder of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use net::{Client, Endpoint};
use serde_json::Value;
use testkit::{Process, children, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The program under test: that of this build, or the one that `RAMPART_PROGRAM` names.
pub(crate) fn program() -> PathBuf {
    let built = env!("CARGO_BIN_EXE_rampart");
    crate::told("RAMPART_PROGRAM").map_or_else(|| built.into(), PathBuf::from)
}

/// How long anything may take on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// A running Rampart. Dropping it ends it.
pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) plain: SocketAddr,
    pub(crate) https: SocketAddr,
    /// Where the gateway is scraped, and control on the next port; nowhere when there is none.
    pub(crate) metrics: Option<SocketAddr>,
    server: Option<Process>,
    program: PathBuf,
    edit: Edit,
}

/// What a test changes in the beginning of its estate.
type Edit = fn(String) -> String;

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

/// The beginning of every estate: where it listens, its one service, and the console.
fn head(plain: SocketAddr, https: SocketAddr, service: SocketAddr) -> String {
    format!(
        r#"
[estate]
name = "it"
domain = "localhost"

[listen]
https = ["{https}"]
http = ["{plain}"]
plain = true
metrics = "off"

[console]
host = "rampart.localhost"

[limits]
sign_in_per_address = "1000/min"
per_address = "off"

[[zone]]
name = "app"

[[host]]
name = "one"
zone = "app"
address = "127.0.0.1"

[[service]]
name = "backend"
address = "{service}"

[[role]]
name = "reader"
allow = ["things:read"]

[[role]]
name = "writer"
allow = ["things:*"]
"#
    )
}

/// One open route for everything, with modest limits.
pub(crate) const OPEN: &str = r#"
[[route]]
name = "open"
host = "app.localhost"
path = "/**"
to = "backend"
auth = "none"
limits = { body_max = "256KiB" }
"#;

impl World {
    /// Starts one whose estate ends with `routes`, in front of `service`.
    pub(crate) async fn start(service: SocketAddr, routes: &str) -> Self {
        Self::start_with(service, routes, &[]).await
    }

    /// The same with documents beside the estate file.
    pub(crate) async fn start_with(
        service: SocketAddr,
        routes: &str,
        documents: &[(&str, &str)],
    ) -> Self {
        let world = Self::new();
        world.write_estate(service, routes);
        for (path, text) in documents {
            world.write_document(path, text);
        }
        world.served().await
    }

    /// Starts one behind a proxy at 127.0.0.9.
    pub(crate) async fn start_proxied(service: SocketAddr, routes: &str) -> Self {
        let edit = |head: String| {
            let proxied = "plain = true\nproxy_protocol = [\"127.0.0.9\"]\n";
            head.replace("plain = true\n", proxied)
        };
        Self::start_program(program(), service, routes, edit).await
    }

    /// Starts one whose processes may have so many descriptors.
    pub(crate) async fn start_with_descriptors(
        max: u32,
        service: SocketAddr,
        routes: &str,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        let limited = folder.join("limited");
        let whole = program();
        let script = format!(
            "#!/bin/sh\nulimit -n {max}\nexec {} \"$@\"\n",
            whole.display()
        );
        store::atomic_write(&limited, script.as_bytes(), 0o755).unwrap();
        Self::start_program(limited, service, routes, |head| head).await
    }

    /// Starts one that can be scraped, with documents beside the estate file.
    pub(crate) async fn start_scraped(
        service: SocketAddr,
        routes: &str,
        documents: &[(&str, &str)],
    ) -> Self {
        let [metrics] = testkit::free_addresses().unwrap();
        let world = Self {
            metrics: Some(metrics),
            ..Self::new()
        };
        world.write_estate(service, routes);
        for (path, text) in documents {
            world.write_document(path, text);
        }
        world.served().await
    }

    /// Starts a copy of the program, which may be replaced.
    pub(crate) async fn start_copy(service: SocketAddr, routes: &str) -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        let copy = folder.join("rampart");
        std::fs::hard_link(program(), &copy)
            .or_else(|_| std::fs::copy(program(), &copy).map(drop))
            .unwrap();
        Self::start_program(copy, service, routes, |head| head).await
    }

    async fn start_program(
        program: PathBuf,
        service: SocketAddr,
        routes: &str,
        edit: Edit,
    ) -> Self {
        let world = Self {
            program,
            edit,
            ..Self::new()
        };
        world.write_estate(service, routes);
        world.served().await
    }

    async fn served(mut self) -> Self {
        self.serve().await;
        self
    }

    /// A folder and addresses; nothing is started and no estate is written.
    pub(crate) fn new() -> Self {
        let [plain, https] = testkit::free_addresses().unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            plain,
            https,
            metrics: None,
            server: None,
            program: program(),
            edit: |head| head,
        }
    }

    /// Writes a document beside the estate file.
    pub(crate) fn write_document(&self, path: &str, text: &str) {
        store::atomic_write(&self.folder().join(path), text.as_bytes(), 0o644).unwrap();
    }

    /// Replaces the estate file; nothing is applied.
    pub(crate) fn write_estate(&self, service: SocketAddr, routes: &str) {
        let mut head = (self.edit)(head(self.plain, self.https, service));
        if let Some(metrics) = self.metrics {
            head = head.replace("metrics = \"off\"", &format!("metrics = \"{metrics}\""));
        }
        let text = format!("{head}{routes}");
        store::atomic_write(&self.config(), text.as_bytes(), 0o644).unwrap();
    }

    /// Starts the server, and waits until it answers.
    pub(crate) async fn serve(&mut self) {
        self.launch(&[]);
        assert!(self.answers().await, "no answer: {}", self.log());
    }

    /// Starts the server with more arguments, without waiting.
    pub(crate) fn launch(&mut self, more: &[&str]) {
        let (data, config) = (self.data(), self.config());
        let mut arguments = vec!["serve", "--workers", "2", "--data"];
        arguments.push(data.to_str().unwrap());
        arguments.extend(["--config", config.to_str().unwrap()]);
        arguments.extend(more);
        let log = self.folder.path().join("serve.log");
        self.server = Some(Process::start(&self.program, &arguments, &log).unwrap());
    }

    async fn answers(&self) -> bool {
        eventually(SOON, || async {
            let reached = TcpStream::connect(self.plain).await.is_ok();
            reached && self.ask(Method::GET, "/health", None).await.is_ok()
        })
        .await
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("rampart.toml")
    }

    /// What the processes wrote.
    pub(crate) fn log(&self) -> String {
        let server = self.server.as_ref();
        server.map(Process::output).unwrap_or_default()
    }

    /// Process ids of control and gateway.
    pub(crate) fn role(&self, role: &str) -> Option<u32> {
        let supervisor = self.server.as_ref()?.id()?;
        let wanted = format!("--role {role}");
        let all = children(supervisor).unwrap();
        all.into_iter()
            .find(|(_, line)| line.contains(&wanted))
            .map(|(id, _)| id)
    }

    /// Every process of a role, oldest first.
    pub(crate) fn roles(&self, role: &str) -> Vec<u32> {
        let wanted = format!("--role {role}");
        let all = children(self.supervisor()).unwrap();
        let mut ids: Vec<u32> = all
            .into_iter()
            .filter(|(_, line)| line.contains(&wanted))
            .map(|(id, _)| id)
            .collect();
        ids.sort_unstable();
        ids
    }

    /// The supervisor's process id.
    pub(crate) fn supervisor(&self) -> u32 {
        self.server.as_ref().and_then(Process::id).unwrap()
    }

    /// The program that runs.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Asks the supervisor to stop, and waits.
    pub(crate) async fn stop(&mut self) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        signal(server.id().unwrap(), rustix::process::Signal::TERM);
        let code = server.exit_code(SOON).await;
        assert_eq!(code.unwrap(), Some(0), "{}", server.output());
    }

    /// Waits for the server's own end.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        let server = self.server.as_mut().unwrap();
        server.exit_code(SOON).await.unwrap()
    }

    /// Asks the API on the administration socket.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, (u16, Value)> {
        let client = Client::new(Endpoint::Unix(self.data().join("run/admin.sock")));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("content-type", "application/json")
            .body(Bytes::from(body))
            .unwrap();
        let unanswered = |error: net::Error| (0, Value::String(error.to_string()));
        let answer = client.send(request).await.map_err(unanswered)?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(unanswered)?;
        let value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status.is_success() {
            Ok(value)
        } else {
            Err((status.as_u16(), value))
        }
    }

    /// A request over the clear listener.
    pub(crate) async fn get(&self, host: &str, target: &str) -> Answer {
        self.send(Request::get(target).header("host", host)).await
    }

    /// A request without a body over the clear listener.
    pub(crate) async fn send(&self, request: http::request::Builder) -> Answer {
        self.try_send(request.body(Bytes::new()).unwrap())
            .await
            .unwrap()
    }

    /// A request over the clear listener; an error when nobody answers.
    pub(crate) async fn try_send(&self, request: Request<Bytes>) -> Result<Answer, String> {
        let client = Client::new(Endpoint::Tcp(self.plain));
        let answer = client.send(request).await.map_err(|e| e.to_string())?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.map_err(|e| e.to_string())?;
        Ok(Answer {
            status,
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    /// A connection to the clear listener.
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.plain).await.unwrap()
    }

    /// Bytes as they are, over the clear listener; everything that comes back until it closes.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.plain).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let ended = tokio::time::timeout(SOON, read).await.expect("it closes");
        // A peer that resets after its answer has still answered.
        drop(ended);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A connection that agreed on HTTP/2 and has said nothing yet.
    pub(crate) async fn over_http2(
        &self,
        host: &str,
    ) -> tokio_rustls::client::TlsStream<TcpStream> {
        let roots = net::tls::Roots::File(self.data().join("tls/ca.pem"));
        let mut config = (*net::tls::client_config(&roots).unwrap()).clone();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = TcpStream::connect(self.https).await.unwrap();
        let name = rustls::pki_types::ServerName::try_from(host.to_owned()).unwrap();
        let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
        connector.connect(name, stream).await.unwrap()
    }

    /// Runs the command line against this data folder.
    pub(crate) fn cli(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = std::process::Command::new(program())
            .args(arguments)
            .arg("--data")
            .arg(self.data())
            .arg("--config")
            .arg(self.config())
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        (
            output.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    /// Waits for an event whose detail `code` is `code`.
    pub(crate) async fn in_trail(&self, code: &str) -> bool {
        let path = format!("/trail?text={code}&limit=50");
        eventually(SOON, || async {
            let found = self.ask(Method::GET, &path, None).await;
            let records = found
                .ok()
                .and_then(|page| page["records"].as_array().cloned());
            records.is_some_and(|records| {
                records
                    .iter()
                    .any(|one| one["event"]["detail"]["code"] == code)
            })
        })
        .await
    }
}

/// Sends a signal to a process this test started.
pub(crate) fn signal(id: u32, signal: rustix::process::Signal) {
    let pid = i32::try_from(id)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.unwrap(), signal).unwrap();
}

/// Resident memory of a process, in MiB.
pub(crate) fn memory_mib(id: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024.0
}
