use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::front::Echo;
use crate::process::Ground;

struct Running {
    orders: mpsc::Sender<Order>,
    stop: mpsc::Sender<Ending>,
    is_ready: oneshot::Receiver<()>,
    obeying: tokio::task::JoinHandle<bool>,
    _data: tempfile::TempDir,
}

fn start() -> Running {
    let data = tempfile::tempdir().unwrap();
    let ground = Ground::prepare(data.path(), 1).unwrap();
    let process = Arc::new(Process::start(ground, vec![Echo::new()]).unwrap());
    let (orders, received) = mpsc::channel(ORDERS_MAX);
    let (stop, endings) = mpsc::channel(4);
    let (ready, is_ready) = oneshot::channel();
    let ready = move || ready.send(()).unwrap();
    let obeying = tokio::spawn(obey(process, received, endings, ready));
    Running {
        orders,
        stop,
        is_ready,
        obeying,
        _data: data,
    }
}

fn estate(http: &[SocketAddr]) -> Arc<Estate> {
    let mut estate = Estate::parse(&estate::starter("shop")).unwrap().estate;
    estate.listen.https = Vec::new();
    estate.listen.http = http.to_vec();
    estate.listen.plain = true;
    estate.listen.metrics = None;
    Arc::new(estate)
}

/// An address that was free a moment ago.
fn free() -> SocketAddr {
    let socket = net::bind_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.local_addr().unwrap()
}

impl Running {
    async fn prepare(&self, estate: Arc<Estate>) -> Result<(), String> {
        let (outcome, said) = oneshot::channel();
        self.orders
            .send(Order::Prepare { estate, outcome })
            .await
            .unwrap();
        said.await.unwrap()
    }

    async fn swap(&self) -> (bool, bool) {
        let installed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&installed);
        let install = Box::new(move || flag.store(true, Ordering::SeqCst));
        let (outcome, said) = oneshot::channel();
        self.orders
            .send(Order::Swap { install, outcome })
            .await
            .unwrap();
        (said.await.unwrap(), installed.load(Ordering::SeqCst))
    }
}

async fn is_served(address: SocketAddr) -> bool {
    let Ok(mut stream) = tokio::net::TcpStream::connect(address).await else {
        return false;
    };
    let get = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut answer = String::new();
    stream.write_all(get).await.is_ok()
        && stream.read_to_string(&mut answer).await.is_ok()
        && answer.contains("200 OK")
}

#[tokio::test]
async fn estate_is_served_only_once_swapped_in_and_outlives_the_link() {
    let running = start();
    let address = free();
    running.prepare(estate(&[address])).await.unwrap();
    assert_eq!(running.swap().await, (true, true));
    assert!(is_served(address).await);
    drop(running.orders);
    assert!(is_served(address).await);
    running.stop.send(Ending::Stop).await.unwrap();
    assert!(running.obeying.await.unwrap());
}

#[tokio::test]
async fn swap_without_a_prepared_estate_changes_nothing() {
    let running = start();
    assert_eq!(running.swap().await, (false, false));
    let address = free();
    running.prepare(estate(&[address])).await.unwrap();
    running.orders.send(Order::Abandon).await.unwrap();
    assert_eq!(running.swap().await, (false, false));
    assert!(!is_served(address).await);
}

#[tokio::test]
async fn estate_that_cannot_be_prepared_says_why_and_the_old_one_stays() {
    let running = start();
    let address = free();
    running.prepare(estate(&[address])).await.unwrap();
    running.swap().await;
    let elsewhere: SocketAddr = "192.0.2.1:80".parse().unwrap();
    let error = running.prepare(estate(&[elsewhere])).await.unwrap_err();
    assert!(
        error.starts_with("cannot listen on `192.0.2.1:80`: "),
        "{error}"
    );
    assert_eq!(running.swap().await, (false, false));
    assert!(is_served(address).await);
}

#[tokio::test]
async fn bad_certificate_is_named() {
    let running = start();
    let (outcome, said) = oneshot::channel();
    let certificate = net::Certificate {
        hosts: vec!["a.example".to_owned()],
        chain: "nothing".to_owned(),
        key: model::Secret::new("nothing".to_owned()),
        not_after: model::Timestamp::from_millis(0),
    };
    let certificates = vec![certificate];
    running
        .orders
        .send(Order::Certificates {
            certificates,
            outcome,
        })
        .await
        .unwrap();
    assert!(
        said.await
            .unwrap()
            .unwrap_err()
            .contains("certificate chain")
    );
}

#[tokio::test]
async fn readiness_is_said_with_the_first_estate_and_orders_are_obeyed_to_the_end() {
    let mut running = start();
    let address = free();
    assert!(running.is_ready.try_recv().is_err());
    running.prepare(estate(&[address])).await.unwrap();
    assert_eq!(running.swap().await, (true, true));
    (&mut running.is_ready).await.unwrap();
    // One request that is not whole holds the process.
    let mut open = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";
    open.write_all(head).await.unwrap();
    open.read_u8().await.unwrap();
    running.stop.send(Ending::Leave).await.unwrap();
    // What it still serves is decided by what is ordered now; it listens nowhere new.
    let other = free();
    running.prepare(estate(&[other])).await.unwrap();
    assert_eq!(running.swap().await, (true, true));
    let elsewhere = tokio::net::TcpStream::connect(other).await;
    assert!(elsewhere.is_err(), "it leaves");
    open.write_all(b"x").await.unwrap();
    let mut answer = String::new();
    open.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.contains("200 OK") && answer.contains("connection: close"),
        "{answer}"
    );
    drop(open);
    assert!(running.obeying.await.unwrap(), "nothing was cut off");
}
