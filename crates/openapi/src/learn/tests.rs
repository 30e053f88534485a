use proptest::prelude::*;

use super::*;
use crate::{Found, HeadView, Options, Undeclared, Violations};

fn exchange<'a>(
    method: &'a str,
    target: &'a str,
    body: Option<&'a str>,
    source: u64,
) -> Exchange<'a> {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let json = |body: &'a str| Content {
        content_type: Some(b"application/json"),
        body: body.as_bytes(),
    };
    Exchange {
        method,
        path,
        query,
        request: body.map(json),
        status: 200,
        response: None,
        source,
    }
}

fn compiled(text: &str) -> Document {
    match Document::compile(text, &Options::default()) {
        Ok(compiled) => compiled.document,
        Err(findings) => panic!("{text}\n{findings:#?}"),
    }
}

/// What is wrong with an exchange's request.
fn wrong(document: &Document, exchange: &Exchange<'_>) -> Vec<String> {
    let Found::Operation(operation, captures) = document.find(exchange.method, exchange.path)
    else {
        return vec!["not found".to_owned()];
    };
    let mut out = Violations::new();
    let fields: &[(&str, &str)] = &[];
    let head = HeadView {
        path: exchange.path,
        captures: &captures,
        query: exchange.query,
        fields: &fields,
    };
    operation.check_head(&head, &mut out);
    operation.check_body(
        exchange.request.and_then(|r| r.content_type),
        exchange.request.map(|r| r.body),
        &mut out,
    );
    if let Some(answer) = exchange.response {
        let fields: &[(&str, &str)] = &[("content-type", "application/json")];
        operation.check_response(exchange.status, &fields, Some(answer.body), &mut out);
    }
    out.iter().map(|v| format!("{v} [{}]", v.rule)).collect()
}

#[test]
fn an_api_that_was_watched_becomes_a_document() {
    let mut seen = Observations::new(Limits::default());
    for (at, who) in (0usize..60).zip(0u64..) {
        let body = format!(
            "{{\"status\":\"{}\",\"total\":{}.5,\"email\":\"p{at}@x.example\",\"lines\":[{{\"sku\":\"A{at}\",\"n\":{at}}}]{}}}",
            ["open", "paid"][at % 2],
            at,
            if at % 3 == 0 { ",\"note\":null" } else { "" }
        );
        let target = format!(
            "/orders/{}?page={at}&sort={}",
            1000 + at,
            ["up", "down"][at % 2]
        );
        seen.observe(&exchange("PUT", &target, Some(&body), who % 7));
        seen.observe(&exchange("GET", "/orders", None, who));
        seen.observe(&exchange(
            "GET",
            &format!(
                "/people/{}",
                ["ann", "bob", "cid", "dan", "eve", "fay"][at % 6]
            ),
            None,
            who % 6,
        ));
    }
    let text = seen.propose("Shop");
    let expected = include_str!("../../testdata/learnt.yaml");
    assert_eq!(text, expected);
    compiled(&text);
    assert_eq!(text, seen.propose("Shop"));
}

#[test]
fn a_slash_at_the_end_is_learnt_where_names_have_become_values() {
    let mut seen = Observations::new(Limits {
        segment_values: 3,
        ..Limits::default()
    });
    for path in ["/a/me", "/a/~", "/a/a", "/", "/b/v", "/~/"] {
        seen.observe(&exchange("GET", path, None, 0));
    }
    assert_eq!(seen.dropped(), Dropped::default());
}

