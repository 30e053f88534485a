//! The examples of RFC 7541 appendix C, and what holds for any block.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .map(|digit| u8::try_from(digit).unwrap())
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// Fields as text.
fn text(field: &Field) -> (String, String) {
    let name = match &field.name {
        Name::Method => ":method",
        Name::Scheme => ":scheme",
        Name::Authority => ":authority",
        Name::Path => ":path",
        Name::Pseudo => ":?",
        Name::Broken => "?",
        Name::Of(name, _) => name.as_str(),
    };
    let value = match &field.value {
        Value::Method(method) => method.to_string(),
        Value::Scheme => "http(s)".to_owned(),
        Value::Path(path) => path.to_string(),
        Value::Text(value) => String::from_utf8_lossy(value.as_bytes()).into_owned(),
        Value::Broken(refusal) => refusal.code().to_owned(),
    };
    (name.to_owned(), value)
}

fn read(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<(String, String)>, Broken> {
    let mut fields = Vec::new();
    decoder.decode(block, |field| fields.push(text(field)))?;
    Ok(fields)
}

/// One block of an example: its bytes, its fields, and the size of the table behind it.
type Block = (&'static str, &'static [(&'static str, &'static str)], usize);

const GET: [(&str, &str); 4] = [
    (":method", "GET"),
    (":scheme", "http(s)"),
    (":path", "/"),
    (":authority", "www.example.com"),
];
const AGAIN: [(&str, &str); 5] = [
    GET[0],
    GET[1],
    GET[2],
    GET[3],
    ("cache-control", "no-cache"),
];
const THIRD: [(&str, &str); 5] = [
    GET[0],
    GET[1],
    (":path", "/index.html"),
    GET[3],
    ("custom-key", "custom-value"),
];

fn check(blocks: &[Block]) {
    let mut decoder = Decoder::new();
    for (hex, fields, size) in blocks {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(read(&mut decoder, &bytes(hex)).unwrap(), fields, "{hex}");
        assert_eq!(decoder.bytes(), *size, "{hex}");
    }
}

#[test]
fn appendix_c_1_integers() {
    let cases: [(&[u8], u32, usize); 3] =
        [(&[10], 5, 10), (&[31, 154, 10], 5, 1337), (&[42], 8, 42)];
    for (bytes, bits, value) in cases {
        let (first, mut rest) = bytes.split_first().unwrap();
        assert_eq!(integer::read(*first, bits, &mut rest), Ok(value));
        assert!(rest.is_empty());
        let mut out = Vec::new();
        integer::write(&mut out, 0, bits, value);
        assert_eq!(out, bytes);
    }
}

#[test]
fn appendix_c_2_each_form_of_a_field() {
    check(&[(
        "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
        &[("custom-key", "custom-header")],
        55,
    )]);
    check(&[(
        "040c 2f73 616d 706c 652f 7061 7468",
        &[(":path", "/sample/path")],
        0,
    )]);
    check(&[(
        "1008 7061 7373 776f 7264 0673 6563 7265 74",
        &[("password", "secret")],
        0,
    )]);
    check(&[("82", &[(":method", "GET")], 0)]);
}

#[test]
fn appendix_c_3_requests_as_they_are() {
    check(&[
        (
            "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
            &GET,
            57,
        ),
        ("8286 84be 5808 6e6f 2d63 6163 6865", &AGAIN, 110),
        (
            "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
            &THIRD,
            164,
        ),
    ]);
}

#[test]
fn appendix_c_4_requests_in_the_code() {
    check(&[
        ("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", &GET, 57),
        ("8286 84be 5886 a8eb 1064 9cbf", &AGAIN, 110),
        (
            "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
            &THIRD,
            164,
        ),
    ]);
}

#[test]
fn appendix_c_6_texts_of_answers_in_the_code() {
    // Answers are not read here, but their texts are in the same code.
    for (hex, plain) in [
        ("6402", "302"),
        ("aec3 771a 4b", "private"),
        (
            "d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff",
            "Mon, 21 Oct 2013 20:13:21 GMT",
        ),
        (
            "9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3",
            "https://www.example.com",
        ),
        (
            "94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
            "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
        ),
    ] {
        let mut out = Vec::new();
        huffman::decode(&bytes(hex), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), plain);
        let mut code = Vec::new();
        huffman::encode(plain.as_bytes(), &mut code);
        assert_eq!(code, bytes(hex));
        assert_eq!(huffman::encoded_len(plain.as_bytes()), code.len());
    }
}

#[test]
fn entries_leave_the_table_in_the_order_they_came() {
    let mut decoder = Decoder::new();
    // Down to what holds two entries of 36 bytes.
    let mut block = vec![0x3F, 72 - 31];
    for name in [b'a', b'b', b'c'] {
        block.extend([0x40, 1, name, 3, b'x', b'y', b'z']);
    }
    read(&mut decoder, &block).unwrap();
    assert_eq!((decoder.bytes(), decoder.len()), (72, 2));
    let said = read(&mut decoder, &[0xBE, 0xBF]).unwrap();
    assert_eq!(said[0].0, "c");
    assert_eq!(said[1].0, "b");
    assert_eq!(read(&mut decoder, &[0xC0]), Err(Broken));
    // One larger than the table empties it.
    let large = [&[0x40, 1, b'd', 100][..], &[b'x'; 100]].concat();
    read(&mut decoder, &large).unwrap();
    assert_eq!(decoder.bytes(), 0);
}

