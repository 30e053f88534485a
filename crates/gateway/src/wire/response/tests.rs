use http::header;
use proptest::prelude::*;

use super::*;

fn take(bytes: &[u8]) -> Result<Option<ResponseHead>, Unreadable> {
    ResponseHead::take(
        &mut BytesMut::from(bytes),
        &mut Search::default(),
        &Method::GET,
    )
}

/// A head with these fields, to the answer of a `GET`.
fn with(fields: &str) -> Result<ResponseHead, Unreadable> {
    take(format!("HTTP/1.1 200 OK\r\n{fields}\r\n").as_bytes()).map(Option::unwrap)
}

#[test]
fn framing_is_what_one_reader_can_make_of_it() {
    let framing = |fields: &str| with(fields).map(|head| head.framing);
    assert_eq!(framing("Content-Length: 5\r\n"), Ok(Framing::Length(5)));
    assert_eq!(framing("Content-Length: 0\r\n"), Ok(Framing::None));
    assert_eq!(framing(""), Ok(Framing::Close));
    assert_eq!(
        framing("Transfer-Encoding: Chunked\r\n"),
        Ok(Framing::chunked_response())
    );
    for fields in [
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: \r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "X : y\r\n",
        " X: y\r\n",
        "X: y\r\n folded\r\n",
        "X: \u{1}\r\n",
        "X: a\nY: b\r\n",
        "X: a\rY: b\r\n",
        "no colon\r\n",
    ] {
        assert_eq!(framing(fields), Err(Unreadable), "{fields:?}");
    }
}

#[test]
fn answers_without_a_body_have_none_whatever_they_say() {
    for (status, method) in [
        ("204", Method::GET),
        ("304", Method::GET),
        ("103", Method::GET),
        ("200", Method::HEAD),
    ] {
        let text = format!("HTTP/1.1 {status}\r\nContent-Length: 7\r\n\r\n");
        let head = ResponseHead::take(&mut text.as_bytes().into(), &mut Search::default(), &method);
        let head = head.unwrap().unwrap();
        assert_eq!(head.framing, Framing::None, "{status} {method}");
        assert_eq!(head.fields.get(&header::CONTENT_LENGTH), Some(&b"7"[..]));
    }
}

#[test]
fn connection_is_kept_unless_one_side_says_otherwise() {
    let keeps = |text: &str| take(text.as_bytes()).unwrap().unwrap().keeps;
    let length = "Content-Length: 0\r\n";
    assert!(keeps(&format!("HTTP/1.1 200 OK\r\n{length}\r\n")));
    assert!(!keeps(&format!(
        "HTTP/1.1 200 OK\r\n{length}Connection: x, Close\r\n\r\n"
    )));
    assert!(!keeps(&format!("HTTP/1.0 200 OK\r\n{length}\r\n")));
    assert!(keeps(&format!(
        "HTTP/1.0 200 OK\r\n{length}Connection: keep-alive\r\n\r\n"
    )));
    assert!(!keeps("HTTP/1.1 200 OK\r\n\r\n"), "its end is the body's");
}

#[test]
fn fields_of_the_connection_alone_end_here() {
    let fields = |text: &str| {
        let head = with(&format!("Content-Length: 0\r\n{text}")).unwrap();
        let names = head.fields.iter();
        let mut names: Vec<_> = names
            .map(|(name, _)| String::from_utf8_lossy(name).to_lowercase())
            .collect();
        names.sort();
        names
    };
    let usual = "Keep-Alive: timeout=5\r\nConnection: keep-alive\r\nX: 1\r\nUpgrade: h2\r\n";
    assert_eq!(fields(usual), ["content-length", "x"]);
    // Wherever among the fields it is named.
    assert_eq!(
        fields("X: 1\r\nConnection: close, x\r\nY: 1\r\n"),
        ["content-length", "y"]
    );
    let split = "Connection: close\r\nX: 1\r\nConnection: x\r\n";
    assert_eq!(fields(split), ["content-length"]);
}

