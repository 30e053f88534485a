//! A worker's way to a real server: counted exactly, and what happens when it is not there.

use std::path::Path;

use estate::StoreAddress;
use rustix::process::{Pid, Signal, kill_process};
use testkit::{FakeClock, RedisServer, SeededEntropy, eventually};

use super::*;
use crate::limiter::{Client, Limits};

const SOON: Duration = Duration::from_secs(60);

/// Says why a test did not run.
pub(super) fn skipped() {
    eprintln!("skipped: redis-server is not installed");
}

struct Fixture {
    folder: tempfile::TempDir,
    server: RedisServer,
    clock: Arc<FakeClock>,
}

impl Fixture {
    /// `None` when no server is installed.
    async fn new(more: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let server = RedisServer::start(folder.path(), more).await.unwrap();
        if server.is_none() {
            skipped();
        }
        Some(Self {
            folder,
            server: server?,
            clock: Arc::new(FakeClock::new()),
        })
    }

    fn settings(&self) -> SharedLimits {
        SharedLimits {
            address: StoreAddress {
                tls: false,
                host: "127.0.0.1".to_owned(),
                port: self.server.address().port(),
                database: 0,
            },
            authority: None,
            user: None,
            password_file: None,
            // Of a test: nobody waits so long in earnest.
            timeout: Duration::from_secs(30),
            when_away: WhenAway::Local,
        }
    }

    fn store(&self, settings: SharedLimits) -> Arc<Store> {
        let maker = Maker {
            base: self.folder.path().to_owned(),
            clock: Arc::clone(&self.clock) as _,
            entropy: Arc::new(SeededEntropy::new(1)),
            recorder: None,
        };
        Arc::new(Store::new(settings, maker, ("t", "t.example")))
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        store::atomic_write(&path, text.as_bytes(), 0o600).unwrap();
        path.to_str().unwrap().to_owned()
    }

    async fn command(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        let client = redis::Client::open(format!("redis://{}", self.server.address())).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        command.query_async(&mut connection).await
    }

    fn signal(&self, signal: Signal) {
        let id = self.server.id().and_then(|id| i32::try_from(id).ok());
        kill_process(id.and_then(Pid::from_raw).unwrap(), signal).unwrap();
    }
}

fn limits() -> Limits {
    let source = "[estate]\nname = \"t\"\ndomain = \"t.example\"\n[[service]]\nname = \"s\"\n\
                  address = \"127.0.0.1:1\"\n[[route]]\npath = \"/**\"\nto = \"s\"\nauth = \"none\"\n\
                  limit = [\"50/h per address\", \"1000/h per route\"]\n";
    let estate = Estate::parse(source).unwrap().estate;
    crate::limiter::compile(&estate, |_, _| 1).remove(0)
}

