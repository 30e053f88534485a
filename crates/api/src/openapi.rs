//! The OpenAPI 3.1 document, made from the table of endpoints.

use serde_json::{Map, Value, json};

use crate::endpoint::{Endpoint, Needs, Param, Place};
use crate::schema;

/// The document for `endpoints`.
pub(crate) fn document(endpoints: &[Endpoint], version: &str) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in endpoints {
        let item = paths
            .entry(format!("/api/v1{}", endpoint.path))
            .or_insert_with(|| json!({}));
        if let Value::Object(item) = item {
            let method = endpoint.method.as_str().to_ascii_lowercase();
            item.insert(method, operation(endpoint));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Rampart",
            "version": version,
            "description": "The control plane: people and their rights, the estate, the gateway, the trail.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key (`rk_…`). Cookies are never accepted here.",
                },
            },
            "schemas": { "Problem": problem() },
        },
    })
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut operation = Map::new();
    let mut set = |name: &str, value: Value| operation.insert(name.to_owned(), value);
    set("operationId", json!(endpoint.operation));
    set("tags", json!([endpoint.tag()]));
    set("summary", json!(endpoint.summary));
    let parameters: Vec<_> = endpoint.params.iter().map(parameter).collect();
    set("parameters", json!(parameters));
    set("responses", responses(endpoint));
    if let Some(request) = &endpoint.request {
        let content = json!({ "application/json": { "schema": request } });
        set(
            "requestBody",
            json!({ "required": true, "content": content }),
        );
    }
    let key = json!([{ "key": [] }]);
    match endpoint.needs {
        Needs::Nothing => {
            set("security", json!([]));
        }
        Needs::Known => {
            set("security", key);
        }
        Needs::Permission(permission) => {
            set("security", key);
            set("x-rampart-permission", json!(permission));
        }
        Needs::Local => {
            set("security", json!([]));
            set("x-rampart-local", json!(true));
        }
    }
    Value::Object(operation)
}

fn responses(endpoint: &Endpoint) -> Value {
    let (status, schema) = &endpoint.answer;
    let answer = if schema.is_null() {
        json!({ "description": "Done." })
    } else {
        json!({
            "description": "Done.",
            "content": { "application/json": { "schema": schema } },
        })
    };
    let mut responses = Map::new();
    responses.insert(status.to_string(), answer);
    let problem = json!({
        "description": "What went wrong (RFC 9457).",
        "content": { "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" },
        } },
    });
    responses.insert("default".to_owned(), problem);
    Value::Object(responses)
}

fn parameter(param: &Param) -> Value {
    json!({
        "name": param.name,
        "in": match param.place { Place::Path => "path", Place::Query => "query" },
        "required": param.place == Place::Path,
        "description": param.about,
        "schema": { "type": param.kind },
    })
}

fn problem() -> Value {
    let fault = schema::object(&[
        ("level", schema::one_of(&["error", "warning"])),
        ("code", schema::text()),
        ("message", schema::text()),
        ("line?", schema::count()),
        ("column?", schema::count()),
        ("hint?", schema::text()),
    ]);
    schema::object(&[
        ("type", schema::text()),
        ("title", schema::text()),
        ("status", schema::count()),
        ("detail", schema::text()),
        ("code", schema::text()),
        ("request_id?", schema::text()),
        ("errors?", schema::list(&fault)),
    ])
}
