//! Proofs: that a leaf is in a tree, and that a tree is the beginning of another (RFC 9162 §2.1.3
//! and §2.1.4).

use std::ops::Range;

use crate::hash::{Hash, halves, node_hash, root_of, split};

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The index or the sizes make no sense together.
    #[error("the proof's index or sizes do not fit together")]
    Range,
    /// Too few or too many hashes.
    #[error("the proof has the wrong number of hashes")]
    Length,
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// The parts of the tree of `size` leaves whose roots are the path from leaf `index`, leaf first.
/// No two overlap, so that whoever reads the leaves in order can make all of those roots with one
/// [`Frontier`](crate::Frontier) at a time. `None` when there is no such leaf.
#[must_use]
pub fn inclusion_parts(index: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if index >= size {
        return None;
    }
    let mut parts = Vec::new();
    let (mut from, mut until) = (0, size);
    while until - from > 1 {
        let middle = from + split(until - from);
        if index < middle {
            parts.push(middle..until);
            until = middle;
        } else {
            parts.push(from..middle);
            from = middle;
        }
    }
    parts.reverse();
    Some(parts)
}

/// The path from leaf `index` to the root of the tree over `leaves` (leaf hashes), leaf first.
/// `None` when there is no such leaf.
#[must_use]
pub fn inclusion_proof(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    let size = u64::try_from(leaves.len()).ok()?;
    let parts = inclusion_parts(u64::try_from(index).ok()?, size)?;
    let root = |part: Range<u64>| {
        let from = usize::try_from(part.start).ok()?;
        leaves
            .get(from..usize::try_from(part.end).ok()?)
            .map(root_of)
    };
    parts.into_iter().map(root).collect()
}

/// Checks that `leaf` is leaf `index` of the tree of `size` leaves with `root`.
///
/// # Errors
/// [`ProofError`].
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    // RFC 9162 §2.1.3.2.
    if index >= size {
        return Err(ProofError::Range);
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == *root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// The proof that the tree over the first `old` of `leaves` is the beginning of the tree over all
/// of them. `None` when `old` is more than there are. Empty for equal sizes and for `old` of zero.
#[must_use]
pub fn consistency_proof(leaves: &[Hash], old: usize) -> Option<Vec<Hash>> {
    if old > leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    if old > 0 && old < leaves.len() {
        subproof(leaves, old, Complete::Yes, &mut path);
    }
    Some(path)
}

/// Whether the part under the old tree is a whole subtree whose root the verifier already knows.
#[derive(Clone, Copy)]
enum Complete {
    Yes,
    No,
}

fn subproof(leaves: &[Hash], old: usize, complete: Complete, path: &mut Vec<Hash>) {
    // RFC 9162 §2.1.4.1, SUBPROOF.
    if old == leaves.len() {
        if matches!(complete, Complete::No) {
            path.push(root_of(leaves));
        }
        return;
    }
    let (left, right) = halves(leaves);
    if old <= left.len() {
        subproof(left, old, complete, path);
        path.push(root_of(right));
    } else {
        subproof(right, old - left.len(), Complete::No, path);
        path.push(root_of(left));
    }
}

/// Checks that the tree of `old_size` leaves with `old_root` is the beginning of the tree of
/// `new_size` leaves with `new_root`.
///
/// # Errors
/// [`ProofError`].
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    // RFC 9162 §2.1.4.2.
    if old_size > new_size {
        return Err(ProofError::Range);
    }
    if old_size == new_size || old_size == 0 {
        let same = old_size == 0 || old_root == new_root;
        return match (proof, same) {
            ([], true) => Ok(()),
            ([], false) => Err(ProofError::Root),
            _ => Err(ProofError::Length),
        };
    }
    let (first, rest) = if old_size.is_power_of_two() {
        (*old_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(ProofError::Length)?;
        (*first, rest)
    };
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if old_hash == *old_root && new_hash == *new_root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}
