use serde_json::{Value, json};

use crate::Exit;
use crate::testing::{Asked, Place};

fn started() -> Place {
    let place = Place::new();
    assert_eq!(place.run(&["init", "--name", "acme"]).exit, Exit::Ok);
    place
}

fn change() -> Value {
    json!({
        "kind": "changed",
        "what": "route `app-all`",
        "detail": ["`modes.inspect`: observe → block"],
        "effect": "every step refuses",
    })
}

/// A server that plans one change against version 4 and applies it.
fn planning(place: &Place) -> Asked {
    place.serve(|target, body| match target {
        "POST /estate/plan" => {
            assert!(body["source"].as_str().unwrap().contains("[estate]"));
            (
                200,
                json!({ "base": 4, "hash": "aa", "changes": [change()] }).to_string(),
            )
        }
        "POST /estate/apply" => {
            let version =
                json!({ "number": 5, "hash": "aa", "applied_at": "2026-03-01T08:00:00.000Z" });
            (200, version.to_string())
        }
        _ => (404, String::new()),
    })
}

#[test]
fn plan_shows_changes_and_their_effect() {
    let place = started();
    let asked = planning(&place);
    let ran = place.run(&["plan"]);
    insta::assert_snapshot!("plan", ran.show());
    assert_eq!(place.run(&["plan", "--exit-code"]).exit, Exit::No);
    assert_eq!(
        place.run(&["plan", "--format", "json"]).json()["changes"],
        json!([change()])
    );
    assert!(
        asked
            .targets()
            .iter()
            .all(|target| target == "POST /estate/plan")
    );
}

#[test]
fn apply_names_the_planned_base_and_hash() {
    let place = started();
    let asked = planning(&place);
    let ran = place.run(&["apply", "--yes"]);
    insta::assert_snapshot!("apply", ran.show());
    assert_eq!(asked.targets(), ["POST /estate/plan", "POST /estate/apply"]);
    let sent = asked.last();
    assert_eq!((&sent["base"], &sent["hash"]), (&json!(4), &json!("aa")));
    assert!(sent["source"].as_str().unwrap().contains("name = \"acme\""));
}

#[test]
fn apply_without_a_typed_yes_applies_nothing() {
    let mut place = started();
    let asked = planning(&place);
    assert_eq!(place.run(&["apply"]).exit, Exit::Usage);
    place.typed = Some("y\n");
    assert_eq!(place.run(&["apply"]).exit, Exit::No);
    place.typed = Some("");
    assert_eq!(place.run(&["apply"]).exit, Exit::No);
    assert!(!asked.targets().contains(&"POST /estate/apply".to_owned()));
    place.typed = Some("yes\n");
    assert_eq!(place.run(&["apply"]).exit, Exit::Ok);
    assert_eq!(asked.targets().last().unwrap(), "POST /estate/apply");
}

