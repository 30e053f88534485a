//! Operators: what is asked of a value. Each is a file of its own; this one knows them by name.

mod begins_with;
mod contains;
mod contains_word;
mod detect_sqli;
mod detect_xss;
mod ends_with;
mod eq;
mod ge;
mod gt;
mod ip_match;
mod le;
mod lt;
mod no_match;
mod pcre;
mod pm;
mod rx;
mod str_match;
mod streq;
#[cfg(test)]
mod tests;
mod unconditional_match;
mod validate_byte_range;
mod validate_url_encoding;
mod validate_utf8_encoding;
mod verify_cc;
mod verify_cpf;
mod verify_ssn;
mod verify_svnr;
mod whole;
mod within;

use std::ops::Range;

pub(crate) use detect_sqli::is_word;
#[cfg(test)]
pub(crate) use detect_xss::asked as is_script;
use ip_match::IpMatch;
use pm::Pm;
pub(crate) use rx::Rx;
use rx::Which;
use smallvec::SmallVec;
use validate_byte_range::Ranges;

use crate::bytes::{is_space, number, shown, trim, trim_left};
use crate::files::Files;
use crate::place::{Bad, did_you_mean};
use crate::template::{Template, TxNames};

/// An operator with its argument.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    /// As it is named in the manual.
    pub(crate) name: &'static str,
    /// `!` before it.
    pub(crate) negated: bool,
    pub(crate) test: Test,
    /// The argument as it is written.
    pub(crate) argument: Box<[u8]>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// What it is compared with; as a number where it is always the same.
    Compare(fn(i64, i64) -> bool, Template, Option<i64>),
    Text(fn(&[u8], &[u8]) -> bool, Template),
    Rx(Box<Rx>),
    RxGlobal(Box<Rx>),
    Pm(Box<Pm>),
    IpMatch(IpMatch),
    DetectSqli,
    DetectXss,
    ByteRange(Box<Ranges>),
    /// Needs no argument.
    Plain(fn(&[u8]) -> bool),
    /// A pattern for candidates, and what a candidate must hold.
    Verify(Box<Rx>, fn(&[u8]) -> bool),
}

/// Numbered groups of a match.
pub(crate) type Groups = SmallVec<[(usize, Vec<u8>); 1]>;

impl Operator {
    /// The argument with its macros, where it may have any.
    pub(crate) fn template(&self) -> Option<&Template> {
        match &self.test {
            Test::Compare(_, template, _) | Test::Text(_, template) => Some(template),
            _ => None,
        }
    }

    /// Whether the value has what is asked for, before `!` is thought of. `argument` is the
    /// expanded [`Operator::template`].
    pub(crate) fn holds(&self, value: &[u8], argument: &[u8]) -> bool {
        match &self.test {
            Test::Compare(compare, ..) => compare(number(value), number(argument)),
            Test::Text(text, _) => text(value, argument),
            Test::Rx(rx) | Test::RxGlobal(rx) => rx.matches(value),
            Test::Pm(pm) => pm.matches(value),
            Test::IpMatch(networks) => networks.matches(value),
            Test::DetectSqli => detect_sqli::matches(value).is_some(),
            Test::DetectXss => detect_xss::matches(value),
            Test::ByteRange(ranges) => ranges.matches(value),
            Test::Plain(plain) => plain(value),
            Test::Verify(rx, holds) => candidate(rx, value, *holds).is_some(),
        }
    }

    /// Where the value has what was asked for; none of a question about a value as a whole.
    pub(crate) fn place(&self, value: &[u8]) -> Option<Range<usize>> {
        if self.negated {
            return None;
        }
        match &self.test {
            Test::Rx(rx) | Test::RxGlobal(rx) => rx.find_all(value).next(),
            Test::Pm(pm) => pm.find(value),
            Test::Verify(rx, holds) => candidate(rx, value, *holds),
            _ => None,
        }
    }

