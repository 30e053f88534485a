//! Against real sockets and real handshakes, with authorities made for the test.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;

use http::Method;
use model::{Clock, SystemClock, SystemEntropy};
use net::{Authority, Purpose};
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::upstream::tests::{HELLO, TIMEOUTS, around, body, plainly, service};
use crate::upstream::{Around, Failed, Target, Upstreams};

/// A clock that is behind.
#[derive(Debug)]
struct Behind(SystemClock, Duration);

impl Clock for Behind {
    fn now(&self) -> Timestamp {
        let behind = i64::try_from(self.1.as_millis()).unwrap();
        Timestamp::from_millis(self.0.now().as_millis() - behind)
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }
}

fn authority(name: &str) -> Authority {
    Authority::create(name, &SystemClock::new(), &SystemEntropy).unwrap()
}

fn issue(authority: &Authority, host: &str, purpose: Purpose) -> net::Certificate {
    let hosts = [host.to_owned()];
    authority
        .issue(&hosts, purpose, &SystemClock::new(), &SystemEntropy)
        .unwrap()
}

fn serving(certificate: &net::Certificate) -> Arc<ServerConfig> {
    let certificates = Arc::new(net::tls::Certificates::new());
    certificates
        .replace(std::slice::from_ref(certificate))
        .unwrap();
    net::tls::server_config(certificates, net::tls::Offer::Http1).unwrap()
}

/// Serves one version of TLS alone.
fn only(
    certificate: &net::Certificate,
    version: &'static rustls::SupportedProtocolVersion,
) -> Arc<ServerConfig> {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let chain = CertificateDer::pem_slice_iter(certificate.chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    let key = PrivateKeyDer::from_pem_slice(certificate.key.expose().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key);
    Arc::new(config.unwrap())
}

/// Answers every request over TLS.
async fn serve(config: Arc<ServerConfig>) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let acceptor = TlsAcceptor::from(Arc::clone(&config));
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(tcp).await else {
                    return;
                };
                let mut read = Vec::new();
                while let Ok(byte) = stream.read_u8().await {
                    read.push(byte);
                    if read.ends_with(b"\r\n\r\n") {
                        read.clear();
                        stream.write_all(HELLO).await.unwrap();
                    }
                }
            });
        }
    });
    address
}

struct Files {
    folder: tempfile::TempDir,
    around: Around,
}

impl Files {
    fn new(authority: &Authority) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (mut around, _, _) = around();
        around.base = folder.path().to_path_buf();
        let files = Self { folder, around };
        files.write("ca.pem", authority.certificate());
        files
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        store::atomic_write(&path, text.as_bytes(), 0o600).unwrap();
    }

    fn own(&self, certificate: &net::Certificate) {
        self.write("own.pem", &certificate.chain);
        self.write("own.key", certificate.key.expose());
    }

    fn service(&self, address: SocketAddr, name: &str) -> Service {
        Service {
            protocol: estate::Protocol::Https,
            tls_name: Some(name.to_owned()),
            tls_authority: Some("ca.pem".to_owned()),
            ..service(vec![address])
        }
    }

    fn mutual(&self, address: SocketAddr) -> Service {
        Service {
            tls_certificate: Some("own.pem".to_owned()),
            tls_key: Some("own.key".to_owned()),
            ..self.service(address, "orders.internal")
        }
    }

    fn target(&self, service: &Service) -> Result<Target, String> {
        Target::service(service, &self.around, &[], None).map_err(|error| error.to_string())
    }
}

async fn ask(target: &Target) -> Result<String, Failed> {
    let upstreams = Upstreams::new();
    let sent = upstreams.send(target, plainly(target, Method::GET), &TIMEOUTS);
    Ok(body(sent.await?).await.unwrap())
}

