//! The sides of the gateway's bench, each a plain reverse proxy with one worker, nothing logged
//! that its users could leave out, and connections to the backend kept open.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use model::{SystemClock, SystemEntropy};
use serde_json::Value;

use super::process::{Pinned, children, until};
use super::side::Over;
use super::{enrol, machine};
use crate::generate::write;

/// The core of whoever is measured.
pub(super) const PROXY_CORE: u32 = 0;
/// The core of load and backend.
pub(super) const LOAD_CORE: u32 = 1;
/// Where the bench's console is.
const CONSOLE_HOST: &str = "rampart.bench.localhost";
/// The name in the certificate, which leads to loopback everywhere.
const TLS_HOST: &str = "localhost";
/// What the route that asks for everything is held to.
const DOCUMENT: &str = "bench.openapi.yaml";
const DOCUMENT_TEXT: &str = "\
openapi: 3.1.0
info: { title: Bench, version: '1' }
paths:
  /full:
    get:
      parameters:
        - { name: page, in: query, schema: { type: integer, minimum: 1 } }
      responses:
        '200':
          description: The items.
          content: { application/json: { schema: { type: array } } }
";
/// How long a side may take to listen.
const START: Duration = Duration::from_secs(30);

/// Where a side listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    pub(super) clear: SocketAddr,
    pub(super) tls: SocketAddr,
}

impl Addresses {
    fn free() -> anyhow::Result<Self> {
        Ok(Self {
            clear: free_address()?,
            tls: free_address()?,
        })
    }

    /// The address of `path`, over TLS or not.
    pub(super) fn url(&self, over: Over, path: &str) -> String {
        match over {
            Over::Http1 => format!("http://{}{path}", self.clear),
            Over::Https | Over::Http2 => format!("https://{TLS_HOST}:{}{path}", self.tls.port()),
        }
    }
}

/// One certificate for every side: an ECDSA key on P-256.
#[derive(Debug)]
pub(super) struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    /// Both in one file, as HAProxy wants them.
    both: PathBuf,
}

impl Certificate {
    pub(super) fn make(folder: &Path) -> anyhow::Result<Self> {
        let (clock, entropy) = (SystemClock::new(), SystemEntropy);
        let authority = net::Authority::create("bench", &clock, &entropy)?;
        let hosts = [TLS_HOST.to_owned()];
        let made = authority.issue(&hosts, net::Purpose::Server, &clock, &entropy)?;
        let paths = Self {
            chain: folder.join("chain.pem"),
            key: folder.join("key.pem"),
            both: folder.join("both.pem"),
        };
        let key = made.key.expose();
        write(&paths.chain, &made.chain)?;
        write(&paths.key, key)?;
        write(&paths.both, &format!("{}{key}", made.chain))?;
        Ok(paths)
    }
}

/// Loopback addresses nobody listens on.
pub(super) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Waits until somebody answers at `address`.
fn listening(address: SocketAddr, process: &mut Pinned, log: &Path) -> anyhow::Result<()> {
    let up = until(START, || {
        TcpStream::connect(address).is_ok() || process.alive().is_err()
    });
    if up && process.alive().is_ok() {
        return Ok(());
    }
    let said = std::fs::read_to_string(log).unwrap_or_default();
    let last: Vec<&str> = said.lines().rev().take(12).collect();
    bail!(
        "nothing listens at {address}:\n{}",
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    )
}

fn found(name: &str) -> anyhow::Result<PathBuf> {
    machine::program(name).with_context(|| format!("`{name}` is not installed"))
}

/// The answer of the backend: about 600 bytes of JSON.
fn answer() -> String {
    let item = r#"{"name":"lamp","price_cents":3900,"stock":12}"#;
    let items = [item; 12].join(",");
    format!("[{items}]")
}

/// An nginx that answers by itself: the same backend for every side.
pub(super) fn backend(folder: &Path) -> anyhow::Result<(Pinned, SocketAddr)> {
    let address = free_address()?;
    let body = answer();
    let server = format!(
        "server {{ listen {address} reuseport; keepalive_requests 1000000000; \
         location / {{ default_type application/json; return 200 '{body}'; }} }}"
    );
    let process = nginx(folder, "backend", LOAD_CORE, address, &server)?;
    Ok((process, address))
}

