//! Connections as bytes: what comes of them does not depend on how they were split, and no bytes lead
//! beyond a limit.

use bytes::BytesMut;
use http::{HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;
use testkit::frames::{Frame, PREFACE, flag, frame, greeting, kind, literals, setting};

use super::*;
use crate::reply::ReplyFields;
use crate::wire::HeadLimits;

const LIMITS: Limits = Limits {
    head: HeadLimits {
        bytes_max: 16 * 1024,
        fields_max: 100,
    },
    streams_max: 10,
    error_resets_max: 5,
    stream_window: 100_000,
    connection_window: 200_000,
};

/// What happened, in words.
fn said(event: &Event) -> String {
    match event {
        Event::Request {
            place,
            accepted,
            ends,
        } => {
            format!(
                "{place}: {} {} {ends}",
                accepted.request.method(),
                accepted.request.uri()
            )
        }
        Event::Refused { place, refusal } => format!("{place}: {}", refusal.code()),
        Event::Data {
            place,
            content,
            ends,
        } => format!("{place}: {} {ends}", content.len()),
        Event::Trailers { place, fields } => format!("{place}: {fields:?}"),
        Event::Reset { place } => format!("{place}: reset"),
        Event::Failed { place } => format!("{place}: failed"),
        Event::Room { place } => format!("{place}: room"),
        Event::RoomForAll => "room".to_owned(),
        Event::Pong(_) => "pong".to_owned(),
    }
}

/// Everything that comes of bytes in these parts, and what is answered; content is taken at once.
fn run<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> (Vec<String>, Vec<u8>) {
    let mut session = Session::new(LIMITS);
    let mut input = BytesMut::new();
    let mut events = Vec::new();
    for part in parts {
        input.extend_from_slice(part);
        loop {
            let event = match session.next(&mut input) {
                Ok(event) => event,
                Err(goodbye) => {
                    events.push(format!("{goodbye:?}"));
                    return (events, std::mem::take(session.out()));
                }
            };
            let worth = session.worth();
            assert!(session.open() <= 10);
            match &event {
                Some(event) => events.push(said(event)),
                None if worth < 0 => {}
                None => break,
            }
            if let Some(Event::Data { place, content, .. }) = &event {
                session.taken(*place, content.len());
            }
        }
        // What is not a whole frame waits.
        assert!(input.len() <= 16 * 1024 + 9);
    }
    (events, std::mem::take(session.out()))
}

const FIELDS: [(&str, &str); 4] = [
    (":method", "POST"),
    (":scheme", "https"),
    (":authority", "a"),
    (":path", "/up"),
];

fn head(stream: u32, flags: u8) -> Vec<u8> {
    frame(
        kind::HEADERS,
        flag::END_HEADERS | flags,
        stream,
        &literals(&FIELDS),
    )
}

/// A frame that has some sense, or none.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let stream = prop_oneof![Just(0_u32), 1_u32..12];
    let payload = prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        3 => (1_u32..12, 0_u8..2).prop_map(|(stream, ends)| head(stream | 1, ends)),
        3 => (1_u32..12, 0_u8..2, 0_usize..9000).prop_map(|(stream, ends, length)| {
            frame(kind::DATA, ends, stream | 1, &vec![b'x'; length])
        }),
        1 => (any::<u16>(), 0_u32..100_000)
            .prop_map(|(id, value)| frame(kind::SETTINGS, 0, 0, &setting(id % 8, value))),
        1 => (1_u32..12, 1_u32..1000).prop_map(|(stream, by)| {
            frame(kind::WINDOW_UPDATE, 0, stream | 1, &by.to_be_bytes())
        }),
        1 => (1_u32..12).prop_map(|s| frame(kind::RST_STREAM, 0, s | 1, &[0, 0, 0, 8])),
        2 => (0_u8..12, any::<u8>(), stream, payload)
            .prop_map(|(kind, flags, stream, payload)| frame(kind, flags, stream, &payload)),
    ]
}

proptest! {
    #[test]
    fn any_frames_under_any_split_come_to_the_same(
        frames in prop::collection::vec(any_frame(), 0..30),
        size in 1_usize..600,
    ) {
        let bytes = [greeting(), frames.concat()].concat();
        let whole = run([bytes.as_slice()]);
        prop_assert_eq!(&run(bytes.chunks(size)), &whole);
        let mut answered = whole.1;
        while Frame::take(&mut answered).is_some() {}
        prop_assert!(answered.is_empty(), "what is answered is whole frames");
    }

    #[test]
    fn any_bytes_behind_the_preface_are_borne(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        run([PREFACE, bytes.as_slice()]);
        run([bytes.as_slice()]);
    }
}

fn fields() -> ReplyFields {
    ReplyFields::default()
}

/// A session with one request open.
fn opened(ends: u8) -> (Session, usize) {
    let mut session = Session::new(LIMITS);
    let mut input = BytesMut::new();
    input.extend_from_slice(&[greeting(), head(1, ends)].concat());
    loop {
        if let Some(Event::Request { place, .. }) = session.next(&mut input).unwrap() {
            session.out().clear();
            return (session, place);
        }
        session.worth();
    }
}

