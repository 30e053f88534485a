//! The few things the trail asks of a disk, so that tests can take them away.

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

/// What the writer does to files.
pub(crate) trait Disk: Send + Sync + Debug {
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes what was written permanent.
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Takes `bytes` of room into the file `path`, which holds nothing else.
    fn reserve(&self, path: &Path, bytes: u64) -> io::Result<()>;
    /// Gives the room back.
    fn release(&self, path: &Path) -> io::Result<()>;
}

/// The machine's disk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn reserve(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        if file.metadata()?.len() >= bytes {
            return Ok(());
        }
        let taken = rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes);
        match taken {
            Ok(()) => file.sync_all(),
            Err(error) => {
                // Half a reserve would keep room from others and help nobody.
                drop(std::fs::remove_file(path));
                Err(error.into())
            }
        }
    }

    fn release(&self, path: &Path) -> io::Result<()> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Whether an error says that there is no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
