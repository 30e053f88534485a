//! A store, a trail and an estate around one identity, on either engine.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::password::Cost;
use crate::{
    Device, Error, Identity, Invitation, NewApiKey, NewPerson, Proof, Settings, SignedIn, totp,
};
use estate::Estate;
use keyring::{Keyring, RootKey};
use merkle::SigningKey;
use model::{ByteSize, Clock as _, Context, PersonId, RequestId, Secret};
use sqlx::Connection as _;
use store::{Location, Store};
use tempfile::TempDir;
use testkit::{FakeClock, SeededEntropy};
use trail::{Query, Trail};

/// The estate of every test: two roles, one group.
pub(crate) const ESTATE: &str = r#"
[estate]
name = "acme"
domain = "shop.example"

[console]
host = "rampart.shop.example"

[[zone]]
name = "app"

[[host]]
name = "api-1"
zone = "app"
address = "127.0.0.1"

[[service]]
name = "orders"
hosts = ["api-1"]
port = 8080

[[role]]
name = "support"
allow = ["orders:read", "orders:refund"]

[[role]]
name = "reader"
allow = ["orders:read"]

[[group]]
name = "staff"
roles = ["reader"]

[[route]]
host = "orders.shop.example"
path = "/**"
to = "orders"
auth = "required"
require = "orders:read"

[[route]]
host = "stock.shop.example"
path = "/**"
to = "orders"
auth = "required"
require = "orders:read"
"#;

/// What outlives one opening of an identity.
pub(crate) struct Ground {
    folder: TempDir,
    location: Location,
    pub(crate) clock: FakeClock,
    pub(crate) entropy: Arc<SeededEntropy>,
}

impl Ground {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::Sqlite(folder.path().join("test.db"));
        Self::new(folder, location)
    }

    /// A database of its own on the server, or `None` where there is no server.
    pub(crate) async fn postgres() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        #[expect(
            clippy::disallowed_methods,
            reason = "how a test run is told about its server"
        )]
        let Ok(server) = std::env::var("RAMPART_TEST_POSTGRES") else {
            eprintln!("skipped on PostgreSQL: RAMPART_TEST_POSTGRES is not set");
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("rampart_identity_{}_{number}", std::process::id());
        let mut admin = sqlx::PgConnection::connect(&server).await.unwrap();
        for sql in [
            format!("DROP DATABASE IF EXISTS {name}"),
            format!("CREATE DATABASE {name}"),
        ] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
                .execute(&mut admin)
                .await
                .unwrap();
        }
        let (before, _) = server.rsplit_once('/').unwrap();
        let location = format!("{before}/{name}").parse().unwrap();
        Some(Self::new(tempfile::tempdir().unwrap(), location))
    }

    fn new(folder: TempDir, location: Location) -> Self {
        std::fs::create_dir(folder.path().join("trail")).unwrap();
        let (clock, entropy) = (FakeClock::new(), Arc::new(SeededEntropy::new(7)));
        Self {
            folder,
            location,
            clock,
            entropy,
        }
    }

    pub(crate) async fn store(&self) -> Store {
        let keyring = Keyring::new(RootKey::generate(&SeededEntropy::new(1)));
        let settings = store::Settings {
            location: self.location.clone(),
            backups: self.folder.path().join("backups"),
            without_backup: store::WithoutBackup::Migrate,
        };
        let clock = Arc::new(self.clock.clone());
        let parts = [crate::MIGRATIONS];
        Store::open(
            settings,
            Arc::new(keyring),
            clock,
            self.entropy.clone(),
            &parts,
        )
        .await
        .unwrap()
    }

    pub(crate) fn trail_folder(&self) -> PathBuf {
        self.folder.path().join("trail")
    }

    pub(crate) async fn trail(&self, store: Store) -> Trail {
        let settings = trail::Settings {
            dir: self.trail_folder(),
            origin: "shop.example/trail".to_owned(),
            reserve: ByteSize(64 * 1024),
            checkpoints: Vec::new(),
        };
        let key = SigningKey::from_seed("shop.example", &[7; 32]).unwrap();
        let clock = Arc::new(self.clock.clone());
        Trail::open(settings, store, key, clock, self.entropy.clone())
            .await
            .unwrap()
    }

    pub(crate) fn estate() -> Arc<Estate> {
        Arc::new(Estate::parse(ESTATE).unwrap().estate)
    }
}

/// A good password.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Somebody enrolled.
#[derive(Clone)]
pub(crate) struct Somebody {
    pub(crate) id: PersonId,
    pub(crate) login: String,
    pub(crate) seed: Vec<u8>,
    pub(crate) recovery: Vec<String>,
    pub(crate) cookie: String,
}

/// An identity on its ground.
pub(crate) struct World {
    pub(crate) ground: Ground,
    pub(crate) identity: Identity,
    pub(crate) trail: Trail,
}

pub(crate) fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

pub(crate) fn device() -> Device {
    Device::new("Firefox\n on Linux")
}

/// A key with all that its owner may do.
pub(crate) fn full_key(owner: &Context, name: &str) -> NewApiKey {
    NewApiKey {
        name: name.to_owned(),
        permissions: owner.permissions.clone(),
        networks: Vec::new(),
        expires_at: None,
        owner: None,
    }
}