#[test]
fn values_of_people_and_secrets_never_leave() {
    let mut seen = Observations::new(Limits::default());
    for at in 0..200u64 {
        let body = format!(
            "{{\"password\":\"hunter\",\"city\":\"Bern\",\"kind\":\"a@b.example\",\"state\":\"s{}\",\"rare\":\"{}\"}}",
            at % 2,
            if at == 0 { "lonely" } else { "usual" }
        );
        seen.observe(&exchange(
            "POST",
            "/a?token=abc&q=zed",
            Some(&body),
            if at % 4 == 0 { 1 } else { at % 5 },
        ));
    }
    let text = seen.propose("T");
    for secret in ["hunter", "Bern", "a@b.example", "lonely", "abc"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(text.contains("- s0") && text.contains("- zed"), "{text}");
}

#[test]
fn what_the_service_refused_teaches_nothing_but_its_answer() {
    let mut seen = Observations::new(Limits::default());
    seen.observe(&exchange("GET", "/a", None, 1));
    for path in ["/.env", "/wp-login.php", "/a?q=%27%20or%201=1"] {
        seen.observe(&Exchange {
            status: 404,
            ..exchange("GET", path, None, 2)
        });
    }
    let text = seen.propose("T");
    assert!(
        !text.contains("env") && !text.contains("wp-") && !text.contains("name: q"),
        "{text}"
    );
    assert!(text.contains("\"404\""), "{text}");
    assert_eq!(seen.dropped().refused, 3);
}

#[test]
fn memory_is_bounded_and_what_is_dropped_is_counted() {
    let limits = Limits {
        operations: 10,
        names: 5,
        shapes: 50,
        ..Limits::default()
    };
    let mut seen = Observations::new(limits);
    for at in 0..500u32 {
        let name = |n: u32| -> String {
            n.to_string()
                .bytes()
                .map(|b| char::from(b - b'0' + b'a'))
                .collect()
        };
        let target = format!("/{}/x/{}?p{at}=1", name(at), name(at / 3));
        let body = format!("{{\"k{at}\":{{\"a\":[[[1]]]}}}}");
        seen.observe(&exchange("POST", &target, Some(&body), u64::from(at)));
        seen.observe(&exchange("BREW", "/a", None, 1));
        seen.observe(&exchange("POST", "/a", Some("{\"a\":1,"), 1));
    }
    let dropped = seen.dropped();
    assert!(
        dropped.operations > 0 && dropped.names > 0 && dropped.bodies > 0,
        "{dropped:?}"
    );
    assert!(seen.used.operations <= 10 && seen.used.shapes <= 50);
    compiled(&seen.propose("T"));
}

#[test]
fn a_document_and_its_traffic_are_compared_both_ways() {
    let document = compiled(
        "openapi: 3.1.1\ninfo: {title: T, version: '1'}\npaths:\n  /a/{id}:\n    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]\n    put:\n      parameters: [{name: q, in: query, schema: {type: integer}}]\n      requestBody: {content: {application/json: {schema: {allOf: [{$ref: '#/components/schemas/A'}]}}}}\n      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {type: string}}}}}}\n    delete: {responses: {}}\ncomponents: {schemas: {A: {type: object, properties: {n: {type: integer}, s: {type: object, properties: {t: {type: string}}}}}}}\n",
    );
    let mut seen = Observations::new(Limits::default());
    let answer = Content {
        content_type: Some(b"application/json"),
        body: b"[1]",
    };
    seen.observe(&Exchange {
        response: Some(answer),
        ..exchange(
            "PUT",
            "/a/7?q=1&debug=1",
            Some("{\"n\":\"x\",\"role\":\"admin\",\"s\":{\"t\":\"x\",\"u\":1}}"),
            1,
        )
    });
    seen.observe(&Exchange {
        status: 202,
        ..exchange("PUT", "/a/7", Some("{\"n\":1}"), 1)
    });
    seen.observe(&exchange("GET", "/a/8", None, 1));
    seen.observe(&exchange("GET", "/hidden", None, 1));
    seen.observe(&Exchange {
        request: Some(Content {
            content_type: Some(b"text/csv"),
            body: b"x",
        }),
        ..exchange("PUT", "/a/7", None, 1)
    });
    let said: Vec<String> = seen
        .drift(&document)
        .iter()
        .map(|d| {
            format!(
                "{:?} {} {} {} {} {}",
                d.kind, d.method, d.template, d.place, d.text, d.seen
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "Undocumented GET /a/{aId}  the path is there, the method is not 1",
            "Parameter PUT /a/{id} query parameter `debug` it is not declared 1",
            "Type PUT /a/{id} request /n values are integer or string, where the document has integer 0",
            "Field PUT /a/{id} request /role the field is not declared 1",
            "Field PUT /a/{id} request /s/u the field is not declared 1",
            "MediaType PUT /a/{id} request the media type `text/csv` is not declared 0",
            "Type PUT /a/{id} response 200 /* values are integer, where the document has string 0",
            "Status PUT /a/{id} status 202 it is not declared 1",
            "Undocumented GET /hidden  no path of the document is it 1",
            "NeverSeen DELETE /a/{id}  nobody used it 0",
        ]
    );
    let mut mirrored = Observations::new(Limits::default());
    mirrored.observe(&exchange("GET", "/a/8?x=1", None, 1));
    assert_eq!(mirrored.drift(&compiled(&mirrored.propose("T"))), []);
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        (-5i64..200).prop_map(|n| n.to_string()),
        (-500i32..500, 0u32..100).prop_map(|(a, b)| format!("{a}.{b}e3")),
        "\"[a-z]{0,6}\"",
        "\"(2026-01-0[1-9]|no|~|a b|é|1e3|10\\.0\\.0\\.1)\"",
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::btree_map("[abno<~é #:-]{1,2}", inner, 0..4).prop_map(
                |members| {
                    let members: Vec<String> = members
                        .iter()
                        .map(|(name, value)| format!("\"{name}\":{value}"))
                        .collect();
                    format!("{{{}}}", members.join(","))
                }
            ),
        ]
    })
}

