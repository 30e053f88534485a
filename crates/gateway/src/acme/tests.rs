use std::time::Duration;

use keyring::{Keyring, RootKey};
use merkle::SigningKey;
use model::{ByteSize, Clock as _, Secret};
use net::{Authority, Purpose};
use testkit::{FakeClock, SeededEntropy};
use trail::Query;

use super::*;
use crate::link::{ControlPort, ExchangeRefused, PortFuture, Seal};

/// Control's services; no gateway links itself in these tests.
#[derive(Debug)]
struct Nobody;

impl ControlPort for Nobody {
    fn exchange<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: std::net::IpAddr,
        _: model::RequestId,
    ) -> PortFuture<'a, Result<Secret<String>, ExchangeRefused>> {
        Box::pin(async { Err(ExchangeRefused::Refused) })
    }

    fn sign_out<'a>(
        &'a self,
        _: model::SessionId,
        _: &'a str,
        _: std::net::IpAddr,
        _: model::RequestId,
    ) -> PortFuture<'a, bool> {
        Box::pin(async { false })
    }

    fn record<'a>(
        &'a self,
        _: &'a str,
        _: Vec<model::Event>,
    ) -> PortFuture<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn sealed<'a>(&'a self, _: &'a str, _: Seal) -> PortFuture<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn seen<'a>(&'a self, _: Vec<(model::SessionId, Timestamp)>) -> PortFuture<'a, ()> {
        Box::pin(async {})
    }
}

struct Ground {
    folder: tempfile::TempDir,
    clock: FakeClock,
    acme: Acme,
    parts: Parts,
}

const HOST: &str = "www.shop.de";

impl Ground {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("trail");
        std::fs::create_dir(&dir).unwrap();
        let clock = FakeClock::new();
        let (shared, entropy): (SharedClock, SharedEntropy) =
            (Arc::new(clock.clone()), Arc::new(SeededEntropy::new(4)));
        let settings = ::store::Settings {
            location: ::store::Location::Sqlite(folder.path().join("test.db")),
            backups: folder.path().join("backups"),
            without_backup: ::store::WithoutBackup::Refuse,
        };
        let keyring = Arc::new(Keyring::new(RootKey::generate(&SeededEntropy::new(1))));
        let store = Store::open(
            settings,
            keyring,
            shared.clone(),
            entropy.clone(),
            &[MIGRATIONS],
        );
        let store = store.await.unwrap();
        let settings = trail::Settings {
            dir,
            origin: "test".to_owned(),
            reserve: ByteSize(0),
            checkpoints: Vec::new(),
        };
        let key = SigningKey::from_seed("test", &[1; 32]).unwrap();
        let trail = Trail::open(
            settings,
            store.clone(),
            key,
            shared.clone(),
            entropy.clone(),
        );
        let parts = Parts {
            store,
            trail: trail.await.unwrap(),
            hub: Hub::new(Arc::new(Nobody), shared.clone()),
            base: folder.path().to_path_buf(),
            clock: shared,
            entropy,
        };
        Self {
            folder,
            clock,
            acme: Acme::open(parts.clone()).await.unwrap(),
            parts,
        }
    }

    /// An estate that wants one certificate, of a directory where nobody listens.
    fn estate(&self) -> Estate {
        let authority = self.authority();
        let file = self.folder.path().join("ca.pem");
        ::store::atomic_write(&file, authority.certificate().as_bytes(), 0o644).unwrap();
        // Port 1 of loopback: nobody is there.
        let text = format!(
            "[estate]\nname = \"s\"\ndomain = \"shop.de\"\n[listen]\nhttp = [\"127.0.0.1:0\"]\n\
             [acme]\ndirectory = \"{}\"\nterms_agreed = true\nauthority = \"ca.pem\"\n\
             hosts = [\"{HOST}\"]\n[[zone]]\nname = \"a\"\n[[service]]\nname = \"w\"\n\
             address = \"127.0.0.1:8000\"\n[[route]]\nhost = \"www\"\npath = \"/**\"\nto = \"w\"\n\
             auth = \"none\"\n",
            DIRECTORY
        );
        Estate::parse(&text)
            .unwrap_or_else(|list| panic!("{list:?}"))
            .estate
    }

    fn authority(&self) -> Authority {
        Authority::create("test", &self.clock, &SeededEntropy::new(3)).unwrap()
    }

    /// As if the directory had issued one now; it is good for 60 days.
    async fn hold(&self, acme: &Acme) {
        let hosts = [HOST.to_owned()];
        let made =
            self.authority()
                .issue(&hosts, Purpose::Server, &self.clock, &SeededEntropy::new(9));
        let made = made.unwrap();
        let brought = order::Brought {
            chain: made.chain,
            key: made.key,
        };
        let wanted = self.estate().acme.unwrap();
        acme.keep(&wanted, HOST, brought).await.unwrap();
    }

    async fn events(&self, kind: &str) -> usize {
        let query = Query {
            kind: Some(kind.to_owned()),
            ..Query::default()
        };
        self.parts.trail.search(&query).await.unwrap().records.len()
    }

    fn status(&self) -> Status {
        self.acme.status().remove(0)
    }
}

const DIRECTORY: &str = "https://127.0.0.1:1/dir";

