//! Certificates from files, names, and what other programs' TLS sees.

use std::process::Stdio;

use model::{SystemClock, SystemEntropy};
use net::{Authority, Certificate, Purpose};
use testkit::eventually;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::backend::Backend;
use crate::tls::Talk;
use crate::world::{OPEN, SOON, World};

const FILES: &str = "
[[certificate]]
hosts = [\"app.localhost\"]
chain = \"app.pem\"
key = \"app.key\"
";

struct Given {
    world: World,
    authority: Authority,
    _backend: Backend,
}

impl Given {
    /// A world whose one public host has a certificate in files.
    async fn start(more: &str) -> Self {
        let (backend, service) = Backend::start().await;
        let clock = SystemClock::new();
        let authority = Authority::create("company", &clock, &SystemEntropy).unwrap();
        let mut given = Self {
            world: World::new(),
            authority,
            _backend: backend,
        };
        given.renew();
        let estate = format!("{more}{FILES}{OPEN}");
        given.world.write_estate(service, &estate);
        given.world.serve().await;
        given
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.world.folder().join(name);
        store::atomic_write(&path, text.as_bytes(), 0o600).unwrap();
    }

    fn renew(&self) -> Certificate {
        let hosts = ["app.localhost".to_owned()];
        let clock = SystemClock::new();
        let made = self
            .authority
            .issue(&hosts, Purpose::Server, &clock, &SystemEntropy);
        let made = made.unwrap();
        self.write(
            "app.pem",
            &format!("{}{}", made.chain, self.authority.certificate()),
        );
        self.write("app.key", made.key.expose());
        made
    }

    async fn connect(&self, name: &str) -> Result<Talk, String> {
        Talk::connect(self.world.https, self.authority.certificate(), name).await
    }

    async fn recorded(&self, kind: &str) -> bool {
        eventually(SOON, || async {
            let path = format!("/trail?kind={kind}&limit=5");
            let page = self.world.ask(http::Method::GET, &path, None).await;
            page.is_ok_and(|page| !page["records"].as_array().unwrap().is_empty())
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_that_changes_is_served_without_a_restart_and_a_bad_one_is_not() {
    let given = Given::start("").await;
    let mut talk = given.connect("app.localhost").await.unwrap();
    let first = talk.leaf();
    given.renew();
    let shown = || async {
        let fresh = given.connect("app.localhost").await;
        fresh.is_ok_and(|fresh| fresh.leaf() != first)
    };
    assert!(eventually(SOON, shown).await, "{}", given.world.log());
    assert!(
        talk.ask("app.localhost", "/ok")
            .await
            .starts_with("HTTP/1.1 200")
    );
    assert!(given.recorded("gateway.certificate.replaced").await);
    let second = given.connect("app.localhost").await.unwrap().leaf();
    given.write("app.pem", "nothing of use");
    assert!(given.recorded("gateway.certificate.refused").await);
    assert!(given.connect("app.localhost").await.unwrap().leaf() == second);
    let (_, out, _) = given.world.cli(&["certificates", "list"]);
    assert!(out.contains("holds no certificate"), "{out}");
    let (code, out, err) = given.world.cli(&["check"]);
    assert_ne!(code, 0, "{out}{err}");
    assert!(
        err.contains("app.pem") && err.contains("holds no certificate"),
        "{err}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_serves_the_names_of_its_certificate_and_sends_others_back() {
    let given = Given::start("").await;
    let mut talk = given.connect("app.localhost").await.unwrap();
    assert_eq!(talk.group(), rustls::NamedGroup::X25519MLKEM768);
    assert!(
        talk.ask("app.localhost", "/ok")
            .await
            .starts_with("HTTP/1.1 200")
    );
    for host in ["rampart.localhost", "other.localhost"] {
        let answer = talk.ask(host, "/").await;
        assert!(answer.starts_with("HTTP/1.1 421"), "{host}: {answer}");
    }
    assert!(given.world.in_trail("route.other_certificate").await);
    assert!(
        talk.ask("APP.localhost:8443", "/ok")
            .await
            .starts_with("HTTP/1.1 200")
    );
}

/// The first bytes a server answers to a client that names `name`, if any.
async fn first_words(world: &World, name: &str) -> Vec<u8> {
    let config = net::tls::client_config(&net::tls::Roots::Pem(
        std::fs::read_to_string(world.data().join("tls/ca.pem")).unwrap(),
    ));
    let name = rustls::pki_types::ServerName::try_from(name.to_owned()).unwrap();
    let mut client = rustls::ClientConnection::new(config.unwrap(), name).unwrap();
    let mut hello = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut hello).unwrap();
    }
    let mut stream = tokio::net::TcpStream::connect(world.https).await.unwrap();
    stream.write_all(&hello).await.unwrap();
    let mut words = vec![0; 7];
    let read = stream.read(&mut words).await.unwrap();
    words.truncate(read);
    words
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn name_without_a_certificate_is_refused_with_the_word_for_it() {
    let given = Given::start("").await;
    // A fatal alert: unrecognized_name (RFC 6066 §3).
    let alert = [21, 3, 3, 0, 2, 2, 112];
    assert_eq!(first_words(&given.world, "nowhere.localhost").await, alert);
    assert_eq!(first_words(&given.world, "app.localhost").await[0], 22);
    assert!(given.world.in_trail("tls.unknown_name").await);
}

/// What a program says about the gateway; nothing when it is not installed.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = std::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    let Ok(output) = output else {
        crate::skipped(&format!("{program} is not installed"));
        return None;
    };
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(out + &String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openssl_agrees_on_modern_tls_and_on_nothing_older() {
    let given = Given::start("").await;
    given.write("company.pem", given.authority.certificate());
    let authority = given.world.folder().join("company.pem");
    let at = given.world.https.to_string();
    let ask = |more: &[&str]| {
        let mut all = vec!["s_client", "-connect", &at, "-servername", "app.localhost"];
        all.extend([
            "-verify_return_error",
            "-CAfile",
            authority.to_str().unwrap(),
        ]);
        all.extend(more);
        said("openssl", &all)
    };
    let Some(modern) = ask(&["-alpn", "http/1.1,h2"]) else {
        return;
    };
    assert!(modern.contains("TLSv1.3"), "{modern}");
    assert!(
        modern.contains("ALPN protocol: h2"),
        "ours is preferred: {modern}"
    );
    assert!(modern.contains("Verify return code: 0 (ok)"), "{modern}");
    let older = ask(&["-tls1_2"]).unwrap();
    assert!(
        older.contains("ECDHE-ECDSA") && older.contains("GCM"),
        "{older}"
    );
    for refused in [
        &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"][..],
        &["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "AES128-SHA:AES256-GCM-SHA384"],
        &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"],
    ] {
        let answer = ask(refused).unwrap();
        assert!(answer.contains("Cipher is (NONE)"), "{refused:?}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_verifies_the_name_and_resumes_a_session() {
    const SCRIPT: &str = r"
import socket, ssl, sys
port, authority = int(sys.argv[1]), sys.argv[2]
context = ssl.create_default_context(cafile=authority)
context.maximum_version = ssl.TLSVersion.TLSv1_2
session = None
for turn in range(2):
    with socket.create_connection(('127.0.0.1', port)) as raw:
        with context.wrap_socket(raw, server_hostname='app.localhost', session=session) as tls:
            tls.sendall(b'GET /ok HTTP/1.1\r\nhost: app.localhost\r\nconnection: close\r\n\r\n')
            print(tls.recv(12), tls.version(), tls.session_reused)
            session = tls.session
";
    let given = Given::start("").await;
    given.write("company.pem", given.authority.certificate());
    let authority = given.world.folder().join("company.pem");
    let port = given.world.https.port().to_string();
    let arguments = ["-c", SCRIPT, &port, authority.to_str().unwrap()];
    let Some(answer) = said("python3", &arguments) else {
        return;
    };
    let lines: Vec<&str> = answer.lines().collect();
    assert_eq!(
        lines,
        [
            "b'HTTP/1.1 200' TLSv1.2 False",
            "b'HTTP/1.1 200' TLSv1.2 True"
        ]
    );
}
