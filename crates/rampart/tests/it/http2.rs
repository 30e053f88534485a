//! HTTP/2 as a client that people use speaks it: node's, with its own check of certificates, windows and
//! compression of fields.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::backend::Backend;
use crate::world::World;

const ROUTES: &str = r#"
[[route]]
name = "held"
host = "app.localhost"
path = "/**"
to = "backend"
auth = "none"

[[route]]
name = "streamed"
host = "app.localhost"
path = "/streamed"
to = "backend"
auth = "none"
body = "stream"
"#;

/// 200 requests on one connection, a quarter of them with 200 kB of content and trailers, some with
/// an answer of 3 MiB; says how often each outcome was seen.
const CLIENT: &str = r#"
const [, port, ca] = process.argv;
const options = { ca: require('fs').readFileSync(ca), servername: 'app.localhost' };
const client = require('http2').connect('https://127.0.0.1:' + port, options);
const authority = 'app.localhost:' + port;
client.on('error', (error) => console.log('error', error.message));
const seen = {};
let left = 200;
for (let at = 0; at < 200; at++) {
  const sends = at % 4 === 0;
  const path = sends ? (at % 8 === 0 ? '/streamed' : '/held') : at % 50 === 1 ? '/large' : '/plain';
  const method = sends ? 'POST' : 'GET';
  const stream = client.request({ ':authority': authority, ':path': path, ':method': method, cookie: ['a=1', 'b=2'] }, { waitForTrailers: sends });
  let status, length = 0;
  stream.on('wantTrailers', () => stream.sendTrailers({ checksum: '1' }));
  stream.on('response', (head) => { status = head[':status']; });
  stream.on('data', (data) => { length += data.length; });
  stream.on('error', (error) => console.log('stream', at, error.message));
  stream.on('close', () => {
    const outcome = [method, path, status, length, stream.rstCode].join(' ');
    seen[outcome] = (seen[outcome] || 0) + 1;
    if (--left === 0) {
      console.log(JSON.stringify(seen, Object.keys(seen).sort()));
      client.close();
    }
  });
  stream.end(sends ? Buffer.alloc(200000) : undefined);
}
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_gets_what_it_asks_for_over_one_connection() {
    if crate::told("RAMPART_REAL_BACKENDS").is_none() {
        crate::skipped("RAMPART_REAL_BACKENDS is not set");
        return;
    }
    let (backend, service) = Backend::start().await;
    let world = World::start(service, ROUTES).await;
    let run = Command::new("node")
        .args(["-e", CLIENT])
        .arg(world.https.port().to_string())
        .arg(world.data().join("tls/ca.pem"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(120), run).await;
    let output = output.expect("it ends").expect("`node` is installed");
    let said = String::from_utf8_lossy(&output.stdout);
    let wanted = [
        r#"{"GET /large 200 3145728 0":4"#,
        r#""GET /plain 200 10 0":146"#,
        r#""POST /held 200 10 0":25"#,
        r#""POST /streamed 200 14 0":25}"#,
    ]
    .join(",");
    assert_eq!(
        said.trim(),
        wanted,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let seen = backend.seen();
    assert_eq!(seen.len(), 200);
    assert!(seen.iter().all(|seen| seen.header("cookie") == "a=1; b=2"));
    let whole = seen.iter().filter(|seen| seen.body.len() == 200_000);
    assert_eq!(whole.count(), 50);
}
