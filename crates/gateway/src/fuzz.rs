//! Damaged inputs for every reader of outside bytes that is not a connection's (those are in
//! `front`).

use bytes::BytesMut;
use http::Method;
use http::header::{self, HeaderMap, HeaderValue};
use testkit::{Mutator, fuzz};

use crate::inspect::{BodyKind, Rules};
use crate::wire::websocket::{Frames, Sender};
use crate::wire::{Framing, ResponseHead, Search};
use crate::{cookies, path};

fn texts(all: &[&str]) -> Vec<Vec<u8>> {
    all.iter().map(|text| text.as_bytes().to_vec()).collect()
}

#[test]
fn fuzz_paths_have_one_form_and_it_stays() {
    let corpus = texts(&[
        "/",
        "/a/b",
        "/a%20b/c",
        "/%c3%a4",
        "/a;b=c/d",
        "/.well-known/x",
        "/a/..%2f",
        "/%2e%2e/",
        "/a//b",
        "/a%255c",
        "/~x/(y)/!z",
        "/a%3Fb%23c",
    ]);
    let words: &[&[u8]] = &[
        b"%2e", b"%2F", b"..", b"//", b";", b"%25", b"%00", b"\\", b"%c3",
    ];
    fuzz(50_000, &corpus, words, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        let Ok(settled) = path::canonical(text) else {
            return;
        };
        assert_eq!(path::canonical(&settled).as_deref(), Ok(&*settled));
        let lower = settled.to_ascii_lowercase();
        for never in [
            "//", "/./", "/../", "%2f", "%5c", "%00", "\\", "/.;", "/..;",
        ] {
            assert!(!lower.contains(never), "`{settled}` of `{text}`");
        }
        assert!(settled.bytes().all(|byte| matches!(byte, 0x21..=0x7E)));
    });
}

#[test]
fn fuzz_cookies_of_rampart_never_get_through() {
    let corpus = texts(&[
        "a=1; b=2",
        "__Host-rampart=x; a=1",
        "a=1; __Host-rampart-session=y; b=\"2\"",
        "=; ;; a",
    ]);
    let words: &[&[u8]] = &[b"__Host-rampart", b"=", b"; ", b";", b",", b"\"", b" "];
    fuzz(30_000, &corpus, words, |bytes| {
        let Ok(value) = HeaderValue::from_bytes(bytes) else {
            return;
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, value);
        // Whatever it says: no panic, and one answer.
        let said = cookies::session(&headers).map(|one| one.map(str::to_owned));
        assert_eq!(
            said,
            cookies::session(&headers).map(|one| one.map(str::to_owned))
        );
        cookies::strip(&mut headers);
        let left = headers
            .get(header::COOKIE)
            .map_or(&b""[..], HeaderValue::as_bytes);
        for pair in left.split(|byte| *byte == b';') {
            let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
            let name = name.trim_ascii().to_ascii_lowercase();
            assert!(
                !name.starts_with(b"__host-rampart"),
                "{}",
                left.escape_ascii()
            );
        }
    });
}

#[test]
fn fuzz_bodies_are_read_or_refused() {
    let rules = Rules::built_in();
    let kinds = [
        "application/x-www-form-urlencoded",
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
    ];
    let kinds: Vec<BodyKind> = kinds
        .iter()
        .map(|kind| BodyKind::of(Some(&HeaderValue::from_static(kind))).unwrap())
        .collect();
    let corpus = texts(&[
        "a=1&b=%3Cscript%3E&c=+",
        r#"{"a":[1,2.5e-3,null,true,{"b":"\u00e4\ud83d\ude00\n"}],"c":"' or 1=1--"}"#,
        "--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x\r\nContent-Disposition: form-data; name=\"c\"\r\n\r\n../../etc/passwd\r\n--x--\r\n",
        "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
    ]);
    let words: &[&[u8]] = &[
        b"--x",
        b"--x--",
        b"\r\n",
        b"\r\n\r\n",
        b"name=\"",
        b"Content-Disposition: form-data",
        b"[",
        b"{\"a\":",
        b"\\u0000",
        b"\\ud800",
        b"%",
        b"%u0027",
        b"1e999",
        b"&",
        b"filename*=utf-8''x",
        b"\"",
    ];
    fuzz(4_000, &corpus, words, |bytes| {
        for kind in &kinds {
            drop(rules.body(kind.clone(), bytes));
        }
        if let Ok(value) = HeaderValue::from_bytes(bytes) {
            drop(BodyKind::of(Some(&value)));
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            drop(rules.head("/", Some(text), &HeaderMap::new()));
        }
    });
}

