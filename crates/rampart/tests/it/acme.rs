//! Certificates of an authority that issues by itself: Pebble, the test server of the authors of
//! RFC 8555, validates at the gateway's own listeners.

use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use http::{Method, Request};
use model::{SystemClock, SystemEntropy};
use net::tls::Roots;
use net::{Authority, HttpsClient, Purpose};
use serde_json::{Value, json};
use testkit::{Process, eventually};

use crate::backend::Backend;
use crate::tls::Talk;
use crate::world::{OPEN, SOON, World};

/// A running Pebble and the name server it asks.
struct Pebble {
    address: SocketAddr,
    management: SocketAddr,
    /// Who issued the certificate of the directory itself.
    authority: Authority,
    server: Option<Process>,
    _names: Process,
}

/// Where Pebble looks for the answers to its challenges, and for how long it issues.
struct Validates {
    http: u16,
    tls: u16,
    valid_s: u64,
}

/// Writes a file; its path.
fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    store::atomic_write(&path, text.as_bytes(), 0o600).unwrap();
    path.to_str().unwrap().to_owned()
}

impl Pebble {
    /// Starts one in the folder of `world`; nothing when it is not installed.
    async fn start(world: &World, at: Validates) -> Option<Self> {
        let installed = |name: &str| Path::new("/usr/bin").join(name).exists();
        if !installed("pebble") || !installed("pebble-challtestsrv") {
            crate::skipped("pebble is not installed");
            return None;
        }
        let [address, management, names, names_management] = testkit::free_addresses().unwrap();
        let (clock, entropy) = (SystemClock::new(), SystemEntropy);
        let authority = Authority::create("directory", &clock, &entropy).unwrap();
        let hosts = ["127.0.0.1".to_owned()];
        let own = authority.issue(&hosts, Purpose::Server, &clock, &entropy);
        let own = own.unwrap();
        let folder = world.folder();
        write(folder, "directory-ca.pem", authority.certificate());
        let config = json!({ "pebble": {
            "listenAddress": address.to_string(),
            "managementListenAddress": management.to_string(),
            "certificate": write(folder, "pebble.pem", &own.chain),
            "privateKey": write(folder, "pebble.key", own.key.expose()),
            "httpPort": at.http,
            "tlsPort": at.tls,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": at.valid_s,
        }});
        let config = write(folder, "pebble.json", &config.to_string());
        let dns = names.to_string();
        let arguments = [
            "-dns01",
            &dns,
            "-http01",
            "",
            "-https01",
            "",
            "-tlsalpn01",
            "",
            "-defaultIPv4",
            "127.0.0.1",
            "-defaultIPv6",
            "",
            "-management",
            &names_management.to_string(),
        ];
        let program = Path::new("/usr/bin/pebble-challtestsrv");
        let names = Process::start(program, &arguments, &folder.join("names.log")).unwrap();
        // It sleeps for seconds before it validates, unless told not to.
        let arguments = [
            "PEBBLE_VA_NOSLEEP=1",
            "/usr/bin/pebble",
            "-config",
            &config,
            "-dnsserver",
            &dns,
        ];
        let log = folder.join("pebble.log");
        let server = Process::start(Path::new("/usr/bin/env"), &arguments, &log).unwrap();
        let pebble = Self {
            address,
            management,
            authority,
            server: Some(server),
            _names: names,
        };
        let answers = || async { pebble.roots().await.is_ok() };
        assert!(eventually(SOON, answers).await, "{}", pebble.log());
        Some(pebble)
    }

    fn log(&self) -> String {
        self.server
            .as_ref()
            .map(Process::output)
            .unwrap_or_default()
    }

    /// The authority that issued what it issued.
    async fn roots(&self) -> Result<String, net::Error> {
        let client = HttpsClient::new(&Roots::Pem(self.authority.certificate().to_owned()))?;
        let address = format!("https://{}/roots/0", self.management);
        let answer = client.send(Request::get(address).body(Bytes::new()).unwrap());
        Ok(String::from_utf8(answer.await?.into_body().to_vec()).unwrap())
    }

