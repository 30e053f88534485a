//! Real sockets on loopback.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use model::Clock;
use testkit::SeededEntropy;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::front::testing::{self, Echo};

struct Running {
    fleet: Fleet,
    echo: Arc<Echo>,
    authority: net::Authority,
}

fn clock() -> impl Clock {
    // Certificates are checked against the machine's clock: one that stands at the tests' epoch
    // would be outside of theirs.
    model::SystemClock::new()
}

fn start(workers: usize) -> Running {
    let echo = Echo::new();
    let entropy = SeededEntropy::new(7);
    let authority = net::Authority::create("test", &clock(), &entropy).unwrap();
    let hosts = ["localhost".to_owned()];
    let certificate = authority
        .issue(&hosts, net::Purpose::Server, &clock(), &entropy)
        .unwrap();
    let certificates = Arc::new(net::tls::Certificates::new());
    certificates.replace(&[certificate]).unwrap();
    let tls = net::tls::server_config(certificates, net::tls::Offer::Http2AndHttp1).unwrap();
    let caps = Arc::new(Caps::new());
    caps.set(1000, 100, &[]);
    let handlers = (0..workers).map(|_| Arc::clone(&echo)).collect();
    let fleet = Fleet::start(handlers, &tls, testing::settings(), caps).unwrap();
    Running {
        fleet,
        echo,
        authority,
    }
}

fn listen(https: &[&str], http: &[&str], plain: bool) -> Listen {
    let all = |list: &[&str]| {
        list.iter()
            .map(|address| address.parse().unwrap())
            .collect()
    };
    Listen {
        https: all(https),
        http: all(http),
        plain,
        metrics: None,
        strict_sni: false,
    }
}

impl Running {
    async fn listen(&self, listen: &Listen) -> Vec<SocketAddr> {
        let prepared = self.fleet.prepare(listen).unwrap();
        let addresses = prepared.addresses().map(|(address, _)| address).collect();
        self.fleet.commit(prepared).await;
        addresses
    }
}

async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

const GET: &str = "GET /x?y HTTP/1.1\r\nHost: localhost:80\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn every_worker_serves_the_same_address() {
    let running = start(3);
    let address = running.listen(&listen(&[], &["127.0.0.1:0"], true)).await[0];
    for _ in 0..20 {
        assert!(ask(address, GET).await.contains("GET /x?y 0"));
    }
    assert_eq!(running.echo.requests().len(), 20);
    assert!(running.fleet.stop(Duration::from_secs(5)).await);
}

#[tokio::test]
async fn clear_requests_are_sent_to_https() {
    let running = start(1);
    let wanted = listen(&["127.0.0.1:0"], &["127.0.0.1:0"], false);
    let addresses = running.listen(&wanted).await;
    let answer = ask(addresses[1], GET).await;
    assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
    assert!(
        answer.contains("location: https://localhost:0/x?y\r\n"),
        "{answer}"
    );
    assert!(running.echo.requests().is_empty());
}

#[tokio::test]
async fn page_of_a_challenge_is_answered_in_clear_whatever_the_listener_does_otherwise() {
    for plain in [true, false] {
        let running = start(1);
        let wanted = listen(&["127.0.0.1:0"], &["127.0.0.1:0"], plain);
        let addresses = running.listen(&wanted).await;
        let page = |method: &str, host: &str, token: &str| {
            format!(
                "{method} /.well-known/acme-challenge/{token} HTTP/1.1\r\nHost: {host}\r\n\
                 Connection: close\r\n\r\n"
            )
        };
        let answer = ask(addresses[1], &page("GET", "localhost:80", "under-way")).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.ends_with("\r\n\r\nunder-way.thumb"), "{answer}");
        assert!(answer.contains("content-type: application/octet-stream\r\n"));
        // Anything else goes its usual way.
        for (method, host, token) in [
            ("GET", "localhost", "other"),
            ("GET", "other.example", "under-way"),
            ("POST", "localhost", "under-way"),
            ("GET", "localhost", "under-way/x"),
        ] {
            let answer = ask(addresses[1], &page(method, host, token)).await;
            let usual = if plain {
                "HTTP/1.1 200 "
            } else {
                "HTTP/1.1 308 "
            };
            assert!(
                answer.starts_with(usual),
                "{method} {host} {token}: {answer}"
            );
            assert!(!answer.contains("thumb"), "{answer}");
        }
        assert_eq!(running.echo.requests().len(), if plain { 4 } else { 0 });
    }
}

