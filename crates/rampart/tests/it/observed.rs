//! What the report says blocking would have refused is what blocking does refuse: request by
//! request, and in its sums.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::Value;
use testkit::eventually;

use crate::backend::Backend;
use crate::world::{Answer, SOON, World};

const DOCUMENT: &str = r#"
openapi: 3.1.0
info: { title: Things, version: "1" }
paths:
  /api/things:
    get:
      parameters: [{ name: page, in: query, schema: { type: integer, minimum: 1 } }, { name: q, in: query, schema: { type: string } }]
      responses: { "200": { description: all, content: { application/json: {} } } }
    post:
      requestBody:
        required: true
        content: { application/json: { schema: { type: object, required: [name], properties: { name: { type: string } } } } }
      responses: { "201": { description: another status than the service gives } }
"#;

/// The routes, each with what its steps do about what they find.
fn routes(mode: &str) -> String {
    let route = |name: &str, path: &str, more: &str, steps: &[&str]| {
        let steps: Vec<String> = steps
            .iter()
            .map(|step| format!("{step} = \"{mode}\""))
            .collect();
        format!(
            "\n[[route]]\nname = \"{name}\"\nhost = \"app.localhost\"\npath = \"{path}\"\nto = \"backend\"\n{more}mode = {{ {} }}\n",
            steps.join(", ")
        )
    };
    [
        route(
            "things",
            "/api/**",
            "auth = \"none\"\nopenapi = \"things.yaml\"\n",
            &["validate", "inspect"],
        ),
        route(
            "private",
            "/private/**",
            "auth = \"required\"\nrequire = \"things:read\"\n",
            &["authenticate", "authorise", "inspect"],
        ),
        route(
            "limited",
            "/limited/**",
            "auth = \"none\"\nlimit = \"2/min per address\"\n",
            &["limits"],
        ),
    ]
    .concat()
}

