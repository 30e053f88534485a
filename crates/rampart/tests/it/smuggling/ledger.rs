//! The gateway's own records beside what a backend saw: one to one, or why not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::backends::{Noted, Rejected, Seen};
use super::corpus::Case;

/// A line of the traffic records.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) id: String,
    pub(crate) status: u16,
    #[serde(rename = "in")]
    pub(crate) length: u64,
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) refused: Option<String>,
}

/// Bytes of a path in a record.
const PATH_BYTES_MAX: usize = 2048;

/// Every line of the traffic records below `data`, in their order.
pub(crate) fn records(data: &Path) -> Vec<Recorded> {
    let mut files = Vec::new();
    segments(data, &mut files);
    files.sort_by_key(|path| path.file_name().map(std::ffi::OsStr::to_owned));
    let mut all = Vec::new();
    for file in files {
        // A segment is renamed when it is sealed, under the reader.
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines = whole.lines().skip(1);
        all.extend(lines.map(|line| serde_json::from_str::<Recorded>(line).unwrap()));
    }
    all
}

fn segments(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() {
            segments(&path, found);
        } else if path.extension().is_some_and(|end| end == "ndjson")
            && folder.file_name().is_some_and(|name| name == "traffic")
        {
            found.push(path);
        }
    }
}

/// What does not fit between records and backend; nothing when each request it saw is recorded as
/// exactly that request, in order, and each it should have seen was seen.
pub(super) fn differences(recorded: &[Recorded], noted: &Noted) -> Vec<String> {
    let seen = &noted.seen;
    let mut found = Vec::new();
    let by_id: BTreeMap<&str, &Recorded> =
        recorded.iter().map(|one| (one.id.as_str(), one)).collect();
    if by_id.len() != recorded.len() {
        found.push("an id stands twice in the records".to_owned());
    }
    let mut known: BTreeMap<&str, &Seen> = BTreeMap::new();
    for one in seen {
        let ids = one.all("x-request-id");
        let [id] = ids.as_slice() else {
            found.push(format!("seen with {} ids: {one:?}", ids.len()));
            continue;
        };
        if known.insert(id, one).is_some() {
            found.push(format!("seen twice: {one:?}"));
        }
        match by_id.get(id) {
            None => found.push(format!("seen and not recorded: {one:?}")),
            Some(record) => {
                let why = differs(record, one);
                found.extend(why.map(|why| format!("{why}: {record:?}, seen as {one:?}")));
            }
        }
    }
    let passed = recorded.iter().filter(|record| record.refused.is_none());
    let mut unseen: Vec<&Recorded> = passed
        .filter(|record| !known.contains_key(record.id.as_str()))
        .collect();
    found.extend(
        unseen
            .iter()
            .filter(|record| record.status < 400)
            .map(|record| format!("answered and not seen: {record:?}")),
    );
    // What its client gave up may have been sent, and refused there: that very request, by its id.
    let given_up = |record: &&Recorded| {
        let code = record.refused.as_deref().unwrap_or("");
        let named = |one: &Rejected| matches!(one, Rejected::Id(id) if *id == record.id);
        code.starts_with("client.")
            && !known.contains_key(record.id.as_str())
            && noted.rejected.iter().any(named)
    };
    unseen.extend(recorded.iter().filter(given_up));
    found.extend(rejections(&mut unseen, noted));
    found.extend(order(recorded, seen));
    found
}

/// What the server refused to read must be as many requests as were sent to it and not seen: bytes
/// left over behind a request would be one more.
fn rejections(unseen: &mut Vec<&Recorded>, noted: &Noted) -> Vec<String> {
    let mut found = Vec::new();
    for rejected in &noted.rejected {
        let fits = |record: &&Recorded| {
            let is_same = match rejected {
                Rejected::Something => true,
                Rejected::Line(method, target) => {
                    record.method == *method && target.split('?').next() == Some(&record.path)
                }
                Rejected::Id(id) => record.id == *id,
            };
            record.status >= 400 && is_same
        };
        match unseen.iter().position(fits) {
            Some(at) => drop(unseen.remove(at)),
            None => found.push(format!("refused and not recorded: {rejected:?}")),
        }
    }
    found
}

