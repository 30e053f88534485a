//! One process of a kind per data folder.

use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use rustix::fs::{FlockOperation, flock};

/// Held until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock at `path`.
    ///
    /// # Errors
    /// When another process holds it.
    pub(crate) fn take(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)
            .with_context(|| format!("cannot open `{}`", path.display()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { file }),
            Err(rustix::io::Errno::WOULDBLOCK) => bail!(
                "another rampart already uses this data folder (`{}` is locked)",
                path.display()
            ),
            Err(error) => Err(error).with_context(|| format!("cannot lock `{}`", path.display())),
        }
    }
}

impl From<Lock> for OwnedFd {
    /// The lock, for whoever hands it on to another process.
    fn from(lock: Lock) -> Self {
        lock.file.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_taker_is_refused_until_the_first_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = Lock::take(&path).unwrap();
        assert!(
            Lock::take(&path)
                .unwrap_err()
                .to_string()
                .contains("another rampart")
        );
        drop(first);
        Lock::take(&path).unwrap();
    }
}
