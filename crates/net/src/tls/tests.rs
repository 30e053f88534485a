use std::time::Duration;

use model::{Clock as _, Secret, SystemClock, SystemEntropy};
use rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::{Authority, Purpose};

fn authority() -> Authority {
    Authority::create("test authority", &SystemClock::new(), &SystemEntropy).unwrap()
}

fn issue(authority: &Authority, host: &str, purpose: Purpose) -> Certificate {
    let hosts = [host.to_owned()];
    authority
        .issue(&hosts, purpose, &SystemClock::new(), &SystemEntropy)
        .unwrap()
}

/// A handshake over a pipe: what each side says in the end.
async fn handshake(
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    name: &str,
) -> (Result<Option<String>, String>, Result<(), String>) {
    use tokio::io::AsyncReadExt as _;
    use tokio::io::AsyncWriteExt as _;
    let (left, right) = tokio::io::duplex(64 * 1024);
    let serving = tokio::spawn(async move {
        let mut stream = TlsAcceptor::from(server)
            .accept(right)
            .await
            .map_err(|error| error.to_string())?;
        stream
            .write_all(b"hi")
            .await
            .map_err(|error| error.to_string())?;
        stream.shutdown().await.map_err(|error| error.to_string())?;
        Ok(stream.get_ref().1.server_name().map(str::to_owned))
    });
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connecting = async {
        let mut stream = TlsConnector::from(client).connect(name, left).await?;
        let mut hello = [0; 2];
        stream.read_exact(&mut hello).await.map(|_| ())
    };
    let client = connecting
        .await
        .map_err(|error: std::io::Error| error.to_string());
    (serving.await.unwrap(), client)
}

fn served(certificates: &[Certificate]) -> Arc<ServerConfig> {
    let resolver = Arc::new(Certificates::new());
    resolver.replace(certificates).unwrap();
    server_config(resolver, Offer::Http2AndHttp1).unwrap()
}

fn trusting(authority: &Authority) -> Arc<ClientConfig> {
    client_config(&Roots::Pem(authority.certificate().to_owned())).unwrap()
}

#[tokio::test]
async fn certificate_is_chosen_by_name() {
    let authority = authority();
    let server = served(&[
        issue(&authority, "a.example", Purpose::Server),
        issue(&authority, "*.shop.example", Purpose::Server),
    ]);
    for (name, fine) in [
        ("a.example", true),
        ("api.shop.example", true),
        ("deep.api.shop.example", false),
        ("shop.example", false),
        ("b.example", false),
    ] {
        let (seen, client) = handshake(Arc::clone(&server), trusting(&authority), name).await;
        assert_eq!(client.is_ok(), fine, "{name}: {client:?}");
        if fine {
            assert_eq!(seen.unwrap().as_deref(), Some(name));
        }
    }
}

#[tokio::test]
async fn certificate_of_a_stranger_is_refused() {
    let server = served(&[issue(&authority(), "a.example", Purpose::Server)]);
    let (_, client) = handshake(server, trusting(&authority()), "a.example").await;
    assert!(client.unwrap_err().contains("certificate"));
}

#[tokio::test]
async fn client_certificate_is_no_server_certificate() {
    let authority = authority();
    let server = served(&[issue(&authority, "a.example", Purpose::Client)]);
    let (_, client) = handshake(server, trusting(&authority), "a.example").await;
    assert!(client.is_err());
}

#[tokio::test]
async fn certificates_change_while_the_listener_stays() {
    let authority = authority();
    let resolver = Arc::new(Certificates::new());
    let server = server_config(Arc::clone(&resolver), Offer::Http1).unwrap();
    let client = || trusting(&authority);
    assert!(
        handshake(Arc::clone(&server), client(), "a.example")
            .await
            .1
            .is_err()
    );
    resolver
        .replace(&[issue(&authority, "a.example", Purpose::Server)])
        .unwrap();
    assert!(
        handshake(Arc::clone(&server), client(), "a.example")
            .await
            .1
            .is_ok()
    );
    let broken = Certificate {
        key: Secret::new("not a key".to_owned()),
        ..issue(&authority, "b.example", Purpose::Server)
    };
    assert!(resolver.replace(&[broken]).is_err());
    assert!(
        handshake(Arc::clone(&server), client(), "a.example")
            .await
            .1
            .is_ok()
    );
    assert!(resolver.covers("A.example") && !resolver.covers("b.example"));
}

#[tokio::test]
async fn peer_without_a_certificate_gets_no_link() {
    let authority = authority();
    let control = issue(&authority, "control.example", Purpose::Server);
    let roots = Roots::Pem(authority.certificate().to_owned());
    let server = mutual_server_config(&control, &roots).unwrap();
    let node = issue(&authority, "node-1", Purpose::Client);
    let known = mutual_client_config(&node, &roots).unwrap();
    let (seen, client) = handshake(Arc::clone(&server), known, "control.example").await;
    assert!(seen.is_ok() && client.is_ok());
    let (seen, _) = handshake(server, client_config(&roots).unwrap(), "control.example").await;
    assert!(seen.is_err());
}

#[test]
fn authority_is_the_same_after_loading() {
    let first = authority();
    let second = Authority::load(first.certificate(), &first.key()).unwrap();
    assert_eq!(first.certificate(), second.certificate());
    let difference = first.not_after().since(second.not_after());
    assert!(difference < Duration::from_secs(1));
    let leaf = issue(&second, "a.example", Purpose::Server);
    Certificate::from_pem(leaf.hosts.clone(), leaf.chain.clone(), leaf.key.clone()).unwrap();
    let days = leaf.not_after.since(SystemClock::new().now()).as_secs() / 86_400;
    assert!((59..=60).contains(&days), "{days}");
}

#[test]
fn key_of_another_certificate_is_refused() {
    let authority = authority();
    let (a, b) = (
        issue(&authority, "a", Purpose::Server),
        issue(&authority, "b", Purpose::Server),
    );
    let error = Certificate::from_pem(a.hosts, a.chain, b.key).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the private key for `a` is not usable: it belongs to another certificate"
    );
}

#[test]
fn empty_and_missing_files_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.pem");
    std::fs::File::create(&path).unwrap();
    assert!(matches!(
        client_config(&Roots::File(path.clone())),
        Err(Error::NoRoots { .. })
    ));
    let error = Certificate::load(vec!["a".to_owned()], &path, &path).unwrap_err();
    assert!(
        error.to_string().contains("holds no certificate"),
        "{error}"
    );
    let gone = folder.path().join("gone.pem");
    assert!(matches!(
        client_config(&Roots::File(gone)),
        Err(Error::Read { .. })
    ));
}
