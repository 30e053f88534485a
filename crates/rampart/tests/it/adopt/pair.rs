//! nginx or Caddy and Rampart side by side, before the same backends.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use http::Request;
use net::{Client, Endpoint};
use serde_json::Value;
use testkit::{Process, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Ask;
use super::sites::{Old, Site};
use crate::backend::Backend;
use crate::world::{SOON, World, program};

const NGINX: &str = "/usr/sbin/nginx";
const CADDY: &str = "/usr/bin/caddy";
/// What stands for the port that Caddy listens on.
const LISTEN: &str = ":8099";
/// A port of a configuration that nobody listens on.
const DEAD: u16 = 6666;
/// A port of a configuration where every WebSocket is agreed to.
const SOCKETS: u16 = 7777;

/// What a request is to come to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    /// The same service, path and class of status.
    Same,
    /// Something else, and the report says so with these words.
    Differs(&'static str),
}

/// What a request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    /// The backend that saw it, by its port in the configuration.
    pub(crate) port: Option<u16>,
    /// What it saw: method, target, `Host`.
    seen: Option<(String, String)>,
}

pub(crate) struct Pair {
    old_at: [SocketAddr; 2],
    world: World,
    backends: BTreeMap<u16, Backend>,
    addresses: BTreeMap<u16, SocketAddr>,
    service: fn(u16) -> u16,
    report: String,
    roots: String,
    _old: Process,
    _folder: tempfile::TempDir,
}

impl Pair {
    /// Starts both; nothing where the old program is not installed.
    pub(crate) async fn start(site: Site) -> Option<Self> {
        let program = match site.old {
            Old::Nginx => NGINX,
            Old::Caddy => CADDY,
        };
        if !Path::new(program).exists() {
            crate::skipped(&format!("{program} is not installed"));
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let old_at: [SocketAddr; 2] = testkit::free_addresses().unwrap();
        let (mut backends, mut addresses) = (BTreeMap::new(), BTreeMap::new());
        let named = site.files.iter().flat_map(|(_, text)| ports(text));
        for port in named.collect::<BTreeSet<u16>>() {
            let address = match port {
                DEAD => testkit::free_addresses::<1>().unwrap()[0],
                SOCKETS => agreeing().await,
                _ => {
                    let (backend, address) = Backend::start().await;
                    backends.insert(port, backend);
                    address
                }
            };
            addresses.insert(port, address);
        }
        for (at, (name, text)) in site.files.iter().enumerate() {
            let mut text = settled(text, &site, &addresses, old_at);
            if at == 0 && site.old == Old::Nginx {
                text = runnable(&text, folder.path());
            }
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            store::atomic_write(&path, text.as_bytes(), 0o600).unwrap();
        }
        let roots = certificates(folder.path());
        let first = folder.path().join(site.files[0].0);
        let old = start_old(program, folder.path(), &first, old_at[0]).await;
        let (mut world, report) = adopted(&first, old_at);
        world.serve().await;
        Some(Self {
            old_at,
            world,
            backends,
            addresses,
            service: site.service,
            report,
            roots,
            _old: old,
            _folder: folder,
        })
    }

    /// Asks both and compares.
    pub(crate) async fn ask(&mut self, ask: Ask, wanted: Wanted) {
        let (nginx, rampart) = self.both(ask).await;
        self.compare(ask, wanted, &nginx, &rampart);
    }

    /// The same over TLS.
    pub(crate) async fn ask_over_tls(&mut self, ask: Ask, wanted: Wanted) {
        let mut outcomes = Vec::new();
        for at in [self.old_at[1], self.world.https] {
            let before = self.counts();
            let status = over_tls(at, ask, &self.roots).await;
            outcomes.push(self.outcome(status, &before));
        }
        self.compare(ask, wanted, &outcomes[0], &outcomes[1]);
    }

    /// Asks both for a WebSocket: whether they agreed.
    pub(crate) async fn sockets(&self, host: &str, target: &str) -> [bool; 2] {
        let mut agreed = [false; 2];
        for (at, agreed) in [self.old_at[0], self.world.plain]
            .into_iter()
            .zip(&mut agreed)
        {
            let mut stream = TcpStream::connect(at).await.unwrap();
            let request = format!(
                "GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                 sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = [0; 13];
            stream.read_exact(&mut answer).await.unwrap();
            *agreed = answer == *b"HTTP/1.1 101 ";
        }
        agreed
    }

    /// Asks both, nginx first.
    pub(crate) async fn both(&self, ask: Ask) -> (Outcome, Outcome) {
        let mut outcomes = Vec::new();
        for at in [self.old_at[0], self.world.plain] {
            let before = self.counts();
            let status = send(at, ask).await;
            outcomes.push(self.outcome(status, &before));
        }
        let rampart = outcomes.pop().unwrap();
        (outcomes.pop().unwrap(), rampart)
    }

    fn compare(&self, ask: Ask, wanted: Wanted, nginx: &Outcome, rampart: &Outcome) {
        let plain = |outcome: &Outcome| {
            let host = |host: &str| {
                // An address of its own is the address that was asked, whichever that is.
                let own = self.addresses.values().any(|at| at.to_string() == host);
                if own {
                    "its own".to_owned()
                } else {
                    host.to_owned()
                }
            };
            let seen = outcome.seen.as_ref();
            (
                outcome.status / 100,
                outcome.port.map(self.service),
                seen.map(|(line, name)| (line.clone(), host(name))),
            )
        };
        let same = plain(nginx) == plain(rampart);
        let told = format!("{ask:?}\nold     {nginx:?}\nrampart {rampart:?}\n");
        match wanted {
            Wanted::Same => assert!(same, "{told}{}", self.world.log()),
            Wanted::Differs(words) => {
                assert!(!same, "they are the same after all: {told}");
                assert!(
                    self.report.contains(words),
                    "this was not said: {words}\n{told}{}",
                    self.report
                );
            }
        }
    }

    fn counts(&self) -> BTreeMap<u16, usize> {
        let count = |(port, backend): (&u16, &Backend)| (*port, backend.seen().len());
        self.backends.iter().map(count).collect()
    }

    fn outcome(&self, status: u16, before: &BTreeMap<u16, usize>) -> Outcome {
        let mut outcome = Outcome {
            status,
            port: None,
            seen: None,
        };
        for (port, backend) in &self.backends {
            // nginx asks the service of `auth_request` first: the last one counts.
            if let Some(seen) = backend.seen().get(before[port]..).and_then(<[_]>::last) {
                outcome.port = Some(*port);
                outcome.seen = Some((seen.line.clone(), seen.header("host").to_owned()));
            }
        }
        outcome
    }
}

/// A service that agrees to every handshake with the nonce of RFC 6455 §1.3, and then waits.
async fn agreeing() -> SocketAddr {
    const ANSWER: &[u8] =
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else {
                        return;
                    };
                    head.push(byte.to_ascii_lowercase());
                }
                let asks = String::from_utf8_lossy(&head).contains("upgrade: websocket");
                let answer = if asks {
                    ANSWER
                } else {
                    b"HTTP/1.1 400 No\r\n\r\n"
                };
                drop(stream.write_all(answer).await);
                drop(stream.read_u8().await);
            });
        }
    });
    address
}

