//! Backends of others behind the gateway, started by the test: their normal use works unchanged,
//! signed in and with API keys.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::Value;
use testkit::{Process, eventually};

use crate::visitor::browser::excerpt;
use crate::world::{Answer, SOON, World};

/// Everything of the backend for whoever may read things; writing needs more.
const ROUTES: &str = r#"
[[route]]
name = "backend"
host = "app.localhost"
path = "/**"
to = "backend"
require = { GET = "things:read", POST = "things:write", PUT = "things:write", DELETE = "things:write" }
limits = { body_max = "8MiB", response_timeout = "20s" }
"#;

struct Real {
    _process: Process,
    world: World,
}

/// Finds a program of a Python package; says so when it is not there.
pub(crate) fn program(name: &str) -> Option<String> {
    if crate::told("RAMPART_REAL_BACKENDS").is_none() {
        crate::skipped("RAMPART_REAL_BACKENDS is not set");
        return None;
    }
    let found = std::process::Command::new("sh")
        .args(["-c", &format!("command -v {name}")])
        .output()
        .unwrap();
    let path = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    assert!(!path.is_empty(), "`{name}` is not installed");
    Some(path)
}

impl Real {
    async fn start(program: &str, arguments: &[&str], address: SocketAddr) -> Self {
        Self::start_with(program, arguments, address, ROUTES).await
    }

    async fn start_with(
        program: &str,
        arguments: &[&str],
        address: SocketAddr,
        routes: &str,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.keep().join("log");
        let process = Process::start(Path::new(program), arguments, &log).unwrap();
        let up = || async { tokio::net::TcpStream::connect(address).await.is_ok() };
        assert!(eventually(SOON, up).await, "{}", process.output());
        Self {
            world: World::start(address, routes).await,
            _process: process,
        }
    }

