//! Routes with an OpenAPI document: what it describes reaches the service, and nothing else.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use testkit::eventually;

use crate::backend::Backend;
use crate::world::{Answer, SOON, World};

const DOCUMENT: &str = r##"
openapi: 3.1.0
info: { title: Orders, version: "1" }
paths:
  /api/orders:
    get:
      parameters:
        - { name: page, in: query, schema: { type: integer, minimum: 1, maximum: 100 } }
        - { name: x-tenant, in: header, schema: { enum: [a, b] } }
        - { name: flavour, in: cookie, schema: { type: string, maxLength: 5 } }
      responses: { "200": { description: all, content: { application/json: {} } } }
    post:
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: "#/components/schemas/Order" } }
      responses:
        "200":
          description: the order
          content:
            application/json: { schema: { $ref: "#/components/schemas/Order" } }
  /api/orders/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    put:
      requestBody: { content: { application/json: {} } }
      responses: { "201": { description: another status than the service gives } }
  /plain:
    get:
      responses: { "200": { description: said to be JSON, content: { application/json: {} } } }
components:
  schemas:
    Order:
      type: object
      required: [product, quantity]
      additionalProperties: false
      properties:
        product: { type: string, maxLength: 20 }
        quantity: { type: integer, minimum: 1 }
        comment: { type: string, maxLength: 100000 }
"##;

const ROUTE: &str = r#"
[[route]]
name = "orders"
host = "app.localhost"
path = "/**"
to = "backend"
auth = "none"
openapi = "orders.yaml"
"#;

async fn world(more: &str) -> (World, Backend, SocketAddr) {
    let (backend, address) = Backend::start().await;
    let routes = format!("{ROUTE}{more}");
    let world = World::start_with(address, &routes, &[("orders.yaml", DOCUMENT)]).await;
    (world, backend, address)
}

async fn ask(world: &World, line: &str, fields: &[(&str, &str)], body: &str) -> Answer {
    let (method, target) = line.split_once(' ').unwrap();
    let mut request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(target)
        .header("host", "app.localhost");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let request = request.body(Bytes::from(body.to_owned())).unwrap();
    world.try_send(request).await.unwrap()
}

const JSON: (&str, &str) = ("content-type", "application/json");
const FINE: &str = r#"{"product":"Lamp","quantity":2}"#;

fn problem(answer: &Answer) -> Value {
    assert_eq!(
        answer.headers["content-type"], "application/problem+json",
        "{answer:?}"
    );
    serde_json::from_str(&answer.body).unwrap()
}

/// What does not go through: line, fields, body, the answer's status and code, and where.
type Wrong = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    u16,
    &'static str,
    Option<(&'static str, &'static str)>,
);

const SECRET: &str = r#"{"product":"Lamp","quantity":"hunter2"}"#;

