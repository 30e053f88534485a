//! Servers of others that note every request they see: nginx, node, gunicorn, uvicorn with h11,
//! and aiohttp, each as lenient as it can be made.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::{Process, eventually};

use crate::real_backends::program;
use crate::world::SOON;

/// Everything one server noted.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// Requests, in its order.
    pub(super) seen: Vec<Seen>,
    /// What it refused before it was a request to it.
    pub(super) rejected: Vec<Rejected>,
}

/// What a server says of what it refused to read.
#[derive(Debug)]
pub(super) enum Rejected {
    /// Nothing.
    Something,
    /// Its method and target.
    Line(String, String),
    /// The id that the gateway gave it.
    Id(String),
}

/// A running server of somebody else; dropping it ends it.
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) address: SocketAddr,
    process: Process,
    log: PathBuf,
}

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) length: u64,
    pub(super) whole: bool,
    pub(super) sha256: String,
}

impl Seen {
    /// Every value of a field.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let named = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        let found = self.headers.iter().filter(named);
        found.map(|(_, value)| value.as_str()).collect()
    }
}

const NAMES: [&str; 5] = ["nginx", "node", "gunicorn", "uvicorn", "aiohttp"];

/// Starts all of them; nothing when they are not to be used.
pub(super) async fn start(folder: &Path) -> Option<Vec<Server>> {
    program("sh")?;
    let addresses = testkit::free_addresses::<5>().unwrap();
    let mut all = Vec::new();
    for (name, address) in NAMES.into_iter().zip(addresses) {
        all.push(Server::start(name, address, folder).await);
    }
    Some(all)
}

fn script(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/smuggling/backends");
    folder.join(name).to_str().unwrap().to_owned()
}