#[test]
fn head_that_is_long_is_sent_in_frames_that_every_client_takes() {
    let (mut session, place) = opened(1);
    let mut fields = fields();
    let long = HeaderValue::from_bytes(&[b'v'; 40_000]).unwrap();
    fields.push(HeaderName::from_static("long"), long);
    session.answer(place, (StatusCode::OK, &fields), None, None, End::Last);
    let mut out = std::mem::take(session.out());
    let mut frames = Vec::new();
    while let Some(frame) = Frame::take(&mut out) {
        frames.push((frame.kind, frame.flags, frame.payload.len() <= 16_384));
    }
    assert_eq!(
        frames,
        [
            (kind::HEADERS, flag::END_STREAM, true),
            (kind::CONTINUATION, 0, true),
            (kind::CONTINUATION, flag::END_HEADERS, true)
        ]
    );
    assert_eq!(session.open(), 0);
}

#[test]
fn answer_before_the_end_of_a_request_asks_for_no_more_of_it() {
    let (mut session, place) = opened(0);
    session.answer(place, (StatusCode::OK, &fields()), Some(0), None, End::Last);
    let mut out = std::mem::take(session.out());
    assert_eq!(Frame::take(&mut out).unwrap().kind, kind::HEADERS);
    assert_eq!(Frame::take(&mut out).unwrap().error(), Some(0));
    // What was under way already is passed over, and given back to the connection's window.
    let mut input = BytesMut::from(frame(kind::DATA, 0, 1, &[0; 16_000]).as_slice());
    for _ in 0..100 {
        assert!(session.next(&mut input).unwrap().is_none());
        input.extend_from_slice(&frame(kind::DATA, 0, 1, &[0; 16_000]));
    }
    let mut out = std::mem::take(session.out());
    while let Some(frame) = Frame::take(&mut out) {
        assert_eq!((frame.kind, frame.stream), (kind::WINDOW_UPDATE, 0));
    }
}

#[test]
fn client_that_sends_more_than_there_is_room_for_is_stopped() {
    // Nothing of it is taken.
    let (mut session, _) = opened(0);
    let mut input = BytesMut::new();
    let mut sent = 0;
    let failed = loop {
        input.extend_from_slice(&frame(kind::DATA, 0, 1, &[0; 16_000]));
        match session.next(&mut input).unwrap() {
            Some(Event::Data { content, .. }) => sent += content.len(),
            other => break other,
        }
    };
    assert!(matches!(failed, Some(Event::Failed { .. })), "{failed:?}");
    assert_eq!(sent, 96_000);
    let mut out = std::mem::take(session.out());
    assert_eq!(Frame::take(&mut out).unwrap().error(), Some(3));
}

#[test]
fn errors_of_streams_end_the_connection_when_they_are_many() {
    let mut bytes = greeting();
    for at in 0..6 {
        bytes.extend(head(2 * at + 1, 0));
        bytes.extend(frame(kind::WINDOW_UPDATE, 0, 2 * at + 1, &[0; 4]));
    }
    let (events, _) = run([bytes.as_slice()]);
    assert_eq!(events.last().unwrap(), "Goodbye(EnhanceYourCalm)");
    assert_eq!(
        events
            .iter()
            .filter(|event| event.ends_with("failed"))
            .count(),
        5
    );
}

#[test]
fn head_in_too_many_parts_ends_the_connection() {
    let mut bytes = [greeting(), frame(kind::HEADERS, 0, 1, &[])].concat();
    for _ in 0..20 {
        bytes.extend(frame(kind::CONTINUATION, 0, 1, &[]));
    }
    let (events, _) = run([bytes.as_slice()]);
    assert_eq!(events.last().unwrap(), "Goodbye(EnhanceYourCalm)");
}

#[test]
fn requests_behind_the_last_are_not_looked_at_but_read() {
    let (mut session, place) = opened(1);
    session.leave_now();
    let more = [0x40, 1, b'x', 1, b'y'];
    let block = [literals(&FIELDS), more.to_vec()].concat();
    let mut input = BytesMut::from(frame(kind::HEADERS, 5, 3, &block).as_slice());
    assert!(session.next(&mut input).unwrap().is_none());
    assert_eq!(session.open(), 1);
    assert_eq!(session.decoder.bytes(), 34, "the table is the client's");
    session.answer(place, (StatusCode::OK, &fields()), None, None, End::Last);
    assert!(session.is_left() && session.open() == 0);
}

/// RFC 9113 §8.2.1; and fields that speak about one HTTP/1 connection are none here (§8.2.2).
#[test]
fn names_are_sent_in_lower_case_and_cookies_are_kept_by_no_table() {
    let (mut session, place) = opened(1);
    let head = "HTTP/1.1 200 OK\r\nX-Mixed: A\r\nSet-Cookie: s=1\r\nContent-Length: 0\r\n\r\n";
    let head = crate::wire::ResponseHead::take(
        &mut head.as_bytes().into(),
        &mut crate::wire::Search::default(),
        &http::Method::GET,
    );
    let fields = head.unwrap().unwrap().fields;
    session.answer(place, (StatusCode::OK, &fields), None, None, End::Last);
    let block = Frame::take(session.out()).unwrap().payload;
    let text = String::from_utf8_lossy(&block);
    assert!(text.contains("x-mixed"), "{text}");
    assert!(
        !text.contains("X-Mixed") && !text.contains("content-length"),
        "{text}"
    );
    // A literal that is never indexed, by its name's place in the static table (RFC 7541 §6.2.3).
    assert!(
        block.windows(2).any(|pair| pair == [0x1F, 55 - 15]),
        "{block:?}"
    );
}
