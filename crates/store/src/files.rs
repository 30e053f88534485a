//! Files that are there whole or not at all.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Error;

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
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let temporary = beside(path).map_err(failed)?;
    let written = write_new(&temporary, bytes, mode).and_then(|()| {
        std::fs::rename(&temporary, path)?;
        File::open(folder)?.sync_all()
    });
    written.map_err(|source| {
        drop(std::fs::remove_file(&temporary));
        failed(source)
    })
}

/// Makes `path` with mode 0600 when it is not there yet; one that others may read becomes ours
/// alone.
pub(crate) fn create_private(path: &Path) -> Result<(), Error> {
    let opened = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path);
    let private = opened.and_then(|file| match file.metadata()?.mode() & 0o077 {
        0 => Ok(()),
        _ => file.set_permissions(Permissions::from_mode(0o600)),
    });
    private.map_err(|source| Error::Write {
        path: path.to_path_buf(),
        source,
    })
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
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
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
