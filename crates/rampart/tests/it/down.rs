//! When something is down, row by row: what keeps working, for how long, open or closed.

use std::time::Duration;

use http::{Method, Request};
use rustix::process::Signal;
use serde_json::json;
use testkit::eventually;

use crate::backend::Backend;
use crate::world::{OPEN, SOON, World, signal};

async fn world(routes: &str) -> (World, Backend) {
    let (backend, address) = Backend::start().await;
    (World::start(address, routes).await, backend)
}

/// Stops a process without ending it, until dropped.
struct Frozen(u32);

impl Frozen {
    fn now(id: u32) -> Self {
        signal(id, Signal::STOP);
        Self(id)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        signal(self.0, Signal::CONT);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateway_serves_on_while_control_is_away_and_records_afterwards() {
    let (world, _backend) = world(OPEN).await;
    let frozen = Frozen::now(world.role("control").unwrap());
    // Longer than a link may be silent.
    let until = tokio::time::Instant::now() + Duration::from_secs(8);
    while tokio::time::Instant::now() < until {
        assert_eq!(world.get("app.localhost", "/ok").await.status, 200);
        assert_eq!(world.get("app.localhost", "/a%5cb").await.status, 400);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    drop(frozen);
    assert!(
        world.in_trail("path.backslash").await,
        "what happened meanwhile is recorded"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_routes_staleness_the_gateway_denies_until_control_is_back() {
    let routes = OPEN.replace("auth = \"none\"", "auth = \"none\"\nstaleness_max = \"2s\"");
    let (world, backend) = world(&routes).await;
    assert_eq!(world.get("app.localhost", "/ok").await.status, 200);
    let frozen = Frozen::now(world.role("control").unwrap());
    let denied = || async { world.get("app.localhost", "/ok").await.status == 503 };
    assert!(eventually(SOON, denied).await);
    let before = backend.lines().len();
    let answer = world.get("app.localhost", "/ok").await;
    assert!(answer.body.contains("snapshot.stale"), "{}", answer.body);
    assert_eq!(
        backend.lines().len(),
        before,
        "closed: nothing gets through"
    );
    drop(frozen);
    let served = || async { world.get("app.localhost", "/ok").await.status == 200 };
    assert!(eventually(SOON, served).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateway_that_dies_is_started_again_and_control_serves_on() {
    let (world, _backend) = world(OPEN).await;
    let gateway = world.role("gateway").unwrap();
    signal(gateway, Signal::KILL);
    let body = json!({ "login": "ada", "name": "Ada", "roles": ["reader"] });
    world
        .ask(Method::POST, "/people", Some(body))
        .await
        .unwrap();
    let back = || async {
        let request = Request::get("/ok").header("host", "app.localhost");
        let answer = world
            .try_send(request.body(bytes::Bytes::new()).unwrap())
            .await;
        answer.is_ok_and(|answer| answer.status == 200)
    };
    assert!(eventually(SOON, back).await);
    assert_ne!(world.role("gateway"), Some(gateway));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn service_that_is_away_costs_its_own_routes_only() {
    let [nobody] = testkit::free_addresses().unwrap();
    let (backend, address) = Backend::start().await;
    let more = format!(
        "\n[[service]]\nname = \"away\"\naddress = \"{nobody}\"\n\n[[route]]\nname = \"away\"\nhost = \"app.localhost\"\npath = \"/away\"\nto = \"away\"\nauth = \"none\"\n"
    );
    let world = World::start(address, &format!("{OPEN}{more}")).await;
    let away = world.get("app.localhost", "/away").await;
    assert_eq!(away.status, 502);
    assert!(away.body.contains("upstream.refused"), "{}", away.body);
    assert_eq!(world.get("app.localhost", "/ok").await.status, 200);
    assert_eq!(backend.lines(), ["GET /ok"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_or_missing_root_key_starts_nothing_and_changes_nothing() {
    let (mut world, _backend) = world(OPEN).await;
    world.stop().await;
    let key = world.folder().join("data.root-key");
    let right = std::fs::read(&key).unwrap();
    let database = world.data().join("store/rampart.db");
    let before = std::fs::read(&database).unwrap();
    let other = keyring::RootKey::generate(&testkit::SeededEntropy::new(1));
    store::atomic_write(&key, other.to_text().expose().as_bytes(), 0o600).unwrap();
    world.launch(&[]);
    assert_ne!(world.ended().await, Some(0));
    assert_eq!(std::fs::read(&database).unwrap().len(), before.len());
    store::atomic_write(&key, &right, 0o600).unwrap();
    world.serve().await;
    assert_eq!(world.get("app.localhost", "/ok").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rescue_gives_a_one_time_administrator_and_records_it() {
    let (world, _backend) = world(OPEN).await;
    let (code, out, err) = world.cli(&["rescue", "administrator"]);
    assert_eq!(code, 0, "{out}{err}");
    let path = out
        .split_whitespace()
        .find_map(|word| word.find("/enrol/").and_then(|at| word.get(at..)))
        .unwrap_or_else(|| panic!("{out}"));
    let network = world.network().await;
    let mut rescued = crate::visitor::Visitor::enrol(network, "administrator", path).await;
    let page = rescued.open("rampart.localhost", "/identity/people").await;
    assert_eq!(page.answer.status, 200);
    let path = "/trail?kind=identity.administrator&limit=10";
    let page = world.ask(Method::GET, path, None).await.unwrap();
    assert!(
        page.to_string().contains("identity.administrator.rescued"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restart_serves_the_applied_version_and_reports_drift_of_the_file() {
    let (backend, address) = Backend::start().await;
    let mut world = World::start(address, OPEN).await;
    world.stop().await;
    world.write_estate(
        address,
        &OPEN.replace("name = \"open\"", "name = \"renamed\""),
    );
    world.serve().await;
    assert_eq!(world.get("app.localhost", "/ok").await.status, 200);
    let (code, out, err) = world.cli(&["status"]);
    let (_, doctor, _) = world.cli(&["doctor"]);
    let all = format!("{out}{err}{doctor}");
    assert!(
        all.contains("drift") || all.contains("differs"),
        "{code} {all}"
    );
    assert_eq!(backend.lines(), ["GET /ok"]);
    // A file that is broken by now changes nothing either.
    world.stop().await;
    store::atomic_write(&world.config(), b"[estate", 0o644).unwrap();
    world.serve().await;
    assert_eq!(world.get("app.localhost", "/ok").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_disk_refuses_actions_and_heals_by_itself() {
    let (backend, address) = Backend::start().await;
    if !rustix::process::geteuid().is_root() {
        return crate::skipped("only root can mount a small disk");
    }
    let small = format!("\n[trail]\nreserve = \"1MiB\"\n{OPEN}");
    let mut world = World::start(address, &small).await;
    world.stop().await;
    let Some(disk) = SmallDisk::under(&world.data().join("trail")) else {
        return crate::skipped("a small disk cannot be mounted here");
    };
    world.serve().await;
    let invite = |login: &str| json!({ "login": login, "name": "x", "roles": ["reader"] });
    world
        .ask(Method::POST, "/people", Some(invite("before")))
        .await
        .unwrap();
    disk.fill();
    let refused = || async {
        let login = format!("during-{}", backend.lines().len());
        world.get("app.localhost", "/count").await;
        let refused = world
            .ask(Method::POST, "/people", Some(invite(&login)))
            .await;
        refused.is_err_and(|(status, _)| status == 503 || status == 507)
    };
    assert!(eventually(SOON, refused).await, "{}", world.log());
    let health = world.ask(Method::GET, "/health", None).await;
    let red = format!("{health:?}");
    assert!(red.contains("red"), "{red}");
    assert_eq!(
        world.get("app.localhost", "/ok").await.status,
        200,
        "requests pass"
    );
    disk.clear();
    let healed = || async {
        world
            .ask(Method::POST, "/people", Some(invite("after")))
            .await
            .is_ok()
    };
    assert!(eventually(SOON, healed).await);
    world.stop().await;
    let (code, out, err) = world.cli(&["trail", "verify"]);
    assert_eq!(code, 0, "{out}{err}");
}

/// A file system of a few MiB with what stood in a folder.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn under(folder: &std::path::Path) -> Option<Self> {
        let kept = folder.with_extension("kept");
        std::fs::rename(folder, &kept).unwrap();
        std::fs::create_dir(folder).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs"])
            .arg(folder)
            .status();
        let mounted = mounted.is_ok_and(|status| status.success());
        for entry in std::fs::read_dir(&kept).unwrap() {
            let entry = entry.unwrap();
            let to = folder.join(entry.file_name());
            std::fs::copy(entry.path(), to).unwrap();
        }
        mounted.then(|| Self(folder.to_path_buf()))
    }

    fn fill(&self) {
        use std::io::Write as _;
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    fn clear(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Busy until the processes are gone; then it goes by itself.
        drop(
            std::process::Command::new("umount")
                .arg("-l")
                .arg(&self.0)
                .status(),
        );
    }
}
