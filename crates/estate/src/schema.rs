//! The estate's fields as a JSON Schema and as a reference page. Both are written from the table
//! of fields alone.

use serde_json::{Map, Value, json};

use crate::fields::{Default, ROOT, Table};
use crate::kind::{COST_MAX, Kind};

/// Written for the gateway's and the console's names: `[a-z0-9-]{1,63}`.
const NAME_PATTERN: &str = "^[a-z0-9-]{1,63}$";

/// The JSON Schema (2020-12) of `rampart.toml`.
#[must_use]
pub fn schema() -> Value {
    let mut schema = of_table(&ROOT);
    if let Some(map) = schema.as_object_mut() {
        map.insert(
            "$schema".to_owned(),
            "https://json-schema.org/draft/2020-12/schema".into(),
        );
        map.insert("title".to_owned(), "rampart.toml".into());
    }
    schema
}

fn of_table(table: &'static Table) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in table.fields {
        let mut value = of_kind(&field.kind);
        if let Some(map) = value.as_object_mut() {
            map.insert("description".to_owned(), field.doc.into());
            match field.default {
                Default::Required => required.push(Value::from(field.key)),
                Default::Text(text) => drop(map.insert("default".to_owned(), text.into())),
                Default::Bool(truth) => drop(map.insert("default".to_owned(), truth.into())),
                Default::Count(count) => drop(map.insert("default".to_owned(), count.into())),
                Default::List(list) => drop(map.insert("default".to_owned(), list.into())),
                Default::Absent | Default::Derived(_) => {}
            }
        }
        properties.insert(field.key.to_owned(), value);
    }
    json!({
        "type": "object",
        "description": table.doc,
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

const DURATION: &str = "^([0-9]+ *(ms|s|m|min|h|d|w) *)+$";
const SIZE: &str = "^[0-9]+ *(B|KiB|MiB|GiB)$";
const RATE: &str = "^[0-9]+ */ *([0-9]+)?(ms|s|m|min|h|d|w)$";
const GRANTED: &str = "^[a-z0-9._-]+:([a-z0-9._-]+|\\*)$";
const REQUIRED: &str = "^[a-z0-9._-]+:[a-z0-9._-]+$";

fn of_kind(kind: &'static Kind) -> Value {
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    match kind {
        Kind::Name => text(NAME_PATTERN),
        Kind::Text { max } => json!({ "type": "string", "maxLength": max }),
        Kind::File | Kind::Sanitize => json!({ "type": "string", "minLength": 1 }),
        Kind::Document => text(r"^[^/].*\.(yaml|yml|json)$"),
        Kind::Rules | Kind::RuleTag | Kind::RuleParameter | Kind::RuleTarget | Kind::Day => {
            text(of_rules(kind))
        }
        Kind::Domain | Kind::Host | Kind::FullHost => {
            json!({ "type": "string", "minLength": 1, "maxLength": 253 })
        }
        Kind::CertificateHost => json!({ "type": "string", "minLength": 1, "maxLength": 255 }),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Count { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Duration { .. } => text(DURATION),
        Kind::Size { .. } => text(SIZE),
        Kind::Rate => text(RATE),
        Kind::RateOrOff => json!({ "anyOf": [text(RATE), { "const": "off" }] }),
        Kind::Socket => text("^.+:[0-9]+$"),
        Kind::SocketOrOff => json!({ "anyOf": [text("^.+:[0-9]+$"), { "const": "off" }] }),
        Kind::Place => text("^.+:[0-9]+$"),
        Kind::Percent => text("^[0-9]{1,3}%$"),
        Kind::Statuses => text("^[0-9]{3}(-[0-9]{3})?(, *[0-9]{3}(-[0-9]{3})?)*$"),
        Kind::HashKey => text("^(address|user|path|header:.+|cookie:.+)$"),
        Kind::Ip | Kind::Network => text("^[0-9a-fA-F.:]+(/[0-9]+)?$"),
        Kind::Permission => text(GRANTED),
        Kind::Needed => text(REQUIRED),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Pattern | Kind::Prefix => text("^/"),
        Kind::Origin => text("^https?://[^/]+$"),
        Kind::Redirect => text("^https?://"),
        Kind::HttpsAddress => text("^https://[^?#]+$"),
        Kind::CertificateName => text("^(spiffe://|dns:|sha256:|subject:).+$"),
        Kind::RoleMap => json!({
            "type": "object",
            "additionalProperties": text(NAME_PATTERN),
        }),
        Kind::Method => text("^[A-Z-]{1,32}$"),
        Kind::Header => json!({ "type": "string", "minLength": 1, "maxLength": 64 }),
        Kind::Limit => text("^([0-9]+ */.+ per [a-z0-9-]+|[a-z0-9-]{1,63})$"),
        Kind::Budget => text("^[0-9]+ */.+$"),
        Kind::Concurrent => text("^[0-9]+ per [a-z0-9-]+$"),
        Kind::KeySource => text("^(principal|address|header:.+|cookie:.+|query:.+)$"),
        Kind::StoreAddress => text("^rediss?://[^/]+(/[0-9]+)?$"),
        Kind::Cost => {
            let number = json!({ "type": "integer", "minimum": 1, "maximum": COST_MAX });
            json!({ "anyOf": [number, {
                "type": "object",
                "propertyNames": { "pattern": "^[A-Z-]{1,32}$" },
                "additionalProperties": number,
            }] })
        }
        Kind::ByMethod => json!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": { "pattern": "^[A-Z-]{1,32}$" },
            "additionalProperties": text(REQUIRED),
        }),
        Kind::List { of, max } => {
            json!({ "type": "array", "items": of_kind(of), "maxItems": max })
        }
        Kind::Either { plain, nested } => json!({ "anyOf": [of_kind(plain), of_kind(nested)] }),
        Kind::Table(of) => of_table(of),
        Kind::Tables { of, max } => {
            json!({ "type": "array", "items": of_table(of), "maxItems": max })
        }
    }
}

/// Patterns of what is said about rules.
fn of_rules(kind: &Kind) -> &'static str {
    match kind {
        Kind::RuleTag => r"^[A-Za-z0-9_./-]{1,128}$",
        Kind::RuleTarget => r"^[A-Z0-9_]{1,64}(:.+)?$",
        Kind::Day => r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        Kind::RuleParameter => r"^.{1,128}$",
        _ => r"^.{1,200}$",
    }
}

