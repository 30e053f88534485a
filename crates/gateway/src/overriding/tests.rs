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
fn headers_and_the_query_count_whatever_the_method() {
    let fields = [
        ("x-http-method-override", " delete "),
        ("x-method-override", "a b"),
    ];
    let get = head(Method::GET, "/?_method=put", &fields);
    assert_eq!(said(&get), ["DELETE", "none", "PUT"]);
    let post = head(Method::POST, "/?a=1&_method=put&%5fm%65thod=patch", &[]);
    assert_eq!(said(&post), ["PUT", "PATCH"]);
    assert!(is_in_head(&post));
    let plain = head(Method::GET, "/?method=put&a=_method", &[]);
    assert!(!is_in_head(&plain));
}

#[test]
fn a_body_is_taken_for_the_worst_that_a_service_may_take_it_for() {
    let worst = |text: &str| BodyKind::at_worst(Some(&text.parse().unwrap()));
    let parts = |boundary: &str| {
        Ok(BodyKind::Multipart {
            boundary: boundary.to_owned(),
        })
    };
    assert_eq!(BodyKind::at_worst(None), Ok(BodyKind::Form));
    assert_eq!(worst("text/plain; a=/json"), Ok(BodyKind::Json));
    assert_eq!(
        worst("text/plain; a=x-www-form-urlencoded"),
        Ok(BodyKind::Form)
    );
    assert_eq!(worst("Multipart/Mixed; boundary=xY"), parts("xY"));
    assert_eq!(
        worst("multipart/form-data; boundary=----WebKitFormBoundaryA"),
        parts("----WebKitFormBoundaryA")
    );
    assert_eq!(worst("text/plain"), Ok(BodyKind::Text));
    assert_eq!(worst("image/png"), Ok(BodyKind::Opaque));
    assert_eq!(worst("json?"), Err(BodyError::ContentType));
    assert_eq!(worst("nothing"), Ok(BodyKind::Opaque));
    for text in [
        "application/x-www-form-urlencoded, x/y",
        "application/x-www-form-urlencoded; charset=ibm037",
        "multipart/form-data; x=boundary=a; boundary=b",
        "multipart/form-data; boundary=b; x=Boundary =a",
        "multipart/related",
    ] {
        assert!(worst(text).is_err(), "{text}");
    }
}

#[test]
fn field_is_found_in_every_kind_of_body_and_however_it_is_spelt() {
    let part = "--x\r\nContent-Disposition: form-data; name=\"_method\"\r\n\r\nDELETE\r\n--x--\r\n";
    let quoted = part.replace("\"_method\"", "'_method'");
    let ended = part.replace("_method", "_method\0x");
    for (kind, body) in [
        (FORM, "_method=delete"),
        (FORM, "a=1&%5Fm%65thod=Del%65te"),
        (FORM, "+_method=DELETE"),
        (FORM, ".method=DELETE"),
        (FORM, "[method=DELETE"),
        (FORM, "[_method]=DELETE"),
        (FORM, "[[_method]]=DELETE"),
        (FORM, "]_method=DELETE"),
        (FORM, "_METHOD=DELETE"),
        (FORM, "_method%00x=DELETE"),
        (FORM, "_method=get&_method=delete"),
        (JSON, r#"{"a": 1, "_method": "DELETE"}"#),
        (JSON, r#"{"_METHOD": "DELETE"}"#),
        (JSON, r#"{"\u005fmeth\u006fd": "delete"}"#),
        (PARTS, part),
        (PARTS, &quoted),
        (PARTS, &ended),
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
