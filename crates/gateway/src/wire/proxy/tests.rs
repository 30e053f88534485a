use proptest::prelude::*;

use super::*;

fn all(bytes: &[u8]) -> Result<(usize, Option<SocketAddr>), Refusal> {
    match parse(bytes)? {
        Said::All { length, client } => Ok((length, client)),
        Said::Part { .. } => Err(Refusal::CutOff),
    }
}

fn v2(command: u8, family: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = SIGNATURE.to_vec();
    bytes.extend([command, family]);
    bytes.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
    bytes.extend(content);
    bytes
}

/// `192.0.2.1:56324` to `198.51.100.1:443`.
const FOUR: [u8; 12] = [192, 0, 2, 1, 198, 51, 100, 1, 220, 4, 1, 187];

fn six() -> Vec<u8> {
    let mut bytes = Vec::new();
    for address in ["2001:db8::1", "2001:db8::2"] {
        bytes.extend(address.parse::<Ipv6Addr>().unwrap().octets());
    }
    bytes.extend([220, 4, 1, 187]);
    bytes
}

/// With a checksum, right or one off.
fn summed(content: &[u8], off: u32) -> Vec<u8> {
    let mut content = content.to_vec();
    content.extend([CRC32C, 0, 4, 0, 0, 0, 0]);
    let mut whole = v2(0x21, 0x11, &content);
    let sum = crc32c::crc32c(&whole).wrapping_add(off).to_be_bytes();
    let at = whole.len() - 4;
    whole[at..].copy_from_slice(&sum);
    whole
}

/// A header, and for whom it says that it connects.
type Case<'a> = (&'a [u8], Result<Option<SocketAddr>, Refusal>);

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn table_of_lines() {
    let client = |text: &str| Ok(Some(text.parse::<SocketAddr>().unwrap()));
    let cases: &[Case<'_>] = &[
        (
            b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n",
            client("192.0.2.1:56324"),
        ),
        (
            b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n",
            client("[2001:db8::1]:1"),
        ),
        (
            b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n",
            client("192.0.2.1:1"),
        ),
        (
            b"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n",
            client("0.0.0.0:0"),
        ),
        (b"PROXY UNKNOWN\r\n", Ok(None)),
        (
            b"PROXY UNKNOWN ffff:f...f:ffff anything at all 65535\r\n",
            Ok(None),
        ),
        (
            b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\n",
            Err(Refusal::Line),
        ),
        (
            b"PROXY  TCP4 192.0.2.1 198.51.100.1 1 2\r\n",
            Err(Refusal::Line),
        ),
        (
            b"PROXY TCP4  192.0.2.1 198.51.100.1 1 2\r\n",
            Err(Refusal::Line),
        ),
        (
            b"PROXY TCP4 192.0.2.1 198.51.100.1 1 2 \r\n",
            Err(Refusal::Line),
        ),
        (
            b"PROXY TCP4 192.0.2.1 198.51.100.1 1 2 3\r\n",
            Err(Refusal::Line),
        ),
        (
            b"PROXY TCP4 192.0.2.1 198.51.100.1 1\r\n",
            Err(Refusal::Line),
        ),
        (
            b"PROXY TCP4 192.0.2.01 198.51.100.1 1 2\r\n",
            Err(Refusal::Line),
        ),
        (
            b"PROXY TCP4 192.0.2.1 198.51.100.1 01 2\r\n",
            Err(Refusal::Line),
        ),
        (
            b"PROXY TCP4 192.0.2.1 198.51.100.1 1 65536\r\n",
            Err(Refusal::Line),
        ),
        (
            b"PROXY TCP4 192.0.2.1 198.51.100.1 +1 2\r\n",
            Err(Refusal::Line),
        ),
        (
            b"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
            Err(Refusal::Line),
        ),
        (
            b"PROXY TCP6 192.0.2.1 198.51.100.1 1 2\r\n",
            Err(Refusal::Line),
        ),
        (b"PROXY TCP4 192.0.2.1 evil 1 2\r\n", Err(Refusal::Line)),
        (
            b"PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n",
            Err(Refusal::Line),
        ),
        (
            b"PROXY tcp4 192.0.2.1 198.51.100.1 1 2\r\n",
            Err(Refusal::Line),
        ),
        (b"PROXY UNKNOWN\0\r\n", Err(Refusal::Line)),
        (b"PROXY UNKNOWN a\rb\r\n", Err(Refusal::Line)),
        (b"PROXY UNKNOWN \xff\r\n", Err(Refusal::Line)),
        (
            b"proxy TCP4 192.0.2.1 198.51.100.1 1 2\r\n",
            Err(Refusal::Missing),
        ),
        (b"GET / HTTP/1.1\r\n", Err(Refusal::Missing)),
        (b"\x16\x03\x01\x02\x00", Err(Refusal::Missing)),
        (b"\r\n\r\nGET / HTTP/1.1\r\n", Err(Refusal::Missing)),
        (b"PROXY", Err(Refusal::CutOff)),
        (b"", Err(Refusal::CutOff)),
    ];
    for (bytes, wanted) in cases {
        let said = all(bytes);
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(said.map(|(_, client)| client), *wanted, "{text:?}");
        if let Ok((length, _)) = said {
            assert_eq!(length, bytes.len(), "{text:?}");
        }
    }
}

