//! What happens at once: a client that leaves while its request is under way.

use testkit::eventually;
use testkit::frames::{flag, frame, greeting, kind, literals};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::backend::Backend;
use crate::smuggling::ledger::{Recorded, records};
use crate::world::{OPEN, SOON, World};

/// The records of `path`, once there is one.
async fn recorded(world: &World, path: &str) -> Vec<Recorded> {
    let found = || -> Vec<Recorded> {
        let mut all = records(&world.data());
        all.retain(|record| record.path == path);
        all
    };
    let there = || async { !found().is_empty() };
    assert!(eventually(SOON, there).await, "`{path}` is not recorded");
    found()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_whose_client_leaves_before_the_answer_is_recorded() {
    let (backend, address) = Backend::start().await;
    let world = World::start(address, OPEN).await;
    let mut client = TcpStream::connect(world.plain).await.unwrap();
    let request = b"GET /slow HTTP/1.1\r\nHost: app.localhost\r\n\r\n";
    client.write_all(request).await.unwrap();
    let seen = || async { !backend.lines().is_empty() };
    assert!(eventually(SOON, seen).await);
    drop(client);
    let all = recorded(&world, "/slow").await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].id, backend.seen()[0].header("x-request-id"));
    assert_eq!(all[0].refused.as_deref(), Some("client.gone"));

    let mut client = world.over_http2("app.localhost").await;
    let block = literals(&[
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "app.localhost"),
        (":path", "/slow?again"),
    ]);
    let mut bytes = greeting();
    bytes.extend(frame(
        kind::HEADERS,
        flag::END_STREAM | flag::END_HEADERS,
        1,
        &block,
    ));
    client.write_all(&bytes).await.unwrap();
    let seen = || async { backend.lines().len() == 2 };
    assert!(eventually(SOON, seen).await);
    let reset = frame(kind::RST_STREAM, 0, 1, &8_u32.to_be_bytes());
    client.write_all(&reset).await.unwrap();
    let both = || async {
        records(&world.data())
            .iter()
            .filter(|r| r.path == "/slow")
            .count()
            == 2
    };
    assert!(eventually(SOON, both).await, "{:?}", records(&world.data()));
}