    async fn ask(&self, method: Method, target: &str, key: &str, body: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", "app.localhost")
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_owned()))
            .unwrap();
        self.world.try_send(request).await.unwrap()
    }
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{answer:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn datasette_works_unchanged_signed_in_and_with_a_key() {
    let Some(datasette) = program("datasette") else {
        return;
    };
    let [address] = testkit::free_addresses().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("shop.db");
    make_database(&database).await;
    let port = address.port().to_string();
    let database = database.to_str().unwrap();
    let arguments = ["serve", database, "--host", "127.0.0.1", "--port", &port];
    let real = Real::start(&datasette, &arguments, address).await;
    let stranger = real.world.get("app.localhost", "/shop.json").await;
    assert_eq!(stranger.status, 401);
    let mut ada = real.world.visitor("ada", "writer").await;
    let page = ada.sign_in("app.localhost", "/shop/product").await;
    assert_eq!(page.answer.status, 200, "{}", excerpt(&page));
    assert!(page.answer.body.contains("Kettle"), "{}", excerpt(&page));
    // A page with facets, sorting and its assets.
    let sorted = "/shop/product?_sort_desc=price&_facet=name&price__gt=1";
    let page = ada.open("app.localhost", sorted).await;
    assert_eq!(page.answer.status, 200, "{}", excerpt(&page));
    assert!(page.answer.body.contains("Lamp"));
    let style = page
        .answer
        .body
        .split("href=\"")
        .find(|rest| rest.contains("app.css"));
    let style = style.unwrap().split('"').next().unwrap().to_owned();
    let page = ada.open("app.localhost", &style).await;
    assert!(
        page.answer.header("content-type").starts_with("text/css"),
        "{}",
        excerpt(&page)
    );
    let key = ada.key("things:read").await;
    let rows = real
        .ask(Method::GET, "/shop/product.json?_shape=array", &key, "")
        .await;
    assert_eq!(rows.status, 200, "{rows:?}");
    assert_eq!(json(&rows).as_array().unwrap().len(), 3);
    let csv = real
        .ask(Method::GET, "/shop/product.csv?_stream=on", &key, "")
        .await;
    assert!(csv.body.starts_with("id,name,price"), "{csv:?}");
    let missing = real.ask(Method::GET, "/shop/nothing.json", &key, "").await;
    assert_eq!(missing.status, 404, "the backend's own answer");
}

async fn make_database(path: &Path) {
    let made = std::process::Command::new("python3")
        .args(["-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(\"create table product (id integer primary key, name text, price real); insert into product (name, price) values ('Kettle', 39.5), ('Lamp', 24), ('Chair', 120)\"); c.commit()"])
        .arg(path)
        .status()
        .unwrap();
    assert!(made.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn httpbin_works_unchanged_signed_in_and_with_a_key() {
    let Some(gunicorn) = program("gunicorn") else {
        return;
    };
    let [address] = testkit::free_addresses().unwrap();
    let bind = address.to_string();
    let arguments = [
        "--bind",
        &bind,
        "--workers",
        "1",
        "--threads",
        "4",
        "httpbin:app",
    ];
    let real = Real::start(&gunicorn, &arguments, address).await;
    let mut ada = real.world.visitor("ada", "writer").await;
    let page = ada.sign_in("app.localhost", "/get?a=1&b=2").await;
    let shown: Value = serde_json::from_str(&page.answer.body).unwrap();
    assert_eq!(shown["args"], serde_json::json!({ "a": "1", "b": "2" }));
    assert!(shown["headers"]["Cookie"].is_null(), "{shown}");
    let key = ada.key("things:write").await;
    let all = ada.key("things:read").await;
    for (method, target) in [
        (Method::POST, "/post"),
        (Method::PUT, "/put"),
        (Method::DELETE, "/delete"),
    ] {
        let body = r#"{"name":"Ünïcode & <3","list":[1,2.5e3,null,true]}"#;
        let answer = real.ask(method, target, &key, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(json(&answer)["json"]["name"], "Ünïcode & <3");
        assert!(json(&answer)["headers"]["Authorization"].is_null());
    }
    for status in [204, 302, 404, 418, 500] {
        let target = format!("/status/{status}");
        let answer = real.ask(Method::GET, &target, &all, "").await;
        assert_eq!(answer.status.as_u16(), status, "passed on as it is");
    }
    let gzip = real.ask(Method::GET, "/gzip", &all, "").await;
    assert_eq!(gzip.headers["content-encoding"], "gzip");
    let stream = real.ask(Method::GET, "/stream/20", &all, "").await;
    assert_eq!(
        stream.body.lines().count(),
        20,
        "chunked answers arrive whole"
    );
    let bytes = real.ask(Method::GET, "/range/100000", &all, "").await;
    assert_eq!(bytes.body.len(), 100_000);
    let began = tokio::time::Instant::now();
    let slow = real.ask(Method::GET, "/delay/1", &all, "").await;
    assert!(slow.status == 200 && began.elapsed() >= Duration::from_secs(1));
    let upload = "x".repeat(2 << 20);
    let body = serde_json::json!({ "file": upload }).to_string();
    let answer = real.ask(Method::POST, "/post", &key, &body).await;
    assert_eq!(
        json(&answer)["json"]["file"].as_str().unwrap().len(),
        2 << 20
    );
    let may_not = real.ask(Method::POST, "/post", &all, "{}").await;
    assert_eq!(may_not.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn websocket_application_works_unchanged_with_its_own_client() {
    let Some(python) = program("python3") else {
        return;
    };
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/python");
    let script = |name: &str| scripts.join(name).to_str().unwrap().to_owned();
    let [address] = testkit::free_addresses().unwrap();
    let port = address.port().to_string();
    let arguments = [script("websocket_server.py"), port];
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let routes = format!("{ROUTES}websocket = true\n");
    let real = Real::start_with(&python, &arguments, address, &routes).await;
    let mut ada = real.world.visitor("ada", "writer").await;
    let key = ada.key("things:read").await;
    let client = tokio::process::Command::new(&python)
        .arg(script("websocket_client.py"))
        .args([&real.world.plain.port().to_string(), &key])
        .output();
    let said = tokio::time::timeout(SOON, client).await.unwrap().unwrap();
    let (out, error) = (
        said.stdout,
        String::from_utf8_lossy(&said.stderr).into_owned(),
    );
    assert_eq!(String::from_utf8_lossy(&out), "fine\n", "{error}");
}
