//! A second opinion by z3 about the same texts, read by a reader of its own. Runs where
//! `RAMPART_Z3_PYTHON` names a Python that has the package `z3-solver`, and says so where it does
//! not. `RAMPART_Z3_HOSTS` is the number of hosts, 100 unless told.

use std::io::Write as _;
use std::process::Command;

use super::fleet::checked;
use super::generate::{self, Layout, Size};
use crate::{Family, Host, Intent, Packet, Policy, Protocol};

fn question(intent: &Intent, family: Family, from: &str, to: &str) -> String {
    let mut text = format!(
        "{{\"family\": \"{}\", \"from\": \"{from}\", \"to\": \"{to}\", \"hosts\": [",
        family.digit()
    );
    let mut between = "";
    for host in &intent.hosts {
        let addresses: Vec<String> = addresses(host, family)
            .map(|one| format!("\"{one}\""))
            .collect();
        if addresses.is_empty() {
            continue;
        }
        let (name, zone) = (&host.name, &host.zone);
        text.push_str(&format!(
            "{between}{{\"name\": \"{name}\", \"zone\": \"{zone}\", \"addresses\": [{}]}}",
            addresses.join(",")
        ));
        between = ", ";
    }
    text + "]}"
}

fn addresses(host: &Host, family: Family) -> impl Iterator<Item = std::net::IpAddr> {
    host.addresses
        .iter()
        .copied()
        .filter(move |one| Family::of(*one) == family)
}

fn write(path: &std::path::Path, text: &str) {
    std::fs::File::create(path)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
}

/// Whether any packet goes from one zone to the other, by asking of each pair of hosts.
fn is_reached(policy: &Policy, intent: &Intent, family: Family, from: &str, to: &str) -> bool {
    let of = |zone: &str| {
        intent
            .hosts
            .iter()
            .filter(|host| host.zone == zone)
            .collect::<Vec<_>>()
    };
    let (from, to) = (of(from), of(to));
    from.iter().any(|a| {
        let class = policy.parties.hosts[&a.name];
        let mut row = Vec::new();
        let mut ports = crate::set::PortTable::new();
        policy.row(family, crate::Direction::Out, class, &mut ports, &mut row);
        to.iter()
            .any(|b| row[policy.parties.hosts[&b.name]] != crate::set::PortTable::EMPTY)
    })
}

#[test]
fn z3_comes_to_the_same_answers() {
    let Some(python) = std::env::var_os("RAMPART_Z3_PYTHON") else {
        println!("skipped: RAMPART_Z3_PYTHON names no Python with z3-solver");
        return;
    };
    let hosts = testkit::told("RAMPART_Z3_HOSTS").unwrap_or(100);
    let (flows, pairs) = if hosts > 500 { (300, 3) } else { (60, 12) };
    let size = Size {
        flows,
        ..Size::usual(usize::try_from(hosts).unwrap(), Layout::Dense)
    };
    let intent = generate::intent(size, 1);
    let policy = checked(&intent);
    let folder = tempfile::tempdir().unwrap();
    for artefact in policy.compile().unwrap() {
        let path = folder.path().join(format!("{}.nft", artefact.host));
        write(&path, &artefact.rules);
    }
    let mut answers = [0, 0];
    for pair in 0..pairs {
        let (from, to) = (
            format!("zone-{}", pair % 12),
            format!("zone-{}", (pair * 5 + 1) % 12),
        );
        let family = if pair % 4 == 3 {
            Family::V6
        } else {
            Family::V4
        };
        write(
            &folder.path().join("zones"),
            &question(&intent, family, &from, &to),
        );
        let text = ask(&python, folder.path());
        println!("{hosts} hosts, {from} to {to} over {family:?}: {text}");
        let is_sat = text.contains("\"sat\": true");
        let is_reached = is_reached(&policy, &intent, family, &from, &to);
        assert_eq!(is_sat, is_reached, "{from} to {to}: {text}");
        answers[usize::from(is_sat)] += 1;
        if let Some(packet) = packet(&text) {
            assert!(policy.decide(&packet).is_allowed(), "{packet}");
        }
    }
    println!(
        "{} zone pairs without a packet, {} with one",
        answers[0], answers[1]
    );
}

fn ask(python: &std::ffi::OsStr, folder: &std::path::Path) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/oracle.py");
    let output = Command::new(python)
        .arg(script)
        .arg(folder)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The packet of an answer.
fn packet(text: &str) -> Option<Packet> {
    let list = text.split("\"packet\": [").nth(1)?.split(']').next()?;
    let words: Vec<&str> = list
        .split(", ")
        .map(|word| word.trim_matches('"'))
        .collect();
    let [source, destination, protocol, port] = words[..] else {
        return None;
    };
    let protocol = Protocol::ALL[protocol.parse::<usize>().ok()?];
    Some(Packet {
        source: source.parse().ok()?,
        destination: destination.parse().ok()?,
        protocol,
        port: if protocol == Protocol::Icmp {
            0
        } else {
            port.parse().ok()?
        },
    })
}