#[tokio::test]
async fn only_the_right_name_of_a_trusted_authority_gets_a_request() {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let late = Behind(SystemClock::new(), Duration::from_hours(100 * 24));
    let hosts = ["orders.internal".to_owned()];
    let expired = ours
        .issue(&hosts, Purpose::Server, &late, &SystemEntropy)
        .unwrap();
    let files = Files::new(&ours);
    let fine = issue(&ours, "orders.internal", Purpose::Server);
    for (what, certificate, name, is_fine) in [
        ("right", fine.clone(), "orders.internal", true),
        ("wrong name", fine.clone(), "users.internal", false),
        ("expired", expired, "orders.internal", false),
        (
            "unknown authority",
            issue(&theirs, "orders.internal", Purpose::Server),
            "orders.internal",
            false,
        ),
        (
            "made for clients",
            issue(&ours, "orders.internal", Purpose::Client),
            "orders.internal",
            false,
        ),
    ] {
        let address = serve(serving(&certificate)).await;
        let target = files.target(&files.service(address, name)).unwrap();
        let expected = if is_fine {
            Ok("hello".to_owned())
        } else {
            Err(Failed::Tls)
        };
        assert_eq!(ask(&target).await, expected, "{what}");
    }
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let address = serve(only(&fine, version)).await;
        let target = files.target(&files.service(address, "orders.internal"));
        let answer = ask(&target.unwrap()).await;
        assert_eq!(answer.as_deref(), Ok("hello"), "{version:?}");
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_told_from_a_connection_that_never_comes() {
    let files = Files::new(&authority("ours"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let service = files.service(listener.local_addr().unwrap(), "orders.internal");
    let target = files.target(&service).unwrap();
    let timeouts = crate::upstream::Timeouts {
        connect: Duration::from_millis(100),
        ..TIMEOUTS
    };
    let upstreams = Upstreams::new();
    let sent = upstreams.send(&target, plainly(&target, Method::GET), &timeouts);
    assert_eq!(sent.await.map(|_| ()).unwrap_err(), Failed::TlsTimeout);
    drop(listener);
}

#[tokio::test]
async fn a_service_that_asks_who_connects_is_told_and_the_files_are_read_again() {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let server = issue(&ours, "orders.internal", Purpose::Server);
    let roots = net::tls::Roots::Pem(ours.certificate().to_owned());
    let config = net::tls::mutual_server_config(&server, &roots).unwrap();
    let address = serve(config).await;
    let files = Files::new(&ours);
    let nobody = files.target(&files.service(address, "orders.internal"));
    assert!(ask(&nobody.unwrap()).await.is_err(), "it asks who connects");

    files.own(&issue(&theirs, "gateway.internal", Purpose::Client));
    let target = files.target(&files.mutual(address)).unwrap();
    assert!(ask(&target).await.is_err(), "it knows others");

    let tls = target.tls.as_ref().unwrap();
    assert_eq!(tls.reload(), None, "nothing changed");
    files.own(&issue(&ours, "gateway.internal", Purpose::Client));
    assert_eq!(tls.reload(), Some(Ok(())));
    assert_eq!(ask(&target).await.as_deref(), Ok("hello"));

    // What cannot be used changes nothing, and is said once.
    files.write("own.key", "not a key");
    let why = tls.reload().unwrap().unwrap_err();
    assert!(why.contains("private key"), "{why}");
    assert_eq!(tls.reload(), None);
    assert_eq!(ask(&target).await.as_deref(), Ok("hello"));
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_refuses_the_version_and_says_why() {
    let (ours, address) = (authority("ours"), SocketAddr::from(([127, 0, 0, 1], 1)));
    let files = Files::new(&ours);
    let mutual = files.mutual(address);
    let refused = |expected: &str| {
        let why = files.target(&mutual).unwrap_err();
        assert!(why.contains(expected), "{why}");
    };
    refused("own.key");
    let (one, other) = (
        issue(&ours, "gateway.internal", Purpose::Client),
        issue(&ours, "gateway.internal", Purpose::Client),
    );
    files.own(&one);
    assert!(files.target(&mutual).is_ok());
    let path = files.folder.path().join("own.key");
    for mode in [0o640, 0o604, 0o644] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        refused("chmod 600");
    }
    files.write("own.key", other.key.expose());
    refused("another certificate");
    files.own(&one);
    files.write("ca.pem", "nothing");
    refused("no certificate authorities");
}

#[test]
fn who_must_renew_is_warned_once_a_day() {
    let ours = authority("ours");
    let files = Files::new(&ours);
    files.own(&issue(&ours, "gateway.internal", Purpose::Client));
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    let target = files.target(&files.mutual(address)).unwrap();
    let tls = target.tls.as_ref().unwrap();
    let now = SystemClock::new().now();
    let day = Duration::from_hours(24);
    assert!(tls.warning(now).is_none());
    let soon = now.after(day * 50);
    let warning = tls.warning(soon).unwrap();
    assert!(warning.text.contains("ends in"), "{}", warning.text);
    assert!(tls.warning(soon.after(day / 2)).is_none());
    let ended = tls.warning(soon.after(day * 20)).unwrap();
    assert_eq!(ended.severity, Severity::High);
}
