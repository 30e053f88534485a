//! Any part of the estate as lines of key and value, written the way the file writes them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ::model::{ByteSize, Rate, format_duration};
use serde::Serialize;
use serde_json::Value;

use crate::fields::{Default, ROOT, Table};
use crate::kind::Kind;

/// Keys with their values, both as people read them.
pub(super) type Flat = BTreeMap<String, String>;

/// One difference.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) key: String,
    before: Option<String>,
    after: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(
            f,
            "`{}`: {} → {}",
            self.key,
            side(&self.before),
            side(&self.after)
        )
    }
}

pub(super) fn flatten<T: Serialize>(value: &T) -> Flat {
    let mut flat = Flat::new();
    // Every type of the estate serialises: its maps have text keys.
    let value = serde_json::to_value(value).unwrap_or_default();
    walk(&mut flat, "", &value);
    flat
}

fn walk(flat: &mut Flat, key: &str, value: &Value) {
    let Value::Object(map) = value else {
        if let Some(text) = scalar(key, value) {
            flat.insert(key.to_owned(), text);
        }
        return;
    };
    if let Some(text) = quantity(map) {
        flat.insert(key.to_owned(), text);
        return;
    }
    for (name, value) in map {
        let dotted = if key.is_empty() {
            name.clone()
        } else {
            format!("{key}.{name}")
        };
        walk(flat, &dotted, value);
    }
}

/// Durations and rates serialise as objects.
fn quantity(map: &serde_json::Map<String, Value>) -> Option<String> {
    let number = |key: &str| map.get(key).and_then(Value::as_u64);
    // A budget is compared where it stands itself.
    if let (Some(shared), Some(_)) = (map.get("shared").and_then(Value::as_str), map.get("rate")) {
        return Some(shared.to_owned());
    }
    if map.len() != 2 {
        return None;
    }
    if let (Some(secs), Some(nanos)) = (number("secs"), number("nanos")) {
        let nanos = u32::try_from(nanos).ok()?;
        return Some(format_duration(Duration::new(secs, nanos)));
    }
    if let (Some(count), Some(per_ms)) = (number("count"), number("per_ms")) {
        let count = u32::try_from(count).ok()?;
        return Some(Rate { count, per_ms }.to_string());
    }
    if let (Some(max), Some(per)) = (number("max"), map.get("per").and_then(Value::as_str)) {
        return Some(format!("{max} per {per}"));
    }
    let rate = map.get("rate").and_then(Value::as_object)?;
    let per = map.get("per").and_then(Value::as_str)?;
    Some(format!("{} per {per}", quantity(rate)?))
}

fn scalar(key: &str, value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => {
            let last = key.rsplit('.').next().unwrap_or(key);
            match number.as_u64() {
                Some(bytes) if is_size(&ROOT, last) => Some(ByteSize(bytes).to_string()),
                _ => Some(number.to_string()),
            }
        }
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => {
            let texts: Vec<String> = items
                .iter()
                .filter_map(|item| item_text(key, item))
                .collect();
            Some(texts.join(", "))
        }
        other => Some(other.to_string()),
    }
}

fn item_text(key: &str, item: &Value) -> Option<String> {
    match item {
        Value::Object(map) => quantity(map),
        other => scalar(key, other),
    }
}

/// Whether some field named `key` is a size: the table of fields knows what a number means.
fn is_size(table: &'static Table, key: &str) -> bool {
    table.fields.iter().any(|field| match field.kind {
        Kind::Size { .. } => field.key == key,
        Kind::Table(of) | Kind::Tables { of, .. } => is_size(of, key),
        _ => false,
    })
}

/// What an added entry says, without what everybody can see in its name.
pub(super) fn lines(flat: &Flat) -> Vec<String> {
    flat.iter()
        .filter(|(key, value)| *key != "name" && !value.is_empty() && !is_usual(key, value))
        .map(|(key, value)| format!("`{key}`: {value}"))
        .collect()
}

/// What a new entry need not say, because nobody said it.
fn is_usual(key: &str, value: &str) -> bool {
    is_default_of_service(key, value)
        || matches!(
            (key.split('.').next(), value),
            (Some("modes"), "block")
                | (Some("security_headers"), "true")
                | (Some("websocket" | "learn"), "false")
                | (Some("body"), "hold")
        )
}

/// How a service is reached when nobody says anything: much, and of no interest.
fn is_default_of_service(key: &str, value: &str) -> bool {
    let field =
        |table: &Table, key: &str| table.field(key).map(|field| (field.kind, field.default));
    let Some((Kind::Tables { of, .. }, _)) = field(&ROOT, "service") else {
        return false;
    };
    let (outer, inner) = match key.split_once('.') {
        Some((outer, inner)) => (outer, Some(inner)),
        None => (key, None),
    };
    let default = match (field(of, outer), inner) {
        (Some((Kind::Either { .. }, default)), None) => default,
        (Some((Kind::Table(of), _)), Some(inner)) => match field(of, inner) {
            Some((_, default)) => default,
            None => return false,
        },
        _ => return false,
    };
    match default {
        Default::Text(text) => text == value,
        Default::Count(count) => count.to_string() == value,
        Default::List(list) => list.join(", ") == value,
        _ => false,
    }
}

pub(super) fn differences(before: &Flat, after: &Flat) -> Vec<Difference> {
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .map(|key| Difference {
            key: key.clone(),
            before: before.get(key).cloned(),
            after: after.get(key).cloned(),
        })
        .collect()
}