/// Asks about a request of one address.
async fn ask(line: &Line, store: &Arc<Store>, limits: &Limits) -> Result<bool, Asked> {
    let client = Client::of("192.0.2.1".parse().unwrap());
    let whats = [What::RouteAddress(1, client), What::Route(1)];
    let question = store.question(1, Mode::Block, limits.rates.iter().zip(whats));
    let said = line.ask(store, &question).await?;
    Ok(said.iter().all(|one| one.allowed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_of_several_workers_count_one_limit_exactly() {
    let Some(fixture) = Fixture::new(&[]).await else {
        return;
    };
    let limits = Arc::new(limits());
    let mut asking = Vec::new();
    for _process in 0..2 {
        let store = fixture.store(fixture.settings());
        for _worker in 0..2 {
            let line = Line::default();
            for _ in 0..60 {
                let (line, store, limits) = (line.clone(), Arc::clone(&store), Arc::clone(&limits));
                asking.push(tokio::spawn(
                    async move { ask(&line, &store, &limits).await },
                ));
            }
        }
    }
    let mut allowed = 0;
    for one in asking {
        allowed += usize::from(one.await.unwrap().unwrap());
    }
    assert_eq!(allowed, 50);
    // What was refused by one costs nothing of the other; and nothing stays for ever.
    let keys = fixture.command(&["KEYS", "*"]).await.unwrap();
    let keys: Vec<String> = redis::from_redis_value(keys).unwrap();
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in &keys {
        assert!(key.starts_with("rampart:limit:1:{t}:"), "{key}");
        let left = fixture.command(&["PTTL", key]).await.unwrap();
        let left: i64 = redis::from_redis_value(left).unwrap();
        assert!((1..=3_600_000).contains(&left), "{key}: {left}");
    }
}

#[tokio::test]
async fn server_that_forgot_the_script_is_told_it_again() {
    let Some(fixture) = Fixture::new(&[]).await else {
        return;
    };
    let (store, line, limits) = (fixture.store(fixture.settings()), Line::default(), limits());
    assert_eq!(ask(&line, &store, &limits).await, Ok(true));
    fixture.command(&["SCRIPT", "FLUSH"]).await.unwrap();
    assert_eq!(ask(&line, &store, &limits).await, Ok(true));
    assert_eq!(store.stats().outcomes[0], ("counted", 2));
}

#[tokio::test]
async fn connection_that_was_closed_is_made_anew_beneath_the_question() {
    let Some(fixture) = Fixture::new(&[]).await else {
        return;
    };
    let (store, line, limits) = (fixture.store(fixture.settings()), Line::default(), limits());
    for _ in 0..5 {
        assert_eq!(ask(&line, &store, &limits).await, Ok(true));
        fixture
            .command(&["CLIENT", "KILL", "TYPE", "normal"])
            .await
            .unwrap();
    }
    assert!(!store.stats().is_away);
}

#[tokio::test]
async fn server_that_ends_is_not_waited_for_and_found_again_by_itself() {
    let Some(mut fixture) = Fixture::new(&[]).await else {
        return;
    };
    let (store, line, limits) = (fixture.store(fixture.settings()), Line::default(), limits());
    assert_eq!(ask(&line, &store, &limits).await, Ok(true));
    fixture.server.end().await.unwrap();
    assert_eq!(ask(&line, &store, &limits).await, Err(Asked::Failed));
    for _ in 0..100 {
        assert_eq!(ask(&line, &store, &limits).await, Err(Asked::Away));
    }
    assert!(store.stats().is_away);
    // A trial that fails changes nothing.
    fixture.clock.advance(Duration::from_secs(6));
    assert_eq!(ask(&line, &store, &limits).await, Err(Asked::Away));
    fixture.server.start_again().await.unwrap();
    let back = || async {
        fixture.clock.advance(Duration::from_secs(6));
        ask(&line, &store, &limits).await == Ok(true)
    };
    assert!(eventually(SOON, back).await);
    assert!(!store.stats().is_away);
}

#[tokio::test]
async fn server_that_hangs_costs_three_requests_their_time_and_no_more() {
    let Some(fixture) = Fixture::new(&[]).await else {
        return;
    };
    let line = Line::default();
    let limits = limits();
    let warm = fixture.store(fixture.settings());
    assert_eq!(ask(&line, &warm, &limits).await, Ok(true));
    let mut settings = fixture.settings();
    settings.timeout = Duration::from_millis(300);
    let store = fixture.store(settings);
    let connected = || async { ask(&line, &store, &limits).await == Ok(true) };
    assert!(eventually(SOON, connected).await);
    fixture.signal(Signal::STOP);
    for _ in 0..3 {
        assert_eq!(ask(&line, &store, &limits).await, Err(Asked::Late));
    }
    let asked = tokio::time::Instant::now();
    for _ in 0..100 {
        assert_eq!(ask(&line, &store, &limits).await, Err(Asked::Away));
    }
    assert!(asked.elapsed() < Duration::from_secs(20), "nobody waited");
    fixture.signal(Signal::CONT);
    let back = || async {
        fixture.clock.advance(Duration::from_secs(6));
        ask(&line, &store, &limits).await == Ok(true)
    };
    assert!(eventually(SOON, back).await);
}

#[tokio::test]
async fn password_is_read_anew_and_a_narrow_user_is_enough() {
    let Some(fixture) = Fixture::new(&[]).await else {
        return;
    };
    let rules = [
        "ACL",
        "SETUSER",
        "rampart",
        "on",
        ">right",
        "~rampart:limit:*",
        "-@all",
        "+evalsha",
        "+eval",
        "+time",
        "+get",
        "+set",
        "+select",
        "+hello",
    ];
    fixture.command(&rules).await.unwrap();
    let mut settings = fixture.settings();
    settings.user = Some("rampart".to_owned());
    settings.password_file = Some(fixture.write("password", "wrong\n"));
    settings.address.database = 1;
    let (store, line, limits) = (fixture.store(settings), Line::default(), limits());
    assert_eq!(ask(&line, &store, &limits).await, Err(Asked::Failed));
    assert!(store.stats().is_away);
    fixture.write("password", "right\n");
    let back = || async {
        fixture.clock.advance(Duration::from_secs(6));
        ask(&line, &store, &limits).await == Ok(true)
    };
    assert!(eventually(SOON, back).await);
    // It may do nothing else.
    fixture
        .command(&["ACL", "SETUSER", "rampart", "-set"])
        .await
        .unwrap();
    assert_eq!(ask(&line, &store, &limits).await, Err(Asked::Failed));
}

#[tokio::test]
async fn tls_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        store::atomic_write(&path, text.as_bytes(), 0o600).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let chain = write("chain.pem", made.cert.pem());
    let key = write("key.pem", made.signing_key.serialize_pem());
    let more = [
        "--port",
        "0",
        "--tls-port",
        "PORT",
        "--tls-cert-file",
        &chain,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &chain,
        "--tls-auth-clients",
        "no",
    ];
    let Some(fixture) = Fixture::new(&more).await else {
        return;
    };
    let mut settings = fixture.settings();
    settings.address.tls = true;
    settings.address.host = "localhost".to_owned();
    settings.authority = Some(chain);
    let (store, limits) = (fixture.store(settings.clone()), limits());
    let line = Line::default();
    assert_eq!(ask(&line, &store, &limits).await, Ok(true));
    // Another name, and other authorities, are not the one that is meant.
    let mut named = settings.clone();
    named.address.host = "127.0.0.1".to_owned();
    assert_eq!(
        ask(&line, &fixture.store(named), &limits).await,
        Err(Asked::Failed)
    );
    settings.authority = None;
    if Path::new("/etc/ssl/certs/ca-certificates.crt").exists() {
        let store = fixture.store(settings);
        assert_eq!(ask(&line, &store, &limits).await, Err(Asked::Failed));
    }
}

#[tokio::test]
async fn version_whose_files_cannot_be_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let maker = Maker {
        base: folder.path().to_owned(),
        clock: Arc::new(FakeClock::new()),
        entropy: Arc::new(SeededEntropy::new(1)),
        recorder: None,
    };
    let estate = |more: &str| {
        let source = format!(
            "[estate]\nname = \"t\"\ndomain = \"t.example\"\n[limits.shared]\n\
             address = \"rediss://localhost\"\n{more}\n"
        );
        Estate::parse(&source).unwrap().estate
    };
    for wrong in ["password_file = \"none\"", "authority = \"none\""] {
        let error = maker.store(&estate(wrong), None).unwrap_err();
        assert!(error.to_string().starts_with("shared limits: "), "{error}");
    }
    let path = folder.path().join("empty");
    store::atomic_write(&path, b"\n", 0o600).unwrap();
    assert!(
        maker
            .store(&estate("password_file = \"empty\""), None)
            .is_err()
    );
}
