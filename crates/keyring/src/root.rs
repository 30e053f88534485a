//! The root key and its text form, the one line of the root key file.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{Entropy, Secret};
use zeroize::Zeroizing;

const PREFIX: &str = "rampart-root-key-v1:";
const KEY_BYTES: usize = 32;
const CHECK_BYTES: usize = 4;

/// 256 bits from which every other key is derived. Never leaves this crate but as its text form.
#[derive(Clone, Debug)]
pub struct RootKey(pub(crate) Secret<[u8; KEY_BYTES]>);

/// Why a text is not a root key. Never shows the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RootKeyError {
    /// Not one line that begins with the version.
    #[error("this is not a root key: it must be one line that begins with `rampart-root-key-v1:`")]
    Malformed,
    /// A character is missing or wrong.
    #[error("the root key's checksum does not match: a character is missing or wrong")]
    Checksum,
}

impl RootKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Secret::new(entropy.bytes::<KEY_BYTES>()))
    }

    /// `rampart-root-key-v1:` and base64url of key and checksum.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        let mut bytes = Zeroizing::new(self.0.expose().to_vec());
        let check = checksum(self.0.expose());
        bytes.extend_from_slice(&check);
        Secret::new(format!(
            "{PREFIX}{}",
            URL_SAFE_NO_PAD.encode(bytes.as_slice())
        ))
    }

    /// Reads what [`RootKey::to_text`] wrote; white space around it is ignored.
    ///
    /// # Errors
    /// [`RootKeyError`], which never shows the text.
    pub fn from_text(text: &str) -> Result<Self, RootKeyError> {
        let encoded = text
            .trim()
            .strip_prefix(PREFIX)
            .ok_or(RootKeyError::Malformed)?;
        let bytes = URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| RootKeyError::Malformed)?;
        let bytes = Zeroizing::new(bytes);
        let (key, check) = bytes
            .split_first_chunk::<KEY_BYTES>()
            .ok_or(RootKeyError::Malformed)?;
        if check != checksum(key) {
            return Err(RootKeyError::Checksum);
        }
        Ok(Self(Secret::new(*key)))
    }
}

/// Catches a slip in copying; it is no secret and protects nothing.
fn checksum(key: &[u8; KEY_BYTES]) -> [u8; CHECK_BYTES] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    context.update(PREFIX.as_bytes());
    context.update(key);
    let digest = context.finish();
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}
