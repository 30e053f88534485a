//! RFC 9113 §3 to §5: the preface, frames as such, the compression of fields, and the states of
//! streams.

use testkit::frames::PREFACE;

use super::*;

/// Every case of this file.
pub(super) fn all() -> Vec<Case> {
    [preface(), framing(), compression(), states(), unknown()].concat()
}

const ONE: Must = Must::Serve(&["GET /"]);

fn preface() -> Vec<Case> {
    let bare = |name: &str, bytes: Vec<u8>, must| Case {
        section: "3.4",
        name: name.to_owned(),
        bytes,
        must,
    };
    let settings = frame(kind::SETTINGS, 0, 0, &[]);
    let wrong = b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".to_vec();
    let first = |frame: Vec<u8>| [PREFACE.to_vec(), frame, settings.clone()].concat();
    vec![
        bare(
            "a wrong preface",
            [wrong, settings.clone()].concat(),
            Must::Close,
        ),
        bare(
            "a request of HTTP/1",
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n".to_vec(),
            Must::Close,
        ),
        bare(
            "PING before SETTINGS",
            first(frame(kind::PING, 0, 0, &[0; 8])),
            Must::End(&[PROTOCOL]),
        ),
        bare(
            "HEADERS before SETTINGS",
            first(whole(1, &get())),
            Must::End(&[PROTOCOL]),
        ),
        bare(
            "an acknowledgement before SETTINGS",
            first(frame(kind::SETTINGS, flag::ACK, 0, &[])),
            Must::End(&[PROTOCOL]),
        ),
        bare(
            "the preface, SETTINGS and a request at once",
            [PREFACE.to_vec(), settings.clone(), whole(1, &get())].concat(),
            ONE,
        ),
    ]
}

fn framing() -> Vec<Case> {
    let large = vec![0; 16_385];
    let most = vec![b'x'; 16_384];
    let mut reserved = whole(1, &get());
    reserved[5] |= 0x80;
    vec![
        case("4.1", "the reserved bit is passed over", &[reserved], ONE),
        case(
            "4.1",
            "undefined flags of PING are passed over",
            &[frame(kind::PING, 0xFE, 0, &[1; 8]), whole(1, &get())],
            ONE,
        ),
        case(
            "4.1",
            "undefined flags of HEADERS are passed over",
            &[frame(
                kind::HEADERS,
                0xD2 & !flag::PADDED & !flag::PRIORITY | 5,
                1,
                &literals(&get()),
            )],
            ONE,
        ),
        case(
            "4.2",
            "DATA longer than the limit",
            &[head(1, &post()), frame(kind::DATA, 1, 1, &large)],
            Must::Reset(1, &[FRAME_SIZE]),
        ),
        case(
            "4.2",
            "HEADERS longer than the limit",
            &[frame(kind::HEADERS, 5, 1, &large)],
            Must::End(&[FRAME_SIZE]),
        ),
        case(
            "4.2",
            "SETTINGS longer than the limit",
            &[frame(kind::SETTINGS, 0, 0, &[0; 16_386])],
            Must::End(&[FRAME_SIZE]),
        ),
        case(
            "4.2",
            "an unknown frame longer than the limit",
            &[frame(0x42, 0, 0, &large)],
            Must::End(&[FRAME_SIZE]),
        ),
        case(
            "4.2",
            "DATA as long as the limit",
            &[head(1, &post()), last_data(1, &most)],
            Must::Serve(&["POST /"]),
        ),
        case(
            "4.2",
            "DATA of no length",
            &[head(1, &post()), data(1, b""), last_data(1, b"")],
            Must::Serve(&["POST /"]),
        ),
    ]
}

/// A request whose block is `block`.
fn block(block: &[u8]) -> Vec<Vec<u8>> {
    vec![frame(
        kind::HEADERS,
        flag::END_STREAM | flag::END_HEADERS,
        1,
        block,
    )]
}

