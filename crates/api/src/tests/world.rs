//! A small installation with real services on a temporary folder; shared by the tests of the API
//! and of the console.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use model::{Context, Event, RequestId, SharedClock, SharedEntropy};
use testkit::{FakeClock, SeededEntropy};

use super::api::{Counters, Facts, History, Peer, Services};

pub(crate) const ESTATE: &str = r#"
[estate]
name = "shop"
domain = "shop.example"

[listen]
https = ["127.0.0.1:8443"]

[console]
host = "rampart.shop.example"

[[zone]]
name = "app"

[[host]]
name = "web-1"
zone = "app"
address = "127.0.0.1"

[[service]]
name = "shop"
hosts = ["web-1"]
port = 8080

[[role]]
name = "support"
about = "Sees orders"
allow = ["orders:read"]

[[route]]
name = "orders"
host = "www.shop.example"
path = "/api/orders/**"
to = "shop"
auth = "required"
require = "orders:read"
"#;

pub(crate) struct World {
    pub(crate) gateway: Arc<super::gateway::Quiet>,
    pub(crate) services: Services,
    pub(crate) clock: FakeClock,
    _dir: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

async fn open_store(dir: &Path, clock: &SharedClock, entropy: &SharedEntropy) -> store::Store {
    let keyring = keyring::Keyring::new(keyring::RootKey::generate(&**entropy));
    store::Store::open(
        store::Settings {
            location: store::Location::Sqlite(dir.join("rampart.db")),
            backups: dir.join("backups"),
            without_backup: store::WithoutBackup::Refuse,
        },
        Arc::new(keyring),
        clock.clone(),
        entropy.clone(),
        &[identity::MIGRATIONS, rollout::MIGRATIONS],
    )
    .await
    .unwrap()
}

async fn open_trail(
    dir: &Path,
    store: &store::Store,
    clock: &SharedClock,
    entropy: &SharedEntropy,
) -> (trail::Trail, String) {
    let trail_dir = dir.join("trail");
    std::fs::create_dir(&trail_dir).unwrap();
    let key = merkle::SigningKey::from_seed("shop.example/trail", &[7; 32]).unwrap();
    let trail_key = key.verifying_key().to_string();
    let trail = trail::Trail::open(
        trail::Settings {
            dir: trail_dir,
            origin: "shop.example/trail".to_owned(),
            reserve: model::ByteSize(64 * 1024),
            checkpoints: Vec::new(),
        },
        store.clone(),
        key,
        clock.clone(),
        entropy.clone(),
    )
    .await
    .unwrap();
    (trail, trail_key)
}

impl World {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = FakeClock::new();
        let shared: SharedClock = Arc::new(clock.clone());
        let entropy: SharedEntropy = Arc::new(SeededEntropy::new(7));
        let store = open_store(dir.path(), &shared, &entropy).await;
        let (trail, trail_key) = open_trail(dir.path(), &store, &shared, &entropy).await;
        let rollout = rollout::Rollout::open(
            store.clone(),
            trail.clone(),
            shared.clone(),
            entropy.clone(),
        )
        .await
        .unwrap();
        let system = Context::system(&*shared, &*entropy);
        let plan = rollout.plan(&system, ESTATE).await.unwrap();
        let plan = rollout::PlanRef {
            base: plan.base,
            hash: plan.hash,
        };
        let version = rollout.apply(&system, &plan, ESTATE).await.unwrap();
        let identity = identity::Identity::open(
            store.clone(),
            trail.clone(),
            Arc::new(version.estate.clone()),
            shared.clone(),
            entropy.clone(),
            identity::Settings {
                issuer: "https://rampart.shop.example".to_owned(),
                cost: identity::password::Cost::FOR_TESTS,
                hash_slots: 1,
            },
        )
        .await
        .unwrap();
        let gateway = Arc::new(super::gateway::Quiet::default());
        let services = Services {
            identity,
            rollout,
            trail,
            gateway: gateway.clone(),
            store,
            clock: shared,
            entropy,
            facts: Facts {
                data: dir.path().to_owned(),
                estate_file: None,
                uid: 1000,
                trail_key,
                version: "0.0.0-test",
            },
            counters: Arc::new(Counters::default()),
            history: Arc::new(History::default()),
            reports: Arc::default(),
        };
        Self {
            services,
            gateway,
            clock,
            _dir: dir,
        }
    }

    pub(crate) fn system(&self) -> Context {
        Context::system(&*self.services.clock, &*self.services.entropy)
    }

    /// The peer of a client of the gateway.
    pub(crate) fn client(&self) -> Peer {
        Peer::Gateway {
            client: "198.51.100.7".parse().unwrap(),
            request_id: RequestId::new(&*self.services.clock, &*self.services.entropy),
        }
    }

    /// Events of a kind, newest first.
    pub(crate) async fn events(&self, kind: &str) -> Vec<Event> {
        let query = trail::Query {
            kind: Some(kind.to_owned()),
            ..trail::Query::default()
        };
        let page = self.services.trail.search(&query).await.unwrap();
        page.records
            .into_iter()
            .map(|record| record.event)
            .collect()
    }
}

/// Sends one request through a router.
pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answered {
    use tower::ServiceExt as _;
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answered {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

/// A request with a peer.
pub(crate) fn request(peer: Peer, method: Method, path: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "rampart.shop.example:8443")
        .extension(peer)
}
