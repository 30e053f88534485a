//! The whole program under everything at once, for as long as it is told: good requests, broken
//! ones, services that stall and die, estates applied and keys revoked. Nothing may grow, nobody
//! may get an answer that no fault explains. `cargo xtask soak` runs it.

mod load;
mod watch;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use rustix::process::Signal;
use serde_json::json;
use testkit::{Process, eventually};
use tokio::time::Instant;

use self::watch::{Sample, judge, sample};
use crate::real_backends::program;
use crate::visitor::Visitor;
use crate::world::{SOON, World, signal};

/// How long after a fault an error is explained by it: the answer's time, and the time an address
/// is passed over.
const SHAKEN: Duration = Duration::from_secs(15);
/// LIMIT: complaints that are kept.
const COMPLAINTS_MAX: usize = 50;
/// Open files more than at the beginning, when all clients are gone: connections to services wait.
const FILES_MORE_MAX: usize = 64;

/// What every client reaches.
pub(super) struct Run {
    pub(super) world: World,
    pub(super) key: String,
    pub(super) malformed: Vec<Vec<u8>>,
    over: AtomicBool,
    counts: Mutex<BTreeMap<&'static str, u64>>,
    complaints: Mutex<Vec<String>>,
    shaken_until: Mutex<Instant>,
}

impl Run {
    pub(super) fn count(&self, what: &'static str) {
        *self.counts.lock().unwrap().entry(what).or_default() += 1;
    }

    fn complain(&self, what: String) {
        let mut complaints = self.complaints.lock().unwrap();
        if complaints.len() < COMPLAINTS_MAX {
            complaints.push(what);
        }
    }

    pub(super) fn is_shaken(&self) -> bool {
        Instant::now() < *self.shaken_until.lock().unwrap()
    }

