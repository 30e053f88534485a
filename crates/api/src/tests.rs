//! The whole API, with real services, asked as the gateway and the command line ask it.

use crate as api;

mod gateway;
mod observed;
mod tuned;
mod world;

use axum::body::Body;
use http::{Method, StatusCode, header};
use model::Clock as _;
use serde_json::{Value, json};

use crate::endpoint::{Endpoint, Needs};
use crate::{Peer, endpoints, router};
use world::{Answered, World, request, send};

const ROOT: Peer = Peer::Local { uid: 0 };

fn filled(path: &str) -> String {
    format!("/api/v1{path}").replace("{id}", "7")
}

async fn call(
    world: &World,
    peer: Peer,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Answered {
    let request = request(peer, method, &format!("/api/v1{path}"));
    let request = match body {
        Some(body) => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    };
    send(&router(world.services.clone()), request.unwrap()).await
}

fn parsed(answered: &Answered) -> Value {
    serde_json::from_str(&answered.body).unwrap()
}

fn fits(endpoint: &Endpoint) -> Method {
    endpoint.method.clone()
}

#[tokio::test]
async fn no_endpoint_but_the_document_answers_a_stranger() {
    let world = World::new().await;
    let router = router(world.services.clone());
    for endpoint in endpoints::all() {
        let asked = request(world.client(), fits(&endpoint), &filled(endpoint.path));
        let answered = send(&router, asked.body(Body::empty()).unwrap()).await;
        if endpoint.needs == Needs::Nothing {
            assert_eq!(endpoint.path, "/openapi.json");
            assert_eq!(answered.status, StatusCode::OK);
        } else {
            assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{endpoint:?}");
            assert!(answered.headers.contains_key(header::WWW_AUTHENTICATE));
        }
    }
}

#[tokio::test]
async fn another_user_of_the_machine_is_refused_everywhere() {
    let world = World::new().await;
    let other = Peer::Local { uid: 4242 };
    for endpoint in endpoints::all() {
        if endpoint.needs == Needs::Nothing {
            continue;
        }
        let asked = request(other, fits(&endpoint), &filled(endpoint.path));
        let answered = send(
            &router(world.services.clone()),
            asked.body(Body::empty()).unwrap(),
        )
        .await;
        assert_eq!(answered.status, StatusCode::FORBIDDEN, "{endpoint:?}");
    }
}

/// The text of an API key of somebody who may nothing of Rampart's own.
async fn powerless_key(world: &World) -> String {
    let identity = &world.services.identity;
    let new = identity::NewPerson {
        login: "noor".to_owned(),
        name: "Noor".to_owned(),
        email: None,
        roles: vec!["support".to_owned()],
        groups: Vec::new(),
    };
    // Nobody gives what they do not hold.
    let mut inviter = world.system();
    let mut held: Vec<model::Permission> = inviter.permissions.clone().into();
    held.push("orders:read".parse().unwrap());
    inviter.permissions = held.into();
    let invited = identity.invite(&inviter, new).await.unwrap();
    let stranger = model::Context::anonymous(model::RequestId::from_raw(1), None);
    let password = model::Secret::new("correct horse battery staple".to_owned());
    let token = invited.token.expose();
    identity
        .enrol_password(&stranger, token, password)
        .await
        .unwrap();
    let seed = identity.enrolment_totp(token).await.unwrap().unwrap().seed;
    let code = totp(seed.expose(), world.clock.now());
    let device = identity::Device::new("curl");
    let (signed_in, _) = identity
        .enrol_confirm(&stranger, token, &code, &device)
        .await
        .unwrap();
    let cookie = signed_in.cookie.expose();
    let id = model::RequestId::from_raw(2);
    let ctx = identity
        .authenticate_session(cookie, id, None)
        .await
        .unwrap()
        .unwrap();
    let new = identity::NewApiKey {
        name: "ci".to_owned(),
        permissions: vec!["orders:read".parse().unwrap()].into(),
        networks: Vec::new(),
        expires_at: Some(
            world
                .clock
                .now()
                .after(std::time::Duration::from_secs(3600)),
        ),
        owner: None,
    };
    identity
        .create_api_key(&ctx, new)
        .await
        .unwrap()
        .text
        .expose()
        .clone()
}

/// What an authenticator app shows for a seed in base 32 (RFC 4648 §6).
fn totp(seed: &str, now: model::Timestamp) -> String {
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    for letter in seed.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            other => other - b'2' + 26,
        };
        bits = (bits << 5) | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xFF).unwrap());
        }
    }
    identity::totp::code(&bytes, identity::totp::step(now))
}

