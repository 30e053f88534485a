//! Services that lie, through the whole program, beside an innocent one that must not notice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use testkit::eventually;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::backend::Backend;
use crate::world::{OPEN, SOON, World};

/// What a service does with each request it reads; how many connections it has open.
struct Liar {
    address: SocketAddr,
    open: Arc<AtomicUsize>,
}

impl Liar {
    /// `lie` gets the connection, the request's target and its number on that connection; `false`
    /// ends the connection.
    async fn start<F>(
        lie: impl Fn(Arc<tokio::sync::Mutex<TcpStream>>, String, usize) -> F
        + Clone
        + Send
        + Sync
        + 'static,
    ) -> Self
    where
        F: Future<Output = bool> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let open = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&open);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (lie, open) = (lie.clone(), Arc::clone(&counted));
                open.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let stream = Arc::new(tokio::sync::Mutex::new(stream));
                    let mut count = 0;
                    loop {
                        let target = head(&mut *stream.lock().await).await;
                        let Some(target) = target else {
                            break;
                        };
                        if !lie(Arc::clone(&stream), target, count).await {
                            break;
                        }
                        count += 1;
                    }
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, open }
    }

    async fn world(&self) -> World {
        let (_backend, innocent) = Backend::start().await;
        let routes = format!(
            "\n[[service]]\nname = \"liar\"\naddress = \"{}\"\n\n[[route]]\nname = \"liar\"\n\
             host = \"liar.localhost\"\npath = \"/**\"\nto = \"liar\"\nauth = \"none\"\n\
             limits = {{ response_timeout = \"2s\" }}\n{OPEN}",
            self.address
        );
        World::start(innocent, &routes).await
    }
}

/// The target of the request whose head comes next.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        text.push(char::from(stream.read_u8().await.ok()?));
    }
    text.split(' ').nth(1).map(str::to_owned)
}

async fn ask(world: &World, target: &str) -> TcpStream {
    let mut stream = TcpStream::connect(world.plain).await.unwrap();
    let text =
        format!("GET {target} HTTP/1.1\r\nHost: liar.localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// The innocent service answers as ever: far sooner than any time limit of the liar's.
async fn innocent(world: &World) {
    for at in 0..20 {
        let target = format!("/innocent/{at}");
        let asked = world.get("app.localhost", &target);
        let answer = tokio::time::timeout(Duration::from_millis(1500), asked).await;
        let answer = answer.expect("it does not wait for the liar");
        assert_eq!(
            (answer.status.as_u16(), answer.body),
            (200, format!("GET {target}"))
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn service_killed_in_the_middle_of_an_answer_never_looks_whole() {
    let read = Arc::new(Notify::new());
    let heard = Arc::clone(&read);
    let liar = Liar::start(move |stream, target, _| {
        let heard = Arc::clone(&heard);
        async move {
            let framing = match target.as_str() {
                "/length" => "Content-Length: 1000\r\n\r\nhalf",
                _ => "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            };
            let text = format!("HTTP/1.1 200 OK\r\n{framing}");
            stream
                .lock()
                .await
                .write_all(text.as_bytes())
                .await
                .unwrap();
            heard.notified().await;
            false
        }
    })
    .await;
    let world = liar.world().await;
    for target in ["/length", "/chunks"] {
        for _ in 0..10 {
            let mut stream = ask(&world, target).await;
            let mut first = [0; 12];
            stream.read_exact(&mut first).await.unwrap();
            assert_eq!(&first, b"HTTP/1.1 200");
            read.notify_one();
            let mut rest = Vec::new();
            // Broken off or reset: both are no whole answer.
            drop(stream.read_to_end(&mut rest).await);
            let whole = rest.len() > 1000 || rest.ends_with(b"0\r\n\r\n");
            assert!(!whole, "{}", rest.escape_ascii());
        }
    }
    innocent(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn service_that_never_answers_costs_its_own_clients_only() {
    let liar = Liar::start(|_, _, _| async { true }).await;
    let world = liar.world().await;
    let mut waiting = Vec::new();
    for _ in 0..50 {
        waiting.push(ask(&world, "/x").await);
    }
    let all = || async { liar.open.load(Ordering::SeqCst) > 0 };
    assert!(eventually(SOON, all).await);
    innocent(&world).await;
    for mut stream in waiting {
        let mut answer = String::new();
        let read = tokio::time::timeout(SOON, stream.read_to_string(&mut answer));
        read.await.expect("in time").unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 504 ") || answer.starts_with("HTTP/1.1 503 "),
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn service_that_drips_holds_nobody_up_and_is_left_with_its_clients() {
    let liar = Liar::start(|stream, _, _| async move {
        let mut stream = stream.lock().await;
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
        stream.write_all(head).await.unwrap();
        while stream.write_all(b".").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        false
    })
    .await;
    let world = liar.world().await;
    let mut dripping = Vec::new();
    for _ in 0..50 {
        let mut stream = ask(&world, "/drip").await;
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        dripping.push(stream);
    }
    innocent(&world).await;
    drop(dripping);
    let left = || async { liar.open.load(Ordering::SeqCst) == 0 };
    assert!(eventually(SOON, left).await, "its connections are closed");
    innocent(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answer_nobody_asked_for_is_nobodys() {
    let sent = Arc::new(Notify::new());
    let said = Arc::clone(&sent);
    let liar = Liar::start(move |stream, target, _| {
        let said = Arc::clone(&said);
        async move {
            let stray = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray";
            let own = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{target}",
                target.len()
            );
            let mut stream = stream.lock().await;
            if target.starts_with("/at-once") {
                let both = own + stray;
                stream.write_all(both.as_bytes()).await.unwrap();
            } else {
                stream.write_all(own.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
                stream.write_all(stray.as_bytes()).await.unwrap();
            }
            said.notify_one();
            true
        }
    })
    .await;
    let world = liar.world().await;
    for kind in ["/at-once", "/after"] {
        for at in 0..40 {
            let target = format!("{kind}/{at}");
            let answer = world.get("liar.localhost", &target).await;
            assert_eq!((answer.status.as_u16(), answer.body), (200, target));
            // The stray answer is on its way before the next request is.
            sent.notified().await;
        }
    }
}