impl Server {
    async fn start(name: &'static str, address: SocketAddr, folder: &Path) -> Self {
        let log = folder.join(format!("{name}.seen"));
        store::atomic_write(&log, b"", 0o644).unwrap();
        let (port, bind) = (address.port().to_string(), address.to_string());
        let seen = format!("SEEN_LOG={}", log.display());
        let home = format!("HOME={}", folder.display());
        let scripts = Path::new(&script("")).to_str().unwrap().to_owned();
        let python = program("python3").unwrap();
        let under_python = |rest: &[&str]| -> (String, Vec<String>) {
            let mut words = vec![seen.as_str(), home.as_str(), python.as_str()];
            words.extend(rest);
            let words = words.into_iter().map(str::to_owned).collect();
            (program("env").unwrap(), words)
        };
        let (command, words) = match name {
            "nginx" => (nginx_program(), nginx(address, &log, folder)),
            "node" => {
                let words = vec![script("node.cjs"), port, log.display().to_string()];
                (program("node").unwrap(), words)
            }
            "gunicorn" => under_python(&[
                "-m",
                "gunicorn",
                "--chdir",
                &scripts,
                "--bind",
                &bind,
                "--workers",
                "1",
                "--threads",
                "2",
                "--keep-alive",
                "600",
                "seen_wsgi:app",
            ]),
            "uvicorn" => under_python(&[
                "-m",
                "uvicorn",
                "--app-dir",
                &scripts,
                "--port",
                &port,
                "--http",
                "h11",
                "--ws",
                "none",
                "--lifespan",
                "off",
                "--timeout-keep-alive",
                "600",
                "--log-level",
                "warning",
                "seen_asgi:app",
            ]),
            _ => under_python(&[&script("seen_aiohttp.py"), &port]),
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let said = folder.join(format!("{name}.log"));
        let process = Process::start(Path::new(&command), &words, &said).unwrap();
        let up = || async { tokio::net::TcpStream::connect(address).await.is_ok() };
        assert!(eventually(SOON, up).await, "{name}: {}", process.output());
        Self {
            name,
            address,
            process,
            log,
        }
    }

    /// Everything it noted so far.
    pub(super) fn noted(&self) -> Noted {
        let text = std::fs::read(&self.log).unwrap();
        let mut noted = Noted::default();
        for line in text.split(|byte| *byte == b'\n') {
            if line.is_empty() {
            } else if self.name == "nginx" {
                of_nginx(line, &mut noted);
            } else {
                of_json(line, &mut noted);
            }
        }
        noted
    }

    /// What it wrote besides.
    pub(super) fn said(&self) -> String {
        self.process.output()
    }
}

fn of_json(line: &[u8], noted: &mut Noted) {
    let line: Value = serde_json::from_slice(line).unwrap();
    let text = |name: &str| line[name].as_str().unwrap_or("").to_owned();
    let Some(headers) = line["headers"].as_array() else {
        // A connection that breaks is nothing that was read.
        if line["rejected"] != "ECONNRESET" {
            let id = line["id"].as_str().map(|id| Rejected::Id(id.to_owned()));
            noted.rejected.push(id.unwrap_or(Rejected::Something));
        }
        return;
    };
    let header = |pair: &Value| {
        let part = |at: usize| pair[at].as_str().unwrap_or("").to_owned();
        (part(0), part(1))
    };
    noted.seen.push(Seen {
        method: text("method"),
        target: text("target"),
        headers: headers.iter().map(header).collect(),
        length: line["length"].as_u64().unwrap(),
        whole: line["whole"] == true,
        sha256: text("sha256"),
    });
}

fn nginx_program() -> String {
    let usual = "/usr/sbin/nginx";
    if Path::new(usual).exists() {
        return usual.to_owned();
    }
    program("nginx").unwrap()
}

/// The fields nginx is asked to write, besides request line, status and body.
const NGINX_FIELDS: [&str; 9] = [
    "x-request-id",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "x-forwarded-for",
    "x-forwarded-proto",
    "upgrade",
    "rampart-assertion",
];

/// nginx notes the body only of what it passes on: to a second server of its own.
fn nginx(address: SocketAddr, log: &Path, folder: &Path) -> Vec<String> {
    let inner = folder.join("nginx.inner");
    let fields: String = NGINX_FIELDS
        .iter()
        .map(|name| format!("\\t$http_{}", name.replace('-', "_")))
        .collect();
    let (place, log, inner) = (folder.display(), log.display(), inner.display());
    let config = format!(
        "daemon off; master_process off; worker_processes 1; pid {place}/nginx.pid;\n\
         error_log {place}/nginx.error info;\n\
         events {{ worker_connections 512; }}\n\
         http {{ client_body_temp_path {place}/n-b; proxy_temp_path {place}/n-p; \
         fastcgi_temp_path {place}/n-f; uwsgi_temp_path {place}/n-u; scgi_temp_path {place}/n-s;\n\
         log_format seen '$status\\t$request\\t$request_body{fields}';\n\
         ignore_invalid_headers off; underscores_in_headers on; merge_slashes off;\n\
         keepalive_timeout 600s; keepalive_requests 1000000; client_body_buffer_size 1m;\n\
         client_max_body_size 0; client_body_in_single_buffer on;\n\
         server {{ listen {address}; access_log {log} seen;\n\
         location / {{ proxy_pass http://unix:{inner}; }} }}\n\
         server {{ listen unix:{inner}; access_log off; return 200 'seen\\n'; }} }}\n"
    );
    let path = folder.join("nginx.conf");
    store::atomic_write(&path, config.as_bytes(), 0o644).unwrap();
    let path = path.display().to_string();
    // Before the configuration is read, nginx would write to the machine's own log.
    let early = format!("{place}/nginx.early");
    vec!["-e".to_owned(), early, "-c".to_owned(), path]
}

fn of_nginx(line: &[u8], noted: &mut Noted) {
    let parts: Vec<Vec<u8>> = line.split(|byte| *byte == b'\t').map(unescape).collect();
    let text = |at: usize| String::from_utf8_lossy(&parts[at]).into_owned();
    let line = text(1);
    let mut words = line.split(' ');
    let mut word = || words.next().unwrap_or("").to_owned();
    let (method, target) = (word(), word());
    let (status, id) = (text(0), text(3));
    if status.starts_with('4') && id == "-" {
        // Refused by its request line: the fields were never looked at.
        noted.rejected.push(Rejected::Line(method, target));
        return;
    }
    let named = NGINX_FIELDS.iter().enumerate();
    let headers = named
        .map(|(at, name)| ((*name).to_owned(), text(at + 3)))
        .filter(|(_, value)| value != "-" && !value.is_empty())
        .collect();
    let body = if parts[2] == b"-" { &[][..] } else { &parts[2] };
    noted.seen.push(Seen {
        method,
        target,
        headers,
        length: u64::try_from(body.len()).unwrap(),
        whole: status == "200",
        sha256: super::sha256(body),
    });
}

/// `\xHH` is how nginx writes what could end a line, a column or a quotation.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == b'\\'
            && let Some(([b'x', high, low], after)) = after.split_first_chunk::<3>()
        {
            let digits = [*high, *low];
            let digits = std::str::from_utf8(&digits).unwrap();
            out.push(u8::from_str_radix(digits, 16).unwrap());
            rest = after;
            continue;
        }
        out.push(*byte);
    }
    out
}