#[test]
fn status_lines_are_told_from_other_things() {
    for line in [
        "HTTP/1.1 200",
        "HTTP/1.1 200 ",
        "HTTP/1.0 404 Nicht gefunden",
    ] {
        assert!(
            take(format!("{line}\r\n\r\n").as_bytes())
                .unwrap()
                .is_some(),
            "{line}"
        );
    }
    for line in [
        "",
        "HTTP/1.1",
        "HTTP/1.1 20",
        "HTTP/1.1 2000",
        "HTTP/1.1 099",
        "HTTP/1.1 600 x",
        "HTTP/2 200 OK",
        "HTTP/1.2 200 OK",
        "http/1.1 200 OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1 200 \u{7f}",
        "SSH-2.0-OpenSSH",
    ] {
        assert!(
            take(format!("{line}\r\n\r\n").as_bytes()).is_err(),
            "{line}"
        );
    }
}

#[test]
fn endless_heads_end_at_their_limits() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(HEAD_BYTES_MAX));
    assert!(take(long.as_bytes()).is_err());
    assert!(with(&"a: b\r\n".repeat(FIELDS_MAX)).is_ok());
    assert!(with(&"a: b\r\n".repeat(FIELDS_MAX + 1)).is_err());
}

type Fields = Vec<(String, Vec<u8>)>;

/// In their order.
fn listed(fields: &ReplyFields) -> Fields {
    let lower = |name: &[u8]| String::from_utf8_lossy(name).to_lowercase();
    fields
        .iter()
        .map(|(name, value)| (lower(name), value.to_vec()))
        .collect()
}

/// What httparse, another reader of the same grammar, makes of a head.
fn other(bytes: &[u8]) -> Option<(u16, Fields, usize)> {
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut response = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = response.parse(bytes).ok()? else {
        return None;
    };
    let fields = response.headers.iter();
    let fields = fields.map(|f| (f.name.to_ascii_lowercase(), f.value.to_vec()));
    Some((response.code?, fields.collect(), length))
}

fn near_a_response() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        4 => Just("Content-Length: 3\r\n".to_owned()),
        2 => Just("Transfer-Encoding: chunked\r\n".to_owned()),
        4 => "[A-Za-z-]{1,8}: [ -~]{0,12}\r\n",
        1 => "(te|Trailer|Keep-Alive): [a-z]{0,3}\r\n",
        1 => "[ -~\r\n\t]{0,6}",
    ];
    let damage = (any::<prop::sample::Index>(), any::<u8>(), 0..4_u8);
    (proptest::collection::vec(fragment, 0..5), damage).prop_map(|(fields, (at, byte, how))| {
        let mut bytes = format!("HTTP/1.1 200 OK\r\n{}\r\nabc", fields.concat()).into_bytes();
        if how == 0 {
            let index = at.index(bytes.len());
            bytes[index] = byte;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn what_is_read_another_reader_reads_the_same(bytes in near_a_response()) {
        let mut rest = BytesMut::from(bytes.as_slice());
        if let Ok(Some(head)) = ResponseHead::take(&mut rest, &mut Search::default(), &Method::GET) {
            let (status, mut fields, length) = other(&bytes).expect("the other reads it too");
            // What ends at this hop is not among the fields.
            fields.retain(|(name, _)| !hop::is_hop_by_hop(&name.parse().unwrap()));
            prop_assert_eq!(head.status.as_u16(), status);
            prop_assert_eq!(bytes.len() - rest.len(), length);
            prop_assert_eq!(listed(&head.fields), fields.clone());
            // As the types of `http` have them, which take every name and value of it.
            let map = head.fields.to_map();
            let mut ours: Vec<_> = map
                .iter()
                .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
                .collect();
            ours.sort();
            fields.sort();
            prop_assert_eq!(ours, fields);
        }
    }

    #[test]
    fn split_heads_are_read_the_same(bytes in near_a_response(), step in 1..20_usize) {
        let fields = |head: Option<ResponseHead>| head.map(|head| listed(&head.fields));
        let whole = take(&bytes).map(fields);
        let (mut some, mut search) = (BytesMut::new(), Search::default());
        let mut split = Ok(None);
        for piece in bytes.chunks(step) {
            some.extend_from_slice(piece);
            split = ResponseHead::take(&mut some, &mut search, &Method::GET);
            if !matches!(split, Ok(None)) {
                break;
            }
        }
        prop_assert_eq!(split.map(fields), whole);
    }
}
