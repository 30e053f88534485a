//! What rules said of an exchange, as it is recorded: shortened, and without secrets.

use seclang::{Match, Transaction};
use serde::Serialize;

/// LIMIT: matches told of one exchange.
const MATCHES_MAX: usize = 16;
/// LIMIT: targets told of one match.
const TARGETS_MAX: usize = 3;
/// LIMIT: bytes of a message, a target's name and a value.
const MESSAGE_BYTES_MAX: usize = 160;
const TARGET_BYTES_MAX: usize = 96;
const VALUE_BYTES_MAX: usize = 64;

/// TX variables in which sets of rules keep the score of a request and of an answer.
const INBOUND: [&str; 3] = [
    "blocking_inbound_anomaly_score",
    "inbound_anomaly_score",
    "rampart_score",
];
const OUTBOUND: [&str; 2] = ["blocking_outbound_anomaly_score", "outbound_anomaly_score"];

/// What rules said.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Whether a rule, or a limit of the engine, ended the exchange.
    pub(crate) ended: bool,
    /// The budget was spent before all rules had run.
    pub(crate) is_spent: bool,
    /// What could not be read was seen by no rule.
    pub(crate) is_unreadable: bool,
    /// Rules that matched.
    pub(crate) matches: Vec<Matched>,
    /// What they added up to, where the rules keep a score.
    pub(crate) score: Option<i64>,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Matched {
    /// Its id.
    pub(crate) id: u64,
    /// What it says.
    pub(crate) message: String,
    /// Where it matched.
    pub(crate) found: Vec<Found>,
}

/// Where a rule matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Found {
    /// `ARGS:id`.
    pub(crate) target: String,
    /// The value's beginning; nothing of one that may be a secret.
    pub(crate) value: String,
}

/// Which part of an exchange is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The request.
    Request,
    /// The answer.
    Answer,
}

impl Told {
    /// What was said beyond the first `known` matches.
    pub(crate) fn of(transaction: &Transaction<'_>, part: Part, known: usize) -> Self {
        let new = transaction.matches().iter().skip(known);
        let matches = weightiest(new.filter(|one| one.logged));
        let names = match part {
            Part::Request => &INBOUND[..],
            Part::Answer => &OUTBOUND,
        };
        // Most requests match nothing, and then nobody asks for a score.
        let score = if matches.is_empty() {
            None
        } else {
            names.iter().find_map(|name| {
                let value = transaction.tx(name)?;
                std::str::from_utf8(&value).ok()?.parse().ok()
            })
        };
        Self {
            ended: transaction.interruption().is_some(),
            is_spent: transaction.is_exhausted(),
            is_unreadable: part == Part::Request && transaction.problem().is_some(),
            matches,
            score,
        }
    }
}

/// The matches that are told of, in their order.
///
/// SECURITY: whoever makes many rules of little weight match must not push out of the record what
/// the decision stands on.
fn weightiest<'m>(matches: impl Iterator<Item = &'m Match>) -> Vec<Matched> {
    let mut all: Vec<(usize, &Match)> = matches.enumerate().collect();
    if all.len() > MATCHES_MAX {
        // Emergencies are 0; a rule without severity weighs least.
        all.sort_by_key(|(_, one)| one.severity.unwrap_or(u8::MAX));
        all.truncate(MATCHES_MAX);
        all.sort_unstable_by_key(|(place, _)| *place);
    }
    all.into_iter().map(|(_, one)| matched(one)).collect()
}

fn matched(one: &Match) -> Matched {
    let found = one.found.iter().take(TARGETS_MAX).map(|found| Found {
        target: shown(&found.target, TARGET_BYTES_MAX),
        value: value(&found.target, &found.value),
    });
    Matched {
        id: one.id,
        message: shown(&one.message, MESSAGE_BYTES_MAX),
        found: found.collect(),
    }
}

/// SECURITY: whole bodies and answers hold whatever people entered and what must not leak; cookies
/// and credentials open doors. Of these, and of everything called like a secret, the length alone
/// is told.
fn value(target: &[u8], value: &[u8]) -> String {
    let lower = target.to_ascii_lowercase();
    let name = lower.split(|byte| *byte == b':').next().unwrap_or(&lower);
    // Only these are known to hold one named value; the others may hold anything.
    let is_named: bool = [
        b"args".as_slice(),
        b"args_get",
        b"args_post",
        b"args_names",
        b"args_get_names",
        b"args_post_names",
        b"request_headers",
        b"request_headers_names",
        b"request_filename",
        b"request_basename",
        b"request_method",
        b"request_protocol",
        b"files",
        b"files_names",
        b"response_status",
        b"tx",
        b"remote_addr",
    ]
    .contains(&name);
    const SECRETS: [&[u8]; 16] = [
        b"pass",
        b"pwd",
        b"secret",
        b"token",
        b"auth",
        b"session",
        b"cookie",
        b"key",
        b"card",
        b"cvv",
        b"iban",
        b"ssn",
        b"pin",
        b"otp",
        b"code",
        b"credential",
    ];
    let is_secret = SECRETS
        .iter()
        .any(|word| memchr::memmem::find(&lower, word).is_some());
    if !is_named || is_secret {
        return format!("({} bytes, not shown)", value.len());
    }
    shown(value, VALUE_BYTES_MAX)
}

/// The beginning of bytes, as text on one line.
fn shown(bytes: &[u8], max: usize) -> String {
    let cut = bytes.get(..max).unwrap_or(bytes);
    let mut text = String::with_capacity(cut.len());
    for character in String::from_utf8_lossy(cut).chars() {
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    if cut.len() < bytes.len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_by_their_length_alone() {
        for target in [
            "ARGS:password",
            "ARGS:json.user.apiToken",
            "REQUEST_COOKIES:layout",
            "REQUEST_HEADERS:authorization",
            "REQUEST_HEADERS:x-api-key",
            "REQUEST_BODY",
            "RESPONSE_BODY",
            "QUERY_STRING",
            "REQUEST_URI",
            "REQUEST_LINE",
            "FULL_REQUEST",
            "XML:/*",
        ] {
            let told = value(target.as_bytes(), b"hunter2");
            assert_eq!(told, "(7 bytes, not shown)", "{target}");
        }
        assert_eq!(value(b"ARGS:comment", b"1' or\n"), "1' or\\n");
        let long = "x".repeat(65);
        assert_eq!(
            value(b"ARGS:a", long.as_bytes()),
            format!("{}…", "x".repeat(64))
        );
    }
}