    /// What `capture` keeps of a value that matched.
    pub(crate) fn groups(&self, value: &[u8]) -> Groups {
        let one = |found: Vec<u8>| Groups::from_iter([(0, found)]);
        let whole = |found: Option<Range<usize>>| {
            found.map(|found| one(value.get(found).unwrap_or_default().to_vec()))
        };
        let groups = match &self.test {
            Test::Rx(rx) => rx.groups(value, Which::First),
            Test::RxGlobal(rx) => rx.groups(value, Which::Last),
            Test::Pm(pm) => whole(pm.find(value)),
            Test::DetectSqli => detect_sqli::matches(value).map(one),
            Test::DetectXss => Some(one(value.to_vec())),
            Test::Verify(rx, holds) => whole(candidate(rx, value, *holds)),
            _ => None,
        };
        groups.unwrap_or_default()
    }
}

/// The first candidate that holds.
fn candidate(rx: &Rx, value: &[u8], holds: fn(&[u8]) -> bool) -> Option<Range<usize>> {
    let is_one = |place: &Range<usize>| value.get(place.clone()).is_some_and(holds);
    rx.find_all(value).find(is_one)
}

/// The digits of a candidate, whatever stands between them.
fn digits(candidate: &[u8]) -> Vec<u32> {
    let digits = candidate.iter().filter(|byte| byte.is_ascii_digit());
    digits.map(|byte| u32::from(byte - b'0')).collect()
}

/// What reading an operator needs to know.
pub(crate) struct Reading<'a> {
    pub(crate) files: &'a dyn Files,
    /// The file the operator stands in.
    pub(crate) from: &'a str,
    pub(crate) names: &'a mut TxNames,
}

/// Reads `!@name argument`; what does not begin with `@` is a pattern for `@rx`.
pub(crate) fn parse(text: &[u8], reading: &mut Reading<'_>) -> Result<Operator, Bad> {
    let text = trim_left(text);
    let (negated, text) = match text.strip_prefix(b"!") {
        Some(rest) => (true, trim_left(rest)),
        None => (false, text),
    };
    let (name, argument) = match text.strip_prefix(b"@") {
        Some(named) => {
            let end = named.iter().position(|byte| is_space(*byte));
            let (name, rest) = named
                .split_at_checked(end.unwrap_or(named.len()))
                .unwrap_or_default();
            (String::from_utf8_lossy(name).into_owned(), trim_left(rest))
        }
        None => ("rx".to_owned(), text),
    };
    let known = NAMES.iter().find(|known| known.eq_ignore_ascii_case(&name));
    let Some(name) = known.copied() else {
        return Err(unknown(&name));
    };
    let test = test(name, argument, reading).map_err(|bad| Bad {
        message: format!("`@{name}`: {}", bad.message),
        hint: bad.hint,
    })?;
    Ok(Operator {
        name,
        negated,
        test,
        argument: argument.into(),
    })
}

fn unknown(name: &str) -> Bad {
    let elsewhere = ELSEWHERE
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    match elsewhere {
        Some((known, why)) => Bad::new(format!("`@{known}` is not supported: {why}"))
            .hint("leave the rule out, or load leniently"),
        None => Bad::new(format!("there is no operator `@{name}`"))
            .hint(did_you_mean(name, NAMES.iter().copied())),
    }
}

const NAMES: &[&str] = &[
    "beginsWith",
    "contains",
    "containsWord",
    "detectSQLi",
    "detectXSS",
    "endsWith",
    "eq",
    "ge",
    "gt",
    "ipMatch",
    "ipMatchF",
    "ipMatchFromFile",
    "le",
    "lt",
    "noMatch",
    "pm",
    "pmf",
    "pmFromFile",
    "rx",
    "rxGlobal",
    "streq",
    "strmatch",
    "unconditionalMatch",
    "validateByteRange",
    "validateUrlEncoding",
    "validateUtf8Encoding",
    "verifyCC",
    "verifyCPF",
    "verifySSN",
    "verifySVNR",
    "within",
];

/// Operators of the manual that this engine does not have, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("fuzzyHash", "it needs a library of fuzzy hashes"),
    ("geoLookup", "it needs a database of places"),
    ("gsbLookup", "it needs a database of unsafe addresses"),
    ("inspectFile", "it runs a program"),
    ("rbl", "it asks a name server while a request waits"),
    ("rsub", "it changes what the service answers"),
    ("validateDTD", "it needs a document type of its own"),
    (
        "validateHash",
        "it needs hashes in every page that is answered",
    ),
    ("validateSchema", "it needs an XML schema"),
];

