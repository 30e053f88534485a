//! API keys: one's own, and with the permission everybody's.

use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use http::Method;
use identity::{KEYS_PAGE_MAX, NewApiKey};
use model::{ApiKeyId, Network, PermissionSet, PersonId, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, created, done, ok};
use crate::body::{Json, Params, id};
use crate::endpoint::{Endpoint, Needs, path, query};
use crate::guard::Caller;
use crate::schema;
use crate::services::Services;

/// The endpoints of this module. Everybody has keys of their own: the operations look at whose.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/api-keys",
            Needs::Known,
            (
                "listApiKeys",
                "The caller's keys, and with `rampart.api-keys:read` everybody's",
            ),
            get(list),
        )
        .params([
            query("before", "string", "Keys made before this one: `next` of the last page"),
            query("limit", "integer", "1 to 200; 200 by default"),
        ])
        .answers(
            200,
            schema::object(&[
                ("keys", schema::list(&key_schema())),
                ("next", schema::maybe(&schema::text())),
            ]),
        ),
        Endpoint::new(
            Method::POST,
            "/api-keys",
            Needs::Known,
            (
                "createApiKey",
                "A key of the caller's own, or for a local administrator of the `owner`'s; its text is in this answer only",
            ),
            post(create),
        )
        .reads(schema::object(&[
            ("name", schema::text()),
            ("permissions", schema::list(&schema::text())),
            ("networks?", schema::list(&schema::text())),
            ("expires_at?", schema::time()),
            ("owner?", schema::text()),
        ]))
        .answers(
            201,
            schema::object(&[("key", key_schema()), ("text", schema::text())]),
        ),
        Endpoint::new(
            Method::DELETE,
            "/api-keys/{id}",
            Needs::Known,
            (
                "revokeApiKey",
                "End a key: one's own, or with `rampart.api-keys:write` anybody's",
            ),
            delete(revoke),
        )
        .params([path("id", "`key_…`")]),
    ]
}

fn key_schema() -> Value {
    schema::object(&[
        ("id", schema::text()),
        ("prefix", schema::text()),
        ("name", schema::text()),
        ("owner", schema::text()),
        ("permissions", schema::list(&schema::text())),
        ("networks", schema::list(&schema::text())),
        ("created_at", schema::time()),
        ("expires_at", schema::maybe(&schema::time())),
        ("revoked_at", schema::maybe(&schema::time())),
    ])
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    name: String,
    permissions: PermissionSet,
    #[serde(default)]
    networks: Vec<Network>,
    expires_at: Option<Timestamp>,
    owner: Option<PersonId>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    before: Option<ApiKeyId>,
    limit: Option<u32>,
}

async fn list(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Params(asked): Params<Listing>,
) -> Answer {
    let limit = asked.limit.unwrap_or(KEYS_PAGE_MAX);
    let page = services
        .identity
        .api_keys(&ctx, asked.before, limit)
        .await?;
    ok(&page)
}

async fn create(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Json(sent): Json<Create>,
) -> Answer {
    let new = NewApiKey {
        name: sent.name,
        permissions: sent.permissions,
        networks: sent.networks,
        expires_at: sent.expires_at,
        owner: sent.owner,
    };
    let made = services.identity.create_api_key(&ctx, new).await?;
    created(&json!({ "key": made.key, "text": made.text.expose() }))
}

async fn revoke(
    State(services): State<Services>,
    Caller(ctx): Caller,
    Path(text): Path<String>,
) -> Answer {
    let key: ApiKeyId = id(&text)?;
    services.identity.revoke_api_key(&ctx, key).await?;
    done()
}
