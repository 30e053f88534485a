//! Requests that two readers could read in two ways. In the texts, `{n}` is the path of the case,
//! `{host}` the name of the backend's route.

use super::tables::{
    CHUNK_ENDS, CHUNK_SIZES, CODINGS, FIELDS, HOSTS, LENGTH_NAMES, LENGTHS, NAMED, TARGETS,
    TRAILERS, UPGRADES, VERSIONS,
};

/// One connection's worth of bytes.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// What must arrive, in this order, when it is known: method, target, body.
    pub(crate) arrives: Option<Vec<(&'static str, String, Vec<u8>)>>,
    pub(crate) way: Way,
}

/// How the bytes go to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// In clear, at once.
    Whole,
    /// In clear, byte by byte.
    Drip,
    /// As frames of HTTP/2, behind its greeting, over TLS.
    Frames,
}

/// Cases for one backend.
pub(crate) struct Corpus<'a> {
    pub(crate) host: &'a str,
    pub(crate) cases: Vec<Case>,
}

/// What a smuggler wants to be read as a request of its own.
pub(super) const SMUGGLED: &str = "GET {n}/smuggled HTTP/1.1\r\nHost: {host}\r\nX-Rest: ";
/// What ends every connection of HTTP/1 that is still in step.
const END: &str = "GET {n}/end HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n";
const HEAD: &str = "POST {n}/a HTTP/1.1\r\nHost: {host}\r\n";

impl<'a> Corpus<'a> {
    /// All of it.
    pub(crate) fn whole(host: &'a str) -> Self {
        let mut corpus = Self {
            host,
            cases: Vec::new(),
        };
        corpus.codings();
        corpus.lengths();
        corpus.chunks();
        corpus.trailers();
        corpus.every_byte();
        corpus.fields();
        corpus.hosts();
        corpus.targets();
        corpus.versions();
        corpus.pipelines();
        corpus.drips();
        corpus.frames();
        corpus
    }

    /// The path of the next case.
    pub(super) fn path(&self) -> String {
        format!("/c{}", self.cases.len())
    }

    fn put(&self, text: &[u8]) -> Vec<u8> {
        let text = replace(text, b"{n}", self.path().as_bytes());
        replace(&text, b"{host}", self.host.as_bytes())
    }

    pub(super) fn push(&mut self, name: String, bytes: Vec<u8>, way: Way) {
        self.cases.push(Case {
            name,
            bytes,
            arrives: None,
            way,
        });
    }

    /// A text of which nothing is expected but that no two read it differently.
    fn add(&mut self, name: impl Into<String>, text: &[&[u8]]) {
        let mut bytes = self.put(&text.concat());
        bytes.extend(self.put(END.as_bytes()));
        self.push(name.into(), bytes, Way::Whole);
    }

