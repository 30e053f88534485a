//! The shop's manuals, next to a file nobody should get, and a lookup that walks out of its folder.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// What the file beside the manuals says.
pub(crate) const SECRET: &str = "payment-provider-key=sk_demo_4f1d5e0a (invented)\n";

const MANUALS: [(&str, &str); 2] = [
    ("lamp.txt", "Put the lamp on a table. Switch it on.\n"),
    ("kettle.txt", "Fill the kettle. Wait for the whistle.\n"),
];

#[derive(Debug)]
pub(super) struct Files {
    manuals: PathBuf,
}

impl Files {
    /// Lays the files out below `folder`.
    pub(super) fn lay_out(folder: &Path) -> anyhow::Result<Self> {
        let manuals = folder.join("manuals");
        std::fs::create_dir_all(&manuals)
            .with_context(|| format!("cannot make the folder `{}`", manuals.display()))?;
        for (name, text) in MANUALS {
            put(&manuals.join(name), text)?;
        }
        put(&folder.join("payment.conf"), SECRET)?;
        Ok(Self { manuals })
    }

    /// HOLE: path traversal. Whatever `name` says is joined to the folder: `../payment.conf`.
    pub(super) async fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        tokio::fs::read(self.manuals.join(name)).await
    }
}

fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    store::atomic_write(path, text.as_bytes(), 0o600)
        .with_context(|| format!("cannot write `{}`", path.display()))
}
