//! Keys the control process makes on its first start and keeps sealed: of the trail, of assertions,
//! and of the development authority.

use anyhow::Context as _;
use gateway::link::AssertionKeyText;
use merkle::SigningKey;
use model::{Secret, SharedClock, SharedEntropy};
use net::Authority;
use store::Store;

use super::store as kept;

const TRAIL: &str = "trail.signing";
const TRAIL_ORIGIN: &str = "trail.origin";
const ASSERTION: &str = "assertion.signing";
const AUTHORITY: &str = "tls.authority";
/// The authority is replaced when it has so long to live: what it issues lives for sixty days.
const AUTHORITY_LEFT: std::time::Duration = std::time::Duration::from_hours(60 * 24);

/// The trail's name and the key that signs its checkpoints. The name is settled by the first
/// estate and stays, or old checkpoints would not fit new ones.
pub(super) async fn trail(
    store: &Store,
    entropy: &SharedEntropy,
    domain: &str,
) -> anyhow::Result<(String, SigningKey)> {
    let name = if domain.is_empty() { "rampart" } else { domain };
    let name = format!("{name}/trail/control");
    let origin = kept::secret(store, entropy, TRAIL_ORIGIN, |_| {
        Ok(Secret::new(name.into_bytes()))
    })
    .await?;
    let origin =
        String::from_utf8(origin.expose().clone()).context("the trail's name is damaged")?;
    let seed = seed(store, entropy, TRAIL).await?;
    let key = SigningKey::from_seed(&origin, seed.expose())?;
    Ok((origin, key))
}

/// The key that signs assertions.
pub(super) async fn assertion(
    store: &Store,
    entropy: &SharedEntropy,
) -> anyhow::Result<AssertionKeyText> {
    let seed = seed(store, entropy, ASSERTION).await?;
    // The id must tell keys apart, and tell nothing of the key.
    let hash = merkle::leaf_hash(seed.expose());
    let id = hash
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(AssertionKeyText {
        id,
        seed: *seed.expose(),
    })
}

/// The development authority, which issues certificates for hosts that were given none.
pub(super) async fn authority(
    store: &Store,
    clock: &SharedClock,
    entropy: &SharedEntropy,
) -> anyhow::Result<Authority> {
    let make = |entropy: &SharedEntropy| {
        let authority = Authority::create("Rampart development CA", &**clock, &**entropy)?;
        Ok(text(&authority))
    };
    let kept = kept::secret(store, entropy, AUTHORITY, make).await?;
    let loaded = load(&kept)?;
    if loaded.not_after() > clock.now().after(AUTHORITY_LEFT) {
        return Ok(loaded);
    }
    let fresh = make(entropy)?;
    kept::replace(store, AUTHORITY, &fresh).await?;
    load(&fresh)
}

/// Certificate and key in one text: PEM files can stand one after another.
fn text(authority: &Authority) -> Secret<Vec<u8>> {
    let both = format!("{}{}", authority.certificate(), authority.key().expose());
    Secret::new(both.into_bytes())
}

fn load(kept: &Secret<Vec<u8>>) -> anyhow::Result<Authority> {
    let both = std::str::from_utf8(kept.expose()).context("the development CA is damaged")?;
    let split = both
        .find("-----BEGIN PRIVATE KEY-----")
        .context("the development CA has no key")?;
    let (certificate, key) = both.split_at(split);
    Ok(Authority::load(certificate, &Secret::new(key.to_owned()))?)
}

async fn seed(
    store: &Store,
    entropy: &SharedEntropy,
    name: &'static str,
) -> anyhow::Result<Secret<[u8; 32]>> {
    let seed = kept::secret(store, entropy, name, |entropy| {
        Ok(Secret::new(entropy.bytes::<32>().to_vec()))
    })
    .await?;
    let seed: [u8; 32] = seed
        .expose()
        .as_slice()
        .try_into()
        .with_context(|| format!("the secret `{name}` is damaged"))?;
    Ok(Secret::new(seed))
}