    /// A text of which it is known what arrives, besides the request at the end.
    fn arrives(
        &mut self,
        name: impl Into<String>,
        text: &[&[u8]],
        wanted: &[(&'static str, &str, &str)],
    ) {
        let path = self.path();
        self.add(name, text);
        let end = ("GET", format!("{path}/end"), Vec::new());
        let wanted = wanted.iter().map(|(method, target, body)| {
            (
                *method,
                target.replace("{n}", &path),
                body.as_bytes().to_vec(),
            )
        });
        let wanted = wanted.chain([end]).collect();
        if let Some(case) = self.cases.last_mut() {
            case.arrives = Some(wanted);
        }
    }

    /// Lengths beside codings, in both orders, with bodies that end elsewhere for each reader.
    fn codings(&mut self) {
        let lengths: [(&str, bool); 7] = [
            ("", true),
            ("Content-Length: 4\r\n", true),
            ("Content-Length: 4\r\n", false),
            ("Content-Length: 0\r\n", true),
            ("Content_Length: 4\r\n", true),
            ("Content-Length : 4\r\n", false),
            ("Content-Length: 500\r\n", true),
        ];
        let hidden = self.put(SMUGGLED.as_bytes()).len();
        let long = format!("{hidden:x}\r\n{SMUGGLED}\r\n0\r\n\r\n");
        let bodies = [format!("0\r\n\r\n{SMUGGLED}"), long];
        for coding in CODINGS {
            for (at, (length, first)) in lengths.iter().enumerate() {
                let fields = match *first {
                    true => [length.as_bytes(), *coding, b"\r\n"].concat(),
                    false => [*coding, b"\r\n", length.as_bytes()].concat(),
                };
                // Both bodies for the usual lengths; one is enough for the rest.
                let count = if at < 3 { 2 } else { 1 };
                for body in bodies.iter().take(count) {
                    let name = format!("coding {} {length:?}", coding.escape_ascii());
                    self.add(name, &[HEAD.as_bytes(), &fields, b"\r\n", body.as_bytes()]);
                }
            }
        }
        let chunked =
            b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX: y\r\n\r\n";
        self.arrives(
            "chunks",
            &[HEAD.as_bytes(), chunked],
            &[("POST", "{n}/a", "hello world")],
        );
    }

    fn lengths(&mut self) {
        for value in LENGTHS {
            for field in ["Content-Length", "content-length", "CONTENT-LENGTH"] {
                let line = [field.as_bytes(), b":", *value, b"\r\n\r\n"].concat();
                let name = format!("length {}", value.escape_ascii());
                self.add(
                    name,
                    &[HEAD.as_bytes(), &line, b"hello", SMUGGLED.as_bytes()],
                );
            }
            let twice = [
                b"Content-Length: 5\r\nContent-Length:",
                *value,
                b"\r\n\r\nhello",
            ]
            .concat();
            self.add(
                format!("lengths 5 and {}", value.escape_ascii()),
                &[HEAD.as_bytes(), &twice],
            );
        }
        for name in LENGTH_NAMES {
            let line = [*name, b": 5\r\n\r\nhello"].concat();
            self.add(
                format!("length's name {}", name.escape_ascii()),
                &[HEAD.as_bytes(), &line],
            );
        }
        for method in [
            "GET", "HEAD", "OPTIONS", "DELETE", "PUT", "PATCH", "PROPFIND",
        ] {
            let head = format!(
                "{method} {{n}}/a HTTP/1.1\r\nHost: {{host}}\r\nContent-Length: 5\r\n\r\nhello"
            );
            self.arrives(
                format!("{method} with a body"),
                &[head.as_bytes()],
                &[(method, "{n}/a", "hello")],
            );
        }
    }

    fn chunks(&mut self) {
        for size in CHUNK_SIZES {
            let body = [*size, b"\r\nhello\r\n0\r\n\r\n"].concat();
            self.chunked(format!("chunk size {}", size.escape_ascii()), &body);
            let last = [b"5\r\nhello\r\n", *size, b"\r\n\r\n"].concat();
            self.chunked(format!("then {}", size.escape_ascii()), &last);
        }
        for body in CHUNK_ENDS {
            self.chunked(format!("chunks {}", body.escape_ascii()), body);
        }
        for byte in 0..=255_u8 {
            self.chunked(
                format!("chunk size 5 and {byte:#x}"),
                &[&[b'5', byte][..], b"\r\nhello\r\n0\r\n\r\n"].concat(),
            );
            self.chunked(
                format!("chunk extension with {byte:#x}"),
                &[&[b'5', b';', byte, b'a'][..], b"\r\nhello\r\n0\r\n\r\n"].concat(),
            );
            self.chunked(
                format!("after the chunk {byte:#x}"),
                &[&b"5\r\nhello"[..], &[byte], b"\r\n0\r\n\r\n"].concat(),
            );
        }
    }

    fn chunked(&mut self, name: String, body: &[u8]) {
        let head = [HEAD.as_bytes(), b"Transfer-Encoding: chunked\r\n\r\n"].concat();
        self.add(name, &[&head, body, SMUGGLED.as_bytes(), b"\r\n\r\n"]);
    }

    fn trailers(&mut self) {
        for line in TRAILERS {
            let body = [b"5\r\nhello\r\n0\r\n", *line, b"\r\n\r\n"].concat();
            self.chunked(format!("trailer {}", line.escape_ascii()), &body);
        }
    }

    /// Every byte, wherever one could change what is read.
    fn every_byte(&mut self) {
        for byte in 0..=255_u8 {
            let b = &[byte][..];
            let hex = format!("{byte:#04x}");
            let head = b"POST {n}/a HTTP/1.1\r\nHost: {host}\r\n";
            let body = b"Content-Length: 5\r\n\r\nhello";
            self.add(
                format!("before a name {hex}"),
                &[head, b, b"X-A: b\r\n", body],
            );
            self.add(
                format!("in a name {hex}"),
                &[head, b"X", b, b"A: b\r\n", body],
            );
            self.add(
                format!("after a name {hex}"),
                &[head, b"X-A", b, b": b\r\n", body],
            );
            self.add(
                format!("in a value {hex}"),
                &[head, b"X-A: b", b, b"c\r\n", body],
            );
            self.add(
                format!("after a length {hex}"),
                &[head, b"Content-Length: 5", b, b"\r\n\r\nhello"],
            );
            self.add(
                format!("before a length {hex}"),
                &[head, b"Content-Length:", b, b"5\r\n\r\nhello"],
            );
            self.add(
                format!("after the coding {hex}"),
                &[head, b"Transfer-Encoding: chunked", b, b"\r\n\r\n0\r\n\r\n"],
            );
            self.add(
                format!("in a path {hex}"),
                &[b"GET {n}/a", b, b"b HTTP/1.1\r\nHost: {host}\r\n\r\n"],
            );
            self.add(
                format!("in a query {hex}"),
                &[b"GET {n}/a?a", b, b"b HTTP/1.1\r\nHost: {host}\r\n\r\n"],
            );
            self.add(
                format!("in a method {hex}"),
                &[b"GE", b, b"T {n}/a HTTP/1.1\r\nHost: {host}\r\n\r\n"],
            );
            self.add(
                format!("after the version {hex}"),
                &[b"GET {n}/a HTTP/1.1", b, b"\r\nHost: {host}\r\n\r\n"],
            );
            self.add(
                format!("in the host {hex}"),
                &[b"GET {n}/a HTTP/1.1\r\nHost: {host}", b, b"\r\n\r\n"],
            );
            self.add(
                format!("instead of CR {hex}"),
                &[b"GET {n}/a HTTP/1.1\r\nHost: {host}", b, b"\nX: y\r\n\r\n"],
            );
            self.add(
                format!("before all {hex}"),
                &[b, b"GET {n}/a HTTP/1.1\r\nHost: {host}\r\n\r\n"],
            );
            self.add(
                format!("encoded %{byte:02x}"),
                &[
                    format!("GET {{n}}/a%{byte:02x}b HTTP/1.1\r\nHost: {{host}}\r\n\r\n")
                        .as_bytes(),
                ],
            );
        }
    }

    fn fields(&mut self) {
        for line in FIELDS {
            let text = [
                b"POST {n}/a HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n",
                *line,
                b"\r\n\r\nhello",
            ]
            .concat();
            self.add(format!("field {}", line.escape_ascii()), &[&text]);
        }
        for name in NAMED {
            let text = format!(
                "POST {{n}}/a HTTP/1.1\r\nHost: {{host}}\r\nContent-Length: 5\r\nConnection: {name}\r\n\r\nhello"
            );
            let title = format!("Connection names {name}");
            if name.contains("close") {
                self.add(title, &[text.as_bytes()]);
            } else {
                self.arrives(title, &[text.as_bytes()], &[("POST", "{n}/a", "hello")]);
            }
        }
    }

    fn hosts(&mut self) {
        for line in HOSTS {
            let text = [b"GET {n}/a HTTP/1.1\r\n", *line, b"\r\n\r\n"].concat();
            self.add(format!("host {}", line.escape_ascii()), &[&text]);
        }
    }

    fn targets(&mut self) {
        for target in TARGETS {
            for method in ["GET", "OPTIONS"] {
                let text = [
                    method.as_bytes(),
                    b" ",
                    *target,
                    b" HTTP/1.1\r\nHost: {host}\r\n\r\n",
                ]
                .concat();
                self.add(format!("{method} {}", target.escape_ascii()), &[&text]);
            }
        }
    }

    fn versions(&mut self) {
        for version in VERSIONS {
            let text = [b"GET {n}/a", *version, b"\r\nHost: {host}\r\n\r\n"].concat();
            self.add(format!("version {}", version.escape_ascii()), &[&text]);
            let text = [
                b"POST {n}/a",
                *version,
                b"\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            ]
            .concat();
            self.add(format!("chunked and {}", version.escape_ascii()), &[&text]);
        }
        let old = b"POST {n}/a HTTP/1.0\r\nHost: {host}\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello";
        self.arrives("HTTP/1.0 that stays", &[old], &[("POST", "{n}/a", "hello")]);
    }

    fn pipelines(&mut self) {
        let get = |at: usize| format!("GET {{n}}/{at} HTTP/1.1\r\nHost: {{host}}\r\n\r\n");
        let ten: String = (0..10).map(get).collect();
        let paths: Vec<String> = (0..10).map(|at| format!("{{n}}/{at}")).collect();
        let wanted: Vec<_> = paths
            .iter()
            .map(|path| ("GET", path.as_str(), ""))
            .collect();
        self.arrives("ten at once", &[ten.as_bytes()], &wanted);
        let post = "POST {n}/a HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n\r\nhello";
        for rest in ["\r\n", "\n", "\r\n\r\n", "\r", " ", "x", "0\r\n\r\n"] {
            self.add(
                format!("between two {rest:?}"),
                &[post.as_bytes(), rest.as_bytes(), post.as_bytes()],
            );
        }
        for expect in [
            "100-continue",
            "100-Continue",
            "100-continue, x",
            "nonsense",
            "",
            "200-ok",
        ] {
            let text = format!(
                "POST {{n}}/a HTTP/1.1\r\nHost: {{host}}\r\nExpect: {expect}\r\nContent-Length: 5\r\n\r\nhello"
            );
            self.arrives(
                format!("Expect: {expect}"),
                &[text.as_bytes()],
                &[("POST", "{n}/a", "hello")],
            );
        }
        for upgrade in UPGRADES {
            for body in [
                &b"\r\n"[..],
                b"Content-Length: 5\r\n\r\nhello",
                b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            ] {
                let text = [b"POST {n}/a HTTP/1.1\r\nHost: {host}\r\n", *upgrade, body].concat();
                self.add(format!("upgrade {}", upgrade.escape_ascii()), &[&text]);
            }
        }
        let trace = b"TRACE {n}/a HTTP/1.1\r\nHost: {host}\r\n\r\n";
        self.add("TRACE", &[trace]);
        let tunnel = b"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n";
        self.add("CONNECT", &[tunnel, SMUGGLED.as_bytes(), b"\r\n\r\n"]);
        let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        self.add("HTTP/2 in clear", &[http2]);
    }

    /// The same, byte by byte.
    fn drips(&mut self) {
        let some = [
            "chunks",
            "ten at once",
            "HTTP/1.0 that stays",
            "GET with a body",
            "Expect: 100-continue",
        ];
        let mut slow: Vec<Case> = self
            .cases
            .iter()
            .filter(|case| some.contains(&case.name.as_str()))
            .cloned()
            .collect();
        // Each keeps its path: what arrives twice under it is told apart by its place.
        for case in &mut slow {
            let old = case.name.clone();
            let path = self.path();
            let from = format!(
                "/c{}/",
                self.cases.iter().position(|c| c.name == old).unwrap()
            );
            let to = format!("{path}/");
            case.bytes = replace(&case.bytes, from.as_bytes(), to.as_bytes());
            for (_, target, _) in case.arrives.iter_mut().flatten() {
                *target = target.replace(&from, &to);
            }
            case.name = format!("byte by byte: {old}");
            case.way = Way::Drip;
            self.cases.push(case.clone());
        }
    }
}

/// Every `from` in `text` becomes `to`.
pub(super) fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(byte) = rest.first() {
        if rest.starts_with(from) {
            out.extend(to);
            rest = &rest[from.len()..];
        } else {
            out.push(*byte);
            rest = &rest[1..];
        }
    }
    out
}
