//! Certificates, and the authority that they come from by themselves.

use ::model::Span;
use serde::Serialize;

/// `[[certificate]]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Certificate {
    /// Host names it serves; `*.shop.example` covers one label.
    pub hosts: Vec<String>,
    /// PEM file of the chain, leaf first; relative to the estate file.
    pub chain: String,
    /// PEM file of the private key.
    pub key: String,
    /// Where its `chain` stands in the file.
    #[serde(skip)]
    pub span: Span,
}

/// `[acme]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AcmeSettings {
    /// Address of the authority's directory (RFC 8555 §7.1.1).
    pub directory: String,
    /// `mailto:` addresses.
    pub contact: Vec<String>,
    /// Whether its terms are agreed to; otherwise nothing is asked for.
    pub terms_agreed: bool,
    /// Hosts to have certificates for, one each; sorted.
    pub hosts: Vec<String>,
    /// How a name is shown to be ours.
    pub challenge: AcmeChallenge,
    /// The kind of key of each certificate.
    pub key: AcmeKey,
    /// A certificate is renewed when one part of so many of its life is left.
    pub renew_part: u32,
    /// The profile to ask for.
    pub profile: Option<String>,
    /// PEM file of the authorities of the directory itself; the system's by default.
    pub authority: Option<String>,
    /// The account that exists already.
    pub eab: Option<Binding>,
}

/// See [`AcmeSettings::challenge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum AcmeChallenge {
    /// A page on the clear listener (RFC 8555 §8.3).
    #[serde(rename = "http-01")]
    Http01,
    /// A certificate in a handshake (RFC 8737).
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01,
}

/// See [`AcmeSettings::key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum AcmeKey {
    /// ECDSA with P-256.
    #[serde(rename = "ecdsa-p256")]
    EcdsaP256,
    /// ECDSA with P-384.
    #[serde(rename = "ecdsa-p384")]
    EcdsaP384,
    /// RSA with 2048 bits.
    #[serde(rename = "rsa-2048")]
    Rsa2048,
}

/// An account with the authority that exists already (RFC 8555 §7.3.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Binding {
    /// The key's name.
    pub key_id: String,
    /// File of the key, base64url.
    pub key_file: String,
}