#[test]
fn apply_of_a_bad_file_asks_no_server() {
    let place = started();
    let asked = planning(&place);
    place.write("rampart.toml", "[estate]\nname = \"acme\"\n");
    let ran = place.run(&["apply", "--yes"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.err.contains("`estate` needs `domain`"), "{}", ran.err);
    assert_eq!(asked.targets(), Vec::<String>::new());
}

#[test]
fn refusals_of_the_server_become_exit_codes() {
    let place = started();
    place.serve(|target, _| {
        let (status, detail) = match target {
            "GET /people" => (403, "this needs the permission `rampart.people:read`"),
            "GET /sessions" => (503, "the trail's disk is full"),
            "GET /bindings" => (409, "somebody else was first"),
            _ => (422, "`network` is not an address"),
        };
        let problem = json!({
            "type": "urn:rampart:problem:x", "title": "No", "status": status, "detail": detail,
            "request_id": "req_1",
            "errors": [{ "message": "bad\u{1b}[2J", "line": 3, "column": 7, "hint": "do better" }],
        });
        (status, problem.to_string())
    });
    for (arguments, exit) in [
        (&["people", "list"][..], Exit::No),
        (&["sessions", "list"], Exit::Failed),
        (&["roles", "list"], Exit::Failed),
        (&["gateway", "bans"], Exit::Usage),
    ] {
        let ran = place.run(arguments);
        assert_eq!(ran.exit, exit, "{arguments:?}");
        assert_eq!(ran.out, "");
        assert!(!ran.err.contains('\u{1b}'), "{:?}", ran.err);
    }
    insta::assert_snapshot!("refused", place.run(&["sessions", "list"]).show());
}

#[test]
fn status_and_doctor_say_what_does_not_work() {
    let place = started();
    place.serve(|target, _| match target {
        "GET /health" => {
            let health = json!({
                "state": "red", "version": "0.1.0",
                "components": [
                    { "name": "store", "state": "green", "detail": "answers" },
                    { "name": "trail", "state": "red", "detail": "the disk is full" },
                ],
            });
            (503, health.to_string())
        }
        "POST /estate/drift" => (
            200,
            json!({ "same_text": false, "changes": [1, 2] }).to_string(),
        ),
        _ => (404, String::new()),
    });
    let ran = place.run(&["status"]);
    assert_eq!(ran.exit, Exit::No);
    insta::assert_snapshot!("status", ran.show());
    assert_eq!(
        place.run(&["status", "--format", "json"]).json()["schema"],
        "rampart.status.v1"
    );
    let ran = place.run(&["doctor"]);
    assert_eq!(ran.exit, Exit::No);
    insta::assert_snapshot!("doctor", ran.show());
}

#[test]
fn people_are_found_by_mail_and_switched_by_id() {
    let place = started();
    let ada = "per_01J8Z3V5Q0R7M2X4N6B8C0D1E2";
    let asked = place.serve(move |target, _| {
        if target == "GET /people" {
            let people = json!({ "people": [{
                "id": ada, "login": "ada", "email": "ada@shop.example", "name": "Ada\u{1b}[31m", "state": "active",
                "roles": ["support", "auditor"], "groups": [],
            }]});
            return (200, people.to_string());
        }
        (200, "{}".to_owned())
    });
    insta::assert_snapshot!("people", place.run(&["people", "list"]).show());
    assert_eq!(
        place.run(&["people", "disable", "ADA@shop.example"]).exit,
        Exit::Ok
    );
    assert_eq!(
        asked.targets().last().unwrap(),
        &format!("POST /people/{}/disable", ada.replace('_', "%5F"))
    );
    let ran = place.run(&["people", "disable", "bob@shop.example"]);
    assert_eq!(ran.exit, Exit::Failed);
    let lines = place.run(&["people", "list", "--format", "jsonl"]).out;
    assert_eq!(lines.lines().count(), 1);
}

#[test]
fn invitation_prints_the_link_once_and_asks_for_roles_with_it() {
    let place = started();
    let asked = place.serve(|target, body| {
        let link = match body["login"].as_str() {
            Some("bob") => Value::Null,
            _ => json!("https://rampart.localhost:8443/enrol/x"),
        };
        let made = json!({
            "person": { "id": "per_1" }, "token": "x", "path": "/enrol/x", "link": link,
            "expires_at": "2026-03-02T08:00:00.000Z",
        });
        (
            if target.starts_with("POST") { 201 } else { 404 },
            made.to_string(),
        )
    });
    let ran = place.run(&[
        "people", "invite", "ada", "--role", "support", "--group", "staff",
    ]);
    insta::assert_snapshot!("invite", ran.show());
    let sent = json!({ "login": "ada", "name": "ada", "roles": ["support"], "groups": ["staff"] });
    assert_eq!(asked.last(), sent);
    let ran = place.run(&["people", "invite", "bob"]);
    assert!(
        ran.out.starts_with("/enrol/x (on the console's host)\n"),
        "{}",
        ran.out
    );
    let ran = place.run(&["rescue", "administrator"]);
    insta::assert_snapshot!("rescue", ran.show());
    assert_eq!(asked.last(), json!({}));
    place.run(&["rescue", "administrator", "--login", "ada"]);
    assert_eq!(asked.last(), json!({ "login": "ada" }));
}

#[test]
fn routes_show_what_goes_over_them() {
    let place = started();
    place.serve(|_, _| {
        let route = |name: &str, numbers: Value| json!({
            "name": name, "host": null, "path": "/**", "to": "app", "auth": "required", "numbers": numbers,
        });
        let numbers = json!({ "requests": 1200, "refused": 3, "would_refuse": 0, "p99_ms": 4.5 });
        let routes = [route("app-all", numbers), route("quiet", Value::Null)];
        (200, json!({ "gateways": [], "total": {}, "routes": routes }).to_string())
    });
    insta::assert_snapshot!("routes", place.run(&["gateway", "routes"]).show());
}

#[test]
fn roles_and_keys_name_people_by_login() {
    let place = started();
    let asked = place.serve(|target, _| match target {
        "GET /people" => {
            (200, json!({ "people": [{ "id": "per_1", "login": "ada", "email": null }] }).to_string())
        }
        "GET /bindings" => {
            let binding = |id: &str, person: &str| json!({
                "id": id, "person": person, "kind": "role", "name": "support", "created_at": "t",
            });
            (200, json!({ "bindings": [binding("bnd_1", "per_2"), binding("bnd_2", "per_1")] }).to_string())
        }
        "GET /api-keys" => {
            let key = json!({ "id": "key_1", "owner": "per_1", "name": "ci", "prefix": "rk_1",
                "permissions": ["orders:read", "stock:*"], "expires_at": "t" });
            (200, json!({ "keys": [key] }).to_string())
        }
        "POST /api-keys" => (201, json!({ "key": { "id": "key_2" }, "text": "rk_secret" }).to_string()),
        _ => (204, String::new()),
    });
    insta::assert_snapshot!("roles", place.run(&["roles", "list"]).show());
    insta::assert_snapshot!("api_keys", place.run(&["api-keys", "list"]).show());
    assert_eq!(
        place.run(&["roles", "revoke", "ada", "support"]).exit,
        Exit::Ok
    );
    assert_eq!(asked.targets().last().unwrap(), "DELETE /bindings/bnd%5F2");
    assert_eq!(
        place.run(&["roles", "revoke", "ada", "auditor"]).exit,
        Exit::Failed
    );
    let made = place.run(&[
        "api-keys",
        "create",
        "ci",
        "--owner",
        "ada",
        "--allow",
        "orders:read",
    ]);
    assert_eq!(made.out, "rk_secret\n");
    assert_eq!(asked.last()["owner"], "per_1");
    place.run(&[
        "api-keys",
        "create",
        "ci",
        "--allow",
        "orders:read",
        "--for",
        "1d",
    ]);
    let sent = asked.last();
    assert_eq!(sent.get("owner"), None);
    let ends: model::Timestamp = sent["expires_at"].as_str().unwrap().parse().unwrap();
    let now = model::Clock::now(&testkit::FakeClock::new());
    assert_eq!(ends.since(now), std::time::Duration::from_secs(86_400));
}

#[test]
fn explain_says_step_line_and_reason() {
    let place = started();
    let asked = place.serve(|_, _| {
        let answer = json!({
            "allowed": false, "status": 403, "summary": "`orders` needs `orders:read`",
            "steps": [
                { "step": "route", "verdict": "passed", "text": "orders matches", "line": 36 },
                { "step": "authorise", "verdict": "would_refuse", "text": "`orders:read` is not_held", "line": 39 },
            ],
        });
        (200, answer.to_string())
    });
    let ran = place.run(&[
        "gateway",
        "explain",
        "POST https://app.localhost/x?y=1",
        "--as",
        "ada@shop.example",
        "--header",
        "Accept: text/html",
    ]);
    assert_eq!(ran.exit, Exit::No);
    insta::assert_snapshot!("explain", ran.show());
    assert_eq!(
        asked.last(),
        json!({
            "method": "POST", "url": "https://app.localhost/x?y=1",
            "headers": [["accept", "text/html"]], "as": "ada@shop.example",
        })
    );
    for wrong in [
        "get https://x/",
        "GET /path",
        "GET https://x/ more",
        "ftp://x",
    ] {
        assert_eq!(
            place.run(&["gateway", "explain", wrong]).exit,
            Exit::Usage,
            "{wrong}"
        );
    }
    let ran = place.run(&["gateway", "explain", "https://x/", "--header", "a: b\nc: d"]);
    assert_eq!(ran.exit, Exit::Usage);
}

#[test]
fn ban_sends_its_range_and_unban_finds_it() {
    let place = started();
    let asked = place.serve(|target, body| match target {
        "GET /gateway/bans" => {
            let bans = json!({ "bans": [{ "id": "ban_1", "network": "203.0.113.0/24", "until": "t", "reason": "r" }] });
            (200, bans.to_string())
        }
        "POST /gateway/bans" => (200, json!({ "network": body["network"], "until": "tomorrow" }).to_string()),
        _ => (204, String::new()),
    });
    let ran = place.run(&["gateway", "ban", "203.0.113.9", "--for", "90m"]);
    assert_eq!(ran.out, "203.0.113.9 is refused until tomorrow\n");
    assert_eq!(asked.last()["for"], "90m");
    assert_eq!(
        place.run(&["gateway", "unban", "203.0.113.0/24"]).exit,
        Exit::Ok
    );
    assert_eq!(
        asked.targets().last().unwrap(),
        "DELETE /gateway/bans/ban%5F1"
    );
    assert_eq!(
        place.run(&["gateway", "unban", "198.51.100.1"]).exit,
        Exit::Failed
    );
}

#[test]
fn certificates_are_listed_with_what_went_wrong_and_asked_for_anew_by_host() {
    let place = started();
    let asked = place.serve(|target, _| match target {
        "GET /gateway/certificates" => {
            let all = json!({ "certificates": [
                { "names": ["a.shop.example", "b.shop.example"], "source": "file", "issuer": "Company",
                  "until": "2026-03-01", "renews": null, "error": null },
                { "names": ["c.shop.example"], "source": "acme", "issuer": "Authority",
                  "until": "2026-02-01", "renews": "2026-01-20", "error": "the authority says: later" },
            ] });
            (200, all.to_string())
        }
        _ => (204, String::new()),
    });
    insta::assert_snapshot!("certificates", place.run(&["certificates", "list"]).show());
    let ran = place.run(&["certificates", "renew", "c.shop.example/../x"]);
    assert_eq!(ran.exit, Exit::Ok);
    let target = "POST /gateway/certificates/c%2Eshop%2Eexample%2F%2E%2E%2Fx/renew";
    assert_eq!(asked.targets().last().unwrap(), target);
}

#[test]
fn search_escapes_what_it_asks_and_shows_one_line_each() {
    let place = started();
    let asked = place.serve(|_, _| {
        let record = json!({ "index": 7, "leaf_hash": "00", "event": {
            "time": "2026-03-01T08:00:00.000Z", "severity": "low", "outcome": "refused",
            "kind": "identity.session.refused", "actor": { "name": "ada" },
            "message": "wrong password\nforged line",
        }});
        (200, json!({ "records": [record], "next": 7 }).to_string())
    });
    let ran = place.run(&["trail", "search", "a&b=c", "--outcome", "refused"]);
    assert_eq!(
        asked.targets(),
        ["GET /trail?text=a%26b%3Dc&outcome=refused&limit=50"]
    );
    insta::assert_snapshot!("search", ran.show());
    assert_eq!(ran.out.lines().count(), 1);
}

#[test]
fn tail_prints_records_until_the_server_ends() {
    let place = started();
    place.serve(|target, _| {
        if target == "GET /trail/stream" {
            let line = |n: u32| json!({ "index": n, "event": { "message": "m", "actor": {} } });
            return (
                200,
                format!("{}\n\n{}\n{}\n", line(1), json!({ "missed": 3 }), line(5)),
            );
        }
        (200, json!({ "records": [] }).to_string())
    });
    let ran = place.run(&["trail", "tail", "--format", "jsonl"]);
    let lines: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[1]["schema"], &lines[1]["index"]),
        (&json!("rampart.trail-record.v1"), &json!(5))
    );
    assert!(ran.err.contains("3 records came faster"), "{}", ran.err);
    assert_eq!(ran.exit, Exit::Failed);
}

