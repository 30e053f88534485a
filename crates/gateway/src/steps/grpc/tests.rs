use proptest::prelude::*;

use super::*;

#[test]
fn calls_are_told_by_their_content_type() {
    for (kind, is) in [
        ("application/grpc", true),
        ("application/grpc+proto", true),
        ("Application/GRPC;x=y", true),
        ("application/grpc-web+proto", false),
        ("application/grp", false),
        ("application/json", false),
        ("", false),
    ] {
        let value = HeaderValue::from_static(kind);
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, value)]);
        assert_eq!(is_call(&headers), is, "{kind}");
    }
    assert!(!is_call(&HeaderMap::new()));
}

#[test]
fn times_are_those_of_the_protocol() {
    for (text, time) in [
        ("1H", Some(Duration::from_secs(3600))),
        ("2M", Some(Duration::from_secs(120))),
        ("3S", Some(Duration::from_secs(3))),
        ("100m", Some(Duration::from_millis(100))),
        ("100u", Some(Duration::from_micros(100))),
        ("99999999n", Some(Duration::from_nanos(99_999_999))),
        ("100000000n", None),
        ("1", None),
        ("S", None),
        ("", None),
        ("-1S", None),
        ("+1S", None),
        ("1s", None),
        ("1 S", None),
        ("1é", None),
    ] {
        assert_eq!(timeout(text), time, "{text}");
    }
}

#[test]
fn refusals_have_a_status_that_clients_know() {
    for (status, expected) in [
        (400, "3"),
        (401, "16"),
        (403, "7"),
        (404, "12"),
        (413, "8"),
        (429, "8"),
        (500, "13"),
        (502, "14"),
        (503, "14"),
        (504, "4"),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = refused(&Refused::new(status, "step.reason", "why 100% of žluť\nno"));
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["grpc-status"], expected, "{status}");
        assert_eq!(
            answer.headers()["grpc-message"],
            "why 100%25 of %C5%BElu%C5%A5%0Ano (step.reason)"
        );
    }
}

proptest! {
    #[test]
    fn no_text_makes_reading_a_time_panic(text in "\\PC{0,12}") {
        let time = timeout(&text);
        prop_assert!(time.is_none_or(|time| time <= Duration::from_secs(99_999_999 * 3600)));
    }
}