#[test]
fn line_of_107_bytes_is_the_longest() {
    let line = |length: usize| {
        let mut line = b"PROXY UNKNOWN ".to_vec();
        line.resize(length - 2, b'x');
        line.extend(b"\r\n");
        line
    };
    assert_eq!(all(&line(107)), Ok((107, None)));
    assert_eq!(all(&line(108)), Err(Refusal::TooLong));
    let endless = [b"PROXY ".as_slice(), &[b'x'; 4000]].concat();
    assert_eq!(all(&endless), Err(Refusal::TooLong));
}

#[test]
fn table_of_blocks() {
    let four: SocketAddr = "192.0.2.1:56324".parse().unwrap();
    let six_: SocketAddr = "[2001:db8::1]:56324".parse().unwrap();
    let with = |content: &[u8], more: &[u8]| [content, more].concat();
    let cases = [
        (v2(0x21, 0x11, &FOUR), Ok(Some(four))),
        (v2(0x21, 0x21, &six()), Ok(Some(six_))),
        (v2(0x21, 0x31, &[b'/'; 216]), Ok(None)),
        (v2(0x20, 0x00, &[]), Ok(None)),
        (v2(0x20, 0x11, &FOUR), Ok(None)),
        (v2(0x20, 0xff, b"whatever"), Ok(None)),
        (v2(0x21, 0x00, b"whatever"), Ok(None)),
        // Additions: empty, long, of an unknown type.
        (v2(0x21, 0x11, &with(&FOUR, &[4, 0, 0])), Ok(Some(four))),
        (
            v2(0x21, 0x11, &with(&FOUR, &[0xE5, 0, 2, 1, 2, 1, 0, 1, 9])),
            Ok(Some(four)),
        ),
        (summed(&FOUR, 0), Ok(Some(four))),
        (summed(&FOUR, 1), Err(Refusal::Checksum)),
        (v2(0x21, 0x11, &with(&FOUR, &[4])), Err(Refusal::Block)),
        (
            v2(0x21, 0x11, &with(&FOUR, &[4, 0, 9, 1])),
            Err(Refusal::Block),
        ),
        (
            v2(0x21, 0x11, &with(&FOUR, &[CRC32C, 0, 2, 1, 2])),
            Err(Refusal::Block),
        ),
        (v2(0x21, 0x11, &FOUR[..11]), Err(Refusal::Block)),
        (v2(0x21, 0x21, &FOUR), Err(Refusal::Block)),
        (v2(0x21, 0x31, &FOUR), Err(Refusal::Block)),
        (v2(0x21, 0x12, &FOUR), Err(Refusal::Block)),
        (v2(0x21, 0x10, &FOUR), Err(Refusal::Block)),
        (v2(0x21, 0x41, &FOUR), Err(Refusal::Block)),
        (v2(0x22, 0x11, &FOUR), Err(Refusal::Block)),
        (v2(0x11, 0x11, &FOUR), Err(Refusal::Block)),
        (v2(0x31, 0x11, &FOUR), Err(Refusal::Block)),
        (
            v2(0x20, 0x00, &[0; HEADER_BYTES_MAX]),
            Err(Refusal::TooLong),
        ),
    ];
    for (bytes, wanted) in cases {
        assert_eq!(all(&bytes).map(|(_, client)| client), wanted, "{bytes:?}");
    }
    let two = summed(&with(&FOUR, &[CRC32C, 0, 4, 0, 0, 0, 0]), 0);
    assert!(all(&two).is_err(), "two checksums");
}

#[test]
fn what_follows_is_left_alone() {
    for header in [b"PROXY UNKNOWN\r\n".to_vec(), v2(0x21, 0x11, &FOUR)] {
        let bytes = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
        assert_eq!(all(&bytes).unwrap().0, header.len());
    }
}

proptest! {
    #[test]
    fn no_bytes_are_too_hostile(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for before in [&[][..], &SIGNATURE[..], WORD] {
            // What it says does not matter; that it says something does.
            parse(&[before, &bytes].concat()).ok();
        }
    }

    #[test]
    fn any_beginning_of_a_header_asks_for_more_and_never_for_too_much(
        content in proptest::collection::vec(any::<u8>(), 0..60),
        port in any::<u16>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let tlv = [&[0xEE, 0, u8::try_from(content.len()).unwrap()], &content[..]].concat();
        let line = format!("PROXY TCP4 192.0.2.1 198.51.100.1 {port} 443\r\n").into_bytes();
        for whole in [v2(0x21, 0x11, &[&FOUR[..], &tlv].concat()), line, summed(&FOUR, 0)] {
            let (length, client) = all(&whole).unwrap();
            prop_assert_eq!(length, whole.len());
            prop_assert!(client.is_some());
            let cut = cut.index(whole.len());
            match parse(&whole[..cut]) {
                Ok(Said::Part { length }) => prop_assert!(length > cut && length <= whole.len()),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }

    #[test]
    fn any_flipped_bit_under_a_checksum_is_seen(bit in 0_usize..8, at in any::<prop::sample::Index>()) {
        let whole = summed(&FOUR, 0);
        let mut broken = whole;
        // Behind the signature, command, family and length: what the checksum alone guards.
        let at = FIXED_BYTES + at.index(FOUR.len());
        broken[at] ^= 1 << bit;
        prop_assert_eq!(all(&broken), Err(Refusal::Checksum));
    }
}
