//! What rules said of an exchange, as it is recorded: shortened, and without secrets.

use std::collections::BTreeSet;

use ::waf::Decision;
use seclang::{Match, Transaction};
use serde::Serialize;

/// LIMIT: matches told of one exchange.
const MATCHES_MAX: usize = 16;
/// LIMIT: targets told of one match.
const TARGETS_MAX: usize = 8;
/// LIMIT: targets told of one exchange.
const TARGETS_ALL_MAX: usize = 48;
/// LIMIT: bytes of a message, a place in the rules, a target's name and a value.
const MESSAGE_BYTES_MAX: usize = 160;
const PLACE_BYTES_MAX: usize = 160;
const TARGET_BYTES_MAX: usize = 96;
const VALUE_BYTES_MAX: usize = 64;
/// Bytes before what was found, so that one sees what it stands in.
const BEFORE_BYTES_MAX: usize = 16;
/// LIMIT: digits of a number that rules keep.
const NUMBER_BYTES_MAX: usize = 6;
/// LIMIT: bytes told of a name that is none.
const ODD_BYTES_MAX: usize = 32;

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
    /// What ended the exchange.
    pub(crate) decision: Option<Decision>,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Matched {
    /// Its id.
    pub(crate) id: u64,
    /// What it says.
    pub(crate) message: String,
    /// The file that it stands in, and the line.
    pub(crate) place: String,
    /// What it added to the sum that decided.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) score: i64,
    /// Where it matched.
    pub(crate) found: Vec<Found>,
    /// Where the first link of its chain matched; empty for a rule that is no chain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) first: Vec<String>,
    /// Whether it matched at more places than these.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_cut: bool,
}

fn is_zero(score: &i64) -> bool {
    *score == 0
}

/// Where a rule matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Found {
    /// `ARGS:id`.
    pub(crate) target: String,
    /// The value's beginning, or the piece of it in which something was found; nothing of one that may
    /// be a secret.
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
        let decision = Decision::of(transaction);
        let mut room = TARGETS_ALL_MAX;
        let matches: Vec<Matched> = weightiest(new.filter(|one| one.logged))
            .into_iter()
            .map(|one| matched(one, decision.as_ref(), &mut room))
            .collect();
        let names = match part {
            Part::Request => &INBOUND[..],
            Part::Answer => &OUTBOUND,
        };
        // Most requests match nothing, and then nobody asks for a score.
        let decided = decision.as_ref().and_then(|one| one.sum.as_ref());
        let score = if matches.is_empty() {
            None
        } else if let Some(sum) = decided {
            Some(sum.score)
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
            decision,
        }
    }
}

/// The matches that are told of, in their order.
///
/// SECURITY: whoever makes many rules of little weight match must not push out of the record what
/// the decision stands on.
fn weightiest<'m>(matches: impl Iterator<Item = &'m Match>) -> Vec<&'m Match> {
    let mut all: Vec<(usize, &Match)> = matches.enumerate().collect();
    if all.len() > MATCHES_MAX {
        // Emergencies are 0; a rule without severity weighs least.
        all.sort_by_key(|(_, one)| one.severity.unwrap_or(u8::MAX));
        all.truncate(MATCHES_MAX);
        all.sort_unstable_by_key(|(place, _)| *place);
    }
    all.into_iter().map(|(_, one)| one).collect()
}

fn matched(one: &Match, decision: Option<&Decision>, room: &mut usize) -> Matched {
    let mut is_cut = !one.is_whole;
    let mut distinct = |names: Vec<String>| {
        let mut known = BTreeSet::new();
        let mut kept = Vec::new();
        for (at, name) in names.into_iter().enumerate() {
            if known.contains(&name) {
                continue;
            }
            if known.len() == TARGETS_MAX || *room == 0 {
                is_cut = true;
                break;
            }
            *room -= 1;
            known.insert(name.clone());
            kept.push((at, name));
        }
        kept
    };
    let first = distinct(one.first.iter().map(|name| target(name)).collect());
    let places = one.found.iter().map(|found| target(met(&found.target)));
    let found = distinct(places.collect());
    let found = found.into_iter().filter_map(|(at, name)| {
        let found = one.found.get(at)?;
        Some(Found {
            target: name,
            value: value(met(&found.target), found),
        })
    });
    let found = found.collect();
    Matched {
        id: one.id,
        message: shown(&one.message, MESSAGE_BYTES_MAX),
        place: shown(one.place.to_string().as_bytes(), PLACE_BYTES_MAX),
        score: decision.map_or(0, |decision| decision.added_by(one)),
        found,
        first: first.into_iter().map(|(_, name)| name).collect(),
        is_cut,
    }
}

/// What stood there when the link before looked at it.
fn met(target: &[u8]) -> &[u8] {
    target.strip_prefix(b"MATCHED_VARS:").unwrap_or(target)
}

