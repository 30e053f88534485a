//! The hashes of the tree (RFC 9162 §2.1.1), SHA-256.

use aws_lc_rs::digest::{Context, SHA256, digest};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The hash of a leaf: `SHA-256(0x00 ‖ leaf)`.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    hash(&[&[0], leaf])
}

/// The hash of an inner node: `SHA-256(0x01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    hash(&[&[1], left, right])
}

/// The root of the tree over `leaves`, which are leaf hashes; of none it is `SHA-256("")`.
#[must_use]
pub fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => to_hash(digest(&SHA256, b"").as_ref()),
        [only] => *only,
        _ => {
            let (left, right) = halves(leaves);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

/// The leaves of both subtrees, of at least 2.
pub(crate) fn halves(leaves: &[Hash]) -> (&[Hash], &[Hash]) {
    let left = u64::try_from(leaves.len()).map_or(0, split);
    leaves.split_at(usize::try_from(left).unwrap_or(0))
}

/// The largest power of two smaller than `n`, for `n` of at least 2.
pub(crate) fn split(n: u64) -> u64 {
    // As a shift, because above 2^63 there is no next power of two.
    1 << (u64::BITS - 1 - (n.max(2) - 1).leading_zeros())
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    to_hash(context.finish().as_ref())
}

fn to_hash(bytes: &[u8]) -> Hash {
    // INVARIANT: SHA-256 gives 32 bytes.
    bytes.first_chunk().copied().unwrap_or_default()
}
