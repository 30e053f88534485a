//! What the pack finds, what it finds wrongly, and what it costs. `measure tables` says which of
//! its tests fail, `measure attacks DATA` and `measure benign DATA` count on the data beside the
//! project and on this tree, `measure time` times. Rules are read from their folder as they stand.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::panic,
    clippy::exit,
    reason = "an example that measures and prints"
)]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Instant;

use seclang::regression::{Case, Input, Wire, parse, parse_table, run_case, wire};
use seclang::{
    Connection, Leniency, Loader, Moment, NoFiles, RequestHead, Ruleset, Transaction, Verdict,
};
use wafrules::Setting;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")
}

fn load(paranoia: u8, before: &str) -> Ruleset {
    let mut loader = Loader::new(&NoFiles, Leniency::Strict);
    let setting = Setting {
        paranoia,
        ..Setting::default()
    };
    loader.text("setting", setting.text().as_bytes());
    for (name, _) in wafrules::files() {
        let text = std::fs::read(folder().join(name)).unwrap();
        loader.text(name, &text);
    }
    loader.text("mode", before.as_bytes());
    match loader.finish() {
        Ok(loaded) => {
            for finding in loaded.findings {
                println!("{finding}");
            }
            loaded.rules
        }
        Err(seclang::Error::Rules { findings }) => {
            for finding in findings {
                println!("{finding}");
            }
            std::process::exit(1)
        }
        Err(error) => panic!("{error}"),
    }
}

/// What became of a request: whether it was refused, and the rules that matched, with what they met.
struct Seen {
    refused: bool,
    rules: Vec<(u64, String)>,
}

