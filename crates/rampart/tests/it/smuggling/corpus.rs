//! Requests that two readers could read in two ways. In the texts, `{n}` is the path of the case,
//! `{host}` the name of the backend's route.

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

const CODINGS: &[&[u8]] = &[
    b"Transfer-Encoding: chunked",
    b"transfer-encoding:chunked",
    b"TRANSFER-ENCODING: CHUNKED",
    b"Transfer-Encoding: chunked \t",
    b"Transfer-Encoding:\tchunked",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding\t: chunked",
    b" Transfer-Encoding: chunked",
    b"\tTransfer-Encoding: chunked",
    b"X: y\r\n Transfer-Encoding: chunked",
    b"X: y\nTransfer-Encoding: chunked",
    b"X: y\rTransfer-Encoding: chunked",
    b"X: y\r\rTransfer-Encoding: chunked",
    b"X: y\0Transfer-Encoding: chunked",
    b"Transfer-Encoding:\r\n chunked",
    b"Transfer-Encoding:\r\n\tchunked",
    b"Transfer-Encoding: chun\r\n ked",
    b"Transfer-Encoding:\n chunked",
    b"Transfer_Encoding: chunked",
    b"Transfer Encoding: chunked",
    b"TransferEncoding: chunked",
    b"Transfer-Encoding\0: chunked",
    b"Transfer-Encoding\x0b: chunked",
    b"Transfer-Encoding: chunked\0",
    b"Transfer-Encoding: \0chunked",
    b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding: \x0cchunked",
    b"Transfer-Encoding: \xa0chunked",
    b"Transfer-Encoding: chunked\xa0",
    b"Transfer-Encoding: chun\xc4\xb8ed",
    b"Transfer-\xc4\x92ncoding: chunked",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: chunkedx",
    b"Transfer-Encoding: chunk",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding: gzip",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked, gzip",
    b"Transfer-Encoding: identity, chunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: , chunked",
    b"Transfer-Encoding: chunked,",
    b"Transfer-Encoding: chunked;",
    b"Transfer-Encoding: chunked;q=0",
    b"Transfer-Encoding: \"chunked\"",
    b"Transfer-Encoding: 'chunked'",
    b"Transfer-Encoding: ",
    b"Transfer-Encoding:",
    b"Transfer-Encoding",
    b"Transfer-Encoding:: chunked",
    b"Transfer-Encoding;: chunked",
    b"Transfer-Encoding=chunked",
    b"\"Transfer-Encoding\": chunked",
    b":Transfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding:\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
    b"TE: chunked",
    b"Content-Encoding: chunked",
    b"X-Transfer-Encoding: chunked",
    b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
    b"Connection: Content-Length",
];

const LENGTHS: &[&[u8]] = &[
    b" 5",
    b" 05",
    b" 005",
    b" +5",
    b" -5",
    b" --5",
    b" 5,5",
    b" 5, 5",
    b" 5,",
    b" ,5",
    b" 5;5",
    b" 0x5",
    b" 0X5",
    b" 0b101",
    b" 0o5",
    b" 5e0",
    b" 5.0",
    b" 5 ",
    b" 5\t",
    b"\t5",
    b" 5 5",
    b" 5\0",
    b" \x0b5",
    b" 5\x0b",
    b" 5\x0c",
    b" \xa05",
    b" 5\xa0",
    b" \xef\xbc\x95",
    b" \xd9\xa5",
    b" 1_0",
    b" 5L",
    b" 5abc",
    b" abc",
    b"",
    b" ",
    b" \"5\"",
    b" '5'",
    b" (5)",
    b" 5\r\n 5",
    b" 5\r\n ",
    b"\r\n 5",
    b" 5\n",
    b" 5\r",
    b" 5\rX: y",
    b" 5\nX: y",
    b" 4294967296",
    b" 4294967301",
    b" 18446744073709551615",
    b" 18446744073709551616",
    b" 18446744073709551621",
    b" 99999999999999999999999999",
    b" 9223372036854775807",
    b" 9223372036854775808",
    b" -0",
    b" +0",
    b" 0",
    b" 00",
    b" 6",
    b" 4",
    b" 1",
    b" 500",
    b" 5\r\nTransfer-Encoding: chunked",
];

const LENGTH_NAMES: &[&[u8]] = &[
    b"Content-Length ",
    b"Content-Length\t",
    b" Content-Length",
    b"Content_Length",
    b"Content Length",
    b"ContentLength",
    b"Content-Length\0",
    b"\0Content-Length",
    b"Content-Length\x0b",
    b"Content--Length",
    b"Content-Lengt\xc4\xa7",
    b"Content-Length:",
    b"X: y\rContent-Length",
    b"X: y\nContent-Length",
    b"X-Content-Length",
    b"Content-Length\r",
    b"\xef\xbb\xbfContent-Length",
    b"\"Content-Length\"",
    b"content-length",
    b"CONTENT-LENGTH",
];

