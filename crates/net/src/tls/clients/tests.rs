use std::time::Duration;

use model::{Clock as _, SystemClock, SystemEntropy};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SanType, SerialNumber,
};
use rustls::ClientConfig;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::{Authority, Purpose};

const DAY: Duration = Duration::from_secs(24 * 3600);

struct Clients {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

fn date(params: &mut CertificateParams, from_days: i64, to_days: i64) {
    let now = rcgen::date_time_ymd(1970, 1, 1)
        + SystemClock::new().now().since(Timestamp::from_millis(0));
    let shift = |days: i64| {
        let by = DAY * u32::try_from(days.abs()).unwrap();
        if days < 0 { now - by } else { now + by }
    };
    params.not_before = shift(from_days);
    params.not_after = shift(to_days);
}

impl Clients {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        date(&mut params, -10, 100);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    fn leaf(
        &self,
        usage: ExtendedKeyUsagePurpose,
        days: (i64, i64),
    ) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let mut params = CertificateParams::new(vec!["billing.internal".to_owned()]).unwrap();
        let uri = "spiffe://acme/billing".try_into().unwrap();
        params.subject_alt_names.push(SanType::URI(uri));
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Acme");
        params
            .distinguished_name
            .push(DnType::CommonName, "billing");
        params.extended_key_usages = vec![usage];
        params.serial_number = Some(SerialNumber::from(7_u64));
        date(&mut params, days.0, days.1);
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        (leaf.der().clone(), key)
    }