fn send(rules: &Ruleset, wire: &Wire) -> Seen {
    let connection = Connection {
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        client_port: 1,
        server: IpAddr::V4(Ipv4Addr::LOCALHOST),
        server_port: 80,
        moment: Moment::default(),
        unique_id: b"x",
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
    let verdict = transaction.request_body(&wire.body);
    let told = transaction.matches().iter().filter(|found| found.logged);
    let rules = told.map(|found| {
        let value = found.found.first().map_or(&[][..], |found| &found.value);
        let data = String::from_utf8_lossy(&found.logdata).into_owned();
        let shown: String = format!("{data} | {}", String::from_utf8_lossy(value));
        (found.id, shown.chars().take(300).collect())
    });
    Seen {
        rules: rules.collect(),
        refused: matches!(verdict, Verdict::Interrupt(_)),
    }
}

fn parts(method: &str, uri: &str, kind: Option<&str>, body: Option<Vec<u8>>) -> Wire {
    let mut fields = vec![
        ("Host".to_owned(), "shop.example".to_owned()),
        (
            "User-Agent".to_owned(),
            "Mozilla/5.0 (X11; Linux x86_64)".to_owned(),
        ),
        ("Accept".to_owned(), "*/*".to_owned()),
    ];
    fields.extend(kind.map(|kind| ("Content-Type".to_owned(), kind.to_owned())));
    wire(&Input::Parts {
        method: method.to_owned(),
        uri: uri.to_owned(),
        version: "HTTP/1.1".to_owned(),
        fields,
        data: body,
        complete: true,
    })
}

fn escaped(text: &[u8]) -> String {
    text.iter()
        .map(|byte| match byte {
            b'-' | b'_' | b'.' | b'~' => char::from(*byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn json_text(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            letter if u32::from(letter) < 32 => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => out.push(letter),
        }
    }
    out + "\""
}

/// A text as a form's value, as a value of JSON, and as a body of its own.
fn forms(text: &str) -> Vec<Wire> {
    let form = format!("title=A+question&comment={}", escaped(text.as_bytes()));
    let json = format!(
        "{{\"title\":\"A question\",\"comment\":{}}}",
        json_text(text)
    );
    vec![
        parts(
            "POST",
            "/tickets",
            Some("application/x-www-form-urlencoded"),
            Some(form.into_bytes()),
        ),
        parts(
            "POST",
            "/tickets",
            Some("application/json"),
            Some(json.into_bytes()),
        ),
        parts(
            "PUT",
            "/notes/1",
            Some("text/plain; charset=utf-8"),
            Some(text.as_bytes().to_vec()),
        ),
    ]
}

fn files_under(folder: &Path, ends: &[&str], out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if !matches!(name.as_str(), "target" | ".git") {
                files_under(&path, ends, out);
            }
        } else if ends.iter().any(|end| path.to_string_lossy().ends_with(end)) {
            out.push(path);
        }
    }
}

/// Pieces of at most 64 kB.
fn pieces(text: &str) -> Vec<&str> {
    let mut rest = text;
    let mut pieces = Vec::new();
    while rest.len() > 65_536 {
        let mut at = 65_536;
        while !rest.is_char_boundary(at) {
            at -= 1;
        }
        pieces.push(&rest[..at]);
        rest = &rest[at..];
    }
    pieces.push(rest);
    pieces
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let data = words.get(1).map(PathBuf::from);
    match words.first().map(String::as_str) {
        Some("tables") => tables(words.get(1).map(String::as_str)),
        Some("attacks") => attacks(
            &data.expect("the folder of data"),
            words.get(2).map(String::as_str),
        ),
        Some("benign") => benign(&data.expect("the folder of data")),
        Some("time") => time(),
        _ => println!("usage: measure tables [NAME] | attacks DATA [SHOW] | benign DATA | time"),
    }
}

fn tables(only: Option<&str>) {
    let rules = load(4, "SecRuleEngine DetectionOnly\n");
    let first = load(1, "");
    let (mut passed, mut failed) = (0, 0);
    let mut counts: BTreeMap<u64, [usize; 2]> = BTreeMap::new();
    for rule in rules.rules() {
        let file = rule.place.file.to_string();
        if !file.starts_with("rampart-") && file != "setting" && rule.id % 10_000 < 9_000 {
            counts.insert(rule.id, [0, 0]);
        }
    }
    for (name, _) in wafrules::tables() {
        if only.is_some_and(|only| !name.contains(only)) {
            continue;
        }
        let text = std::fs::read_to_string(folder().join("tests").join(name)).unwrap();
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("+ ") || line.starts_with("- "))
            .collect();
        for (case, line) in parse_table(name, &text).unwrap().iter().zip(lines) {
            let found = line.starts_with('+');
            let id: u64 = case.name.split('-').next().unwrap().parse().unwrap();
            counts.entry(id).or_default()[usize::from(!found)] += 1;
            let outcome = run_case(&rules, case);
            let mut bad = !outcome.passed();
            let mut why = format!("{:?}", outcome.stages[0].ids);
            if !found {
                let seen = send(&first, &wire(&case.stages[0].input));
                if !seen.rules.is_empty() {
                    bad = true;
                    why = format!("at level 1: {:?}", seen.rules);
                }
            }
            if bad {
                failed += 1;
                println!("{}: {line}\n     {why}", case.name);
            } else {
                passed += 1;
            }
        }
    }
    for (id, [plus, minus]) in &counts {
        if only.is_none() && (*plus < 3 || *minus < 3) {
            println!("{id}: {plus} positive, {minus} negative");
        }
    }
    println!("{passed} passed, {failed} failed");
}

/// Tests of the Core Rule Set that expect one of its rules against attacks to match: only what they
/// send counts here.
fn payloads(data: &Path) -> Vec<(String, Case)> {
    let first = first_level(data);
    let mut files = Vec::new();
    files_under(&data.join("crs/tests/regression"), &[".yaml"], &mut files);
    let mut out = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let class = file
            .parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        for case in parse(&file.to_string_lossy(), &text).unwrap() {
            let request = class.starts_with("REQUEST-9");
            let expected = || {
                case.stages
                    .iter()
                    .flat_map(|stage| &stage.expected.expect_ids)
            };
            if request && expected().any(|id| first.contains(id)) {
                out.push((format!("{class}, level 1"), case));
            } else if request && expected().next().is_some() {
                out.push((format!("{class}, higher"), case));
            }
        }
    }
    out
}

/// The ids of its first paranoia level.
fn first_level(data: &Path) -> Vec<u64> {
    let mut files = Vec::new();
    files_under(&data.join("crs/rules"), &[".conf"], &mut files);
    let mut out = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for rule in text.split("\"id:").skip(1) {
            let digits: String = rule.chars().take_while(char::is_ascii_digit).collect();
            if rule.contains("paranoia-level/1") {
                out.extend(digits.parse::<u64>());
            }
        }
    }
    out
}

