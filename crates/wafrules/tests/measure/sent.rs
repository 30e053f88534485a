//! Requests put to rules; for what measures and for the tests of the crate.

use std::net::{IpAddr, Ipv4Addr};

use seclang::regression::Wire;
use seclang::{Connection, Moment, RequestHead, Ruleset, Transaction, Verdict};
use wafrules::SCORE;

/// What became of a request: whether it was refused, and the rules that matched, with what they met.
pub(crate) struct Sent {
    pub(crate) refused: bool,
    pub(crate) rules: Vec<(u64, String)>,
    /// What the pack's rules added up.
    pub(crate) score: i64,
}

impl Sent {
    /// The ids of the rules that were told of.
    pub(crate) fn ids(&self) -> Vec<u64> {
        self.rules.iter().map(|(id, _)| *id).collect()
    }
}

/// Phases 1 and 2.
pub(crate) fn send(rules: &Ruleset, wire: &Wire) -> Sent {
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
    let score = transaction.tx(SCORE).unwrap_or_default();
    Sent {
        rules: rules.collect(),
        score: String::from_utf8_lossy(&score).parse().unwrap_or_default(),
        refused: matches!(verdict, Verdict::Interrupt(_)),
    }
}

/// A text of JSON.
pub(crate) fn json_text(text: &str) -> String {
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
