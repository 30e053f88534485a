//! Where everything lives below the data folder, and with which rights.

use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The data folder's layout.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    /// The data folder itself.
    pub(crate) data: PathBuf,
}

impl Paths {
    pub(crate) fn new(data: &Path) -> Self {
        Self {
            data: data.to_path_buf(),
        }
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.data.join("store")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.store().join("rampart.db")
    }

    pub(crate) fn backups(&self) -> PathBuf {
        self.store().join("backups")
    }

    pub(crate) fn trail(&self) -> PathBuf {
        self.data.join("trail")
    }

    pub(crate) fn gateway(&self) -> PathBuf {
        self.data.join("gateway")
    }

    pub(crate) fn tls(&self) -> PathBuf {
        self.data.join("tls")
    }

    pub(crate) fn run(&self) -> PathBuf {
        self.data.join("run")
    }

    pub(crate) fn admin_socket(&self) -> PathBuf {
        self.run().join("admin.sock")
    }

    pub(crate) fn link_socket(&self) -> PathBuf {
        self.run().join("link.sock")
    }

    pub(crate) fn control_http_socket(&self) -> PathBuf {
        self.run().join("control-http.sock")
    }

    /// Makes the folders control owns.
    ///
    /// SECURITY: the data folder and `run` can be passed through (0711) so that a gateway under
    /// another user reaches its sockets; everything with content in it is 0700.
    pub(crate) fn prepare_control(&self) -> io::Result<()> {
        folder(&self.data, 0o711)?;
        folder(&self.run(), 0o711)?;
        for private in [self.store(), self.backups(), self.trail()] {
            folder(&private, 0o700)?;
        }
        folder(&self.tls(), 0o755)
    }

    /// Makes the folder the gateway owns; gives it to `owner` when it runs under another user.
    pub(crate) fn prepare_gateway(&self, owner: Option<(u32, u32)>) -> io::Result<()> {
        folder(&self.data, 0o711)?;
        folder(&self.run(), 0o711)?;
        folder(&self.gateway(), 0o700)?;
        if let Some((uid, gid)) = owner {
            std::os::unix::fs::chown(self.gateway(), Some(uid), Some(gid))?;
        }
        Ok(())
    }
}

fn folder(path: &Path, mode: u32) -> io::Result<()> {
    match std::fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
    {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}
