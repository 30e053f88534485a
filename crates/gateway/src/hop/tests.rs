use http::HeaderValue;

use super::*;

fn stripped(fields: &[(&'static str, &'static str)]) -> Vec<String> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_static(value));
    }
    strip(&mut headers);
    let mut names: Vec<_> = headers
        .keys()
        .map(|name| name.as_str().to_owned())
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn fields_of_the_connection_end_here() {
    let left = stripped(&[
        ("connection", "keep-alive, X-Hop"),
        ("connection", "x-other"),
        ("x-hop", "1"),
        ("x-other", "2"),
        ("keep-alive", "timeout=5"),
        ("te", "trailers"),
        ("trailer", "x"),
        ("upgrade", "h2c"),
        ("proxy-connection", "close"),
        ("accept", "*/*"),
    ]);
    assert_eq!(left, ["accept"]);
}

#[test]
fn naming_a_field_others_rely_on_does_not_remove_it() {
    let left = stripped(&[
        (
            "connection",
            "host, cookie, authorization, origin, x-forwarded-for, sec-fetch-site",
        ),
        (
            "connection",
            "rampart-assertion, x-rampart-client, content-type",
        ),
        ("host", "a"),
        ("cookie", "a=1"),
        ("authorization", "Bearer x"),
        ("origin", "https://a"),
        ("x-forwarded-for", "192.0.2.1"),
        ("sec-fetch-site", "same-origin"),
        ("rampart-assertion", "x"),
        ("x-rampart-client", "x"),
        ("content-type", "text/plain"),
    ]);
    assert_eq!(left.len(), 9, "{left:?}");
}
