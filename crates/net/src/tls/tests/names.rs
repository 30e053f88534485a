//! Names, kinds of keys, challenges and flaws of certificates.

use model::{Clock as _, Secret, SystemClock, SystemEntropy};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};
use rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::{Authority, Purpose};

fn issue(authority: &Authority, hosts: &[&str]) -> Certificate {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let clock = SystemClock::new();
    let issued = authority.issue(&hosts, Purpose::Server, &clock, &SystemEntropy);
    issued.unwrap()
}

fn authority() -> Authority {
    Authority::create("test authority", &SystemClock::new(), &SystemEntropy).unwrap()
}

/// A certificate signed by itself, so that every kind of key can be had.
fn own(host: &str, kind: &'static rcgen::SignatureAlgorithm) -> Certificate {
    let key = KeyPair::generate_for(kind).unwrap();
    let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    let chain = params.self_signed(&key).unwrap().pem();
    let key = Secret::new(key.serialize_pem());
    Certificate::from_pem(vec![host.to_owned()], chain, key).unwrap()
}

/// The leaf that a client with these signatures and protocols is shown; the server's protocol.
async fn shown(
    certificates: &Arc<Certificates>,
    name: &str,
    schemes: &[rustls::SignatureScheme],
    alpn: &[&[u8]],
) -> Result<(Vec<u8>, Option<Vec<u8>>), String> {
    let server = server_config(Arc::clone(certificates), Offer::Http2AndHttp1).unwrap();
    let verifier = Arc::new(Anything(schemes.to_vec()));
    let mut client = client_builder()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    client.alpn_protocols = alpn.iter().map(|one| one.to_vec()).collect();
    let (left, right) = tokio::io::duplex(64 * 1024);
    let serving = tokio::spawn(async move { TlsAcceptor::from(server).accept(right).await });
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = TlsConnector::from(Arc::new(client))
        .connect(name, left)
        .await;
    drop(serving.await);
    let stream = stream.map_err(|error| error.to_string())?;
    let (_, tls) = stream.get_ref();
    let leaf = tls.peer_certificates().unwrap()[0].to_vec();
    Ok((leaf, tls.alpn_protocol().map(<[u8]>::to_vec)))
}

/// Believes every certificate: what is tested is which one is shown.
#[derive(Debug)]
struct Anything(Vec<rustls::SignatureScheme>);

impl rustls::client::danger::ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.clone()
    }
}

fn leaf(certificate: &Certificate) -> Vec<u8> {
    certificate.parse().unwrap().0[0].to_vec()
}

const ECDSA: &[rustls::SignatureScheme] = &[rustls::SignatureScheme::ECDSA_NISTP256_SHA256];
const RSA: &[rustls::SignatureScheme] = &[rustls::SignatureScheme::RSA_PSS_SHA256];
const WEB: &[&[u8]] = &[b"h2", b"http/1.1"];

#[tokio::test]
async fn client_gets_the_kind_of_key_it_can_verify_and_ecdsa_when_it_can_both() {
    let ecdsa = own("a.example", &PKCS_ECDSA_P256_SHA256);
    let rsa = own("a.example", &PKCS_RSA_SHA256);
    for order in [[&ecdsa, &rsa], [&rsa, &ecdsa]] {
        let certificates = Arc::new(Certificates::new());
        certificates.replace(&order.map(Clone::clone)).unwrap();
        for (schemes, right) in [
            (ECDSA.to_vec(), &ecdsa),
            (RSA.to_vec(), &rsa),
            ([RSA, ECDSA].concat(), &ecdsa),
        ] {
            let (seen, _) = shown(&certificates, "a.example", &schemes, WEB)
                .await
                .unwrap();
            assert!(seen == leaf(right), "{schemes:?}");
        }
    }
}