/// Ports of addresses on this machine that a text names.
fn ports(text: &str) -> Vec<u16> {
    let mut ports = Vec::new();
    for mark in ["127.0.0.1:", "localhost:"] {
        for rest in text.split(mark).skip(1) {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            ports.extend(digits.parse::<u16>());
        }
    }
    ports
}

/// The text with this test's addresses, and without what cannot run here.
fn settled(
    text: &str,
    site: &Site,
    addresses: &BTreeMap<u16, SocketAddr>,
    listen: [SocketAddr; 2],
) -> String {
    let mut text = text.to_owned();
    if let Some(until) = site.until {
        text.truncate(text.find(until).unwrap());
        text.push('\n');
    }
    for (old, new) in site.instead {
        text = text.replace(old, new);
    }
    let lines = text.lines();
    let kept: Vec<&str> = lines
        .filter(|line| !site.without.iter().any(|word| line.contains(word)))
        .collect();
    text = kept.join("\n") + "\n";
    for mark in ["127.0.0.1:", "localhost:"] {
        let mut parts = text.split(mark);
        let mut out = parts.next().unwrap().to_owned();
        for rest in parts {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (port, rest) = rest.split_at(digits);
            match port.parse().ok().and_then(|port: u16| addresses.get(&port)) {
                Some(address) => out.push_str(&address.to_string()),
                None => out.push_str(&format!("{mark}{port}")),
            }
            out.push_str(rest);
        }
        text = out;
    }
    if site.old == Old::Caddy {
        let options = "{\n\tadmin off\n\tauto_https off\n}\n";
        return format!("{options}{text}").replace(LISTEN, &format!(":{}", listen[0].port()));
    }
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("listen ") {
        let (words, after) = after.split_once(';').unwrap();
        let mut words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let tls = words.iter().any(|word| word == "ssl");
        words[0] = listen[usize::from(tls)].to_string();
        out.push_str(&format!("{before}listen {};", words.join(" ")));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The configuration with what nginx needs to run in a folder of its own.
fn runnable(text: &str, folder: &Path) -> String {
    let folder = folder.display();
    let own = text.lines().any(|line| line.starts_with("events"));
    let events = if own { "" } else { "events {}\n" };
    let main = format!(
        "daemon off; master_process off; worker_processes 1; error_log {folder}/error.log info;\n\
         pid {folder}/nginx.pid;\n{events}"
    );
    let paths = format!(
        "access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n\
         fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
    );
    if text.contains("http {") {
        main + &text.replace("http {", &format!("http {{\n{paths}"))
    } else {
        format!("{main}http {{\n{paths}{text}\n}}\n")
    }
}

/// Certificates of the hosts of tests; the text of both, which clients believe.
fn certificates(folder: &Path) -> String {
    let mut roots = String::new();
    for host in ["one.example", "two.example", "shop.example"] {
        let made = rcgen::generate_simple_self_signed(vec![host.to_owned()]).unwrap();
        let write = |ending: &str, text: &str| {
            let path = folder.join(format!("{host}.{ending}"));
            store::atomic_write(&path, text.as_bytes(), 0o600).unwrap();
        };
        write("pem", &made.cert.pem());
        write("key", &made.signing_key.serialize_pem());
        roots.push_str(&made.cert.pem());
    }
    roots
}

async fn start_old(program: &str, folder: &Path, config: &Path, at: SocketAddr) -> Process {
    let log = folder.join("log");
    let (folder, config) = (folder.to_str().unwrap(), config.to_str().unwrap());
    let arguments = match program {
        NGINX => vec!["-p", folder, "-c", config],
        _ => vec!["run", "--config", config, "--adapter", "caddyfile"],
    };
    let old = Process::start(Path::new(program), &arguments, &log).unwrap();
    let up = || async { TcpStream::connect(at).await.is_ok() };
    assert!(eventually(SOON, up).await, "{}", old.output());
    old
}

/// A world with the estate that the program itself drafts, on addresses of its own; and its report.
fn adopted(config: &Path, old_at: [SocketAddr; 2]) -> (World, String) {
    let world = World::new();
    let output = std::process::Command::new(program())
        .args(["init", "--format", "json", "--from"])
        .arg(config)
        .arg(world.config())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["schema"], "rampart.init.v1");
    let text = std::fs::read_to_string(world.config()).unwrap();
    let text = text
        .replace(&old_at[0].to_string(), &world.plain.to_string())
        .replace(&old_at[1].to_string(), &world.https.to_string())
        .replace(
            &format!("0.0.0.0:{}", old_at[0].port()),
            &world.plain.to_string(),
        )
        .replace("[listen]\n", "[listen]\nmetrics = \"off\"\n");
    store::atomic_write(&world.config(), text.as_bytes(), 0o644).unwrap();
    (world, report.to_string())
}

async fn send(at: SocketAddr, ask: Ask) -> u16 {
    let client = Client::new(Endpoint::Tcp(at));
    let mut request = Request::builder()
        .method(ask.method)
        .uri(ask.target)
        .header("host", ask.host);
    if let Some((name, value)) = ask.header {
        request = request.header(name, value);
    }
    let body = Bytes::from(vec![b'x'; ask.body_bytes]);
    match client.send(request.body(body).unwrap()).await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            drop(answer.bytes().await);
            status
        }
        // A body that is refused while it is still sent may end the connection first.
        Err(_) if ask.body_bytes > 1 << 20 => 413,
        Err(error) => panic!("{ask:?}: {error}"),
    }
}

async fn over_tls(at: SocketAddr, ask: Ask, roots: &str) -> u16 {
    let config = net::tls::client_config(&net::tls::Roots::Pem(roots.to_owned())).unwrap();
    let name = rustls::pki_types::ServerName::try_from(ask.host).unwrap();
    let connector = tokio_rustls::TlsConnector::from(config);
    let stream = TcpStream::connect(at).await.unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    let request = format!(
        "{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
        ask.method, ask.target, ask.host
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    let text = String::from_utf8_lossy(&answer);
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no answer: {text}"))
}