/// A target as it is told.
///
/// SECURITY: what is no name is a value that was read as one: a text that came as a form has its whole
/// beginning there. Of such the length is told, behind what might be a name.
fn target(target: &[u8]) -> String {
    let colon = memchr::memchr(b':', target);
    let (collection, name) = match colon.and_then(|at| target.split_at_checked(at)) {
        Some((collection, name)) => (collection, name.strip_prefix(b":").unwrap_or(name)),
        None => return shown(target, TARGET_BYTES_MAX),
    };
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.[]$@+~".contains(byte);
    let plain = name.iter().take_while(|byte| is_plain(byte)).count();
    let is_path = collection == b"XML" && matches!(name, b"/*" | b"//@*");
    if plain == name.len() || is_path {
        return shown(target, TARGET_BYTES_MAX);
    }
    let begins = name.get(..plain.min(ODD_BYTES_MAX)).unwrap_or_default();
    format!(
        "{}:{}… ({} bytes)",
        shown(collection, TARGET_BYTES_MAX),
        shown(begins, ODD_BYTES_MAX),
        name.len()
    )
}

/// SECURITY: whole bodies and answers hold whatever people entered and what must not leak; cookies
/// and credentials open doors. Of these, and of everything called like a secret, the length alone
/// is told.
fn value(target: &[u8], found: &seclang::Found) -> String {
    let value = found.value.as_slice();
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
    // What a rule keeps for itself may be a piece of any value; a small number is a count.
    let is_kept = name == b"tx" && {
        let own = lower.get(3..).unwrap_or_default();
        let is_number = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
        is_number(own) || value.len() > NUMBER_BYTES_MAX || !is_number(value)
    };
    if !is_named || is_secret || is_kept {
        return format!("({} bytes, not shown)", value.len());
    }
    let start = begin(found);
    let text = shown(value.get(start..).unwrap_or_default(), VALUE_BYTES_MAX);
    if found.begins + start == 0 {
        text
    } else {
        format!("…{text}")
    }
}

/// Where in a found value what is told begins: at its beginning, or a little before what was found
/// there when that would not be seen otherwise.
fn begin(found: &seclang::Found) -> usize {
    let Some(matched) = &found.matched else {
        return 0;
    };
    if found.begins == 0 && matched.end <= VALUE_BYTES_MAX {
        return 0;
    }
    let start = matched.start.saturating_sub(BEFORE_BYTES_MAX);
    // Not in the middle of a character.
    let rest = found.value.get(start..).unwrap_or_default();
    let within = rest.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80);
    start + within.count()
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
    use std::ops::Range;

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
            "TX:0",
            "TX:tail",
        ] {
            let told = value(target.as_bytes(), &found(b"hunter2", 0, None));
            assert_eq!(told, "(7 bytes, not shown)", "{target}");
        }
        let plain =
            |target: &str, text: &str| value(target.as_bytes(), &found(text.as_bytes(), 0, None));
        assert_eq!(plain("ARGS:comment", "1' or\n"), "1' or\\n");
        assert_eq!(plain("TX:blocking_inbound_anomaly_score", "15"), "15");
        assert_eq!(plain("TX:1", "15"), "(2 bytes, not shown)");
        let long = "x".repeat(65);
        assert_eq!(plain("ARGS:a", &long), format!("{}…", "x".repeat(64)));
    }

    #[test]
    fn of_a_long_value_the_piece_with_what_was_found_is_told() {
        let text = format!("{}<script>{}", "a".repeat(100), "b".repeat(100));
        let told = |begins, matched| value(b"ARGS:a", &found(text.as_bytes(), begins, matched));
        let piece = format!("…{}<script>{}…", "a".repeat(16), "b".repeat(40));
        assert_eq!(told(0, Some(100..108)), piece);
        assert_eq!(told(5000, Some(100..108)), piece);
        assert_eq!(told(0, None), format!("{}…", "a".repeat(64)));
        assert_eq!(told(0, Some(0..64)), format!("{}…", "a".repeat(64)));
        let last = format!("…{}", "b".repeat(18));
        assert_eq!(told(0, Some(206..208)), last);
        let umlauts = "ä".repeat(40) + "<";
        let told = value(b"ARGS:a", &found(umlauts.as_bytes(), 0, Some(80..81)));
        assert_eq!(told, format!("…{}<", "ä".repeat(8)));
        let odd = "xä".repeat(40) + "<";
        let told = value(b"ARGS:a", &found(odd.as_bytes(), 0, Some(120..121)));
        assert_eq!(told.chars().filter(|one| *one == '\u{fffd}').count(), 0);
    }

    fn found(value: &[u8], begins: usize, matched: Option<Range<usize>>) -> seclang::Found {
        seclang::Found::new(b"ARGS:a".to_vec(), value.to_vec(), begins, matched)
    }

    #[test]
    fn names_that_are_none_are_not_told() {
        for (name, told) in [
            ("ARGS:json.items[0].name", "ARGS:json.items[0].name"),
            ("XML:/*", "XML:/*"),
            ("REQUEST_BODY", "REQUEST_BODY"),
            ("&REQUEST_HEADERS:Host", "&REQUEST_HEADERS:Host"),
            ("ARGS:{\"password\":\"hunter2\"}", "ARGS:… (22 bytes)"),
            ("ARGS_NAMES:my words: hunter2", "ARGS_NAMES:my… (17 bytes)"),
            ("ARGS:a\u{1b}[2J", "ARGS:a… (5 bytes)"),
            ("ARGS:a\"\n[[route]]", "ARGS:a… (12 bytes)"),
            ("ARGS:<b>", "ARGS:… (3 bytes)"),
        ] {
            assert_eq!(target(name.as_bytes()), told);
        }
        let long = target(format!("ARGS:{}", "a".repeat(300)).as_bytes());
        assert_eq!(long.chars().count(), TARGET_BYTES_MAX + 1, "{long}");
    }
}
