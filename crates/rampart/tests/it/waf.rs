//! The rules that an estate names, through the whole program.

mod answers;
mod hostile;

use std::path::PathBuf;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::Value;
use testkit::eventually;

use crate::backend::Backend;
use crate::world::{Answer, SOON, World};
use crate::{measured, skipped, told};

const RULES: &str = r#"
SecRule ARGS "@contains evil" "id:101,phase:2,deny,log,msg:'evil is said',severity:CRITICAL,tag:'mine'"
SecRule &REQUEST_HEADERS:Content-Length "@eq 0" "id:103,phase:1,deny,log,msg:'of no length',chain"
  SecRule REQUEST_METHOD "@streq POST" ""
SecRule RESPONSE_BODY "@contains leak" "id:102,phase:4,deny,log,msg:'it leaks'"
"#;

const ROUTE: &str = r#"
[[route]]
name = "app"
host = "app.localhost"
path = "/**"
to = "backend"
auth = "none"
mode = { inspect = "observe" }
"#;

const FORM: &str = "application/x-www-form-urlencoded";

/// A world whose estate names rules of its own.
async fn world(more: &str) -> (World, Backend, std::net::SocketAddr) {
    let (backend, address) = Backend::start().await;
    let mut world = World::new();
    std::fs::create_dir_all(world.folder().join("rules")).unwrap();
    world.write_document("rules/mine.conf", RULES);
    world.write_document("rules/secret.key", "not for the server");
    world.write_estate(address, &estate(more));
    world.serve().await;
    (world, backend, address)
}

fn estate(more: &str) -> String {
    format!("{ROUTE}\n[waf]\nrules = \"rules\"\n{more}")
}

