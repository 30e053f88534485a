//! Files that are there whole or not at all.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::Error;

/// LIMIT: how long [`turn`] waits.
const TURN_MAX: Duration = Duration::from_secs(10);
/// How often it asks.
const TURN_POLL: Duration = Duration::from_millis(10);

/// Files written so far, for the names of temporary ones.
static WRITES: AtomicU64 = AtomicU64::new(0);

/// Replaces `path` by `bytes` with `mode`: written beside it, synced, renamed, the folder synced.
/// After a crash the file holds the old bytes or the new ones, never a part.
///
/// # Errors
/// [`Error::Write`]; the old file is then untouched.
pub fn atomic_write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    let failed = |source| Error::Write {
        path: path.to_path_buf(),
        source,
    };
    let temporary = beside(path).map_err(failed)?;
    let written = write_new(&temporary, bytes, mode).and_then(|()| {
        std::fs::rename(&temporary, path)?;
        File::open(folder(path))?.sync_all()
    });
    written.map_err(|source| {
        drop(std::fs::remove_file(&temporary));
        failed(source)
    })
}

/// Makes `path` with mode 0600 when it is not there yet; one that others may read becomes ours
/// alone.
///
/// A file that is there is never opened: closing it would take away the locks that SQLite holds on
/// it in this process, <https://sqlite.org/howtocorrupt.html> section 2.2.
pub(crate) fn create_private(path: &Path) -> Result<(), Error> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let private = match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => close_to_others(path),
        made => made.map(drop),
    };
    let private = match private {
        // A link to a file that is still to be made.
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.is_symlink() => {
            let mut options = OpenOptions::new();
            let made = options.write(true).create(true).truncate(false).mode(0o600);
            made.open(path).map(drop)
        }
        private => private,
    };
    private.map_err(|source| Error::Write {
        path: path.to_path_buf(),
        source,
    })
}

fn close_to_others(path: &Path) -> io::Result<()> {
    match std::fs::metadata(path)?.mode() & 0o077 {
        0 => Ok(()),
        _ => std::fs::set_permissions(path, Permissions::from_mode(0o600)),
    }
}

/// Waits for a turn among those who open databases in the folder of `path`, here or in another
/// process; it ends when the folder's handle is dropped.
///
/// # Errors
/// [`Error::Busy`] when others had it for all of [`TURN_MAX`]; [`Error::Write`] without the folder.
pub(crate) async fn turn(path: &Path) -> Result<File, Error> {
    let failed = |source| Error::Write {
        path: path.to_path_buf(),
        source,
    };
    let handle = File::open(folder(path)).map_err(failed)?;
    let locked = tokio::time::timeout(TURN_MAX, async {
        loop {
            match flock(&handle, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) => tokio::time::sleep(TURN_POLL).await,
                locked => return locked,
            }
        }
    });
    let locked = locked.await.map_err(|_| Error::Busy)?;
    if let Err(error) = locked {
        // A file system without such locks. Only two first starts at once need the turn.
        tracing::debug!(%error, "no turn is taken to open the database");
    }
    Ok(handle)
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// What [`write_once`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// There was no such file; it holds the bytes now.
    Now,
    /// There was one already, and it was left alone.
    Before,
}

/// Makes `path` with mode 0600 and these bytes, unless there is such a file. Nobody ever sees a
/// part of it: the bytes are on the disk before they get the name.
pub(crate) fn write_once(path: &Path, bytes: &[u8]) -> io::Result<Written> {
    let temporary = beside(path)?;
    let written = write_new(&temporary, bytes, 0o600);
    // A second name, as with O_EXCL, is given only where there is none.
    let linked = written.and_then(|()| match std::fs::hard_link(&temporary, path) {
        Ok(()) => Ok(Written::Now),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Written::Before),
        Err(error) => Err(error),
    });
    let removed = std::fs::remove_file(&temporary);
    let linked = linked?;
    removed?;
    sync(path)?;
    Ok(linked)
}

/// Makes a folder, and those above it, with mode 0700 when it is not there yet.
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Waits until a file that somebody else wrote is on the disk, with its name.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    File::open(folder(path))?.sync_all()
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    // What a dead process left under these numbers is in the way, and nobody's.
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a file's path"))?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    // Two writers of one path must not meet in one temporary file: each has a number of its own.
    let number = WRITES.fetch_add(1, Ordering::Relaxed);
    temporary.push(format!(".{}.{number}.new", std::process::id()));
    Ok(path.with_file_name(temporary))
}