#[expect(clippy::too_many_lines, reason = "a table: an entry per rule")]
fn compression() -> Vec<Case> {
    let good = literals(&get());
    let and = |more: &[u8]| block(&[good.as_slice(), more].concat());
    let before = |more: &[u8]| block(&[more, good.as_slice()].concat());
    let bad: [(&'static str, &str, Vec<Vec<u8>>); 17] = [
        ("4.3", "a field cut short", block(&good[..good.len() - 1])),
        ("4.3", "nothing of a name that is announced", and(&[0, 5])),
        ("6.1 of RFC 7541", "an index of 0", and(&[0x80])),
        (
            "2.3.3 of RFC 7541",
            "an index behind the tables",
            and(&[0xFF, 0x80, 0x01]),
        ),
        (
            "2.3.3 of RFC 7541",
            "the first index behind the static table, empty",
            and(&[0xBE]),
        ),
        (
            "2.3.3 of RFC 7541",
            "the name of an index behind the tables",
            and(&[0x7F, 0x50, 1, b'x']),
        ),
        (
            "2.3.3 of RFC 7541",
            "the name of an index behind the tables, not indexed",
            and(&[0x0F, 0x50, 1, b'x']),
        ),
        (
            "4.2 of RFC 7541",
            "a change of size behind a field",
            and(&[0x20]),
        ),
        (
            "6.3 of RFC 7541",
            "a size above the setting",
            before(&[0x3F, 0xE2, 0x1F]),
        ),
        (
            "6.3 of RFC 7541",
            "a size far above the setting",
            before(&[0x3F, 0xFF, 0xFF, 0xFF, 0x7F]),
        ),
        (
            "5.1 of RFC 7541",
            "an integer that does not end",
            and(&[
                0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
            ]),
        ),
        (
            "5.1 of RFC 7541",
            "an integer that is cut short",
            and(&[0xFF, 0x80]),
        ),
        (
            "5.1 of RFC 7541",
            "a length that is too long",
            and(&[0, 1, b'x', 0x7F, 0xFF, 0xFF, 0xFF, 0x7F]),
        ),
        (
            "5.2 of RFC 7541",
            "Huffman padding of a whole byte",
            and(&[0, 1, b'x', 0x82, 0x1F, 0xFF]),
        ),
        (
            "5.2 of RFC 7541",
            "Huffman padding of zeros",
            and(&[0, 1, b'x', 0x81, 0x18]),
        ),
        (
            "5.2 of RFC 7541",
            "Huffman with the end of string in it",
            and(&[0, 1, b'x', 0x84, 0xFF, 0xFF, 0xFF, 0xFF]),
        ),
        (
            "5.2 of RFC 7541",
            "a Huffman name cut short",
            and(&[0, 0x85, 0x1F]),
        ),
    ];
    let mut cases: Vec<Case> = bad
        .into_iter()
        .map(|(section, name, frames)| case(section, name, &frames, Must::End(&[COMPRESSION])))
        .collect();
    let indexed = [&[0x82, 0x87, 0x84][..], &literals(&[(":authority", "a")])].concat();
    cases.extend([
        case(
            "6.1 of RFC 7541",
            "fields of the static table",
            &block(&indexed),
            ONE,
        ),
        case(
            "4.2 of RFC 7541",
            "two changes of size at the start",
            &before(&[0x20, 0x3F, 0xE1, 0x1F]),
            ONE,
        ),
        case(
            "5.2 of RFC 7541",
            "Huffman with the padding it needs",
            &and(&[0, 1, b'x', 0x81, 0x1F]),
            ONE,
        ),
        case(
            "6.2.1 of RFC 7541",
            "a field that is indexed and used again",
            &[
                frame(
                    kind::HEADERS,
                    5,
                    1,
                    &[good.as_slice(), &[0x40, 1, b'x', 1, b'y']].concat(),
                ),
                frame(kind::HEADERS, 5, 3, &[good.as_slice(), &[0xBE]].concat()),
            ],
            Must::Serve(&["GET /", "GET /"]),
        ),
        case(
            "6.2.3 of RFC 7541",
            "a field that is never indexed",
            &and(&[0x10, 1, b'x', 1, b'y']),
            ONE,
        ),
    ]);
    let open = |next: Vec<u8>| vec![frame(kind::HEADERS, flag::END_STREAM, 1, &good), next];
    let between: [(&str, Vec<u8>); 7] = [
        ("PRIORITY", frame(kind::PRIORITY, 0, 1, &[0, 0, 0, 0, 1])),
        ("DATA", data(1, b"x")),
        ("HEADERS of another stream", whole(3, &get())),
        ("PING", frame(kind::PING, 0, 0, &[0; 8])),
        ("SETTINGS", frame(kind::SETTINGS, 0, 0, &[])),
        (
            "RST_STREAM",
            frame(kind::RST_STREAM, 0, 1, &8_u32.to_be_bytes()),
        ),
        ("an unknown frame", frame(0x42, 0, 1, b"x")),
    ];
    cases.extend(between.into_iter().map(|(name, next)| {
        case(
            "4.3",
            format!("{name} within a block"),
            &open(next),
            Must::End(&[PROTOCOL]),
        )
    }));
    cases
}

#[expect(clippy::too_many_lines, reason = "a table: an entry per rule")]
fn states() -> Vec<Case> {
    let reset = |stream| frame(kind::RST_STREAM, 0, stream, &8_u32.to_be_bytes());
    let more = frame(kind::WINDOW_UPDATE, 0, 1, &1_u32.to_be_bytes());
    let continued = frame(kind::CONTINUATION, flag::END_HEADERS, 1, &literals(&get()));
    let closed = &[STREAM_CLOSED, PROTOCOL];
    let mut many = Vec::new();
    for at in 0..101 {
        many.push(head(2 * at + 1, &post()));
    }
    let idle: [(&str, Vec<u8>); 4] = [
        ("DATA", data(1, b"x")),
        ("RST_STREAM", reset(1)),
        ("WINDOW_UPDATE", more.clone()),
        ("CONTINUATION", continued.clone()),
    ];
    let mut cases: Vec<Case> = idle
        .into_iter()
        .map(|(name, frame)| {
            case(
                "5.1",
                format!("{name} on an idle stream"),
                &[frame],
                Must::End(&[PROTOCOL]),
            )
        })
        .collect();
    let slow = with(
        vec![
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", "a"),
        ],
        &[(":path", "/")],
    );
    cases.extend([
        case(
            "5.1",
            "PRIORITY on an idle stream",
            &[
                frame(kind::PRIORITY, 0, 3, &[0, 0, 0, 0, 1]),
                whole(1, &get()),
            ],
            ONE,
        ),
        case(
            "5.1",
            "DATA behind the end",
            &[whole(1, &get()), data(1, b"x")],
            Must::Reset(1, &[STREAM_CLOSED]),
        ),
        case(
            "5.1",
            "DATA behind the end of a body",
            &[head(1, &slow), last_data(1, b"x"), data(1, b"x")],
            Must::Reset(1, &[STREAM_CLOSED]),
        ),
        case(
            "5.1",
            "HEADERS behind the end",
            &[whole(1, &get()), whole(1, &get())],
            Must::Reset(1, &[STREAM_CLOSED]),
        ),
        case(
            "5.1",
            "CONTINUATION behind the end",
            &[whole(1, &get()), continued],
            Must::End(closed),
        ),
        case(
            "5.1",
            "WINDOW_UPDATE behind the end",
            &[whole(1, &get()), more],
            ONE,
        ),
        case(
            "5.1",
            "PRIORITY behind the end",
            &[
                whole(1, &get()),
                frame(kind::PRIORITY, 0, 1, &[0, 0, 0, 0, 1]),
            ],
            ONE,
        ),
        case(
            "5.1",
            "RST_STREAM behind the end",
            &[whole(1, &get()), whole(3, &get()), reset(1)],
            Must::Serve(&["GET /", "GET /"]),
        ),
        case(
            "5.1",
            "DATA behind a reset",
            &[head(1, &post()), reset(1), data(1, b"x")],
            Must::Reset(1, &[STREAM_CLOSED]),
        ),
        case(
            "5.1",
            "HEADERS behind a reset",
            &[head(1, &post()), reset(1), whole(1, &get())],
            Must::Reset(1, closed),
        ),
        case(
            "5.1.1",
            "an even stream",
            &[whole(2, &get())],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "5.1.1",
            "a lower stream than before",
            &[whole(5, &get()), whole(3, &get())],
            Must::End(closed),
        ),
        case("5.1.1", "streams may be left out", &[whole(7, &get())], ONE),
        case(
            "5.1.2",
            "more streams than may be open",
            &many,
            Must::Reset(201, &[REFUSED_STREAM, PROTOCOL]),
        ),
    ]);
    cases
}

fn unknown() -> Vec<Case> {
    vec![
        case(
            "5.5",
            "an unknown frame on the connection",
            &[frame(0x16, 0xFF, 0, b"abc"), whole(1, &get())],
            ONE,
        ),
        case(
            "5.5",
            "an unknown frame on an idle stream",
            &[frame(0x16, 0, 9, b"abc"), whole(1, &get())],
            ONE,
        ),
        case(
            "5.5",
            "an unknown frame in a body",
            &[
                head(1, &post()),
                frame(0x16, 0, 1, b"abc"),
                last_data(1, b"x"),
            ],
            Must::Serve(&["POST /"]),
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn section_3_the_preface_is_asked_for() {
    hold(preface()).await;
}

#[tokio::test(start_paused = true)]
async fn section_4_frames_have_their_form_and_size() {
    hold(framing()).await;
}

#[tokio::test(start_paused = true)]
async fn section_4_3_and_rfc_7541_blocks_are_read_or_end_the_connection() {
    hold(compression()).await;
}

#[tokio::test(start_paused = true)]
async fn section_5_streams_keep_to_their_states() {
    hold(states()).await;
}

#[tokio::test(start_paused = true)]
async fn section_5_5_what_is_unknown_is_passed_over() {
    hold(unknown()).await;
}
