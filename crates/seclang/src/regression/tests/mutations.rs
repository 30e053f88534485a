//! Requests made of the Core Rule Set's own payloads: changed as an attacker would change them, and
//! carried where an attacker would put them. Seeded, so that the same seed makes the same requests.

use std::collections::BTreeSet;

use testkit::Mutator;

use super::{Case, Wire, wire};
use crate::body::urlencoded;
use crate::bytes::split_once;

/// Payloads of so many bytes are used.
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=300;

/// Values of arguments in the tests, each once.
pub(crate) fn payloads(cases: &[Case]) -> Vec<Vec<u8>> {
    let mut all = BTreeSet::new();
    for stage in cases.iter().flat_map(|case| &case.stages) {
        let wire = wire(&stage.input);
        let query = split_once(&wire.target, b'?').map_or(&[][..], |(_, query)| query);
        for text in [query, &wire.body] {
            let pairs = urlencoded::read(text, b'&', 100).pairs;
            all.extend(pairs.iter().map(|(_, value)| value.to_vec()));
        }
    }
    all.retain(|payload| LENGTHS.contains(&payload.len()));
    all.into_iter().collect()
}

/// One request.
pub(super) fn request(payloads: &[Vec<u8>], random: &mut Mutator) -> Wire {
    let mut text = random.pick(payloads).cloned().unwrap_or_default();
    for _ in 0..random.below(3) {
        change(&mut text, payloads, random);
    }
    text.truncate(2_000);
    carry(&text, random)
}

fn change(text: &mut Vec<u8>, payloads: &[Vec<u8>], random: &mut Mutator) {
    const SPACES: &[&[u8]] = &[
        b"/**/", b"\t", b"\n", b"\x0b", b"+", b"  ", b"/*x*/", b"%20", b"\xa0",
    ];
    const ENDS: &[&[u8]] = &[
        b"--", b"';", b"\"", b")", b"#", b"\0", b"*/", b" -- -", b"|", b"`",
    ];
    const INSIDE: &[&[u8]] = &[
        b"/**/",
        b"''",
        b"\"\"",
        b"\\",
        b"^",
        b"%00",
        b"\0",
        b"<!-- -->",
        b"$@",
        b"&nbsp;",
    ];
    let word = |random: &mut Mutator, words: &[&[u8]]| {
        random.pick(words).map_or(Vec::new(), |word| word.to_vec())
    };
    let at = random.below(text.len());
    match random.below(11) {
        0 => each(text, random, |byte| {
            let other = if byte.is_ascii_lowercase() {
                byte.to_ascii_uppercase()
            } else {
                byte.to_ascii_lowercase()
            };
            vec![other]
        }),
        1 => {
            let space = word(random, SPACES);
            let pieces: Vec<&[u8]> = text.split(|byte| *byte == b' ').collect();
            *text = pieces.join(&space[..]);
        }
        2 => {
            let inside = word(random, INSIDE);
            text.splice(at..at, inside);
        }
        3 => each(text, random, |byte| format!("%{byte:02x}").into_bytes()),
        4 => each(text, random, |byte| format!("&#x{byte:x};").into_bytes()),
        5 => each(text, random, |byte| format!("&#{byte}").into_bytes()),
        6 => each(text, random, |byte| format!("\\u{byte:04x}").into_bytes()),
        7 => each(text, random, |byte| format!("\\x{byte:02x}").into_bytes()),
        8 => each(text, random, |byte| format!("%u{byte:04x}").into_bytes()),
        9 => text.extend(word(random, ENDS)),
        _ => {
            let other = random.pick(payloads).cloned().unwrap_or_default();
            text.splice(at..at, other);
        }
    }
}

/// Changes about a third of the bytes.
fn each(text: &mut Vec<u8>, random: &mut Mutator, change: impl Fn(u8) -> Vec<u8>) {
    let bytes = std::mem::take(text);
    for byte in bytes {
        if random.below(3) == 0 {
            text.extend(change(byte));
        } else {
            text.push(byte);
        }
    }
}

/// A form of one value.
pub(super) fn form(value: &[u8]) -> Wire {
    post(FORM, [b"comment=", value].concat())
}

const FORM: &str = "application/x-www-form-urlencoded";

