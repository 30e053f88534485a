//! Files that are there whole or not at all.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use crate::Error;

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
    // What a dead process left under this process's number is in the way, and nobody's.
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
    temporary.push(format!(".{}.new", std::process::id()));
    Ok(path.with_file_name(temporary))
}
