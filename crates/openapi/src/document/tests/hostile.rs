use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn schema(schema: &str) -> Document {
    document(&format!(
        "  /a:\n    post:\n      requestBody: {{required: true, content: {{application/json: {{schema: {schema}}}}}}}\n      responses: {{}}\n"
    ))
}

fn json(document: &Document, text: &str) -> String {
    body(document, Some("application/json"), text.as_bytes())
}

#[test]
fn alternatives_that_multiply_end_in_too_complex() {
    // Each level tries every alternative: the work doubles with each level of the value.
    let text = "openapi: 3.1.1\ninfo: {title: T, version: '1'}\npaths: {/a: {post: {requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/N'}}}}, responses: {}}}}\ncomponents: {schemas: {N: {anyOf: [{type: object, properties: {n: {$ref: '#/components/schemas/N'}}, required: [x]}, {type: object, properties: {n: {$ref: '#/components/schemas/N'}}, required: [y]}, {type: object, properties: {n: {$ref: '#/components/schemas/N'}}, required: [z]}]}}}";
    let document = full(text);
    let nested = format!("{}{{}}{}", "{\"n\":".repeat(40), "}".repeat(40));
    assert_eq!(json(&document, &nested), "body (too-complex)");
    let blown = text
        .replace("anyOf", "oneOf")
        .replace(", required: [x]", ", required: [n]")
        .replace(", required: [y]", ", required: [n]");
    let deep = format!("{}{{\"z\":1}}{}", "{\"n\":".repeat(40), "}".repeat(40));
    let said = json(&full(&blown), &deep);
    assert_eq!(said, "body (too-complex)");
}

#[test]
fn many_items_that_must_differ_are_compared_in_bounded_work() {
    let unique = schema("{type: array, uniqueItems: true}");
    let numbers: Vec<String> = (0..50_000).map(|n| n.to_string()).collect();
    assert_eq!(json(&unique, &format!("[{}]", numbers.join(","))), "");
    assert_eq!(
        json(&unique, "[1, {\"a\":[1,2]}, {\"a\":[1,2.0]}]"),
        "body (uniqueItems)"
    );
    assert_eq!(
        json(&unique, "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]"),
        "body (uniqueItems)"
    );
    assert_eq!(
        json(&unique, "[1,true,\"1\",[1],{\"1\":1},null,false,0]"),
        ""
    );
}

#[test]
fn work_that_is_spent_is_never_acceptance_even_under_not() {
    let options = Options {
        limits: Limits {
            steps: 50,
            ..Limits::default()
        },
        ..Options::default()
    };
    let text = "openapi: 3.1.1\ninfo: {title: T, version: '1'}\npaths: {/a: {post: {requestBody: {required: true, content: {application/json: {schema: {not: {type: array, items: {type: integer}}}}}}, responses: {}}}}";
    let document = Document::compile(text, &options).unwrap().document;
    let many = format!("[{}]", vec!["1"; 100].join(","));
    assert_eq!(json(&document, &many), "body (too-complex)");
}

#[test]
fn depth_and_size_of_bodies_are_limits() {
    let free = schema("{}");
    assert_eq!(
        json(&free, &format!("{}{}", "[".repeat(65), "]".repeat(65))),
        "body (too-complex)"
    );
    assert_eq!(
        json(&free, &format!("{}{}", "[".repeat(64), "]".repeat(64))),
        ""
    );
    let many = format!("[{}0]", "0,".repeat(1 << 18));
    assert_eq!(json(&free, &many), "body (too-complex)");
}

#[test]
fn a_chain_of_references_does_not_reach_the_stack() {
    let mut text = "openapi: 3.1.1\ninfo: {title: T, version: '1'}\npaths: {/a: {post: {requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/S0'}}}}, responses: {}}}}\ncomponents:\n  schemas:\n".to_owned();
    for at in 0..5_000 {
        writeln!(
            text,
            "    S{at}: {{$ref: '#/components/schemas/S{}'}}",
            at + 1
        )
        .unwrap();
    }
    text.push_str("    S5000: {type: string}\n");
    assert_eq!(json(&full(&text), "1"), "body (too-complex)");
}

