use serde_json::{Value, json};

use crate::Exit;
use crate::testing::{Place, Sink};

fn started() -> Place {
    let place = Place::new();
    assert_eq!(place.run(&["init", "--name", "acme"]).exit, Exit::Ok);
    place
}

fn lately(rate: f64, p99_ms: f64) -> Value {
    json!({
        "requests": 100, "rate": rate, "statuses": { "2xx": rate, "5xx": rate / 100.0 },
        "refused_rate": 0.5, "would_refuse_rate": 0.0,
        "steps": { "inspect": { "refused": 5, "would_refuse": 0 }, "limits": { "refused": 0, "would_refuse": 3 } },
        "p50_ms": 1.25, "p90_ms": 2.0, "p99_ms": p99_ms, "p999_ms": 30.0,
        "service_p50_ms": 1.0, "service_p99_ms": p99_ms / 2.0, "service_percent": 81.5,
    })
}

fn route(name: &str, rate: f64, p99_ms: f64) -> Value {
    let mut route = lately(rate, p99_ms);
    route["name"] = json!(name);
    route["to"] = json!("shop");
    route["observing"] = json!([]);
    route
}

fn service() -> Value {
    let address = |address: &str, condition: &str| {
        json!({
            "gateway": "gateway", "address": address, "condition": condition, "since": null, "why": null,
            "share_percent": 100, "under_way": 2, "connections": 3, "failures": {}, "last_failure": null, "failing": 0, "is_in_trouble": condition != "well",
            "ejections": 0, "probes": 12, "probes_failed": 0,
        })
    };
    let mut down = address("10.0.0.2:8080", "unwell");
    down["since"] = json!("2026-03-01T08:00:00.000Z");
    down["why"] = json!("it takes no connection");
    down["failures"] = json!({ "connect": 4, "timeout": 1 });
    down["probes_failed"] = json!(9);
    json!({
        "name": "shop", "requests": 900, "under_way": 4, "waiting": 1, "crowded_out": 0, "retries": 7,
        "retries_withheld": 2, "retries_left": 10, "breaker": "half_open", "held_off": 3,
        "addresses": [address("10.0.0.1:8080", "well"), down], "left_out": 0,
        "is_in_trouble": true, "lately": lately(42.0, 8.0),
    })
}

fn top() -> Value {
    let held = json!({ "bytes": 2048, "bytes_max": 268_435_456 });
    json!({
        "at": "2026-03-01T08:15:30.000Z", "window_s": 10,
        "gateways": [{
            "name": "gateway", "version": 3, "connections": 12, "rate": 42.0, "left_out": 0,
            "held_memory": held, "held_disk": { "bytes": 0, "bytes_max": 2_147_483_648_u64 },
        }],
        "total": lately(43.0, 9.0),
        "routes": [route("quiet", 0.0, 0.0), route("orders", 42.0, 8.0), route("slow", 1.0, 250.0)],
        "services": [service()],
    })
}

#[test]
fn top_without_a_terminal_looks_once() {
    let place = started();
    let asked = place.serve(|_, _| (200, top().to_string()));
    insta::assert_snapshot!("top", place.run(&["gateway", "top"]).show());
    assert_eq!(asked.targets(), ["GET /gateway/top?window=10s"]);
    assert_eq!(place.run(&["gateway", "top", "--once"]).exit, Exit::Ok);
    let document = place.run(&["gateway", "top", "--format", "json"]).json();
    assert_eq!(document["schema"], "rampart.top.v1");
    assert_eq!(document["routes"][1]["name"], "orders");
}

#[test]
fn routes_stand_in_the_order_asked_for() {
    let place = started();
    let _asked = place.serve(|_, _| (200, top().to_string()));
    let order = |sort: &str| {
        let ran = place.run(&["gateway", "top", "--sort", sort]);
        let place = |name: &str| ran.out.find(&format!("\n{name} ")).unwrap();
        let mut names = ["quiet", "orders", "slow"];
        names.sort_by_key(|name| place(name));
        names
    };
    assert_eq!(order("requests"), ["orders", "slow", "quiet"]);
    assert_eq!(order("p99"), ["slow", "orders", "quiet"]);
    assert_eq!(order("name"), ["orders", "quiet", "slow"]);
    let ran = place.run(&["gateway", "top", "--limit", "1"]);
    assert!(ran.out.contains("and 2 routes more"), "{}", ran.out);
}

