//! How long an answer is held: streams are not, and what leaks is, however slowly it comes.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use super::*;

/// What the service says, and after how long it goes on; it ends with the connection.
struct Script {
    head: &'static str,
    pieces: &'static [&'static str],
    pause: Duration,
}

fn script(path: &str) -> Script {
    const JSON: &str =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    const EVENTS: &str =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    const WHOLE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n";
    const ENDLESS: &[&str] = &["4\r\n[1, \r\n", "3\r\n2, \r\n"];
    let (head, pieces, pause_ms) = match path {
        // Goes on for ever.
        "/open" => (JSON, ENDLESS, 200),
        "/events" => (EVENTS, &["9\r\ndata: 1\n\n\r\n"][..], 60_000),
        // Its length is said: two seconds are no stream.
        "/whole" => (WHOLE, &["<p>it is a ", "leak"][..], 2_000),
        _ => (WHOLE, &["<p>it is fine.."][..], 0),
    };
    Script {
        head,
        pieces,
        pause: Duration::from_millis(pause_ms),
    }
}

async fn service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(speak(stream));
        }
    });
    address
}

/// Answers one request; the last piece comes again and again where the answer has no length.
async fn speak(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await?);
    }
    let line = String::from_utf8_lossy(&request).into_owned();
    let said = script(line.split(' ').nth(1).unwrap_or_default());
    stream.write_all(said.head.as_bytes()).await?;
    for (at, piece) in said.pieces.iter().enumerate() {
        // Not behind the last one: nobody listens on this connection any more.
        if at > 0 {
            tokio::time::sleep(said.pause).await;
        }
        stream.write_all(piece.as_bytes()).await?;
    }
    if said.head.contains("chunked") {
        let last = said.pieces.last().copied().unwrap_or_default();
        loop {
            tokio::time::sleep(said.pause).await;
            stream.write_all(last.as_bytes()).await?;
        }
    }
    Ok(())
}

/// When the first bytes of an answer's body are here.
async fn first(world: &World, path: &str) -> Duration {
    let began = Instant::now();
    let mut stream = world.connect().await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: app.localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = async {
        loop {
            answer.push(stream.read_u8().await.unwrap());
            let text = String::from_utf8_lossy(&answer);
            if text
                .split_once("\r\n\r\n")
                .is_some_and(|(_, body)| body.len() > 4)
            {
                return;
            }
        }
    };
    timeout(SOON, read).await.expect("the first bytes come");
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_not_kept_from_their_readers_and_what_leaks_is_withheld() {
    let address = service().await;
    let mut world = World::new();
    std::fs::create_dir_all(world.folder().join("rules")).unwrap();
    world.write_document("rules/mine.conf", RULES);
    let unseen = "\n[[route]]\nname = \"unseen\"\nhost = \"app.localhost\"\npath = \"/open\"\nto = \"backend\"\n\
                  auth = \"none\"\nwaf = { answers = false }\n";
    world.write_estate(address, &estate(""));
    world.serve().await;
    let events = first(&world, "/events").await;
    assert!(events < Duration::from_secs(1), "{events:?}");
    // JSON that never ends is held as long as it could be a short answer, and no longer.
    let open = first(&world, "/open").await;
    assert!(open < Duration::from_secs(3), "{open:?}");
    let whole = world.get("app.localhost", "/whole").await;
    assert_eq!(whole.status, 403, "{whole:?}");
    assert_eq!(world.get("app.localhost", "/").await.status, 200);
    // A route whose answers come bit by bit says so.
    world.write_estate(address, &format!("{unseen}{}", estate("")));
    applied(&world);
    let open = first(&world, "/open").await;
    assert!(open < Duration::from_millis(700), "{open:?}");
}
