use http::HeaderValue;

use super::*;

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

#[test]
fn both_headers_make_a_peer() {
    let request_id = RequestId::from_raw(7);
    let sent = headers(&[
        ("x-rampart-client", "192.0.2.7"),
        ("x-rampart-request", &request_id.to_string()),
    ]);
    assert_eq!(
        Peer::from_gateway(&sent),
        Some(Peer::Gateway {
            client: "192.0.2.7".parse().unwrap(),
            request_id
        })
    );
}

#[test]
fn missing_repeated_or_malformed_headers_make_none() {
    let id = RequestId::from_raw(7).to_string();
    for sent in [
        headers(&[("x-rampart-client", "192.0.2.7")]),
        headers(&[("x-rampart-request", &id)]),
        headers(&[
            ("x-rampart-client", "localhost"),
            ("x-rampart-request", &id),
        ]),
        headers(&[
            ("x-rampart-client", "192.0.2.7"),
            ("x-rampart-request", "7"),
        ]),
        headers(&[
            ("x-rampart-client", "192.0.2.7"),
            ("x-rampart-client", "127.0.0.1"),
            ("x-rampart-request", &id),
        ]),
    ] {
        assert_eq!(Peer::from_gateway(&sent), None, "{sent:?}");
    }
}