#[test]
fn types_of_alternatives_that_multiply_are_looked_for_in_bounded_work() {
    let mut text = "openapi: 3.1.1\ninfo: {title: T, version: '1'}\npaths: {/a: {post: {requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/S0'}}}}, responses: {}}}}\ncomponents:\n  schemas:\n".to_owned();
    for at in 0..8 {
        let next = format!("{{$ref: '#/components/schemas/S{}'}}, ", at + 1);
        let kind = if at == 0 { "" } else { "type: object, " };
        writeln!(text, "    S{at}: {{{kind}anyOf: [{}]}}", next.repeat(40)).unwrap();
    }
    text.push_str("    S8: {type: object}\n");
    let document = full(&text);
    assert_eq!(json(&document, "{}"), "");
    assert_eq!(json(&document, "1"), "body (anyOf)");
}

#[test]
fn properties_of_properties_do_not_multiply() {
    let properties: String = (0..80)
        .map(|n| format!("p{n}: {{$ref: '#/components/schemas/N'}}, "))
        .collect();
    let text = |media: &str| {
        format!(
            "openapi: 3.1.1\ninfo: {{title: T, version: '1'}}\npaths: {{/a: {{post: {{requestBody: {{content: {{{media}: {{schema: {{$ref: '#/components/schemas/N'}}}}}}}}, responses: {{}}}}}}}}\ncomponents: {{schemas: {{N: {{type: object, properties: {{{properties}}}}}}}}}"
        )
    };
    let document = full(&text("application/json"));
    assert_eq!(
        json(&document, "{\"p1\": {\"p2\": 1}}"),
        "body `/p1/p2` (type)"
    );
    let form = Document::compile(&text("multipart/form-data"), &Options::default());
    let findings = shown(&form.unwrap_err());
    assert!(
        findings.contains("parameters and forms are too many"),
        "{findings}"
    );
}

#[test]
fn numbers_of_a_thousand_digits_are_read_a_bounded_number_of_times() {
    let listed: Vec<String> = (1..400).map(|n| n.to_string()).collect();
    let numbers = schema(&format!(
        "{{type: array, items: {{anyOf: [{{enum: [{}]}}, {{type: number}}]}}}}",
        listed.join(", ")
    ));
    let many =
        |count: usize, digits: usize| format!("[{}]", vec!["7".repeat(digits); count].join(","));
    assert_eq!(json(&numbers, &many(2_000, 10)), "");
    assert_eq!(json(&numbers, &many(2_000, 1_000)), "body (too-complex)");
}

#[test]
fn patterns_that_a_request_brings_are_few() {
    let patterns = schema("{type: array, items: {type: string, format: regex}}");
    let many = |count: usize| format!("[{}]", vec!["\"(?:a{50}){20}\""; count].join(","));
    assert_eq!(json(&patterns, &many(100)), "");
    assert_eq!(json(&patterns, &many(1_000)), "body (too-complex)");
}

#[test]
fn long_names_of_a_document_are_kept_once() {
    let name = "n".repeat(100_000);
    let text = format!(
        r#"{{"openapi": "3.1.1", "info": {{"title": "T", "version": "1"}}, "{name}": 1, "paths": {{"/a": {{"post": {{"requestBody": {{"content": {{"application/json": {{"schema": {{"properties": {{"{name}": {{"properties": {{"a": {{"{name}": 1, "type": "integer"}}}}}}}}}}}}}}}}, "responses": {{}}}}}}}}}}"#
    );
    let compiled = Document::compile(&text, &Options::default()).unwrap();
    let operation = compiled.document.operations().next().unwrap();
    let mut out = Violations::new();
    let body = format!("{{\"{name}\": {{\"a\": null}}}}");
    operation.check_body(Some(b"application/json"), Some(body.as_bytes()), &mut out);
    let rule = &out.iter().next().unwrap().rule;
    assert!(rule.ends_with("/properties/…/properties/a/type"), "{rule}");
}

