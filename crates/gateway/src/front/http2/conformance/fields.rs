//! RFC 9113 §8: which messages are malformed.

use super::*;

/// Every case of this file.
pub(super) fn all() -> Vec<Case> {
    [
        sequence(),
        lengths(),
        names(),
        values(),
        specific(),
        pseudo(),
        authorities(),
        connect(),
    ]
    .concat()
}

const ONE: Must = Must::Serve(&["GET /"]);
const POSTED: Must = Must::Serve(&["POST /"]);

fn trailers(fields: &[(&str, &str)], ends: u8) -> Vec<Vec<u8>> {
    let block = literals(fields);
    let trailers = frame(kind::HEADERS, flag::END_HEADERS | ends, 1, &block);
    vec![head(1, &post()), data(1, b"x"), trailers]
}

fn sequence() -> Vec<Case> {
    vec![
        case(
            "8.1",
            "trailers",
            &trailers(&[("x", "y")], flag::END_STREAM),
            POSTED,
        ),
        case(
            "8.1",
            "trailers that do not end the message",
            &trailers(&[("x", "y")], 0),
            Must::Break,
        ),
        case(
            "8.1",
            "trailers with a pseudo field",
            &trailers(&[(":path", "/x")], flag::END_STREAM),
            Must::Break,
        ),
        case(
            "8.1",
            "trailers with an upper case name",
            &trailers(&[("X", "y")], flag::END_STREAM),
            Must::Break,
        ),
        case(
            "8.1",
            "a second head",
            &[head(1, &post()), whole(1, &post())],
            Must::Break,
        ),
        case(
            "8.1",
            "a head without fields",
            &[frame(kind::HEADERS, 5, 1, &[])],
            Must::Refuse,
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table: an entry per rule")]
fn lengths() -> Vec<Case> {
    let sized = |lengths: &[&'static str], content: &[&[u8]]| {
        let lengths: Vec<_> = lengths
            .iter()
            .map(|value| ("content-length", *value))
            .collect();
        let fields = with(post(), &lengths);
        if content.is_empty() {
            return vec![whole(1, &fields)];
        }
        let mut frames = vec![head(1, &fields)];
        for (at, part) in content.iter().enumerate() {
            let ends = u8::from(at + 1 == content.len());
            frames.push(frame(kind::DATA, ends, 1, part));
        }
        frames
    };
    let mut cases = vec![
        case(
            "8.1.1",
            "as long as it says",
            &sized(&["5"], &[b"hello"]),
            POSTED,
        ),
        case(
            "8.1.1",
            "as long as it says, in parts",
            &sized(&["5"], &[b"hel", b"", b"lo"]),
            POSTED,
        ),
        case("8.1.1", "nothing, as it says", &sized(&["0"], &[]), POSTED),
        case(
            "8.1.1",
            "shorter than it says",
            &sized(&["6"], &[b"hello"]),
            Must::Break,
        ),
        case(
            "8.1.1",
            "shorter than it says, in parts",
            &sized(&["6"], &[b"hel", b"lo"]),
            Must::Break,
        ),
        case(
            "8.1.1",
            "longer than it says",
            &sized(&["4"], &[b"hello"]),
            Must::Break,
        ),
        case(
            "8.1.1",
            "longer than it says, in parts",
            &sized(&["4"], &[b"hel", b"lo"]),
            Must::Break,
        ),
        case(
            "8.1.1",
            "something, and it says nothing",
            &sized(&["0"], &[b"hello"]),
            Must::Break,
        ),
        case(
            "8.1.1",
            "nothing, and it says something",
            &sized(&["5"], &[]),
            Must::Refuse,
        ),
        case(
            "8.1.1",
            "nothing in a frame, and it says something",
            &sized(&["5"], &[b""]),
            Must::Break,
        ),
    ];
    for value in [
        "+5",
        "-5",
        "0x5",
        "5,5",
        "5 5",
        "",
        "abc",
        "99999999999999999999",
    ] {
        cases.push(case(
            "8.1.1",
            format!("a length of {value:?}"),
            &sized(&[value], &[b"hello"]),
            Must::Refuse,
        ));
    }
    cases.push(case(
        "8.1.1",
        "two lengths",
        &sized(&["5", "6"], &[b"hello"]),
        Must::Refuse,
    ));
    cases
}

/// A request with one more field.
fn one_more(name: &[u8], value: &[u8]) -> Vec<Vec<u8>> {
    let mut block = literals(&get());
    block.extend(literals(&[(name, value)]));
    vec![frame(kind::HEADERS, 5, 1, &block)]
}

fn names() -> Vec<Case> {
    let mut cases = vec![
        case(
            "8.2.1",
            "an upper case name",
            &one_more(b"X", b"y"),
            Must::Refuse,
        ),
        case(
            "8.2.1",
            "an upper case letter in a name",
            &one_more(b"x-Y", b"y"),
            Must::Refuse,
        ),
        case("8.2.1", "an empty name", &one_more(b"", b"y"), Must::Refuse),
        case(
            "8.2.1",
            "a colon in a name",
            &one_more(b"x:y", b"y"),
            Must::Refuse,
        ),
    ];
    for byte in (0..=0x20).chain([0x7F, 0x80, 0xC3, 0xFF]) {
        let name = [b'x', byte, b'y'];
        cases.push(case(
            "8.2.1",
            format!("{byte:#04x} in a name"),
            &one_more(&name, b"y"),
            Must::Refuse,
        ));
    }
    cases
}

fn values() -> Vec<Case> {
    let mut cases = Vec::new();
    for (byte, word) in [(0, "NUL"), (b'\n', "LF"), (b'\r', "CR")] {
        for (place, value) in [
            ("before", [byte, b'y', b'z']),
            ("in", [b'y', byte, b'z']),
            ("behind", [b'y', b'z', byte]),
        ] {
            cases.push(case(
                "8.2.1",
                format!("{word} {place} a value"),
                &one_more(b"x", &value),
                Must::Refuse,
            ));
        }
    }
    for (name, value) in [
        ("a space before", " y"),
        ("a space behind", "y "),
        ("a tab before", "\ty"),
        ("a tab behind", "y\t"),
    ] {
        cases.push(case(
            "8.2.1",
            format!("{name} a value"),
            &one_more(b"x", value.as_bytes()),
            Must::Refuse,
        ));
    }
    cases.push(case(
        "8.2.1",
        "a space in a value",
        &one_more(b"x", b"y z"),
        ONE,
    ));
    cases.push(case(
        "8.2.1",
        "bytes beyond ASCII in a value",
        &one_more(b"x", b"\xc3\xa4"),
        ONE,
    ));
    cases.push(case(
        "8.2.3",
        "cookies in crumbs",
        &[whole(
            1,
            &with(get(), &[("cookie", "a=1"), ("cookie", "b=2")]),
        )],
        ONE,
    ));
    cases
}

fn specific() -> Vec<Case> {
    let named = [
        ("connection", "close"),
        ("connection", "keep-alive"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "close"),
        ("transfer-encoding", "chunked"),
        ("transfer-encoding", "identity"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
        ("te", "trailers, deflate;q=0.5"),
    ];
    let mut cases: Vec<Case> = named
        .into_iter()
        .map(|(name, value)| {
            case(
                "8.2.2",
                format!("{name}: {value}"),
                &[whole(1, &with(get(), &[(name, value)]))],
                Must::Refuse,
            )
        })
        .collect();
    cases.push(case(
        "8.2.2",
        "te: trailers",
        &[whole(1, &with(get(), &[("te", "trailers")]))],
        ONE,
    ));
    cases
}

#[expect(clippy::too_many_lines, reason = "a table: an entry per rule")]
fn pseudo() -> Vec<Case> {
    let mut cases = Vec::new();
    for at in [0, 1, 3] {
        let mut fields = get();
        let (name, _) = fields.remove(at);
        cases.push(case(
            "8.3.1",
            format!("without {name}"),
            &[whole(1, &fields)],
            Must::Refuse,
        ));
    }
    for at in 0..4 {
        let fields = get();
        let (name, _) = fields[at];
        let twice = with(fields.clone(), &[fields[at]]);
        cases.push(case(
            "8.3",
            format!("{name} twice"),
            &[whole(1, &twice)],
            Must::Refuse,
        ));
        let mut late = fields.clone();
        let gone = late.remove(at);
        let late = with(late, &[("x", "y"), gone]);
        cases.push(case(
            "8.3",
            format!("{name} behind a field"),
            &[whole(1, &late)],
            Must::Refuse,
        ));
    }
    for (name, value) in [(":status", "200"), (":x", "y"), (":", "y"), (":Path", "/")] {
        cases.push(case(
            "8.3",
            format!("{name} in a request"),
            &[whole(1, &with(get(), &[(name, value)]))],
            Must::Refuse,
        ));
    }
    let paths = [
        "",
        "a",
        "*",
        "/a b",
        "/a\tb",
        "/a\r\nx: y",
        "/a#b",
        "/a\0",
        "?x",
        "http://a/",
        "/\u{e4}",
        "/?\u{e4}",
        "/\x7f",
        "/<>",
    ];
    for path in paths {
        let mut fields = get();
        fields[3].1 = path;
        cases.push(case(
            "8.3.1",
            format!("a path of {path:?}"),
            &[whole(1, &fields)],
            Must::Refuse,
        ));
    }
    for (method, must) in [
        ("", Must::Refuse),
        ("G T", Must::Refuse),
        ("GET\r\n", Must::Refuse),
        ("G/T", Must::Refuse),
    ] {
        let mut fields = get();
        fields[0].1 = method;
        cases.push(case(
            "8.3.1",
            format!("a method of {method:?}"),
            &[whole(1, &fields)],
            must,
        ));
    }
    for scheme in ["", "ftp", "ht tp", "https://", "https\r\n"] {
        let mut fields = get();
        fields[1].1 = scheme;
        cases.push(case(
            "8.3.1",
            format!("a scheme of {scheme:?}"),
            &[whole(1, &fields)],
            Must::Refuse,
        ));
    }
    let mut options = get();
    options[0].1 = "OPTIONS";
    options[3].1 = "*";
    cases.push(case(
        "8.3.1",
        "OPTIONS of everything",
        &[whole(1, &options)],
        Must::Serve(&["OPTIONS *"]),
    ));
    cases
}

fn authorities() -> Vec<Case> {
    let mut cases = Vec::new();
    for authority in [
        "", "u@a", "u:p@a", "a/b", "a b", "a\r\nb", "a?b", "a#b", "a:b", "a:99999", "a,b", "[::1",
        "a\0",
    ] {
        let mut fields = get();
        fields[2].1 = authority;
        cases.push(case(
            "8.3.1",
            format!("an authority of {authority:?}"),
            &[whole(1, &fields)],
            Must::Refuse,
        ));
    }
    let mut bare = get();
    bare.remove(2);
    cases.extend([
        case(
            "8.3.1",
            "no authority and no host",
            &[whole(1, &bare)],
            Must::Refuse,
        ),
        case(
            "8.3.1",
            "a host instead of the authority",
            &[whole(1, &with(bare.clone(), &[("host", "a")]))],
            ONE,
        ),
        case(
            "8.3.1",
            "a host beside the authority",
            &[whole(1, &with(get(), &[("host", "a")]))],
            ONE,
        ),
        case(
            "8.3.1",
            "another host beside the authority",
            &[whole(1, &with(get(), &[("host", "b")]))],
            Must::Refuse,
        ),
        case(
            "8.3.1",
            "two hosts",
            &[whole(1, &with(bare, &[("host", "a"), ("host", "a")]))],
            Must::Refuse,
        ),
    ]);
    cases
}

fn connect() -> Vec<Case> {
    let fields = |more: &[(&'static str, &'static str)]| with(vec![(":method", "CONNECT")], more);
    let tunnels: [(&str, Fields); 4] = [
        ("a tunnel", fields(&[(":authority", "a:443")])),
        (
            "a tunnel with a path",
            fields(&[(":scheme", "https"), (":authority", "a"), (":path", "/")]),
        ),
        ("a tunnel to nowhere", fields(&[])),
        (
            "an extended one that was not offered",
            fields(&[
                (":protocol", "websocket"),
                (":scheme", "https"),
                (":authority", "a"),
                (":path", "/"),
            ]),
        ),
    ];
    let refuse = |(name, fields)| case("8.5", name, &[whole(1, &fields)], Must::Refuse);
    tunnels.into_iter().map(refuse).collect()
}

#[tokio::test(start_paused = true)]
async fn section_8_1_messages_have_their_sequence() {
    hold(sequence()).await;
}

#[tokio::test(start_paused = true)]
async fn section_8_1_1_lengths_are_true() {
    hold(lengths()).await;
}

#[tokio::test(start_paused = true)]
async fn section_8_2_1_names_are_names() {
    hold(names()).await;
}

#[tokio::test(start_paused = true)]
async fn section_8_2_1_values_are_values() {
    hold(values()).await;
}

#[tokio::test(start_paused = true)]
async fn section_8_2_2_fields_of_one_connection_are_refused() {
    hold(specific()).await;
}

#[tokio::test(start_paused = true)]
async fn section_8_3_pseudo_fields() {
    hold(pseudo()).await;
}

#[tokio::test(start_paused = true)]
async fn section_8_3_1_authorities() {
    hold(authorities()).await;
}

#[tokio::test(start_paused = true)]
async fn section_8_5_tunnels_are_not_offered() {
    hold(connect()).await;
}
