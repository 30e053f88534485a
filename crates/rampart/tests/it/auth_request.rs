//! A real nginx in front that asks Rampart about each request and passes it on itself.

use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use http::{Method, Request};
use net::{Client, Endpoint};
use testkit::{Process, eventually};

use crate::backend::Backend;
use crate::visitor::Visitor;
use crate::visitor::browser::excerpt;
use crate::world::{Answer, SOON, World};

const NGINX: &str = "/usr/sbin/nginx";

const ROUTES: &str = r#"
[gateway]
trusted_proxies = ["127.0.0.1"]
auth_request = "{style}"

[[route]]
name = "home"
host = "app.localhost"
path = "/"
to = "backend"
auth = "none"

[[route]]
name = "few"
host = "app.localhost"
path = "/few"
to = "backend"
auth = "none"
limit = "1/h per address"

[[route]]
name = "live"
host = "app.localhost"
path = "/live"
to = "backend"
websocket = true
require = { GET = "things:read" }

[[route]]
name = "things"
host = "app.localhost"
path = "/things/**"
to = "backend"
require = { GET = "things:read", POST = "things:write" }
"#;

/// The configuration of the guide, with this test's places.
fn configuration(
    folder: &Path,
    listen: SocketAddr,
    rampart: SocketAddr,
    backend: SocketAddr,
) -> String {
    let guide = include_str!("../../../../docs/guide/behind-another-proxy.md");
    let (_, rest) = guide.split_once("```nginx\n").unwrap();
    let (server, _) = rest.split_once("```").unwrap();
    let server = server
        .replace("listen 443 ssl;", &format!("listen {listen};"))
        .replace("shop.example", "app.localhost")
        .replace("127.0.0.1:8080", &rampart.to_string())
        .replace("127.0.0.1:3000", &backend.to_string())
        .replace("X-Forwarded-Proto $scheme", "X-Forwarded-Proto https");
    let kept = server
        .lines()
        .filter(|line| !line.contains("ssl_certificate"));
    let server: Vec<&str> = kept.collect();
    let folder = folder.display();
    format!(
        "daemon off; master_process off; worker_processes 1; error_log {folder}/error.log info;\n\
         pid {folder}/nginx.pid;\nevents {{ worker_connections 64; }}\n\
         http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n\
         fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n\
         {}\n}}\n",
        server.join("\n")
    )
}

