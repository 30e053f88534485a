//! A new key with a request that an authority certifies it (PKCS #10, RFC 2986).

use model::Secret;
use rcgen::{
    CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384,
    PKCS_RSA_SHA256,
};

use crate::Error;

/// The kind of a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA with P-256.
    EcdsaP256,
    /// ECDSA with P-384.
    EcdsaP384,
    /// RSA with 2048 bits.
    Rsa2048,
}

/// See the module.
#[derive(Debug)]
pub struct SigningRequest {
    /// The private key, PEM (PKCS #8).
    pub key: Secret<String>,
    /// The request, DER.
    pub der: Vec<u8>,
}

impl SigningRequest {
    /// A request for `host` alone, with a key made now.
    ///
    /// # Errors
    /// [`Error::Issue`] when the host cannot stand in a certificate.
    pub fn make(host: &str, kind: KeyKind) -> Result<Self, Error> {
        let mut params = CertificateParams::new(vec![host.to_owned()]).map_err(Error::Issue)?;
        // Names stand in the alternative names alone (RFC 9525 §2).
        params.distinguished_name = DistinguishedName::new();
        let key = KeyPair::generate_for(match kind {
            KeyKind::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
            KeyKind::EcdsaP384 => &PKCS_ECDSA_P384_SHA384,
            KeyKind::Rsa2048 => &PKCS_RSA_SHA256,
        })
        .map_err(Error::Issue)?;
        let request = params.serialize_request(&key).map_err(Error::Issue)?;
        Ok(Self {
            key: Secret::new(key.serialize_pem()),
            der: request.der().to_vec(),
        })
    }
}
