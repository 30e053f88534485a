use std::sync::atomic::{AtomicUsize, Ordering};

use model::{SystemClock, SystemEntropy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// A server over TLS that answers every question with the same bytes.
pub(in crate::issuers) struct Server {
    pub(in crate::issuers) port: u16,
    pub(in crate::issuers) trust: Arc<ClientConfig>,
    pub(in crate::issuers) asked: Arc<AtomicUsize>,
}

impl Server {
    pub(in crate::issuers) async fn start(
        answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let clock = SystemClock::new();
        let authority = net::Authority::create("test", &clock, &SystemEntropy).unwrap();
        let hosts = ["localhost".to_owned()];
        let certificate = authority
            .issue(&hosts, net::Purpose::Server, &clock, &SystemEntropy)
            .unwrap();
        let certificates = Arc::new(net::tls::Certificates::new());
        certificates.replace(&[certificate]).unwrap();
        let config = net::tls::server_config(certificates, net::tls::Offer::Http1).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = TlsAcceptor::from(Arc::clone(&config)).accept(stream).await
                else {
                    continue;
                };
                counted.fetch_add(1, Ordering::SeqCst);
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => break,
                    }
                }
                let head = String::from_utf8(head).unwrap();
                let target = head.split(' ').nth(1).unwrap_or("");
                drop(stream.write_all(&answer(target)).await);
                drop(stream.shutdown().await);
            }
        });
        let roots = net::tls::Roots::Pem(authority.certificate().to_owned());
        Self {
            port,
            trust: net::tls::client_config(&roots).unwrap(),
            asked,
        }
    }

    pub(in crate::issuers) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }
}

pub(in crate::issuers) fn ok(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[tokio::test]
async fn keys_come_over_verified_tls_only() {
    let server = Server::start(ok).await;
    let body = keys(&server.url("/keys?a=b"), &server.trust).await.unwrap();
    assert_eq!(body, "/keys?a=b");
    let stranger = Server::start(|_| ok("")).await;
    let refused = keys(&server.url("/keys"), &stranger.trust).await;
    assert!(refused.unwrap_err().contains("certificate"));
    let by_address = format!("https://127.0.0.1:{}/keys", server.port);
    assert!(
        keys(&by_address, &server.trust).await.is_err(),
        "another name"
    );
    for url in [
        "http://localhost/",
        "https://user@localhost/",
        "localhost",
        "",
        "https:///x",
    ] {
        assert!(keys(url, &server.trust).await.is_err(), "{url}");
    }
}

#[tokio::test]
async fn redirects_errors_and_endless_answers_are_none() {
    let server = Server::start(|target| match target {
        "/redirect" => {
            b"HTTP/1.1 302 Found\r\nlocation: https://localhost/\r\ncontent-length: 0\r\n\r\n"
                .to_vec()
        }
        "/error" => b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n".to_vec(),
        "/long" => {
            let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
            answer.resize(answer.len() + BODY_BYTES_MAX + 1, b'x');
            answer
        }
        "/head" => {
            let mut answer = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
            answer.resize(answer.len() + 64 * 1024, b'x');
            answer
        }
        "/short" => b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec(),
        _ => b"nonsense".to_vec(),
    })
    .await;
    for path in ["/redirect", "/error", "/long", "/head", "/short", "/"] {
        let said = keys(&server.url(path), &server.trust).await;
        assert!(said.is_err(), "{path}");
    }
    assert_eq!(
        server.asked.load(Ordering::SeqCst),
        6,
        "nobody is asked twice"
    );
}

#[tokio::test]
async fn discovery_believes_its_own_issuer_and_leads_to_no_machine_beside() {
    let other = Server::start(|_| ok("inside")).await;
    let inside = other.url("/keys");
    // The server has to know its own port, which is known only once it listens.
    let port = Arc::new(AtomicUsize::new(0));
    let known = Arc::clone(&port);
    let server = Server::start(move |target| {
        let own = format!("https://localhost:{}", known.load(Ordering::SeqCst));
        let said = |issuer: &str, keys: &str| {
            ok(&format!(
                "{{\"issuer\":\"{issuer}\",\"jwks_uri\":\"{keys}\"}}"
            ))
        };
        match target {
            "/a/.well-known/openid-configuration" => {
                said(&format!("{own}/a"), &format!("{own}/keys"))
            }
            "/b/.well-known/openid-configuration" => {
                said(&format!("{own}/a"), &format!("{own}/keys"))
            }
            "/c/.well-known/openid-configuration" => said(&format!("{own}/c"), &inside),
            "/d/.well-known/openid-configuration" => {
                said(&format!("{own}/d"), "http://localhost/keys")
            }
            "/keys" => ok("the keys"),
            _ => ok("{}"),
        }
    })
    .await;
    port.store(usize::from(server.port), Ordering::SeqCst);
    let found = discovered(&server.url("/a"), &server.trust).await.unwrap();
    assert_eq!(found, "the keys");
    let another = discovered(&server.url("/b"), &server.trust).await;
    assert!(another.unwrap_err().contains("another issuer"));
    let beside = discovered(&server.url("/c"), &server.trust).await;
    assert!(beside.unwrap_err().contains("no address that may be asked"));
    assert!(discovered(&server.url("/d"), &server.trust).await.is_err());
    assert!(discovered(&server.url("/e"), &server.trust).await.is_err());
    assert_eq!(other.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn only_addresses_of_the_public_network_are_public() {
    for address in ["8.8.8.8", "2606:4700::1111", "198.20.0.1", "100.63.0.1"] {
        assert!(is_public(address.parse().unwrap()), "{address}");
    }
    for address in [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "198.18.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "2001:db8::1",
        "2001::1",
        "3fff::1",
    ] {
        assert!(!is_public(address.parse().unwrap()), "{address}");
    }
}
