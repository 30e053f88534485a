//! Values of keywords, read: what one of the wrong sort is told as, and what no keyword is.

use super::*;

pub(super) fn unknown(name: &str, value: &At<'_>, findings: &mut Findings) {
    if SILENT.contains(&name) || name.starts_with("x-") {
        return;
    }
    let older = match name {
        "dependencies" => Some("it is `dependentRequired` or `dependentSchemas`"),
        "additionalItems" => Some("items after `prefixItems` are `items`"),
        "$recursiveRef" | "$recursiveAnchor" => Some("it is `$dynamicRef` and `$dynamicAnchor`"),
        "id" | "divisibleBy" | "disallow" | "extends" => Some("JSON Schema draft 2020-12 is meant"),
        _ => None,
    };
    if let Some(hint) = older.filter(|_| matches!(name, "dependencies" | "$recursiveRef")) {
        findings.error(
            value,
            format!("`{name}` is of an older draft and cannot be enforced"),
            hint,
        );
        return;
    }
    let near = ENFORCED
        .iter()
        .filter(|known| source::is_near(known, name))
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .min();
    let meant = near.map(|(_, known)| format!("did you mean `{known}`?"));
    let hint = meant
        .or_else(|| older.map(str::to_owned))
        .unwrap_or_default();
    findings.warn(
        value,
        format!("`{name}` is no word of schemas: it is not enforced"),
        &hint,
    );
}

pub(super) fn format(at: &At<'_>, value: &At<'_>, rules: &mut Rules, findings: &mut Findings) {
    let Some(name) = value.node.as_str() else {
        findings.error(
            value,
            format!("`format` is a text, not {}", value.node.what()),
            "",
        );
        return;
    };
    rules.format = Format::named(name);
    rules.bytes |= name == "binary";
    if rules.format.is_none() {
        findings.warn(
            value,
            format!("the format `{name}` is not known: it is not enforced"),
            "say it with `pattern`",
        );
    }
    let number = rules.format.is_some_and(Format::is_numeric);
    if number && at.node.get("type").and_then(Node::as_str) == Some("string") {
        findings.warn(
            value,
            format!("the format `{name}` is one of numbers: texts are not held to it"),
            "",
        );
    }
}

pub(super) fn encoding(value: &At<'_>, rules: &mut Rules, findings: &mut Findings) {
    let found = value.node.as_str().and_then(Encoding::named);
    if found.is_none() {
        findings.warn(
            value,
            "the encoding is not known: it is not enforced",
            "one of base64, base64url, base32, base16",
        );
    }
    rules.scalar().encoding = found;
}

pub(super) fn dialect(value: &At<'_>, findings: &mut Findings) {
    let name = value
        .node
        .as_str()
        .unwrap_or_default()
        .trim_end_matches('#');
    let known = name == "https://json-schema.org/draft/2020-12/schema"
        || name.starts_with("https://spec.openapis.org/oas/3.1/dialect/");
    if !known {
        findings.error(
            value,
            format!("the dialect `{name}` is not known"),
            "draft 2020-12 is enforced",
        );
    }
}

pub(super) fn count(value: &At<'_>, findings: &mut Findings) -> Option<u64> {
    let found = value
        .node
        .as_number()
        .and_then(Decimal::to_i64)
        .and_then(|n| u64::try_from(n).ok());
    if found.is_none() {
        findings.error(value, "a whole number, not below zero, is wanted", "");
    }
    found
}

pub(super) fn flag(value: &At<'_>, findings: &mut Findings) -> bool {
    value.node.as_bool().unwrap_or_else(|| {
        findings.error(
            value,
            format!("`true` or `false` is wanted, not {}", value.node.what()),
            "",
        );
        false
    })
}

pub(super) fn texts(value: &At<'_>, findings: &mut Findings) -> Box<[Box<str>]> {
    let texts = value
        .node
        .items()
        .iter()
        .map(|item| item.as_str().map(Box::from));
    let found: Option<Box<[Box<str>]>> = match &value.node.value {
        Value::Array(_) => texts.collect(),
        _ => None,
    };
    found.unwrap_or_else(|| {
        let hint = match value.node.value {
            Value::Bool(_) => "`required` stands beside `properties` and lists names",
            _ => "",
        };
        findings.error(value, "a list of names is wanted", hint);
        Box::default()
    })
}
