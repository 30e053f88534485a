use super::*;

fn with(parameter: &str) -> Document {
    document(&format!(
        "  /a:\n    get:\n      parameters: [{parameter}]\n      responses: {{}}\n"
    ))
}

fn check(parameter: &str, cases: &[(&str, &str)]) {
    let document = with(parameter);
    for (query, expected) in cases {
        assert_eq!(
            head(&document, "GET", &format!("/a?{query}"), &[]),
            *expected,
            "{parameter}: {query}"
        );
    }
}

#[test]
fn query_parameters_are_read_as_what_their_schema_wants() {
    check(
        "{name: n, in: query, required: true, schema: {type: integer, minimum: 1}}",
        &[
            ("n=5", ""),
            ("n=0", "query parameter `n` (minimum)"),
            ("n=x", "query parameter `n` (type)"),
            ("n=1.5", "query parameter `n` (type)"),
            ("n=", "query parameter `n` (type)"),
            ("", "query parameter `n` (required)"),
            ("n=1&n=2", "query parameter `n` (repeated)"),
            ("n=1&%6e=2", "query parameter `n` (repeated)"),
            ("n=1&m=2", "query parameter `m` (undeclared)"),
            ("n=%zz", "query parameter `n` (syntax)"),
            ("n=%ff", "query parameter `n` (syntax)"),
            ("n=1&%ff=2", "query parameter `` (syntax)"),
            ("n=99999999999999999999", ""),
        ],
    );
    check(
        "{name: b, in: query, schema: {type: boolean}}",
        &[
            ("b=true", ""),
            ("b=1", "query parameter `b` (type)"),
            ("b=True", "query parameter `b` (type)"),
        ],
    );
    check(
        "{name: s, in: query, schema: {type: string, pattern: '^a b$'}}",
        &[
            ("s=a+b", ""),
            ("s=a%20b", ""),
            ("s=a%2bb", "query parameter `s` (pattern)"),
        ],
    );
    check(
        "{name: s, in: query, schema: {type: [string, integer], maxLength: 3, maximum: 9999}}",
        &[
            ("s=12", ""),
            ("s=1234", ""),
            ("s=12345", "query parameter `s` (maximum)"),
            ("s=abcd", "query parameter `s` (maxLength)"),
        ],
    );
    check(
        "{name: s, in: query, schema: {enum: [1, two]}}",
        &[
            ("s=1", ""),
            ("s=two", ""),
            ("s=3", "query parameter `s` (enum)"),
        ],
    );
    check(
        "{name: s, in: query, allowEmptyValue: true, schema: {type: integer}}",
        &[("s", ""), ("s=", ""), ("s=x", "query parameter `s` (type)")],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn every_style_of_the_query_is_read_back() {
    let list = "schema: {type: array, items: {type: integer}, maxItems: 2}";
    check(
        &format!("{{name: l, in: query, {list}}}"),
        &[
            ("l=1", ""),
            ("l=1&l=2", ""),
            ("l=1&l=2&l=3", "query parameter `l` (maxItems)"),
            ("l=1&l=x", "query parameter `l/1` (type)"),
            ("l=1,2", "query parameter `l/0` (type)"),
        ],
    );
    check(
        &format!("{{name: l, in: query, explode: false, {list}}}"),
        &[
            ("l=1,2", ""),
            ("l=1,2,3", "query parameter `l` (maxItems)"),
            ("l=1&l=2", "query parameter `l` (repeated)"),
        ],
    );
    check(
        &format!("{{name: l, in: query, style: pipeDelimited, explode: false, {list}}}"),
        &[
            ("l=1|2", ""),
            ("l=1%7C2", ""),
            ("l=1|2|3", "query parameter `l` (maxItems)"),
        ],
    );
    check(
        &format!("{{name: l, in: query, style: spaceDelimited, explode: false, {list}}}"),
        &[
            ("l=1%202", ""),
            ("l=1+2", ""),
            ("l=1%20x", "query parameter `l/1` (type)"),
        ],
    );
    let object = "schema: {type: object, required: [a], properties: {a: {type: integer}, b: {type: array, items: {type: string}}}, additionalProperties: false}";
    check(
        &format!("{{name: o, in: query, style: deepObject, {object}}}"),
        &[
            ("o[a]=1", ""),
            ("o%5Ba%5D=1&o[b]=x&o[b]=y", ""),
            ("o[b][]=x&o[a]=1", ""),
            ("o[a]=x", "query parameter `o/a` (type)"),
            ("o[b]=x", "query parameter `o` (required)"),
            (
                "o[c]=1&o[a]=1",
                "query parameter `o/c` (additionalProperties)",
            ),
            ("o[a]=1&o[a]=2", "query parameter `o` (repeated)"),
            ("o[a][b]=1", "query parameter `o` (style)"),
            ("o=1", "query parameter `o` (undeclared)"),
        ],
    );
    check(
        &format!("{{name: o, in: query, {object}}}"),
        &[
            ("a=1", ""),
            ("a=1&b=x", ""),
            ("a=x", "query parameter `o/a` (type)"),
            ("c=1&a=1", "query parameter `c` (undeclared)"),
            ("a=1&a=2", "query parameter `o` (repeated)"),
        ],
    );
    check(
        &format!("{{name: o, in: query, explode: false, {object}}}"),
        &[
            ("o=a,1", ""),
            ("o=a,1,b,x", ""),
            ("o=a", "query parameter `o` (syntax)"),
            ("o=a,x", "query parameter `o/a` (type)"),
        ],
    );
    check(
        "{name: j, in: query, content: {application/json: {schema: {type: object, required: [a]}}}}",
        &[
            ("j=%7B%22a%22%3A1%7D", ""),
            ("j=%7B%7D", "query parameter `j` (required)"),
            ("j=x", "query parameter `j` (syntax)"),
            (
                "j=%7B%22a%22%3A1%2C%22a%22%3A2%7D",
                "query parameter `j` (syntax)",
            ),
        ],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn path_parameters_are_decoded_once_and_read_in_their_style() {
    let of = |parameter: &str| {
        document(&format!(
            "  /a/{{p}}:\n    get:\n      parameters: [{{name: p, in: path, required: true, {parameter}}}]\n      responses: {{}}\n"
        ))
    };
    for (parameter, segment, expected) in [
        ("schema: {type: integer}", "7", ""),
        ("schema: {type: integer}", "%37", ""),
        ("schema: {type: integer}", "x", "path parameter `p` (type)"),
        ("schema: {type: string, const: '%41'}", "%2541", ""),
        ("schema: {type: string, const: 'a+b'}", "a+b", ""),
        (
            "schema: {type: string, format: uuid}",
            "x",
            "path parameter `p` (format)",
        ),
        ("schema: {type: array, items: {type: integer}}", "1,2", ""),
        (
            "schema: {type: array, items: {type: integer}}",
            "1,x",
            "path parameter `p/1` (type)",
        ),
        ("style: label, schema: {type: integer}", ".7", ""),
        (
            "style: label, schema: {type: integer}",
            "7",
            "path parameter `p` (style)",
        ),
        (
            "style: label, explode: true, schema: {type: array, items: {type: integer}}",
            ".1.2",
            "",
        ),
        (
            "style: label, schema: {type: array, items: {type: integer}}",
            ".1,2",
            "",
        ),
        ("style: matrix, schema: {type: integer}", ";p=7", ""),
        (
            "style: matrix, schema: {type: integer}",
            ";q=7",
            "path parameter `p` (style)",
        ),
        (
            "style: matrix, explode: true, schema: {type: array, items: {type: integer}}",
            ";p=1;p=2",
            "",
        ),
        (
            "style: matrix, schema: {type: array, items: {type: integer}}",
            ";p=1,2",
            "",
        ),
        (
            "style: matrix, explode: true, schema: {type: object, properties: {a: {type: integer}}}",
            ";a=x",
            "path parameter `p/a` (type)",
        ),
        (
            "schema: {type: object, properties: {a: {type: integer}}}",
            "a,1",
            "",
        ),
        (
            "explode: true, schema: {type: object, properties: {a: {type: integer}}}",
            "a=x",
            "path parameter `p/a` (type)",
        ),
    ] {
        assert_eq!(
            head(&of(parameter), "GET", &format!("/a/{segment}"), &[]),
            expected,
            "{parameter} {segment}"
        );
    }
}

/// A field in the bytes that a client sent.
struct Bytes(&'static [u8]);

impl Fields for Bytes {
    fn each(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        if name == "cookie" {
            each(self.0);
        }
    }
}

#[test]
fn cookie_beside_one_that_is_no_text_is_held_to_its_schema() {
    let document = document(
        "  /a:\n    get:\n      parameters: [{name: c, in: cookie, schema: {type: string, maxLength: 2, pattern: '^[a-z]*$'}}]\n      responses: {}\n",
    );
    let operation = document.operations().next().unwrap();
    for (field, expected) in [
        (&b"x=\xff; c=ab"[..], ""),
        (b"x=\xff; c=abc", "cookie `c` (maxLength)"),
        (b"c=a\xff", "cookie `c` (pattern)"),
    ] {
        let mut out = Violations::new();
        let view = HeadView {
            path: "/a",
            captures: &Captures::new(),
            query: None,
            fields: &Bytes(field),
        };
        operation.check_head(&view, &mut out);
        assert_eq!(said(&out), expected, "{field:?}");
    }
}

#[test]
fn headers_and_cookies_are_held_to_their_schemas() {
    let document = with(
        "{name: X-N, in: header, required: true, schema: {type: integer}}, {name: X-L, in: header, schema: {type: array, items: {type: integer}}}, {name: c, in: cookie, schema: {type: integer}}, {name: Authorization, in: header, required: true, schema: {type: integer}}",
    );
    for (fields, expected) in [
        (&[("x-n", "1")][..], ""),
        (&[], "header `x-n` (required)"),
        (&[("X-N", "a")], "header `x-n` (type)"),
        (&[("X-N", "1"), ("x-l", "1, 2"), ("X-L", "3")], ""),
        (&[("X-N", "1"), ("x-l", "1, b")], "header `x-l/1` (type)"),
        (&[("X-N", "1"), ("X-N", "2")], "header `x-n` (type)"),
        (&[("X-N", "1"), ("Cookie", "a=b; c=7")], ""),
        (&[("X-N", "1"), ("Cookie", "c=x")], "cookie `c` (type)"),
        (
            &[("X-N", "1"), ("Cookie", "c=1; c=2")],
            "cookie `c` (repeated)",
        ),
        (
            &[("X-N", "1"), ("Cookie", "c=1"), ("cookie", "c=2")],
            "cookie `c` (repeated)",
        ),
    ] {
        assert_eq!(head(&document, "GET", "/a", fields), expected, "{fields:?}");
    }
}

#[test]
fn what_an_operation_says_of_a_parameter_replaces_what_its_path_says() {
    let document = document(
        "  /a:\n    parameters: [{name: n, in: query, required: true, schema: {type: integer}}, {name: m, in: query, schema: {type: integer}}]\n    get:\n      parameters: [{name: n, in: query, schema: {type: string}}]\n      responses: {}\n",
    );
    assert_eq!(head(&document, "GET", "/a?n=x", &[]), "");
    assert_eq!(
        head(&document, "GET", "/a?m=x", &[]),
        "query parameter `m` (type)"
    );
}

#[test]
fn keys_of_security_schemes_are_no_strangers_and_strangers_may_be_let_through() {
    let text = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\ncomponents: {securitySchemes: {k: {type: apiKey, in: query, name: api_key}}}\npaths: {/a: {get: {responses: {}}}}";
    let document = full(text);
    assert_eq!(head(&document, "GET", "/a?api_key=x", &[]), "");
    assert_eq!(
        head(&document, "GET", "/a?other=x", &[]),
        "query parameter `other` (undeclared)"
    );
    let options = Options {
        undeclared: Undeclared::Allow,
        ..Options::default()
    };
    let lax = Document::compile(text, &options).unwrap().document;
    assert_eq!(head(&lax, "GET", "/a?other=x", &[]), "");
}
