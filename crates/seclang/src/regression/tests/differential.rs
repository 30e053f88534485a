//! Held against libmodsecurity: the same rules, the same requests, the same rules told of; every
//! difference is explained in `testdata/differential.txt`, and what explains nothing any more fails as
//! well. The library is named by `RAMPART_MODSECURITY_LIB`; without it the test says that it is skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use testkit::Mutator;

use super::{CRS_SETUP, Wire, crs, crs_cases, crs_rules, mutations, wire};
use crate::{Connection, Leniency, Moment, RequestHead, Ruleset, Transaction};

/// Requests made by mutation, unless `RAMPART_FUZZ_ROUNDS` says otherwise.
const ROUNDS: u64 = 2_500;
/// Rules that only add up what others said: they follow from other differences.
const SUMS: [std::ops::Range<u64>; 3] = [949_000..950_000, 959_000..960_000, 980_000..981_000];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Ours,
    Theirs,
}

/// The library, as a path.
fn library() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a test asks where its peer is")]
    let named = std::env::var("RAMPART_MODSECURITY_LIB").ok();
    if named.is_none() {
        println!("skipped: RAMPART_MODSECURITY_LIB names no libmodsecurity");
    }
    named.map(PathBuf::from)
}

/// The rules of the tests told of in each request, as the library has it.
fn theirs(library: &Path, crs: &Path, wires: &[Wire]) -> Vec<BTreeSet<u64>> {
    let folder = std::env::temp_dir().join(format!("seclang-differential-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../xtask/peers/modsecurity.c");
    let program = folder.join("modsecurity");
    let built = Command::new("cc")
        .arg("-o")
        .arg(&program)
        .arg(source)
        .arg("-ldl")
        .status();
    assert!(
        built.unwrap().success(),
        "the program for libmodsecurity does not build"
    );
    let crs = crs.canonicalize().unwrap();
    let crs = crs.display();
    // The recommended limit of PCRE's steps ends some matches early, without a word.
    let rules = format!(
        "Include {crs}/../modsecurity/modsecurity.conf-recommended\nSecPcreMatchLimit 500000\n\
         SecPcreMatchLimitRecursion 500000\nSecAuditEngine Off\nInclude {crs}/crs-setup.conf.example\n{CRS_SETUP}\n\
         Include {crs}/rules/*.conf\n"
    );
    let (rules_path, requests) = (folder.join("rules.conf"), folder.join("requests"));
    put(&rules_path, rules.as_bytes());
    put(
        &requests,
        &wires.iter().flat_map(written).collect::<Vec<u8>>(),
    );
    let commands = folder.join("commands");
    put(
        &commands,
        format!("ids {}\n", requests.display()).as_bytes(),
    );
    let output = Command::new(&program)
        .arg(library)
        .arg(&rules_path)
        .stdin(std::fs::File::open(&commands).unwrap())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    drop(std::fs::remove_dir_all(&folder));
    let mut lines = text.lines();
    assert!(
        lines.next().is_some_and(|line| line.starts_with("ready ")),
        "{text}"
    );
    let told: Vec<BTreeSet<u64>> = lines
        .map(|line| {
            line.split(' ')
                .skip(1)
                .map(|id| id.parse().unwrap())
                .collect()
        })
        .collect();
    assert_eq!(told.len(), wires.len(), "the library ended early");
    told
}

#[expect(clippy::disallowed_methods, reason = "a file of this run alone")]
fn put(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

/// A request as the peer reads it.
fn written(wire: &Wire) -> Vec<u8> {
    let version = wire.protocol.strip_prefix(b"HTTP/").unwrap_or_default();
    let counts = format!("\n{}\n{}\n", wire.fields.len(), wire.body.len());
    let mut out = [
        &wire.method[..],
        b"\n",
        &wire.target,
        b"\n",
        version,
        counts.as_bytes(),
    ]
    .concat();
    for (name, value) in &wire.fields {
        out.extend([&name[..], b"\n", value, b"\n"].concat());
    }
    out.extend_from_slice(&wire.body);
    out
}

/// The rules told of in phases 1, 2 and 5.
pub(super) fn told(rules: &Ruleset, wire: &Wire) -> BTreeSet<u64> {
    let transaction = exchanged(rules, wire);
    let matches = transaction.matches().iter();
    // The library does not tell of rules with `noauditlog`.
    matches
        .filter(|found| found.logged && found.audited)
        .map(|found| found.id)
        .collect()
}

/// A request put through phases 1, 2 and 5.
pub(super) fn exchanged<'r>(rules: &'r Ruleset, wire: &Wire) -> Transaction<'r> {
    let connection = Connection {
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        client_port: 4711,
        server: IpAddr::V4(Ipv4Addr::LOCALHOST),
        server_port: 80,
        moment: Moment::default(),
        unique_id: b"differential",
    };
    let fields: Vec<(&[u8], &[u8])> = wire
        .fields
        .iter()
        .map(|(name, value)| (&name[..], &value[..]))
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
    transaction.finish();
    transaction
}

