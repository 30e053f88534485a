//! Clients of every kind, each a loop of its own until the run is over. Each knows what it must be
//! answered; anything else is kept as a complaint.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Run;
use crate::smuggling::corpus::{Corpus, Way};

const HOST: &str = "app.localhost";
/// How long any answer may take.
const ANSWER: Duration = Duration::from_secs(30);

type Outcome = Result<(), String>;

/// A number in the mix of one client.
const SIZES: [usize; 6] = [0, 1, 600, 70_000, 300_000, 2 << 20];

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn is(status: u16, wanted: &[u16], what: &str) -> Outcome {
    if wanted.contains(&status) {
        return Ok(());
    }
    Err(format!("{what}: {status} instead of {wanted:?}"))
}

/// One connection, many requests, both ways of every size.
pub(super) async fn kept(run: Arc<Run>, turn: usize) -> Outcome {
    let stream = TcpStream::connect(run.world.plain).await.map_err(text)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(text)?;
    let connection = tokio::spawn(connection);
    for at in 0..30 {
        let size = SIZES[(turn + at) % SIZES.len()];
        let upload = at % 3 == 0;
        let builder = Request::builder().header("host", HOST);
        let request = if upload {
            let builder = builder.method(Method::POST).uri("/open/up");
            builder.body(Full::new(Bytes::from(vec![b'u'; size])))
        } else {
            builder.uri(format!("/open/n/{size}")).body(Full::default())
        };
        sender.ready().await.map_err(text)?;
        let answer = sender
            .send_request(request.map_err(text)?)
            .await
            .map_err(text)?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.map_err(text)?.to_bytes();
        is(status, &[200], "kept")?;
        let whole = match upload {
            true => body == format!("POST {size}\n"),
            false => body.len() == size,
        };
        if !whole {
            return Err(format!("{size} bytes came as {}", body.len()));
        }
        run.count("requests on kept connections");
    }
    drop(sender);
    // The gateway may still have said something.
    drop(tokio::time::timeout(ANSWER, connection).await);
    Ok(())
}

/// A new connection for every request.
pub(super) async fn fresh(run: Arc<Run>, turn: usize) -> Outcome {
    let (target, wanted): (&str, &[u16]) = match turn % 6 {
        0 => ("/open/n/600", &[200]),
        1 => ("/open/slow/40", &[200]),
        2 => ("/private/x", &[401]),
        3 => ("/open/a%2fb", &[400]),
        4 => ("/nothing", &[404]),
        _ => ("/open/?q=1", &[200]),
    };
    let request = Request::get(target).header("host", HOST).body(Bytes::new());
    let answer = run.world.try_send(request.map_err(text)?).await?;
    run.count("requests on new connections");
    is(answer.status.as_u16(), wanted, target)
}

/// Streams of HTTP/2 over TLS, some given up in the middle.
pub(super) async fn streams(run: Arc<Run>, _: usize) -> Outcome {
    let stream = run.world.over_http2(HOST).await;
    let (sender, connection) = h2::client::handshake(stream).await.map_err(text)?;
    let connection = tokio::spawn(connection);
    for at in 0..12 {
        let mut sender = sender.clone().ready().await.map_err(text)?;
        let target = format!("https://{HOST}/open/n/{}", SIZES[at % SIZES.len()]);
        let request = Request::get(target).body(()).map_err(text)?;
        let (answer, _) = sender.send_request(request, true).map_err(text)?;
        if at % 5 == 4 {
            // Dropped: the stream is reset.
            drop(answer);
            continue;
        }
        let answer = answer.await.map_err(text)?;
        is(answer.status().as_u16(), &[200], "stream")?;
        let mut body = answer.into_body();
        while let Some(data) = body.data().await {
            let data = data.map_err(text)?;
            body.flow_control()
                .release_capacity(data.len())
                .map_err(text)?;
        }
        run.count("streams of HTTP/2");
    }
    drop(sender);
    connection.abort();
    Ok(())
}

/// An API key that stays.
pub(super) async fn keyed(run: Arc<Run>, _: usize) -> Outcome {
    let key = run.key.clone();
    let request = Request::get("/private/n/600").header("host", HOST);
    let request = request.header("authorization", format!("Bearer {key}"));
    let answer = run
        .world
        .try_send(request.body(Bytes::new()).map_err(text)?)
        .await?;
    run.count("requests with a key");
    is(answer.status.as_u16(), &[200], "key")
}

