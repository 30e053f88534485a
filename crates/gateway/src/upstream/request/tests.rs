use super::*;
use crate::trailers;

impl ServiceRequest {
    /// The same request, as `target` takes it.
    pub(crate) fn of(target: &Target, request: http::Request<Carried>) -> Self {
        let (parts, body) = request.into_parts();
        let mut head = ServiceHead::new(target, &parts.method, &parts.uri);
        head.take(&parts.headers, |_| false);
        Self {
            method: parts.method,
            head,
            body,
            key: parts.extensions.get::<Key>().copied(),
            takes_trailers: parts.extensions.get::<trailers::Taken>().is_some(),
        }
    }
}

fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in all {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

fn lines(headers: &HeaderMap) -> Vec<String> {
    let mut head = ServiceHead::Lines(Vec::new());
    head.take(headers, |name| name == "gone");
    head.push(&header::HOST, &HeaderValue::from_static("shop.example"));
    let ServiceHead::Lines(lines) = head else {
        return Vec::new();
    };
    let text = String::from_utf8(lines).unwrap();
    let mut all: Vec<String> = text.lines().map(str::to_owned).collect();
    all.sort_unstable();
    all
}

#[test]
fn fields_keep_every_value_of_a_name_and_lose_every_value_of_another() {
    let came = headers(&[
        ("a", "1"),
        ("gone", "2"),
        ("a", "3"),
        ("gone", "4"),
        ("b", "5"),
    ]);
    assert_eq!(lines(&came), ["a: 1", "a: 3", "b: 5", "host: shop.example"]);
}

#[test]
fn what_is_of_the_hop_before_ends_here() {
    let came = headers(&[
        ("connection", "keep-alive"),
        ("te", "trailers"),
        ("transfer-encoding", "chunked"),
        ("content-length", "7"),
        ("expect", "100-continue"),
        ("expected", "kept"),
    ]);
    assert_eq!(lines(&came), ["expected: kept", "host: shop.example"]);
}

#[test]
fn text_that_is_no_value_of_a_field_is_left_out_of_both_forms() {
    let fields = Box::new(ServiceFields {
        uri: Uri::from_static("/"),
        fields: Vec::new(),
    });
    for mut head in [ServiceHead::Lines(Vec::new()), ServiceHead::Fields(fields)] {
        head.push_text(&header::FROM, b"a\r\nhost: b");
        head.push_text(&header::FROM, b"fine");
        match head {
            ServiceHead::Lines(lines) => assert_eq!(lines, b"from: fine\r\n"),
            ServiceHead::Fields(all) => {
                assert_eq!(
                    all.fields,
                    [(header::FROM, HeaderValue::from_static("fine"))]
                );
            }
        }
    }
}
