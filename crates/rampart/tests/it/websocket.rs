//! WebSockets through the whole program: asked for with a key, cut off when the key is revoked,
//! and refused where the estate does not say so.

use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::world::World;

const ROUTES: &str = r#"
[[route]]
name = "live"
host = "app.localhost"
path = "/live"
to = "backend"
require = { GET = "things:read" }
websocket = true

[[route]]
name = "rest"
host = "app.localhost"
path = "/**"
to = "backend"
auth = "none"
"#;

/// The nonce and the proof of RFC 6455 §1.3.
const NONCE: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ANSWER: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// A service that agrees to every handshake and sends frames back as they are, without the mask.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let head = head(&mut stream).await;
                assert!(head.contains("rampart-assertion: "), "{head}");
                assert!(!head.contains("authorization"), "{head}");
                stream.write_all(ANSWER).await.unwrap();
                while let Ok(first) = stream.read_u8().await {
                    let length = stream.read_u8().await.unwrap() & 0x7F;
                    let mut rest = vec![0; 4 + usize::from(length)];
                    stream.read_exact(&mut rest).await.unwrap();
                    let (mask, text) = rest.split_at_mut(4);
                    for (byte, mask) in text.iter_mut().zip(mask.iter().cycle()) {
                        *byte ^= mask;
                    }
                    let frame = [&[first, length], &*text].concat();
                    if stream.write_all(&frame).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

async fn head(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        text.push(char::from(stream.read_u8().await.unwrap()));
    }
    text.to_ascii_lowercase()
}

/// Asks for a WebSocket at `path`; the connection and the answer's head.
async fn ask(world: &World, path: &str, key: &str, more: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(world.plain).await.unwrap();
    let text = format!(
        "GET {path} HTTP/1.1\r\nHost: app.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {NONCE}\r\nAuthorization: Bearer {key}\r\n\
         {more}\r\n"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let head = head(&mut stream).await;
    (stream, head)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opened_with_a_key_it_passes_frames_until_the_key_is_revoked() {
    let world = World::start(echo().await, ROUTES).await;
    let mut ada = world.visitor("ada", "reader").await;
    let key = ada.key("things:read").await;
    let (mut socket, head) = ask(
        &world,
        "/live",
        &key,
        "Sec-WebSocket-Extensions: permessage-deflate\r\n",
    )
    .await;
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert!(
        head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{head}"
    );
    for _ in 0..3 {
        let masked = [0x81, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'i' ^ 2];
        socket.write_all(&masked).await.unwrap();
        let mut back = [0; 4];
        socket.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"\x81\x02hi");
    }
    let keys = world.ask(Method::GET, "/api-keys", None).await.unwrap();
    let text = keys.to_string();
    let id = text
        .split("\"id\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    world
        .ask(Method::DELETE, &format!("/api-keys/{id}"), None)
        .await
        .unwrap();
    let mut end = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), socket.read_to_end(&mut end));
    read.await.expect("it is cut off").unwrap();
    assert_eq!(end, [0x88, 2, 0x03, 0xF0], "1008: policy");
    assert!(world.in_trail("authenticate.key_unknown").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_where_the_estate_or_the_right_does_not_allow_it() {
    let world = World::start(echo().await, ROUTES).await;
    let mut ada = world.visitor("ada", "writer").await;
    let (read, write) = (ada.key("things:read").await, ada.key("things:write").await);
    for (path, key, more, status, code) in [
        ("/other", &read, "", "403", "websocket.not_offered"),
        ("/live", &write, "", "403", "authorise.permission_missing"),
        (
            "/live",
            &"rk_aaaaaaaa_bbbb_cccccc".to_owned(),
            "",
            "401",
            "authenticate.",
        ),
        (
            "/live",
            &read,
            "Sec-WebSocket-Key: x\r\n",
            "400",
            "websocket.key",
        ),
        (
            "/live",
            &read,
            "Sec-WebSocket-Version: 8\r\n",
            "426",
            "websocket.version",
        ),
    ] {
        let (mut socket, head) = ask(&world, path, key, more).await;
        assert!(
            head.starts_with(&format!("http/1.1 {status} ")),
            "{path}: {head}"
        );
        let length = head.split("content-length: ").nth(1).unwrap();
        let length = length.split('\r').next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        socket.read_exact(&mut body).await.unwrap();
        let body = String::from_utf8(body).unwrap();
        assert!(body.contains(code), "{path}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_cookie_it_must_come_from_the_same_origin() {
    let world = World::start(echo().await, ROUTES).await;
    let mut ada = world.visitor("ada", "reader").await;
    // A page of the host, so that there is a session there.
    ada.sign_in("app.localhost", "/live").await;
    let cookie = ada.browser.cookies_of("app.localhost").unwrap();
    let network = world.network().await;
    let ask = async |origin: String| {
        let request = Request::get(network.url("app.localhost", "/live").unwrap())
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", NONCE)
            .header("origin", origin)
            .header("cookie", &cookie)
            .body(bytes::Bytes::new());
        network.send(request.unwrap()).await.unwrap()
    };
    let foreign = ask("https://evil.example".to_owned()).await;
    assert_eq!(foreign.status, 403, "{}", foreign.body);
    assert!(
        foreign.body.contains("same_origin") || foreign.body.contains("authenticate."),
        "{}",
        foreign.body
    );
    let own = ask(format!("https://app.localhost:{}", world.https.port())).await;
    assert_eq!(own.status, 101);
}
