use http::header;
use proptest::prelude::*;

use super::*;
use crate::wire::{ResponseHead, Search};

/// The fields of a head as the reader of heads leaves them.
fn read(lines: &str) -> ReplyFields {
    let head = format!("HTTP/1.1 200 OK\r\n{lines}\r\n");
    let mut bytes = head.as_bytes().into();
    let head = ResponseHead::take(&mut bytes, &mut Search::default(), &http::Method::GET);
    head.unwrap().unwrap().fields
}

fn written(fields: &ReplyFields, without: KnownSet) -> String {
    let mut out = Vec::new();
    fields.write(&mut out, without);
    String::from_utf8(out).unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn what_came_is_written_as_it_came_but_for_the_space_around_values() {
    let fields = read("X-A: 1\r\nx-b:2\r\nX-C:\t 3 \r\nX-D: 4\r\nX-E:\r\nX-F: \r\n");
    assert_eq!(
        written(&fields, KnownSet::NONE),
        "X-A: 1\r\nx-b: 2\r\nX-C: 3\r\nX-D: 4\r\nX-E: \r\nX-F: \r\n"
    );
}

#[test]
fn a_field_that_is_taken_off_is_nowhere_any_more() {
    let mut fields = read("X-A: 1\r\nServer: x\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nX-B: 2\r\n");
    fields.push(header::SERVER, HeaderValue::from_static("y"));
    fields.remove_known(Known::SelfTold);
    assert!(!fields.has(Known::SelfTold));
    fields.remove_where(Known::SetCookie, |_, value| value == b"a");
    assert!(fields.has(Known::SetCookie), "one is left");
    fields.remove(&HeaderName::from_static("x-b"));
    assert_eq!(
        written(&fields, KnownSet::NONE),
        "X-A: 1\r\nSet-Cookie: b\r\n"
    );
    assert_eq!(
        written(&fields, KnownSet::NONE.with(Known::SetCookie)),
        "X-A: 1\r\n"
    );
}

#[test]
fn one_of_several_of_a_kind_can_be_taken_off() {
    let mut fields = read("Access-Control-Max-Age: 1\r\nAccess-Control-Allow-Origin: *\r\n");
    fields.remove(&header::ACCESS_CONTROL_MAX_AGE);
    assert!(fields.has(Known::Cors));
    fields.remove(&header::ACCESS_CONTROL_ALLOW_ORIGIN);
    assert!(!fields.has(Known::Cors));
    assert_eq!(fields.len(), 0);
}

#[test]
fn set_replaces_in_any_case() {
    let mut fields = read("X-Request-ID: theirs\r\nX-A: 1\r\nx-request-id: again\r\n");
    let name = HeaderName::from_static("x-request-id");
    fields.set(name.clone(), HeaderValue::from_static("ours"));
    let all: Vec<&[u8]> = fields.all(&name).collect();
    assert_eq!(all, [b"ours"]);
}

#[test]
fn a_map_of_them_says_the_same() {
    let mut fields = read("A: 1\r\nB: 2\r\na: 3\r\n");
    fields.push(HeaderName::from_static("b"), HeaderValue::from_static("4"));
    let map = fields.to_map();
    let all = |name: &str| map.get_all(name).iter().cloned().collect::<Vec<_>>();
    assert_eq!(all("a"), ["1", "3"]);
    assert_eq!(all("b"), ["2", "4"]);
    let back = ReplyFields::from(map);
    let all: Vec<&[u8]> = back.all(&HeaderName::from_static("a")).collect();
    assert_eq!(all, [b"1", b"3"]);
    assert_eq!(back.len(), 4);
}

proptest! {
    /// Whatever is taken off, what is left is written in its order, each line once.
    #[test]
    fn lines_are_written_in_their_order(
        lines in proptest::collection::vec(
            ("(X-A|X-B|Server|Set-Cookie|Via)", "(:|: |:  |:\t)", "[!-~]{0,6}", "( |)"),
            0..12,
        ),
        gone in proptest::sample::subsequence(vec!["x-a", "server", "set-cookie", "via"], 0..4),
    ) {
        let head: String = lines
            .iter()
            .map(|(name, colon, value, after)| format!("{name}{colon}{value}{after}\r\n"))
            .collect();
        let mut fields = read(&head);
        for name in &gone {
            fields.remove(&HeaderName::from_static(name));
        }
        let expected: String = lines
            .iter()
            .filter(|(name, ..)| !gone.contains(&name.to_lowercase().as_str()))
            .map(|(name, _, value, _)| format!("{name}: {value}\r\n"))
            .collect();
        prop_assert_eq!(&written(&fields, KnownSet::NONE), &expected);
        let listed: String = fields
            .iter()
            .map(|(name, value)| format!("{}: {}\r\n", text(name), text(value)))
            .collect();
        prop_assert_eq!(listed, expected);
    }
}