/// Within one case's connection both saw the same order. Streams of HTTP/2, which come over TLS
/// here, have none.
fn order(recorded: &[Recorded], seen: &[Seen]) -> Option<String> {
    let places: BTreeMap<&str, usize> = recorded
        .iter()
        .enumerate()
        .map(|(at, record)| (record.id.as_str(), at))
        .collect();
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    for one in seen {
        let ids = one.all("x-request-id");
        let at = ids.first().and_then(|id| places.get(id).copied());
        let Some(at) = at.filter(|_| one.all("x-forwarded-proto") == ["http"]) else {
            continue;
        };
        let case = one.target.split('/').nth(1).unwrap_or("").to_owned();
        if last.insert(case, at).is_some_and(|before| before > at) {
            return Some(format!("out of order: {one:?}"));
        }
    }
    None
}

/// How what the backend saw differs from its record.
fn differs(record: &Recorded, seen: &Seen) -> Option<String> {
    let path = seen.target.split('?').next().unwrap_or("");
    let end = path.floor_char_boundary(PATH_BYTES_MAX);
    let path = path.get(..end).unwrap_or(path);
    let hosts = seen.all("host");
    let gone = record.refused.as_deref() == Some("client.gone");
    let why = if record.method != seen.method {
        "another method"
    } else if record.path != path {
        "another path"
    } else if seen.whole && record.length != seen.length {
        "another length"
    } else if !seen.whole && record.status == 200 {
        "a part of the body"
    } else if hosts.len() != 1 || !same_host(&record.host, hosts[0]) {
        "another host"
    } else if record
        .refused
        .as_deref()
        .is_some_and(|code| !gone && !code.starts_with("upstream."))
    {
        "refused and yet passed on"
    } else {
        return foreign(seen);
    };
    Some(why.to_owned())
}

fn same_host(recorded: &str, seen: &str) -> bool {
    let name = seen.rsplit_once(':').map_or(seen, |(name, _)| name);
    let name = name.strip_suffix('.').unwrap_or(name);
    recorded.eq_ignore_ascii_case(name)
}

/// A field that no client may have sent on.
fn foreign(seen: &Seen) -> Option<String> {
    for (name, value) in &seen.headers {
        let name = name.to_ascii_lowercase();
        let gone = [
            "transfer-encoding",
            "connection",
            "keep-alive",
            "proxy-connection",
            "te",
            "trailer",
            "upgrade",
            "forwarded",
            "x-real-ip",
            "x-original-url",
            "x-rewrite-url",
            "proxy",
        ];
        let is_ours = name.starts_with("rampart-") || name.starts_with("x-rampart-");
        if gone.contains(&name.as_str()) || is_ours || name.contains('_') {
            return Some(format!("`{name}: {value}` reached the backend"));
        }
    }
    if seen.all("x-forwarded-for") != ["127.0.0.1"] {
        return Some("another client".to_owned());
    }
    let lengths = seen.all("content-length");
    let length = seen.length.to_string();
    let fits = match lengths.as_slice() {
        [] => seen.length == 0,
        [one] => **one == *length || !seen.whole,
        _ => false,
    };
    (!fits).then(|| format!("lengths {lengths:?}"))
}

/// Whether what is known to arrive arrived, in its order.
pub(super) fn missing(case: &Case, at: usize, seen: &[Seen]) -> Option<String> {
    let wanted = case.arrives.as_ref()?;
    let prefix = format!("/c{at}/");
    let arrived: Vec<_> = seen
        .iter()
        .filter(|one| one.target.starts_with(&prefix))
        .map(|one| {
            (
                one.method.as_str(),
                one.target.as_str(),
                one.sha256.as_str(),
            )
        })
        .collect();
    let hashes: Vec<String> = wanted
        .iter()
        .map(|(_, _, body)| super::sha256(body))
        .collect();
    let expected: Vec<_> = wanted
        .iter()
        .zip(&hashes)
        .map(|((method, target, _), hash)| (*method, target.as_str(), hash.as_str()))
        .collect();
    (arrived != expected).then(|| format!("{}: {arrived:?} instead of {expected:?}", case.name))
}
