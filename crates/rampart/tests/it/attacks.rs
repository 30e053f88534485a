//! Attacks on the wire against the running program: refused with the right status, nothing of them
//! at the backend, no worker lost, memory bounded.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::backend::Backend;
use crate::world::{OPEN, SOON, World, memory_mib};

async fn world(routes: &str) -> (World, Backend) {
    let (backend, address) = Backend::start().await;
    (World::start(address, routes).await, backend)
}

async fn still_serves(world: &World) {
    for _ in 0..8 {
        // Each worker gets its share.
        assert_eq!(world.get("app.localhost", "/ok").await.status, 200);
    }
}

/// Requests whose end two parsers could see in two places, and what else may not pass. `{host}` is a
/// header line with the name of the open route.
const AMBIGUOUS: &[(&str, &str, u16)] = &[
    (
        "two lengths",
        "POST /x HTTP/1.1\r\n{host}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        400,
    ),
    (
        "length and chunked",
        "POST /x HTTP/1.1\r\n{host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    (
        "chunked, twice",
        "POST /x HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    (
        "a coding that is not quite chunked",
        "POST /x HTTP/1.1\r\n{host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    (
        "a signed length",
        "POST /x HTTP/1.1\r\n{host}Content-Length: +5\r\n\r\nhello",
        400,
    ),
    (
        "space before the colon",
        "POST /x HTTP/1.1\r\n{host}Content-Length : 5\r\n\r\nhello",
        400,
    ),
    (
        "a folded line",
        "GET /x HTTP/1.1\r\n{host}A: b\r\n c\r\n\r\n",
        400,
    ),
    ("bare line feeds", "GET /x HTTP/1.1\n{host}\n", 400),
    (
        "two hosts",
        "GET /x HTTP/1.1\r\n{host}Host: evil\r\n\r\n",
        400,
    ),
    ("no host", "GET /x HTTP/1.1\r\n\r\n", 400),
    (
        "a chunk size with a sign",
        "POST /x HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n",
        400,
    ),
    (
        "a chunk that is longer than it says",
        "POST /x HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
        400,
    ),
    ("HTTP/0.9", "GET /x\r\n", 400),
    ("HTTP/3.0", "GET /x HTTP/3.0\r\n{host}\r\n", 505),
    (
        "a tunnel",
        "CONNECT app.localhost:443 HTTP/1.1\r\nHost: app.localhost:443\r\n\r\n",
        501,
    ),
    (
        "a null byte",
        "GET /x HTTP/1.1\r\n{host}A: b\0c\r\n\r\n",
        400,
    ),
    (
        "encoded slash",
        "GET /a%2fx HTTP/1.1\r\n{host}Connection: close\r\n\r\n",
        400,
    ),
    (
        "dot segments",
        "GET /a/../x HTTP/1.1\r\n{host}Connection: close\r\n\r\n",
        400,
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ambiguous_framing_is_refused_and_nothing_of_it_reaches_the_backend() {
    let (world, backend) = world(OPEN).await;
    for (name, text, status) in AMBIGUOUS {
        let text = text.replace("{host}", "Host: app.localhost\r\n");
        let answer = world.raw(text.as_bytes()).await;
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected), "{name}: {answer}");
        assert_eq!(
            answer.matches("HTTP/1.1 ").count(),
            1,
            "{name}: one answer, and the end"
        );
    }
    assert_eq!(backend.lines(), Vec::<String>::new());
    still_serves(&world).await;
    assert!(
        world.in_trail("head.length_with_coding").await,
        "{}",
        world.log()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelined_requests_are_answered_in_order_and_a_smuggled_one_ends_them() {
    let (world, backend) = world(OPEN).await;
    let two = "GET /one HTTP/1.1\r\nHost: app.localhost\r\n\r\n\
               GET /two HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n";
    let answer = world.raw(two.as_bytes()).await;
    let (first, second) = (answer.find("GET /one"), answer.find("GET /two"));
    assert!(first.is_some() && first < second, "{answer}");
    let smuggled = "GET /three HTTP/1.1\r\nHost: app.localhost\r\n\r\n\
                    POST /x HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 4\r\n\
                    Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nHost: app.localhost\r\n\r\n";
    let answer = world.raw(smuggled.as_bytes()).await;
    assert!(
        answer.contains("GET /three") && answer.contains("HTTP/1.1 400"),
        "{answer}"
    );
    assert_eq!(backend.lines(), ["GET /one", "GET /two", "GET /three"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn header_bombs_are_refused_with_bounded_memory() {
    let (world, backend) = world(OPEN).await;
    let many = "A: b\r\n".repeat(5000);
    let text = format!("GET /x HTTP/1.1\r\nHost: app.localhost\r\n{many}\r\n");
    assert!(
        world
            .raw(text.as_bytes())
            .await
            .starts_with("HTTP/1.1 431 ")
    );
    let long = format!(
        "GET /{} HTTP/1.1\r\nHost: app.localhost\r\n\r\n",
        "a".repeat(100_000)
    );
    let answer = world.raw(long.as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 414 ") || answer.starts_with("HTTP/1.1 431 "),
        "{answer}"
    );
    let gateway = world.role("gateway").unwrap();
    let before = memory_mib(gateway);
    let mut open = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(world.plain).await.unwrap();
        let endless = format!(
            "GET /x HTTP/1.1\r\nHost: app.localhost\r\nA: {}",
            "a".repeat(12_000)
        );
        stream.write_all(endless.as_bytes()).await.unwrap();
        open.push(stream);
    }
    still_serves(&world).await;
    let grown = memory_mib(gateway) - before;
    assert!(grown < 64.0, "grew by {grown} MiB");
    assert!(backend.lines().iter().all(|line| line == "GET /ok"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_bodies_are_passed_on_as_they_are_and_never_unpacked() {
    let (world, backend) = world(OPEN).await;
    let gateway = world.role("gateway").unwrap();
    let before = memory_mib(gateway);
    // What a decompression bomb looks like from outside: few bytes that say they are many.
    let bomb = Bytes::from(vec![0x1f; 200 * 1024]);
    let request = Request::post("/bomb")
        .header("host", "app.localhost")
        .header("content-encoding", "gzip")
        .header("content-type", "application/octet-stream")
        .body(bomb.clone())
        .unwrap();
    assert_eq!(world.try_send(request).await.unwrap().status, 200);
    assert_eq!(backend.seen()[0].body, bomb);
    let too_long = Request::post("/bomb")
        .header("host", "app.localhost")
        .body(Bytes::from(vec![0; 300 * 1024]))
        .unwrap();
    assert_eq!(world.try_send(too_long).await.unwrap().status, 413);
    assert_eq!(
        backend.lines().len(),
        1,
        "nothing of it reached the backend"
    );
    assert!(memory_mib(gateway) - before < 32.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_let_go_and_others_do_not_wait() {
    let routes = OPEN.replace(
        "body_max = \"256KiB\"",
        "body_max = \"256KiB\", body_bytes_per_s_min = \"1KiB\"",
    );
    let (world, backend) = world(&format!("{routes}\n")).await;
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(world.plain).await.unwrap();
        stream
            .write_all(b"GET /x HTTP/1.1\r\nHost: app")
            .await
            .unwrap();
        slow.push(stream);
    }
    let mut body = TcpStream::connect(world.plain).await.unwrap();
    let head = b"POST /x HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 100000\r\n\r\nab";
    body.write_all(head).await.unwrap();
    still_serves(&world).await;
    for stream in slow.iter_mut().chain([&mut body]) {
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        drop(
            tokio::time::timeout(SOON, read)
                .await
                .expect("it is closed"),
        );
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    assert!(backend.lines().iter().all(|line| line == "GET /ok"));
    still_serves(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_http2_ends_its_own_connection_only() {
    let (world, _backend) = world(OPEN).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for frames in [
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff".as_slice(),
        // A SETTINGS frame of a length that is no multiple of six.
        b"\0\0\x05\x04\0\0\0\0\0hello",
        // HEADERS on stream 0.
        b"\0\0\x01\x01\x05\0\0\0\0\x82",
        // CONTINUATION without HEADERS.
        b"\0\0\x01\x09\x04\0\0\0\x01\x82",
        // A window update of zero.
        b"\0\0\x04\x08\0\0\0\0\0\0\0\0\0",
    ] {
        let mut stream = TcpStream::connect(world.plain).await.unwrap();
        stream
            .write_all(&[preface.as_slice(), frames].concat())
            .await
            .unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        drop(
            tokio::time::timeout(Duration::from_secs(30), read)
                .await
                .expect("it is closed"),
        );
    }
    still_serves(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_only_rampart_may_use_never_come_from_outside() {
    let (world, backend) = world(OPEN).await;
    let request = Request::get("/x")
        .header("host", "app.localhost")
        .header("rampart-assertion", "forged")
        .header("x-rampart-client", "10.0.0.1")
        .header("x-forwarded-for", "10.0.0.1")
        .header("forwarded", "for=10.0.0.1")
        .header("x-real-ip", "10.0.0.1")
        .header("x-original-url", "/admin")
        .header("proxy", "http://evil.example")
        .header("client-ip", "10.0.0.1")
        .header("cf-connecting-ip", "10.0.0.1")
        .header("remote-user", "root")
        .header("x-webauth-user", "root")
        .header("rampart_assertion", "forged")
        .header("cookie", "a=1; __Host-rampart=x; __Host-rampart-session=y")
        .header("connection", "rampart-assertion, x-forwarded-for, cookie");
    assert_eq!(world.send(request).await.status, 200);
    let seen = backend.seen().remove(0);
    for name in [
        "rampart-assertion",
        "rampart_assertion",
        "x-rampart-client",
        "forwarded",
        "x-real-ip",
        "x-original-url",
        "proxy",
        "client-ip",
        "cf-connecting-ip",
        "remote-user",
        "x-webauth-user",
    ] {
        assert_eq!(seen.header(name), "", "{name}");
    }
    assert_eq!(seen.header("x-forwarded-for"), "127.0.0.1");
    assert_eq!(seen.header("cookie"), "a=1");
}
