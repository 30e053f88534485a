//! Who comes from elsewhere: clients with certificates, and tokens of another issuer, through the
//! whole program.

use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Method, Request, Response};
use model::{Clock as _, SystemClock, SystemEntropy};
use net::{Authority, Certificate, Purpose};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::backend::Backend;
use crate::visitor::browser::Network;
use crate::world::World;

/// One host asks for certificates, one requires them, one asks for none.
const HOSTS: &str = r#"
[[listen.client_certificates]]
authorities = "{folder}/clients.pem"
hosts = ["app"]

[[listen.client_certificates]]
authorities = "{folder}/clients.pem"
mode = "require"
hosts = ["strict"]

[[client]]
name = "billing"
roles = ["reader"]
certificates = ["dns:billing.internal"]
"#;

const ROUTES: &str = r#"
[[route]]
host = "{host}"
path = "/things/**"
to = "backend"
require = { GET = "things:read", POST = "things:write" }

[[route]]
host = "{host}"
path = "/whoever/**"
to = "backend"
auth = "optional"
"#;

struct Ground {
    folder: tempfile::TempDir,
    clients: Authority,
}

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ground = Self {
            clients: authority(),
            folder,
        };
        ground.trust(&ground.clients);
        ground
    }

    fn trust(&self, authority: &Authority) {
        let path = self.folder.path().join("clients.pem");
        store::atomic_write(&path, authority.certificate().as_bytes(), 0o644).unwrap();
    }

    fn routes(&self) -> String {
        let mut text = HOSTS.replace("{folder}", self.folder.path().to_str().unwrap());
        for host in ["app", "strict", "open"] {
            text.push_str(&ROUTES.replace("{host}", host));
        }
        text
    }
}

fn authority() -> Authority {
    Authority::create("clients", &SystemClock::new(), &SystemEntropy).unwrap()
}

fn shown(authority: &Authority, name: &str) -> Certificate {
    let hosts = [name.to_owned()];
    authority
        .issue(&hosts, Purpose::Client, &SystemClock::new(), &SystemEntropy)
        .unwrap()
}

impl World {
    fn trusting(&self, shown: Option<&Certificate>) -> Arc<ClientConfig> {
        let roots = net::tls::Roots::File(self.data().join("tls/ca.pem"));
        match shown {
            Some(certificate) => net::tls::mutual_client_config(certificate, &roots).unwrap(),
            None => net::tls::client_config(&roots).unwrap(),
        }
    }

    /// The status and code of one request over a connection of its own; nothing when there is none.
    async fn over_tls(
        &self,
        shown: Option<&Certificate>,
        host: &str,
        request: http::request::Builder,
        target: &str,
    ) -> Option<(u16, String)> {
        let network = Network::new(self.https, self.trusting(shown));
        let url = network.url(host, target).unwrap();
        let request = request.uri(url).body(Bytes::new()).unwrap();
        let answer = network.send(request).await.ok()?;
        let problem: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let code = problem["code"].as_str().unwrap_or(&answer.body).to_owned();
        Some((answer.status.as_u16(), code))
    }
}

fn get() -> http::request::Builder {
    Request::get("/")
}