fn test(name: &str, argument: &[u8], reading: &mut Reading<'_>) -> Result<Test, Bad> {
    let template = |names: &mut TxNames| Template::parse(argument, names);
    let verify = |holds: fn(&[u8]) -> bool| Ok(Test::Verify(Box::new(Rx::parse(argument)?), holds));
    let compare: fn(i64, i64) -> bool = match name {
        "eq" => eq::matches,
        "ge" => ge::matches,
        "gt" => gt::matches,
        "le" => le::matches,
        "lt" => lt::matches,
        "beginsWith" => return Ok(Test::Text(begins_with::matches, template(reading.names)?)),
        "contains" => return Ok(Test::Text(contains::matches, template(reading.names)?)),
        "containsWord" => return Ok(Test::Text(contains_word::matches, template(reading.names)?)),
        "endsWith" => return Ok(Test::Text(ends_with::matches, template(reading.names)?)),
        "streq" => return Ok(Test::Text(streq::matches, template(reading.names)?)),
        "strmatch" => return Ok(Test::Text(str_match::matches, template(reading.names)?)),
        "within" => return Ok(Test::Text(within::matches, template(reading.names)?)),
        "rx" => return Ok(Test::Rx(Box::new(Rx::parse(argument)?))),
        "rxGlobal" => return Ok(Test::RxGlobal(Box::new(Rx::parse(argument)?))),
        "pm" => return Ok(Test::Pm(Box::new(Pm::new(&pm::phrases(argument))?))),
        "pmf" | "pmFromFile" => {
            let mut phrases = Vec::new();
            for text in named_files(argument, reading)? {
                phrases.extend(pm::lines(&text));
            }
            return Ok(Test::Pm(Box::new(Pm::new(&phrases)?)));
        }
        "ipMatch" => {
            let items = argument.split(|byte| *byte == b',');
            return Ok(Test::IpMatch(IpMatch::parse(items)?));
        }
        "ipMatchF" | "ipMatchFromFile" => {
            let texts = named_files(argument, reading)?;
            let lines = texts.iter().flat_map(|text| IpMatch::lines(text));
            return Ok(Test::IpMatch(IpMatch::parse(lines)?));
        }
        "detectSQLi" => return Ok(Test::DetectSqli),
        "detectXSS" => return Ok(Test::DetectXss),
        "noMatch" => return Ok(Test::Plain(|_| no_match::matches())),
        "unconditionalMatch" => return Ok(Test::Plain(|_| unconditional_match::matches())),
        "validateByteRange" => return Ok(Test::ByteRange(Box::new(Ranges::parse(argument)?))),
        "validateUrlEncoding" => return Ok(Test::Plain(validate_url_encoding::matches)),
        "validateUtf8Encoding" => return Ok(Test::Plain(validate_utf8_encoding::matches)),
        "verifyCC" => return verify(verify_cc::holds),
        "verifyCPF" => return verify(verify_cpf::holds),
        "verifySSN" => return verify(verify_ssn::holds),
        "verifySVNR" => return verify(verify_svnr::holds),
        _ => return Err(Bad::new(format!("there is no operator `@{name}`"))),
    };
    let template = template(reading.names)?;
    if let Some(text) = template.constant()
        && !is_number(trim(text))
    {
        return Err(Bad::new(format!("`{}` is no whole number", shown(text))));
    }
    let constant = template.constant().map(number);
    Ok(Test::Compare(compare, template, constant))
}

fn is_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// The contents of the files that stand between spaces.
fn named_files(argument: &[u8], reading: &Reading<'_>) -> Result<Vec<Vec<u8>>, Bad> {
    let names = argument
        .split(|byte| is_space(*byte))
        .filter(|name| !name.is_empty());
    names
        .map(|name| {
            let name = std::str::from_utf8(name)
                .map_err(|_| Bad::new("the name of a file is no UTF-8"))?;
            reading.files.read(reading.from, name).map_err(Bad::new)
        })
        .collect()
}