#[tokio::test]
async fn every_endpoint_with_a_permission_refuses_a_key_that_lacks_it_and_records_that() {
    let world = World::new().await;
    let key = powerless_key(&world).await;
    let router = router(world.services.clone());
    for endpoint in endpoints::all() {
        let Needs::Permission(permission) = endpoint.needs else {
            continue;
        };
        let asked = request(world.client(), fits(&endpoint), &filled(endpoint.path))
            .header(header::AUTHORIZATION, format!("Bearer {key}"));
        let answered = send(&router, asked.body(Body::empty()).unwrap()).await;
        assert_eq!(answered.status, StatusCode::FORBIDDEN, "{endpoint:?}");
        let events = world.events("api.call.refused").await;
        assert_eq!(events[0].detail["permission"], permission, "{endpoint:?}");
    }
    let wrong = request(world.client(), Method::GET, "/api/v1/api-keys")
        .header(header::AUTHORIZATION, format!("Bearer {key}x"));
    let answered = send(&router, wrong.body(Body::empty()).unwrap()).await;
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
    // A key is not its owner: it sees no keys, not even the owner's.
    let keys = request(world.client(), Method::GET, "/api/v1/api-keys")
        .header(header::AUTHORIZATION, format!("Bearer {key}"));
    let answered = send(&router, keys.body(Body::empty()).unwrap()).await;
    assert_eq!(answered.status, StatusCode::FORBIDDEN, "{}", answered.body);
}

#[test]
fn every_endpoint_names_a_permission_of_ramparts_own_or_why_not() {
    for endpoint in endpoints::all() {
        match endpoint.needs {
            Needs::Permission(permission) => {
                assert!(model::own::ALL.contains(&permission), "{endpoint:?}");
            }
            Needs::Known => assert!(endpoint.path.starts_with("/api-keys"), "{endpoint:?}"),
            Needs::Local => assert!(
                endpoint.path.starts_with("/rescue/") || endpoint.path.starts_with("/processes"),
                "{endpoint:?}"
            ),
            Needs::Nothing => assert_eq!(endpoint.path, "/openapi.json"),
        }
        let reads = endpoint.method == Method::GET;
        if let (Needs::Permission(permission), true) = (endpoint.needs, reads) {
            assert!(permission.ends_with(":read"), "{endpoint:?}");
        }
    }
}

