use super::*;

fn posting(content: &str) -> Document {
    document(&format!(
        "  /a:\n    post:\n      requestBody: {{required: true, content: {{{content}}}}}\n      responses: {{}}\n"
    ))
}

const ORDER: &str = "application/json: {schema: {type: object, required: [id], additionalProperties: false, properties: {id: {type: integer}, note: {type: string, maxLength: 5}, at: {type: string, readOnly: true}}}}";

#[test]
fn json_is_held_to_its_schema_with_places() {
    let document = posting(ORDER);
    for (json, expected) in [
        (r#"{"id":1,"note":"short"}"#, ""),
        (r#"{"id":"1"}"#, "body `/id` (type)"),
        (
            r#"{"note":"too long"}"#,
            "body `/note` (maxLength); body (required)",
        ),
        (
            r#"{"id":1,"role":"admin"}"#,
            "body `/role` (additionalProperties)",
        ),
        (r#"{"id":1,"at":"now"}"#, "body `/at` (readOnly)"),
        (r#"{"id":1,"id":2}"#, "body (repeated)"),
        (r#"{"id":1"#, "body (syntax)"),
        (r#"[1]"#, "body (type)"),
        ("", "body (required)"),
    ] {
        assert_eq!(
            body(&document, Some("application/json"), json.as_bytes()),
            expected,
            "{json}"
        );
    }
}

#[test]
fn a_body_must_say_what_it_is_and_be_it() {
    let document = posting(&format!(
        "{ORDER}, text/plain: {{schema: {{type: string, maxLength: 3}}}}, image/*: {{}}"
    ));
    let good = br#"{"id":1}"#;
    for (media, expected) in [
        (Some("application/json"), ""),
        (Some("Application/JSON; charset=UTF-8"), ""),
        (
            Some("application/json; charset=utf-16"),
            "content type (media-type)",
        ),
        (
            Some("application/json; charset=\"utf-7\""),
            "content type (media-type)",
        ),
        (Some("application/json; a=b; charset=utf-8"), ""),
        (
            Some("application/json; charset=utf-8; charset=utf-7"),
            "content type (media-type)",
        ),
        (Some("application/xml"), "content type (media-type)"),
        (Some("application/vnd.x+json"), "content type (media-type)"),
        (
            Some("application/json, text/plain"),
            "content type (media-type)",
        ),
        (Some("json"), "content type (media-type)"),
        (Some(""), "content type (media-type)"),
        (None, "content type (media-type)"),
        (Some("text/plain"), "body (maxLength)"),
        (Some("image/png"), ""),
    ] {
        assert_eq!(body(&document, media, good), expected, "{media:?}");
    }
    assert_eq!(body(&document, Some("text/plain"), b"abc"), "");
    assert_eq!(
        body(&document, Some("text/plain"), b"\xff"),
        "body (syntax)"
    );
    let none = super::document("  /a:\n    post: {responses: {}}\n");
    assert_eq!(
        body(&none, Some("application/json"), good),
        "body (undeclared)"
    );
    assert_eq!(body(&none, None, b""), "");
}

#[test]
fn urlencoded_forms_are_objects() {
    let document = posting(
        "application/x-www-form-urlencoded: {schema: {type: object, required: [n], additionalProperties: false, properties: {n: {type: integer}, l: {type: array, items: {type: boolean}}, o: {type: object, required: [x]}}}}",
    );
    for (form, expected) in [
        ("n=1", ""),
        ("n=1&l=true&l=false", ""),
        ("n=1&l=true&l=x", "body `/l/1` (type)"),
        ("n=x", "body `/n` (type)"),
        ("l=true", "body (required)"),
        ("n=1&n=2", "body `/n` (repeated)"),
        ("n=1&role=admin", "body `/role` (additionalProperties)"),
        ("n=1&o=%7B%22x%22:1%7D", ""),
        ("n=1&o=%7B%7D", "body `/o` (required)"),
        ("n=1&o=%7B", "body `/o` (syntax)"),
        ("n=%zz", "body (syntax)"),
    ] {
        assert_eq!(
            body(
                &document,
                Some("application/x-www-form-urlencoded"),
                form.as_bytes()
            ),
            expected,
            "{form}"
        );
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn forms_of_several_parts_are_read_strictly() {
    let document = posting(
        "multipart/form-data: {schema: {type: object, required: [n], properties: {n: {type: integer}, f: {type: string, format: binary}, o: {type: object, required: [x]}, t: {type: string}}, additionalProperties: false}, encoding: {f: {contentType: 'image/png, image/jpeg'}}}",
    );
    let field = |head: &str, content: &str| {
        format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n")
    };
    let n = field("name=\"n\"", "7");
    for (form, expected) in [
        (format!("{n}--b--"), ""),
        (format!("{n}--b--\r\n"), ""),
        (
            format!("{}--b--", field("name=\"n\"", "x")),
            "body `/n` (type)",
        ),
        (format!("{n}{n}--b--"), "body `/n` (repeated)"),
        (
            format!(
                "{n}{}--b--",
                field(
                    "name=\"f\"; filename=\"a.png\"\r\nContent-Type: image/png",
                    "\u{0}\r\n--c"
                )
            ),
            "",
        ),
        (
            format!(
                "{n}{}--b--",
                field(
                    "name=\"f\"; filename=\"a.php\"\r\nContent-Type: text/x-php",
                    "x"
                )
            ),
            "body `/f` (media-type)",
        ),
        (format!("{n}{}--b--", field("name=\"o\"", "{\"x\":1}")), ""),
        (
            format!("{n}{}--b--", field("name=\"o\"", "{}")),
            "body `/o` (required)",
        ),
        (
            format!(
                "{n}{}--b--",
                field(
                    "name=\"o\"\r\nContent-Type: application/json",
                    "{\"x\":1,\"x\":2}"
                )
            ),
            "body `/o` (repeated)",
        ),
        (
            format!("{n}{}--b--", field("name=\"role\"", "admin")),
            "body `/role` (additionalProperties)",
        ),
        (format!("preamble\r\n{n}--b--"), "body (syntax)"),
        (format!("{n}--b--\r\nepilogue"), "body (syntax)"),
        (n.clone(), "body (syntax)"),
        ("--b--".to_owned(), "body (required)"),
        (
            format!("{}--b--", field("name=\"n\"; name=\"m\"", "7")),
            "body (syntax)",
        ),
        (
            format!("{}--b--", field("name*=utf-8''n", "7")),
            "body (syntax)",
        ),
        (
            format!("{}--b--", field("name=\"n\\\"\"", "7")),
            "body (syntax)",
        ),
        (
            format!(
                "{}--b--",
                field("name=\"n\"\r\nContent-Transfer-Encoding: base64", "Nw==")
            ),
            "body (syntax)",
        ),
        (
            format!(
                "{}--b--",
                field(
                    "name=\"n\"\r\nContent-Disposition: form-data; name=\"m\"",
                    "7"
                )
            ),
            "body (repeated)",
        ),
        (
            format!("{}--b--", field("name=\"n\"\r\n folded: x", "7")),
            "body (syntax)",
        ),
        (
            format!("{}--b--", field("name=\"n\"\nX: y", "7")),
            "body (syntax)",
        ),
    ] {
        assert_eq!(
            body(
                &document,
                Some("multipart/form-data; boundary=b"),
                form.as_bytes()
            ),
            expected,
            "{form:?}"
        );
    }
    assert_eq!(
        body(&document, Some("multipart/form-data"), n.as_bytes()),
        "body (syntax)"
    );
    let free = posting("multipart/form-data: {}");
    let file = b"--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n\xff\x00\r\n--b--";
    assert_eq!(
        body(&free, Some("multipart/form-data; boundary=b"), file),
        ""
    );
    let long = format!("multipart/form-data; boundary={}", "b".repeat(71));
    assert_eq!(body(&document, Some(&long), n.as_bytes()), "body (syntax)");
    let text = field("name=\"t\"", "x").replace('x', "\u{fffd}");
    let bytes = format!("{n}{text}--b--")
        .into_bytes()
        .iter()
        .map(|b| if *b >= 0x80 { 0xff } else { *b })
        .collect::<Vec<u8>>();
    assert_eq!(
        body(&document, Some("multipart/form-data; boundary=b"), &bytes),
        "body `/t` (syntax)"
    );
}

#[test]
fn responses_are_held_to_their_status_headers_and_body() {
    let document = document(
        "  /a:\n    get:\n      responses:\n        '200': {description: ok, headers: {X-Left: {required: true, schema: {type: integer}}}, content: {application/json: {schema: {type: object, properties: {s: {type: string, writeOnly: true}, r: {type: string, readOnly: true}}, required: [s, r]}}}}\n        4XX: {description: bad}\n  /b:\n    get: {responses: {default: {description: any}}}\n  /c:\n    get: {}\n",
    );
    let answer = |at: usize, status: u16, fields: &[(&str, &str)], body: Option<&str>| {
        let mut out = Violations::new();
        let operation = document.operations().nth(at).unwrap();
        operation.check_response(status, &fields, body.map(str::as_bytes), &mut out);
        said(&out)
    };
    let json = ("content-type", "application/json");
    assert_eq!(
        answer(0, 200, &[json, ("x-left", "3")], Some(r#"{"r":"x"}"#)),
        ""
    );
    assert_eq!(
        answer(
            0,
            200,
            &[json, ("x-left", "3")],
            Some(r#"{"r":"x","s":"x"}"#)
        ),
        "body `/s` (writeOnly)"
    );
    assert_eq!(
        answer(0, 200, &[json, ("x-left", "no")], Some("{}")),
        "header `x-left` (type); body (required)"
    );
    assert_eq!(answer(0, 200, &[json], None), "header `x-left` (required)");
    assert_eq!(
        answer(
            0,
            200,
            &[("content-type", "text/html"), ("x-left", "3")],
            Some("<p>")
        ),
        "content type (media-type)"
    );
    assert_eq!(answer(0, 404, &[], Some("anything")), "");
    assert_eq!(answer(0, 500, &[], None), "status (status)");
    assert_eq!(answer(1, 500, &[], None), "");
    assert_eq!(answer(2, 500, &[], None), "");
    assert!(!document.operations().nth(2).unwrap().checks_responses());
}
