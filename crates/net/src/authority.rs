//! The development authority: issues certificates for hosts that have none, and for gateways that
//! connect over the network. Its key never leaves control.

use std::time::Duration;

use model::{Clock, Entropy, Secret, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SerialNumber,
};

use crate::{Certificate, Error};

/// How long the authority itself is valid.
const AUTHORITY_VALID: Duration = Duration::from_hours(365 * 24);
/// How long what it issues is valid.
const LEAF_VALID: Duration = Duration::from_hours(60 * 24);
/// Clocks of others may be behind by so much.
const BACKDATED: Duration = Duration::from_hours(1);

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A server proves its name.
    Server,
    /// A gateway proves itself to control (mutual TLS).
    Client,
}

/// An authority with its key.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    not_after: Timestamp,
}

impl Authority {
    /// A new authority called `name`, valid for a year; it can issue leaves only.
    ///
    /// # Errors
    /// [`Error::Issue`] when the name cannot stand in a certificate.
    pub fn create(name: &str, clock: &dyn Clock, entropy: &dyn Entropy) -> Result<Self, Error> {
        let mut params = CertificateParams::new(Vec::new()).map_err(Error::Issue)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let not_after = validity(&mut params, clock, AUTHORITY_VALID);
        params.serial_number = Some(serial(entropy));
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(Error::Issue)?;
        let certificate = params.self_signed(&key).map_err(Error::Issue)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate,
            not_after,
        })
    }

    /// An authority from what [`Authority::certificate`] and [`Authority::key`] gave.
    ///
    /// # Errors
    /// [`Error::Pem`] when one of the two is not usable.
    pub fn load(certificate: &str, key: &Secret<String>) -> Result<Self, Error> {
        let pem = |what: &str| {
            let what = what.to_owned();
            move |error: rcgen::Error| Error::Pem {
                what,
                why: error.to_string(),
            }
        };
        let key = KeyPair::from_pem(key.expose()).map_err(pem("the authority's key"))?;
        let issuer = Issuer::from_ca_cert_pem(certificate, key)
            .map_err(pem("the authority's certificate"))?;
        let not_after = crate::tls::not_after(certificate)?;
        Ok(Self {
            issuer,
            certificate: certificate.to_owned(),
            not_after,
        })
    }

    /// Its certificate, PEM: public.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Its private key, PEM (PKCS #8).
    #[must_use]
    pub fn key(&self) -> Secret<String> {
        Secret::new(self.issuer.key().serialize_pem())
    }

    /// When it ends.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// A certificate for `hosts` (names or addresses), valid for 60 days, with a new key.
    ///
    /// # Errors
    /// [`Error::Issue`] when a host cannot stand in a certificate.
    pub fn issue(
        &self,
        hosts: &[String],
        purpose: Purpose,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Certificate, Error> {
        let mut params = CertificateParams::new(hosts).map_err(Error::Issue)?;
        if let Some(first) = hosts.first() {
            params
                .distinguished_name
                .push(DnType::CommonName, first.as_str());
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match purpose {
            Purpose::Server => ExtendedKeyUsagePurpose::ServerAuth,
            Purpose::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(serial(entropy));
        let not_after = validity(&mut params, clock, LEAF_VALID);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(Error::Issue)?;
        let leaf = params.signed_by(&key, &self.issuer).map_err(Error::Issue)?;
        Ok(Certificate {
            hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            chain: leaf.pem(),
            key: Secret::new(key.serialize_pem()),
            not_after,
        })
    }
}

/// Sets when the certificate is valid: the library's own default is centuries.
pub(crate) fn validity(
    params: &mut CertificateParams,
    clock: &dyn Clock,
    valid: Duration,
) -> Timestamp {
    let now = clock.now();
    let not_after = now.after(valid);
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let since_epoch = |at: Timestamp| at.since(Timestamp::from_millis(0));
    params.not_before = epoch + since_epoch(now.before(BACKDATED));
    params.not_after = epoch + since_epoch(not_after);
    not_after
}

/// 127 random bits: positive and unpredictable (RFC 5280 §4.1.2.2).
pub(crate) fn serial(entropy: &dyn Entropy) -> SerialNumber {
    let mut bytes = entropy.bytes::<16>();
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x7F) | 0x40;
    }
    SerialNumber::from_slice(&bytes)
}
