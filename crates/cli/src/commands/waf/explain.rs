//! `rampart waf explain`: one request against rules, match by match, without sending it.

mod text;

use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use clap::Args;
use seclang::regression::{Input, Wire, wire};
use seclang::{Connection, Found, Leniency, Match, Moment, RequestHead, Ruleset, Transaction};
use serde_json::{Value, json};

use super::check::refused;
use super::rules::{self, BUILTIN, Purpose, Source};
use crate::commands::Session;
use crate::output::clean;
use crate::{Exit, Failure};

/// LIMIT: a request is read up to this.
const REQUEST_BYTES_MAX: u64 = 16 << 20;

/// Sums and settings of sets of rules, as far as they are there.
const SCORES: &[&str] = &[
    wafrules::SCORE,
    wafrules::THRESHOLD,
    wafrules::PARANOIA,
    "blocking_inbound_anomaly_score",
    "detection_inbound_anomaly_score",
    "inbound_anomaly_score_threshold",
    "blocking_paranoia_level",
];

/// RFC 5424 §6.2.1.
const SEVERITIES: &[&str] = &[
    "emergency",
    "alert",
    "critical",
    "error",
    "warning",
    "notice",
    "info",
    "debug",
];

/// Arguments of `rampart waf explain`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart waf explain request.http\n  \
    rampart waf explain request.http --rules /etc/rampart/coreruleset --paranoia 2\n  \
    rampart waf explain request.http --format json\n\n\
    The file is the request as it is on the wire; line ends may be those of a text file. Without a\n\
    Content-Length all that follows the head is the body, but for one line end at its end.")]
pub struct ExplainArgs {
    /// The request as it is on the wire; `-` reads it from standard input.
    #[arg(value_name = "REQUEST-FILE")]
    pub request: PathBuf,
    /// A folder of rules, a file, or `builtin` for the rules of Rampart.
    #[arg(long, value_name = "DIR|builtin", default_value = BUILTIN)]
    pub rules: PathBuf,
    /// The paranoia level: how many more rules run than those that hardly ever err.
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u8).range(1..=4))]
    pub paranoia: u8,
}

pub(super) fn run(args: &ExplainArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let raw = request(&args.request, session)?;
    let path = session.places.resolve(&args.rules);
    let source = Source::named(&args.rules, path)?;
    let before = before(&source, args.paranoia);
    let purpose = Purpose::Run {
        before: &before,
        between: "",
        after: "SecRuleEngine On\n",
    };
    let loaded = rules::load(&source, purpose, Leniency::Strict)?;
    let loaded = loaded.map_err(|error| refused(&source, error))?;
    let asked = Asked::read(raw)?;
    let told = told(&loaded.rules, &asked, &source, session);
    let text = text::human(&told.document, session.printer);
    let printer = &mut session.printer;
    printer.document("rampart.waf-explain.v1", &told.document, || text);
    Ok(if told.status.is_none() {
        Exit::Ok
    } else {
        Exit::No
    })
}

/// Sets the paranoia level by the name that the rules know; the pack takes either.
fn before(source: &Source, paranoia: u8) -> String {
    match source {
        Source::Builtin => {
            let setting = wafrules::Setting {
                paranoia,
                ..Default::default()
            };
            setting.text()
        }
        _ => format!(
            "SecAction \"id:25000002,phase:1,pass,nolog,setvar:tx.blocking_paranoia_level={paranoia}\"\n"
        ),
    }
}

fn request(path: &Path, session: &mut Session<'_>) -> Result<Vec<u8>, Failure> {
    let because = |error: &std::io::Error| {
        let message = format!("cannot read `{}`", path.display());
        Failure::because(Exit::Usage, message, error)
    };
    if path != Path::new("-") {
        return rules::read(&session.places.resolve(path)).map_err(|error| because(&error));
    }
    let mut raw = Vec::new();
    let input = &mut session.places.input.lines;
    let read = input.take(REQUEST_BYTES_MAX + 1).read_to_end(&mut raw);
    read.map_err(|error| because(&error))?;
    if raw.len() as u64 > REQUEST_BYTES_MAX {
        return Err(Failure::usage(format!(
            "the request has more than {REQUEST_BYTES_MAX} bytes"
        )));
    }
    Ok(raw)
}

/// A request, read, and what is to be said about how.
struct Asked {
    wire: Wire,
    notes: Vec<String>,
}