const CHUNK_SIZES: &[&[u8]] = &[
    b"5",
    b"05",
    b"005",
    b"0000000000000005",
    b"00000000000000000005",
    b"+5",
    b"-5",
    b"0x5",
    b"0X5",
    b"x5",
    b"5x",
    b"5h",
    b"5.",
    b" 5",
    b"\t5",
    b"5 ",
    b"5\t",
    b"5  ",
    b"5 ;a",
    b"5; a",
    b"5;",
    b"5;;",
    b"5;a",
    b"5;a=b",
    b"5;a=\"b\"",
    b"5;a=\"b\r\n\"",
    b"5;a\n",
    b"5;a\r",
    b"5;\n",
    b"5;\r",
    b"5\n",
    b"5\r",
    b"5\n\r",
    b"5\r\r",
    b"5\0",
    b"\05",
    b"5;\0",
    b"5;\x7f",
    b"5;\x80",
    b"5_",
    b"0_5",
    b"5,5",
    b"5 5",
    b"G",
    b"",
    b" ",
    b"\r\n5",
    b"ffffffffffffffff",
    b"10000000000000005",
    b"fffffffffffffffff",
    b"8000000000000005",
    b"100000005",
    b"0",
    b"00",
    b"0;a",
    b"0 ",
    b"-0",
    b"+0",
    b"0x0",
    b"0\n",
    b"0\r",
    b"A",
    b"a",
    b"6",
    b"4",
    b"\xef\xbc\x95",
];

const CHUNK_ENDS: &[&[u8]] = &[
    b"5\nhello\n0\n\n",
    b"5\r\nhello\n0\r\n\r\n",
    b"5\r\nhello\r0\r\n\r\n",
    b"5\r\nhello0\r\n\r\n",
    b"5\r\nhello\r\n0\n\n",
    b"5\r\nhello\r\n0\r\n\n",
    b"5\r\nhello\r\n0\n\r\n",
    b"5\r\nhello\r\n0\r\r\n\r\n",
    b"5\r\nhello\r\n0\r\n\r",
    b"5\r\nhello\r\n0\r\n",
    b"5\r\nhello\r\n0\r\nX",
    b"5\r\nhello\r\n",
    b"5\r\nhel",
    b"5\r\nhellohello\r\n0\r\n\r\n",
    b"5\r\nhello\r\n\r\n0\r\n\r\n",
    b"5\r\nhello \r\n0\r\n\r\n",
    b"5\rhello\r0\r\r",
    b"\r\n5\r\nhello\r\n0\r\n\r\n",
    b"\n5\r\nhello\r\n0\r\n\r\n",
    b"0\r\n\r\n",
    b"0\r\n",
    b"0",
    b"",
    b"0\r\n\r\n0\r\n\r\n",
    b"5\r\nhello\r\n0\r\n \r\n\r\n",
    b"5\r\r\nhello\r\n0\r\n\r\n",
];

const TRAILERS: &[&[u8]] = &[
    b"X: y",
    b"X : y",
    b" X: y",
    b"X: y\r\n z",
    b"X",
    b": y",
    b"X: y\0",
    b"X: y\n",
    b"X: y\nA: b",
    b"X: y\rA: b",
    b"Content-Length: 5",
    b"Transfer-Encoding: chunked",
    b"Host: evil",
    b"Authorization: Bearer x",
    b"Cookie: a=b",
    b"Connection: close",
    b"Rampart-Assertion: x",
    b"X-Forwarded-For: 10.0.0.1",
    b"Content-Type: x/y",
    b"X_Y: z",
    b"GET {n}/smuggled HTTP/1.1",
    b"GET {n}/smuggled HTTP/1.1\r\nHost: {host}",
    b"X: y\r\n\r\nGET {n}/smuggled HTTP/1.1\r\nHost: {host}",
    b"X\xc3\xa4: y",
    b"X: \xc3\xa4",
];