#[tokio::test]
async fn a_request_of_unknown_origin_is_not_served() {
    let world = World::new().await;
    let asked = http::Request::get("/api/v1/estate")
        .body(Body::empty())
        .unwrap();
    let answered = send(&router(world.services.clone()), asked).await;
    assert_eq!(answered.status, StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn cookies_open_nothing() {
    let world = World::new().await;
    let asked = request(world.client(), Method::GET, "/api/v1/estate")
        .header(header::COOKIE, "__Host-rampart=anything")
        .body(Body::empty())
        .unwrap();
    let answered = send(&router(world.services.clone()), asked).await;
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_document_describes_exactly_the_router() {
    let world = World::new().await;
    let answered = call(&world, world.client(), Method::GET, "/openapi.json", None).await;
    let document = parsed(&answered);
    let mut described = 0;
    let mut names = std::collections::HashSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            described += 1;
            assert!(
                names.insert(operation["operationId"].clone()),
                "{path} {method}"
            );
            // Whatever the document names is routed: a stranger gets 401 or an answer, never 404.
            let method: Method = method.to_uppercase().parse().unwrap();
            let asked = request(world.client(), method, &path.replace("{id}", "7"));
            let routed = send(
                &router(world.services.clone()),
                asked.body(Body::empty()).unwrap(),
            )
            .await;
            assert_ne!(routed.status, StatusCode::NOT_FOUND, "{path}");
            assert_ne!(routed.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        }
    }
    assert_eq!(described, endpoints::all().len());
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
}

#[tokio::test]
async fn errors_are_problems_with_the_request_id() {
    let world = World::new().await;
    let peer = world.client();
    let Peer::Gateway { request_id, .. } = peer else {
        panic!("a client")
    };
    let answered = call(&world, peer, Method::GET, "/nothing", None).await;
    assert_eq!(answered.status, StatusCode::NOT_FOUND);
    assert_eq!(
        answered.headers[header::CONTENT_TYPE],
        "application/problem+json"
    );
    assert_eq!(parsed(&answered)["request_id"], request_id.to_string());
    let answered = call(&world, ROOT, Method::DELETE, "/estate", None).await;
    assert_eq!(answered.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(
        answered
            .headers
            .contains_key(header::CONTENT_SECURITY_POLICY)
    );
}

#[tokio::test]
async fn an_estate_is_planned_and_applied_once() {
    let world = World::new().await;
    let source = format!("{}\n[[zone]]\nname = \"data\"\n", world::ESTATE);
    let plan = call(
        &world,
        ROOT,
        Method::POST,
        "/estate/plan",
        Some(json!({ "source": source })),
    )
    .await;
    assert_eq!(plan.status, StatusCode::OK, "{}", plan.body);
    let plan = parsed(&plan);
    let apply = json!({ "base": plan["base"], "hash": plan["hash"], "source": source });
    let applied = call(
        &world,
        ROOT,
        Method::POST,
        "/estate/apply",
        Some(apply.clone()),
    )
    .await;
    assert_eq!(applied.status, StatusCode::OK, "{}", applied.body);
    assert_eq!(parsed(&applied)["number"], 2);
    let again = call(&world, ROOT, Method::POST, "/estate/apply", Some(apply)).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.body);
}

#[tokio::test]
async fn findings_point_at_lines() {
    let world = World::new().await;
    let source = world::ESTATE.replace("to = \"shop\"", "to = \"shpo\"");
    let answered = call(
        &world,
        ROOT,
        Method::POST,
        "/estate/plan",
        Some(json!({ "source": source })),
    )
    .await;
    assert_eq!(answered.status, StatusCode::UNPROCESSABLE_ENTITY);
    let problem = parsed(&answered);
    let line = source.lines().position(|l| l.contains("shpo")).unwrap() + 1;
    assert_eq!(problem["errors"][0]["line"], line, "{problem}");
}

#[tokio::test]
async fn somebody_invited_by_the_local_administrator_is_listed_and_can_be_given_a_role() {
    let world = World::new().await;
    let new = json!({ "login": "noor", "name": "Noor Haddad" });
    let invited = call(&world, ROOT, Method::POST, "/people", Some(new)).await;
    assert_eq!(invited.status, StatusCode::CREATED, "{}", invited.body);
    let invited = parsed(&invited);
    let link = invited["link"].as_str().unwrap();
    assert!(
        link.starts_with("https://rampart.shop.example:8443/enrol/"),
        "{link}"
    );
    let person = invited["person"]["id"].clone();
    let grant = json!({ "person": person, "kind": "role", "name": "support" });
    let granted = call(&world, ROOT, Method::POST, "/bindings", Some(grant)).await;
    assert_eq!(granted.status, StatusCode::CREATED, "{}", granted.body);
    let people = parsed(&call(&world, ROOT, Method::GET, "/people", None).await);
    assert_eq!(people["people"][0]["login"], "noor");
    let bindings = parsed(&call(&world, ROOT, Method::GET, "/bindings", None).await);
    assert_eq!(bindings["bindings"][0]["name"], "support");
    let gone = parsed(&granted)["id"].as_str().unwrap().to_owned();
    let revoked = call(
        &world,
        ROOT,
        Method::DELETE,
        &format!("/bindings/{gone}"),
        None,
    )
    .await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_change_that_a_gateway_has_not_confirmed_says_so_and_a_look_does_not() {
    let world = World::new().await;
    let invite = |login: &str| Some(json!({ "login": login, "name": "Sam" }));
    let settled = call(&world, ROOT, Method::POST, "/people", invite("ana")).await;
    assert_eq!(settled.headers.get(crate::PENDING), None);
    world
        .gateway
        .1
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let late = call(&world, ROOT, Method::POST, "/people", invite("bo")).await;
    assert!(late.status.is_success(), "{}", late.body);
    assert_eq!(late.headers[crate::PENDING], "no gateway is connected");
    let look = call(&world, ROOT, Method::GET, "/people", None).await;
    assert_eq!(look.headers.get(crate::PENDING), None);
    let refused = call(&world, ROOT, Method::POST, "/people", Some(json!({}))).await;
    assert!(refused.status.is_client_error());
    assert_eq!(refused.headers.get(crate::PENDING), None);
}

#[tokio::test]
async fn the_trail_is_searched_and_its_checkpoint_given() {
    let world = World::new().await;
    let found = parsed(
        &call(
            &world,
            ROOT,
            Method::GET,
            "/trail?kind=rollout.&limit=5",
            None,
        )
        .await,
    );
    let index = found["records"][0]["index"].clone();
    let one = call(&world, ROOT, Method::GET, &format!("/trail/{index}"), None).await;
    assert_eq!(parsed(&one)["index"], index);
    let checkpoint = parsed(&call(&world, ROOT, Method::GET, "/trail/checkpoint", None).await);
    assert!(
        checkpoint["key"]
            .as_str()
            .unwrap()
            .starts_with("shop.example/trail+")
    );
    for wrong in ["/trail?limit=0", "/trail?limit=501"] {
        let answered = call(&world, ROOT, Method::GET, wrong, None).await;
        assert_eq!(answered.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    let answered = call(&world, ROOT, Method::GET, "/trail?lmit=5", None).await;
    assert_eq!(answered.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn rescue_works_on_this_machine_only() {
    let world = World::new().await;
    let rescued = call(
        &world,
        ROOT,
        Method::POST,
        "/rescue/administrator",
        Some(json!({})),
    )
    .await;
    assert_eq!(rescued.status, StatusCode::CREATED, "{}", rescued.body);
    let body = Some(json!({}));
    let stranger = call(
        &world,
        world.client(),
        Method::POST,
        "/rescue/administrator",
        body,
    )
    .await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn health_names_every_part() {
    let world = World::new().await;
    let health = parsed(&call(&world, ROOT, Method::GET, "/health", None).await);
    let names: Vec<_> = health["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        names,
        ["store", "trail", "estate", "gateways", "certificates"]
    );
    let metrics = call(&world, ROOT, Method::GET, "/metrics", None).await;
    assert!(
        metrics
            .body
            .contains("rampart_component_up{component=\"trail\"} 1")
    );
    assert!(metrics.body.contains("rampart_estate_version 1"));
}