#[tokio::test]
async fn exact_name_wins_over_a_wildcard_and_case_does_not_matter() {
    let authority = authority();
    let wild = issue(&authority, &["*.shop.example"]);
    let exact = issue(&authority, &["api.shop.example", "xn--bcher-kva.example"]);
    let certificates = Arc::new(Certificates::new());
    certificates
        .replace(&[wild.clone(), exact.clone()])
        .unwrap();
    for (name, right) in [
        ("API.shop.example", &exact),
        ("www.Shop.Example", &wild),
        ("xn--BCHER-kva.example", &exact),
    ] {
        let (seen, protocol) = shown(&certificates, name, ECDSA, WEB).await.unwrap();
        assert!(seen == leaf(right), "{name}");
        assert_eq!(protocol.unwrap(), b"h2");
    }
    assert!(
        shown(&certificates, "a.b.shop.example", ECDSA, WEB)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn client_without_a_name_gets_the_first_certificate_or_none_when_names_are_demanded() {
    let authority = authority();
    let first = issue(&authority, &["a.example"]);
    let certificates = Arc::new(Certificates::new());
    certificates
        .replace(&[first.clone(), issue(&authority, &["b.example"])])
        .unwrap();
    // A client that connects to an address sends no name (RFC 6066 §3).
    let (seen, _) = shown(&certificates, "192.0.2.1", ECDSA, WEB).await.unwrap();
    assert!(seen == leaf(&first));
    certificates.set_unnamed(Unnamed::Refused);
    assert!(shown(&certificates, "192.0.2.1", ECDSA, WEB).await.is_err());
    assert!(shown(&certificates, "b.example", ECDSA, WEB).await.is_ok());
    certificates.set_unnamed(Unnamed::First);
    assert!(shown(&certificates, "192.0.2.1", ECDSA, WEB).await.is_ok());
}

#[tokio::test]
async fn challenge_is_answered_for_its_name_and_protocol_alone_and_only_while_under_way() {
    const CHALLENGE: &[&[u8]] = &[b"acme-tls/1"];
    let authority = authority();
    let web = issue(&authority, &["a.example", "b.example"]);
    let certificates = Arc::new(Certificates::new());
    certificates.replace(std::slice::from_ref(&web)).unwrap();
    let ask = |name, alpn| shown(&certificates, name, ECDSA, alpn);
    assert!(
        ask("a.example", CHALLENGE).await.is_err(),
        "none is under way"
    );
    let clock = SystemClock::new();
    let answer = challenge_certificate("a.example", [7; 32], &clock, &SystemEntropy).unwrap();
    let under_way = [Challenge::Handshake(answer.clone())];
    certificates.challenges().replace(&under_way).unwrap();
    let (seen, protocol) = ask("A.example", CHALLENGE).await.unwrap();
    assert!(seen == leaf(&answer));
    assert!(is_challenge(protocol.as_deref()));
    // id-pe-acmeIdentifier, critical, an OCTET STRING of the digest (RFC 8737 §3).
    let extension = [
        &[6, 8, 43, 6, 1, 5, 5, 7, 1, 31, 1, 1, 255, 4, 34, 4, 32][..],
        &[7; 32],
    ];
    let extension = extension.concat();
    assert!(seen.windows(extension.len()).any(|part| part == extension));
    assert!(ask("b.example", CHALLENGE).await.is_err(), "another name");
    let mixed: &[&[u8]] = &[b"acme-tls/1", b"http/1.1"];
    let (seen, protocol) = ask("a.example", mixed).await.unwrap();
    assert!(seen == leaf(&web), "a browser is no authority");
    assert_eq!(protocol.unwrap(), b"http/1.1");
    certificates.challenges().replace(&[]).unwrap();
    assert!(ask("a.example", CHALLENGE).await.is_err(), "it is over");
}

#[test]
fn page_of_a_challenge_is_for_its_host_alone() {
    let challenges = Challenges::default();
    let page = |token: &str| Challenge::Page {
        host: "a.example".to_owned(),
        token: token.to_owned(),
        answer: format!("{token}.thumb"),
    };
    challenges.replace(&[page("one"), page("two")]).unwrap();
    assert_eq!(challenges.page("A.example", "two").unwrap(), "two.thumb");
    for (host, token) in [
        ("b.example", "one"),
        ("a.example", "three"),
        ("a.example", ""),
    ] {
        assert_eq!(challenges.page(host, token), None, "{host} {token}");
    }
    let many = vec![page("x"); 257];
    assert!(matches!(
        challenges.replace(&many),
        Err(Error::TooMany { .. })
    ));
    assert!(
        challenges.page("a.example", "one").is_some(),
        "nothing changed"
    );
}

#[test]
fn connection_is_shared_by_the_names_of_its_certificate_and_no_other() {
    let authority = authority();
    let certificates = Certificates::new();
    let two = issue(&authority, &["a.example", "*.a.example"]);
    certificates
        .replace(&[two, issue(&authority, &["b.example"])])
        .unwrap();
    for (name, host, shared) in [
        ("a.example", "x.a.example", true),
        ("x.a.example", "a.example", true),
        ("x.a.example", "y.a.example", true),
        ("a.example", "b.example", false),
        ("b.example", "a.example", false),
        ("a.example", "x.y.a.example", false),
        ("c.example", "a.example", false),
    ] {
        assert_eq!(certificates.share(name, host), shared, "{name} {host}");
    }
}

#[test]
fn each_flaw_of_a_certificate_is_found() {
    let clock = SystemClock::new();
    let now = clock.now();
    let day = std::time::Duration::from_hours(24);
    let authority = authority();
    let mut good = issue(&authority, &["a.example"]);
    let codes = |certificate: &Certificate, now| -> Vec<&str> {
        let flaws = certificate.flaws(now).unwrap();
        flaws.iter().map(Flaw::code).collect()
    };
    let leaf = good.chain.clone();
    assert_eq!(codes(&good, now), ["certificate.incomplete"]);
    good.chain = format!("{leaf}{}", authority.certificate());
    assert_eq!(codes(&good, now), Vec::<&str>::new());
    assert_eq!(good.facts().unwrap().issuer, "test authority");
    assert_eq!(codes(&good, now.after(50 * day)), ["certificate.ends_soon"]);
    assert_eq!(codes(&good, now.after(61 * day)), ["certificate.ended"]);
    assert_eq!(codes(&good, now.before(day)), ["certificate.not_yet"]);
    let other = issue(&authority, &["b.example"]);
    good.chain = format!("{leaf}{}{}", other.chain, authority.certificate());
    assert_eq!(codes(&good, now), ["certificate.out_of_order"]);
    good.hosts = vec!["a.example".to_owned(), "c.example".to_owned()];
    let flaws = good.flaws(now).unwrap();
    assert_eq!(flaws[0].to_string(), "is not for `c.example`");
    assert!(flaws[0].is_fatal() && !flaws[1].is_fatal());
}

#[test]
fn request_names_its_host_and_fits_its_key() {
    use x509_parser::prelude::{FromDer as _, X509CertificationRequest};
    for kind in [KeyKind::EcdsaP256, KeyKind::EcdsaP384, KeyKind::Rsa2048] {
        let request = SigningRequest::make("a.example", kind).unwrap();
        let (rest, parsed) = X509CertificationRequest::from_der(&request.der).unwrap();
        assert!(rest.is_empty());
        let extensions: Vec<_> = parsed.requested_extensions().unwrap().collect();
        let text = format!("{extensions:?}");
        assert!(text.contains("DNSName(\"a.example\")"), "{text}");
        let key = KeyPair::from_pem(request.key.expose()).unwrap();
        let public = parsed
            .certification_request_info
            .subject_pki
            .subject_public_key;
        assert_eq!(key.public_key_raw(), public.data.as_ref());
    }
}