    fn revoking(&self, serial: u64, next_days: i64) -> String {
        let mut dates = CertificateParams::default();
        date(&mut dates, -2, next_days);
        let params = CertificateRevocationListParams {
            this_update: dates.not_before,
            next_update: dates.not_after,
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from(serial),
                revocation_time: dates.not_before,
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

struct Server {
    auth: ClientAuth,
    authority: Authority,
}

fn server(clients: &Clients, lists: &[String], asking: Asking, old_lists: OldLists) -> Server {
    let clock = SystemClock::new();
    let authority = Authority::create("servers", &clock, &SystemEntropy).unwrap();
    let hosts = ["a.example".to_owned()];
    let certificate = authority
        .issue(&hosts, Purpose::Server, &clock, &SystemEntropy)
        .unwrap();
    let certificates = Arc::new(Certificates::new());
    certificates.replace(&[certificate]).unwrap();
    let trust = ClientTrust {
        authorities: &clients.pem,
        lists,
        asking,
        old_lists,
    };
    let auth = ClientAuth::new(certificates, Offer::Http1, &trust, Arc::new(clock)).unwrap();
    Server { auth, authority }
}

/// What the server sees of the client's certificate in the end, and whether the session was resumed.
async fn connect(
    server: &Server,
    client: Arc<ClientConfig>,
) -> Result<(Option<PeerCertificate>, bool), String> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (left, right) = tokio::io::duplex(64 * 1024);
    let config = Arc::clone(server.auth.config());
    let serving = tokio::spawn(async move {
        let mut stream = TlsAcceptor::from(config)
            .accept(right)
            .await
            .map_err(|error| error.to_string())?;
        stream.write_all(b"hi").await.map_err(|e| e.to_string())?;
        stream.shutdown().await.map_err(|e| e.to_string())?;
        let (_, tls) = stream.get_ref();
        let shown = tls.peer_certificates().and_then(PeerCertificate::read);
        Ok((
            shown,
            tls.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
        ))
    });
    let name = ServerName::try_from("a.example").unwrap();
    if let Ok(mut stream) = TlsConnector::from(client).connect(name, left).await {
        let mut hello = Vec::new();
        // What matters is what the server saw.
        drop(stream.read_to_end(&mut hello).await);
    }
    serving.await.unwrap()
}

fn client(
    server: &Server,
    shown: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let pem = server.authority.certificate();
    roots.add_parsable_certificates(
        CertificateDer::pem_slice_iter(pem.as_bytes()).filter_map(Result::ok),
    );
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    Arc::new(match shown {
        Some((leaf, key)) => builder.with_client_auth_cert(vec![leaf], key).unwrap(),
        None => builder.with_no_client_auth(),
    })
}

const CLIENT: ExtendedKeyUsagePurpose = ExtendedKeyUsagePurpose::ClientAuth;
const VERSIONS: [&rustls::SupportedProtocolVersion; 2] =
    [&rustls::version::TLS12, &rustls::version::TLS13];

#[tokio::test]
async fn certificate_of_an_authority_is_read_whole_in_both_versions_of_tls() {
    let clients = Clients::new("clients");
    let server = server(&clients, &[], Asking::Require, OldLists::Refuse);
    for version in VERSIONS {
        let client = client(&server, Some(clients.leaf(CLIENT, (-1, 5))), &[version]);
        let (shown, _) = connect(&server, client).await.unwrap();
        let shown = shown.unwrap();
        assert_eq!(shown.uris, ["spiffe://acme/billing"]);
        assert_eq!(shown.dns, ["billing.internal"]);
        let subject: Vec<String> = shown
            .subject
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        assert_eq!(subject, ["O=Acme", "CN=billing"]);
    }
}

#[tokio::test]
async fn stranger_ended_early_or_serving_certificates_end_the_handshake() {
    let clients = Clients::new("clients");
    let others = Clients::new("clients");
    for asking in [Asking::Request, Asking::Require] {
        let server = server(&clients, &[], asking, OldLists::Refuse);
        for version in VERSIONS {
            for shown in [
                others.leaf(CLIENT, (-1, 5)),
                clients.leaf(CLIENT, (-5, -1)),
                clients.leaf(CLIENT, (1, 5)),
                clients.leaf(ExtendedKeyUsagePurpose::ServerAuth, (-1, 5)),
            ] {
                let client = client(&server, Some(shown), &[version]);
                assert!(connect(&server, client).await.is_err());
            }
        }
    }
}

#[tokio::test]
async fn who_shows_none_connects_only_where_none_is_required() {
    let clients = Clients::new("clients");
    for (asking, fine) in [(Asking::Request, true), (Asking::Require, false)] {
        let server = server(&clients, &[], asking, OldLists::Refuse);
        for version in VERSIONS {
            let client = client(&server, None, &[version]);
            let connected = connect(&server, client).await;
            assert_eq!(connected.is_ok(), fine, "{asking:?} {version:?}");
            assert!(connected.is_err() || connected.unwrap().0.is_none());
        }
    }
}

#[tokio::test]
async fn no_connection_takes_an_earlier_one_up() {
    let clients = Clients::new("clients");
    let server = server(&clients, &[], Asking::Require, OldLists::Refuse);
    for version in VERSIONS {
        let client = client(&server, Some(clients.leaf(CLIENT, (-1, 5))), &[version]);
        for _ in 0..3 {
            let (shown, resumed) = connect(&server, Arc::clone(&client)).await.unwrap();
            assert!(shown.is_some() && !resumed, "{version:?}");
        }
    }
}

#[tokio::test]
async fn revoked_certificate_and_an_old_list_are_refused() {
    let clients = Clients::new("clients");
    let others = Clients::new("others");
    let accepts = async |list: String, old: OldLists| {
        let server = server(&clients, &[list], Asking::Require, old);
        let client = client(&server, Some(clients.leaf(CLIENT, (-1, 5))), &VERSIONS);
        connect(&server, client).await.is_ok()
    };
    assert!(accepts(clients.revoking(8, 5), OldLists::Refuse).await);
    assert!(!accepts(clients.revoking(7, 5), OldLists::Refuse).await);
    assert!(!accepts(clients.revoking(8, -1), OldLists::Refuse).await);
    assert!(accepts(clients.revoking(8, -1), OldLists::Accept).await);
    assert!(!accepts(clients.revoking(7, -1), OldLists::Accept).await);
    assert!(
        !accepts(others.revoking(8, 5), OldLists::Refuse).await,
        "a list of somebody else says nothing about this one"
    );
}

#[test]
fn certificate_is_looked_at_again_by_what_holds_now() {
    let clients = Clients::new("clients");
    let (leaf, _) = clients.leaf(CLIENT, (-1, 5));
    let shown = PeerCertificate::read(&[leaf]).unwrap();
    let now = SystemClock::new().now();
    let fine = server(&clients, &[], Asking::Request, OldLists::Refuse).auth;
    fine.verify(&shown, now).unwrap();
    assert!(fine.verify(&shown, now.after(6 * DAY)).is_err());
    let revoking = [clients.revoking(7, 5)];
    let revoked = server(&clients, &revoking, Asking::Request, OldLists::Refuse).auth;
    assert!(revoked.verify(&shown, now).is_err());
    let replaced = server(&Clients::new("new"), &[], Asking::Request, OldLists::Refuse).auth;
    assert!(replaced.verify(&shown, now).is_err());
}

#[test]
fn what_cannot_be_read_whole_trusts_nobody() {
    let clients = Clients::new("clients");
    let broken = clients.pem.replacen("MII", "MIX", 1);
    for (authorities, lists) in [
        ("", Vec::new()),
        ("nothing", Vec::new()),
        (broken.as_str(), Vec::new()),
        (clients.pem.as_str(), vec!["nothing".to_owned()]),
    ] {
        let trust = ClientTrust {
            authorities,
            lists: &lists,
            asking: Asking::Request,
            old_lists: OldLists::Refuse,
        };
        let certificates = Arc::new(Certificates::new());
        let clock = Arc::new(SystemClock::new());
        let made = ClientAuth::new(certificates, Offer::Http1, &trust, clock);
        assert!(made.is_err(), "{authorities}");
    }
    assert!(PeerCertificate::read(&[]).is_none());
    assert!(PeerCertificate::read(&[CertificateDer::from(vec![0x30, 0x00])]).is_none());
}
