use http::Version;
use proptest::prelude::*;

use super::*;

const LIMITS: HeadLimits = HeadLimits {
    bytes_max: 16 * 1024,
    fields_max: 100,
};

fn read(bytes: &[u8]) -> Result<Option<(Accepted, Request<()>)>, Refusal> {
    let mut head = Head::new(LIMITS);
    let Some(accepted) = head.scan(bytes)? else {
        return Ok(None);
    };
    let bytes = Bytes::copy_from_slice(&bytes[..accepted.length]);
    Ok(Some((accepted, head.request(&bytes)?)))
}

#[test]
fn targets_come_out_in_origin_form() {
    for (target, method, expected) in [
        ("/a?b", "GET", "/a?b"),
        ("/", "GET", "/"),
        ("*", "OPTIONS", "*"),
        ("http://shop.example", "GET", "/"),
        ("HTTPS://shop.example/a?b", "GET", "/a?b"),
        ("/{a}|b^c\"d", "GET", "/{a}|b^c\"d"),
    ] {
        let text = format!("{method} {target} HTTP/1.1\r\nHost: shop.example\r\n\r\n");
        let (_, request) = read(text.as_bytes()).unwrap().unwrap();
        assert_eq!(request.uri().to_string(), expected, "{target}");
        assert!(request.uri().authority().is_none(), "{target}");
    }
}

#[test]
fn fields_keep_their_bytes_and_their_order() {
    let text = b"GET / HTTP/1.0\r\nHost:a\r\nX:  one \t\r\nx: tw\xC3\xB6\r\nEmpty:\r\n\r\n";
    let (_, request) = read(text).unwrap().unwrap();
    assert_eq!(request.version(), Version::HTTP_10);
    let all: Vec<_> = request.headers().get_all("x").iter().collect();
    assert_eq!(all[0].as_bytes(), b"one");
    assert_eq!(all[1].as_bytes(), b"tw\xC3\xB6");
    assert_eq!(request.headers()["empty"], "");
}

type Fields = Vec<(String, Vec<u8>)>;

/// What httparse, another reader of the same grammar, makes of a head.
fn other(bytes: &[u8]) -> Option<(String, u8, Fields, usize)> {
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut request = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(length) = request.parse(bytes).ok()? else {
        return None;
    };
    let fields = request.headers.iter();
    let fields = fields.map(|f| (f.name.to_ascii_lowercase(), f.value.to_vec()));
    let line = format!("{} {}", request.method?, request.path?);
    Some((line, request.version?, fields.collect(), length))
}

fn near_a_request() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        3 => Just("Content-Length: 3\r\n".to_owned()),
        2 => Just("Transfer-Encoding: chunked\r\n".to_owned()),
        4 => "[A-Za-z!#$-]{1,8}:[ \t]{0,2}[ -~]{0,12}[ \t]{0,2}\r\n",
        1 => "[ -~\r\n\t]{0,6}",
    ];
    let target = "/[!-~]{0,12}";
    let damage = (any::<prop::sample::Index>(), any::<u8>(), 0..4_u8);
    let fields = proptest::collection::vec(fragment, 0..5);
    (target, fields, damage).prop_map(|(target, fields, (at, byte, how))| {
        let fields = fields.concat();
        let text = format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\nabc");
        let mut bytes = text.into_bytes();
        if how == 0 {
            let index = at.index(bytes.len());
            bytes[index] = byte;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn what_is_read_another_reader_reads_the_same(bytes in near_a_request()) {
        if let Ok(Some((accepted, request))) = read(&bytes) {
            let (line, version, mut fields, length) = other(&bytes).expect("the other reads it too");
            prop_assert_eq!(accepted.length, length);
            prop_assert_eq!(request.version() == Version::HTTP_11, version == 1);
            prop_assert_eq!(format!("{} {}", request.method(), request.uri()), line);
            let ours = request.headers().iter();
            let mut ours: Vec<_> = ours.map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect();
            ours.sort();
            fields.sort();
            prop_assert_eq!(ours, fields);
        }
    }
}

proptest! {
    /// Eight bytes at a time say the same as one.
    #[test]
    fn values_are_checked_the_same_whatever_their_length(
        mut value in proptest::collection::vec(0x20..0x7F_u8, 0..40),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        prop_assert!(is_all_value(&value));
        if !value.is_empty() {
            let at = at.index(value.len());
            value[at] = byte;
            prop_assert_eq!(is_all_value(&value), is_value(byte));
        }
    }
}
