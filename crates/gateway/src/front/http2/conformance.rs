//! RFC 9113 and RFC 7541, rule by rule, spoken as raw frames: what breaks a rule gets the error the
//! rule names, and what breaks none is served. What is known to fail is listed, and the list fails
//! when something on it passes.

mod connection;
mod fields;
mod frames;

use std::time::Duration;

use testkit::frames::{Frame, flag, frame, greeting, kind, literals};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::front::testing::{self, Echo, Version};

/// Error codes (RFC 9113 §7).
const PROTOCOL: u32 = 1;
const FLOW_CONTROL: u32 = 3;
const STREAM_CLOSED: u32 = 5;
const FRAME_SIZE: u32 = 6;
const REFUSED_STREAM: u32 = 7;
const COMPRESSION: u32 = 9;

/// What must come of it.
#[derive(Clone, Copy, Debug)]
enum Must {
    /// The connection ends, with one of these codes.
    End(&'static [u32]),
    /// The connection ends; a goodbye may be left out.
    Close,
    /// Its stream ends with one of these codes, or the connection does (RFC 9113 §5.4.2), and
    /// nothing reached the handler.
    Reset(u32, &'static [u32]),
    /// The message is malformed (RFC 9113 §8.1.1): reset, or answered with a client's error; and
    /// nothing reached the handler.
    Refuse,
    /// The same, but the handler may have seen its head: the fault stood behind it.
    Break,
    /// These requests reach the handler, and nothing is reset.
    Serve(&'static [&'static str]),
    /// The same, and the connection ends afterwards.
    Finish(&'static [&'static str]),
}

/// One rule, tried.
#[derive(Clone, Debug)]
struct Case {
    section: &'static str,
    name: String,
    /// Everything the client says.
    bytes: Vec<u8>,
    must: Must,
}

fn case(section: &'static str, name: impl Into<String>, frames: &[Vec<u8>], must: Must) -> Case {
    Case {
        section,
        name: name.into(),
        bytes: [greeting(), frames.concat()].concat(),
        must,
    }
}

/// What is known to fail. There is nothing.
const KNOWN_FAILURES: &[(&str, &str)] = &[];

type Fields = Vec<(&'static str, &'static str)>;

fn get() -> Fields {
    vec![
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "a"),
        (":path", "/"),
    ]
}

fn post() -> Fields {
    let mut fields = get();
    fields[0].1 = "POST";
    fields
}

fn with(mut fields: Fields, more: &[(&'static str, &'static str)]) -> Fields {
    fields.extend(more);
    fields
}

/// A request without a body.
fn whole(stream: u32, fields: &Fields) -> Vec<u8> {
    let flags = flag::END_STREAM | flag::END_HEADERS;
    frame(kind::HEADERS, flags, stream, &literals(fields))
}

/// A head whose body follows.
fn head(stream: u32, fields: &Fields) -> Vec<u8> {
    frame(kind::HEADERS, flag::END_HEADERS, stream, &literals(fields))
}

fn data(stream: u32, content: &[u8]) -> Vec<u8> {
    frame(kind::DATA, 0, stream, content)
}

fn last_data(stream: u32, content: &[u8]) -> Vec<u8> {
    frame(kind::DATA, flag::END_STREAM, stream, content)
}

/// What a client saw of one case, and what the handler saw.
#[derive(Debug)]
struct Outcome {
    frames: Vec<Frame>,
    requests: Vec<String>,
    /// The server ended the connection by itself.
    closed: bool,
}

/// How long nothing more comes, by the paused clock: less than any timeout of the gateway's.
const QUIET: Duration = Duration::from_secs(3);

async fn outcome(bytes: &[u8]) -> Outcome {
    let echo = Echo::new();
    let client = testing::connect(&echo, Version::Http2, testing::settings());
    let (mut reader, mut writer) = tokio::io::split(client);
    let bytes = bytes.to_vec();
    let writing = tokio::spawn(async move {
        // A server that ends the connection does not take the rest.
        drop(writer.write_all(&bytes).await);
        writer
    });
    let mut input = Vec::new();
    let mut some = [0; 4096];
    let closed = loop {
        match tokio::time::timeout(QUIET, reader.read(&mut some)).await {
            Ok(Ok(read)) if read > 0 => input.extend(&some[..read]),
            Ok(_) => break true,
            Err(_) => break false,
        }
    };
    let mut frames = Vec::new();
    while let Some(frame) = Frame::take(&mut input) {
        frames.push(frame);
    }
    drop(writing.await.unwrap());
    Outcome {
        frames,
        requests: echo.requests(),
        closed,
    }
}

