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
        proxy_protocol: Vec::new(),
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

/// What comes back from a connection that is closed over what was sent.
async fn refused(address: SocketAddr, request: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // Unread bytes reset it, which says the same.
    drop(stream.read_to_string(&mut answer).await);
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
    assert!(
        running
            .fleet
            .stop(Ending::Stop, Duration::from_secs(5))
            .await
    );
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
    let stopping =
        tokio::spawn(async move { fleet.stop(Ending::Stop, Duration::from_secs(20)).await });
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

#[tokio::test]
async fn who_waits_at_a_listener_that_goes_is_served() {
    let running = start(2);
    running.fleet.caps().set(1000, 1000, &[]);
    let address = running.listen(&listen(&[], &["127.0.0.1:0"], true)).await[0];
    // More at once than the workers take between two looks.
    let mut streams: Vec<TcpStream> = (0..200)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    // Another address: the same one would keep its sockets.
    running.listen(&listen(&["127.0.0.2:0"], &[], false)).await;
    let served = tokio::task::spawn_blocking(move || {
        streams.iter_mut().all(|stream| {
            let mut answer = String::new();
            stream.write_all(GET.as_bytes()).unwrap();
            stream.read_to_string(&mut answer).unwrap();
            answer.contains("200 OK")
        })
    });
    assert!(served.await.unwrap());
    let closed = || async { TcpStream::connect(address).is_err() };
    assert!(testkit::eventually(Duration::from_secs(10), closed).await);
}

#[tokio::test]
async fn address_that_changes_its_purpose_keeps_its_sockets() {
    let running = start(2);
    let address = {
        let socket = net::bind_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
        socket.local_addr().unwrap().to_string()
    };
    running.listen(&listen(&[], &[&address], true)).await;
    let at: SocketAddr = address.parse().unwrap();
    assert!(ask(at, GET).await.starts_with("HTTP/1.1 200 "));
    running.listen(&listen(&[], &[&address], false)).await;
    let redirected = || async { ask(at, GET).await.starts_with("HTTP/1.1 308 ") };
    assert!(testkit::eventually(Duration::from_secs(10), redirected).await);
}

#[tokio::test]
async fn sockets_are_shared_with_a_successor_of_another_number_of_workers() {
    for (before, after) in [(1, 3), (3, 1), (2, 2)] {
        let first = start(before);
        let second = start(after);
        let wanted = listen(&[], &["127.0.0.1:0"], true);
        let address = first.listen(&wanted).await[0];
        second.fleet.inherit(first.fleet.sockets().unwrap());
        assert_eq!(second.listen(&wanted).await, [address], "the same port");
        assert!(
            first
                .fleet
                .stop(Ending::Leave, Duration::from_secs(10))
                .await
        );
        let all = futures_util::future::join_all((0..40).map(|_| ask(address, GET)));
        assert!(all.await.iter().all(|answer| answer.contains("200 OK")));
        assert_eq!(second.echo.requests().len(), 40);
    }
}

#[tokio::test]
async fn proxy_says_for_whom_it_connects_before_tls_and_before_http() {
    let running = start(1);
    let mut settings = testing::settings();
    settings.proxies = ["127.0.0.0/8".parse().unwrap()].into();
    running.fleet.set(settings);
    running.fleet.caps().set(1000, 2, &[]);
    let addresses = running
        .listen(&listen(&["127.0.0.1:0"], &["127.0.0.1:0"], true))
        .await;
    let plain = addresses[1];
    let line = "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n";
    assert!(ask(plain, &format!("{line}{GET}")).await.contains("200 OK"));
    let peers = running.echo.peers.lock().unwrap().clone();
    assert_eq!(peers, ["192.0.2.7:56324".parse().unwrap()]);
    // It is required, and whoever it names has the cap of an address.
    assert_eq!(refused(plain, GET).await, "");
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = tokio::net::TcpStream::connect(plain).await.unwrap();
        let request = format!("{line}GET /open HTTP/1.1\r\nHost: a\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.read_u8().await.unwrap();
        open.push(stream);
    }
    assert_eq!(refused(plain, &format!("{line}{GET}")).await, "");
    let other = "PROXY TCP4 192.0.2.8 198.51.100.1 1 443\r\n";
    assert!(
        ask(plain, &format!("{other}{GET}"))
            .await
            .contains("200 OK")
    );
    assert_eq!(
        running.echo.refusals(),
        ["proxy.missing", "connection.too_many_of_address"]
    );
    // TLS begins behind the header.
    let mut tcp = tokio::net::TcpStream::connect(addresses[0]).await.unwrap();
    tcp.write_all(other.as_bytes()).await.unwrap();
    let roots = net::tls::Roots::Pem(running.authority.certificate().to_owned());
    let config = net::tls::client_config(&roots).unwrap();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let tls = tokio_rustls::TlsConnector::from(config).connect(name, tcp);
    let mut tls = tls.await.unwrap();
    tls.write_all(GET.as_bytes()).await.unwrap();
    let mut first = [0; 15];
    tls.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
}

#[tokio::test]
async fn header_of_an_address_that_is_no_proxy_is_no_request() {
    let running = start(1);
    let address = running.listen(&listen(&[], &["127.0.0.1:0"], true)).await[0];
    let line = "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n";
    let answer = ask(address, &format!("{line}{GET}")).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(running.echo.requests().is_empty());
}
