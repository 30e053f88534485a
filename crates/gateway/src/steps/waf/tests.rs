mod ways;

use std::collections::BTreeMap;
use std::path::Path;

use estate::Estate;
use http::{Request, Response};
use model::{ByteSize, SharedClock, SharedEntropy};
use testkit::{FakeClock, SeededEntropy, small_estate};

use super::*;
use crate::body::{Budget, hold_bytes};
use crate::contract::Documents;
use crate::exchange::Connection;
use crate::metrics::{Gauges, Registry};
use crate::pipeline;
use crate::shared::{Common, Parts, Shared};
use crate::state::{Builder, State};
use crate::steps::route;
use crate::upstream::{Around, Target};

const RULES: &str = r#"
SecRule REQUEST_HEADERS:User-Agent "@contains scanner" "id:1,phase:1,deny,log,msg:'a scanner'"
SecRule ARGS|ARGS_NAMES "@contains evil" "id:2,phase:2,deny,log,msg:'evil',setvar:tx.inbound_anomaly_score=+5"
SecRule ARGS "@contains odd" "id:3,phase:2,pass,log,msg:'odd'"
SecRule RESPONSE_BODY "@contains ORA-01756" "id:4,phase:4,deny,log,msg:'a leak'"
SecRule RESPONSE_HEADERS:X-Leak "@contains secret" "id:5,phase:3,deny,log,msg:'a leak'"
SecRule ARGS "@rx ^(?:a|b)+$" "id:6,phase:2,pass,nolog,t:lowercase"
"#;

/// What a request comes to.
struct World {
    state: State,
    shared: Shared,
    registry: Arc<Registry>,
    budget: Arc<Budget>,
}

fn connection() -> Connection {
    Connection {
        secure: true,
        ..Connection::of("192.0.2.1:1".parse().unwrap())
    }
}

impl World {
    fn new(route: &str, waf: &str) -> Self {
        Self::of(route, waf, RULES)
    }

    fn of(route: &str, waf: &str, rules: &str) -> Self {
        let text = small_estate(route, &format!("[waf]\nrules = \"mine\"\n{waf}"));
        let estate = Estate::parse(&text).unwrap().estate;
        let texts = BTreeMap::from([("mine/all.conf".to_owned(), rules.to_owned())]);
        let documents = Documents::compile(&estate, &texts, &::waf::Shelf::keeping(0)).unwrap();
        let clock: SharedClock = Arc::new(FakeClock::new());
        let entropy: SharedEntropy = Arc::new(SeededEntropy::new(1));
        let around = Around::new(
            Path::new("."),
            Arc::clone(&clock),
            Arc::clone(&entropy),
            None,
            1,
        );
        let control = Target::control("/".into(), &around);
        let registry = Arc::new(Registry::new(1));
        let builder = Builder::new(around, Arc::clone(&registry));
        let state = builder.supposed(1, Arc::new(estate), &documents);
        let budget = Arc::new(Budget::new(".".into(), ByteSize(8 << 20), ByteSize(0)));
        let common = Common::new(Parts {
            clock,
            entropy,
            budget: Arc::clone(&budget),
            recorder: None,
            link: None,
            control,
            certificates: Arc::default(),
        });
        let meter = registry.meters().first().cloned().unwrap();
        Self {
            state,
            shared: Shared::new(Arc::new(common), meter),
            registry,
            budget,
        }
    }

    /// Codes of what would have been refused, or of the refusal.
    async fn said(
        &self,
        request: http::request::Builder,
        content: impl Into<Bytes>,
        answer: Option<Response<Outgoing>>,
    ) -> Result<Vec<&'static str>, &'static str> {
        let connection = connection();
        let request = request.header("host", "shop.example").body(None).unwrap();
        let mut flow = pipeline::begin(&self.shared, &self.state, &connection, request);
        route::find(&mut flow).unwrap();
        let held = hold_bytes(content.into(), &self.budget).await.unwrap();
        let carried = Carried::Held(held);
        let said = async {
            head(&mut flow)?;
            body(&mut flow, &carried).await?;
            if let Some(answer) = answer {
                super::answer(&mut flow, answer.into()).await?;
            }
            Ok::<_, Refused>(())
        };
        match said.await {
            Ok(()) => Ok(flow.observed.iter().map(|one| one.code).collect()),
            Err(refused) => Err(refused.code),
        }
    }

    async fn get(&self, target: &str) -> Result<Vec<&'static str>, &'static str> {
        self.said(Request::get(target), "", None).await
    }

    async fn post(&self, kind: &str, content: &str) -> Result<Vec<&'static str>, &'static str> {
        let mut request = Request::post("/");
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        self.said(request, content.to_owned(), None).await
    }

    async fn answered(
        &self,
        fields: &[(&'static str, &'static str)],
        content: &str,
    ) -> Result<Vec<&'static str>, &'static str> {
        let mut answer = Response::builder();
        for (name, value) in fields {
            answer = answer.header(*name, *value);
        }
        let answer = answer.body(Outgoing::Full(Bytes::from(content.to_owned())));
        self.said(Request::get("/"), "", Some(answer.unwrap()))
            .await
    }
}

