//! The peers of the gateway's benches, each a reverse proxy with one worker, nothing logged that its
//! users could leave out, and connections to the backend kept open; and the backend.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use model::{SystemClock, SystemEntropy};

use super::machine;
use super::process::{Pinned, until};
use super::side::Over;
use crate::generate::write;

/// The core of whoever is measured.
pub(super) const PROXY_CORE: u32 = 0;
/// The core of load and backend.
pub(super) const LOAD_CORE: u32 = 1;
/// The name in the certificate, which leads to loopback everywhere.
pub(super) const TLS_HOST: &str = "localhost";
/// How long a side may take to listen.
const START: Duration = Duration::from_secs(30);

/// Where a side listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    pub(super) clear: SocketAddr,
    pub(super) tls: SocketAddr,
}

impl Addresses {
    pub(super) fn free() -> anyhow::Result<Self> {
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
    pub(super) chain: PathBuf,
    pub(super) key: PathBuf,
    /// Both in one file, as HAProxy wants them.
    pub(super) both: PathBuf,
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
pub(super) fn listening(
    address: SocketAddr,
    process: &mut Pinned,
    log: &Path,
) -> anyhow::Result<()> {
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
    let backend = Nginx {
        name: "backend",
        core: LOAD_CORE,
        before: "",
        level: "warn",
        server: &server,
    };
    Ok((backend.start(folder, address)?, address))
}

/// What every nginx that stands before the backend has in its only location.
pub(super) const PROXY_PASS: &str = "proxy_pass http://backend; proxy_http_version 1.1; \
    proxy_set_header Connection \"\"; proxy_set_header Host $http_host; \
    proxy_set_header X-Forwarded-For $remote_addr;";

/// The backend as such an nginx names it.
pub(super) fn upstream(backend: SocketAddr) -> String {
    format!(
        "upstream backend {{ server {backend}; keepalive 64; keepalive_requests 1000000000; }}\n"
    )
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
        "{}server {{ listen {} reuseport; listen {} reuseport ssl http2; \
         ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3; \
         keepalive_requests 1000000000; location / {{ {PROXY_PASS} }} }}",
        upstream(backend),
        at.clear,
        at.tls
    );
    let nginx = Nginx {
        name: "nginx",
        core: PROXY_CORE,
        before: "",
        level: "warn",
        server: &server,
    };
    Ok((nginx.start(folder, at.clear)?, at))
}

/// One nginx, with one process.
#[derive(Debug)]
pub(super) struct Nginx<'a> {
    pub(super) name: &'a str,
    pub(super) core: u32,
    /// What stands before everything: modules.
    pub(super) before: &'a str,
    /// From where on errors are told.
    pub(super) level: &'a str,
    pub(super) server: &'a str,
}

impl Nginx<'_> {
    /// Starts it, and waits until it listens at `address`.
    pub(super) fn start(&self, folder: &Path, address: SocketAddr) -> anyhow::Result<Pinned> {
        let Self { name, level, .. } = self;
        let config = folder.join(format!("{name}.conf"));
        let log = self.log(folder);
        let place = folder.display();
        write(
            &config,
            &format!(
                "{}\ndaemon off; master_process off; worker_processes 1; pid {place}/{name}.pid;\n\
                 error_log {place}/{name}.error {level};\n\
                 events {{ worker_connections 4096; }}\n\
                 http {{ access_log off; client_body_temp_path {place}/{name}-b; \
                 proxy_temp_path {place}/{name}-p; fastcgi_temp_path {place}/{name}-f; \
                 uwsgi_temp_path {place}/{name}-u; scgi_temp_path {place}/{name}-s;\n{} }}\n",
                self.before, self.server
            ),
        )?;
        let config = config.display().to_string();
        let mut process = Pinned::start(self.core, &found("nginx")?, &["-c", &config], &log)?;
        listening(address, &mut process, &log)?;
        Ok(process)
    }

    /// What it says while it starts.
    pub(super) fn log(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.log", self.name))
    }
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