impl Outcome {
    /// The code the connection ended with.
    fn goodbye(&self) -> Option<u32> {
        let mut goodbyes = self.frames.iter().filter(|f| f.kind == kind::GOAWAY);
        goodbyes.next_back().and_then(Frame::error)
    }

    /// The code one stream was reset with.
    fn reset(&self, stream: u32) -> Option<u32> {
        let mut resets = self.frames.iter();
        let reset = resets.find(|f| f.kind == kind::RST_STREAM && f.stream == stream);
        reset.and_then(Frame::error)
    }

    fn status(&self) -> Option<u16> {
        let mut heads = self.frames.iter();
        heads.find(|f| f.kind == kind::HEADERS).map(Frame::status)
    }

    /// Why it is not what must be.
    fn differs(&self, must: Must) -> Option<String> {
        let ended =
            |codes: &[u32]| self.closed && self.goodbye().is_some_and(|code| codes.contains(&code));
        let any_reset = self.frames.iter().any(|f| f.kind == kind::RST_STREAM);
        let fits = match must {
            Must::End(codes) => ended(codes),
            Must::Close => self.closed && self.requests.is_empty(),
            Must::Reset(stream, codes) => {
                let reset = self.reset(stream).is_some_and(|code| codes.contains(&code));
                reset || ended(codes)
            }
            Must::Refuse => {
                let refused = self.status().is_some_and(|status| status != 200);
                let refused = refused || self.reset(1) == Some(PROTOCOL) || ended(&[PROTOCOL]);
                self.requests.is_empty() && refused
            }
            Must::Break => {
                let refused = self.status() == Some(400);
                let refused = refused || self.reset(1) == Some(PROTOCOL) || ended(&[PROTOCOL]);
                self.status() != Some(200) && refused
            }
            Must::Serve(wanted) => self.requests == wanted && !any_reset && !self.closed,
            Must::Finish(wanted) => {
                self.requests == wanted && !any_reset && self.status() == Some(200)
            }
        };
        (!fits).then(|| {
            let resets: Vec<_> = self
                .frames
                .iter()
                .filter(|f| f.kind == kind::RST_STREAM)
                .collect();
            format!(
                "{must:?}, but answered {:?}, reset {resets:?}, ended {} with {:?}; seen {:?}",
                self.status(),
                self.closed,
                self.goodbye(),
                self.requests
            )
        })
    }
}

/// Tries every case; those that fail must be those that are known to, in the way that is known.
async fn hold(cases: Vec<Case>) {
    let mut failed = Vec::new();
    for Case {
        section,
        name,
        bytes,
        must,
    } in cases
    {
        let is_known = KNOWN_FAILURES.contains(&(section, name.as_str()));
        let differs = outcome(&bytes).await.differs(must);
        match differs {
            None if is_known => failed.push(format!("§{section} {name}: is listed, and holds")),
            Some(why) if !is_known => failed.push(format!("§{section} {name}: {why}")),
            _ => {}
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

fn all() -> Vec<Case> {
    let mut all = connection::all();
    all.extend(frames::all());
    all.extend(fields::all());
    all
}

/// The bytes of every case.
pub(in crate::front) fn corpus() -> Vec<Vec<u8>> {
    all().into_iter().map(|case| case.bytes).collect()
}

#[test]
fn every_known_failure_is_a_case() {
    let all = all();
    for (section, name) in KNOWN_FAILURES {
        let is_case = |case: &Case| case.section == *section && case.name == *name;
        assert!(all.iter().any(is_case), "§{section} {name}");
    }
    let mut names: Vec<_> = all.iter().map(|case| (case.section, &case.name)).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all.len(), "each case has a name of its own");
    assert!(all.len() >= 200, "{} cases", all.len());
}
