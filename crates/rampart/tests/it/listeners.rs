//! Real load balancers in front of the gateway, and a gateway without descriptors.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use http::{Method, Request};
use serde_json::Value;
use testkit::{Process, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::backend::Backend;
use crate::world::{OPEN, SOON, World};

/// Where a program is.
fn found(program: &str) -> Option<std::path::PathBuf> {
    let mut places = ["/usr/sbin", "/usr/bin"]
        .map(|folder| Path::new(folder).join(program))
        .into_iter();
    places.find(|path| path.exists())
}

/// Asks at `from` for what is refused, until it is.
async fn refused(at: SocketAddr) -> bool {
    eventually(SOON, || async {
        let client = net::Client::new(net::Endpoint::Tcp(at));
        let request = Request::get("/a%5cb").header("host", "app.localhost");
        let answer = client
            .send(request.body(bytes::Bytes::new()).unwrap())
            .await;
        answer.is_ok_and(|answer| answer.status() == 400)
    })
    .await
}

/// The sources of what was refused for its path.
async fn sources(world: &World) -> Vec<String> {
    let found = world
        .ask(Method::GET, "/trail?text=path.backslash&limit=50", None)
        .await;
    let records = found.unwrap()["records"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let source = |one: &Value| one["event"]["source"].as_str().map(ToOwned::to_owned);
    records.iter().filter_map(source).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn haproxy_says_for_whom_it_connects_in_both_versions() {
    let Some(program) = found("haproxy") else {
        return crate::skipped("no haproxy: `apt-get install -y haproxy`");
    };
    let (_backend, address) = Backend::start().await;
    let world = World::start_proxied(address, OPEN).await;
    let [one, two, crc] = testkit::free_addresses().unwrap();
    let plain = world.plain;
    // From another loopback address, so that the client's is told apart from the proxy's.
    let part = |name: &str, at: SocketAddr, how: &str| {
        format!(
            "listen {name}\n mode tcp\n bind {at}\n server rampart {plain} source 127.0.0.9 {how}\n"
        )
    };
    let config = format!(
        "defaults\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n{}{}{}",
        part("one", one, "send-proxy"),
        part(
            "two",
            two,
            "send-proxy-v2 check check-send-proxy inter 200ms"
        ),
        part(
            "crc",
            crc,
            "send-proxy-v2 proxy-v2-options crc32c,unique-id"
        ),
    );
    let file = world.folder().join("haproxy.cfg");
    store::atomic_write(&file, config.as_bytes(), 0o600).unwrap();
    let arguments = ["-db", "-f", file.to_str().unwrap()];
    let log = world.folder().join("haproxy.log");
    let haproxy = Process::start(&program, &arguments, &log).unwrap();
    for at in [one, two, crc] {
        assert!(
            refused(at).await,
            "{at}: {} {}",
            haproxy.output(),
            world.log()
        );
    }
    assert!(world.in_trail("path.backslash").await);
    let seen = sources(&world).await;
    assert!(seen.iter().all(|source| source == "127.0.0.1"), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_says_for_whom_it_connects() {
    let module = Path::new("/usr/lib/nginx/modules/ngx_stream_module.so");
    let (Some(program), true) = (found("nginx"), module.exists()) else {
        return crate::skipped("no nginx with streams: `apt-get install -y libnginx-mod-stream`");
    };
    let (_backend, address) = Backend::start().await;
    let world = World::start_proxied(address, OPEN).await;
    let [at] = testkit::free_addresses().unwrap();
    let (folder, plain) = (world.folder().display(), world.plain);
    let config = format!(
        "load_module {};\ndaemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log stderr;\nevents {{}}\n\
         stream {{ server {{ listen {at}; proxy_bind 127.0.0.9; proxy_protocol on; proxy_pass {plain}; }} }}\n",
        module.display()
    );
    let file = world.folder().join("nginx.conf");
    store::atomic_write(&file, config.as_bytes(), 0o600).unwrap();
    let arguments = ["-c", file.to_str().unwrap()];
    let nginx = Process::start(&program, &arguments, &world.folder().join("nginx.log")).unwrap();
    assert!(refused(at).await, "{} {}", nginx.output(), world.log());
    assert!(world.in_trail("path.backslash").await);
    assert_eq!(sources(&world).await, ["127.0.0.1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_descriptors_connections_wait_and_are_served_later() {
    let (_backend, address) = Backend::start().await;
    let world = World::start_with_descriptors(200, address, OPEN).await;
    let gateway = world.role("gateway").unwrap();
    let get = b"GET /ok HTTP/1.1\r\nHost: app.localhost\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..230 {
        held.push(TcpStream::connect(world.plain).await.unwrap());
    }
    let said = || async {
        world
            .log()
            .contains("no connection can be accepted for now")
    };
    assert!(eventually(SOON, said).await, "{}", world.log());
    let before = cpu_ticks(gateway);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let used = cpu_ticks(gateway) - before;
    assert!(used < 40, "it spins: {used} of 200 hundredths of a second");
    // The last one waits in the queue until others go.
    let mut last = held.pop().unwrap();
    last.write_all(get).await.unwrap();
    held.clear();
    let mut first = [0; 12];
    let reading = tokio::time::timeout(SOON, last.read_exact(&mut first)).await;
    reading.unwrap().unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    assert!(
        world
            .log()
            .contains("may not open enough files for `connections_max`")
    );
}

/// Hundredths of a second of a processor that a process has used.
fn cpu_ticks(id: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let fields: Vec<u64> = fields
        .split(' ')
        .map(|one| one.parse().unwrap_or(0))
        .collect();
    fields[11] + fields[12]
}
