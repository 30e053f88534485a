//! How long one exchange takes with the Core Rule Set in the folder that the first argument names:
//! milliseconds of one thread, the least of several rounds.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "an example that measures and prints"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Instant;

use seclang::{Connection, Files, Leniency, Loader, Moment, RequestHead, Ruleset, Transaction};

struct Folder;

impl Files for Folder {
    fn read(&self, from: &str, path: &str) -> Result<Vec<u8>, String> {
        let beside = Path::new(from).parent().unwrap_or(Path::new(""));
        std::fs::read(beside.join(path)).map_err(|error| error.to_string())
    }

    fn list(&self, _from: &str, pattern: &str) -> Result<Vec<String>, String> {
        let Some(folder) = pattern.strip_suffix("*.conf") else {
            return Ok(vec![pattern.to_owned()]);
        };
        let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().path().to_string_lossy().into_owned())
            .collect();
        names.retain(|name| name.ends_with(".conf"));
        names.sort();
        Ok(names)
    }
}

fn load(folder: &Path, level: u8) -> Ruleset {
    let mut loader = Loader::new(&Folder, Leniency::Strict);
    let at = |name: &str| folder.join(name).to_string_lossy().into_owned();
    loader.include("", &at("../modsecurity/modsecurity.conf-recommended"));
    loader.text("setup", format!("SecRuleEngine On\nSecAction \"id:900000,phase:1,pass,nolog,setvar:tx.blocking_paranoia_level={level}\"").as_bytes());
    loader.include("", &at("crs-setup.conf.example"));
    loader.include("", &at("rules/*.conf"));
    loader.finish().unwrap().rules
}

fn exchange(rules: &Ruleset, method: &str, target: &str, kind: &str, body: &[u8]) -> usize {
    let connection = Connection {
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        client_port: 1,
        server: IpAddr::V4(Ipv4Addr::LOCALHOST),
        server_port: 80,
        moment: Moment::default(),
        unique_id: b"x",
    };
    let line = format!("{method} {target} HTTP/1.1");
    let length = body.len().to_string();
    let mut fields: Vec<(&[u8], &[u8])> = vec![
        (b"Host", b"shop.example"),
        (
            b"User-Agent",
            b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        ),
        (
            b"Accept",
            b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ),
        (b"Accept-Language", b"en-US,en;q=0.5"),
        (b"Cookie", b"session=4f9c2a7e1b; theme=dark"),
    ];
    if !body.is_empty() {
        fields.push((b"Content-Type", kind.as_bytes()));
        fields.push((b"Content-Length", length.as_bytes()));
    }
    let mut transaction = Transaction::new(rules, &connection);
    transaction.request_head(&RequestHead {
        line: line.as_bytes(),
        method: method.as_bytes(),
        target: target.as_bytes(),
        protocol: b"HTTP/1.1",
        fields: &fields,
    });
    transaction.request_body(body);
    transaction
        .matches()
        .iter()
        .filter(|found| found.logged)
        .count()
}

/// Printable bytes that look like nothing, each time others.
fn noise(state: &mut u64, length: usize) -> Vec<u8> {
    let mut next = || {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[(*state % 64) as usize]
    };
    (0..length).map(|_| next()).collect()
}

fn main() {
    let folder = std::env::args()
        .nth(1)
        .map(PathBuf::from)
        .expect("usage: timing FOLDER [LEVEL]");
    let level = std::env::args()
        .nth(2)
        .and_then(|level| level.parse().ok())
        .unwrap_or(1);
    let begun = Instant::now();
    let rules = load(&folder, level);
    println!(
        "load, paranoia level {level}: {} ms",
        begun.elapsed().as_millis()
    );
    resident();
    ordinary(&rules);
    noisy(&rules);
}

/// The memory that the process holds, with the rules in it.
fn resident() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find(|line| line.starts_with("VmRSS"));
    println!("{}", resident.unwrap_or_default());
}

fn ordinary(rules: &Ruleset) {
    let words = "the quick brown fox jumps over the lazy dog and orders a parcel of seeds ";
    let text = words.repeat(8 * 1024 / words.len());
    let json: Vec<String> = (0..30)
        .map(|n| format!("{{\"id\":{n},\"name\":\"item number {n}\",\"price\":\"{n}.50\"}}"))
        .collect();
    let json = format!("{{\"items\":[{}]}}", json.join(","));
    let form = "name=Ada+Lovelace&street=12+Some+Road&city=London&comment=please+leave+it+at+the+door&amount=3";
    let value = format!("comment={}", text.replace(' ', "+"));
    let long = format!("comment={}", text.repeat(8).replace(' ', "+"));
    let kind = "application/x-www-form-urlencoded";
    let cases: [(&str, &str, &str, &str, &[u8]); 6] = [
        (
            "GET, 3 arguments",
            "GET",
            "/shop/search?q=garden+chairs&page=2&sort=price",
            "",
            b"",
        ),
        (
            "GET, SQL injection",
            "GET",
            "/shop/search?q=1%27+UNION+SELECT+user%2Cpassword+FROM+users--",
            "",
            b"",
        ),
        ("form POST", "POST", "/order", kind, form.as_bytes()),
        (
            "JSON POST",
            "POST",
            "/order",
            "application/json",
            json.as_bytes(),
        ),
        ("8 kB form value", "POST", "/order", kind, value.as_bytes()),
        ("64 kB text", "POST", "/order", kind, long.as_bytes()),
    ];
    for (name, method, target, kind, body) in cases {
        let mut best = f64::MAX;
        let mut told = 0;
        for _ in 0..7 {
            let begun = Instant::now();
            for _ in 0..20 {
                told = exchange(rules, method, target, kind, body);
            }
            best = best.min(begun.elapsed().as_secs_f64() * 1_000.0 / 20.0);
        }
        println!(
            "{name:<20} {best:8.3} ms, {} bytes of body, {told} rules told of",
            body.len()
        );
    }
}

/// Bodies that no cache has seen.
fn noisy(rules: &Ruleset) {
    let mut state = 88_172_645_463_325_252;
    for length in [8 << 10, 64 << 10] {
        let mut best = f64::MAX;
        for _ in 0..7 {
            let body = [b"comment=".as_slice(), &noise(&mut state, length)].concat();
            let begun = Instant::now();
            exchange(
                rules,
                "POST",
                "/order",
                "application/x-www-form-urlencoded",
                &body,
            );
            best = best.min(begun.elapsed().as_secs_f64() * 1_000.0);
        }
        println!("fresh noise, {length} B {best:8.3} ms");
    }
}