impl World {
    pub(crate) async fn new(ground: Ground) -> Self {
        let store = ground.store().await;
        let trail = ground.trail(store.clone()).await;
        let identity = ground.identity(store, trail.clone()).await;
        Self {
            ground,
            identity,
            trail,
        }
    }

    /// The same ground after a restart.
    pub(crate) async fn restarted(self) -> Self {
        self.trail.close().await;
        Self::new(self.ground).await
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.ground.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn request(&self) -> RequestId {
        RequestId::new(&self.ground.clock, &*self.ground.entropy)
    }

    pub(crate) fn system(&self) -> Context {
        Context::system(&self.ground.clock, &*self.ground.entropy)
    }

    pub(crate) fn stranger(&self, address: &str) -> Context {
        Context::anonymous(self.request(), Some(address.parse().unwrap()))
    }

    pub(crate) async fn context(&self, cookie: &str) -> Option<Context> {
        self.identity
            .authenticate_session(cookie, self.request(), None)
            .await
            .unwrap()
    }

    pub(crate) fn code(&self, seed: &[u8]) -> String {
        totp::code(seed, totp::step(self.ground.clock.now()))
    }

    /// Sets credentials up with a link; the clock moves on to the next code.
    pub(crate) async fn enrol(&self, invitation: &Invitation) -> Somebody {
        let token = invitation.token.expose();
        let stranger = self.stranger("192.0.2.7");
        let offer = self
            .identity
            .enrol_password(&stranger, token, secret(PASSWORD))
            .await
            .unwrap();
        let seed = base32(offer.seed.expose());
        let code = self.code(&seed);
        let (signed_in, codes) = self
            .identity
            .enrol_confirm(&stranger, token, &code, &device())
            .await
            .unwrap();
        self.advance(30);
        Somebody {
            id: signed_in.person.id,
            login: signed_in.person.login.clone(),
            seed,
            recovery: codes.iter().map(|code| code.expose().clone()).collect(),
            cookie: signed_in.cookie.expose().clone(),
        }
    }

    /// The first administrator.
    pub(crate) async fn administrator(&self) -> Somebody {
        let offered = self
            .identity
            .ensure_first_administrator(&self.system())
            .await
            .unwrap();
        self.enrol(&offered.unwrap()).await
    }

    /// Somebody with roles, by Rampart itself with everything in hand.
    pub(crate) async fn somebody(&self, login: &str, roles: &[&str]) -> Somebody {
        let mut ctx = self.system();
        let estate = Ground::estate();
        let all = estate
            .roles
            .values()
            .flat_map(|role| role.allow.iter().cloned());
        ctx.permissions = ctx.permissions.iter().cloned().chain(all).collect();
        let new = NewPerson {
            login: login.to_owned(),
            name: format!("{login} the Tester"),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..NewPerson::default()
        };
        let invitation = self.identity.invite(&ctx, new).await.unwrap();
        self.enrol(&invitation).await
    }

    pub(crate) async fn sign_in(&self, who: &Somebody) -> Result<SignedIn, Error> {
        let stranger = self.stranger("192.0.2.7");
        let pending = self
            .identity
            .sign_in(&stranger, &who.login, secret(PASSWORD))
            .await?;
        let proof = Proof::Code(secret(&self.code(&who.seed)));
        let token = pending.token.expose();
        let signed_in = self
            .identity
            .sign_in_confirm(&stranger, token, &proof, &device())
            .await;
        self.advance(30);
        signed_in
    }

    /// Kinds of the events of identity, oldest first.
    pub(crate) async fn recorded(&self) -> Vec<String> {
        let query = Query {
            kind: Some("identity.".to_owned()),
            limit: 500,
            ..Query::default()
        };
        let page = self.trail.search(&query).await.unwrap();
        page.records
            .iter()
            .rev()
            .map(|record| record.event.kind.to_string())
            .collect()
    }
}

impl Ground {
    pub(crate) async fn identity(&self, store: Store, trail: Trail) -> Identity {
        let settings = Settings {
            issuer: "https://rampart.shop.example".to_owned(),
            cost: Cost::FOR_TESTS,
            hash_slots: 2,
        };
        let (clock, entropy) = (Arc::new(self.clock.clone()), self.entropy.clone());
        Identity::open(store, trail, Self::estate(), clock, entropy, settings)
            .await
            .unwrap()
    }

    /// Every byte of the database and of the trail, where they are files.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut all = Vec::new();
        let folders = [self.folder.path().to_path_buf(), self.trail_folder()];
        for entry in folders
            .iter()
            .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        {
            let path = entry.unwrap().path();
            if path.is_file() {
                all.extend(std::fs::read(path).unwrap());
            }
        }
        all
    }
}

/// The bytes of a seed as people type it.
pub(crate) fn base32(text: &str) -> Vec<u8> {
    let (mut bits, mut held, mut out) = (0u32, 0u32, Vec::new());
    for letter in text.bytes() {
        let digit = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
            .iter()
            .position(|l| *l == letter)
            .unwrap();
        held = (held << 5) | u32::try_from(digit).unwrap();
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(held >> bits & 0xFF).unwrap());
        }
        held &= 0xFFF;
    }
    out
}
