use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::tls::{Certificates, Offer, server_config};
use crate::{Authority, Purpose};
use model::{SystemClock, SystemEntropy};

/// A server that answers one connection with exactly `answer`; its address, and its authority.
async fn server(answer: Vec<u8>) -> (String, Authority) {
    let (clock, entropy) = (SystemClock::new(), SystemEntropy);
    let authority = Authority::create("test", &clock, &entropy).unwrap();
    let hosts = ["127.0.0.1".to_owned()];
    let certificate = authority.issue(&hosts, Purpose::Server, &clock, &entropy);
    let certificates = Arc::new(Certificates::new());
    certificates.replace(&[certificate.unwrap()]).unwrap();
    let config = server_config(certificates, Offer::Http1).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}/dir?x=1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let Ok(mut stream) = TlsAcceptor::from(config).accept(stream).await else {
            return;
        };
        let mut head = [0; 1024];
        let read = stream.read(&mut head).await.unwrap();
        assert!(head[..read].starts_with(b"GET /dir?x=1 HTTP/1.1\r\n"));
        stream.write_all(&answer).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    (address, authority)
}

fn get(address: &str) -> Request<Bytes> {
    Request::get(address).body(Bytes::new()).unwrap()
}

fn trusting(authority: &Authority) -> HttpsClient {
    HttpsClient::new(&Roots::Pem(authority.certificate().to_owned())).unwrap()
}

#[tokio::test]
async fn answer_comes_whole_from_a_server_that_proved_its_name() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi".to_vec();
    let (address, authority) = server(answer).await;
    let answer = trusting(&authority).send(get(&address)).await.unwrap();
    assert_eq!(answer.body().as_ref(), b"hi");
}

#[tokio::test]
async fn server_of_another_authority_is_not_spoken_to() {
    let (address, _) = server(Vec::new()).await;
    let other = Authority::create("other", &SystemClock::new(), &SystemEntropy).unwrap();
    let error = trusting(&other).send(get(&address)).await.unwrap_err();
    let Error::Connect { source, .. } = error else {
        panic!("{error}");
    };
    assert!(source.to_string().contains("UnknownIssuer"), "{source}");
}

#[tokio::test]
async fn endless_answer_is_cut_off() {
    let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    answer.resize(ANSWER_BYTES_MAX + 100_000, b'x');
    let (address, authority) = server(answer).await;
    let error = trusting(&authority).send(get(&address)).await.unwrap_err();
    assert!(matches!(error, Error::AnswerTooLong { .. }), "{error}");
}

#[tokio::test]
async fn address_in_clear_is_refused_before_anything_is_sent() {
    let authority = Authority::create("test", &SystemClock::new(), &SystemEntropy).unwrap();
    let client = trusting(&authority);
    for address in ["http://127.0.0.1:1/", "https://me@127.0.0.1:1/", "/dir"] {
        let error = client.send(get(address)).await.unwrap_err();
        assert!(
            matches!(error, Error::NotHttps { .. }),
            "{address}: {error}"
        );
    }
}