const FIELDS: &[&[u8]] = &[
    b": empty",
    b"no colon",
    b"X",
    b"X:",
    b"X: ",
    b"X:y",
    b"X:  y  ",
    b"X: y\r\n\tz",
    b"X: y\r\n z",
    b"X: y\r\n \r\n z",
    b"X: a\nb: c",
    b"X: a\rb: c",
    b"X: a\r\r\nb: c",
    b"X: a\n\nGET {n}/smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n",
    b"X: a\r\rGET {n}/smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n",
    b"X: \xe5\x98\x8a\xe5\x98\x8dHost: evil",
    b"X\xe5\x98\x8a: y",
    b"X\x85: y",
    b"X: y\x85Host: evil",
    b"X: y\xe2\x80\xa8Host: evil",
    b"Rampart-Assertion: forged",
    b"rampart_assertion: forged",
    b"RAMPART-ASSERTION: forged",
    b"Rampart-Assertion : forged",
    b"X-Rampart-Client: 10.0.0.1",
    b"X_Rampart_Client: 10.0.0.1",
    b"X-Forwarded-For: 10.0.0.1",
    b"X_Forwarded_For: 10.0.0.1",
    b"X-Forwarded_For: 10.0.0.1",
    b"X-Forwarded-Host: evil",
    b"X-Request-Id: forged",
    b"X_Request_Id: forged",
    b"Forwarded: for=10.0.0.1",
    b"X-Real-Ip: 10.0.0.1",
    b"X-Original-Url: /admin",
    b"X-Rewrite-Url: /admin",
    b"Proxy: http://evil",
    b"Proxy-Connection: keep-alive",
    b"Keep-Alive: timeout=1",
    b"Trailer: X",
    b"TE: trailers",
    b"TE: gzip, trailers",
    b"Te: trailers\r\nConnection: te",
    b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
    b"Content-Type: a/b\r\nContent-Type: c/d",
    b"Cookie: a=1\r\nCookie: b=2",
    b"Range: bytes=0-1",
    b"Authorization: Basic YTpi",
    b"Sec-WebSocket-Key: x",
    b"Content-Encoding: gzip",
    b"Content-Length-X: 1",
    b"X-Http-Method-Override: DELETE",
    b"Host-X: evil",
    b"Expect: x",
];

const NAMED: &[&str] = &[
    "content-length",
    "Content-Length, close, content-length",
    "host",
    "transfer-encoding",
    "x-request-id",
    "x-forwarded-for",
    "rampart-assertion",
    "authorization",
    "cookie",
    "content-type",
    "expect",
    "upgrade",
    "te",
    "keep-alive, content-length",
    "X, Y, Z",
    ", ,",
    "\"content-length\"",
    "content-length;q=1",
    "close , content-length",
    "keep-alive\t",
];

const HOSTS: &[&[u8]] = &[
    b"Host: {host}",
    b"Host:{host}",
    b"Host: {host} ",
    b"Host : {host}",
    b" Host: {host}",
    b"X: y",
    b"Host: {host}\r\nHost: {host}",
    b"Host: {host}\r\nHost: evil",
    b"Host: evil\r\nHost: {host}",
    b"Host: {host}\r\nhost: evil",
    b"Host: {host}\r\n Host: evil",
    b"Host: {host}, evil",
    b"Host: {host} evil",
    b"Host: {host}:80",
    b"Host: {host}:",
    b"Host: {host}:0",
    b"Host: {host}:99999",
    b"Host: {host}:80:80",
    b"Host: {host}:x",
    b"Host: {host}:-1",
    b"Host: {host}:+80",
    b"Host: {host}.",
    b"Host: {host}..",
    b"Host: .{host}",
    b"Host: {host}/",
    b"Host: {host}/x",
    b"Host: {host}?x",
    b"Host: {host}#x",
    b"Host: {host}\\x",
    b"Host: {host}@evil",
    b"Host: evil@{host}",
    b"Host: u:p@{host}",
    b"Host: http://{host}",
    b"Host: [{host}]",
    b"Host: [::1]",
    b"Host: [::1",
    b"Host: ",
    b"Host:",
    b"Host: {host}%00",
    b"Host: {host}\0",
    b"Host: {host}\tx",
    b"Host: {host}\xff",
    b"Host: *",
    b"Host: {host};x",
    b"Host: {host}\r\nX-Forwarded-Host: evil",
    b"Host: 127.0.0.1\r\nHost: {host}",
    b"Host_: evil\r\nHost: {host}",
    b"\0Host: evil\r\nHost: {host}",
    b"Host: {host}\nHost: evil",
];

