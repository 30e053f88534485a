use http::{HeaderMap, Request};

use super::*;

fn head(method: Method, uri: &str, fields: &[(&'static str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn said(head: &Parts) -> Vec<String> {
    in_head(head)
        .map(|named| named.map_or_else(|NoMethod| "none".to_owned(), |method| method.to_string()))
        .collect()
}

fn of(content_type: &str) -> BodyKind {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", content_type.parse().unwrap());
    BodyKind::of(headers.get("content-type")).unwrap()
}

fn named(content_type: &str, body: &str) -> Vec<String> {
    let methods = in_body(&of(content_type), body.as_bytes()).unwrap();
    methods.iter().map(Method::to_string).collect()
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const PARTS: &str = "multipart/form-data; boundary=x";

#[test]
fn headers_count_whatever_the_method_and_a_query_counts_with_post() {
    let fields = [
        ("x-http-method-override", " delete "),
        ("x-method-override", "a b"),
    ];
    let get = head(Method::GET, "/?_method=put", &fields);
    assert_eq!(said(&get), ["DELETE", "none"]);
    assert!(is_in_headers(&get));
    let post = head(Method::POST, "/?a=1&_method=put&%5fmethod=patch", &[]);
    assert_eq!(said(&post), ["PUT", "PATCH"]);
    assert!(!is_in_headers(&post));
}

#[test]
fn field_is_found_in_every_kind_of_body_and_however_it_is_spelt() {
    let part = "--x\r\nContent-Disposition: form-data; name=\"_method\"\r\n\r\nDELETE\r\n--x--\r\n";
    for (kind, body) in [
        (FORM, "_method=delete"),
        (FORM, "a=1&%5Fm%65thod=Del%65te"),
        (FORM, "+_method=DELETE"),
        (FORM, ".method=DELETE"),
        (FORM, "[method=DELETE"),
        (FORM, "_method=get&_method=delete"),
        (JSON, r#"{"a": 1, "_method": "DELETE"}"#),
        (JSON, r#"{"\u005fmeth\u006fd": "delete"}"#),
        (PARTS, part),
    ] {
        let methods = named(kind, body);
        assert!(
            methods.contains(&"DELETE".to_owned()),
            "{body}: {methods:?}"
        );
    }
}

#[test]
fn what_names_no_method_is_none() {
    for (kind, body) in [
        (FORM, "method=delete&a_method=delete&_methods=delete"),
        (
            FORM,
            "_method=&_method=a-b&_method=abcdefghijklmnopqrstuvwxyz",
        ),
        (FORM, "_METHOD=delete"),
        (
            JSON,
            r#"{"_method": {"a": "DELETE"}, "the_method": "DELETE"}"#,
        ),
        ("text/plain", "_method=delete"),
    ] {
        assert_eq!(named(kind, body), [""; 0], "{body}");
    }
}

#[test]
fn body_that_cannot_be_read_is_an_error_only_where_it_could_name_one() {
    for body in [
        "{\"_method\": \"DELETE\"",
        "{\"\\u005f",
        "{\"a\":1,\"a\":2,\"_method\":\"PUT\"}",
    ] {
        assert!(in_body(&of(JSON), body.as_bytes()).is_err(), "{body}");
    }
    assert_eq!(in_body(&of(JSON), b"{\"a\":"), Ok(Vec::new()));
    assert!(in_body(&of(PARTS), b"preamble _method").is_err());
}

#[test]
fn many_methods_are_bounded() {
    let letters = ('A'..='Z').flat_map(|a| ('A'..='Z').map(move |b| format!("_method={a}{b}")));
    let body: Vec<String> = letters.take(700).collect();
    assert_eq!(named(FORM, &body.join("&")).len(), METHODS_MAX);
}
