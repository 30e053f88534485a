use proptest::prelude::*;

use super::*;

fn fields(all: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in all {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.append(name, HeaderValue::from_str(value).unwrap());
    }
    map
}

#[test]
fn status_of_a_call_passes_both_ways() {
    let status = fields(&[
        ("grpc-status", "5"),
        ("grpc-message", "no%20such%20thing"),
        ("grpc-status-details-bin", "CAU"),
        ("server-timing", "db;dur=53"),
    ]);
    assert_eq!(pass(status.clone(), Way::Out).unwrap(), status);
    assert_eq!(pass(status.clone(), Way::In).unwrap(), status);
}

#[test]
fn what_frames_routes_or_authenticates_goes_no_further() {
    for name in [
        "content-length",
        "content-type",
        "content-encoding",
        "transfer-encoding",
        "host",
        "authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "te",
        "trailer",
        "connection",
        "if-match",
        "rampart-assertion",
        "x-rampart-client",
        "x-forwarded-for",
        "x-http-method-override",
        "x-method-override",
        "access-control-allow-origin",
    ] {
        for way in [Way::In, Way::Out] {
            let kept = pass(fields(&[(name, "x"), ("a", "b")]), way).unwrap();
            assert_eq!(kept, fields(&[("a", "b")]), "{name} {way:?}");
        }
    }
    let cgi = fields(&[("rampart_assertion", "x")]);
    assert!(pass(cgi, Way::In).unwrap().is_empty());
}

#[test]
fn more_than_may_be_is_refused() {
    let many: HeaderMap = (0..=FIELDS_MAX)
        .map(|n| {
            let name = HeaderName::from_bytes(format!("x-{n}").as_bytes()).unwrap();
            (name, HeaderValue::from_static("1"))
        })
        .collect();
    assert_eq!(pass(many, Way::Out), Err(TooLong));
    let long = fields(&[("grpc-message", &"x".repeat(BYTES_MAX))]);
    assert_eq!(pass(long, Way::Out), Err(TooLong));
}

proptest! {
    #[test]
    fn nothing_passes_that_a_head_is_judged_by(
        name in "(content|x-forwarded|rampart|x-rampart|if|sec|access-control)-[a-z-]{1,12}",
        value in "[ -~]{0,20}",
    ) {
        for way in [Way::In, Way::Out] {
            prop_assert!(pass(fields(&[(&name, value.trim())]), way).unwrap().is_empty());
        }
    }
}
