//! RFC 9113 §6: every frame on the wrong stream, of the wrong length, with values it must not have.

use testkit::frames::setting;

use super::*;

/// Every case of this file.
pub(super) fn all() -> Vec<Case> {
    [
        bodies(),
        heads(),
        small(),
        settings(),
        pings(),
        windows(),
        continued(),
    ]
    .concat()
}

const ONE: Must = Must::Serve(&["GET /"]);
const POSTED: Must = Must::Serve(&["POST /"]);

fn bodies() -> Vec<Case> {
    let padded = |payload: &[u8]| frame(kind::DATA, flag::PADDED | flag::END_STREAM, 1, payload);
    let broken: &[u32] = &[PROTOCOL, FRAME_SIZE];
    vec![
        case(
            "6.1",
            "DATA on the connection",
            &[data(0, b"x")],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "6.1",
            "padding as long as the frame",
            &[head(1, &post()), padded(&[5, b'h', 0, 0, 0])],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "6.1",
            "padding longer than the frame",
            &[head(1, &post()), padded(&[200, b'h'])],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "6.1",
            "no length of the padding",
            &[head(1, &post()), padded(&[])],
            Must::End(broken),
        ),
        case(
            "6.1",
            "padding",
            &[head(1, &post()), padded(&[2, b'h', b'i', 0, 0])],
            POSTED,
        ),
        case(
            "6.1",
            "padding alone",
            &[head(1, &post()), padded(&[3, 0, 0, 0])],
            POSTED,
        ),
    ]
}

fn heads() -> Vec<Case> {
    let block = literals(&get());
    let flags = flag::END_HEADERS | flag::END_STREAM;
    let with = |more: u8, before: &[u8], after: &[u8]| {
        vec![frame(
            kind::HEADERS,
            flags | more,
            1,
            &[before, &block, after].concat(),
        )]
    };
    let broken: &[u32] = &[PROTOCOL, FRAME_SIZE];
    vec![
        case(
            "6.2",
            "HEADERS on the connection",
            &[whole(0, &get())],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "6.2",
            "padding longer than the frame",
            &[frame(kind::HEADERS, flags | flag::PADDED, 1, &[200, 0x82])],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "6.2",
            "no length of the padding",
            &[frame(kind::HEADERS, flags | flag::PADDED, 1, &[])],
            Must::End(broken),
        ),
        case(
            "6.2",
            "padding into the priority",
            &[frame(
                kind::HEADERS,
                flags | flag::PADDED | flag::PRIORITY,
                1,
                &[3, 0, 0, 0, 0, 1],
            )],
            Must::End(broken),
        ),
        case(
            "6.2",
            "a priority cut short",
            &[frame(kind::HEADERS, flags | flag::PRIORITY, 1, &[0, 0, 0])],
            Must::End(broken),
        ),
        case("6.2", "padding", &with(flag::PADDED, &[3], &[0, 0, 0]), ONE),
        case(
            "6.2",
            "a priority",
            &with(flag::PRIORITY, &[0, 0, 0, 0, 10], &[]),
            ONE,
        ),
        case(
            "6.2",
            "padding and a priority",
            &with(flag::PADDED | flag::PRIORITY, &[2, 0, 0, 0, 0, 10], &[0, 0]),
            ONE,
        ),
        case(
            "5.3.1 of RFC 7540",
            "HEADERS that depend on themselves",
            &with(flag::PRIORITY, &[0, 0, 0, 1, 10], &[]),
            Must::Reset(1, &[PROTOCOL]),
        ),
    ]
}

