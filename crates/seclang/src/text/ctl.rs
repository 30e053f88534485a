//! `ctl:`: what a rule changes about the rest of its transaction.

use crate::bytes::{count, shown, split_once, trim};
use crate::place::{Bad, did_you_mean};
use crate::settings::{EngineMode, Processor, Switch};
use crate::template::TxNames;
use crate::text::targets::{self, Target};

/// One change.
#[derive(Clone, Debug)]
pub(crate) enum Ctl {
    Engine(EngineMode),
    ForceRequestBodyVariable(Switch),
    RequestBodyAccess(Switch),
    RequestBodyProcessor(Processor),
    ResponseBodyAccess(Switch),
    /// In bytes.
    RequestBodyLimit(usize),
    /// In bytes.
    ResponseBodyLimit(usize),
    ParseXmlIntoArgs(Switch),
    /// Rules that do not run any more.
    Remove(Which),
    /// Targets that rules do not look at any more.
    RemoveTarget(Which, Vec<Target>),
    /// Accepted: it is about the log of another program.
    Nothing(&'static str),
}

/// Which rules are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Ranges of ids, both ends among them.
    Ids(Vec<(u64, u64)>),
    Tag(Box<[u8]>),
    Message(Box<[u8]>),
}

const NAMES: &[&str] = &[
    "auditEngine",
    "auditLogParts",
    "debugLogLevel",
    "forceRequestBodyVariable",
    "parseXmlIntoArgs",
    "requestBodyAccess",
    "requestBodyLimit",
    "requestBodyProcessor",
    "responseBodyAccess",
    "responseBodyLimit",
    "ruleEngine",
    "ruleRemoveById",
    "ruleRemoveByMsg",
    "ruleRemoveByTag",
    "ruleRemoveTargetById",
    "ruleRemoveTargetByMsg",
    "ruleRemoveTargetByTag",
];

/// Those of the manual that this engine does not have, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "hashEnforcement",
        "it needs hashes in every page that is answered",
    ),
    (
        "hashEngine",
        "it needs hashes in every page that is answered",
    ),
];

impl Ctl {
    /// Reads `name=value`.
    pub(crate) fn parse(text: &[u8], names: &mut TxNames) -> Result<Self, Bad> {
        let (name, value) = split_once(text, b'=').ok_or_else(|| {
            Bad::new(format!("`ctl:{}` sets nothing", shown(text))).hint("write `ctl:name=value`")
        })?;
        let name = String::from_utf8_lossy(trim(name)).into_owned();
        let value = trim(value);
        let known = NAMES
            .iter()
            .find(|known| known.eq_ignore_ascii_case(&name))
            .copied();
        Ok(match known {
            Some("ruleEngine") => Self::Engine(EngineMode::parse(value)?),
            Some("forceRequestBodyVariable") => {
                Self::ForceRequestBodyVariable(Switch::parse(value)?)
            }
            Some("requestBodyAccess") => Self::RequestBodyAccess(Switch::parse(value)?),
            Some("requestBodyProcessor") => Self::RequestBodyProcessor(Processor::parse(value)?),
            Some("responseBodyAccess") => Self::ResponseBodyAccess(Switch::parse(value)?),
            Some("requestBodyLimit") => Self::RequestBodyLimit(count(value)?),
            Some("responseBodyLimit") => Self::ResponseBodyLimit(count(value)?),
            Some("parseXmlIntoArgs") => Self::ParseXmlIntoArgs(Switch::parse(value)?),
            Some("ruleRemoveById") => Self::Remove(Which::Ids(ids(value)?)),
            Some("ruleRemoveByTag") => Self::Remove(Which::Tag(value.into())),
            Some("ruleRemoveByMsg") => Self::Remove(Which::Message(value.into())),
            Some("ruleRemoveTargetById") => {
                let (which, targets) = target(value, names)?;
                Self::RemoveTarget(Which::Ids(ids(which)?), targets)
            }
            Some("ruleRemoveTargetByTag") => {
                let (which, targets) = target(value, names)?;
                Self::RemoveTarget(Which::Tag(which.into()), targets)
            }
            Some("ruleRemoveTargetByMsg") => {
                let (which, targets) = target(value, names)?;
                Self::RemoveTarget(Which::Message(which.into()), targets)
            }
            Some(known) => Self::Nothing(known),
            None => return Err(unknown(&name)),
        })
    }
}

fn unknown(name: &str) -> Bad {
    let elsewhere = ELSEWHERE
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    match elsewhere {
        Some((known, why)) => Bad::new(format!("`ctl:{known}` is not supported: {why}")),
        None => Bad::new(format!("there is no `ctl:{name}`"))
            .hint(did_you_mean(name, NAMES.iter().copied())),
    }
}

fn target<'t>(value: &'t [u8], names: &mut TxNames) -> Result<(&'t [u8], Vec<Target>), Bad> {
    let (which, text) = split_once(value, b';').ok_or_else(|| {
        Bad::new(format!("`{}` names no target", shown(value))).hint("write `942100;ARGS:token`")
    })?;
    let text = trim(text);
    let text = text.strip_prefix(b"!").unwrap_or(text);
    Ok((trim(which), targets::parse(text, names)?))
}

/// Ids and ranges of them, between spaces or commas: `942100 942120-942130`.
pub(crate) fn ids(text: &[u8]) -> Result<Vec<(u64, u64)>, Bad> {
    let wrong = |item: &[u8]| {
        Bad::new(format!("`{}` is no id of a rule", shown(item)))
            .hint("write `942100` or `942100-942199`")
    };
    let items = text.split(|byte| matches!(byte, b' ' | b',' | b'\t'));
    let mut ranges = Vec::new();
    for item in items.filter(|item| !item.is_empty()) {
        let plain = std::str::from_utf8(item).map_err(|_| wrong(item))?;
        let plain = plain.trim_matches(['\'', '"']);
        let (from, to) = plain.split_once('-').unwrap_or((plain, plain));
        let from: u64 = from.parse().map_err(|_| wrong(item))?;
        let to: u64 = to.parse().map_err(|_| wrong(item))?;
        ranges.push((from, to));
    }
    if ranges.is_empty() {
        return Err(wrong(text));
    }
    Ok(ranges)
}