const NOTHING: Vec<&str> = Vec::new();

#[tokio::test]
async fn attack_is_refused_wherever_it_stands_and_the_rest_passes() {
    let world = World::new("", "");
    assert_eq!(world.get("/?a=evil").await, Err("waf.match"));
    assert_eq!(world.get("/?a=odd").await, Ok(NOTHING));
    let scanner = Request::get("/").header("user-agent", "scanner");
    assert_eq!(world.said(scanner, "", None).await, Err("waf.match"));
    const FORM: &str = "application/x-www-form-urlencoded";
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nevil\r\n--x--\r\n";
    for (kind, content) in [
        (FORM, "a=evil"),
        (FORM, "a=%65vil"),
        ("application/json", r#"{"a": ["\u0065vil"]}"#),
        (
            "Application/Problem+JSON; charset=utf-8",
            r#"{"a": "evil"}"#,
        ),
        ("text/json", r#"{"a": "evil"}"#),
        ("multipart/form-data; boundary=x", multipart),
        // Under these a form or JSON may hide.
        ("", "a=evil"),
        ("", r#"{"a": "evil"}"#),
        ("text/plain", "a=evil"),
    ] {
        assert_eq!(world.post(kind, content).await, Err("waf.match"), "{kind}");
        let benign = content
            .replace("evil", "good")
            .replace("\\u0065vil", "good");
        let benign = benign.replace("%65vil", "good");
        assert_eq!(world.post(kind, &benign).await, Ok(NOTHING), "{kind}");
    }
}

#[tokio::test]
async fn body_that_cannot_be_read_is_refused() {
    let world = World::new("", "");
    let json = || Request::post("/").header("content-type", "application/json");
    for (request, content, code) in [
        (
            json().header("content-encoding", "gzip"),
            "{}",
            "body.encoded",
        ),
        (
            Request::post("/")
                .header("content-type", "image/png")
                .header("content-encoding", "br"),
            "x",
            "body.encoded",
        ),
        (
            json().header("content-type", "text/plain"),
            "{}",
            "body.content_type_repeated",
        ),
        (
            Request::post("/").header("content-type", "application/json; charset=utf-7"),
            "{}",
            "body.charset",
        ),
        (json(), r#"{"a": "#, "waf.unreadable"),
    ] {
        assert_eq!(world.said(request, content, None).await, Err(code));
    }
    let many: String = (0..1100).map(|n| format!("&a{n}=1")).collect();
    assert_eq!(world.get(&format!("/?{many}")).await, Err("waf.unreadable"));
}

#[tokio::test]
async fn route_that_observes_notes_what_blocking_would_refuse_first() {
    let observing = World::new("", "mode = \"observe\"");
    assert_eq!(observing.get("/?a=evil").await, Ok(vec!["waf.match"]));
    let encoded = Request::post("/").header("content-encoding", "gzip");
    assert_eq!(
        observing.said(encoded, "evil", None).await,
        Ok(vec!["body.encoded"])
    );
    let both = Request::post("/?a=evil")
        .header("user-agent", "scanner")
        .header("content-type", "application/json");
    assert_eq!(
        observing.said(both, "{", None).await,
        Ok(vec!["waf.match"]),
        "what would have ended it goes no further"
    );
    let blocks = World::new("mode = { waf = \"block\" }", "mode = \"observe\"");
    assert_eq!(blocks.get("/?a=evil").await, Err("waf.match"));
    let observes = World::new("mode = \"observe\"", "");
    assert_eq!(observes.get("/?a=evil").await, Ok(vec!["waf.match"]));
}

#[tokio::test]
async fn long_body_is_looked_into_to_its_end() {
    let world = World::new("", "");
    let long = format!("a={}evil", "x".repeat(40_000));
    let kind = "application/x-www-form-urlencoded";
    assert_eq!(world.post(kind, &long).await, Err("waf.match"));
    let benign = format!("a={}", "x".repeat(40_000));
    assert_eq!(world.post(kind, &benign).await, Ok(NOTHING));
    // The answer to such a request is looked into as any other.
    let request = Request::post("/").header("content-type", kind);
    let answer = Response::builder().header("content-type", "text/html");
    let answer = answer.body(Outgoing::Full(Bytes::from_static(b"ORA-01756: quoted")));
    let said = world.said(request, benign, Some(answer.unwrap())).await;
    assert_eq!(said, Err("waf.answer"));
}

#[tokio::test]
async fn no_place_for_a_long_body_is_the_routes_choice() {
    let kind = "application/x-www-form-urlencoded";
    let long = format!("a={}", "x".repeat(40_000));
    for (choice, expected) in [
        ("block", Err("waf.busy")),
        ("pass", Ok(vec!["waf.unfinished"])),
    ] {
        let world = World::new("", &format!("when_spent = \"{choice}\""));
        let mut held = Vec::new();
        while held.len() < 4 {
            let other = std::net::Ipv4Addr::from([198, 51, 100, 1]);
            held.push(world.shared.places.take(other.into(), 1).await.unwrap());
        }
        assert_eq!(world.post(kind, &long).await, expected, "{choice}");
        assert_eq!(
            world.post(kind, "a=good").await,
            Ok(NOTHING),
            "short ones need none"
        );
    }
}

#[tokio::test]
async fn spent_budget_is_the_routes_choice_and_counted() {
    let long = format!("/?a={}", "ab".repeat(3000));
    let spends = |choice: &str| format!("budget = \"64KiB\"\nwhen_spent = \"{choice}\"");
    let body = "Ab".repeat(30_000);
    let kind = "application/x-www-form-urlencoded";
    let blocks = World::new("", &spends("block"));
    assert_eq!(blocks.get(&long).await, Ok(NOTHING), "the budget is enough");
    assert_eq!(
        blocks.post(kind, &format!("a={body}")).await,
        Err("waf.spent")
    );
    let passes = World::new("", &spends("pass"));
    let said = passes.post(kind, &format!("a={body}")).await;
    assert_eq!(said, Ok(vec!["waf.unfinished"]));
    let own = World::new("waf = { when_spent = \"pass\" }", &spends("block"));
    let said = own.post(kind, &format!("a={body}")).await;
    assert_eq!(said, Ok(vec!["waf.unfinished"]));
    let text = own.registry.render(&Gauges::default());
    assert!(
        text.contains("rampart_gateway_waf_spent_total 1\n"),
        "{text}"
    );
}

#[tokio::test]
async fn answer_that_leaks_is_withheld() {
    let world = World::new("", "");
    let html = ("content-type", "text/html");
    let leak = "<p>ORA-01756: quoted string";
    assert_eq!(world.answered(&[html], leak).await, Err("waf.answer"));
    assert_eq!(world.answered(&[html], "<p>fine").await, Ok(NOTHING));
    assert_eq!(
        world.answered(&[html, ("x-leak", "secret")], "").await,
        Err("waf.answer")
    );
    let long = format!("{}{leak}", " ".repeat(100_000));
    assert_eq!(world.answered(&[html], &long).await, Err("waf.answer"));
    let part = Response::builder().status(206).header(html.0, html.1);
    let part = part.body(Outgoing::Full(Bytes::from_static(leak.as_bytes())));
    let said = world.said(Request::get("/"), "", Some(part.unwrap())).await;
    assert_eq!(said, Err("waf.answer"), "a client asks for a part of it");
    let text = world.registry.render(&Gauges::default());
    assert!(text.contains("waf_unseen_answers_total 0\n"), "{text}");
    // Compressed, or longer than is held: it passes, and that is counted.
    let coded = [html, ("content-encoding", "gzip")];
    assert_eq!(world.answered(&coded, leak).await, Ok(NOTHING));
    let text = world.registry.render(&Gauges::default());
    assert!(text.contains("waf_unseen_answers_total 1\n"), "{text}");
    let image = ("content-type", "image/png");
    assert_eq!(world.answered(&[image], leak).await, Ok(NOTHING));
    let observing = World::new("", "mode = \"observe\"");
    assert_eq!(
        observing.answered(&[html], leak).await,
        Ok(vec!["waf.answer"])
    );
    for (route, waf) in [("", "answers = false"), ("waf = { answers = false }", "")] {
        let off = World::new(route, waf);
        assert_eq!(off.answered(&[html], leak).await, Ok(NOTHING));
    }
    let own = World::new("waf = { answers = true }", "answers = false");
    assert_eq!(own.answered(&[html], leak).await, Err("waf.answer"));
}

#[tokio::test]
async fn matches_are_counted_by_rule_and_how_long_it_took() {
    let world = World::new("", "");
    for target in ["/?a=odd", "/?a=odd", "/?a=evil", "/"] {
        drop(world.get(target).await);
    }
    // Whatever ends it: the head alone, and a body that nobody can read.
    let scanner = Request::get("/").header("user-agent", "scanner");
    assert_eq!(world.said(scanner, "", None).await, Err("waf.match"));
    let coded = Request::post("/").header("content-encoding", "gzip");
    assert_eq!(world.said(coded, "x", None).await, Err("body.encoded"));
    let text = world.registry.render(&Gauges::default());
    for line in [
        "rampart_gateway_waf_matches_total{rule=\"2\"} 1",
        "rampart_gateway_waf_matches_total{rule=\"3\"} 2",
        "rampart_gateway_waf_duration_seconds_count 6",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

#[tokio::test]
async fn service_is_asked_for_an_answer_that_can_be_read() {
    let asked = |waf: &'static str| async move {
        let world = World::new("", waf);
        let connection = connection();
        let request = Request::get("/")
            .header("host", "shop.example")
            .header("accept-encoding", "gzip, br")
            .body(None)
            .unwrap();
        let mut flow = pipeline::begin(&world.shared, &world.state, &connection, request);
        route::find(&mut flow).unwrap();
        head(&mut flow).unwrap();
        body(&mut flow, &Carried::empty()).await.unwrap();
        ask_plainly(&mut flow);
        flow.head.headers["accept-encoding"].clone()
    };
    assert_eq!(asked("").await, "identity");
    assert_eq!(asked("answers = false").await, "gzip, br");
}
