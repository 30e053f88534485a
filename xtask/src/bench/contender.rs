//! The sides of the gateway's bench, each a plain reverse proxy with one worker, nothing logged
//! that its users could leave out, and connections to the backend kept open.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::process::{Pinned, children, until};
use super::{enrol, machine};
use crate::generate::write;

/// The core of whoever is measured.
pub(super) const PROXY_CORE: u32 = 0;
/// The core of load and backend.
pub(super) const LOAD_CORE: u32 = 1;
/// Where the bench's console is.
const CONSOLE_HOST: &str = "rampart.bench.localhost";
/// How long a side may take to listen.
const START: Duration = Duration::from_secs(30);

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
    backend: SocketAddr,
) -> anyhow::Result<(Pinned, SocketAddr)> {
    let address = free_address()?;
    let server = format!(
        "upstream backend {{ server {backend}; keepalive 64; keepalive_requests 1000000000; }}\n\
         server {{ listen {address} reuseport; keepalive_requests 1000000000; location / {{ \
         proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection \"\"; \
         proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr; }} }}"
    );
    let process = nginx(folder, "nginx", PROXY_CORE, address, &server)?;
    Ok((process, address))
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
pub(super) fn haproxy(folder: &Path, backend: SocketAddr) -> anyhow::Result<(Pinned, SocketAddr)> {
    let address = free_address()?;
    let config = folder.join("haproxy.cfg");
    let log = folder.join("haproxy.log");
    write(
        &config,
        &format!(
            "global\n  nbthread 1\n  maxconn 4096\ndefaults\n  mode http\n  http-reuse always\n  \
             option forwardfor\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n\
             frontend in\n  bind {address}\n  default_backend out\n\
             backend out\n  server one {backend}\n"
        ),
    )?;
    let config = config.display().to_string();
    let arguments = ["-db", "-f", &config];
    let mut process = Pinned::start(PROXY_CORE, &found("haproxy")?, &arguments, &log)?;
    listening(address, &mut process, &log)?;
    Ok((process, address))
}

/// Rampart, with a route that asks for nothing and one that asks for everything.
#[derive(Debug)]
pub(super) struct Rampart {
    process: Pinned,
    /// Where its gateway listens.
    pub(super) address: SocketAddr,
    /// Its processes: supervisor, control and gateway.
    pub(super) gateway: u32,
    pub(super) control: u32,
    /// The API key of the route that asks for everything.
    pub(super) key: String,
}

impl Rampart {
    /// Starts the release binary and makes an API key.
    pub(super) fn start(root: &Path, folder: &Path, backend: SocketAddr) -> anyhow::Result<Self> {
        let program = build(root)?;
        let address = free_address()?;
        let config = folder.join("rampart.toml");
        let data = folder.join("data");
        let log = folder.join("rampart.log");
        write(&config, &estate(address, backend))?;
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
        listening(address, &mut process, &log)?;
        let (gateway, control) = roles(process.id())?;
        let key = api_key(&program, &data)?;
        Ok(Self {
            process,
            address,
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
fn build(root: &Path) -> anyhow::Result<PathBuf> {
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

fn estate(address: SocketAddr, backend: SocketAddr) -> String {
    format!(
        "[estate]\nname = \"bench\"\ndomain = \"bench.localhost\"\n\n\
         [listen]\nhttps = []\nhttp = [\"{address}\"]\nplain = true\nmetrics = \"off\"\n\n\
         [gateway]\nconnections_max = 12000\nconnections_per_address_max = 12000\n\n\
         [limits]\nper_address = \"off\"\n\n\
         [[service]]\nname = \"backend\"\naddress = \"{backend}\"\n\n\
         [[role]]\nname = \"reader\"\nallow = [\"items:read\"]\n\n\
         [[route]]\nname = \"plain\"\npath = \"/plain\"\nto = \"backend\"\nauth = \"none\"\n\n\
         [[route]]\nname = \"full\"\npath = \"/full\"\nto = \"backend\"\n\
         require = {{ GET = \"items:read\" }}\n\
         limit = [\"1000000/s per key\", \"1000000/s per address\"]\n"
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
        let text = estate(([127, 0, 0, 1], 8080).into(), ([127, 0, 0, 1], 8081).into());
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