impl Asked {
    fn read(raw: Vec<u8>) -> Result<Self, Failure> {
        let body = body_of(&raw).to_vec();
        let mut wire = wire(&Input::Raw(raw));
        let mut notes = Vec::new();
        if wire.target.is_empty() {
            let line = String::from_utf8_lossy(&wire.line).into_owned();
            return Err(
                Failure::usage(format!("`{}` is no request line", clean(&line)))
                    .hint("a request begins such as `GET /search?q=1 HTTP/1.1`"),
            );
        }
        if let Some(why) = wire.refused {
            notes.push(format!(
                "the gateway refuses this request before rules see it: {why}"
            ));
        }
        let framed = wire.fields.iter().any(|(name, _)| {
            name.eq_ignore_ascii_case(b"content-length")
                || name.eq_ignore_ascii_case(b"transfer-encoding")
        });
        if !framed && !body.is_empty() {
            let length = body.len().to_string().into_bytes();
            wire.fields.push((b"Content-Length".to_vec(), length));
            wire.body = body;
            notes.push(format!(
                "no Content-Length is given: {} bytes after the head are the body",
                wire.body.len()
            ));
        } else if framed && wire.body.len() < body.len() {
            notes.push(format!(
                "the body ends after {} of the {} bytes that follow the head, as its framing says",
                wire.body.len(),
                body.len()
            ));
        }
        Ok(Self { wire, notes })
    }
}

/// What follows the head, without the line end that an editor puts at the end of a file.
fn body_of(raw: &[u8]) -> &[u8] {
    let after = |sign: &[u8]| {
        let mut windows = raw.windows(sign.len());
        windows
            .position(|window| window == sign)
            .map(|at| at + sign.len())
    };
    let ends = [after(b"\r\n\r\n"), after(b"\n\n")];
    let Some(begin) = ends.into_iter().flatten().min() else {
        return &[];
    };
    let body = raw.get(begin..).unwrap_or_default();
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    body.strip_suffix(b"\r").unwrap_or(body)
}

/// What rules said.
struct Told {
    document: Value,
    /// How the request ends; none when it is let through.
    status: Option<u16>,
}

fn told(rules: &Ruleset, asked: &Asked, source: &Source, session: &Session<'_>) -> Told {
    let wire = &asked.wire;
    let connection = Connection {
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        client_port: 50_000,
        server: IpAddr::V4(Ipv4Addr::LOCALHOST),
        server_port: 443,
        moment: Moment {
            epoch_s: session.places.clock.now().as_secs(),
            offset_s: 0,
        },
        unique_id: b"explain",
    };
    let fields: Vec<(&[u8], &[u8])> = wire
        .fields
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()))
        .collect();
    let mut transaction = Transaction::new(rules, &connection);
    transaction.request_head(&RequestHead {
        line: &wire.line,
        method: &wire.method,
        target: &wire.target,
        protocol: &wire.protocol,
        fields: &fields,
    });
    transaction.request_body(&wire.body);
    let matches = transaction.matches().iter().filter(|found| found.logged);
    let matches: Vec<Value> = matches.map(shown).collect();
    let scores: serde_json::Map<String, Value> = SCORES
        .iter()
        .filter_map(|name| {
            let value = String::from_utf8(transaction.tx(name)?).ok()?;
            let number = value.parse::<i64>().map(Value::from);
            Some(((*name).to_owned(), number.unwrap_or(Value::from(value))))
        })
        .collect();
    let ended = transaction.interruption();
    let decision = json!({
        "result": if ended.is_some() { "refused" } else { "let_through" },
        "status": ended.map(|ended| ended.status),
        "rule": ended.map(|ended| ended.rule),
        "file": ended.and_then(|ended| ended.place.as_ref()).map(|place| &*place.file),
        "line": ended.and_then(|ended| ended.place.as_ref()).map(|place| place.line),
        "phase": ended.map(|ended| ended.phase),
    });
    let problem = transaction.problem().map(lossy);
    Told {
        document: json!({
            "rules": source.name(),
            "request": lossy(&wire.line),
            "decision": decision,
            "scores": scores,
            "matches": matches,
            "problem": problem,
            "notes": asked.notes,
        }),
        status: ended.map(|ended| ended.status),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A value that a rule met, as data: `matched` is what the operator found in it, where it found a
/// piece, and `before` how many bytes of it are left out.
fn value(found: &Found) -> Value {
    let mut shown = json!({ "target": lossy(&found.target), "value": lossy(&found.value) });
    let Some(members) = shown.as_object_mut() else {
        return shown;
    };
    if let Some(matched) = found.matched.clone() {
        let matched = lossy(found.value.get(matched).unwrap_or_default());
        members.insert("matched".to_owned(), matched.into());
    }
    if found.begins > 0 {
        members.insert("before".to_owned(), found.begins.into());
    }
    shown
}

/// A match as data.
fn shown(found: &Match) -> Value {
    let values = found.found.iter().map(value);
    let raised = found.raised.iter();
    let raised = raised.map(|one| json!({ "name": lossy(&one.name), "by": one.by }));
    let links = found.links.iter();
    let links = links.map(|place| json!({ "file": &*place.file, "line": place.line }));
    json!({
        "rule": found.id,
        "message": lossy(&found.message),
        "data": lossy(&found.logdata),
        "severity": found.severity.and_then(|level| SEVERITIES.get(usize::from(level))),
        "tags": found.tags.iter().map(|tag| lossy(tag)).collect::<Vec<_>>(),
        "phase": found.phase,
        "file": &*found.place.file,
        "line": found.place.line,
        "links": links.collect::<Vec<_>>(),
        "found": values.collect::<Vec<_>>(),
        "scores": raised.collect::<Vec<_>>(),
    })
}
