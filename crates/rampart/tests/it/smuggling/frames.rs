//! What HTTP/2 can say that HTTP/1 cannot, and what must not become of it on the way to a backend
//! that speaks HTTP/1 (RFC 9113 §8 and §10.3).

use testkit::frames::{flag, frame, kind, literals};

use super::corpus::{Corpus, Way};

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// The stream of what is tried; the next one carries an ordinary request.
const STREAM: u32 = 1;
const NEXT: u32 = 3;

fn pair(name: &[u8], value: &[u8]) -> (Vec<u8>, Vec<u8>) {
    (name.to_vec(), value.to_vec())
}

impl Corpus<'_> {
    /// Every case of HTTP/2.
    pub(super) fn frames(&mut self) {
        self.every_byte_of_frames();
        self.fields_of_frames();
        self.pseudo_fields();
        self.bodies_of_frames();
        self.trailers_of_frames();
        self.ends_of_frames();
    }

    fn request(&self, method: &str, rest: &str) -> Fields {
        let target = format!("{}{rest}", self.path());
        vec![
            pair(b":method", method.as_bytes()),
            pair(b":scheme", b"https"),
            pair(b":authority", self.host.as_bytes()),
            pair(b":path", target.as_bytes()),
        ]
    }

    /// A request without a body, and the ordinary one behind it.
    fn get(&mut self, name: &str, fields: &Fields) {
        let block = literals(fields);
        let bytes = frame(
            kind::HEADERS,
            flag::END_STREAM | flag::END_HEADERS,
            STREAM,
            &block,
        );
        self.then_end(name, bytes);
    }

    fn then_end(&mut self, name: &str, mut bytes: Vec<u8>) {
        let block = literals(&self.request("GET", "/end"));
        bytes.extend(frame(
            kind::HEADERS,
            flag::END_STREAM | flag::END_HEADERS,
            NEXT,
            &block,
        ));
        self.push(format!("HTTP/2: {name}"), bytes, Way::Frames);
    }

    fn every_byte_of_frames(&mut self) {
        // Letters and digits say nothing that their neighbours do not.
        let telling = (0..=0x31).chain(0x39..=0x41).chain(0x5A..=0x61);
        for byte in telling
            .chain(0x7A..=0x82_u8)
            .chain([0xC2, 0xC3, 0xE2, 0xFF])
        {
            let around = |text: &str| [text.as_bytes(), &[byte], b"b"].concat();
            let hex = format!("{byte:#04x}");
            let mut fields = self.request("GET", "/a");
            fields.push((around("x-a"), b"y".to_vec()));
            self.get(&format!("in a name {hex}"), &fields);
            let mut fields = self.request("GET", "/a");
            fields.push((b"x-a".to_vec(), around("y")));
            self.get(&format!("in a value {hex}"), &fields);
            let places = ["GET", "https", self.host, "/path", "/path?query"];
            for (at, text) in places.into_iter().enumerate() {
                let text = match at {
                    3 | 4 => format!("{}{text}", self.path()),
                    _ => text.to_owned(),
                };
                let mut fields = self.request("GET", "/a");
                fields[at.min(3)].1 = around(&text);
                self.get(&format!("in pseudo field {at} {hex}"), &fields);
            }
        }
    }

    fn fields_of_frames(&mut self) {
        let host = self.host.to_owned();
        let smuggled = format!("y\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: {host}\r\nX: z");
        let cases: [(&str, &str); 34] = [
            ("transfer-encoding", "chunked"),
            ("transfer-encoding", "identity"),
            ("Transfer-Encoding", "chunked"),
            ("connection", "close"),
            ("connection", "keep-alive, x-request-id"),
            ("keep-alive", "timeout=1"),
            ("proxy-connection", "close"),
            ("upgrade", "websocket"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABkAAQCAAAAAAIAAAAA"),
            ("te", "trailers"),
            ("te", "trailers, gzip"),
            ("host", &host),
            ("host", "evil"),
            ("host", ""),
            ("Host", "evil"),
            ("x-a", &smuggled),
            ("x-a\r\ntransfer-encoding", "chunked"),
            ("x-a: y\r\ntransfer-encoding", "chunked"),
            ("x-a ", "y"),
            (" x-a", "y"),
            ("", "y"),
            (":", "y"),
            ("x:a", "y"),
            ("X-Upper", "y"),
            ("x-a", " y "),
            ("x-a", "\ty"),
            ("x_a", "y"),
            ("rampart-assertion", "forged"),
            ("rampart_assertion", "forged"),
            ("x-forwarded-for", "10.0.0.1"),
            ("forwarded", "for=10.0.0.1"),
            ("expect", "100-continue"),
            ("trailer", "x-a"),
        ];
        for (name, value) in cases {
            let mut fields = self.request("GET", "/a");
            fields.push(pair(name.as_bytes(), value.as_bytes()));
            self.get(&format!("field {name:?}: {value:?}"), &fields);
        }
        let mut crumbs = self.request("GET", "/a");
        crumbs.extend([pair(b"cookie", b"a=1"), pair(b"cookie", b"b=2; c=3")]);
        self.get("cookies in crumbs", &crumbs);
        let mut hosts = self.request("GET", "/a");
        hosts.extend([pair(b"host", host.as_bytes()), pair(b"host", b"evil")]);
        self.get("two hosts", &hosts);
    }

    fn pseudo_fields(&mut self) {
        let host = self.host.to_owned();
        let with = |host: &str| host.to_owned() + "/x";
        let values: [(usize, String); 33] = [
            (0, "GET / HTTP/1.1\r\nX: y".into()),
            (0, "get".into()),
            (0, String::new()),
            (0, "G ET".into()),
            (0, "CONNECT".into()),
            (0, "OPTIONS".into()),
            (1, "http".into()),
            (1, "HTTPS".into()),
            (1, "ftp".into()),
            (1, String::new()),
            (1, "https://evil/?".into()),
            (1, "http\r\nHost: evil".into()),
            (2, String::new()),
            (2, "evil".into()),
            (2, with(&host)),
            (2, format!("u@{host}")),
            (2, format!("u:p@{host}")),
            (2, format!("{host}:443")),
            (2, format!("{host}:x")),
            (2, format!("{host}?x")),
            (2, format!("{host}#x")),
            (2, format!("{host} evil")),
            (2, format!("{host}\r\nX: y")),
            (2, format!("{host},evil")),
            (3, String::new()),
            (3, "*".into()),
            (3, "a".into()),
            (3, "//evil/a".into()),
            (3, format!("http://{host}/a")),
            (3, "/a HTTP/1.1\r\nHost: evil\r\n\r\n".into()),
            (3, "/a HTTP/1.1".into()),
            (3, "/a#b".into()),
            (3, "/a?x#b".into()),
        ];
        for (at, value) in values {
            let mut fields = self.request("GET", "/a");
            fields[at].1 = value.clone().into_bytes();
            self.get(&format!("pseudo field {at} {value:?}"), &fields);
        }
        for at in 0..4 {
            let mut fields = self.request("GET", "/a");
            let gone = fields.remove(at);
            self.get(&format!("without pseudo field {at}"), &fields);
            let mut late = fields.clone();
            late.extend([pair(b"x-a", b"y"), gone.clone()]);
            self.get(&format!("pseudo field {at} late"), &late);
            fields.extend([gone.clone(), gone]);
            self.get(&format!("pseudo field {at} twice"), &fields);
        }
        for (name, value) in [
            (":status", "200"),
            (":protocol", "websocket"),
            (":x", "y"),
            (":host", "evil"),
            (":path ", "/x"),
        ] {
            let mut fields = self.request("GET", "/a");
            fields.push(pair(name.as_bytes(), value.as_bytes()));
            self.get(&format!("pseudo field {name}"), &fields);
        }
    }

    fn bodies_of_frames(&mut self) {
        let lengths: [&[&str]; 14] = [
            &[],
            &["5"],
            &["4"],
            &["6"],
            &["0"],
            &["05"],
            &["+5"],
            &["-5"],
            &["5, 5"],
            &["5 "],
            &["0x5"],
            &["5", "5"],
            &["5", "6"],
            &["18446744073709551621"],
        ];
        for lengths in lengths {
            for parts in [
                &[&b"hello"[..]][..],
                &[b"hel", b"lo"],
                &[b"", b"hello", b""],
                &[],
            ] {
                let mut fields = self.request("POST", "/a");
                let all = lengths
                    .iter()
                    .map(|value| pair(b"content-length", value.as_bytes()));
                fields.extend(all);
                let ends = if parts.is_empty() {
                    flag::END_STREAM
                } else {
                    0
                };
                let mut bytes = frame(
                    kind::HEADERS,
                    ends | flag::END_HEADERS,
                    STREAM,
                    &literals(&fields),
                );
                for (at, part) in parts.iter().enumerate() {
                    let ends = u8::from(at + 1 == parts.len());
                    bytes.extend(frame(kind::DATA, ends, STREAM, part));
                }
                self.then_end(
                    &format!("lengths {lengths:?}, {} parts", parts.len()),
                    bytes,
                );
            }
        }
    }

    fn trailers_of_frames(&mut self) {
        let trailers: [(&str, &str); 9] = [
            ("x-a", "y"),
            (":path", "/smuggled"),
            ("content-length", "5"),
            ("transfer-encoding", "chunked"),
            ("host", "evil"),
            ("X-A", "y"),
            ("connection", "close"),
            ("x-a", "y\r\nz"),
            ("rampart-assertion", "forged"),
        ];
        for (name, value) in trailers {
            for ends in [flag::END_STREAM, 0] {
                let head = literals(&self.request("POST", "/a"));
                let mut bytes = frame(kind::HEADERS, flag::END_HEADERS, STREAM, &head);
                bytes.extend(frame(kind::DATA, 0, STREAM, b"hello"));
                let block = literals(&[(name, value)]);
                bytes.extend(frame(
                    kind::HEADERS,
                    ends | flag::END_HEADERS,
                    STREAM,
                    &block,
                ));
                self.then_end(&format!("trailer {name:?}: {value:?} ({ends})"), bytes);
            }
        }
    }

    fn ends_of_frames(&mut self) {
        let head = literals(&self.request("POST", "/a"));
        let mut bytes = frame(kind::HEADERS, flag::END_HEADERS, STREAM, &head);
        bytes.extend(frame(kind::DATA, flag::END_STREAM, STREAM, b"hello"));
        bytes.extend(frame(
            kind::DATA,
            flag::END_STREAM,
            STREAM,
            b"GET /smuggled HTTP/1.1\r\n\r\n",
        ));
        self.then_end("content after the end", bytes);
        let mut bytes = frame(kind::HEADERS, flag::END_HEADERS, STREAM, &head);
        bytes.extend(frame(kind::DATA, 0, STREAM, b"hel"));
        bytes.extend(frame(kind::RST_STREAM, 0, STREAM, &8_u32.to_be_bytes()));
        self.then_end("a body given up", bytes);
    }
}