async fn post(world: &World, target: &str, kind: &str, body: impl Into<Bytes>) -> Answer {
    let mut request = Request::post(target).header("host", "app.localhost");
    if !kind.is_empty() {
        request = request.header("content-type", kind);
    }
    let request = request.body(body.into()).unwrap();
    world.try_send(request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_travel_with_the_estate_and_refuse_without_saying_why() {
    let (world, backend, address) = world("").await;
    let refused = world.get("app.localhost", "/?q=evil").await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    let problem: Value = serde_json::from_str(&refused.body).unwrap();
    assert_eq!(problem["code"], "waf.match");
    assert!(problem["request_id"].is_string());
    for internal in ["101", "evil", "ARGS"] {
        assert!(!refused.body.contains(internal), "{}", refused.body);
    }
    assert_eq!(post(&world, "/", FORM, "a=evil").await.status, 403);
    assert_eq!(post(&world, "/", FORM, "a=good").await.status, 200);
    assert_eq!(world.get("app.localhost", "/?q=good").await.status, 200);
    assert!(backend.lines().iter().all(|line| !line.contains("evil")));
    // The service's answers say what they were asked for.
    let leak = world.get("app.localhost", "/leak").await;
    assert_eq!(
        (leak.status.as_u16(), leak.body.contains("/leak")),
        (403, false)
    );
    for code in ["waf.match", "waf.answer"] {
        assert!(world.in_trail(code).await, "{code}: {}", world.log());
    }
    let page = world
        .ask(Method::GET, "/trail?text=waf.match&limit=50", None)
        .await;
    let page = page.unwrap();
    let detail = &page["records"][0]["event"]["detail"];
    assert_eq!(detail["rules"][0]["id"], 101, "{page}");
    assert_eq!(detail["rules"][0]["message"], "evil is said");
    assert_eq!(detail["step"], "waf");
    // What a change of the rules does is told before it is done.
    world.write_document("rules/mine.conf", &RULES.replace("evil", "wicked"));
    let (_, out, err) = world.cli(&["plan"]);
    assert!(out.contains("rules `rules`"), "{out}{err}");
    assert!(out.contains("file `rules/mine.conf` changed"), "{out}{err}");
    // Rules that are none are told with their place, and nothing changes.
    world.write_document(
        "rules/mine.conf",
        "\nSecRule ARGS \"@nothing x\" \"id:1\"\n",
    );
    let (code, out, err) = world.cli(&["check"]);
    assert_ne!(code, 0);
    assert!(
        format!("{out}{err}").contains("rules/mine.conf:2"),
        "{out}{err}"
    );
    let (code, _, _) = world.cli(&["apply", "--yes"]);
    assert_ne!(code, 0);
    assert_eq!(world.get("app.localhost", "/?q=evil").await.status, 403);
    // An exclusion that has ended is told, and does not apply.
    world.write_document("rules/mine.conf", RULES);
    let exclusion = |until: &str| {
        format!(
            "[[waf.exclusion]]\nrule = 101\nparameter = \"q\"\nreason = \"r\"\nuntil = \"{until}\"\n"
        )
    };
    world.write_estate(address, &estate(&exclusion("2020-01-01")));
    let (_, out, err) = world.cli(&["check"]);
    assert!(
        format!("{out}{err}").contains("the exclusion of rule 101 at `ARGS:q` ended with"),
        "{out}{err}"
    );
    applied(&world);
    assert_eq!(world.get("app.localhost", "/?q=evil").await.status, 403);
    world.write_estate(address, &estate(&exclusion("2099-01-01")));
    applied(&world);
    assert_eq!(world.get("app.localhost", "/?q=evil").await.status, 200);
    assert_eq!(world.get("app.localhost", "/?other=evil").await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_what_rules_would_say_is_told() {
    let (world, _backend, _) = world("").await;
    // Who asks why is told, with the line of the estate.
    let (code, out, err) =
        world.cli(&["gateway", "explain", "GET", "http://app.localhost/?q=evil"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("101 at `ARGS:q`: evil is said"), "{out}");
    let (code, out, err) = world.cli(&["gateway", "explain", "POST", "http://app.localhost/?q=1"]);
    assert_eq!(
        code, 0,
        "a POST has a length, as clients send it: {out}{err}"
    );
}

fn applied(world: &World) {
    let (code, out, err) = world.cli(&["apply", "--yes"]);
    assert_eq!(code, 0, "{out}{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_that_a_proxy_asks_about_is_held_to_rules_as_well() {
    let asks = "[gateway]\ntrusted_proxies = [\"127.0.0.1\"]\nauth_request = \"nginx\"\n";
    let (world, _, _) = world(asks).await;
    let ask = |method: &'static str, target: &'static str| {
        let request = Request::get("/.rampart/auth")
            .header("host", "app.localhost")
            .header("x-original-method", method)
            .header("x-original-uri", target);
        world.send(request)
    };
    let refused = ask("GET", "/?q=evil").await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert_eq!(refused.headers["rampart-code"], "waf.match");
    for method in ["GET", "POST"] {
        assert_eq!(ask(method, "/?q=good").await.status, 200, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn route_that_observes_lets_everything_through_and_says_what_blocking_would_refuse() {
    let (world, backend, _) = world("mode = \"observe\"\n").await;
    for _ in 0..3 {
        assert_eq!(world.get("app.localhost", "/?q=evil").await.status, 200);
    }
    assert_eq!(world.get("app.localhost", "/leak").await.status, 200);
    assert_eq!(backend.lines().len(), 4);
    let observed = || async {
        let answer = world.ask(Method::GET, "/gateway/observed", None).await;
        let text = answer.map(|answer| answer.to_string()).unwrap_or_default();
        text.contains("waf.match") && text.contains("waf.answer")
    };
    assert!(eventually(SOON, observed).await, "{}", world.log());
    let (code, out, err) = world.cli(&["gateway", "observed", "--step", "waf"]);
    assert!(out.contains("waf"), "{code} {out}{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_of_rampart_need_no_files_and_stop_attacks_alone() {
    let (backend, address) = Backend::start().await;
    let routes = format!("{ROUTE}\n[waf]\nrules = \"builtin\"\n");
    let world = World::start(address, &routes).await;
    for (kind, target, body) in ATTACKS {
        let answer = match kind {
            Some(kind) => post(&world, target, kind, *body).await,
            None => browse(&world, target).await,
        };
        assert_eq!(answer.status, 403, "{target} {body}");
    }
    assert!(backend.seen().is_empty(), "{:?}", backend.lines());
    for (kind, target, body) in HONEST {
        let answer = match kind {
            Some(kind) => post(&world, target, kind, *body).await,
            None => browse(&world, target).await,
        };
        assert_eq!(answer.status, 200, "{target} {body}: {}", answer.body);
    }
}

/// The Core Rule Set beside the estate file; nothing where there is none.
fn crs() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let set = told("RAMPART_CRS_DIR").unwrap_or_else(|| "../shared/data/crs".to_owned());
    let folder = root.join(set);
    let found = folder.join("rules").is_dir();
    if !found {
        skipped("RAMPART_CRS_DIR names no Core Rule Set");
    }
    found.then(|| std::fs::canonicalize(folder).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn core_rule_set_stops_attacks_lets_the_rest_through_and_stands_a_flood() {
    let Some(crs) = crs() else {
        return;
    };
    let (backend, address) = Backend::start().await;
    let mut world = World::new();
    std::os::unix::fs::symlink(crs, world.folder().join("crs")).unwrap();
    let routes = format!("{ROUTE}\n[waf]\nrules = \"crs\"\nparanoia = 1\n");
    world.write_estate(address, &routes);
    let began = tokio::time::Instant::now();
    world.serve().await;
    measured(&format!(
        "a start with the Core Rule Set took {:?}; the gateway has {:.0} MiB",
        began.elapsed(),
        crate::world::memory_mib(world.role("gateway").unwrap())
    ));
    for (kind, target, body) in ATTACKS {
        let answer = match kind {
            Some(kind) => post(&world, target, kind, *body).await,
            None => browse(&world, target).await,
        };
        assert_eq!(answer.status, 403, "{target} {body}");
        assert!(answer.body.contains("waf."), "{target}: {}", answer.body);
    }
    assert!(backend.seen().is_empty(), "{:?}", backend.lines());
    for (kind, target, body) in HONEST {
        let answer = match kind {
            Some(kind) => post(&world, target, kind, *body).await,
            None => browse(&world, target).await,
        };
        assert_eq!(answer.status, 200, "{target} {body}: {}", answer.body);
    }
    hostile::finds_no_way_around(&world, &backend).await;
    // The API says what it is told: a page of errors comes back.
    let leak = r#"{"a":"You have an error in your SQL syntax; check the manual that corresponds"}"#;
    let answer = post(&world, "/api/x", "application/json", leak).await;
    assert_eq!(answer.status, 403, "{}", answer.body);
    // What no rule can read is no way past them.
    let coded = Request::post("/")
        .header("host", "app.localhost")
        .header("content-type", FORM)
        .header("content-encoding", "gzip")
        .body(Bytes::from_static(b"a=1"));
    let answer = world.try_send(coded.unwrap()).await.unwrap();
    assert_eq!(answer.status, 415);
    flood(world).await;
}

/// A request as a browser makes it.
async fn browse(world: &World, target: &str) -> Answer {
    let request = Request::get(target)
        .header("host", "app.localhost")
        .header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
        )
        .header("accept", "*/*");
    world.send(request).await
}

/// A thousand long bodies at once: each is answered, and whoever asks for little is not kept
/// waiting for all of them.
async fn flood(world: World) {
    let world = std::sync::Arc::new(world);
    let noise: String = (0_u32..12_000)
        .map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761)))
        .collect();
    let body = Bytes::from(format!("a={noise}"));
    let began = tokio::time::Instant::now();
    let asking: Vec<_> = (0..1000)
        .map(|_| {
            let (world, body) = (std::sync::Arc::clone(&world), body.clone());
            tokio::spawn(async move {
                let request = Request::post("/")
                    .header("host", "app.localhost")
                    .header("content-type", FORM)
                    .body(body);
                let answer = world.try_send(request.unwrap()).await;
                answer.map_or(0, |answer| answer.status.as_u16())
            })
        })
        .collect();
    let small = tokio::time::Instant::now();
    let answer = browse(&world, "/still?a=1").await;
    let waited = small.elapsed();
    assert!(matches!(answer.status.as_u16(), 200 | 503), "{answer:?}");
    let mut counts = std::collections::BTreeMap::<u16, u32>::new();
    for one in asking {
        *counts.entry(one.await.unwrap()).or_default() += 1;
    }
    measured(&format!(
        "1,000 bodies of {} bytes: {counts:?} in {:?}; a small request waited {waited:?}; the \
         gateway has {:.0} MiB",
        body.len(),
        began.elapsed(),
        crate::world::memory_mib(world.role("gateway").unwrap())
    ));
    // Connections beyond the limit of one address get none; everything else is an answer.
    let known = [0, 200, 403, 429, 503];
    assert!(
        counts.keys().all(|status| known.contains(status)),
        "{counts:?}"
    );
    assert!(
        counts.get(&200).is_some_and(|count| *count > 0),
        "{counts:?}"
    );
    assert_eq!(browse(&world, "/after?a=1").await.status, 200);
}

const JSON: &str = "application/json";

/// Type, target and body; without a type a GET.
const ATTACKS: &[(Option<&str>, &str, &str)] = &[
    (
        None,
        "/?id=1%27%20UNION%20SELECT%20password%20FROM%20users--%20-",
        "",
    ),
    (None, "/?q=%3Cscript%3Ealert(1)%3C/script%3E", ""),
    (None, "/?file=../../../../etc/passwd", ""),
    (
        Some(JSON),
        "/",
        r#"{"user":{"name":"1' UNION SELECT password FROM users-- -"}}"#,
    ),
    (
        Some(FORM),
        "/",
        "a=1&b=1%27+UNION+SELECT+password+FROM+users--+-",
    ),
    // The type lies, or none is said.
    (
        Some("text/plain"),
        "/",
        "b=1%27+UNION+SELECT+password+FROM+users--+-",
    ),
    (Some(""), "/", "b=1%27+UNION+SELECT+password+FROM+users--+-"),
];

const HONEST: &[(Option<&str>, &str, &str)] = &[
    (None, "/", ""),
    (None, "/search?q=blue+suede+shoes&page=2", ""),
    (
        Some(JSON),
        "/api/orders",
        r#"{"product":"Lamp","quantity":2,"gift":false}"#,
    ),
    (
        Some(FORM),
        "/contact",
        "name=Ada&message=Could+you+call+me+tomorrow",
    ),
];