/// Line, content type, body.
type Asked = (&'static str, &'static str, &'static str);

const JSON: &str = "application/json";

const REQUESTS: &[Asked] = &[
    ("GET /api/things?page=2", "", ""),
    ("GET /api/things?page=0", "", ""),
    (
        "GET /api/things?q=%3Cscript%3Ealert(document.cookie)%3C/script%3E",
        "",
        "",
    ),
    (
        "GET /api/things?page=0&q=%3Cscript%3Ealert(1)%3C/script%3E",
        "",
        "",
    ),
    ("POST /api/things", JSON, r#"{"name":"lamp"}"#),
    ("POST /api/things", JSON, r#"{"name":7}"#),
    (
        "POST /api/things",
        JSON,
        r#"{"name":"x' union select name,card from customer -- "}"#,
    ),
    ("POST /api/things", JSON, r#"{"name": broken"#),
    ("POST /api/things", "text/plain", "hello"),
    ("DELETE /api/things", "", ""),
    ("GET /api/elsewhere", "", ""),
    ("GET /private/page", "", ""),
    (
        "GET /private/page?q=%3Cscript%3Ealert(document.cookie)%3C/script%3E",
        "",
        "",
    ),
    ("GET /limited/a", "", ""),
    ("GET /limited/b", "", ""),
    ("GET /limited/c", "", ""),
    ("GET /limited/d", "", ""),
    // A burst within a second, of which the trail keeps one and a count.
    ("GET /api/things?page=0", "", ""),
    ("GET /api/things?page=0", "", ""),
    ("GET /api/things?page=0", "", ""),
];

async fn ask(world: &World, (line, kind, body): Asked) -> Answer {
    let (method, target) = line.split_once(' ').unwrap();
    let mut request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(target)
        .header("host", "app.localhost");
    if !kind.is_empty() {
        request = request.header("content-type", kind);
    }
    let request = request.body(Bytes::from(body)).unwrap();
    world.try_send(request).await.unwrap()
}

async fn world(mode: &str) -> (World, Backend) {
    let (backend, address) = Backend::start().await;
    let documents = [("things.yaml", DOCUMENT)];
    let world = World::start_with(address, &routes(mode), &documents).await;
    (world, backend)
}

/// What a blocking estate answers: the code, or nothing where the request got through.
async fn blocked() -> Vec<Option<String>> {
    let (world, _backend) = world("block").await;
    let mut codes = Vec::new();
    for asked in REQUESTS {
        let answer = ask(&world, *asked).await;
        let said: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let code = said["code"].as_str().map(str::to_owned);
        assert_eq!(
            code.is_none(),
            answer.status.is_success(),
            "{asked:?}: {answer:?}"
        );
        codes.push(code);
    }
    codes
}

/// The records of every sealed segment, by request id.
fn records(world: &World) -> BTreeMap<String, Value> {
    let folder = world.data().join("gateway/traffic");
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.to_str().unwrap().ends_with(".sealed.ndjson") {
            let text = std::fs::read_to_string(path).unwrap();
            for line in text.lines().skip(1) {
                let line: Value = serde_json::from_str(line).unwrap();
                all.insert(line["id"].as_str().unwrap().to_owned(), line);
            }
        }
    }
    all
}

/// The report, once it speaks of all requests.
async fn report(world: &World) -> Value {
    let ask = || async { world.ask(Method::GET, "/gateway/observed", None).await };
    let wanted = u64::try_from(REQUESTS.len()).unwrap();
    let whole = || async { ask().await.is_ok_and(|report| report["requests"] == wanted) };
    assert!(eventually(SOON, whole).await, "{:?}", ask().await);
    ask().await.unwrap()
}

/// What stands in a report by route and code.
fn counts(report: &Value, key: &str) -> BTreeMap<(String, String), u64> {
    let found = report["found"].as_array().unwrap();
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    found
        .iter()
        .filter(|one| one["effect"] == "refuse")
        .map(|one| {
            (
                (text(one, "route"), text(one, "code")),
                one[key].as_u64().unwrap(),
            )
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_observed_is_what_blocking_refuses_request_by_request() {
    let expected = blocked().await;
    assert!(expected.iter().flatten().count() > 10, "{expected:?}");
    assert!(expected.iter().filter(|code| code.is_none()).count() >= 4);
    let (mut world, backend) = world("observe").await;
    for asked in REQUESTS {
        let answer = ask(&world, *asked).await;
        assert!(answer.status.is_success(), "{asked:?}: {answer:?}");
    }
    // All of them got through: the service knows each by its id.
    let seen = backend.seen();
    let ids: Vec<&str> = seen.iter().map(|one| one.header("x-request-id")).collect();
    assert_eq!(ids.len(), REQUESTS.len());
    // A stop seals what is open; what is said afterwards comes from disk alone.
    world.stop().await;
    let records = records(&world);
    let mut all = BTreeMap::<(String, String), u64>::new();
    let mut decides = BTreeMap::<(String, String), u64>::new();
    for ((id, asked), expected) in ids.iter().zip(REQUESTS).zip(&expected) {
        let record = &records[*id];
        let observed = record["observed"].as_array().cloned().unwrap_or_default();
        let codes: Vec<&str> = observed
            .iter()
            .filter_map(Value::as_str)
            .filter(|code| !code.starts_with("validate.response_"))
            .collect();
        assert_eq!(
            codes.first().copied(),
            expected.as_deref(),
            "{asked:?}: {record}"
        );
        let route = record["route"].as_str().unwrap();
        let key = |code: &str| (route.to_owned(), code.to_owned());
        for code in &codes {
            *all.entry(key(code)).or_default() += 1;
        }
        if let Some(code) = codes.first() {
            *decides.entry(key(code)).or_default() += 1;
        }
    }
    world.serve().await;
    let report = report(&world).await;
    assert_eq!(report["complete"], true, "{report}");
    assert_eq!(counts(&report, "count"), all, "{report:#}");
    assert_eq!(counts(&report, "decides"), decides, "{report:#}");
    let refused = u64::try_from(expected.iter().flatten().count()).unwrap();
    assert_eq!(report["would_refuse"], refused);
    the_report_says_how_to_block(&world, &report);
    people_read_the_same(&world, refused);
}

/// The named line says `observe` now.
fn the_report_says_how_to_block(world: &World, report: &Value) {
    let text = std::fs::read_to_string(world.config()).unwrap();
    let found = report["found"].as_array().unwrap();
    for one in found.iter().filter(|one| one["effect"] == "refuse") {
        let line = usize::try_from(one["line"].as_u64().unwrap()).unwrap();
        let said = text.lines().nth(line - 1).unwrap();
        let step = one["mode_of"].as_str().unwrap();
        assert!(
            said.contains(&format!("{step} = \"observe\"")),
            "{one}: {said}"
        );
        let write = one["write"].as_str().unwrap();
        assert!(!write.contains(&format!("{step} = \"observe\"")), "{one}");
        assert_eq!(
            (&one["addresses"], &one["at_least"]),
            (&1.into(), &false.into())
        );
        let example = &one["examples"][0];
        assert!(example["request_id"].as_str().unwrap().starts_with("req_"));
        assert!(!example["reason"].as_str().unwrap().is_empty());
    }
    // The service's answer differs from its document: noted, and no refusal.
    assert!(
        found.iter().any(|one| one["effect"] == "note"),
        "{report:#}"
    );
    let observing = report["observing"].as_array().unwrap();
    assert_eq!(observing.len(), 6, "{observing:?}");
    assert!(
        observing
            .iter()
            .all(|one| one["version"] == 1 && one["at_least"] == false)
    );
}

fn people_read_the_same(world: &World, refused: u64) {
    let (code, out, err) = world.cli(&["gateway", "observed"]);
    assert_eq!(code, 1, "{out}{err}");
    let first = format!(
        "{refused} requests would have been refused, of {}",
        REQUESTS.len()
    );
    assert!(out.starts_with(&first), "{out}");
    assert!(out.contains("to block: line "), "{out}");
    let (code, out, err) = world.cli(&["gateway", "observed", "--step", "sanitize"]);
    assert_eq!(code, 0, "{out}{err}");
    let (code, _, err) = world.cli(&["gateway", "observed", "--route", "nowhere"]);
    assert_eq!(code, 3, "{err}");
}