const WRONG: &[Wrong] = &[
    ("GET /nothing", &[], "", 404, "validate.path", None),
    ("GET /api/orders/", &[], "", 404, "validate.path", None),
    ("DELETE /api/orders", &[], "", 405, "validate.method", None),
    (
        "GET /api/orders?page=0",
        &[],
        "",
        400,
        "validate.parameter",
        Some(("query", "page")),
    ),
    (
        "GET /api/orders?page=x",
        &[],
        "",
        400,
        "validate.parameter",
        Some(("query", "page")),
    ),
    (
        "GET /api/orders?debug=1",
        &[],
        "",
        400,
        "validate.parameter",
        Some(("query", "debug")),
    ),
    (
        "GET /api/orders",
        &[("x-tenant", "c")],
        "",
        400,
        "validate.parameter",
        Some(("header", "x-tenant")),
    ),
    (
        "GET /api/orders",
        &[("cookie", "flavour=bitter")],
        "",
        400,
        "validate.parameter",
        Some(("cookie", "flavour")),
    ),
    (
        "PUT /api/orders/seven",
        &[JSON],
        "{}",
        400,
        "validate.parameter",
        Some(("path", "id")),
    ),
    (
        "POST /api/orders",
        &[],
        "",
        400,
        "validate.body",
        Some(("body", "")),
    ),
    (
        "POST /api/orders",
        &[JSON],
        SECRET,
        400,
        "validate.body",
        Some(("body", "/quantity")),
    ),
    (
        "POST /api/orders",
        &[JSON],
        r#"{"product":"Lamp","quantity":1,"price":0}"#,
        400,
        "validate.body",
        None,
    ),
    (
        "POST /api/orders",
        &[("content-type", "text/plain")],
        "x",
        415,
        "validate.media_type",
        None,
    ),
    (
        "POST /api/orders",
        &[JSON, ("x-http-method-override", "DELETE")],
        FINE,
        400,
        "validate.method_override",
        None,
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_the_document_describes_reaches_the_service() {
    let (world, backend, _) = world("").await;
    for (line, fields, body) in [
        (
            "GET /api/orders?page=3",
            &[("x-tenant", "a"), ("cookie", "flavour=sweet; other=1")][..],
            "",
        ),
        ("POST /api/orders", &[JSON], FINE),
        (
            "POST /api/orders",
            &[("content-type", "application/json; charset=utf-8")],
            FINE,
        ),
        ("PUT /api/orders/7", &[JSON], "{}"),
    ] {
        let answer = ask(&world, line, fields, body).await;
        assert_eq!(answer.status, 200, "{line}: {answer:?}");
    }
    let before = backend.seen().len();
    for (line, fields, body, status, code, place) in WRONG {
        let answer = ask(&world, line, fields, body).await;
        assert_eq!(answer.status, *status, "{line} {body}: {answer:?}");
        let said = problem(&answer);
        assert_eq!(said["code"], *code, "{line} {body}: {answer:?}");
        if let Some((within, name)) = place {
            let first = &said["errors"][0];
            assert_eq!(first["in"], *within, "{line}: {answer:?}");
            let shown = if *within == "body" {
                &first["pointer"]
            } else {
                &first["name"]
            };
            assert_eq!(shown, *name, "{line}: {answer:?}");
            assert!(first["keyword"].is_string() && first["detail"].is_string());
        }
        assert!(
            !answer.body.contains("hunter2"),
            "values are never repeated"
        );
    }
    let allowed = ask(&world, "DELETE /api/orders", &[], "").await;
    assert_eq!(allowed.headers["allow"], "GET, HEAD, POST");
    assert_eq!(
        backend.seen().len(),
        before,
        "nothing of a refused request reached the service"
    );
    assert!(world.in_trail("validate.body").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn longer_body_is_looked_into_and_explain_names_the_operation() {
    let (world, _, _) = world("").await;
    // A longer body lies on disk, and is looked into all the same.
    let long =
        json!({ "product": "Lamp", "quantity": 2, "comment": "x".repeat(90_000) }).to_string();
    assert_eq!(
        ask(&world, "POST /api/orders", &[JSON], &long).await.status,
        200
    );
    let long =
        json!({ "product": "Lamp", "quantity": 0, "comment": "x".repeat(90_000) }).to_string();
    assert_eq!(
        ask(&world, "POST /api/orders", &[JSON], &long).await.status,
        400
    );
    let explained = world.cli(&[
        "gateway",
        "explain",
        "GET http://app.localhost/api/orders?page=0",
    ]);
    assert_eq!(explained.0, 1, "{explained:?}");
    assert!(explained.1.contains("validate.parameter"), "{explained:?}");
    let explained = world.cli(&["gateway", "explain", "GET http://app.localhost/api/orders"]);
    assert!(
        explained.1.contains("the operation `GET /api/orders`"),
        "{explained:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn observing_route_lets_everything_through_and_records_it() {
    let (world, backend, _) = world("mode = \"observe\"\nsanitize = [\"$.comment\"]\n").await;
    assert_eq!(ask(&world, "GET /nothing", &[], "").await.status, 200);
    let body = r#"{"quantity":"x","comment":"<form>"}"#;
    assert_eq!(
        ask(&world, "POST /api/orders", &[JSON], body).await.status,
        200
    );
    assert_eq!(
        backend.seen().last().unwrap().body,
        body,
        "nothing is changed"
    );
    for code in ["validate.path", "validate.body", "sanitize.changed"] {
        assert!(world.in_trail(code).await, "{code}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn document_of_the_applied_version_counts_whatever_becomes_of_the_file() {
    let (mut world, _, address) = world("").await;
    world.stop().await;
    std::fs::remove_file(world.folder().join("orders.yaml")).unwrap();
    world.serve().await;
    assert_eq!(ask(&world, "GET /nothing", &[], "").await.status, 404);
    assert_eq!(ask(&world, "GET /api/orders", &[], "").await.status, 200);
    let (code, _, error) = world.cli(&["check"]);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("`orders.yaml` cannot be read"), "{error}");
    let more = DOCUMENT.replace(
        "  /plain:",
        "  /nothing:\n    get:\n      responses: { default: { description: x } }\n  /plain:",
    );
    world.write_document("orders.yaml", &more);
    let (code, out, error) = world.cli(&["plan"]);
    assert_eq!(code, 0, "{error}");
    assert!(out.contains("document `orders.yaml`"), "{out}");
    assert!(out.contains("operation `GET /nothing` added"), "{out}");
    let (_, out, _) = world.cli(&["doctor"]);
    assert!(
        out.contains("the file differs from what is applied"),
        "{out}"
    );
    let (code, _, error) = world.cli(&["apply", "--yes"]);
    assert_eq!(code, 0, "{error}");
    assert_eq!(ask(&world, "GET /nothing", &[], "").await.status, 200);
    // A document that is none is refused before anything is applied, with its place.
    world.write_document(
        "orders.yaml",
        "openapi: 3.1.0\ninfo: { title: x, version: '1' }\npaths: 3\n",
    );
    let (code, _, error) = world.cli(&["apply", "--yes"]);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("orders.yaml:3:"), "{error}");
    world.write_estate(address, &format!("{ROUTE}websocket = true\n"));
    let (_, out, _) = world.cli(&["check", "--format", "json"]);
    let said: Value = serde_json::from_str(&out).unwrap();
    let findings = said["findings"].as_array().unwrap();
    assert!(
        findings
            .iter()
            .any(|one| one["code"] == "estate.contradiction"),
        "{out}"
    );
    assert!(
        findings
            .iter()
            .any(|one| one["file"] == "orders.yaml" && one["line"] == 3),
        "{out}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn named_fields_are_cleaned_and_everything_else_arrives_byte_for_byte() {
    let (world, backend, _) = world("sanitize = [\"$.comment\"]\n").await;
    let digest = ("content-digest", "sha-256=:AAAA:");
    let dirty = "{ \"product\" : \"a<b\",\t\"quantity\":1,\n\"comment\":\"<b>ok</b><form action=x>y</form>\"}";
    let clean = "{ \"product\" : \"a<b\",\t\"quantity\":1,\n\"comment\":\"<b>ok</b>y\"}";
    let answer = ask(&world, "POST /api/orders", &[JSON, digest], dirty).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = backend.seen().pop().unwrap();
    assert_eq!(seen.body, clean);
    assert_eq!(seen.header("content-length"), clean.len().to_string());
    assert_eq!(seen.header("content-digest"), "", "it was of another body");
    let answer = ask(&world, "POST /api/orders", &[JSON, digest], FINE).await;
    assert_eq!(answer.status, 200);
    let seen = backend.seen().pop().unwrap();
    assert_eq!(
        (&seen.body[..], seen.header("content-digest")),
        (FINE.as_bytes(), digest.1)
    );
    let long = json!({ "product": "x", "quantity": 1, "comment": format!("<form>{}", "x".repeat(64_000)) });
    let answer = ask(&world, "POST /api/orders", &[JSON], &long.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen: Value = serde_json::from_slice(&backend.seen().pop().unwrap().body).unwrap();
    assert_eq!(seen["comment"], "x".repeat(64_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cleaning_puts_together_is_inspected_as_the_service_would_get_it() {
    let (world, backend, _) = world("sanitize = [\"$.comment\"]\n").await;
    let before = backend.seen().len();
    for comment in [
        "x' UNION SELECT password FROM users--",
        "x' UNI<form></form>ON SEL<form></form>ECT password FROM users--",
    ] {
        let body = json!({ "product": "x", "quantity": 1, "comment": comment }).to_string();
        let answer = ask(&world, "POST /api/orders", &[JSON], &body).await;
        assert_eq!(answer.status, 403, "{comment}: {answer:?}");
    }
    assert_eq!(backend.seen().len(), before, "neither reached the service");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_not_what_the_document_says_are_recorded_and_arrive() {
    let (world, _, _) = world("").await;
    let answer = ask(&world, "GET /plain", &[], "").await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.as_str()),
        (200, "GET /plain")
    );
    let answer = ask(&world, "PUT /api/orders/7", &[JSON], r#"{"a":1}"#).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.as_str()),
        (200, r#"{"a":1}"#)
    );
    for code in ["validate.response_media_type", "validate.response_status"] {
        assert!(world.in_trail(code).await, "{code}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traffic_proposes_a_document_that_can_be_enforced_and_shows_drift() {
    let (backend, address) = Backend::start().await;
    let learning = ROUTE.replace("openapi = \"orders.yaml\"", "learn = true");
    let world = World::start(address, &learning).await;
    for n in 1..=30 {
        let body = json!({ "product": format!("product {n}"), "quantity": n }).to_string();
        assert_eq!(
            ask(&world, "POST /api/orders", &[JSON], &body).await.status,
            200
        );
        let target = format!("GET /api/orders/{n}?page={n}");
        assert_eq!(ask(&world, &target, &[], "").await.status, 200);
    }
    let learnt = || async {
        let found = world
            .ask(Method::GET, "/gateway/learnt?route=orders", None)
            .await
            .unwrap();
        found["learnt"][0]["exchanges"].as_u64() >= Some(40)
    };
    assert!(eventually(SOON, learnt).await, "{}", world.log());
    let (code, document, error) = world.cli(&["gateway", "learn", "--route", "orders"]);
    assert_eq!(code, 0, "{error}");
    assert!(document.contains("/api/orders/{"), "{document}");
    assert!(
        !document.contains("product 7"),
        "values stay in the gateway: {document}"
    );
    // What was proposed can be enforced, and takes what was seen.
    world.write_document("orders.yaml", &document);
    world.write_estate(
        address,
        &format!("{ROUTE}learn = true\nmode = \"observe\"\n"),
    );
    let (code, _, error) = world.cli(&["apply", "--yes"]);
    assert_eq!(code, 0, "{error}\n{document}");
    let explained = world.cli(&[
        "gateway",
        "explain",
        "GET http://app.localhost/api/orders/12?page=4",
    ]);
    assert!(!explained.1.contains("would refuse"), "{explained:?}");
    assert_eq!(ask(&world, "GET /api/elsewhere", &[], "").await.status, 200);
    let drifted = || async {
        let (_, out, _) = world.cli(&["gateway", "drift", "--route", "orders"]);
        out.contains("undocumented") && out.contains("/api/elsewhere")
    };
    assert!(
        eventually(SOON, drifted).await,
        "{:?}",
        world.cli(&["gateway", "drift"])
    );
    drop(backend);
}
