use std::path::Path;

use bytes::Bytes;
use estate::Estate;
use http::Request;
use model::{ByteSize, SharedClock, SharedEntropy};
use testkit::{FakeClock, SeededEntropy, small_estate};

use super::*;
use crate::body::Budget;
use crate::contract::Documents;
use crate::exchange::Connection;
use crate::metrics::Registry;
use crate::pipeline;
use crate::shared::{Common, Parts, Shared};
use crate::state::Builder;
use crate::steps::route;
use crate::upstream::{Around, Target};

/// What is said of a body on a route with these modes: the code of a refusal, or those observed.
async fn said(
    modes: &str,
    headers: &[(&'static str, &'static str)],
    content: &str,
) -> Result<String, &'static str> {
    let text = small_estate(&format!("mode = {modes}"), "");
    let estate = Estate::parse(&text).unwrap().estate;
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
    let builder = Builder::new(around, Arc::new(Registry::new(1)));
    let state = builder.supposed(1, Arc::new(estate), &Documents::default());
    let budget = Arc::new(Budget::new(".".into(), ByteSize(1 << 20), ByteSize(0)));
    let common = Common::new(Parts {
        clock,
        entropy,
        budget: Arc::clone(&budget),
        recorder: None,
        link: None,
        control,
        certificates: Arc::default(),
    });
    let meter = builder.registry.meters().first().cloned().unwrap();
    let shared = Shared::new(Arc::new(common), meter);
    let connection = Connection {
        secure: true,
        ..Connection::of("192.0.2.1:1".parse().unwrap())
    };
    let mut request = Request::post("/posts").header("host", "shop.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(None).unwrap();
    let mut flow = pipeline::begin(&shared, &state, &connection, request);
    route::find(&mut flow).unwrap();
    let bytes = Bytes::from(content.to_owned());
    let held = crate::body::hold_bytes(bytes, &budget).await.unwrap();
    match body(&mut flow, &held).await {
        Ok(()) => Ok(flow.observed.iter().map(|one| one.code).collect()),
        Err(refused) => Err(refused.code),
    }
}

#[tokio::test]
async fn body_that_no_rule_can_read_is_refused_where_rules_block() {
    const ATTACK: &str = r#"{"a": "1' OR '1'='1"}"#;
    let json = ("content-type", "application/json");
    let validates_none = r#"{ validate = "observe" }"#;
    assert_eq!(
        said(validates_none, &[json], ATTACK).await,
        Err("inspect.sql_injection")
    );
    let encoded = [json, ("content-encoding", "x")];
    let twice = [json, ("content-type", "image/png")];
    let charset = [("content-type", "application/json; charset=utf-7")];
    let malformed = format!("{ATTACK},");
    for (headers, content, code) in [
        (&encoded[..], ATTACK, "body.encoded"),
        (&twice[..], ATTACK, "body.content_type_repeated"),
        (&charset[..], ATTACK, "body.charset"),
        (&[json][..], &malformed, "body.invalid_json"),
    ] {
        assert_eq!(said(validates_none, headers, content).await, Err(code));
        // Where neither blocks, it is only noted.
        let noted = said("\"observe\"", headers, content).await;
        assert_eq!(noted.as_deref(), Ok(code));
    }
}