    fn estate(&self, more: &str) -> String {
        format!(
            "[acme]\ndirectory = \"https://{}/dir\"\nterms_agreed = true\n\
             contact = [\"mailto:ops@shop.example\"]\n{more}\n{OPEN}",
            self.address
        )
    }
}

impl World {
    async fn certificates(&self) -> Vec<Value> {
        let answer = self.ask(Method::GET, "/gateway/certificates", None).await;
        answer.unwrap()["certificates"].as_array().unwrap().clone()
    }

    /// Waits until a certificate with `field` that contains `text` is listed.
    async fn listed(&self, field: &str, text: &str) -> bool {
        eventually(SOON, || async {
            let all = self.certificates().await;
            let shown = |one: &Value| one[field].to_string().contains(text);
            all.iter().any(shown)
        })
        .await
    }

    /// How many events of a kind there are.
    async fn events(&self, kind: &str) -> usize {
        let path = format!("/trail?kind={kind}&limit=50");
        let page = self.ask(Method::GET, &path, None).await.unwrap();
        page["records"].as_array().unwrap().len()
    }
}

const TRUSTED: &str = "authority = \"directory-ca.pem\"";

/// A world whose two hosts have certificates that were issued by pages.
async fn issued() -> Option<(World, Pebble, Backend)> {
    let (backend, service) = Backend::start().await;
    let mut world = World::new();
    let at = Validates {
        http: world.plain.port(),
        tls: 1,
        valid_s: 86_400,
    };
    let pebble = Pebble::start(&world, at).await?;
    let more = format!("hosts = [\"app.localhost\", \"rampart.localhost\"]\n{TRUSTED}");
    world.write_estate(service, &pebble.estate(&more));
    world.serve().await;
    for host in ["app.localhost", "rampart.localhost"] {
        let issued = || async {
            let all = world.certificates().await;
            let of = |one: &Value| one["names"] == json!([host]) && one["source"] == "acme";
            all.iter().any(of)
        };
        assert!(
            eventually(SOON, issued).await,
            "{}{}",
            world.log(),
            pebble.log()
        );
    }
    Some((world, pebble, backend))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificate_is_issued_by_a_page_and_renewed_under_an_open_connection() {
    let Some((world, pebble, backend)) = issued().await else {
        return;
    };
    assert_eq!(world.events("gateway.certificate.issued").await, 2);
    let roots = pebble.roots().await.unwrap();
    let talk = Talk::connect(world.https, &roots, "app.localhost").await;
    let mut talk = talk.unwrap();
    let answer = talk.ask("app.localhost", "/ok").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // No page is left, and the backend never saw the authority's requests.
    let path = "/.well-known/acme-challenge/x";
    let page = world.get("app.localhost", path).await;
    assert_eq!(page.body, format!("GET {path}"));
    assert_eq!(backend.lines().len(), 2);
    let (code, out, err) = world.cli(&["certificates", "renew", "app.localhost"]);
    assert_eq!(code, 0, "{out}{err}");
    let renewed = || async { world.events("gateway.certificate.renewed").await == 1 };
    assert!(eventually(SOON, renewed).await, "{}", world.log());
    let first = talk.leaf();
    let shown = || async {
        let fresh = Talk::connect(world.https, &roots, "app.localhost").await;
        fresh.is_ok_and(|fresh| fresh.leaf() != first)
    };
    assert!(eventually(SOON, shown).await);
    let answer = talk.ask("app.localhost", "/ok").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_issued_is_served_on_while_the_authority_is_away_and_after_a_restart() {
    let Some((mut world, mut pebble, _backend)) = issued().await else {
        return;
    };
    let roots = pebble.roots().await.unwrap();
    let connect = |at: SocketAddr| Talk::connect(at, &roots, "app.localhost");
    let before = connect(world.https).await.unwrap().leaf();
    pebble.server.take();
    world.stop().await;
    world.serve().await;
    assert!(connect(world.https).await.unwrap().leaf() == before);
    let (code, out, err) = world.cli(&["certificates", "renew", "app.localhost"]);
    assert_eq!(code, 0, "{out}{err}");
    let listed = world.listed("error", "cannot reach").await;
    assert!(listed, "{:?}", world.certificates().await);
    assert!(connect(world.https).await.unwrap().leaf() == before);
    let (code, out, _) = world.cli(&["certificates", "list"]);
    assert!(code == 0 && out.contains("app.localhost"), "{out}");
    assert!(out.contains("Pebble"), "{out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificate_is_issued_by_a_handshake_and_a_short_one_is_renewed_by_itself() {
    let (_backend, service) = Backend::start().await;
    let mut world = World::new();
    let at = Validates {
        http: 1,
        tls: world.https.port(),
        valid_s: 40,
    };
    let Some(pebble) = Pebble::start(&world, at).await else {
        return;
    };
    let more = format!(
        "hosts = [\"app.localhost\"]\nchallenge = \"tls-alpn-01\"\nkey = \"ecdsa-p384\"\n\
         renew = \"1/2 of lifetime\"\n{TRUSTED}"
    );
    world.write_estate(service, &pebble.estate(&more));
    world.serve().await;
    assert!(
        world.listed("source", "acme").await,
        "{}{}",
        world.log(),
        pebble.log()
    );
    let roots = pebble.roots().await.unwrap();
    let first = Talk::connect(world.https, &roots, "app.localhost")
        .await
        .unwrap()
        .leaf();
    // Nobody asks: half of forty seconds later it is renewed.
    let renewed = || async {
        let fresh = Talk::connect(world.https, &roots, "app.localhost").await;
        fresh.is_ok_and(|fresh| fresh.leaf() != first)
    };
    assert!(eventually(SOON, renewed).await, "{}", world.log());
    assert!(world.events("gateway.certificate.renewed").await >= 1);
    assert_eq!(
        world.events("gateway.certificate.failed").await,
        0,
        "{}",
        world.log()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authority_that_is_not_ours_is_refused_and_a_failed_challenge_is_told_in_its_words() {
    let (_backend, service) = Backend::start().await;
    let mut world = World::new();
    let [nobody] = testkit::free_addresses().unwrap();
    let at = Validates {
        http: nobody.port(),
        tls: nobody.port(),
        valid_s: 86_400,
    };
    let Some(pebble) = Pebble::start(&world, at).await else {
        return;
    };
    let other = Authority::create("other", &SystemClock::new(), &SystemEntropy).unwrap();
    let file = world.folder().join("other-ca.pem");
    store::atomic_write(&file, other.certificate().as_bytes(), 0o644).unwrap();
    let more = "hosts = [\"app.localhost\"]\nauthority = \"other-ca.pem\"";
    world.write_estate(service, &pebble.estate(more));
    world.serve().await;
    assert!(
        world.listed("error", "UnknownIssuer").await,
        "{}",
        world.log()
    );
    // Until there is one, the development authority's is served, and that is said.
    let own = std::fs::read_to_string(world.data().join("tls/ca.pem")).unwrap();
    let mut talk = Talk::connect(world.https, &own, "app.localhost")
        .await
        .unwrap();
    assert!(
        talk.ask("app.localhost", "/ok")
            .await
            .starts_with("HTTP/1.1 200")
    );
    let (_, out, _) = world.cli(&["status"]);
    assert!(
        out.contains("`app.localhost` still has one of the development"),
        "{out}"
    );

    let more = format!("hosts = [\"app.localhost\"]\n{TRUSTED}");
    world.write_estate(service, &pebble.estate(&more));
    let (code, out, err) = world.cli(&["apply", "--yes"]);
    assert_eq!(code, 0, "{out}{err}");
    let said = world.listed("error", "the authority says:").await;
    let all = world.certificates().await;
    assert!(
        said && format!("{all:?}").contains("refused"),
        "{all:?} {}",
        pebble.log()
    );
    assert!(world.events("gateway.certificate.failed").await >= 2);
    let (_, out, _) = world.cli(&["doctor"]);
    assert!(out.contains("the authority says:"), "{out}");
}