/// A line of the table.
struct Reason {
    first: u64,
    last: u64,
    side: Side,
    /// Requests with this in their Content-Type, or all.
    kind: Option<&'static str>,
    line: &'static str,
}

fn reasons() -> Vec<Reason> {
    let lines = include_str!("../../../testdata/differential.txt").lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let reason = |line: &'static str| {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let (first, last) = words[0].split_once('-').unwrap_or((words[0], words[0]));
        let side = match words[1] {
            "ours" => Side::Ours,
            "theirs" => Side::Theirs,
            other => panic!("`{other}` is no side"),
        };
        assert!(
            words.len() == 4 && words[3].len() > 10,
            "`{line}` gives no reason"
        );
        Reason {
            first: first.parse().unwrap(),
            last: last.parse().unwrap(),
            side,
            kind: (words[2] != "any").then_some(words[2]),
            line,
        }
    };
    lines.map(reason).collect()
}

/// Why rule and side differ in a request, if the table knows.
fn explained<'r>(reasons: &'r [Reason], wire: &Wire, rule: u64, side: Side) -> Option<&'r Reason> {
    let mut fields = wire.fields.iter();
    let kind = fields.find(|(name, _)| name.eq_ignore_ascii_case(b"content-type"));
    let kind = kind.map_or(String::new(), |(_, kind)| {
        String::from_utf8_lossy(kind).to_ascii_lowercase()
    });
    reasons.iter().find(|reason| {
        let of_kind = reason.kind.is_none_or(|wanted| kind.contains(wanted));
        (reason.first..=reason.last).contains(&rule) && reason.side == side && of_kind
    })
}

#[test]
fn libmodsecurity_tells_of_the_same_rules_but_for_what_is_explained() {
    let (Some(folder), Some(library)) = (crs(), library()) else {
        return;
    };
    let rules = crs_rules(&folder, Leniency::Strict);
    let cases = crs_cases(&folder);
    let stages = cases.iter().flat_map(|case| &case.stages);
    let of_tests = stages.map(|stage| wire(&stage.input));
    // What a server refuses, or cannot be written down line by line, never reaches the rules.
    let mut wires: Vec<Wire> = of_tests.filter(|wire| wire.refused.is_none()).collect();
    let in_tests = wires.len();
    let seed = testkit::told("RAMPART_FUZZ_SEED");
    let mut random = Mutator::new(seed.unwrap_or(26));
    let payloads = mutations::payloads(&cases);
    for _ in 0..testkit::told("RAMPART_FUZZ_ROUNDS").unwrap_or(ROUNDS) {
        wires.push(mutations::request(&payloads, &mut random));
    }
    let theirs = theirs(&library, &folder, &wires);
    let reasons = reasons();
    let mut used = BTreeSet::new();
    let mut unexplained: BTreeMap<(u64, Side), (usize, String)> = BTreeMap::new();
    let mut same = 0;
    for (wire, theirs) in wires.iter().zip(&theirs) {
        let ours = told(&rules, wire);
        let one = ours.difference(theirs).map(|id| (*id, Side::Ours));
        let other = theirs.difference(&ours).map(|id| (*id, Side::Theirs));
        let all: Vec<(u64, Side)> = one.chain(other).collect();
        same += usize::from(all.is_empty());
        let is_sum = |id: u64| SUMS.iter().any(|sums| sums.contains(&id));
        let follows = all.iter().any(|(id, _)| !is_sum(*id));
        for (id, side) in all {
            if is_sum(id) && follows {
                continue;
            }
            match explained(&reasons, wire, id, side) {
                Some(reason) => {
                    used.insert(reason.line);
                }
                None => {
                    let place = unexplained.entry((id, side)).or_default();
                    place.0 += 1;
                    place.1 = String::from_utf8_lossy(&written(wire)).into_owned();
                }
            }
        }
    }
    println!(
        "{same} of {} requests alike, {in_tests} of them of the tests",
        wires.len()
    );
    for ((id, side), (count, example)) in &unexplained {
        println!("== {id} {side:?} {count} times: {}", example.escape_debug());
    }
    assert!(
        unexplained.is_empty(),
        "{} differences are not explained",
        unexplained.len()
    );
    if seed.is_none() {
        let idle: Vec<&str> = reasons
            .iter()
            .map(|one| one.line)
            .filter(|line| !used.contains(line))
            .collect();
        assert!(idle.is_empty(), "explains nothing any more: {idle:#?}");
    }
}
