//! What the store remembers of the trail: its newest checkpoint. A folder that was put back to an
//! older state, or emptied, or replaced, contradicts it.

use merkle::{SignedCheckpoint, SigningKey};
use model::{Class, Context, Event, Severity, SharedClock, SharedEntropy};
use store::Store;

use crate::Error;
use crate::index::Index;
use crate::reader::is_damage;

/// How the log contradicts what the store remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contradiction {
    /// Entries that the store remembers.
    remembered: u64,
    /// Entries that are there.
    found: u64,
    /// The signed checkpoint that the store keeps: with the log it proves that one of the two
    /// states was taken away.
    checkpoint: String,
}

/// Holds the log against the checkpoint that the store keeps for it.
///
/// # Errors
/// [`Error::Store`]; [`Error::File`] when leaves cannot be read.
pub(crate) async fn compare(
    store: &Store,
    key: &SigningKey,
    index: &Index,
) -> Result<Option<Contradiction>, Error> {
    let kept = store
        .outbox_mark(key.verifying_key().name())
        .await
        .map_err(Error::Store)?;
    let kept = kept.and_then(|text| text.parse::<SignedCheckpoint>().ok());
    // What this key did not sign is about another trail: nothing can be said by it.
    let Some(kept) = kept.filter(|kept| kept.verify(key.verifying_key()).is_ok()) else {
        return Ok(None);
    };
    let (size, root) = (kept.claimed().size, kept.claimed().root);
    let (index, found) = (index.clone(), index.size());
    let contradiction = Contradiction {
        remembered: size,
        found,
        checkpoint: kept.to_string(),
    };
    if found < size {
        return Ok(Some(contradiction));
    }
    let found = crate::trail::blocking(move || index.root_at(size)).await;
    let found = match found {
        // Leaves that are damaged are not those that were signed.
        Err(Error::File { source, .. }) if is_damage(&source) => None,
        found => Some(found?),
    };
    Ok((found != Some(root)).then_some(contradiction))
}

impl Contradiction {
    /// The event that says so for ever.
    pub(crate) fn event(&self, clock: &SharedClock, entropy: &SharedEntropy) -> Event {
        let ctx = Context::system(&**clock, &**entropy);
        let Self {
            remembered,
            found,
            checkpoint,
        } = self;
        let text = if found < remembered {
            format!(
                "the trail was put back to an older state: the store remembers {remembered} entries, {found} are there"
            )
        } else {
            format!("the first {remembered} entries are not those that the store remembers")
        };
        tracing::error!("{text}");
        Event::change("trail.log.rolled_back", &ctx, &**clock, &**entropy)
            .class(Class::Change)
            .severity(Severity::Critical)
            .message(text)
            .with("remembered", *remembered)
            .with("found", *found)
            .with("checkpoint", checkpoint.clone())
    }
}
