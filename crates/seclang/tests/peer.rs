//! The engine behind two commands, so that it can be put beside another one: the same rules, the same
//! requests. What it is told and answers is what `xtask/peers/modsecurity.c` says; `peer RULES` is how
//! it is called.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a program for measuring, which has nobody to answer but its own operator"
)]

use std::io::{BufRead as _, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use rustix::time::{ClockId, clock_gettime};
use seclang::{Connection, Files, Leniency, Loader, Moment, RequestHead, Ruleset, Transaction};

struct Folder;

impl Files for Folder {
    fn read(&self, from: &str, path: &str) -> Result<Vec<u8>, String> {
        let beside = Path::new(from).parent().unwrap_or(Path::new(""));
        std::fs::read(beside.join(path)).map_err(|error| format!("`{path}`: {error}"))
    }

    fn list(&self, from: &str, pattern: &str) -> Result<Vec<String>, String> {
        let beside = Path::new(from).parent().unwrap_or(Path::new(""));
        let pattern = beside.join(pattern);
        let name = pattern.file_name().unwrap_or_default().to_string_lossy();
        let Some(suffix) = name.strip_prefix('*') else {
            return Ok(vec![pattern.to_string_lossy().into_owned()]);
        };
        let folder = pattern.parent().unwrap_or(Path::new("."));
        let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
        let paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        let names = paths.iter().map(|path| path.to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(suffix)).collect();
        names.sort();
        Ok(names)
    }
}

/// Processor time of this process, in nanoseconds.
fn cpu_ns() -> u128 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u128::try_from(now.tv_sec).unwrap_or_default();
    seconds * 1_000_000_000 + u128::try_from(now.tv_nsec).unwrap_or_default()
}

fn resident_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or_default()
}

struct Request {
    line: Vec<u8>,
    method: Vec<u8>,
    target: Vec<u8>,
    protocol: Vec<u8>,
    fields: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
}

fn line<'t>(rest: &mut &'t [u8]) -> &'t [u8] {
    let end = memchr::memchr(b'\n', rest).expect("a file of requests ends early");
    let (line, after) = rest.split_at(end);
    *rest = after.split_first().map_or(&[], |(_, after)| after);
    line
}

fn number(text: &[u8]) -> usize {
    let text = std::str::from_utf8(text).unwrap_or_default();
    text.parse().expect("a number of a file of requests")
}

fn requests(path: &str) -> Vec<Request> {
    let bytes = std::fs::read(path).expect("a file of requests");
    let mut rest = bytes.as_slice();
    let mut all = Vec::new();
    while !rest.is_empty() {
        let method = line(&mut rest).to_vec();
        let target = line(&mut rest).to_vec();
        let protocol = [b"HTTP/", line(&mut rest)].concat();
        let (fields, length) = (number(line(&mut rest)), number(line(&mut rest)));
        let fields = (0..fields).map(|_| (line(&mut rest).to_vec(), line(&mut rest).to_vec()));
        let fields = fields.collect();
        let (body, after) = rest
            .split_at_checked(length)
            .expect("a body of a file of requests");
        rest = after;
        all.push(Request {
            line: [&method[..], b" ", &target, b" ", &protocol].concat(),
            method,
            target,
            protocol,
            fields,
            body: body.to_vec(),
        });
    }
    all
}

/// The status that ends the exchange, zero when nothing does; and the rules told of.
fn exchange(rules: &Ruleset, request: &Request) -> (u16, Vec<u64>) {
    let connection = Connection {
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        client_port: 4711,
        server: IpAddr::V4(Ipv4Addr::LOCALHOST),
        server_port: 80,
        moment: Moment::default(),
        unique_id: b"peer",
    };
    let fields = request.fields.iter();
    let fields: Vec<(&[u8], &[u8])> = fields
        .map(|(name, value)| (&name[..], &value[..]))
        .collect();
    let mut transaction = Transaction::new(rules, &connection);
    transaction.request_head(&RequestHead {
        line: &request.line,
        method: &request.method,
        target: &request.target,
        protocol: &request.protocol,
        fields: &fields,
    });
    transaction.request_body(&request.body);
    transaction.finish();
    let told = transaction
        .matches()
        .iter()
        .filter(|found| found.logged && found.audited);
    let status = transaction.interruption().map_or(0, |ended| ended.status);
    (status, told.map(|found| found.id).collect())
}

fn main() {
    let path = std::env::args().nth(1).expect("usage: peer RULES");
    let begun = cpu_ns();
    let mut loader = Loader::new(&Folder, Leniency::Strict);
    loader.include("", &path);
    let loaded = loader.finish().unwrap_or_else(|error| panic!("{error}"));
    let rules = loaded.rules;
    println!("ready {} {} seclang", cpu_ns() - begun, resident_kib());
    std::io::stdout().flush().unwrap();
    for command in std::io::stdin().lock().lines() {
        let command = command.expect("a command");
        match command.split(' ').collect::<Vec<_>>()[..] {
            ["run", path, times] => {
                let all = requests(path);
                let times = number(times.as_bytes());
                let mut status = 0;
                let from = cpu_ns();
                for request in (0..times).flat_map(|_| &all) {
                    status = exchange(&rules, request).0;
                }
                println!("{} {} {status}", cpu_ns() - from, times * all.len());
            }
            ["ids", path] => {
                for request in &requests(path) {
                    let (status, ids) = exchange(&rules, request);
                    let ids = ids.iter().map(|id| format!(" {id}"));
                    println!("{status}{}", ids.collect::<String>());
                }
            }
            _ => panic!("unknown command `{command}`"),
        }
        std::io::stdout().flush().unwrap();
    }
}