/// The input of every test file of libinjection that is said to be an injection.
fn injections(data: &Path) -> Vec<String> {
    let mut files = Vec::new();
    files_under(&data.join("libinjection/tests"), &[".txt"], &mut files);
    let mut out = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("test-sqli") {
            continue;
        }
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        let Some((_, rest)) = text.split_once("--INPUT--\n") else {
            continue;
        };
        let Some((input, expected)) = rest.split_once("\n--EXPECTED--") else {
            continue;
        };
        if !expected.trim().is_empty() {
            out.push(input.to_owned());
        }
    }
    out
}

fn attacks(data: &Path, show: Option<&str>) {
    let levels: Vec<Ruleset> = (1..=4).map(|level| load(level, "")).collect();
    let mut found: BTreeMap<String, (usize, [usize; 4])> = BTreeMap::new();
    for (class, case) in payloads(data) {
        let entry = found.entry(class.clone()).or_default();
        entry.0 += 1;
        for (at, rules) in levels.iter().enumerate() {
            let refused = case
                .stages
                .iter()
                .any(|stage| send(rules, &wire(&stage.input)).refused);
            entry.1[at] += usize::from(refused);
            if at == 0 && !refused && show.is_some_and(|show| class.contains(show)) {
                let one = wire(&case.stages[0].input);
                println!(
                    "{} {} {} {:?}",
                    case.name,
                    String::from_utf8_lossy(&one.line),
                    String::from_utf8_lossy(&one.body),
                    one.fields
                        .iter()
                        .map(|(n, v)| format!(
                            "{}: {}",
                            String::from_utf8_lossy(n),
                            String::from_utf8_lossy(v)
                        ))
                        .filter(|f| !f.starts_with("Accept")
                            && !f.starts_with("Host")
                            && !f.starts_with("Conn")
                            && !f.starts_with("Content-Length"))
                        .collect::<Vec<_>>()
                );
            }
        }
    }
    for input in injections(data) {
        let entry = found
            .entry("libinjection test-sqli".to_owned())
            .or_default();
        entry.0 += 1;
        for (at, rules) in levels.iter().enumerate() {
            let one = parts(
                "GET",
                &format!("/?q={}", escaped(input.as_bytes())),
                None,
                None,
            );
            let refused = send(rules, &one).refused;
            entry.1[at] += usize::from(refused);
            if at == 0 && !refused && show == Some("libinjection") {
                println!("{input}");
            }
        }
    }
    for (class, (all, at)) in found {
        println!(
            "| {class} | {all} | {} |",
            at.map(|n| format!("{n}")).join(" | ")
        );
    }
}

fn count(name: &str, texts: &[(String, String)], levels: &[Ruleset]) {
    let mut sent = 0;
    let mut refused = vec![0; levels.len()];
    let mut matched = vec![0; levels.len()];
    for (file, text) in texts {
        for one in forms(text) {
            sent += 1;
            for (at, rules) in levels.iter().enumerate() {
                let seen = send(rules, &one);
                refused[at] += usize::from(seen.refused);
                matched[at] += usize::from(!seen.rules.is_empty());
                if at == 0 && !seen.rules.is_empty() {
                    for (id, value) in seen.rules.iter().filter(|(id, _)| *id < 25_990_000) {
                        println!(
                            "   {file}: {id} {}",
                            value
                                .replace('\n', "⏎")
                                .chars()
                                .take(240)
                                .collect::<String>()
                        );
                    }
                }
            }
        }
    }
    println!("| {name} | {sent} | {matched:?} | {refused:?} |");
}

fn texts_of(folder: &Path, ends: &[&str], keep: impl Fn(&Path) -> bool) -> Vec<(String, String)> {
    let mut files = Vec::new();
    files_under(folder, ends, &mut files);
    let mut out = Vec::new();
    for file in files.iter().filter(|file| keep(file)) {
        let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
        for piece in pieces(&text) {
            out.push((file.to_string_lossy().into_owned(), piece.to_owned()));
        }
    }
    out
}

