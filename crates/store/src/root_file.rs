//! The root key file: one line, mode 0600, outside the data folder.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use keyring::RootKey;
use model::{Entropy, ErrorKind, Secret};

use crate::files::{self, Written};

/// LIMIT: bytes of a root key file.
const FILE_BYTES_MAX: u64 = 1024;

/// Why a root key file is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RootFileError {
    /// It cannot be read or made.
    #[error("cannot use the root key file {}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others may read it.
    #[error("the root key file {} may be read by others (mode {mode:o}); hint: chmod 600 it, and replace the key if others were on this machine", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It belongs to another user.
    #[error("the root key file {} belongs to user {owner}, not to the user rampart runs as", path.display())]
    Owner {
        /// Which.
        path: PathBuf,
        /// Whose.
        owner: u32,
    },
    /// It lies where copies of it are made.
    #[error("the root key file {} lies in {place}: whoever gets a copy of that gets the key too", path.display())]
    Place {
        /// Which.
        path: PathBuf,
        /// What it lies in.
        place: &'static str,
    },
    /// It holds no root key.
    #[error("the root key file {} cannot be used", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: keyring::RootKeyError,
    },
}

impl RootFileError {
    /// What sort of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { .. } => ErrorKind::Unavailable,
            Self::Content { .. } => ErrorKind::Corrupt,
            Self::Open { .. } | Self::Owner { .. } | Self::Place { .. } => ErrorKind::Invalid,
        }
    }
}

/// Reads the root key file, or makes it when it is not there.
///
/// # Errors
/// [`RootFileError`] when the file may be read by others, belongs to another user, lies inside
/// `data` or a git work tree, or holds no root key.
pub fn load_or_create_root_key(
    path: &Path,
    data: &Path,
    entropy: &dyn Entropy,
) -> Result<RootKey, RootFileError> {
    let failed = |source| RootFileError::Io {
        path: path.to_path_buf(),
        source,
    };
    refuse_place(path, data)?;
    match load_root_key(path) {
        Err(RootFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
        other => return other,
    }
    let key = RootKey::generate(entropy);
    let mut text = key.to_text().expose().clone();
    text.push('\n');
    let text = Secret::new(text);
    // Of two processes that start at once one makes the key and the other reads it, whole: it is
    // written under another name, and gets its own only where there is none.
    let made = files::write_once(path, text.expose().as_bytes());
    match made.map_err(failed)? {
        Written::Now => Ok(key),
        Written::Before => load_root_key(path),
    }
}

/// Reads the root key file.
///
/// # Errors
/// [`RootFileError`].
pub fn load_root_key(path: &Path) -> Result<RootKey, RootFileError> {
    let failed = |source| RootFileError::Io {
        path: path.to_path_buf(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    // SECURITY: the checks look at the open file, not at a name that may be swapped meanwhile.
    let facts = file.metadata().map_err(failed)?;
    let mode = facts.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(RootFileError::Open {
            path: path.to_path_buf(),
            mode,
        });
    }
    if facts.uid() != rustix::process::geteuid().as_raw() {
        return Err(RootFileError::Owner {
            path: path.to_path_buf(),
            owner: facts.uid(),
        });
    }
    let mut text = String::new();
    let done = file.take(FILE_BYTES_MAX).read_to_string(&mut text);
    let text = Secret::new(text);
    done.map_err(failed)?;
    RootKey::from_text(text.expose()).map_err(|source| RootFileError::Content {
        path: path.to_path_buf(),
        source,
    })
}

fn refuse_place(path: &Path, data: &Path) -> Result<(), RootFileError> {
    let refused = |place| {
        Err(RootFileError::Place {
            path: path.to_path_buf(),
            place,
        })
    };
    let failed = |source| RootFileError::Io {
        path: path.to_path_buf(),
        source,
    };
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    let mut folders = vec![
        parent
            .unwrap_or(Path::new("."))
            .canonicalize()
            .map_err(failed)?,
    ];
    // SECURITY: a link from a good place into a bad one counts as the bad one.
    if let Some(target) = path.canonicalize().ok().as_deref().and_then(Path::parent) {
        folders.push(target.to_path_buf());
    }
    let data = data.canonicalize().ok();
    for folder in folders {
        if data.as_ref().is_some_and(|data| folder.starts_with(data)) {
            return refused("the data folder");
        }
        if folder.ancestors().any(|above| above.join(".git").exists()) {
            return refused("a git work tree");
        }
    }
    Ok(())
}