/// What a peer reads of these fields.
fn told(
    encoder: &mut Encoder,
    peer: &mut Decoder,
    fields: &HeaderMap,
) -> (usize, Vec<(String, String)>) {
    let mut block = Vec::new();
    encoder.begin(&mut block);
    encoder.fields(&mut block, fields);
    (block.len(), read(peer, &block).unwrap())
}

fn map(fields: &[(&'static str, &str)]) -> HeaderMap {
    let field = |(name, value): &(&'static str, &str)| {
        let value = HeaderValue::from_str(value).unwrap();
        (HeaderName::from_static(name), value)
    };
    fields.iter().map(field).collect()
}

#[test]
fn what_is_said_twice_is_a_byte_from_then_on() {
    let (mut encoder, mut peer) = (Encoder::new(), Decoder::new());
    let fields = map(&[
        ("content-type", "application/json"),
        ("strict-transport-security", "max-age=63072000"),
    ]);
    let sizes: Vec<_> = (0..4)
        .map(|_| told(&mut encoder, &mut peer, &fields).0)
        .collect();
    assert!(sizes[0] > 30 && sizes[1] > 20, "{sizes:?}");
    assert_eq!(sizes[2..], [2, 2]);
}

#[test]
fn what_differs_each_time_and_secrets_never_get_into_the_table() {
    let (mut encoder, mut peer) = (Encoder::new(), Decoder::new());
    for at in 0..100 {
        let id = format!("id-{at}");
        let fields = map(&[("request-id", &id), ("set-cookie", "session=secret")]);
        let (_, read) = told(&mut encoder, &mut peer, &fields);
        assert_eq!(read[0].1, id);
    }
    assert_eq!(peer.bytes(), 0);
}

#[test]
fn sizes_of_the_table_are_told_before_the_next_field() {
    let (mut encoder, mut peer) = (Encoder::new(), Decoder::new());
    let fields = map(&[("content-type", "text/html")]);
    for _ in 0..3 {
        told(&mut encoder, &mut peer, &fields);
    }
    assert!(peer.bytes() > 0);
    encoder.resize(0);
    encoder.resize(1000);
    encoder.resize(1 << 30);
    told(&mut encoder, &mut peer, &map(&[]));
    assert_eq!(peer.bytes(), 0);
    for _ in 0..3 {
        let (_, read) = told(&mut encoder, &mut peer, &fields);
        assert_eq!(read[0].1, "text/html");
    }
    let mut block = Vec::new();
    encoder.status(&mut block, StatusCode::OK);
    assert_eq!(block, [0x88]);
    block.clear();
    encoder.status(&mut block, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(block, [8, 3, b'4', b'2', b'9']);
}

fn values() -> impl Strategy<Value = Vec<(usize, String)>> {
    prop::collection::vec((0_usize..8, "[ -~]{0,40}"), 0..20)
}

const NAMES: [&str; 8] = [
    "content-type",
    "x",
    "etag",
    "server",
    "a-name-of-ours",
    "vary",
    "link",
    "set-cookie",
];

proptest! {
    #[test]
    fn texts_survive_the_code(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut code = Vec::new();
        huffman::encode(&text, &mut code);
        prop_assert_eq!(code.len(), huffman::encoded_len(&text));
        let mut back = Vec::new();
        prop_assert_eq!(huffman::decode(&code, &mut back), Ok(()));
        prop_assert_eq!(back, text);
    }

    #[test]
    fn integers_survive(value in 0_usize..1 << 27, bits in 4_u32..8) {
        let mut out = Vec::new();
        integer::write(&mut out, 0, bits, value);
        let (first, mut rest) = out.split_first().unwrap();
        prop_assert_eq!(integer::read(*first, bits, &mut rest), Ok(value));
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn answers_arrive_as_they_were_sent(answers in prop::collection::vec((values(), 0_usize..6000), 1..20)) {
        let (mut encoder, mut peer) = (Encoder::new(), Decoder::new());
        for (fields, size) in answers {
            if size < 5000 {
                encoder.resize(size);
            }
            let fields: HeaderMap = fields
                .into_iter()
                .map(|(name, value)| {
                    let value = HeaderValue::from_str(value.trim()).unwrap();
                    (HeaderName::from_static(NAMES[name]), value)
                })
                .collect();
            let sent: Vec<_> = fields
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect();
            let (_, read) = told(&mut encoder, &mut peer, &fields);
            prop_assert_eq!(read, sent);
        }
    }

    #[test]
    fn no_bytes_are_read_beyond_the_limits(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..10)) {
        let mut decoder = Decoder::new();
        for block in blocks {
            drop(read(&mut decoder, &block));
            prop_assert!(decoder.bytes() <= TABLE_BYTES_MAX);
            prop_assert!(decoder.len() <= TABLE_BYTES_MAX / 32);
        }
    }
}

#[test]
fn names_are_tokens_in_lower_case_and_nothing_else() {
    for byte in 0..=u8::MAX {
        let name = Name::read(&[b'x', byte, b'y']);
        let may = crate::wire::head::is_token(byte) && !byte.is_ascii_uppercase();
        assert_eq!(matches!(name, Name::Of(..)), may, "{byte:#x}");
    }
}