/// PRIORITY, RST_STREAM, PUSH_PROMISE and GOAWAY.
#[expect(clippy::too_many_lines, reason = "a table: an entry per rule")]
fn small() -> Vec<Case> {
    let priority = |stream, payload: &[u8]| frame(kind::PRIORITY, 0, stream, payload);
    let reset = |stream, payload: &[u8]| frame(kind::RST_STREAM, 0, stream, payload);
    let away = |stream, payload: &[u8]| frame(kind::GOAWAY, 0, stream, payload);
    let good = literals(&get());
    let push = frame(
        kind::PUSH_PROMISE,
        flag::END_HEADERS,
        1,
        &[&[0, 0, 0, 2], good.as_slice()].concat(),
    );
    let goodbye = away(0, &[0, 0, 0, 0, 0, 0, 0, 0]);
    vec![
        case(
            "6.3",
            "PRIORITY on the connection",
            &[priority(0, &[0, 0, 0, 0, 1])],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "6.3",
            "PRIORITY of four bytes",
            &[head(1, &post()), priority(1, &[0; 4])],
            Must::Reset(1, &[FRAME_SIZE]),
        ),
        case(
            "6.3",
            "PRIORITY of six bytes",
            &[head(1, &post()), priority(1, &[0; 6])],
            Must::Reset(1, &[FRAME_SIZE]),
        ),
        case(
            "5.3.1 of RFC 7540",
            "PRIORITY that depends on itself",
            &[head(1, &post()), priority(1, &[0, 0, 0, 1, 1])],
            Must::Reset(1, &[PROTOCOL]),
        ),
        case(
            "6.3",
            "PRIORITY of a stream under way",
            &[
                head(1, &post()),
                priority(1, &[0, 0, 0, 0, 1]),
                last_data(1, b"x"),
            ],
            POSTED,
        ),
        case(
            "6.4",
            "RST_STREAM on the connection",
            &[reset(0, &[0, 0, 0, 8])],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "6.4",
            "RST_STREAM of three bytes",
            &[head(1, &post()), reset(1, &[0; 3])],
            Must::End(&[FRAME_SIZE]),
        ),
        case(
            "6.4",
            "RST_STREAM of five bytes",
            &[head(1, &post()), reset(1, &[0; 5])],
            Must::End(&[FRAME_SIZE]),
        ),
        case(
            "6.4",
            "RST_STREAM with an unknown code",
            &[head(1, &post()), reset(1, &[0xFF; 4]), whole(3, &get())],
            Must::Serve(&["POST /", "GET /"]),
        ),
        case(
            "6.6",
            "PUSH_PROMISE of a client",
            &[head(1, &post()), push],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "6.6",
            "PUSH_PROMISE on the connection",
            &[frame(kind::PUSH_PROMISE, 4, 0, &[0, 0, 0, 2])],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "6.8",
            "GOAWAY on a stream",
            &[away(1, &[0; 8])],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "6.8",
            "GOAWAY of four bytes",
            &[away(0, &[0; 4])],
            Must::End(&[FRAME_SIZE]),
        ),
        case(
            "6.8",
            "what is under way when the client says GOAWAY",
            &[head(1, &post()), goodbye, last_data(1, b"x")],
            Must::Finish(&["POST /"]),
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table: an entry per rule")]
fn settings() -> Vec<Case> {
    let set = |values: &[(u16, u32)]| {
        let payload: Vec<u8> = values
            .iter()
            .flat_map(|(id, value)| setting(*id, *value))
            .collect();
        frame(kind::SETTINGS, 0, 0, &payload)
    };
    let then = |frame: Vec<u8>| vec![frame, whole(1, &get())];
    let bad: [(&str, Vec<u8>, &'static [u32]); 12] = [
        (
            "SETTINGS on a stream",
            frame(kind::SETTINGS, 0, 1, &[]),
            &[PROTOCOL],
        ),
        (
            "an acknowledgement that says something",
            frame(kind::SETTINGS, flag::ACK, 0, &setting(1, 1)),
            &[FRAME_SIZE],
        ),
        (
            "SETTINGS of five bytes",
            frame(kind::SETTINGS, 0, 0, &[0; 5]),
            &[FRAME_SIZE],
        ),
        (
            "SETTINGS of seven bytes",
            frame(kind::SETTINGS, 0, 0, &[0; 7]),
            &[FRAME_SIZE],
        ),
        ("ENABLE_PUSH of 2", set(&[(2, 2)]), &[PROTOCOL]),
        (
            "ENABLE_PUSH of the largest",
            set(&[(2, u32::MAX)]),
            &[PROTOCOL],
        ),
        (
            "INITIAL_WINDOW_SIZE of 2^31",
            set(&[(4, 1 << 31)]),
            &[FLOW_CONTROL],
        ),
        (
            "INITIAL_WINDOW_SIZE of the largest",
            set(&[(4, u32::MAX)]),
            &[FLOW_CONTROL],
        ),
        ("MAX_FRAME_SIZE of 16383", set(&[(5, 16_383)]), &[PROTOCOL]),
        ("MAX_FRAME_SIZE of 0", set(&[(5, 0)]), &[PROTOCOL]),
        ("MAX_FRAME_SIZE of 2^24", set(&[(5, 1 << 24)]), &[PROTOCOL]),
        (
            "a bad value behind a good one",
            set(&[(3, 5), (2, 2)]),
            &[PROTOCOL],
        ),
    ];
    let mut cases: Vec<Case> = bad
        .into_iter()
        .map(|(name, frame, codes)| case("6.5", name, &[frame], Must::End(codes)))
        .collect();
    let good: [(&str, Vec<u8>); 7] = [
        ("nothing of them", set(&[])),
        ("an unknown one", set(&[(0x42, 7), (0xFFFF, u32::MAX)])),
        ("the same twice", set(&[(4, 100), (4, 1000)])),
        ("ENABLE_PUSH of 0", set(&[(2, 0)])),
        ("MAX_FRAME_SIZE of the largest", set(&[(5, (1 << 24) - 1)])),
        ("HEADER_TABLE_SIZE of 0", set(&[(1, 0)])),
        ("MAX_HEADER_LIST_SIZE", set(&[(6, 100_000)])),
    ];
    cases.extend(
        good.into_iter()
            .map(|(name, frame)| case("6.5", name, &then(frame), ONE)),
    );
    cases
}

fn pings() -> Vec<Case> {
    let ping = |flags, stream, payload: &[u8]| frame(kind::PING, flags, stream, payload);
    vec![
        case(
            "6.7",
            "PING on a stream",
            &[ping(0, 1, &[0; 8])],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "6.7",
            "PING of six bytes",
            &[ping(0, 0, &[0; 6])],
            Must::End(&[FRAME_SIZE]),
        ),
        case(
            "6.7",
            "PING of nine bytes",
            &[ping(0, 0, &[0; 9])],
            Must::End(&[FRAME_SIZE]),
        ),
        case(
            "6.7",
            "an answer nobody asked for",
            &[ping(flag::ACK, 0, &[7; 8]), whole(1, &get())],
            ONE,
        ),
    ]
}

fn windows() -> Vec<Case> {
    let more = |stream, by: u32| frame(kind::WINDOW_UPDATE, 0, stream, &by.to_be_bytes());
    let most = (1_u32 << 31) - 1;
    let open = frame(kind::SETTINGS, 0, 0, &setting(4, most));
    vec![
        case(
            "6.9",
            "nothing more for the connection",
            &[more(0, 0)],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "6.9",
            "nothing more for a stream",
            &[head(1, &post()), more(1, 0)],
            Must::Reset(1, &[PROTOCOL]),
        ),
        case(
            "6.9",
            "WINDOW_UPDATE of three bytes",
            &[frame(kind::WINDOW_UPDATE, 0, 0, &[0; 3])],
            Must::End(&[FRAME_SIZE]),
        ),
        case(
            "6.9",
            "WINDOW_UPDATE of five bytes",
            &[frame(kind::WINDOW_UPDATE, 0, 0, &[0; 5])],
            Must::End(&[FRAME_SIZE]),
        ),
        case(
            "6.9",
            "the reserved bit is passed over",
            &[more(0, 1 << 31 | 5), whole(1, &get())],
            ONE,
        ),
        case(
            "6.9.1",
            "a window of the connection above the largest",
            &[more(0, most)],
            Must::End(&[FLOW_CONTROL]),
        ),
        case(
            "6.9.1",
            "a window of a stream above the largest",
            &[head(1, &post()), more(1, most)],
            Must::Reset(1, &[FLOW_CONTROL]),
        ),
        case(
            "6.9.2",
            "a setting that makes a window too large",
            &[head(1, &post()), more(1, 1000), open],
            Must::End(&[FLOW_CONTROL]),
        ),
        case(
            "6.9",
            "room for more",
            &[
                more(0, 1000),
                head(1, &post()),
                more(1, 1000),
                last_data(1, b"x"),
            ],
            POSTED,
        ),
    ]
}

fn continued() -> Vec<Case> {
    let block = literals(&get());
    let (start, rest) = block.split_at(7);
    let (middle, end) = rest.split_at(9);
    let opened = |flags| frame(kind::HEADERS, flags, 1, start);
    let more = |flags, stream, part: &[u8]| frame(kind::CONTINUATION, flags, stream, part);
    vec![
        case(
            "6.10",
            "CONTINUATION on the connection",
            &[opened(1), more(4, 0, rest)],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "6.10",
            "CONTINUATION of another stream",
            &[opened(1), more(4, 3, rest)],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "6.10",
            "CONTINUATION behind a whole block",
            &[head(1, &post()), more(4, 1, &[])],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "6.10",
            "CONTINUATION behind DATA",
            &[head(1, &post()), data(1, b"x"), more(4, 1, &[])],
            Must::End(&[PROTOCOL]),
        ),
        case(
            "6.10",
            "a block in two",
            &[opened(1), more(4, 1, rest)],
            ONE,
        ),
        case(
            "6.10",
            "a block in three",
            &[opened(1), more(0, 1, middle), more(4, 1, end)],
            ONE,
        ),
        case(
            "6.10",
            "a part that is empty",
            &[opened(1), more(0, 1, &[]), more(4, 1, rest)],
            ONE,
        ),
        case(
            "6.10",
            "END_STREAM of a CONTINUATION is no flag",
            &[
                frame(kind::HEADERS, 0, 1, start),
                more(5, 1, rest),
                last_data(1, b""),
            ],
            ONE,
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn section_6_1_data() {
    hold(bodies()).await;
}

#[tokio::test(start_paused = true)]
async fn section_6_2_headers() {
    hold(heads()).await;
}

#[tokio::test(start_paused = true)]
async fn section_6_3_to_6_8_priority_resets_pushes_and_goodbyes() {
    hold(small()).await;
}

#[tokio::test(start_paused = true)]
async fn section_6_5_settings() {
    hold(settings()).await;
}

#[tokio::test(start_paused = true)]
async fn section_6_5_3_settings_are_acknowledged() {
    let Outcome { frames, .. } = outcome(&greeting()).await;
    let acknowledged = |f: &&Frame| f.kind == kind::SETTINGS && f.flags == flag::ACK;
    assert_eq!(frames.iter().filter(acknowledged).count(), 1, "{frames:?}");
}

#[tokio::test(start_paused = true)]
async fn section_6_7_pings() {
    hold(pings()).await;
    let ping = frame(kind::PING, 0, 0, b"8 bytes!");
    let Outcome { frames, .. } = outcome(&[greeting(), ping].concat()).await;
    let answers: Vec<_> = frames.iter().filter(|f| f.kind == kind::PING).collect();
    assert_eq!(answers.len(), 1);
    assert_eq!(
        (answers[0].flags, &answers[0].payload[..]),
        (flag::ACK, &b"8 bytes!"[..])
    );
}

#[tokio::test(start_paused = true)]
async fn section_6_9_windows() {
    hold(windows()).await;
}

#[tokio::test(start_paused = true)]
async fn section_6_9_no_more_is_sent_than_the_client_has_room_for() {
    let small = frame(kind::SETTINGS, 0, 0, &setting(4, 3));
    let content = |frames: &[Frame]| -> usize {
        let data = frames.iter().filter(|f| f.kind == kind::DATA);
        data.map(|f| f.payload.len()).sum()
    };
    let asked = [greeting(), small, whole(1, &get())].concat();
    assert_eq!(content(&outcome(&asked).await.frames), 3);
    let more = frame(kind::WINDOW_UPDATE, 0, 1, &2_u32.to_be_bytes());
    assert_eq!(
        content(&outcome(&[asked.clone(), more].concat()).await.frames),
        5
    );
    // Less than nothing: what comes first only fills it up (RFC 9113 §6.9.2).
    let none = frame(kind::SETTINGS, 0, 0, &setting(4, 0));
    let five = frame(kind::WINDOW_UPDATE, 0, 1, &5_u32.to_be_bytes());
    let negative = [asked, none, five].concat();
    assert!(content(&outcome(&negative).await.frames) <= 5);
}

#[tokio::test(start_paused = true)]
async fn section_6_10_continuation() {
    hold(continued()).await;
}
