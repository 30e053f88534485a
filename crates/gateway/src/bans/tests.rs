use std::sync::Arc;

use keyring::{Keyring, RootKey};
use merkle::SigningKey;
use model::{ByteSize, RequestId};
use testkit::{FakeClock, SeededEntropy};
use trail::Query;

use super::*;

struct Ground {
    _folder: tempfile::TempDir,
    clock: FakeClock,
    bans: Bans,
    trail: Trail,
}

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
        let parts = [MIGRATIONS];
        let store = Store::open(settings, keyring, shared.clone(), entropy.clone(), &parts);
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
        let trail = trail.await.unwrap();
        Self {
            bans: Bans::new(store, trail.clone(), shared, entropy),
            _folder: folder,
            clock,
            trail,
        }
    }

    fn administrator(&self) -> Context {
        let mut ctx = Context::system(&self.clock, &SeededEntropy::new(2));
        ctx.source = Some("198.51.100.7".parse().unwrap());
        ctx
    }

    async fn ban(&self, network: &str, seconds: u64, reason: &str) -> Result<Ban, Error> {
        let length = Duration::from_secs(seconds);
        let network = network.parse().unwrap();
        self.bans
            .ban(&self.administrator(), network, length, reason)
            .await
    }
}

#[tokio::test]
async fn ban_is_in_force_told_recorded_and_ends() {
    let ground = Ground::new().await;
    let mut told = ground.bans.watch();
    let ban = ground.ban("192.0.2.0/24", 60, " guessing ").await.unwrap();
    assert_eq!(ban.reason, "guessing");
    assert_eq!(told.recv().await.unwrap(), IdentityChange::Ban(ban.clone()));
    let list = ground.bans.list(&ground.administrator()).await.unwrap();
    assert_eq!(list, [ban]);
    let page = ground.trail.search(&Query::default()).await.unwrap();
    assert_eq!(page.records[0].event.kind, "gateway.ban.placed");
    ground.clock.advance(Duration::from_secs(60));
    assert_eq!(ground.bans.in_force().await.unwrap(), []);
    ground.bans.tend().await.unwrap();
}

#[tokio::test]
async fn lifted_ban_is_gone_told_and_recorded() {
    let ground = Ground::new().await;
    let ban = ground.ban("2001:db8::/32", 60, "scanner").await.unwrap();
    let mut told = ground.bans.watch();
    let ctx = ground.administrator();
    ground.bans.lift(&ctx, ban.id).await.unwrap();
    assert_eq!(told.recv().await.unwrap(), IdentityChange::BanGone(ban.id));
    assert_eq!(ground.bans.in_force().await.unwrap(), []);
    let again = ground.bans.lift(&ctx, ban.id).await;
    assert!(matches!(again, Err(Error::NotFound(id)) if id == ban.id));
    let page = ground.trail.search(&Query::default()).await.unwrap();
    assert_eq!(page.records[0].event.kind, "gateway.ban.lifted");
}

#[tokio::test]
async fn bans_that_would_hurt_more_than_they_help_are_refused() {
    let ground = Ground::new().await;
    for (network, seconds, reason) in [
        ("0.0.0.0/0", 60, "everybody"),
        ("10.0.0.0/7", 60, "too wide"),
        ("2000::/3", 60, "too wide"),
        ("198.51.100.0/24", 60, "contains whoever asks"),
        ("192.0.2.1", 0, "no time"),
        ("192.0.2.1", 366 * 24 * 3600, "too long"),
        ("192.0.2.1", 60, "  "),
        ("192.0.2.1", 60, "two\nlines"),
    ] {
        let refused = ground.ban(network, seconds, reason).await;
        assert!(
            matches!(refused, Err(Error::Invalid(_))),
            "{network} {reason}"
        );
    }
    assert_eq!(ground.bans.in_force().await.unwrap(), []);
}

#[tokio::test]
async fn stranger_may_neither_look_nor_ban_nor_lift() {
    let ground = Ground::new().await;
    let stranger = Context::anonymous(RequestId::from_raw(1), None);
    let network = "192.0.2.1".parse().unwrap();
    let length = Duration::from_secs(60);
    assert!(matches!(
        ground.bans.list(&stranger).await,
        Err(Error::Denied(_))
    ));
    let banned = ground.bans.ban(&stranger, network, length, "no").await;
    assert!(matches!(banned, Err(Error::Denied(_))));
    let lifted = ground.bans.lift(&stranger, BanId::from_raw(1)).await;
    assert!(matches!(lifted, Err(Error::Denied(_))));
}
