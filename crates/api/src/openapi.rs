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
    let (status, response) = endpoint.response;
    let mut answer = json!({ "description": "Done." });
    let schema = response();
    if !schema.is_null() {
        answer["content"] = json!({ "application/json": { "schema": schema } });
    }
    let mut responses = json!({ "default": {
        "description": "What went wrong (RFC 9457).",
        "content": { "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" },
        } },
    } });
    responses[status.to_string()] = answer;
    let mut operation = json!({
        "operationId": endpoint.operation,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "parameters": endpoint.params.iter().map(parameter).collect::<Vec<_>>(),
        "responses": responses,
        "security": match endpoint.needs {
            Needs::Nothing => json!([]),
            Needs::Known | Needs::Permission(_) | Needs::Local => json!([{ "key": [] }]),
        },
    });
    if let Some(request) = endpoint.request {
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": request() } },
        });
    }
    match endpoint.needs {
        Needs::Permission(permission) => operation["x-rampart-permission"] = json!(permission),
        Needs::Local => operation["x-rampart-local"] = json!(true),
        Needs::Nothing | Needs::Known => {}
    }
    operation
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
        ("errors?", schema::list(fault)),
    ])
}
