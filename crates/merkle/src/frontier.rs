//! The right edge of a tree: all that is needed to append to it and to know its root.

use crate::hash::{Hash, node_hash, root_of};

/// The roots of the full subtrees of a log, largest first: at most 64 hashes, however long the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// INVARIANT: one for each bit set in `size`, the highest bit first.
    peaks: Vec<Hash>,
}

/// Bytes that are not a frontier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are not the frontier of a tree")]
pub struct ParseFrontierError;

impl Frontier {
    /// The frontier of the empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: 0,
            peaks: Vec::new(),
        }
    }

    /// Appends a leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        let mut merges = self.size.trailing_ones();
        while merges > 0 {
            let Some(left) = self.peaks.pop() else { break };
            node = node_hash(&left, &node);
            merges -= 1;
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// How many leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return root_of(&[]);
        };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }

    /// `size (8, big endian) ‖ peaks`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        bytes.extend(self.peaks.iter().flatten());
        bytes
    }

    /// Reads what [`Frontier::to_bytes`] wrote.
    ///
    /// # Errors
    /// When the length does not fit the size.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ParseFrontierError> {
        let (size, rest) = bytes.split_first_chunk::<8>().ok_or(ParseFrontierError)?;
        let size = u64::from_be_bytes(*size);
        let (peaks, odd) = rest.as_chunks::<32>();
        let expected = usize::try_from(size.count_ones()).map_err(|_| ParseFrontierError)?;
        if !odd.is_empty() || peaks.len() != expected {
            return Err(ParseFrontierError);
        }
        Ok(Self {
            size,
            peaks: peaks.to_vec(),
        })
    }
}
