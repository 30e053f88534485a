use std::path::Path;
use std::sync::Arc;

use http::{Method, Request, header};
use model::ByteSize;
use testkit::{FakeClock, SeededEntropy};

use super::*;
use crate::body::Budget;
use crate::caller::{Guest, Proof, Who};
use crate::contract::Documents;
use crate::exchange::Connection;
use crate::metrics::Registry;
use crate::pipeline;
use crate::shared::{Common, Parts, Shared};
use crate::state::{Builder, State};
use crate::steps::{limits, route};
use crate::upstream::{Around, Target};

struct World {
    shared: Shared,
    state: State,
    connection: Connection,
}

/// What a limit said of a request: allowed, or the code of the refusal, and the policy it tells.
type Said = (Result<(), &'static str>, Option<(String, u32)>);

fn world(estate: &str) -> World {
    let source = format!(
        "[estate]\nname = \"t\"\ndomain = \"t.example\"\n[[service]]\nname = \"s\"\n\
         address = \"127.0.0.1:1\"\n{estate}\n"
    );
    let estate = Arc::new(Estate::parse(&source).unwrap().estate);
    let clock = Arc::new(FakeClock::new());
    let entropy = Arc::new(SeededEntropy::new(1));
    let around = Around::new(
        Path::new("."),
        Arc::clone(&clock) as _,
        Arc::clone(&entropy) as _,
        None,
        1,
    );
    let control = Target::control("/".into(), &around);
    let builder = Builder::new(around, Arc::new(Registry::new(1)));
    let documents = Documents::described(&estate, &BTreeMap::new()).unwrap();
    let state = builder.supposed(1, estate, &documents);
    let common = Common::new(Parts {
        clock,
        entropy,
        budget: Arc::new(Budget::new(".".into(), ByteSize(0), ByteSize(0))),
        recorder: None,
        link: None,
        control,
        certificates: Arc::default(),
    });
    let meter = Arc::clone(builder.registry.meters().first().unwrap());
    World {
        shared: Shared::new(Arc::new(common), meter),
        state,
        connection: Connection {
            secure: true,
            ..Connection::of("192.0.2.1:9".parse().unwrap())
        },
    }
}

fn guest(id: &str) -> Caller {
    let client = model::Principal {
        id: id.to_owned().into(),
        name: id.to_owned().into(),
        kind: model::PrincipalKind::Client,
    };
    let mut number = [0; 16];
    number[..id.len().min(16)].copy_from_slice(&id.as_bytes()[..id.len().min(16)]);
    Caller {
        who: Who::Guest(Arc::new(Guest {
            principal: client,
            email: None,
            roles: Vec::new(),
            number,
            issuer: None,
        })),
        proof: Proof::Supposed,
        digest: [0; 32],
    }
}

impl World {
    fn flow(&self, request: Request<()>, peer: &str) -> Flow<'_> {
        let request = request.map(|()| None);
        let mut flow = pipeline::begin(&self.shared, &self.state, &self.connection, request);
        flow.client = peer.parse().unwrap();
        route::find(&mut flow).unwrap();
        flow
    }

    fn check(&self, mut flow: Flow<'_>) -> Said {
        let said = limits::check(&mut flow).map_err(|refused| refused.code);
        let told = flow
            .limit
            .map(|counted| (counted.policy.name.to_string(), counted.said.remaining));
        (said, told)
    }

    fn get(&self, target: &str, fields: &[(&'static str, &[u8])]) -> Said {
        self.check(self.flow(request(Method::GET, target, fields), "192.0.2.1"))
    }
}

fn request(method: Method, target: &str, fields: &[(&'static str, &[u8])]) -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = target.parse().unwrap();
    let headers = request.headers_mut();
    headers.insert(header::HOST, HeaderValue::from_static("a.t.example"));
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_bytes(value).unwrap());
    }
    request
}

const KEYED: &str = r#"
[[limit_key]]
name = "tenant"
from = ["header:x-tenant", "cookie:tenant", "query:tenant"]
missing = "skip"

[[route]]
path = "/**"
to = "s"
auth = "optional"
limit = "1/h per tenant"
"#;

#[test]
fn first_source_that_is_there_counts_and_values_count_apart() {
    let world = world(KEYED);
    let refused = (Err("limits.route_named"), Some(("tenant".to_owned(), 0)));
    let fine = (Ok(()), Some(("tenant".to_owned(), 0)));
    let skipped = (Ok(()), None);
    for (target, fields, expected) in [
        ("/", &[("x-tenant", &b"a"[..])][..], &fine),
        ("/", &[("x-tenant", b"a")], &refused),
        ("/", &[("x-tenant", b"b")], &fine),
        // What a client chose is the same, wherever it says it.
        ("/", &[("cookie", b"x=1; tenant=a")], &refused),
        ("/?tenant=a", &[], &refused),
        ("/?te%6Eant=%61", &[], &refused),
        ("/?tenant=c+d", &[], &fine),
        ("/?tenant=c%20d", &[], &refused),
        ("/?tenant=b", &[("x-tenant", b"e")], &fine),
        // What says nothing is not there.
        ("/", &[], &skipped),
        ("/", &[("x-tenant", b"")], &skipped),
        ("/?tenant=&tenants=z", &[], &skipped),
        ("/?tenant", &[("cookie", b"tenants=a")], &skipped),
        ("/?tenant=a", &[("x-tenant", b"")], &refused),
    ] {
        assert_eq!(&world.get(target, fields), expected, "{target} {fields:?}");
    }
}

#[test]
fn what_is_too_long_or_said_twice_is_one_count() {
    let world = world(KEYED);
    let long = |byte: u8| vec![byte; VALUE_BYTES_MAX + 1];
    assert!(world.get("/", &[("x-tenant", &long(b'a'))]).0.is_ok());
    let refused = Err("limits.route_named");
    let query = format!("/?tenant={}", "c".repeat(60_000));
    for (target, fields) in [
        ("/", &[("x-tenant", &long(b'b')[..])][..]),
        ("/", &[("x-tenant", b"x"), ("x-tenant", b"y")]),
        ("/", &[("cookie", b"tenant=q; tenant=r")]),
        ("/?tenant=m&tenant=n", &[]),
        (&query, &[]),
    ] {
        assert_eq!(world.get(target, fields).0, refused, "{fields:?}");
    }
    // Bytes that are no text count like any other.
    assert!(world.get("/", &[("x-tenant", b"\xff\xfe")]).0.is_ok());
    assert_eq!(world.get("/", &[("x-tenant", b"\xff\xfe")]).0, refused);
}

#[test]
fn what_a_client_says_is_never_what_the_gateway_knows() {
    let world = world(
        "[[limit_key]]\nname = \"who\"\nfrom = [\"principal\", \"header:x-who\", \"address\"]\n\
         [[route]]\npath = \"/**\"\nto = \"s\"\nauth = \"optional\"\nlimit = \"1/h per who\"\n",
    );
    let ask = |caller: Option<&str>, said: Option<&'static [u8]>, peer: &str| {
        let fields: Vec<_> = said.map(|said| ("x-who", said)).into_iter().collect();
        let mut flow = world.flow(request(Method::GET, "/", &fields), peer);
        flow.caller = caller.map(guest);
        world.check(flow).0.is_ok()
    };
    assert!(ask(Some("ada"), None, "192.0.2.1"));
    assert!(!ask(Some("ada"), Some(b"other"), "192.0.2.2"));
    assert!(ask(None, Some(b"ada"), "192.0.2.1"), "a claim is no person");
    assert!(ask(None, None, "192.0.2.1"));
    assert!(!ask(None, None, "192.0.2.1"));
    assert!(ask(None, Some(b"192.0.2.1"), "192.0.2.1"));
}

#[test]
fn request_without_the_key_is_skipped_refused_or_counted_for_its_address() {
    for (missing, second, code) in [
        ("skip", true, None),
        ("refuse", false, Some("limits.key_missing")),
        ("address", false, Some("limits.route_named")),
    ] {
        let world = world(&KEYED.replace("\"skip\"", &format!("\"{missing}\"")));
        let first = world.get("/", &[]).0;
        assert_eq!(first.is_ok(), missing != "refuse", "{missing}");
        let second_said = world.get("/", &[]).0;
        assert_eq!(second_said.is_ok(), second, "{missing}");
        assert_eq!(second_said.err(), code, "{missing}");
    }
}

const TWO: &str = r#"
[[limit]]
name = "api"
rate = "10/h"

[[route]]
name = "a"
path = "/a"
to = "s"
auth = "none"
limit = ["api", "4/h per address"]
cost = { GET = 1, POST = 3 }

[[route]]
name = "b"
path = "/b"
to = "s"
auth = "none"
limit = "api"
cost = 5
"#;

#[test]
fn request_that_one_limit_refuses_costs_nothing_of_the_others() {
    let world = world(TWO);
    let ask = |method: Method, target: &str, peer: &str| {
        world.check(world.flow(request(method, target, &[]), peer))
    };
    let told = |name: &str, left| Some((name.to_owned(), left));
    let one = "192.0.2.1";
    assert_eq!(ask(Method::POST, "/a", one), (Ok(()), told("address", 1)));
    for _ in 0..20 {
        let refused = (Err("limits.route_address"), told("address", 1));
        assert_eq!(ask(Method::POST, "/a", one), refused);
    }
    assert_eq!(ask(Method::HEAD, "/a", one), (Ok(()), told("address", 0)));
    // Four of ten are gone, and not four and sixty.
    assert_eq!(
        ask(Method::GET, "/b", "192.0.2.2"),
        (Ok(()), told("api", 1))
    );
    let refused = (Err("limits.budget"), told("api", 1));
    assert_eq!(ask(Method::POST, "/a", "192.0.2.3"), refused);
    // And what the budget refuses costs that address nothing.
    assert_eq!(
        ask(Method::GET, "/a", "192.0.2.3"),
        (Ok(()), told("api", 0))
    );
}

#[test]
fn observed_limits_count_each_for_itself_and_refuse_nothing() {
    let world = world(&TWO.replace(
        "auth = \"none\"\nlimit = [",
        "auth = \"none\"\nmode = \"observe\"\nlimit = [",
    ));
    for _ in 0..12 {
        let mut flow = world.flow(request(Method::GET, "/a", &[]), "192.0.2.1");
        assert_eq!(limits::check(&mut flow), Ok(()));
    }
    let mut flow = world.flow(request(Method::GET, "/a", &[]), "192.0.2.1");
    limits::check(&mut flow).unwrap();
    let observed: Vec<_> = flow.observed.iter().map(|refused| refused.code).collect();
    assert_eq!(observed, ["limits.budget", "limits.route_address"]);
}

#[test]
fn policies_of_one_route_have_names_of_their_own() {
    let world = world(
        "[[route]]\npath = \"/**\"\nto = \"s\"\nauth = \"none\"\n\
         limit = [\"5/s per address\", \"100/min per address\", \"7/250ms per route\"]\n",
    );
    let limits = world.state.route(0).unwrap().limits;
    let headers: Vec<_> = limits
        .rates
        .iter()
        .map(|rated| &rated.policy.header)
        .collect();
    assert_eq!(
        headers,
        [
            "\"address\";q=5;w=1",
            "\"address-2\";q=100;w=60",
            "\"route\";q=7;w=1"
        ]
    );
}

#[test]
fn queries_are_read_as_forms_are() {
    for (query, expected) in [
        ("a=1", Ok(Some("1"))),
        ("b=2&a=1", Ok(Some("1"))),
        ("a", Ok(Some(""))),
        ("a=1=2", Ok(Some("1=2"))),
        ("%61=%31", Ok(Some("1"))),
        ("a=1&a=2", Err(())),
        ("a=1&%61=2", Err(())),
        ("aa=1&A=2&&=", Ok(None)),
    ] {
        let found = parameter(query, b"a");
        let expected = expected.map(|text: Option<&str>| text.map(|text| text.as_bytes().to_vec()));
        assert_eq!(found, expected, "{query}");
    }
}
