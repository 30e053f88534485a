//! The dashboard and the alert rules ask for what the running program tells, and nothing else; and
//! whoever looks sees what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use bytes::Bytes;
use http::{Method, Request};
use net::{Client, Endpoint};
use serde_json::Value;
use testkit::eventually;

use crate::backend::Backend;
use crate::skipped;
use crate::world::{SOON, World};

/// Labels that Prometheus adds.
const ADDED: [&str; 2] = ["instance", "job"];
/// What Prometheus itself tells.
const OWN: &str = "up";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/monitoring")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

/// Every expression of the dashboard, its variables included.
fn dashboard() -> Vec<String> {
    fn gather(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match (key.as_str(), value.as_str()) {
                        ("expr" | "definition", Some(text)) => found.push(text.to_owned()),
                        _ => gather(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    let text = read("grafana-rampart.json");
    gather(&serde_json::from_str(&text).unwrap(), &mut found);
    found
}

/// Every expression of the alert rules.
fn alerts() -> Vec<String> {
    let text = read("alerts.yaml");
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(expression) = line.trim_start().strip_prefix("expr: ") else {
            continue;
        };
        if expression != "|" {
            found.push(expression.to_owned());
            continue;
        }
        let depth = |line: &str| line.len() - line.trim_start().len();
        let mut block = String::new();
        while let Some(next) = lines.next_if(|next| depth(next) > depth(line)) {
            block.push_str(next.trim());
            block.push(' ');
        }
        found.push(block);
    }
    found
}

/// Metrics of an expression with the labels that it says of each, and the labels that it groups by.
#[derive(Debug, Default)]
struct Used {
    metrics: Vec<(String, BTreeSet<String>)>,
    grouped: BTreeSet<String>,
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn used(expression: &str) -> Used {
    let mut used = Used::default();
    let mut rest = expression;
    while let Some(start) = rest.find(is_name) {
        let (_, from) = rest.split_at(start);
        let end = from.find(|c| !is_name(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        rest = after;
        if word == "by" || word == "label_values" {
            let inner = after.split_once('(').map_or("", |(_, inner)| inner);
            if word == "by" {
                let list = inner.split_once(')').map_or("", |(list, _)| list);
                used.grouped
                    .extend(list.split(',').map(|label| label.trim().to_owned()));
            }
            continue;
        }
        if word.starts_with("rampart_") || word == OWN {
            let mut labels = BTreeSet::new();
            if let Some(inner) = after.strip_prefix('{') {
                let list = inner.split_once('}').map_or("", |(list, _)| list);
                for matcher in list.split(',') {
                    let name = matcher.split(['=', '!', '~']).next().unwrap_or("");
                    labels.insert(name.trim().to_owned());
                }
            }
            used.metrics.push((word.to_owned(), labels));
        }
    }
    if let Some(label) = expression
        .strip_prefix("label_values(")
        .and_then(|inner| inner.rsplit_once(','))
    {
        used.grouped
            .insert(label.1.trim_end_matches(')').trim().to_owned());
    }
    used
}

/// What is told: metrics with all their labels.
fn told(scrapes: &[String]) -> BTreeMap<String, BTreeSet<String>> {
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in scrapes.iter().flat_map(|text| text.lines()) {
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        let end = line.find(['{', ' ']).unwrap();
        let (name, rest) = line.split_at(end);
        let labels = told.entry(name.to_owned()).or_default();
        let inner = rest
            .strip_prefix('{')
            .and_then(|rest| rest.rsplit_once('}'));
        for pair in inner.map_or("", |(list, _)| list).split("\",") {
            if let Some((label, _)) = pair.split_once('=') {
                labels.insert(label.to_owned());
            }
        }
    }
    told
}

async fn scrape(address: SocketAddr) -> Option<String> {
    fetch(address, "/metrics").await
}

async fn fetch(address: SocketAddr, target: &str) -> Option<String> {
    let client = Client::new(Endpoint::Tcp(address));
    let request = Request::get(target).header("host", "metrics");
    let answer = client
        .send(request.body(Bytes::new()).unwrap())
        .await
        .ok()?;
    // Who has just started may not be ready.
    if !answer.status().is_success() {
        return None;
    }
    let bytes = answer.bytes().await.ok()?;
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}

const DOCUMENT: &str = r#"
openapi: 3.1.0
info: { title: Things, version: "1" }
paths:
  /watched/a:
    get: { responses: { "204": { description: another status than the service gives } } }
"#;

fn estate(address: SocketAddr, nobody: SocketAddr) -> String {
    format!(
        r#"
[limits.shared]
address = "redis://{nobody}"

[[service]]
name = "pair"
addresses = ["{address}", "{nobody}"]
health = {{ every = "200ms", timeout = "100ms", fall = 1, rise = 1 }}
breaker = {{}}

[[service]]
name = "away"
address = "{nobody}"

[[route]]
name = "open"
host = "app.localhost"
path = "/**"
to = "pair"
auth = "none"

[[route]]
name = "away"
host = "app.localhost"
path = "/away"
to = "away"
auth = "none"

[[route]]
name = "watched"
host = "app.localhost"
path = "/watched/**"
to = "backend"
auth = "none"
openapi = "watched.yaml"
mode = "observe"
"#
    )
}

/// A Rampart that has seen everything that is told of.
async fn busy() -> (World, Vec<String>) {
    let [nobody] = testkit::free_addresses().unwrap();
    let (_, address) = Backend::start().await;
    let documents = [("watched.yaml", DOCUMENT)];
    let world = World::start_scraped(address, &estate(address, nobody), &documents).await;
    for target in [
        "/ok",
        "/away",
        "/watched/a",
        "/watched/b",
        "/?q=%3Cscript%3Ealert(document.cookie)%3C/script%3E",
    ] {
        world.get("app.localhost", target).await;
    }
    let gateway = world.metrics.unwrap();
    let control = SocketAddr::new(gateway.ip(), gateway.port() + 1);
    let whole = |text: &str| {
        text.contains("rampart_gateway_upstream_healthy{service=\"pair\"")
            && text.contains("} 0")
            && text.contains("rampart_gateway_would_refuse_total{")
            && text.contains("rampart_gateway_answer_drift_total{")
    };
    let ready = || async {
        scrape(gateway).await.is_some_and(|text| whole(&text)) && scrape(control).await.is_some()
    };
    assert!(eventually(SOON, ready).await, "{}", world.log());
    let scrapes = vec![
        scrape(gateway).await.unwrap(),
        scrape(control).await.unwrap(),
    ];
    (world, scrapes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dashboard_and_alerts_ask_for_what_is_told() {
    let (world, scrapes) = busy().await;
    an_address_alone_that_fails_is_in_trouble(&world).await;
    let told = told(&scrapes);
    let (dashboard, alerts) = (dashboard(), alerts());
    assert!(dashboard.len() > 40 && alerts.len() > 15);
    for expression in dashboard.iter().chain(&alerts) {
        let used = used(expression);
        assert!(!used.metrics.is_empty(), "{expression}");
        let mut known: BTreeSet<&str> = ADDED.into();
        for (metric, labels) in used.metrics.iter().filter(|(metric, _)| metric != OWN) {
            let has = told.get(metric);
            let has =
                has.unwrap_or_else(|| panic!("{metric} is not told: {expression}\n{scrapes:?}"));
            known.extend(has.iter().map(String::as_str));
            for label in labels
                .iter()
                .filter(|label| !ADDED.contains(&label.as_str()))
            {
                assert!(has.contains(label), "{metric} has no {label}: {expression}");
            }
        }
        for label in &used.grouped {
            assert!(
                known.contains(label.as_str()),
                "nothing has {label}: {expression}"
            );
        }
    }
    // And the other way round: what is told is shown or watched.
    let shown = dashboard.join(" ") + &alerts.join(" ");
    for metric in told.keys() {
        let family = metric
            .trim_end_matches("_count")
            .trim_end_matches("_sum")
            .trim_end_matches("_bucket");
        let is_shown = shown.contains(family) || family == "rampart_build_info";
        // Probes that went well are told so that a share can be made of them.
        assert!(
            is_shown || family == "rampart_gateway_upstream_probes_total",
            "{metric}"
        );
    }
}

/// Nobody probes it and it is never passed over, as there is no other: that it fails is seen all
/// the same.
async fn an_address_alone_that_fails_is_in_trouble(world: &World) {
    let seen = || async {
        assert_eq!(world.get("app.localhost", "/away").await.status, 502);
        let answer = world.ask(Method::GET, "/gateway/services", None).await;
        let all = answer.unwrap()["services"].as_array().cloned();
        let all = all.unwrap_or_default();
        let away = all.iter().find(|one| one["name"] == "away");
        away.is_some_and(|away| {
            away["is_in_trouble"] == true
                && away["addresses"][0]["why"] == "its requests fail (connect)"
        })
    };
    assert!(eventually(SOON, seen).await);
}

#[test]
fn alerts_fire_when_they_should_and_every_query_is_promql() {
    let found = std::process::Command::new("promtool")
        .arg("--version")
        .output();
    if found.is_err() {
        return skipped("there is no promtool (Debian: prometheus)");
    }
    let run = |arguments: &[&str], file: &std::path::Path| {
        let output = std::process::Command::new("promtool")
            .args(arguments)
            .arg(file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{file:?}: {said}");
    };
    run(&["check", "rules"], &folder().join("alerts.yaml"));
    run(&["test", "rules"], &folder().join("alerts.test.yaml"));
    // A dashboard's queries are checked as rules, with its variables filled in.
    let mut rules = "groups:\n- name: dashboard\n  rules:\n".to_owned();
    let queries = dashboard()
        .into_iter()
        .filter(|one| !one.starts_with("label_values"));
    for (nth, query) in queries.enumerate() {
        let query = query.replace("$__rate_interval", "5m").replace('\'', "''");
        rules.push_str(&format!("  - record: query{nth}\n    expr: '{query}'\n"));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dashboard.yaml");
    store::atomic_write(&file, rules.as_bytes(), 0o644).unwrap();
    run(&["check", "rules"], &file);
}

/// A query's results, as a real Prometheus gives them.
async fn results(prometheus: SocketAddr, query: &str) -> Option<Vec<Value>> {
    let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let answer = fetch(prometheus, &format!("/api/v1/query?query={encoded}")).await?;
    let value: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(value["status"], "success", "{query}: {value}");
    value["data"]["result"].as_array().cloned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_itself_answers_every_query_of_the_dashboard() {
    if std::process::Command::new("prometheus")
        .arg("--version")
        .output()
        .is_err()
    {
        return skipped("there is no prometheus");
    }
    let (world, _) = busy().await;
    let gateway = world.metrics.unwrap();
    let control = SocketAddr::new(gateway.ip(), gateway.port() + 1);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("prometheus.yaml");
    let text = format!(
        "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nscrape_configs:\n\
         - {{ job_name: rampart-gateway, static_configs: [{{ targets: ['{gateway}'] }}] }}\n\
         - {{ job_name: rampart-control, static_configs: [{{ targets: ['{control}'] }}] }}\n\
         rule_files: ['{}']\n",
        self::folder().join("alerts.yaml").display()
    );
    store::atomic_write(&config, text.as_bytes(), 0o644).unwrap();
    let [address] = testkit::free_addresses().unwrap();
    let arguments = [
        format!("--config.file={}", config.display()),
        format!(
            "--storage.tsdb.path={}",
            folder.path().join("data").display()
        ),
        format!("--web.listen-address={address}"),
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let log = folder.path().join("prometheus.log");
    let _server = testkit::Process::start("prometheus".as_ref(), &arguments, &log).unwrap();
    let scraped = || async {
        let query = "min(count_over_time(up[1m])) >= 4";
        let found = results(address, query).await;
        found.is_some_and(|found| !found.is_empty())
    };
    assert!(eventually(SOON, scraped).await);
    for query in dashboard() {
        if query.starts_with("label_values") {
            continue;
        }
        let query = query.replace("$__rate_interval", "1m");
        let query = ["gateway", "control", "route", "service"]
            .iter()
            .fold(query, |query, name| {
                query.replace(&format!("${name}"), ".*")
            });
        // It looks for a change of the estate, and there was none.
        if query.contains("changes(") {
            continue;
        }
        let found = results(address, &query).await.unwrap();
        assert!(!found.is_empty(), "it shows nothing: {query}");
    }
    let watched = || async {
        let query = "ALERTS{alertname=\"RampartAddressUnwell\"}";
        results(address, query)
            .await
            .is_some_and(|found| found.len() == 1)
    };
    assert!(
        eventually(SOON, watched).await,
        "the dead address is watched"
    );
    let rules = fetch(address, "/api/v1/rules").await.unwrap();
    assert!(!rules.contains("\"lastError\""), "{rules}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_backend_is_seen_with_its_time_and_its_reason() {
    let (_, first) = Backend::start().await;
    let [second] = testkit::free_addresses().unwrap();
    let listener = tokio::net::TcpListener::bind(second).await.unwrap();
    let router = axum::Router::new().fallback(|| async { "second" });
    let killed = tokio::spawn(async move { axum::serve(listener, router).await });
    let text = estate(first, second).replace("openapi = \"watched.yaml\"\n", "");
    let world = World::start(first, &text).await;
    let services = || async { world.ask(Method::GET, "/gateway/services", None).await };
    let pair = |answer: &Value| {
        let all = answer["services"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|one| one["name"] == "pair")
    };
    let address = |answer: &Value| {
        let all = pair(answer).map(|pair| pair["addresses"].clone());
        let all = all
            .and_then(|all| all.as_array().cloned())
            .unwrap_or_default();
        all.into_iter()
            .find(|one| one["address"] == second.to_string())
    };
    let probed = || async {
        let answer = services().await.ok();
        let address = answer.as_ref().and_then(address);
        address.is_some_and(|one| one["condition"] == "well" && one["probes"].as_u64() > Some(2))
    };
    assert!(eventually(SOON, probed).await, "{:?}", services().await);
    let (code, out, _) = world.cli(&["gateway", "services"]);
    assert_eq!(code, 0, "{out}");
    killed.abort();
    let unwell = || async {
        let answer = services().await.ok();
        let address = answer.as_ref().and_then(address);
        address.is_some_and(|one| one["condition"] == "unwell")
    };
    assert!(eventually(SOON, unwell).await, "{:?}", services().await);
    let answer = services().await.unwrap();
    assert_eq!(pair(&answer).unwrap()["is_in_trouble"], true);
    let one = address(&answer).unwrap();
    assert_eq!(one["why"], "it takes no connection", "{one}");
    assert!(
        one["since"].is_string() && one["probes_failed"].as_u64() > Some(0),
        "{one}"
    );
    let (code, out, _) = world.cli(&["gateway", "services"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("it takes no connection"), "{out}");
    // Whoever asks is answered by the other one.
    for _ in 0..20 {
        assert_eq!(world.get("app.localhost", "/ok").await.status, 200);
    }
    let (code, out, err) = world.cli(&["gateway", "top", "--once", "--window", "1m"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("1 of 2 in use"), "{out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn top_shows_what_went_over_each_route_and_whose_time_it_was() {
    let (_, address) = Backend::start().await;
    let world = World::start(address, crate::world::OPEN).await;
    let top = || async { world.ask(Method::GET, "/gateway/top?window=1m", None).await };
    let route = |answer: &Value| {
        let all = answer["routes"].as_array().cloned().unwrap_or_default();
        all.into_iter()
            .find(|one| one["name"] == "open")
            .unwrap_or_default()
    };
    // What a gateway had counted before its first word moves nothing.
    let linked = || async {
        top()
            .await
            .is_ok_and(|top| top["gateways"][0]["version"] == 1)
    };
    assert!(eventually(SOON, linked).await);
    let seen = || async {
        for _ in 0..5 {
            world.get("app.localhost", "/slow").await;
        }
        let lately = route(&top().await.unwrap());
        lately["requests"].as_u64() >= Some(10)
    };
    assert!(eventually(SOON, seen).await, "{:?}", top().await);
    let lately = route(&top().await.unwrap());
    let ms = |key: &str| lately[key].as_f64().unwrap();
    assert!(
        ms("p50_ms") >= 290.0 && ms("p999_ms") < 30_000.0,
        "{lately}"
    );
    assert!(ms("service_p50_ms") >= 290.0, "{lately}");
    assert!(ms("service_p50_ms") <= ms("p50_ms") * 1.05, "{lately}");
    assert!(ms("service_percent") > 80.0, "the service sleeps: {lately}");
    let (code, out, err) = world.cli(&[
        "gateway", "top", "--looks", "2", "--every", "10ms", "--format", "jsonl",
    ]);
    assert_eq!((code, out.lines().count()), (0, 2), "{err}");
    for line in out.lines() {
        let look: Value = serde_json::from_str(line).unwrap();
        assert_eq!(look["schema"], "rampart.top.v1");
    }
}