    fn shake(&self) {
        *self.shaken_until.lock().unwrap() = Instant::now() + SHAKEN;
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    pub(super) async fn pause(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

fn routes(shaky: SocketAddr, more: bool) -> String {
    let mut text = format!("\n[[service]]\nname = \"shaky\"\naddress = \"{shaky}\"\n");
    let mut route = |name: &str, path: &str, to: &str, rest: &str| {
        text.push_str(&format!(
            "\n[[route]]\nname = \"{name}\"\nhost = \"app.localhost\"\npath = \"{path}\"\nto = \"{to}\"\n{rest}\n"
        ));
    };
    let open = "auth = \"none\"\nlimits = { body_max = \"8MiB\" }";
    route("open", "/open/**", "backend", open);
    route(
        "shaky",
        "/shaky/**",
        "shaky",
        "auth = \"none\"\nlimits = { response_timeout = \"3s\" }",
    );
    route(
        "private",
        "/private/**",
        "backend",
        "require = { GET = \"things:read\" }",
    );
    route(
        "live",
        "/live",
        "backend",
        "auth = \"none\"\nwebsocket = true",
    );
    if more {
        route("more", "/more/**", "backend", "auth = \"none\"");
    }
    text
}

async fn service(node: &str, address: SocketAddr, folder: &Path) -> Process {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/soak/service.cjs");
    let port = address.port().to_string();
    let arguments = [script.to_str().unwrap(), &port];
    let process = Process::start(Path::new(node), &arguments, &folder.join("service.log")).unwrap();
    let up = || async { tokio::net::TcpStream::connect(address).await.is_ok() };
    assert!(eventually(SOON, up).await, "{}", process.output());
    process
}

/// Does one thing again and again until the run is over.
fn again<F>(
    run: &Arc<Run>,
    rest_ms: u64,
    what: fn(Arc<Run>, usize) -> F,
) -> tokio::task::JoinHandle<()>
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let run = Arc::clone(run);
    tokio::spawn(async move {
        let mut turn = 0;
        while !run.is_over() {
            match tokio::time::timeout(SOON, what(Arc::clone(&run), turn)).await {
                Ok(Ok(())) => {}
                Ok(Err(why)) => run.complain(why),
                Err(_) => run.complain("nothing came for a minute".to_owned()),
            }
            turn += 1;
            run.pause(rest_ms).await;
        }
    })
}

/// Stops and kills the shaky service now and then.
async fn faults(run: Arc<Run>, node: String, address: SocketAddr) {
    let folder = run.world.folder().to_owned();
    let mut shaky = service(&node, address, &folder).await;
    while !run.is_over() {
        for _ in 0..20 {
            run.pause(1000).await;
            if run.is_over() {
                return;
            }
        }
        run.shake();
        let id = shaky.id().unwrap();
        signal(id, Signal::STOP);
        run.pause(4000).await;
        signal(id, Signal::CONT);
        run.shake();
        run.pause(500).await;
        drop(shaky);
        run.pause(1500).await;
        shaky = service(&node, address, &folder).await;
        run.shake();
        run.count("faults of a service");
    }
}

/// Somebody who works with a session, makes keys, and has them revoked.
async fn person(run: Arc<Run>, mut ada: Visitor) {
    while !run.is_over() {
        let page = ada.open("app.localhost", "/private/n/600").await;
        if page.answer.status != 200 {
            run.complain(format!("session: {}", page.answer.status));
        }
        run.count("requests with a session");
        let key = ada.key("things:read").await;
        for wanted in [200, 401] {
            let request = Request::get("/private/").header("host", "app.localhost");
            let request = request.header("authorization", format!("Bearer {key}"));
            let answer = run
                .world
                .try_send(request.body(Bytes::new()).unwrap())
                .await;
            if answer.as_ref().is_ok_and(|answer| answer.status == wanted) {
                run.count("keys made or revoked");
            } else {
                run.complain(format!("key, {wanted} wanted: {answer:?}"));
            }
            if wanted == 200 {
                revoke_newest(&run, &run.key).await;
            }
        }
        run.pause(2000).await;
    }
}

/// Revokes every key but the one that stays.
async fn revoke_newest(run: &Run, stays: &str) {
    let keys = run.world.ask(Method::GET, "/api-keys", None).await.unwrap();
    for key in keys["keys"].as_array().unwrap() {
        let (id, prefix) = (
            key["id"].as_str().unwrap(),
            key["prefix"].as_str().unwrap_or("-"),
        );
        if stays.contains(prefix) || key["revoked_at"].is_string() {
            continue;
        }
        let path = format!("/api-keys/{id}");
        // Revoked already: its answer says so.
        drop(run.world.ask(Method::DELETE, &path, None).await);
    }
}

/// Applies one estate, then another.
async fn estates(run: Arc<Run>, steady: SocketAddr, shaky: SocketAddr) {
    let mut more = false;
    while !run.is_over() {
        more = !more;
        run.world.write_estate(steady, &routes(shaky, more));
        let applying = Arc::clone(&run);
        let applied = tokio::task::spawn_blocking(move || applying.world.cli(&["apply", "--yes"]));
        let (code, _, err) = applied.await.unwrap();
        if code != 0 {
            run.complain(format!("apply: {code} {err}"));
        }
        let status = run.world.get("app.localhost", "/more/x").await.status;
        if (status == 200) != more {
            run.complain(format!("applied, and /more answers {status}"));
        }
        run.count("estates applied");
        run.pause(8000).await;
    }
}

async fn watching(run: Arc<Run>) -> Vec<Sample> {
    let began = Instant::now();
    let mut samples = Vec::new();
    while !run.is_over() {
        let ids = ["gateway", "control"].map(|role| run.world.role(role).unwrap_or(0));
        match sample(began.elapsed().as_secs_f64(), ids, &run.world.data()) {
            Some(one) => samples.push(one),
            None => run.complain("a process is away".to_owned()),
        }
        run.pause(2000).await;
    }
    samples
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_at_once_for_long_grows_nothing_and_fails_nobody() {
    let Some(seconds) = testkit::told("RAMPART_SOAK_SECONDS") else {
        crate::skipped("RAMPART_SOAK_SECONDS is not set");
        return;
    };
    let Some(node) = program("node") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let [steady, shaky] = testkit::free_addresses().unwrap();
    let _steady = service(&node, steady, folder.path()).await;
    let world = World::start(steady, &routes(shaky, false)).await;
    let mut ada = world.visitor("ada", "reader").await;
    let page = ada.sign_in("app.localhost", "/private/").await;
    assert_eq!(page.answer.status, 200);
    let key = ada.key("things:read").await;
    let run = Arc::new(Run {
        world,
        key,
        malformed: load::malformed_cases(),
        over: AtomicBool::new(false),
        counts: Mutex::default(),
        complaints: Mutex::default(),
        shaken_until: Mutex::new(Instant::now() + SHAKEN),
    });
    let before = sample(
        0.0,
        ["gateway", "control"].map(|role| run.world.role(role).unwrap()),
        &run.world.data(),
    );
    let mut clients = vec![
        again(&run, 20, load::kept),
        again(&run, 30, load::kept),
        again(&run, 10, load::fresh),
        again(&run, 20, load::streams),
        again(&run, 15, load::keyed),
        again(&run, 50, load::shaky),
        again(&run, 50, load::sockets),
        again(&run, 50, load::broken),
        again(&run, 70, load::broken),
        again(&run, 20, load::malformed),
    ];
    clients.push(tokio::spawn(faults(Arc::clone(&run), node, shaky)));
    clients.push(tokio::spawn(person(Arc::clone(&run), ada)));
    clients.push(tokio::spawn(estates(Arc::clone(&run), steady, shaky)));
    let watch = tokio::spawn(watching(Arc::clone(&run)));
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    run.over.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    let samples = watch.await.unwrap();
    report(&run, seconds, &samples, before.unwrap()).await;
}

/// Says what was done, and fails when something grew or somebody complained.
async fn report(run: &Run, seconds: u64, samples: &[Sample], before: Sample) {
    let settled = || async {
        let ids = ["gateway", "control"].map(|role| run.world.role(role).unwrap_or(0));
        sample(0.0, ids, &run.world.data()).is_some_and(|now| {
            now.held_files <= before.held_files
                && (0..2).all(|at| now.open_files[at] <= before.open_files[at] + FILES_MORE_MAX)
        })
    };
    let is_settled = eventually(SOON, settled).await;
    let (mut complaints, figures) = judge(samples);
    complaints.extend(run.complaints.lock().unwrap().iter().cloned());
    if !is_settled {
        complaints.push(format!(
            "files stay open: {:?} before, {:?} at last",
            before,
            samples.last()
        ));
    }
    let (code, out, err) = run.world.cli(&["trail", "verify"]);
    if code != 0 {
        complaints.push(format!("the trail does not verify: {out}{err}"));
    }
    let log = run.world.log();
    if log.contains("panicked") {
        complaints.push("a process panicked".to_owned());
    }
    let result = json!({
        "schema": "rampart.soak.v1",
        "seconds": seconds,
        "done": *run.counts.lock().unwrap(),
        "events": samples.last().map_or(0, |last| last.events),
        "processes": figures,
        "complaints": complaints,
    });
    println!("soak: {result}");
    assert!(complaints.is_empty(), "{complaints:#?}\n{log}");
}