#[tokio::test]
async fn tls_speaks_http2_and_http1_and_refuses_unknown_names() {
    let running = start(1);
    let address = running.listen(&listen(&["127.0.0.1:0"], &[], false)).await[0];
    let roots = net::tls::Roots::Pem(running.authority.certificate().to_owned());
    let config = net::tls::client_config(&roots).unwrap();
    let connect = |name: &'static str, alpn: &[u8]| {
        let mut config = (*config).clone();
        config.alpn_protocols = vec![alpn.to_vec()];
        async move {
            let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
            let name = rustls::pki_types::ServerName::try_from(name).unwrap();
            tokio_rustls::TlsConnector::from(Arc::new(config))
                .connect(name, tcp)
                .await
        }
    };
    let mut http1 = connect("localhost", b"http/1.1").await.unwrap();
    http1.write_all(GET.as_bytes()).await.unwrap();
    let mut answer = String::new();
    http1.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("GET /x?y 0"), "{answer}");

    let http2 = connect("localhost", b"h2").await.unwrap();
    assert_eq!(http2.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) = h2::client::handshake(http2).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("https://localhost/two")
        .body(())
        .unwrap();
    let (response, _) = sender.send_request(request, true).unwrap();
    let mut body = response.await.unwrap().into_body();
    assert_eq!(body.data().await.unwrap().unwrap(), "GET /two 0\n");

    assert!(connect("other.example", b"h2").await.is_err());
}

#[tokio::test]
async fn address_over_its_cap_is_hung_up_on() {
    let running = start(1);
    running.fleet.caps().set(1000, 2, &[]);
    let address = running.listen(&listen(&[], &["127.0.0.1:0"], true)).await[0];
    let mut held: Vec<_> = (0..2)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    for stream in &mut held {
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
    }
    let mut third = TcpStream::connect(address).unwrap();
    assert_eq!(third.read(&mut [0; 16]).unwrap_or(0), 0);
    assert_eq!(running.echo.refusals(), ["connection.too_many_of_address"]);
    drop(held);
}

#[tokio::test]
async fn flood_of_connections_leaves_the_next_client_its_place() {
    let running = start(2);
    running.fleet.caps().set(50, 50, &[]);
    let address = running.listen(&listen(&[], &["127.0.0.1:0"], true)).await[0];
    let flood: Vec<_> = (0..300)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    drop(flood);
    // The workers see the ends in their own time: the next one that gets a place is answered.
    let mut answered = false;
    for _ in 0..200 {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let mut answer = String::new();
        if stream.write_all(GET.as_bytes()).await.is_ok()
            && stream.read_to_string(&mut answer).await.is_ok()
            && answer.contains("200 OK")
        {
            answered = true;
            break;
        }
    }
    assert!(answered);
}

#[tokio::test]
async fn new_estate_adds_and_removes_listeners_without_dropping_connections() {
    let running = start(2);
    let first = running.listen(&listen(&[], &["127.0.0.1:0"], true)).await[0];
    let mut open = tokio::net::TcpStream::connect(first).await.unwrap();
    open.write_all(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let mut answer = vec![0; 4096];
    let length = open.read(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer[..length]).contains("200 OK"));

    let second = running.listen(&listen(&[], &["127.0.0.2:0"], true)).await[0];
    assert!(ask(second, GET).await.contains("200 OK"));
    open.write_all(GET.as_bytes()).await.unwrap();
    let mut rest = String::new();
    open.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("200 OK"), "{rest}");
    // The old sockets close as soon as each worker has read its command.
    for _ in 0..1000 {
        if tokio::net::TcpStream::connect(first).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the old address is still listened on");
}

#[tokio::test]
async fn address_that_cannot_be_bound_changes_nothing() {
    let running = start(1);
    let address = running.listen(&listen(&[], &["127.0.0.1:0"], true)).await[0];
    let wanted = listen(&[], &["192.0.2.1:1"], true);
    assert!(matches!(
        running.fleet.prepare(&wanted),
        Err(Error::Listen { .. })
    ));
    assert!(ask(address, GET).await.contains("200 OK"));
}

#[tokio::test]
async fn drain_lets_open_requests_finish_and_closes_idle_connections() {
    let running = start(1);
    let address = running.listen(&listen(&[], &["127.0.0.1:0"], true)).await[0];
    let mut idle = tokio::net::TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /idle HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    let mut busy = tokio::net::TcpStream::connect(address).await.unwrap();
    let head =
        b"POST /busy HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    busy.write_all(head).await.unwrap();
    let mut go_on = [0; 25];
    busy.read_exact(&mut go_on).await.unwrap();

    let fleet = running.fleet;
    let stopping = tokio::spawn(async move { fleet.stop(Duration::from_secs(20)).await });
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    drop(idle);
    busy.write_all(b"hello").await.unwrap();
    let mut answer = String::new();
    busy.read_to_string(&mut answer).await.unwrap();
    drop(busy);
    assert!(answer.contains("POST /busy 5"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(stopping.await.unwrap(), "nothing was cut off");
}