#[test]
fn server_of_another_kind_is_no_crash() {
    let place = started();
    place.serve(|_, _| (200, "<html>".to_owned()));
    for arguments in [
        &["plan"][..],
        &["status"],
        &["people", "list"],
        &["trail", "tail"],
        &["gateway", "routes"],
        &["rescue", "administrator"],
    ] {
        let ran = place.run(arguments);
        assert_eq!(ran.exit, Exit::Failed, "{arguments:?}");
        assert!(ran.err.starts_with("error: "), "{}", ran.err);
    }
}

#[test]
fn trail_verify_needs_a_trail() {
    let place = started();
    let ran = place.run(&["trail", "verify"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(
        ran.err.contains("there is no trail at `DIR/data/trail`"),
        "{}",
        ran.err
    );
    assert_eq!(
        place.run(&["trail", "verify", "--offline", "none"]).exit,
        Exit::Failed
    );
    let ran = place.run(&["trail", "verify", "--offline", ".", "--key", "nonsense"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(
        ran.err.contains("`--key` is not a verification key"),
        "{}",
        ran.err
    );
}

#[test]
fn keys_are_listed_to_the_last_page() {
    let place = started();
    let asked = place.serve(|target, _| {
        let page = |id: &str, next: Value| json!({ "keys": [{ "id": id }], "next": next });
        match target {
            "GET /api-keys" => (200, page("key_9", json!("key_9")).to_string()),
            "GET /api-keys?before=key%5F9" => (200, page("key_8", Value::Null).to_string()),
            _ => (404, String::new()),
        }
    });
    let ran = place.run(&["api-keys", "list", "--format", "json"]);
    let keys: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(keys["keys"], json!([{ "id": "key_9" }, { "id": "key_8" }]));
    assert_eq!(asked.targets().len(), 2);
}