#[derive(Debug, Clone)]
struct Made {
    method: &'static str,
    target: String,
    body: Option<String>,
    answer: Option<String>,
    source: u64,
}

fn made() -> impl Strategy<Value = Made> {
    let segment = "(|[ab]|users|me|[0-9]{1,3}|v1|a%20b|%7Bx%7D|~|x\\.y|[a-f0-9]{20})";
    let path =
        proptest::collection::vec(segment, 1..4).prop_map(|parts| format!("/{}", parts.join("/")));
    let query = proptest::option::of(
        "([abno]|%5B|q\\[a\\]|)=(|[0-9]{1,3}|true|no|%20|[a-z]{1,4}|1\\.50)(&([abno])=(|[0-9]{1,2}|x))?",
    );
    let method = prop_oneof![Just("GET"), Just("POST"), Just("DELETE")];
    (
        method,
        path,
        query,
        proptest::option::of(json()),
        proptest::option::of(json()),
        0u64..6,
    )
        .prop_map(|(method, path, query, body, answer, source)| Made {
            method,
            target: query.map_or(path.clone(), |query| format!("{path}?{query}")),
            body,
            answer,
            source,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_proposed_compiles_and_accepts_what_was_seen(all in proptest::collection::vec(made(), 1..40), count in 1u64..20, repeat in 1usize..4, segment_values in 2usize..6) {
        let limits = Limits { value_count: count, value_sources: 2, segment_values, ..Limits::default() };
        let mut seen = Observations::new(limits);
        let exchanges: Vec<Exchange<'_>> = all.iter().map(|made| {
            let answer = made.answer.as_ref().map(|body| Content { content_type: Some(b"application/json"), body: body.as_bytes() });
            Exchange { response: answer, ..exchange(made.method, &made.target, made.body.as_deref(), made.source) }
        }).collect();
        for exchange in exchanges.iter().cycle().take(exchanges.len() * repeat) {
            seen.observe(exchange);
        }
        prop_assert_eq!(seen.dropped(), Dropped::default());
        let text = seen.propose("T");
        let document = compiled(&text);
        for (exchange, made) in exchanges.iter().zip(&all) {
            let wrong = wrong(&document, exchange);
            prop_assert!(wrong.is_empty(), "{:?}\n{:?}\n{}", wrong, made, text);
        }
        let drift = seen.drift(&document);
        prop_assert!(drift.is_empty(), "{:?}\n{}", drift, text);
    }

    #[test]
    fn no_exchange_is_a_panic(path in "/?.{0,12}", query in ".{0,12}", media in "[a-z/+;=]{0,20}|application/json", body in proptest::collection::vec(any::<u8>(), 0..40)) {
        let mut seen = Observations::new(Limits::default());
        let content = Some(Content { content_type: Some(media.as_bytes()), body: &body });
        seen.observe(&Exchange { method: "POST", path: &path, query: Some(&query), request: content, status: 200, response: content, source: 1 });
        let text = seen.propose(&query);
        let options = Options { undeclared: Undeclared::Allow, ..Options::default() };
        prop_assert!(Document::compile(&text, &options).is_ok(), "{}", text);
    }
}

#[test]
fn names_that_strangers_make_up_are_few_and_short() {
    let mut seen = Observations::new(Limits {
        operations: 4,
        places: 40,
        ..Limits::default()
    });
    // Each level has few names, so that none of them is taken for a value.
    let word = |n: usize| ["ab", "cd", "ef", "gh", "ij", "kl", "mn", "op"][n % 8];
    for n in 0..512 {
        let path = format!("/{}/{}/{}/qr/st/uv", word(n), word(n / 8), word(n / 64));
        seen.observe(&exchange("GET", &path, None, 1));
    }
    let held = format!("{seen:?}");
    assert!(
        held.matches("uv").count() <= 40,
        "{}",
        held.matches("uv").count()
    );
    let long = "x".repeat(4_000);
    let mut seen = Observations::new(Limits::default());
    seen.observe(&exchange("GET", &format!("/a?{long}=1"), None, 1));
    let body = format!("{{\"{long}\": 1}}");
    seen.observe(&exchange("POST", "/a", Some(&body), 1));
    assert!(!format!("{seen:?}").contains(&long));
    assert_eq!(seen.dropped().names, 2);
}