/// nginx as a reverse proxy.
pub(super) fn nginx_proxy(
    folder: &Path,
    certificate: &Certificate,
    backend: SocketAddr,
) -> anyhow::Result<(Pinned, Addresses)> {
    let at = Addresses::free()?;
    let (chain, key) = (certificate.chain.display(), certificate.key.display());
    let server = format!(
        "upstream backend {{ server {backend}; keepalive 64; keepalive_requests 1000000000; }}\n\
         server {{ listen {} reuseport; listen {} reuseport ssl http2; \
         ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3; \
         keepalive_requests 1000000000; location / {{ \
         proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection \"\"; \
         proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr; }} }}",
        at.clear, at.tls
    );
    let process = nginx(folder, "nginx", PROXY_CORE, at.clear, &server)?;
    Ok((process, at))
}

fn nginx(
    folder: &Path,
    name: &str,
    core: u32,
    address: SocketAddr,
    server: &str,
) -> anyhow::Result<Pinned> {
    let config = folder.join(format!("{name}.conf"));
    let log = folder.join(format!("{name}.log"));
    let place = folder.display();
    write(
        &config,
        &format!(
            "daemon off; master_process off; worker_processes 1; pid {place}/{name}.pid;\n\
             error_log {place}/{name}.error warn;\n\
             events {{ worker_connections 4096; }}\n\
             http {{ access_log off; client_body_temp_path {place}/{name}-b; \
             proxy_temp_path {place}/{name}-p; fastcgi_temp_path {place}/{name}-f; \
             uwsgi_temp_path {place}/{name}-u; scgi_temp_path {place}/{name}-s;\n{server} }}\n"
        ),
    )?;
    let config = config.display().to_string();
    let mut process = Pinned::start(core, &found("nginx")?, &["-c", &config], &log)?;
    listening(address, &mut process, &log)?;
    Ok(process)
}

/// HAProxy as a reverse proxy.
pub(super) fn haproxy(
    folder: &Path,
    certificate: &Certificate,
    backend: SocketAddr,
) -> anyhow::Result<(Pinned, Addresses)> {
    let at = Addresses::free()?;
    let both = certificate.both.display();
    let config = folder.join("haproxy.cfg");
    let log = folder.join("haproxy.log");
    write(
        &config,
        &format!(
            "global\n  nbthread 1\n  maxconn 4096\ndefaults\n  mode http\n  http-reuse always\n  \
             option forwardfor\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n\
             frontend in\n  bind {}\n  bind {} ssl crt {both} alpn h2,http/1.1\n  \
             default_backend out\nbackend out\n  server one {backend}\n",
            at.clear, at.tls
        ),
    )?;
    let config = config.display().to_string();
    let arguments = ["-db", "-f", &config];
    let mut process = Pinned::start(PROXY_CORE, &found("haproxy")?, &arguments, &log)?;
    listening(at.clear, &mut process, &log)?;
    Ok((process, at))
}

/// Rampart, with a route that asks for nothing and one that asks for everything.
#[derive(Debug)]
pub(super) struct Rampart {
    process: Pinned,
    /// Where its gateway listens.
    pub(super) at: Addresses,
    /// Its processes: supervisor, control and gateway.
    pub(super) gateway: u32,
    pub(super) control: u32,
    /// The API key of the route that asks for everything.
    pub(super) key: String,
}

impl Rampart {
    /// Starts the release binary and makes an API key.
    pub(super) fn start(
        root: &Path,
        folder: &Path,
        certificate: &Certificate,
        backend: SocketAddr,
    ) -> anyhow::Result<Self> {
        let program = build(root)?;
        let at = Addresses::free()?;
        let config = folder.join("rampart.toml");
        let data = folder.join("data");
        let log = folder.join("rampart.log");
        write(&config, &estate(at, certificate, backend))?;
        write(&folder.join(DOCUMENT), DOCUMENT_TEXT)?;
        let (config, data) = (config.display().to_string(), data.display().to_string());
        let key_file = folder.join("root.key").display().to_string();
        let arguments = [
            "serve",
            "--config",
            &config,
            "--data",
            &data,
            "--root-key",
            &key_file,
            "--workers",
            "1",
            "--log",
            "warn",
        ];
        let mut process = Pinned::start(PROXY_CORE, &program, &arguments, &log)?;
        listening(at.clear, &mut process, &log)?;
        let (gateway, control) = roles(process.id())?;
        let key = api_key(&program, &data)?;
        Ok(Self {
            process,
            at,
            gateway,
            control,
            key,
        })
    }