const TARGETS: &[&[u8]] = &[
    b"{n}/a",
    b"{n}/a?",
    b"{n}/a??",
    b"{n}/a?x#y",
    b"{n}/a#y",
    b"{n}/a/",
    b"{n}//a",
    b"/{n}/a",
    b"//evil{n}/a",
    b"{n}/./a",
    b"{n}/../a",
    b"{n}/a/..",
    b"{n}/a/.",
    b"{n}/.../a",
    b"{n}/%2e/a",
    b"{n}/%2e%2e/a",
    b"{n}/.%2e/a",
    b"{n}/..;/a",
    b"{n}/..;x=y/a",
    b"{n}/.;/a",
    b"{n}/;/a",
    b"{n}/a;x",
    b"{n}/a;x=/b",
    b"{n}/a%2fb",
    b"{n}/a%2Fb",
    b"{n}/a%5cb",
    b"{n}/a%5Cb",
    b"{n}/a\\b",
    b"{n}/a%00b",
    b"{n}/a%0d%0ab",
    b"{n}/a%0d%0aHost:%20evil",
    b"{n}/a%20b",
    b"{n}/a%09b",
    b"{n}/a%7fb",
    b"{n}/a%c3%a4",
    b"{n}/a%c3",
    b"{n}/a%c0%ae",
    b"{n}/a%ff",
    b"{n}/a%",
    b"{n}/a%2",
    b"{n}/a%zz",
    b"{n}/a%252f",
    b"{n}/a%25",
    b"{n}/a%u002f",
    b"{n}/%61",
    b"{n}/a%3fb",
    b"{n}/a%23b",
    b"{n}/a%3bb",
    b"{n}/a|b",
    b"{n}/a{b}",
    b"{n}/a\"b",
    b"{n}/a<b>",
    b"{n}/a^b",
    b"{n}/a`b",
    b"{n}/a[b]",
    b"{n}/a~b",
    b"{n}/a+b",
    b"{n}/a:b",
    b"{n}/a@b",
    b"{n}/a,b",
    b"{n}/a$b",
    b"{n}/a\xc3\xa4",
    b"{n}/a?q=\xc3\xa4",
    b"{n}/a?q=%00",
    b"{n}/a?q=%0d%0a",
    b"{n}/a?q=a b",
    b"{n}/a?q=\\",
    b"http://{host}{n}/a",
    b"HTTP://{host}{n}/a",
    b"https://{host}{n}/a",
    b"http://evil{n}/a",
    b"http://{host}:80{n}/a",
    b"http://u@{host}{n}/a",
    b"http://{host}@evil{n}/a",
    b"http://{host}",
    b"http://{host}/",
    b"http://{host}?x",
    b"http:///x",
    b"http:/{n}/a",
    b"http:{n}/a",
    b"ftp://{host}{n}/a",
    b"ws://{host}{n}/a",
    b"file:///etc",
    b"{host}:80",
    b"{host}{n}/a",
    b"*",
    b"*{n}",
    b"/*",
    b"",
    b" {n}/a",
    b"{n}/a ",
    b"\t{n}/a",
    b"{n}/a HTTP/1.1\r\nX: y",
    b"?x",
    b"#x",
    b".",
    b"..",
    b"a",
];

const VERSIONS: &[&[u8]] = &[
    b" HTTP/1.1",
    b" HTTP/1.0",
    b" HTTP/1.2",
    b" HTTP/1.9",
    b" HTTP/0.9",
    b" HTTP/2.0",
    b" HTTP/2",
    b" HTTP/3",
    b" HTTP/1",
    b" HTTP/1.",
    b" HTTP/.1",
    b" HTTP/1.10",
    b" HTTP/01.1",
    b" HTTP/1.01",
    b" HTTP/11",
    b" HTTP/1,1",
    b" HTTP/1.1 ",
    b" HTTP/1.1\t",
    b"  HTTP/1.1",
    b"\tHTTP/1.1",
    b" http/1.1",
    b" Http/1.1",
    b" HTTP /1.1",
    b" HTTP/ 1.1",
    b" HTTP/1.1 HTTP/1.1",
    b" HTTP/1.1 x",
    b" HTTPS/1.1",
    b" HTCPCP/1.0",
    b" RTSP/1.0",
    b" ICY",
    b"",
    b" ",
    b" HTTP/1.1\0",
    b" HTTP/1.1\r",
    b" HTTP/1.1\n",
    b" HTTP/-1.1",
    b" HTTP/1.+1",
    b" HTTP/1.1;x",
    b"HTTP/1.1",
    b" HTTP/1.1\r\n",
    b"\r\nHTTP/1.1",
];

const UPGRADES: &[&[u8]] = &[
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
    b"Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n",
    b"Upgrade: h2c\r\n",
    b"Upgrade: websocket\r\n",
    b"Connection: Upgrade\r\n",
    b"Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n",
    b"Connection: Upgrade\r\nUpgrade: HTTP/1.0\r\n",
    b"Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n",
    b"Connection: Upgrade\r\nUpgrade: \r\n",
    b"Connection: Upgrade\r\nUpgrade : websocket\r\n",
];
