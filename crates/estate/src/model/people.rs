//! Roles, groups, and who else than people there is: clients and other issuers' principals.

use std::collections::BTreeMap;
use std::time::Duration;

use ::model::{PermissionSet, Span};
use serde::Serialize;

use crate::CertificateName;

/// `[[role]]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// What its holders may do.
    pub allow: PermissionSet,
    /// Where it stands in the file.
    #[serde(skip)]
    pub span: Span,
}

/// `[[group]]`: people get its roles by being bound to the group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Names of roles.
    pub roles: Vec<String>,
}

/// `[[client]]`: an application that signs people in or calls for itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Client {
    /// Its name, which is also its `client_id`.
    pub name: String,
    /// Exact addresses a sign-in may return to.
    pub redirects: Vec<String>,
    /// Names of roles it holds when it calls for itself.
    pub roles: Vec<String>,
    /// The certificates it proves itself by.
    pub certificates: Vec<CertificateName>,
}

/// `[[listen.client_certificates]]`: clients of some hosts are asked for a certificate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClientCertificates {
    /// Full host names, lower case; empty for every host but the console's.
    pub hosts: Vec<String>,
    /// PEM file of the authorities that may have issued them.
    pub authorities: String,
    /// What happens to who shows none.
    pub mode: CertificateMode,
    /// PEM files of revocation lists.
    pub crls: Vec<String>,
    /// What happens when a list is past its `nextUpdate`.
    pub crl_expired: CrlExpired,
}

/// See [`ClientCertificates::mode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateMode {
    /// A certificate may be shown; a wrong one ends the handshake.
    Request,
    /// Nobody connects without one.
    Require,
}

/// See [`ClientCertificates::crl_expired`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CrlExpired {
    /// No certificate it covers is accepted.
    Refuse,
    /// What it says is still believed.
    Accept,
}

/// `[[issuer]]`: another issuer of access tokens.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Issuer {
    /// Its name, which its subjects are known by.
    pub name: String,
    /// What `iss` must be, exactly.
    pub url: String,
    /// One of these must stand in `aud`.
    pub audience: Vec<String>,
    /// What its tokens may be signed with.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// Where its keys come from.
    pub keys: IssuerKeys,
    /// PEM file of authorities that may have issued its server's certificate; the system's by
    /// default.
    pub authority: Option<String>,
    /// The claim that roles are read from.
    pub roles_claim: String,
    /// What a value of that claim gives.
    pub roles_map: BTreeMap<String, String>,
    /// The claim that says who it is.
    pub subject: String,
    /// How far clocks may be apart.
    pub clock_skew: Duration,
    /// Accepted values of `typ`, lower case, without `application/`.
    pub types: Vec<String>,
    /// For how long keys are used that could not be fetched anew.
    pub keys_keep: Duration,
}

/// See [`Issuer::keys`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IssuerKeys {
    /// Its `.well-known/openid-configuration` says where.
    Discovery,
    /// A JWK set at this address.
    Jwks(String),
    /// A JWK set in this file.
    File(String),
}

/// Signature algorithms of foreign tokens (RFC 7518 §3.1, RFC 8037); none that shares a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}