/// Answers read in pieces: status, fields, body, and whether it broke.
fn answer(bytes: &[u8], cuts: &[usize], method: &Method) -> (Vec<String>, Vec<u8>, bool) {
    let (mut input, mut search, mut at) = (BytesMut::new(), Search::default(), 0);
    let (mut heads, mut content) = (Vec::new(), Vec::new());
    let mut body: Option<(Framing, Vec<u8>)> = None;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        let end = end.clamp(at, bytes.len());
        input.extend_from_slice(&bytes[at..end]);
        at = end;
        loop {
            if let Some((framing, line)) = &mut body {
                let Ok(piece) = framing.advance(&input, line) else {
                    return (heads, content, true);
                };
                drop(input.split_to(piece.framing));
                content.extend_from_slice(&input.split_to(piece.content));
                if piece.ended {
                    body = None;
                } else if piece.content == 0 {
                    break;
                }
                continue;
            }
            if input.is_empty() {
                break;
            }
            match ResponseHead::take(&mut input, &mut search, method) {
                Err(_) => return (heads, content, true),
                Ok(None) => break,
                Ok(Some(head)) => {
                    heads.push(format!(
                        "{} {:?} {:?}",
                        head.status, head.fields, head.framing
                    ));
                    body = Some((head.framing, Vec::new()));
                }
            }
        }
    }
    (heads, content, false)
}

#[test]
fn fuzz_answers_of_services_are_read_alike_however_they_are_cut() {
    let corpus = texts(&[
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.0 404 \r\nConnection: keep-alive\r\nContent-Type: a/b\r\n\r\nuntil the end",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 304 Not Modified\r\nConnection: x\r\nX: y\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ]);
    let words: &[&[u8]] = &[
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"HTTP/1.1 200 OK\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 6\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"0\r\n\r\n",
        b": ",
        b"HTTP/1.0",
        b"Connection: close\r\n",
    ];
    let mut mutator = Mutator::new(12);
    fuzz(20_000, &corpus, words, |bytes| {
        for method in [Method::GET, Method::HEAD] {
            let whole = answer(bytes, &[], &method);
            let mut cuts: Vec<usize> = (0..3).map(|_| mutator.below(bytes.len() + 1)).collect();
            cuts.sort_unstable();
            assert_eq!(answer(bytes, &cuts, &method), whole, "cut at {cuts:?}");
        }
    });
}

/// How many bytes of frames may pass, and why no more may.
fn frames(bytes: &[u8], cuts: &[usize], sender: Sender) -> (usize, Option<String>) {
    let mut frames = Frames::new(sender, 1 << 16);
    let mut clear = 0;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        let end = end.clamp(clear, bytes.len());
        match frames.follow(&bytes[clear..end]) {
            Ok(more) => clear += more,
            Err((more, broken)) => return (clear + more, Some(broken.to_string())),
        }
    }
    (clear, None)
}

#[test]
fn fuzz_frames_of_websockets_are_followed_alike_however_they_are_cut() {
    let corpus: Vec<Vec<u8>> = vec![
        b"\x81\x85abcd\x09\x07\x0f\x08\x0e\x89\x80abcd\x88\x82abcd\x62\x8a".to_vec(),
        b"\x01\x83abcdxyz\x80\x83abcdxyz\x82\xfe\x00\x7eabcd".to_vec(),
        b"\x81\x05hello\x89\x00\x88\x02\x03\xe8".to_vec(),
        b"\x82\x7f\0\0\0\0\0\0\0\x05hello".to_vec(),
    ];
    let words: &[&[u8]] = &[
        b"\x88\0",
        b"\x81\xff",
        b"\x80\x80abcd",
        b"\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x7e\0\x05",
    ];
    let mut mutator = Mutator::new(13);
    fuzz(30_000, &corpus, words, |bytes| {
        for sender in [Sender::Client, Sender::Server] {
            let whole = frames(bytes, &[], sender);
            let mut cuts: Vec<usize> = (0..4).map(|_| mutator.below(bytes.len() + 1)).collect();
            cuts.sort_unstable();
            assert_eq!(frames(bytes, &cuts, sender), whole, "cut at {cuts:?}");
        }
    });
}
