//! JSON Schema (2020-12) in few words, for the OpenAPI document.

use serde_json::{Map, Value, json};

/// A text.
pub(crate) fn text() -> Value {
    json!({ "type": "string" })
}

/// A moment, RFC 3339 in UTC.
pub(crate) fn time() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

/// A count.
pub(crate) fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// Yes or no.
pub(crate) fn flag() -> Value {
    json!({ "type": "boolean" })
}

/// One of a closed set of texts.
pub(crate) fn one_of(names: &[&str]) -> Value {
    json!({ "type": "string", "enum": names })
}

/// A list.
pub(crate) fn list(of: &Value) -> Value {
    json!({ "type": "array", "items": of })
}

/// The same, or `null`.
pub(crate) fn maybe(of: &Value) -> Value {
    json!({ "anyOf": [of, { "type": "null" }] })
}

/// An object with exactly these fields; a name that ends in `?` may be left out.
pub(crate) fn object(fields: &[(&str, Value)]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, schema) in fields {
        let bare = name.strip_suffix('?');
        if bare.is_none() {
            required.push(*name);
        }
        properties.insert(bare.unwrap_or(name).to_owned(), schema.clone());
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Any object: its fields are documented elsewhere.
pub(crate) fn open() -> Value {
    json!({ "type": "object" })
}

/// No content.
pub(crate) fn nothing() -> Value {
    Value::Null
}
