//! The keys of another issuer: a JWK set (RFC 7517), of which only what can verify a signature is
//! kept.

use aws_lc_rs::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use estate::SignatureAlgorithm;
use serde::Deserialize;
use serde_json::Value;

/// LIMIT: keys of a set.
const KEYS_MAX: usize = 100;
/// LIMIT: bytes of a key's id.
pub(crate) const KID_BYTES_MAX: usize = 256;
/// LIMIT: bits of an RSA key; fewer are too weak (RFC 7518 §3.3), more only cost time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// LIMIT: bytes of an RSA key's exponent.
const RSA_EXPONENT_BYTES_MAX: usize = 5;

/// See the module.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct KeySet(Vec<Key>);

/// A public key with what it may be used for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key {
    id: String,
    /// The only algorithm, when the key names one.
    only: Option<String>,
    material: Material,
}

#[derive(Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// The uncompressed point (SEC 1 §2.3.3).
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Raw {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<Value>,
}

impl KeySet {
    /// From its JSON text. A member that is no key for signatures, or none that is strong enough,
    /// is left out (RFC 7517 §5); a set of none is an error.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let raw: RawSet = serde_json::from_slice(text).map_err(|_| "this is no JWK set")?;
        if raw.keys.len() > KEYS_MAX {
            return Err("the JWK set has more than 100 keys");
        }
        let keys: Vec<Key> = raw.keys.into_iter().filter_map(Key::of).collect();
        if keys.is_empty() {
            return Err("no key of the JWK set can verify a signature");
        }
        Ok(Self(keys))
    }

    /// Whether some key is called so.
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id == id)
    }

    /// Whether what is called so is what it was among `others`.
    pub(crate) fn has_as(&self, others: &Self, id: &str) -> bool {
        self.knows(id) && self.called(id).eq(others.called(id))
    }

    fn called(&self, id: &str) -> impl Iterator<Item = &Key> {
        self.0.iter().filter(move |key| key.id == id)
    }

    /// The one key with this id that an algorithm can use; nothing when there are two.
    pub(crate) fn find(&self, id: &str, algorithm: SignatureAlgorithm) -> Option<&Key> {
        let mut fitting = self
            .0
            .iter()
            .filter(|key| key.id == id && key.fits(algorithm));
        let first = fitting.next()?;
        fitting.next().is_none().then_some(first)
    }
}

impl Key {
    fn of(value: Value) -> Option<Self> {
        let raw: Raw = serde_json::from_value(value).ok()?;
        let id = raw
            .kid
            .filter(|id| !id.is_empty() && id.len() <= KID_BYTES_MAX)?;
        let signs = raw.usage.is_none_or(|usage| usage == "sig")
            && raw
                .key_ops
                .is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        // SECURITY: whoever publishes the private half has no key any more.
        if !signs || raw.d.is_some() {
            return None;
        }
        let bytes = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?).ok();
        let material = match (raw.kty.as_str(), raw.crv.as_deref()) {
            ("RSA", None) => {
                let (n, e) = (bytes(raw.n)?, bytes(raw.e)?);
                let weak = !RSA_BITS.contains(&bits(&n)) || e.len() > RSA_EXPONENT_BYTES_MAX;
                if weak {
                    return None;
                }
                Material::Rsa { n, e }
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (bytes(raw.x)?, bytes(raw.y)?);
                if x.len() != 32 || y.len() != 32 {
                    return None;
                }
                Material::P256([&[4], x.as_slice(), &y].concat())
            }
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes(raw.x).filter(|x| x.len() == 32)?),
            _ => return None,
        };
        Some(Self {
            id,
            only: raw.alg,
            material,
        })
    }

    fn fits(&self, algorithm: SignatureAlgorithm) -> bool {
        let kind = matches!(
            (&self.material, algorithm),
            (
                Material::Rsa { .. },
                SignatureAlgorithm::RS256 | SignatureAlgorithm::PS256
            ) | (Material::P256(_), SignatureAlgorithm::ES256)
                | (Material::Ed25519(_), SignatureAlgorithm::EdDSA)
        );
        kind && self
            .only
            .as_deref()
            .is_none_or(|only| only == super::name(algorithm))
    }

    /// Whether it made a signature, by an algorithm that fits it.
    pub(crate) fn verifies(
        &self,
        algorithm: SignatureAlgorithm,
        signed: &[u8],
        signature: &[u8],
    ) -> bool {
        let verified = match (&self.material, algorithm) {
            (Material::Rsa { n, e }, SignatureAlgorithm::RS256) => RsaPublicKeyComponents { n, e }
                .verify(&signature::RSA_PKCS1_2048_8192_SHA256, signed, signature),
            (Material::Rsa { n, e }, SignatureAlgorithm::PS256) => RsaPublicKeyComponents { n, e }
                .verify(&signature::RSA_PSS_2048_8192_SHA256, signed, signature),
            (Material::P256(point), SignatureAlgorithm::ES256) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
                    .verify(signed, signature)
            }
            (Material::Ed25519(x), SignatureAlgorithm::EdDSA) => {
                UnparsedPublicKey::new(&signature::ED25519, x).verify(signed, signature)
            }
            _ => return false,
        };
        verified.is_ok()
    }
}

/// Bits of a number; none for one with zeros before it (RFC 7518 §6.3.1.1).
fn bits(number: &[u8]) -> usize {
    let Some(first) = number.first().filter(|first| **first != 0) else {
        return 0;
    };
    let zeros = usize::try_from(first.leading_zeros()).unwrap_or(0);
    (number.len() * 8).saturating_sub(zeros)
}

#[cfg(test)]
mod tests;
