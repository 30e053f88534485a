//! Checkpoints (C2SP tlog-checkpoint): what a log says it is, signed.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hash::Hash;
use crate::note::{SigningKey, VerifyingKey};

/// LIMIT: bytes of a signed checkpoint.
const BYTES_MAX: usize = 64 * 1024;
/// LIMIT: signatures of one checkpoint.
const SIGNATURES_MAX: usize = 32;

/// A log at one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

/// A text that is not a signed checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a signed checkpoint: {0}")]
pub struct ParseCheckpointError(&'static str);

/// A checkpoint that may not be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyCheckpointError {
    /// No valid signature of the key.
    #[error("the checkpoint has no valid signature of `{0}`")]
    Signature(String),
    /// It is of another log.
    #[error("the checkpoint is of the log `{0}`")]
    Origin(String),
}

impl Checkpoint {
    /// The signed text: origin, size and root, one a line.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            STANDARD.encode(self.root)
        )
    }

    /// Signs it.
    #[must_use]
    pub fn sign(self, key: &SigningKey) -> SignedCheckpoint {
        let text = self.text();
        let line = key.signature_line(&text);
        SignedCheckpoint {
            checkpoint: self,
            note: format!("{text}\n{line}"),
        }
    }
}

/// A checkpoint with its signatures. Parsing one does not make it true: [`SignedCheckpoint::verify`]
/// does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: String,
}

impl SignedCheckpoint {
    /// What it claims, whoever signed it.
    #[must_use]
    pub fn claimed(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The checkpoint, if `key` signed it and the origin is the key's name.
    ///
    /// # Errors
    /// [`VerifyCheckpointError`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<&Checkpoint, VerifyCheckpointError> {
        let signatures = self
            .note
            .split_once("\n\n")
            .map(|(_, lines)| lines)
            .unwrap_or_default();
        if !key.signed(&self.checkpoint.text(), signatures.lines()) {
            return Err(VerifyCheckpointError::Signature(key.name().to_owned()));
        }
        if self.checkpoint.origin != key.name() {
            return Err(VerifyCheckpointError::Origin(
                self.checkpoint.origin.clone(),
            ));
        }
        Ok(&self.checkpoint)
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.note)
    }
}

impl FromStr for SignedCheckpoint {
    type Err = ParseCheckpointError;

    fn from_str(note: &str) -> Result<Self, ParseCheckpointError> {
        if note.len() > BYTES_MAX {
            return Err(ParseCheckpointError("it is longer than 64 KiB"));
        }
        let (text, signatures) = note
            .split_once("\n\n")
            .ok_or(ParseCheckpointError("it has no signatures"))?;
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(ParseCheckpointError("its text is not three lines"));
        };
        if origin.is_empty() || origin.contains(char::is_control) {
            return Err(ParseCheckpointError(
                "its origin is empty or has control characters",
            ));
        }
        // One form only: no sign, no leading zero.
        let number: u64 = size
            .parse()
            .map_err(|_| ParseCheckpointError("its size is no number"))?;
        if number.to_string() != size {
            return Err(ParseCheckpointError("its size is not in its shortest form"));
        }
        let root = STANDARD
            .decode(root)
            .map_err(|_| ParseCheckpointError("its root is no base64"))?;
        let root = root
            .try_into()
            .map_err(|_| ParseCheckpointError("its root is not 32 bytes"))?;
        let well_formed = signatures.ends_with('\n')
            && (1..=SIGNATURES_MAX).contains(&signatures.lines().count())
            && signatures.lines().all(|line| line.starts_with("\u{2014} "));
        if !well_formed {
            return Err(ParseCheckpointError("its signature lines are malformed"));
        }
        let checkpoint = Checkpoint {
            origin: origin.to_owned(),
            size: number,
            root,
        };
        Ok(Self {
            checkpoint,
            note: note.to_owned(),
        })
    }
}