fn carry(text: &[u8], random: &mut Mutator) -> Wire {
    let escaped = escaped(text, random);
    let form = |pairs: &[u8]| post(FORM, pairs.to_vec());
    let half = text.len() / 2;
    match random.below(18) {
        0 | 1 => get(&[b"/search?q=", &escaped[..]].concat(), &[]),
        2 => get(&[b"/search?", &escaped[..], b"=1"].concat(), &[]),
        3 | 4 => form(&[b"a=1&text=", &escaped[..]].concat()),
        5 => form(&[&escaped[..], b"=x"].concat()),
        6 => post(
            "application/json",
            [b"{\"a\":{\"b\":[1,\"", &json(text)[..], b"\"]}}"].concat(),
        ),
        7 => post(
            "application/json",
            [b"{\"", &json(text)[..], b"\":true}"].concat(),
        ),
        8 => multipart(b"name=\"field\"", text),
        9 => multipart(
            &[b"name=\"file\"; filename=\"", &in_line(text)[..], b"\""].concat(),
            b"content",
        ),
        10 => post(
            "application/xml",
            [b"<a><b>", &xml(text)[..], b"</b></a>"].concat(),
        ),
        11 => post(
            "text/xml",
            [b"<a b=\"", &xml(text)[..], b"\">c</a>"].concat(),
        ),
        12 => get(
            "/".as_bytes(),
            &[("Cookie", &[b"session=", &in_line(&escaped)[..]].concat())],
        ),
        13 => get("/".as_bytes(), &[("X-Forwarded-Note", &in_line(text))]),
        14 => get(
            "/".as_bytes(),
            &[("Referer", &[b"http://a.example/?", &escaped[..]].concat())],
        ),
        15 => get(&[b"/files/", &escaped[..]].concat(), &[]),
        16 => {
            let (one, two) = text.split_at(half);
            let (one, two) = (self::escaped(one, random), self::escaped(two, random));
            form(&[b"q=", &one[..], b"&q=", &two[..]].concat())
        }
        _ => post("text/plain", [b"q=", &escaped[..]].concat()),
    }
}

/// As a part of a query: some of what need not be escaped is.
fn escaped(text: &[u8], random: &mut Mutator) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in text {
        match byte {
            b' ' if random.below(2) == 0 => out.push(b'+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_'
                if random.below(40) > 0 =>
            {
                out.push(*byte);
            }
            b'(' | b')' | b'*' | b'/' | b':' | b',' | b'\'' | b'!' | b'$' | b'@'
                if random.below(2) == 0 =>
            {
                out.push(*byte);
            }
            _ if random.below(4) == 0 => out.extend(format!("%{byte:02x}").bytes()),
            _ => out.extend(format!("%{byte:02X}").bytes()),
        }
    }
    out
}

fn json(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for letter in String::from_utf8_lossy(text).chars() {
        match letter {
            '"' | '\\' => out.extend(format!("\\{letter}").bytes()),
            '\0'..='\x1f' => out.extend(format!("\\u{:04x}", u32::from(letter)).bytes()),
            _ => out.extend(letter.to_string().bytes()),
        }
    }
    out
}

fn xml(text: &[u8]) -> Vec<u8> {
    let mut out = String::new();
    for letter in String::from_utf8_lossy(text).chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            // No character of XML 1.0.
            '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}' => {}
            _ => out.push(letter),
        }
    }
    out.into_bytes()
}

/// Without what ends a line.
fn in_line(text: &[u8]) -> Vec<u8> {
    let kept = text
        .iter()
        .filter(|byte| !matches!(byte, b'\0' | b'\r' | b'\n'));
    let kept: Vec<u8> = kept.copied().collect();
    crate::bytes::trim(&kept).to_vec()
}

fn multipart(disposition: &[u8], text: &[u8]) -> Wire {
    let parts: [&[u8]; 5] = [
        b"--Bound\r\nContent-Disposition: form-data; ",
        disposition,
        b"\r\n\r\n",
        text,
        b"\r\n--Bound--\r\n",
    ];
    post("multipart/form-data; boundary=Bound", parts.concat())
}

fn get(target: &[u8], more: &[(&str, &[u8])]) -> Wire {
    made("GET", target, more, Vec::new())
}

fn post(kind: &str, body: Vec<u8>) -> Wire {
    let length = body.len().to_string();
    let more = [
        ("Content-Type", kind.as_bytes()),
        ("Content-Length", length.as_bytes()),
    ];
    made("POST", b"/form", &more, body)
}

fn made(method: &str, target: &[u8], more: &[(&str, &[u8])], body: Vec<u8>) -> Wire {
    let usual: [(&str, &[u8]); 3] = [
        ("Host", b"shop.example"),
        (
            "User-Agent",
            b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        ),
        ("Accept", b"text/html,*/*;q=0.8"),
    ];
    let fields = usual.iter().chain(more);
    Wire {
        line: [method.as_bytes(), b" ", target, b" HTTP/1.1"].concat(),
        method: method.as_bytes().to_vec(),
        target: target.to_vec(),
        protocol: b"HTTP/1.1".to_vec(),
        fields: fields
            .map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec()))
            .collect(),
        body,
        refused: None,
    }
}