/// A service that is stopped and killed: errors while it is, and a while after, and no others.
pub(super) async fn shaky(run: Arc<Run>, turn: usize) -> Outcome {
    let request = match turn % 2 {
        0 => Request::get("/shaky/n/600")
            .header("host", HOST)
            .body(Bytes::new()),
        _ => Request::post("/shaky/up")
            .header("host", HOST)
            .body(Bytes::from_static(b"hello")),
    };
    let answer = run.world.try_send(request.map_err(text)?).await?;
    run.count("requests to a shaky service");
    let status = answer.status.as_u16();
    if run.is_shaken() {
        return is(status, &[200, 502, 503, 504], "shaky, shaken");
    }
    is(status, &[200], "shaky, long after")
}

/// Frames there and back.
pub(super) async fn sockets(run: Arc<Run>, turn: usize) -> Outcome {
    let mut stream = TcpStream::connect(run.world.plain).await.map_err(text)?;
    let head = format!(
        "GET /live HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.map_err(text)?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.map_err(text)?);
    }
    if !answer.starts_with(b"HTTP/1.1 101 ") {
        return Err(format!("no WebSocket: {}", answer.escape_ascii()));
    }
    for at in 0..20_u8 {
        // With a mask of zeros the content stands as it is.
        stream
            .write_all(&[0x82, 0x81, 0, 0, 0, 0, at])
            .await
            .map_err(text)?;
        let mut frame = [0; 3];
        stream.read_exact(&mut frame).await.map_err(text)?;
        if frame != [0x82, 1, at] {
            return Err(format!("another frame came back: {frame:?}"));
        }
        run.count("frames of WebSockets");
        run.pause(20).await;
    }
    if turn.is_multiple_of(2) {
        stream
            .write_all(&[0x88, 0x82, 0, 0, 0, 0, 3, 0xE8])
            .await
            .map_err(text)?;
        let mut rest = Vec::new();
        // Closed by the other side, in its own way.
        drop(tokio::time::timeout(ANSWER, stream.read_to_end(&mut rest)).await);
    }
    Ok(())
}

/// Heads and bodies that come in drops, uploads and downloads that are given up.
pub(super) async fn broken(run: Arc<Run>, turn: usize) -> Outcome {
    let mut stream = TcpStream::connect(run.world.plain).await.map_err(text)?;
    let head = format!("POST /open/up HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000000\r\n\r\n");
    let get = format!("GET /open/n/8000000 HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    match turn % 4 {
        0 | 1 => {
            let rest = if turn.is_multiple_of(4) {
                head
            } else {
                head + &"b".repeat(40)
            };
            for byte in rest.bytes() {
                if stream.write_all(&[byte]).await.is_err() {
                    break;
                }
                run.pause(10).await;
            }
        }
        2 => {
            stream.write_all(head.as_bytes()).await.map_err(text)?;
            // Whether it is taken is the gateway's to say.
            drop(stream.write_all(&vec![b'a'; 300_000]).await);
        }
        _ => {
            stream.write_all(get.as_bytes()).await.map_err(text)?;
            let mut some = vec![0; 64 * 1024];
            stream.read_exact(&mut some).await.map_err(text)?;
        }
    }
    run.count("connections given up");
    Ok(())
}

/// What is no request, from the corpus of smugglers.
pub(super) async fn malformed(run: Arc<Run>, turn: usize) -> Outcome {
    let case = {
        let cases = &run.malformed;
        cases[(turn * 7) % cases.len()].clone()
    };
    let mut stream = TcpStream::connect(run.world.plain).await.map_err(text)?;
    // Refused in the middle, the rest is not taken.
    drop(stream.write_all(&case).await);
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_millis(200), stream.read(&mut answer)).await;
    if let Ok(Ok(read)) = read {
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        let status = answer.get(9..12).unwrap_or("").to_owned();
        if status.starts_with('5') && !["501", "505"].contains(&status.as_str()) {
            return Err(format!("{status} for {}", case.escape_ascii()));
        }
    }
    run.count("malformed requests");
    Ok(())
}

/// The bytes of every malformed case in clear.
pub(super) fn malformed_cases() -> Vec<Vec<u8>> {
    let cases = Corpus::whole(HOST).cases.into_iter();
    cases
        .filter(|case| case.way == Way::Whole)
        .map(|case| case.bytes)
        .collect()
}
