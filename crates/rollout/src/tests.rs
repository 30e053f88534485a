//! What an apply promises: whole or not at all, one at a time, recorded, and kept.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use ::store::{Location, Settings, Store, WithoutBackup};
use keyring::{Keyring, RootKey};
use merkle::SigningKey;
use model::{ByteSize, Context, Diagnostic, ErrorKind, RequestId, SharedClock, SharedEntropy, own};
use tempfile::TempDir;
use testkit::{FakeClock, SeededEntropy};
use trail::{Query, Trail};

use crate::apply::PART_WAIT;
use crate::*;

mod applying;
mod documents;
mod rules;
mod several;

/// A folder with a database, as one or several control processes use it.
struct Fixture {
    folder: TempDir,
    location: Location,
    clock: SharedClock,
    entropy: SharedEntropy,
}

/// What one control process has open.
struct Control {
    rollout: Rollout,
    store: Store,
    trail: Trail,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::Sqlite(folder.path().join("test.db"));
        Self::at(folder, location)
    }

    /// On a database of its own on the server, or `None` where there is no server.
    fn postgres() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        #[expect(
            clippy::disallowed_methods,
            reason = "how a test run is told about its server"
        )]
        let Ok(server) = std::env::var("RAMPART_TEST_POSTGRES") else {
            eprintln!("skipped: RAMPART_TEST_POSTGRES is not set");
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("rampart_rollout_{}_{number}", std::process::id());
        let made = Command::new("psql")
            .args(["--quiet", "--dbname", &server, "--command"])
            .arg(format!("CREATE DATABASE {name}"))
            .status()
            .expect("psql comes with the PostgreSQL client");
        assert!(made.success());
        let (before, _) = server.rsplit_once('/').unwrap();
        let location = format!("{before}/{name}").parse().unwrap();
        Some(Self::at(tempfile::tempdir().unwrap(), location))
    }

    fn at(folder: TempDir, location: Location) -> Self {
        Self {
            folder,
            location,
            clock: Arc::new(FakeClock::new()),
            entropy: Arc::new(SeededEntropy::new(7)),
        }
    }

    /// Opens everything; the trail has a folder of its own for each `node`.
    async fn control(&self, node: &str) -> Control {
        let store = self.store().await;
        let dir = self.folder.path().join(node);
        std::fs::create_dir_all(&dir).unwrap();
        let settings = trail::Settings {
            dir,
            origin: format!("test.example/{node}"),
            reserve: ByteSize(64 * 1024),
            checkpoints: Vec::new(),
        };
        let key = SigningKey::from_seed(&settings.origin, &[9; 32]).unwrap();
        let (clock, entropy) = (self.clock.clone(), self.entropy.clone());
        let trail = Trail::open(settings, store.clone(), key, clock, entropy)
            .await
            .unwrap();
        let rollout = self.open(&store, &trail).await.unwrap();
        Control {
            rollout,
            store,
            trail,
        }
    }

    async fn open(&self, store: &Store, trail: &Trail) -> Result<Rollout, Error> {
        let (clock, entropy) = (self.clock.clone(), self.entropy.clone());
        Rollout::open(store.clone(), trail.clone(), clock, entropy).await
    }

    async fn store(&self) -> Store {
        let keyring = Keyring::new(RootKey::generate(&SeededEntropy::new(1)));
        let settings = Settings {
            location: self.location.clone(),
            backups: self.folder.path().join("backups"),
            without_backup: WithoutBackup::Refuse,
        };
        let (clock, entropy) = (self.clock.clone(), self.entropy.clone());
        Store::open(settings, Arc::new(keyring), clock, entropy, &[MIGRATIONS])
            .await
            .unwrap()
    }

    fn ctx(&self) -> Context {
        Context::system(&*self.clock, &*self.entropy)
    }

    fn ctx_as(&self, role: &str) -> Context {
        Context {
            permissions: own::built_in_role(role).unwrap(),
            ..self.ctx()
        }
    }

    fn stranger(&self) -> Context {
        Context::anonymous(RequestId::new(&*self.clock, &*self.entropy), None)
    }
}

impl Control {
    /// Plans and applies in one go.
    async fn apply(&self, ctx: &Context, source: &str) -> Result<Arc<Version>, Error> {
        let plan = self.rollout.plan(ctx, source).await?;
        self.rollout.apply(ctx, &reference(&plan), source).await
    }

    /// The kinds and targets of what was recorded, newest first.
    async fn recorded(&self) -> Vec<trail::Record> {
        let page = self.trail.search(&Query::default()).await.unwrap();
        page.records
            .into_iter()
            .filter(|record| record.event.kind.starts_with("rollout."))
            .collect()
    }

    async fn stored(&self) -> u64 {
        let newest = store::newest(&self.store).await.unwrap();
        newest.map_or(0, |stored| stored.summary.number)
    }
}

fn reference(plan: &Plan) -> PlanRef {
    PlanRef {
        base: plan.base,
        hash: plan.hash.clone(),
    }
}

fn first() -> String {
    estate::starter("acme")
}

/// The first estate with one more role.
fn second() -> String {
    format!(
        "{}\n[[role]]\nname = \"support\"\nallow = [\"app:support\"]\n",
        first()
    )
}

/// How a [`Part`] answers.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Ready,
    Refuse,
    Hang,
    BreakInPrepare,
    BreakInSwap,
}

/// A part that writes down what it was asked.
#[derive(Clone, Debug)]
struct Part {
    name: &'static str,
    answer: Arc<Mutex<Answer>>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Part {
    fn new(name: &'static str, log: &Arc<Mutex<Vec<String>>>) -> Self {
        Self {
            name,
            answer: Arc::new(Mutex::new(Answer::Ready)),
            log: log.clone(),
        }
    }

    fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    fn write(&self, what: &str, version: u64) {
        let line = format!("{} {what} {version}", self.name);
        self.log.lock().unwrap().push(line);
    }
}

impl Participant for Part {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare<'a>(&'a self, next: &'a Arc<Version>) -> Preparing<'a> {
        Box::pin(async move {
            let answer = *self.answer.lock().unwrap();
            match answer {
                Answer::Refuse => {
                    let message = "the certificate `a.pem` is missing".to_owned();
                    return Err(vec![Diagnostic::error("test.refused", None, message)]);
                }
                Answer::Hang => std::future::pending().await,
                Answer::BreakInPrepare => panic!("a defect in a part"),
                Answer::Ready | Answer::BreakInSwap => {}
            }
            self.write("prepares", next.number);
            let ready: Box<dyn Prepared> = Box::new(Ready(self.clone(), next.number));
            Ok(ready)
        })
    }
}

struct Ready(Part, u64);

impl Prepared for Ready {
    fn swap(self: Box<Self>) -> Swapping {
        Box::pin(async move {
            assert!(
                !matches!(*self.0.answer.lock().unwrap(), Answer::BreakInSwap),
                "a defect in a part"
            );
            self.0.write("swaps to", self.1);
        })
    }
}

fn take(log: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut log.lock().unwrap())
}