#[tokio::test]
async fn directory_that_is_away_is_tried_again_with_growing_pauses() {
    let ground = Ground::new().await;
    ground.acme.follow(&ground.estate());
    let mut pauses = Vec::new();
    for failures in 1..=4 {
        let next = ground.acme.tick().await.unwrap().unwrap();
        let status = ground.status();
        assert_eq!((status.failures, status.next), (failures, next));
        assert!(status.error.unwrap().contains("cannot reach `127.0.0.1:1`"));
        // Not due yet: nothing more is tried.
        ground.acme.tick().await.unwrap();
        assert_eq!(ground.status().failures, failures);
        pauses.push(next.since(ground.clock.now()).as_secs() / 60);
        ground.clock.advance(next.since(ground.clock.now()));
    }
    for (pause, least) in pauses.iter().zip([1, 2, 4, 8]) {
        assert!((least..=least * 5 / 4).contains(pause), "{pauses:?}");
    }
    assert_eq!(ground.events("gateway.certificate.failed").await, 4);
    // What was tried outlives a restart.
    let again = Acme::open(ground.parts.clone()).await.unwrap();
    again.follow(&ground.estate());
    assert_eq!(again.status().remove(0).failures, 4);
}

#[tokio::test]
async fn held_certificate_is_left_alone_until_a_third_of_its_life_and_said_to_run_out() {
    let ground = Ground::new().await;
    let estate = ground.estate();
    ground.acme.follow(&estate);
    let mut changes = ground.acme.watch();
    ground.hold(&ground.acme).await;
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    assert_eq!(ground.acme.certificates(&estate).len(), 1);
    let day = Duration::from_hours(24);
    for _ in 0..37 {
        ground.acme.tick().await.unwrap();
        ground.clock.advance(day);
    }
    assert_eq!(ground.status().failures, 0, "it was not asked for");
    ground.clock.advance(3 * day);
    ground.acme.tick().await.unwrap();
    assert_eq!(ground.status().failures, 1, "it is due after forty days");
    assert_eq!(ground.events("gateway.certificate.expiring").await, 0);
    assert_eq!(ground.acme.certificates(&estate).len(), 1, "and served on");
    ground.clock.advance(11 * day);
    for _ in 0..3 {
        ground.acme.tick().await.unwrap();
    }
    assert_eq!(
        ground.events("gateway.certificate.expiring").await,
        1,
        "once"
    );
    assert!(!changes.has_changed().unwrap());
}

#[tokio::test]
async fn certificate_outlives_a_restart_sealed_and_another_process_takes_it_over() {
    let ground = Ground::new().await;
    let estate = ground.estate();
    let other = Acme::open(ground.parts.clone()).await.unwrap();
    other.follow(&estate);
    ground.acme.follow(&estate);
    ground.hold(&ground.acme).await;
    assert!(other.certificates(&estate).is_empty());
    other.tick().await.unwrap();
    let [theirs] = other.certificates(&estate).try_into().unwrap();
    let [ours] = ground.acme.certificates(&estate).try_into().unwrap();
    assert_eq!(
        (&theirs.chain, theirs.key.expose()),
        (&ours.chain, ours.key.expose())
    );
    let file = std::fs::read(ground.folder.path().join("test.db")).unwrap();
    let wal = std::fs::read(ground.folder.path().join("test.db-wal")).unwrap_or_default();
    let secret = ours.key.expose().lines().nth(1).unwrap();
    for bytes in [file, wal] {
        let found = bytes
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        assert!(!found, "the key stands in no file");
    }
}

#[tokio::test]
async fn only_one_process_orders_at_a_time() {
    let ground = Ground::new().await;
    ground.acme.follow(&ground.estate());
    let store = &ground.parts.store;
    assert!(
        store
            .lease("gateway.acme", "other", Duration::from_secs(60))
            .await
            .unwrap()
    );
    ground.acme.tick().await.unwrap();
    assert_eq!(ground.status().failures, 0);
    ground.clock.advance(Duration::from_secs(61));
    ground.acme.tick().await.unwrap();
    assert_eq!(ground.status().failures, 1);
}

#[tokio::test]
async fn renewal_by_hand_is_authorised_recorded_and_due_at_once() {
    let ground = Ground::new().await;
    let ctx = Context::system(&ground.clock, &SeededEntropy::new(2));
    let off = ground.acme.renew(&ctx, HOST).await.unwrap_err();
    assert!(matches!(off, Error::Off));
    ground.acme.follow(&ground.estate());
    ground.hold(&ground.acme).await;
    let nobody = Context::anonymous(ctx.request_id, None);
    let denied = ground.acme.renew(&nobody, HOST).await.unwrap_err();
    assert!(matches!(denied, Error::Denied(_)));
    let unknown = ground.acme.renew(&ctx, "other.shop.de").await.unwrap_err();
    assert!(matches!(unknown, Error::NotWanted(_)));
    ground.acme.renew(&ctx, "WWW.shop.de").await.unwrap();
    assert_eq!(ground.status().next, ground.clock.now());
    ground.acme.tick().await.unwrap();
    assert_eq!(
        ground.status().failures,
        1,
        "nobody is there, but it was tried"
    );
    assert_eq!(ground.events("gateway.certificate.asked_for").await, 1);
}

#[tokio::test]
async fn certificate_for_another_name_is_not_kept() {
    let ground = Ground::new().await;
    let hosts = ["other.shop.de".to_owned()];
    let made = ground.authority().issue(
        &hosts,
        Purpose::Server,
        &ground.clock,
        &SeededEntropy::new(9),
    );
    let made = made.unwrap();
    let brought = order::Brought {
        chain: made.chain,
        key: made.key,
    };
    let wanted = ground.estate().acme.unwrap();
    let failure = ground.acme.keep(&wanted, HOST, brought).await.unwrap_err();
    assert_eq!(
        failure.text,
        format!("the issued certificate is not for `{HOST}`")
    );
    assert!(ground.acme.certificates(&ground.estate()).is_empty());
}
