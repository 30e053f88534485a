//! What a request has in common with others, where its service is chosen by that.

use http::Request;

use super::member::hash_of;

/// In the extensions of a request; only where the estate wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(u64);

impl Key {
    /// From the bytes that requests share.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self(hash_of(bytes))
    }

    /// The key of a request, if it has one.
    pub(super) fn of<B>(request: &Request<B>) -> Option<u64> {
        request.extensions().get::<Self>().map(|key| key.0)
    }
}