#[test]
fn violations_are_few_short_and_hold_no_values() {
    let list = schema("{type: array, items: {type: integer}}");
    let document = &list;
    let operation = document.operations().next().unwrap();
    let mut out = Violations::new();
    let many = format!("[{}]", vec!["\"s3cret\""; 1_000].join(","));
    operation.check_body(Some(b"application/json"), Some(many.as_bytes()), &mut out);
    assert_eq!(out.iter().len(), 16);
    for violation in out.iter() {
        assert!(!format!("{violation:?}").contains("s3cret"));
        assert_eq!(
            violation.rule,
            "/paths/~1a/post/requestBody/content/application~1json/schema/items/type"
        );
    }
    let closed = schema("{additionalProperties: false}");
    let mut out = Violations::new();
    let name = format!("{{\"{}\\u0000\\u202e`/~\": 1}}", "x".repeat(1_000));
    closed.operations().next().unwrap().check_body(
        Some(b"application/json"),
        Some(name.as_bytes()),
        &mut out,
    );
    let place = out.iter().next().unwrap().place.to_string();
    assert!(place.len() < 80, "{place}");
    out.clear();
    closed.operations().next().unwrap().check_body(
        Some(b"application/json"),
        Some(b"{\"\\u0000\\u202e`\": 1}"),
        &mut out,
    );
    assert_eq!(
        out.iter().next().unwrap().place.to_string(),
        "body `/\\u{0}\\u{202e}\\u{60}`"
    );
}

const ALL: &str = "openapi: 3.1.1\ninfo: {title: T, version: '1'}\npaths:\n  /a/{p}:\n    post:\n      parameters: [{name: p, in: path, required: true, style: matrix, explode: true, schema: {type: object}}, {name: q, in: query, style: deepObject, schema: {type: object}}, {name: l, in: query, explode: false, schema: {type: array, items: {type: integer}}}, {name: o, in: query, schema: {type: object, properties: {a: {type: integer}}}}, {name: c, in: cookie, schema: {type: array}}, {name: h, in: header, explode: true, schema: {type: object}}]\n      requestBody: {content: {'*/*': {schema: {type: object, properties: {a: {type: array, uniqueItems: true, items: {type: [integer, string]}}, b: {type: object}, c: {type: string, format: binary}}, unevaluatedProperties: false, minProperties: 1}}}}\n      responses: {}\n";

proptest! {
    #[test]
    fn no_request_is_a_panic(path in "/a/[;=a-c%0-9,.é]{0,12}", query in "[a-qlo=&\\[\\]%0-9,+|]{0,24}", field in "[a-c=,; \"%é]{0,12}") {
        let document = full(ALL);
        let target = format!("{path}?{query}");
        head(&document, "POST", &target, &[("cookie", &field), ("h", &field)]);
    }

    #[test]
    fn no_body_is_a_panic(
        media in "(application/json|multipart/form-data; ?boundary=b|application/x-www-form-urlencoded|text/plain|[a-z/*;=\" ]{0,12})",
        bytes in "(--b|\r\n|Content-Disposition: form-data; name=\"[a-c]\"|\r\n\r\n|[a-c]|=|&|%4|\\{|\\}|\\[|\\]|\"|:|,|1|é|; filename=\"x\"|Content-Type: application/json){0,14}",
    ) {
        let document = full(ALL);
        body(&document, Some(&media), bytes.as_bytes());
    }

    #[test]
    fn no_document_is_a_panic(lines in proptest::collection::vec("( {0,8})(openapi: 3\\.[01]\\.0|paths:|/a(/\\{x\\})?:|get:|parameters:|- |\\$ref: '#/[a-z/~01]{0,12}'|schema:|type: [a-z]{3,7}|allOf: \\[\\{\\}\\]|components:|schemas:|A:|properties:|items: \\{\\}|required: \\[a\\]|requestBody:|content:|'\\*/\\*':|responses:|'200':|name: a|in: (path|query|cookie|header)|style: [a-zA-Z]{4,10}|\\$id: [a-z:/#]{1,8}|enum: \\[1\\])", 0..24)) {
        let text = format!("openapi: 3.1.0\n{}", lines.join("\n"));
        drop(Document::compile(&text, &Options::default()));
        drop(Document::compile(&lines.join("\n"), &Options::default()));
    }
}