async fn send(at: SocketAddr, request: http::request::Builder) -> Answer {
    let client = Client::new(Endpoint::Tcp(at));
    let answer = client
        .send(request.body(Bytes::new()).unwrap())
        .await
        .unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.unwrap();
    Answer {
        status,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

fn request(method: Method, target: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(target)
        .header("host", "app.localhost")
}

/// A running nginx in front of a backend, that asks a running Rampart.
struct Front {
    at: SocketAddr,
    backend: Backend,
    ada: Visitor,
    key: String,
    _world: World,
    _nginx: Process,
    _folder: tempfile::TempDir,
}

impl Front {
    async fn start() -> Self {
        let (backend, address) = Backend::start().await;
        let world = World::start(address, &ROUTES.replace("{style}", "nginx")).await;
        let mut ada = world.visitor("ada", "reader").await;
        let key = ada.key("things:read").await;
        let [at] = testkit::free_addresses().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("nginx.conf");
        let text = configuration(folder.path(), at, world.plain, address);
        store::atomic_write(&config, text.as_bytes(), 0o600).unwrap();
        let log = folder.path().join("log");
        let arguments = [
            "-p",
            folder.path().to_str().unwrap(),
            "-c",
            config.to_str().unwrap(),
        ];
        let nginx = Process::start(Path::new(NGINX), &arguments, &log).unwrap();
        let up = || async { tokio::net::TcpStream::connect(at).await.is_ok() };
        assert!(eventually(SOON, up).await, "{}", nginx.output());
        Self {
            at,
            backend,
            ada,
            key,
            _world: world,
            _nginx: nginx,
            _folder: folder,
        }
    }

    async fn send(&self, request: http::request::Builder) -> Answer {
        send(self.at, request).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_lets_through_what_rampart_would_and_nothing_a_client_forges() {
    if !Path::new(NGINX).exists() {
        crate::skipped("nginx is not installed");
        return;
    }
    let mut front = Front::start().await;
    lets_through(&front).await;
    hears_no_forgery(&front).await;
    limits_and_sends_to_the_sign_in(&mut front).await;
}

async fn lets_through(front: &Front) {
    let open = front.send(request(Method::GET, "/")).await;
    assert_eq!((open.status.as_u16(), open.body.as_str()), (200, "GET /"));
    let stranger = front.send(request(Method::GET, "/things/1")).await;
    assert_eq!(stranger.status, 401, "{stranger:?}");
    let bearer = format!("Bearer {}", front.key);
    let known = |method, target| request(method, target).header("authorization", &bearer);
    let passed = front.send(known(Method::GET, "/things/1?a=b")).await;
    assert_eq!(
        (passed.status.as_u16(), passed.body.as_str()),
        (200, "GET /things/1?a=b")
    );
    let seen = front.backend.seen().pop().unwrap();
    let said = seen.header("rampart-assertion").to_owned();
    assert_eq!(said.split('.').count(), 3, "{said}");
    assert!(
        seen.header("rampart-subject").starts_with("per_"),
        "{seen:?}"
    );
    assert_eq!(seen.header("authorization"), "", "the key ends at nginx");
    // The method and the path that count are the request's.
    assert_eq!(
        front.send(known(Method::POST, "/things/1")).await.status,
        403
    );
    assert_eq!(
        front.send(known(Method::DELETE, "/things/1")).await.status,
        403
    );
    assert_eq!(front.send(known(Method::GET, "/nowhere")).await.status, 403);
    // nginx itself refuses some of these, and Rampart the rest.
    for target in [
        "/things/..%2f..%2fetc",
        "/things/%2e%2e/x",
        "/things/a%00",
        "/things/a%2fb",
    ] {
        let status = front.send(known(Method::GET, target)).await.status.as_u16();
        assert!(matches!(status, 400 | 403), "{target}: {status}");
    }
    // The service gets the path that was judged.
    let spelled = front.send(known(Method::GET, "/thi%6Egs/1")).await;
    assert_eq!(spelled.body, "GET /things/1");
}

async fn hears_no_forgery(front: &Front) {
    // What a client says in nginx's place is not heard.
    let before = front.backend.seen().len();
    let forged = request(Method::GET, "/things/1")
        .header("x-original-uri", "/")
        .header("x-original-method", "GET")
        .header("x-forwarded-uri", "/")
        .header("x-forwarded-method", "GET")
        .header("rampart-assertion", "forged")
        .header("rampart-subject", "per_0");
    assert_eq!(front.send(forged).await.status, 401);
    assert_eq!(front.backend.seen().len(), before);
    let forged = request(Method::GET, "/").header("rampart-assertion", "forged");
    assert_eq!(
        front
            .send(forged.header("rampart-subject", "per_0"))
            .await
            .status,
        200
    );
    let seen = front.backend.seen().pop().unwrap();
    assert_eq!(seen.header("rampart-assertion"), "");
    assert_eq!(seen.header("rampart-subject"), "");
}

async fn limits_and_sends_to_the_sign_in(front: &mut Front) {
    // Limits count the client that nginx names, and their status comes through.
    assert_eq!(front.send(request(Method::GET, "/few")).await.status, 200);
    assert_eq!(front.send(request(Method::GET, "/few")).await.status, 429);
    // Who looks at a page is sent to the sign-in.
    let page = request(Method::GET, "/things/1").header("accept", "text/html");
    let page = front.send(page).await;
    assert_eq!(page.status, 302, "{page:?}");
    let to = page.headers["location"].to_str().unwrap();
    assert!(to.starts_with("https://rampart.localhost"), "{to}");
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-rampart-visit="), "{cookie}");
    let session = front.ada.sign_in("app.localhost", "/things/2").await;
    assert_eq!(session.answer.status, 200, "{}", excerpt(&session));
    let cookie = front.ada.browser.cookies_of("app.localhost").unwrap();
    let page = request(Method::GET, "/things/3").header("cookie", format!("a=1; {cookie}; b=2"));
    assert_eq!(front.send(page).await.status, 200);
    let seen = front.backend.seen().pop().unwrap();
    assert_eq!(seen.line, "GET /things/3");
    assert!(!seen.header("cookie").contains("rampart"), "{seen:?}");
    opens_websockets_for_its_own_pages_alone(front, &cookie).await;
}

async fn opens_websockets_for_its_own_pages_alone(front: &Front, cookie: &str) {
    // A browser asks for one whatever page it shows, and shows its cookie to a sister's host.
    let open = async |target, origin: &str| {
        let request = request(Method::GET, target)
            .header("cookie", cookie)
            .header("origin", origin)
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        front.send(request).await.status.as_u16()
    };
    assert_eq!(open("/live", "https://app.localhost").await, 200);
    assert_eq!(open("/live", "https://evil.localhost").await, 403);
    assert_eq!(open("/things/1", "https://app.localhost").await, 403);
}

/// What no request has, each by its place among method, target and host.
const WRONG: [(usize, &str); 10] = [
    (0, "G ET"),
    (0, ""),
    (0, "CONNECT"),
    (1, "things"),
    (1, "https://app.localhost/"),
    (1, "/a b"),
    (1, "*"),
    (2, ""),
    (2, "app.localhost/x"),
    (2, "a, b"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_is_for_the_named_style_and_for_trusted_proxies_alone() {
    let (_backend, address) = Backend::start().await;
    let routes = ROUTES.replace("{style}", "forwarded");
    let world = World::start(address, &routes).await;
    let ask = async |more: &[(&str, &str)]| {
        let request = Request::get("/.rampart/auth").header("host", "app.localhost");
        let request = more.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let answer = world.send(request).await;
        let code = answer.headers.get("rampart-code");
        let code = code.map_or(String::new(), |code| code.to_str().unwrap().to_owned());
        (answer.status.as_u16(), code)
    };
    let original = [
        ("x-forwarded-method", "GET"),
        ("x-forwarded-uri", "/"),
        ("x-forwarded-host", "app.localhost"),
    ];
    let with = |index: usize, value: &'static str| {
        let mut changed = original;
        changed[index].1 = value;
        changed
    };
    assert_eq!(ask(&original).await, (200, String::new()));
    for (index, value) in WRONG {
        assert_eq!(ask(&with(index, value)).await.0, 400, "{value}");
    }
    assert_eq!(ask(&original[1..]).await.0, 400, "one is missing");
    let twice = [
        original[0],
        original[1],
        original[2],
        ("x-forwarded-uri", "/things/1"),
    ];
    assert_eq!(ask(&twice).await.0, 400, "one stands twice");
    let nginx = [("x-original-method", "GET"), ("x-original-uri", "/")];
    assert_eq!(ask(&nginx).await.0, 400, "the other style is not heard");
    let refused = ask(&with(1, "/things/1")).await;
    assert_eq!(refused, (401, "authenticate.missing".to_owned()));
    assert_eq!(ask(&with(1, "/things/%2e%2e/x")).await.0, 400);
    assert_eq!(ask(&with(1, "/.rampart/callback?code=x")).await.0, 403);
    assert_eq!(ask(&with(2, "rampart.localhost")).await.0, 403);
    assert_eq!(ask(&with(2, "nobody.example")).await.0, 421);
    assert_eq!(ask(&with(0, "POST")).await.0, 200);
    let page = [
        original[0],
        ("x-forwarded-uri", "/things/1"),
        original[2],
        ("accept", "text/html"),
        ("x-forwarded-proto", "https"),
    ];
    assert_eq!(ask(&page).await.0, 303, "a browser is sent to the sign-in");

    // Nobody else may ask, and where it is off nobody at all.
    for changed in [
        routes.replace("[\"127.0.0.1\"]", "[\"192.0.2.1\"]"),
        routes.replace("\"forwarded\"", "\"off\""),
    ] {
        world.write_estate(address, &changed);
        let (code, _, err) = world.cli(&["apply", "--yes"]);
        assert_eq!(code, 0, "{err}");
        assert_eq!(ask(&original).await.0, 404);
    }
}