fn benign(data: &Path) {
    let levels: Vec<Ruleset> = (1..=2).map(|level| load(level, "")).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().unwrap();
    // What is made of attacks is none of it: rules against them, and their tests.
    let attacks = [
        "wafrules",
        "/inspect/",
        "/attacks",
        "campaigns",
        "smuggling",
        "/sanitize",
        "/tests",
        "/waf/",
        "/regression/",
    ];
    let own = |path: &Path| {
        let path = path.to_string_lossy();
        !attacks.iter().any(|word| path.contains(word))
    };
    count(
        "markdown of this tree",
        &texts_of(&root, &[".md"], own),
        &levels,
    );
    // One text of 64 kB, and what people put on it.
    let prose: String = texts_of(&root.join("docs"), &[".md"], own)
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let whole: Vec<(String, String)> = pieces(&prose)
        .into_iter()
        .map(|text| ("docs".to_owned(), text.to_owned()))
        .collect();
    count("64 kB of prose", &whole, &levels);
    count(
        "Rust of this tree",
        &texts_of(&root.join("crates"), &[".rs"], own),
        &levels,
    );
    count(
        "TOML, Python, shell of this tree",
        &texts_of(
            &root,
            &[".toml", ".py", ".ci/run", ".mjs", ".php", ".json"],
            own,
        ),
        &levels,
    );
    count(
        "RustSec",
        &texts_of(&data.join("advisories/rustsec"), &[".md"], |_| true),
        &levels,
    );
    count(
        "PyPA, every tenth",
        &texts_of(&data.join("advisories/pypa/vulns"), &[".yaml"], |_| true)
            .into_iter()
            .step_by(10)
            .collect::<Vec<_>>(),
        &levels,
    );
    count(
        "versions",
        &texts_of(&data.join("versions"), &[".txt"], |_| true),
        &levels,
    );
    count(
        "wycheproof",
        &texts_of(&data.join("wycheproof"), &[".json"], |_| true),
        &levels,
    );
}

fn time() {
    let begun = Instant::now();
    let rules = load(1, "");
    println!("load, paranoia level 1: {} ms", begun.elapsed().as_millis());
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!(
        "{}",
        status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap_or_default()
    );
    let words = "the quick brown fox jumps over the lazy dog and orders a parcel of seeds ";
    let value = words.repeat(8 * 1024 / words.len());
    let json: Vec<String> = (0..30)
        .map(|n| format!("{{\"id\":{n},\"name\":\"item number {n}\",\"price\":\"{n}.50\"}}"))
        .collect();
    let json = format!("{{\"items\":[{}]}}", json.join(","));
    let form = "name=Ada+Lovelace&street=12+Some+Road&city=London&comment=please+leave+it+at+the+door&amount=3";
    let kind = Some("application/x-www-form-urlencoded");
    let long = format!("comment={}", value.repeat(8).replace(' ', "+"));
    let value = format!("comment={}", value.replace(' ', "+"));
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[(state % 64) as usize]
    };
    let noise: Vec<u8> = (0..64 << 10).map(|_| next()).collect();
    let cases = [
        (
            "GET, 3 arguments",
            parts(
                "GET",
                "/shop/search?q=garden+chairs&page=2&sort=price",
                None,
                None,
            ),
        ),
        (
            "GET, SQL injection",
            parts(
                "GET",
                "/shop/search?q=1%27+UNION+SELECT+user%2Cpassword+FROM+users--",
                None,
                None,
            ),
        ),
        (
            "form POST",
            parts("POST", "/order", kind, Some(form.into())),
        ),
        (
            "JSON POST",
            parts(
                "POST",
                "/order",
                Some("application/json"),
                Some(json.into()),
            ),
        ),
        (
            "8 kB form value",
            parts("POST", "/order", kind, Some(value.into())),
        ),
        (
            "64 kB text",
            parts("POST", "/order", kind, Some(long.into())),
        ),
        (
            "64 kB noise",
            parts(
                "POST",
                "/order",
                kind,
                Some([b"comment=".as_slice(), &noise].concat()),
            ),
        ),
    ];
    for (name, one) in &cases {
        let mut best = f64::MAX;
        let mut told = 0;
        for _ in 0..7 {
            let begun = Instant::now();
            for _ in 0..20 {
                told = send(&rules, one).rules.len();
            }
            best = best.min(begun.elapsed().as_secs_f64() * 1_000.0 / 20.0);
        }
        println!(
            "{name:<20} {best:8.3} ms, {} bytes of body, {told} rules told of",
            one.body.len()
        );
    }
}