fn assertion(backend: &Backend) -> Value {
    let seen = backend.seen().pop().unwrap();
    assert_eq!(seen.header("authorization"), "");
    let text = seen.header("rampart-assertion").to_owned();
    let payload = text.split('.').nth(1).unwrap_or("");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_is_known_by_its_certificate_and_no_more_than_a_client() {
    let ground = Ground::new();
    let (backend, address) = Backend::start().await;
    let world = World::start(address, &ground.routes()).await;
    let billing = shown(&ground.clients, "billing.internal");
    let unknown = shown(&ground.clients, "other.internal");
    let stranger = shown(&authority(), "billing.internal");
    let at = async |who: Option<&Certificate>, host: &str, target: &str| {
        world.over_tls(who, host, get(), target).await
    };
    let passed = at(Some(&billing), "app.localhost", "/things/1").await;
    assert_eq!(
        passed,
        Some((200, "GET /things/1".to_owned())),
        "{}",
        world.log()
    );
    let said = assertion(&backend);
    assert_eq!(said["sub"], "client:billing");
    assert_eq!(said["client_id"], "billing");
    assert_eq!(said["roles"], json!(["reader"]));
    assert!(said["cnf"]["x5t#S256"].is_string());
    let missing = Some((401, "authenticate.missing".to_owned()));
    assert_eq!(at(None, "app.localhost", "/things/1").await, missing);
    let unmapped = Some((401, "authenticate.certificate_unmapped".to_owned()));
    assert_eq!(
        at(Some(&unknown), "app.localhost", "/things/1").await,
        unmapped
    );
    assert_eq!(
        at(Some(&unknown), "app.localhost", "/whoever/x")
            .await
            .unwrap()
            .0,
        200
    );
    assert_eq!(
        assertion(&backend),
        Value::Null,
        "who is nobody's is nobody"
    );
    assert_eq!(
        at(Some(&stranger), "app.localhost", "/things/1").await,
        None
    );
    // Where they are required, nobody connects without one; where none is asked for, none counts.
    assert_eq!(at(None, "strict.localhost", "/whoever/x").await, None);
    assert_eq!(
        at(Some(&billing), "strict.localhost", "/things/1")
            .await
            .unwrap()
            .0,
        200
    );
    assert_eq!(
        at(Some(&billing), "open.localhost", "/things/1").await,
        missing
    );
    // In clear nobody can show one.
    let clear = world.get("strict.localhost", "/whoever/x").await;
    assert_eq!(clear.status, 403, "{}", clear.body);
    assert!(world.in_trail("authenticate.certificate_unmapped").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificate_gives_no_more_than_its_client_may_and_nothing_to_other_sites() {
    let ground = Ground::new();
    let (_backend, address) = Backend::start().await;
    let world = World::start(address, &ground.routes()).await;
    let billing = shown(&ground.clients, "billing.internal");
    let post = |more: &[(&str, &str)]| {
        let request = Request::post("/");
        more.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        })
    };
    let posted = async |more: &[(&str, &str)]| {
        let sent = world
            .over_tls(Some(&billing), "app.localhost", post(more), "/things/1")
            .await;
        sent.unwrap().1
    };
    assert_eq!(posted(&[]).await, "authorise.permission_missing");
    let cross = [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ];
    assert_eq!(posted(&cross).await, "authenticate.cross_site");
    // A wrong credential beside it is not made good by it.
    let wrong = get().header("authorization", "Bearer rk_nonsense");
    let sent = world
        .over_tls(Some(&billing), "app.localhost", wrong, "/things/1")
        .await;
    assert_eq!(sent, Some((401, "authenticate.key_unknown".to_owned())));
}

/// Sends requests over one HTTP/2 connection.
async fn over_http2(
    world: &World,
    shown: &Certificate,
    host: &str,
) -> h2::client::SendRequest<Bytes> {
    let mut config = (*world.trusting(Some(shown))).clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = TcpStream::connect(world.https).await.unwrap();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await
        .unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(async move { drop(connection.await) });
    sender
}

async fn ask(sender: &h2::client::SendRequest<Bytes>, host: &str) -> Response<h2::RecvStream> {
    let request = Request::get(format!("https://{host}/things/1"))
        .body(())
        .unwrap();
    let mut ready = sender.clone().ready().await.unwrap();
    let (response, _) = ready.send_request(request, true).unwrap();
    response.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_for_one_host_does_not_act_for_another() {
    let ground = Ground::new();
    let (_backend, address) = Backend::start().await;
    let world = World::start(address, &ground.routes()).await;
    let billing = shown(&ground.clients, "billing.internal");
    let app = over_http2(&world, &billing, "app.localhost").await;
    assert_eq!(ask(&app, "app.localhost").await.status(), 200);
    assert_eq!(ask(&app, "strict.localhost").await.status(), 421);
    assert_eq!(
        ask(&app, "open.localhost").await.status(),
        401,
        "there it is nobody"
    );
    let open = over_http2(&world, &billing, "open.localhost").await;
    assert_eq!(ask(&open, "app.localhost").await.status(), 421);
    assert!(world.in_trail("authenticate.misdirected").await);
    // The authority is replaced while the connection stays.
    ground.trust(&authority());
    let refused = || async { ask(&app, "app.localhost").await.status() == 401 };
    assert!(testkit::eventually(crate::world::SOON, refused).await);
    ground.trust(&ground.clients);
    let served = || async { ask(&app, "app.localhost").await.status() == 200 };
    assert!(testkit::eventually(crate::world::SOON, served).await);
}

/// An issuer whose key only this test has.
struct Issuer(Ed25519KeyPair);

impl Issuer {
    fn new() -> Self {
        let entropy: &dyn model::Entropy = &SystemEntropy;
        let seed = entropy.bytes::<32>();
        Self(Ed25519KeyPair::from_seed_unchecked(&seed).unwrap())
    }

    fn publish(&self, path: &Path) {
        let x = URL_SAFE_NO_PAD.encode(self.0.public_key().as_ref());
        let keys = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": x }] });
        store::atomic_write(path, keys.to_string().as_bytes(), 0o644).unwrap();
    }

    fn token(&self, more: &Value) -> String {
        let now = SystemClock::new().now().as_secs();
        let mut claims = json!({
            "iss": "https://login.example/", "aud": "shop", "sub": "u-7", "name": "Ada",
            "exp": now + 300, "groups": ["g-read"],
        });
        let changed = more.as_object().into_iter().flatten();
        for (claim, value) in changed {
            claims[claim] = value.clone();
        }
        let head = json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": "k1" }).to_string();
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", encode(&head), encode(&claims.to_string()));
        let signature = URL_SAFE_NO_PAD.encode(self.0.sign(signed.as_bytes()).as_ref());
        format!("{signed}.{signature}")
    }
}

const ISSUER: &str = r#"
[[issuer]]
name = "corp"
url = "https://login.example/"
audience = ["shop"]
algorithms = ["EdDSA"]
file = "{folder}/keys.json"
roles = { claim = "groups", map = { "g-read" = "reader" } }

[[listen.client_certificates]]
authorities = "{folder}/clients.pem"
hosts = ["app"]

[[client]]
name = "billing"
roles = ["writer"]
certificates = ["dns:billing.internal"]

[[route]]
host = "app"
path = "/things/**"
to = "backend"
require = { GET = "things:read", POST = "things:write" }

[[route]]
host = "app"
path = "/few/**"
to = "backend"
require = "things:read"
limit = "2/h per user"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_of_another_issuer_is_somebody_with_the_roles_of_the_map() {
    let ground = Ground::new();
    let issuer = Issuer::new();
    issuer.publish(&ground.folder.path().join("keys.json"));
    let (backend, address) = Backend::start().await;
    let folder = ground.folder.path().to_str().unwrap();
    let world = World::start(address, &ISSUER.replace("{folder}", folder)).await;
    let send = async |method, target: &str, token: &str| world.with(method, target, token).await;
    let token = issuer.token(&json!({}));
    let first = send(Method::GET, "/things/1", &token).await;
    assert_eq!(first, (200, String::new()), "{}", world.log());
    let said = assertion(&backend);
    assert_eq!(said["sub"], "corp|u-7");
    assert_eq!(
        said["subject_at"],
        json!({ "iss": "https://login.example/", "sub": "u-7" })
    );
    assert_eq!(said["roles"], json!(["reader"]));
    let refused = |code: &str| (401, code.to_owned());
    let missing = (403, "authorise.permission_missing".to_owned());
    assert_eq!(send(Method::POST, "/things/1", &token).await, missing);
    let other = issuer.token(&json!({ "aud": "other" }));
    assert_eq!(
        send(Method::GET, "/things/1", &other).await,
        refused("authenticate.token_audience")
    );
    let forged = Issuer::new().token(&json!({}));
    let said = send(Method::GET, "/things/1", &forged).await;
    assert_eq!(said, refused("authenticate.token_signature"));
    // Each subject is counted for itself.
    let ada = issuer.token(&json!({}));
    let bob = issuer.token(&json!({ "sub": "u-8" }));
    let statuses = async |token: &str| {
        let mut all = Vec::new();
        for _ in 0..3 {
            all.push(send(Method::GET, "/few/1", token).await.0);
        }
        all
    };
    assert_eq!(statuses(&ada).await, [200, 200, 429]);
    assert_eq!(statuses(&bob).await, [200, 200, 429]);
    bound(&world, &backend, &ground, &issuer).await;
    explained(&world, &issuer);
    // The key is taken back.
    Issuer::new().publish(&ground.folder.path().join("keys.json"));
    let gone = || async { send(Method::GET, "/things/1", &token).await.0 == 401 };
    assert!(testkit::eventually(crate::world::SOON, gone).await);
}

impl World {
    /// Status and code of one request with a token, in clear.
    async fn with(&self, method: Method, target: &str, token: &str) -> (u16, String) {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", "app.localhost")
            .header("authorization", format!("Bearer {token}"));
        let request = request.body(Bytes::new()).unwrap();
        let answer = self.try_send(request).await.unwrap();
        let problem: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let code = problem["code"].as_str().unwrap_or("").to_owned();
        (answer.status.as_u16(), code)
    }
}

/// A token that is bound to a certificate counts only with it, and with no right of it.
async fn bound(world: &World, backend: &Backend, ground: &Ground, issuer: &Issuer) {
    let refused = (401, "authenticate.token_bound".to_owned());
    let missing = (403, "authorise.permission_missing".to_owned());
    let billing = shown(&ground.clients, "billing.internal");
    let der = rustls::pki_types::pem::PemObject::from_pem_slice(billing.chain.as_bytes());
    let der: rustls::pki_types::CertificateDer<'_> = der.unwrap();
    let thumbprint = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
    let thumbprint = URL_SAFE_NO_PAD.encode(thumbprint.as_ref());
    let bound = issuer.token(&json!({ "cnf": { "x5t#S256": thumbprint } }));
    let said = world.with(Method::GET, "/things/1", &bound).await;
    assert_eq!(said, refused);
    let with = async |method: Method, certificate: Option<&Certificate>| {
        let bearer = format!("Bearer {bound}");
        let request = Request::builder()
            .method(method)
            .header("authorization", bearer);
        world
            .over_tls(certificate, "app.localhost", request, "/things/1")
            .await
            .unwrap()
    };
    assert_eq!(with(Method::GET, Some(&billing)).await.0, 200);
    assert_eq!(assertion(backend)["sub"], "corp|u-7");
    assert_eq!(
        with(Method::POST, Some(&billing)).await,
        missing,
        "not billing's rights"
    );
    let another = shown(&ground.clients, "billing.internal");
    let said = with(Method::GET, Some(&another)).await;
    assert_eq!(said, refused);
}

/// Explaining says who a token is, and why one is refused.
fn explained(world: &World, issuer: &Issuer) {
    let url = format!("GET https://app.localhost:{}/things/1", world.https.port());
    let explain = |token: &str| {
        let header = format!("authorization: Bearer {token}");
        let (_, out, err) = world.cli(&["gateway", "explain", &url, "--header", &header]);
        format!("{out}{err}")
    };
    let fine = explain(&issuer.token(&json!({})));
    assert!(fine.contains("`Ada` of the issuer `corp`"), "{fine}");
    let ended = explain(&issuer.token(&json!({ "exp": 1 })));
    assert!(ended.contains("authenticate.token_ended"), "{ended}");
    let (_, out, err) = world.cli(&["gateway", "explain", &url, "--as", "billing"]);
    assert!(
        out.contains("certificate") && out.contains("billing"),
        "{out}{err}"
    );
}