/// The page `docs/reference/estate.md`.
#[must_use]
pub fn reference_markdown() -> String {
    let mut page = String::from(
        "# The estate file\n\n\
         `rampart.toml` describes what is designed: hosts, services, routes, roles. People, keys \
         and sessions live in the store and are changed with `rampart people`, `roles`, \
         `api-keys` and in the console.\n\n\
         Unknown keys are errors. Durations are written `250ms`, `30s`, `15m`, `1h`, `7d`, `4w`; \
         sizes `512B`, `64KiB`, `10MiB`, `1GiB`; rates `10/s`, `100/min`, `5/15m`. Names have 1 to \
         63 lower-case letters, digits and `-`. A file has at most 1 MiB and 10,000 routes.\n\n\
         This page is generated from the program's own table of fields.\n",
    );
    for field in ROOT.fields {
        match field.kind {
            Kind::Table(table) => section(&mut page, &format!("[{}]", field.key), table),
            Kind::Tables { of, .. } => section(&mut page, &format!("[[{}]]", field.key), of),
            _ => {}
        }
    }
    page
}

fn section(page: &mut String, title: &str, table: &'static Table) {
    page.push_str(&format!("\n## `{title}`\n\n{}\n\n", table.doc));
    page.push_str("| key | value | default | |\n| --- | --- | --- | --- |\n");
    rows(page, "", table);
}

fn rows(page: &mut String, prefix: &str, table: &'static Table) {
    for field in table.fields {
        let key = format!("{prefix}{}", field.key);
        page.push_str(&format!(
            "| `{key}` | {} | {} | {} |\n",
            field.kind.describe(),
            default(field.default),
            field.doc.replace('|', "\\|")
        ));
        let inner = match field.kind {
            Kind::Table(of) => Some(of),
            Kind::Either {
                nested: Kind::Table(of),
                ..
            } => Some(*of),
            Kind::Tables { of, .. } => Some(of),
            _ => None,
        };
        if let Some(of) = inner {
            rows(page, &format!("{key}."), of);
        }
    }
}

fn default(default: Default) -> String {
    match default {
        Default::Required => "must be given".to_owned(),
        Default::Absent => "none".to_owned(),
        Default::Text("") => "empty".to_owned(),
        Default::Text(text) => format!("`\"{text}\"`"),
        Default::Bool(truth) => format!("`{truth}`"),
        Default::Count(count) => format!("`{count}`"),
        Default::List([]) => "`[]`".to_owned(),
        Default::List(list) => format!("`[\"{}\"]`", list.join("\", \"")),
        Default::Derived(text) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