    /// Every process of it.
    pub(super) fn processes(&self) -> [u32; 3] {
        [self.process.id(), self.control, self.gateway]
    }
}

/// Builds the release binary; cargo knows whether there is anything to do.
pub(crate) fn build(root: &Path) -> anyhow::Result<PathBuf> {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--package", "rampart"])
        .current_dir(root)
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("the release build failed");
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/rampart"))
}

fn estate(at: Addresses, certificate: &Certificate, backend: SocketAddr) -> String {
    let (chain, key) = (certificate.chain.display(), certificate.key.display());
    format!(
        "[estate]\nname = \"bench\"\ndomain = \"bench.localhost\"\n\n\
         [listen]\nhttps = [\"{}\"]\nhttp = [\"{}\"]\nplain = true\nmetrics = \"off\"\n\n\
         [[certificate]]\nhosts = [\"{TLS_HOST}\"]\nchain = \"{chain}\"\nkey = \"{key}\"\n\n\
         [gateway]\nconnections_max = 12000\nconnections_per_address_max = 12000\n\n\
         [limits]\nper_address = \"off\"\n\n\
         [[service]]\nname = \"backend\"\naddress = \"{backend}\"\n\n\
         [[role]]\nname = \"reader\"\nallow = [\"items:read\"]\n\n\
         [[route]]\nname = \"plain\"\npath = \"/plain\"\nto = \"backend\"\nauth = \"none\"\n\n\
         [[route]]\nname = \"full\"\npath = \"/full\"\nto = \"backend\"\nopenapi = \"{DOCUMENT}\"\n\
         require = {{ GET = \"items:read\" }}\n\
         limit = [\"1000000/s per key\", \"1000000/s per address\"]\n",
        at.tls, at.clear
    )
}

/// The processes below the supervisor, by their role.
fn roles(supervisor: u32) -> anyhow::Result<(u32, u32)> {
    let running = children(supervisor)?;
    let role = |name: &str| {
        let plays = |line: &str| {
            let after = line.split("--role").nth(1).unwrap_or_default();
            after.trim_start_matches([' ', '=']).starts_with(name)
        };
        let found = running.iter().find(|(_, line)| plays(line));
        found
            .map(|(pid, _)| *pid)
            .with_context(|| format!("no process with the role `{name}`"))
    };
    Ok((role("gateway")?, role("control")?))
}

/// Invites somebody who holds the one role, enrols them, and makes a key of theirs.
fn api_key(program: &Path, data: &str) -> anyhow::Result<String> {
    let output = Command::new(program)
        .args(["people", "invite", "bench", "--role", "reader"])
        .args(["--data", data, "--format", "json"])
        .output()
        .context("cannot start rampart")?;
    if !output.status.success() {
        bail!(
            "nobody can be invited: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let invited: Value = serde_json::from_slice(&output.stdout)?;
    let link = find(&invited, "path").context("the invitation has no path")?;
    let socket = Path::new(data).join("run/control-http.sock");
    enrol::key(&socket, CONSOLE_HOST, link, "items:read")
}

/// The text named `name`, wherever it stands: the answer may be wrapped.
fn find<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    let fields = value.as_object()?;
    let here = fields.get(name).and_then(Value::as_str);
    here.or_else(|| fields.values().find_map(|value| find(value, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estate_of_the_bench_is_valid() {
        let at = Addresses {
            clear: ([127, 0, 0, 1], 8080).into(),
            tls: ([127, 0, 0, 1], 8443).into(),
        };
        let certificate = Certificate {
            chain: "chain.pem".into(),
            key: "key.pem".into(),
            both: "both.pem".into(),
        };
        let text = estate(at, &certificate, ([127, 0, 0, 1], 8081).into());
        let parsed = ::estate::Estate::parse(&text).unwrap();
        assert_eq!(parsed.estate.console.host, CONSOLE_HOST);
        assert!(parsed.estate.listen.plain);
        assert_eq!(parsed.estate.routes.len(), 2);
    }

    #[test]
    fn a_wrapped_answer_is_searched() {
        let answer = serde_json::json!({ "schema": "x", "data": { "path": "/enrol/y" } });
        assert_eq!(find(&answer, "path"), Some("/enrol/y"));
        assert_eq!(find(&answer, "link"), None);
    }
}
