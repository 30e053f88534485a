//! Values of what the estate says about rules.
//!
//! SECURITY: targets, parameters and tags of exclusions become part of a text of rules. Nothing
//! that could end a word there is taken.

use ::model::Timestamp;

use super::{Wrong, quoted};
use crate::waf::RuleSource;

/// Bytes of a day: `2027-03-31`.
const DAY_BYTES: usize = 10;
/// A day, in milliseconds.
const DAY_MS: i64 = 24 * 3600 * 1000;
/// LIMIT: bytes of a name that rules look at.
const NAME_BYTES_MAX: usize = 128;

/// `builtin`; or `coreruleset`, `waf/coreruleset`: below the folder of the estate file, so that it travels with
/// it.
pub(crate) fn rules(text: &str) -> Result<RuleSource, Wrong> {
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .chars()
                .all(|c| !c.is_control() && !matches!(c, '\\' | '*' | '"' | '\''))
    };
    if text == "builtin" {
        return Ok(RuleSource::Builtin);
    }
    if text.len() <= 200 && text.split('/').all(is_plain) {
        return Ok(RuleSource::Folder(text.to_owned()));
    }
    Err(Wrong::new(format!(
        "{} is no folder beside the estate file",
        quoted(text)
    ))
    .hint(
        "`builtin`, or a path such as `coreruleset`, without `..`, relative to the estate file; a copy of the \
         rules or a link to them lies there",
    ))
}

/// A day, and the moment at which it is over.
pub(crate) fn day(text: &str) -> Result<(String, Timestamp), Wrong> {
    let begins = format!("{text}T00:00:00Z").parse::<Timestamp>();
    match begins {
        Ok(begins) if text.len() == DAY_BYTES => {
            let ends = begins.as_millis().saturating_add(DAY_MS);
            Ok((text.to_owned(), Timestamp::from_millis(ends)))
        }
        _ => Err(Wrong::new(format!("{} is not a day", quoted(text)))
            .hint("year, month and day as text: `\"2027-03-31\"`")),
    }
}

fn is_word(text: &str, more: &[u8]) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
}

/// `attack-sqli`, `OWASP_CRS/ATTACK-SQLI`.
pub(crate) fn rule_tag(text: &str) -> Result<String, Wrong> {
    if is_word(text, b"-_./") {
        return Ok(text.to_owned());
    }
    Err(
        Wrong::new(format!("{} is not a tag of rules", quoted(text)))
            .hint("letters, digits, `-`, `_`, `.` and `/`, as the rules have it"),
    )
}

/// `comment`, `json.items.array_0`.
pub(crate) fn rule_parameter(text: &str) -> Result<String, Wrong> {
    if is_word(text, b"-_.[]$@+~") {
        return Ok(text.to_owned());
    }
    Err(
        Wrong::new(format!("{} is no name that can be excepted", quoted(text)))
            .hint("letters, digits and `-_.[]$@+~`, at most 128"),
    )
}

/// `ARGS:comment`, `REQUEST_COOKIES:layout`, `REQUEST_BODY`.
pub(crate) fn rule_target(text: &str) -> Result<String, Wrong> {
    let (collection, name) = match text.split_once(':') {
        Some((collection, name)) => (collection, Some(name)),
        None => (text, None),
    };
    let is_collection = (1..=64).contains(&collection.len())
        && collection
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let is_named = name.is_none_or(|name| rule_parameter(name).is_ok());
    if is_collection && is_named {
        return Ok(text.to_owned());
    }
    Err(
        Wrong::new(format!("{} is not a target of rules", quoted(text)))
            .hint("such as `ARGS:comment`, `REQUEST_COOKIES:layout` or `REQUEST_BODY`"),
    )
}