#[test]
fn watching_writes_one_document_for_each_look() {
    let place = started();
    let _asked = place.serve(|_, _| (200, top().to_string()));
    let watch = [
        "gateway", "top", "--watch", "--looks", "3", "--every", "1ms", "--format", "json",
    ];
    let ran = place.run(&watch);
    let lines: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|one| one["schema"] == "rampart.top.v1"));
}

#[test]
fn on_a_screen_each_look_is_written_over_the_one_before() {
    let place = started();
    let _asked = place.serve(|_, _| (200, top().to_string()));
    let out = Sink::default();
    let looks = ["gateway", "top", "--looks", "2", "--every", "1ms"];
    let exit = place.run_on_screen(&looks, Box::new(out.clone()), || Some((40, 6)));
    assert_eq!(exit, Exit::Ok);
    let text = out.text();
    let (first, second) = text.split_once("\x1b[5A\r\x1b[J").unwrap();
    assert_eq!((first.lines().count(), second.lines().count()), (5, 5));
    assert!(
        text.lines().all(|line| line.chars().count() <= 60),
        "{text:?}"
    );
    for set in ["\x1b[?25l", "\x1b[?1049h"] {
        assert!(!text.contains(set), "nothing is to be set back");
    }
}

#[test]
fn a_server_that_was_never_there_is_an_error() {
    let place = started();
    assert_eq!(place.run(&["gateway", "top", "--watch"]).exit, Exit::Failed);
}

#[test]
fn services_say_since_when_and_why() {
    let place = started();
    let _asked = place.serve(|_, _| (200, json!({ "services": [service()] }).to_string()));
    let ran = place.run(&["gateway", "services"]);
    assert_eq!(ran.exit, Exit::No);
    insta::assert_snapshot!("services", ran.show());
    let ran = place.run(&["gateway", "services", "none"]);
    assert_eq!(ran.exit, Exit::Failed);
}

#[test]
fn observed_says_which_line_would_block() {
    let place = started();
    let asked = place.serve(|_, _| {
        let finding = |code: &str, effect: &str, line: Value| json!({
            "route": "orders", "step": "inspect", "code": code, "effect": effect, "count": 12,
            "decides": 10, "share_percent": 2.4, "addresses": 3, "principals": 1, "at_least": false,
            "first": "2026-03-01T07:00:00.000Z", "last": "2026-03-01T08:00:00.000Z",
            "mode_of": "inspect", "is_observing": true, "line": line, "write": "mode = \"block\"",
            "examples": [{
                "request_id": "req_00000000000000000000000001", "time": "2026-03-01T08:00:00.000Z",
                "request": "GET shop.example/api/orders", "reason": "an argument looks like \u{1b}[2J SQL",
            }],
        });
        let answer = json!({
            "from": "2026-02-28T08:15:00.000Z", "until": "2026-03-01T08:15:00.000Z",
            "complete": false, "notes": ["no gateway is connected"], "requests": 500,
            "sealed_until": null, "would_refuse": 10, "routes": [],
            "found": [
                finding("inspect.match", "refuse", json!(48)),
                finding("validate.response_body", "note", Value::Null),
            ],
            "observing": [{
                "route": "orders", "step": "limits", "since": "2026-02-01T00:00:00.000Z", "version": 2,
                "at_least": false, "line": 48, "requests": 500, "found": 0,
            }],
        });
        (200, answer.to_string())
    });
    let ran = place.run(&["gateway", "observed", "--since", "7d", "--route", "orders"]);
    assert_eq!(ran.exit, Exit::No);
    insta::assert_snapshot!("observed", ran.show());
    assert_eq!(
        asked.targets(),
        ["GET /gateway/observed?since=1w&route=orders"]
    );
}
