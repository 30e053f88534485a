//! What everybody does every day: signs in, uses keys, changes the estate, looks at the trail.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::visitor::{CONSOLE, browser::excerpt};
use crate::world::{OPEN, World};

/// Things may be read by readers and written by writers, and home is open.
const THINGS: &str = r#"
[[route]]
name = "home"
host = "app.localhost"
path = "/"
to = "backend"
auth = "none"

[[route]]
name = "things"
host = "app.localhost"
path = "/things/**"
to = "backend"
require = { GET = "things:read", POST = "things:write", DELETE = "things:delete" }
"#;

async fn world(routes: &str) -> (World, Backend) {
    let (backend, address) = Backend::start().await;
    (World::start(address, routes).await, backend)
}

fn with_key(method: Method, target: &str, key: &str) -> Request<Bytes> {
    Request::builder()
        .method(method)
        .uri(target)
        .header("host", "app.localhost")
        .header("authorization", format!("Bearer {key}"))
        .body(Bytes::new())
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn person_signs_in_and_the_backend_learns_who_it_is_and_nothing_else() {
    let (world, backend) = world(THINGS).await;
    let mut ada = world.visitor("ada", "reader").await;
    let page = ada.sign_in("app.localhost", "/things/1?a=b").await;
    assert_eq!(page.url.path(), "/things/1", "{}", excerpt(&page));
    assert_eq!(page.answer.body, "GET /things/1?a=b");
    let seen = backend.seen().pop().unwrap();
    assert_eq!(seen.header("cookie"), "");
    let claims = claims(seen.header("rampart-assertion"));
    assert_eq!(claims["name"], "ada");
    assert_eq!(claims["aud"], "backend");
    assert_eq!(claims["roles"], json!(["reader"]));
    // Nobody's role: a page says so, and the trail too.
    let refused = ada
        .browser
        .submit(&page_with_form(&page), &[("x", "1")])
        .await
        .unwrap();
    assert_eq!(refused.answer.status, 403);
    assert!(world.in_trail("authorise.permission_missing").await);
}

/// The same page with a form that a backend might have.
fn page_with_form(page: &crate::visitor::browser::Page) -> crate::visitor::browser::Page {
    let mut page = page.clone();
    page.answer.body =
        "<form action=\"/things/1\" method=\"post\"><input name=\"x\"></form>".to_owned();
    page
}

fn claims(assertion: &str) -> Value {
    use base64::Engine as _;
    let payload = assertion.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload);
    serde_json::from_slice(&bytes.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn api_key_may_what_it_was_made_for_until_it_is_revoked() {
    let (world, backend) = world(THINGS).await;
    let mut ada = world.visitor("ada", "writer").await;
    let key = ada.key("things:read").await;
    let get = || world.try_send(with_key(Method::GET, "/things/1", &key));
    assert_eq!(get().await.unwrap().status, 200);
    let seen = backend.seen().pop().unwrap();
    assert_eq!(
        seen.header("authorization"),
        "",
        "the key stays at the gateway"
    );
    assert_eq!(
        claims(seen.header("rampart-assertion"))["scope"],
        "things:read"
    );
    let post = world
        .try_send(with_key(Method::POST, "/things/1", &key))
        .await
        .unwrap();
    assert_eq!(post.status, 403);
    assert!(
        post.body.contains("authorise.permission_missing"),
        "{}",
        post.body
    );
    let keys = world.ask(Method::GET, "/api-keys", None).await.unwrap();
    let list = keys
        .as_array()
        .or_else(|| keys["api_keys"].as_array())
        .or_else(|| keys["keys"].as_array());
    let id = list.unwrap()[0]["id"].as_str().unwrap().to_owned();
    world
        .ask(Method::DELETE, &format!("/api-keys/{id}"), None)
        .await
        .unwrap();
    // Answered is in force: not a request later.
    assert_eq!(get().await.unwrap().status, 401);
    let invented = with_key(Method::GET, "/things/1", "rk_aaaaaaaa_bbbb_cccccc");
    assert_eq!(world.try_send(invented).await.unwrap().status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_of_a_host_makes_copies_of_its_cookie_worthless() {
    let (world, backend) = world(THINGS).await;
    let mut ada = world.visitor("ada", "writer").await;
    let page = ada.sign_in("app.localhost", "/things/1").await;
    assert_eq!(page.answer.status, 200, "{}", excerpt(&page));
    let cookie = ada.browser.cookies_of("app.localhost").unwrap();
    let network = world.network().await;
    let replay = async || {
        let request = Request::get(network.url("app.localhost", "/things/1").unwrap())
            .header("accept", "application/json")
            .header("cookie", &cookie);
        let answer = network.send(request.body(Bytes::new()).unwrap()).await;
        answer.unwrap().status
    };
    assert_eq!(replay().await, 200);
    let mut leave = page.clone();
    leave.answer.body = "<form action=\"/.rampart/sign-out\" method=\"post\"></form>".to_owned();
    let left = ada.browser.submit(&leave, &[]).await.unwrap();
    assert_eq!(left.url.path(), "/account", "{}", excerpt(&left));
    assert_eq!(replay().await, 401, "answered is in force");
    assert_eq!(backend.seen().len(), 2);
    assert!(world.in_trail("authenticate.session_ended").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overriding_the_method_needs_what_that_method_needs() {
    let (world, backend) = world(THINGS).await;
    let mut ada = world.visitor("ada", "writer").await;
    let key = ada.key("things:read").await;
    for name in [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
    ] {
        for (method, status) in [("GET", 200), ("post", 403), ("PATCH", 405), ("a b", 400)] {
            let mut request = with_key(Method::GET, "/things/1", &key);
            request.headers_mut().insert(name, method.parse().unwrap());
            let answer = world.try_send(request).await.unwrap();
            assert_eq!(answer.status, status, "{name}: {method}");
        }
    }
    assert_eq!(backend.seen().len(), 3);
    assert!(world.in_trail("authorise.method_override").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_names_another_method_needs_what_that_method_needs() {
    let (world, backend) = world(THINGS).await;
    let mut ada = world.visitor("ada", "writer").await;
    let key = ada.key("things:write").await;
    let form = "application/x-www-form-urlencoded";
    let part = "--x\r\nContent-Disposition: form-data; name=\"_method\"\r\n\r\nDELETE\r\n--x--\r\n";
    let long = format!("a={}&_method=delete", "x".repeat(200_000));
    for (query, kind, body, status) in [
        ("", form, "_method=post&a=1", 200),
        ("", form, "_method=delete&a=1", 403),
        ("", form, "a=1&%5fmethod=delete", 403),
        ("", form, long.as_str(), 403),
        ("", form, "_method=patch", 405),
        ("", "application/json", r#"{"a": 1}"#, 200),
        ("", "application/json", r#"{"_method": "DELETE"}"#, 403),
        ("", "multipart/form-data; boundary=x", part, 403),
        ("?_method=delete", form, "a=1", 403),
    ] {
        let mut request = with_key(Method::POST, &format!("/things/1{query}"), &key);
        request
            .headers_mut()
            .insert("content-type", kind.parse().unwrap());
        *request.body_mut() = Bytes::copy_from_slice(body.as_bytes());
        let answer = world.try_send(request).await.unwrap();
        let shown: String = body.chars().take(60).collect();
        assert_eq!(answer.status, status, "{query} {shown}");
    }
    let mut twice = with_key(Method::POST, "/things/1", &key);
    for kind in ["text/plain", form] {
        twice
            .headers_mut()
            .append("content-type", kind.parse().unwrap());
    }
    *twice.body_mut() = Bytes::from_static(b"_method=delete");
    assert_eq!(world.try_send(twice).await.unwrap().status, 400);
    assert_eq!(backend.seen().len(), 2);
    assert!(world.in_trail("authorise.permission_missing").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn body_that_hides_its_text_is_refused() {
    let (world, backend) = world(OPEN).await;
    let form = "application/x-www-form-urlencoded";
    let post = async |kind: &str, coding: &str| {
        let request = Request::post("/things")
            .header("host", "app.localhost")
            .header("content-type", kind)
            .header("content-encoding", coding)
            .body(Bytes::from_static(b"q=1"));
        world.try_send(request.unwrap()).await.unwrap()
    };
    assert_eq!(post(form, "identity").await.status, 200);
    assert_eq!(post("image/png", "gzip").await.status, 200);
    let compressed = post(form, "gzip").await;
    assert_eq!(compressed.status, 415);
    assert!(
        compressed.body.contains("body.encoded"),
        "{}",
        compressed.body
    );
    let foreign = post(&format!("{form}; charset=utf-7"), "identity").await;
    assert!(foreign.body.contains("body.charset"), "{}", foreign.body);
    assert_eq!(backend.seen().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn estate_is_planned_applied_hot_and_a_stale_plan_refused() {
    let (backend, address) = Backend::start().await;
    let world = World::start(address, THINGS).await;
    assert_eq!(world.get("app.localhost", "/more").await.status, 404);
    let more = "\n[[route]]\nname = \"more\"\nhost = \"app.localhost\"\npath = \"/more\"\nto = \"backend\"\nauth = \"none\"\n";
    world.write_estate(address, &format!("{THINGS}{more}"));
    let (code, out, err) = world.cli(&["plan"]);
    assert!(
        out.contains("more") && (code == 0 || code == 1),
        "{code} {out} {err}"
    );
    // Requests run on while the estate changes.
    let slow = world.get("app.localhost", "/");
    let (code, _, err) = world.cli(&["apply", "--yes"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(slow.await.status, 200);
    assert_eq!(world.get("app.localhost", "/more").await.status, 200);
    assert!(backend.lines().contains(&"GET /more".to_owned()));
    let source = std::fs::read_to_string(world.config()).unwrap();
    let body = json!({ "base": 1, "hash": "0".repeat(64), "source": source });
    let (status, problem) = world
        .ask(Method::POST, "/estate/apply", Some(body))
        .await
        .unwrap_err();
    assert_eq!(status, 409, "{problem}");
    assert_eq!(world.get("app.localhost", "/more").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trail_verifies_and_says_what_was_changed_in_it() {
    let (mut world, _backend) = world(OPEN).await;
    let body = json!({ "login": "ada", "name": "Ada", "roles": ["reader"] });
    world
        .ask(Method::POST, "/people", Some(body))
        .await
        .unwrap();
    let (code, out, err) = world.cli(&["trail", "verify"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("consistent"), "{out}");
    world.stop().await;
    let trail = world.data().join("trail");
    let leaves = std::fs::read_dir(&trail)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let payloads = leaves.filter(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.ends_with(".leaves")
    });
    let path = payloads.min().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    store::atomic_write(&path, &bytes, 0o600).unwrap();
    let (code, out, err) = world.cli(&["trail", "verify"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("entry"), "{out}{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_names_the_step_and_the_line() {
    let (world, _backend) = world(THINGS).await;
    let url = format!("https://app.localhost:{}/things/1", world.https.port());
    let (code, out, err) = world.cli(&["gateway", "explain", &format!("GET {url}")]);
    assert!(out.contains("authenticate"), "{code} {out} {err}");
    let source = std::fs::read_to_string(world.config()).unwrap();
    let line = source
        .lines()
        .position(|line| line.starts_with("require ="))
        .unwrap()
        + 1;
    assert!(out.contains(&line.to_string()), "line {line}: {out}");
    world.visitor("ada", "reader").await;
    let (_, out, err) = world.cli(&["gateway", "explain", &format!("GET {url}"), "--as", "ada"]);
    assert!(out.contains("backend"), "{out}{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn banned_address_is_refused_until_the_ban_is_lifted() {
    let (world, _backend) = world(OPEN).await;
    let body = json!({ "network": "127.0.0.1", "for": "1h", "reason": "guessing" });
    let placed = world.ask(Method::POST, "/gateway/bans", Some(body)).await;
    let placed = match placed {
        Ok(placed) => placed,
        Err(problem) => panic!("{problem:?}"),
    };
    let refused = || async { world.get("app.localhost", "/").await.status == 403 };
    assert!(testkit::eventually(crate::world::SOON, refused).await);
    let id = placed["id"]
        .as_str()
        .or_else(|| placed["ban"]["id"].as_str())
        .unwrap();
    world
        .ask(Method::DELETE, &format!("/gateway/bans/{id}"), None)
        .await
        .unwrap();
    let served = || async { world.get("app.localhost", "/").await.status == 200 };
    assert!(testkit::eventually(crate::world::SOON, served).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn console_is_reached_over_tls_only_and_strangers_see_the_sign_in() {
    let (world, _backend) = world(OPEN).await;
    assert_eq!(world.get(CONSOLE, "/").await.status, 403);
    let network = world.network().await;
    let mut browser = crate::visitor::browser::Browser::new(network.clone());
    let page = browser
        .open(network.url(CONSOLE, "/").unwrap())
        .await
        .unwrap();
    assert_eq!(page.url.path(), "/sign-in", "{}", excerpt(&page));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_processes_stay_below_100_mib_together() {
    let (world, _backend) = world(OPEN).await;
    let roles = ["control", "gateway"].map(|role| world.role(role).unwrap());
    let supervisor = std::fs::read_to_string(format!("/proc/{}/stat", roles[0])).unwrap();
    let parent = supervisor
        .rsplit_once(") ")
        .unwrap()
        .1
        .split(' ')
        .nth(1)
        .unwrap();
    let all = roles.into_iter().chain([parent.parse().unwrap()]);
    let sum: f64 = all.map(crate::world::memory_mib).sum();
    // An unoptimised program takes more than the one that is shipped; that one is measured by
    // the bench.
    assert!(sum < 150.0, "{sum} MiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn page_of_another_origin_may_read_what_its_route_lets_it_and_no_other_may() {
    let cors =
        "auth = \"none\"\ncors = { origins = [\"https://pages.example\"], credentials = true }";
    let (world, _backend) = world(&OPEN.replace("auth = \"none\"", cors)).await;
    let allowed = |origin: &'static str| {
        let request = Request::get("/1").header("host", "app.localhost");
        let answer = world.send(request.header("origin", origin));
        async move {
            let answer = answer.await;
            assert_eq!((answer.status.as_u16(), &*answer.body), (200, "GET /1"));
            assert_eq!(answer.headers.get("vary").unwrap(), "origin");
            let field = |name: &str| answer.headers.get(name).cloned();
            let origin = field("access-control-allow-origin");
            (origin, field("access-control-allow-credentials"))
        }
    };
    let (origin, credentials) = allowed("https://pages.example").await;
    assert_eq!(origin.unwrap(), "https://pages.example");
    assert_eq!(credentials.unwrap(), "true");
    assert_eq!(allowed("https://others.example").await, (None, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_looks_at_pages_gets_one_when_the_service_is_down_and_programs_get_a_problem() {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let world = World::start(address, OPEN).await;
    for (accept, kind) in [
        ("text/html,*/*", "text/html; charset=utf-8"),
        ("*/*", "application/problem+json"),
    ] {
        let request = Request::get("/").header("host", "app.localhost");
        let answer = world.send(request.header("accept", accept)).await;
        assert_eq!(answer.status, 502);
        assert_eq!(answer.headers.get("content-type").unwrap(), kind);
    }
}
