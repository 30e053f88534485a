//! Two processes of one data folder, as far as one test process can be two.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};

use estate::Estate;

use super::*;
use crate::front::Echo;
use crate::process::Ground;

/// A gateway that serves, and what it would be told.
struct Running {
    process: Arc<Process<Echo>>,
    echo: Arc<Echo>,
    ended: mpsc::Receiver<Ending>,
}

fn estate(address: SocketAddr) -> Estate {
    let mut estate = Estate::parse(&estate::starter("shop")).unwrap().estate;
    estate.listen.https = Vec::new();
    estate.listen.http = vec![address];
    estate.listen.plain = true;
    estate.listen.metrics = None;
    estate
}

static SERVING: AtomicUsize = AtomicUsize::new(0);

async fn begin(folder: &Path, address: SocketAddr, mut before: Option<Predecessor>) -> Running {
    let ground = Ground::prepare(folder, 2).unwrap();
    let echo = Echo::new();
    let handlers = vec![Arc::clone(&echo), Arc::clone(&echo)];
    let process = Arc::new(Process::start(ground, handlers).unwrap());
    let lock = match &mut before {
        None => tempfile::tempfile().unwrap().into(),
        Some(predecessor) => {
            process.inherit(predecessor.sockets());
            predecessor.lock().unwrap()
        }
    };
    let prepared = process.prepare(&estate(address)).unwrap();
    process.commit(prepared, &estate(address)).await;
    let (endings, ended) = mpsc::channel(4);
    let succession = Succession {
        folder: folder.join("gateway"),
        lock,
        predecessor: before,
        say_ready: || {
            SERVING.fetch_add(1, Ordering::SeqCst);
        },
        endings,
    };
    succession.begin(&process);
    Running {
        process,
        echo,
        ended,
    }
}

fn free() -> SocketAddr {
    let socket = net::bind_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.local_addr().unwrap()
}

async fn taken(folder: PathBuf) -> Predecessor {
    loop {
        let folder = folder.clone();
        let took = tokio::task::spawn_blocking(move || take_over(&folder));
        match took.await.unwrap().unwrap() {
            Some(predecessor) => return predecessor,
            // Its thread has not opened the door yet.
            None => tokio::task::yield_now().await,
        }
    }
}

fn ask(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn next_gateway_gets_the_same_sockets_and_the_one_before_leaves() {
    let data = tempfile::tempdir().unwrap();
    let address = free();
    let folder = data.path().join("gateway");
    let mut first = begin(data.path(), address, None).await;
    let predecessor = taken(folder.clone()).await;
    assert_eq!(predecessor.sockets.listeners[&address].len(), 2);
    let mut second = begin(data.path(), address, Some(predecessor)).await;
    assert_eq!(first.ended.recv().await, Some(Ending::Leave));
    let stopped = first.process.stop(Ending::Leave, Duration::from_secs(10));
    assert!(stopped.await);
    let before = first.echo.requests().len();
    for _ in 0..20 {
        let answered = tokio::task::spawn_blocking(move || ask(address));
        assert!(answered.await.unwrap().contains("200 OK"));
    }
    assert_eq!(first.echo.requests().len(), before);
    assert_eq!(second.echo.requests().len(), 20);
    // And again: the second one is followed in turn.
    let third = begin(data.path(), address, Some(taken(folder).await)).await;
    assert_eq!(second.ended.recv().await, Some(Ending::Leave));
    assert!(SERVING.load(Ordering::SeqCst) >= 3);
    drop(third);
}

#[tokio::test]
async fn one_that_goes_before_it_serves_changes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let address = free();
    let folder = data.path().join("gateway");
    let mut first = begin(data.path(), address, None).await;
    for _ in 0..3 {
        drop(taken(folder.clone()).await);
    }
    let answered = tokio::task::spawn_blocking(move || ask(address));
    assert!(answered.await.unwrap().contains("200 OK"));
    assert!(first.ended.try_recv().is_err(), "nobody told it to leave");
    let second = begin(data.path(), address, Some(taken(folder).await)).await;
    assert_eq!(first.ended.recv().await, Some(Ending::Leave));
    drop(second);
}

#[test]
fn one_that_ends_in_the_middle_is_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let open = Door::open(&door(folder.path())).unwrap();
    let ending = std::thread::spawn(move || {
        let talk = open.accept(STEP_TIMEOUT).unwrap();
        let greeting = b"{\"format\":\"rampart.handover.v1\",\"sockets\":3}";
        talk.send(greeting, &[]).unwrap();
    });
    assert!(take_over(folder.path()).unwrap().is_none());
    ending.join().unwrap();
}

#[test]
fn nobody_to_follow_is_a_start_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    assert!(take_over(folder.path()).unwrap().is_none());
}

#[test]
fn something_else_at_the_door_is_an_error_that_says_so() {
    for greeting in [
        "{\"format\":\"rampart.handover.v9\",\"sockets\":0}",
        "{\"format\":\"rampart.handover.v1\",\"sockets\":99999}",
        "hello",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let open = Door::open(&door(folder.path())).unwrap();
        let serving = std::thread::spawn(move || {
            let talk = open.accept(STEP_TIMEOUT).unwrap();
            talk.send(greeting.as_bytes(), &[]).unwrap();
        });
        assert!(matches!(take_over(folder.path()), Err(Error::TakeOver(_))));
        serving.join().unwrap();
    }
}
