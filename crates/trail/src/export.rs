//! Taking the trail away: a folder that `verify` accepts, with the events as JSON lines beside it.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use serde::Serialize;

use crate::leaf::Kind;
use crate::{Error, segment};

/// What was exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Entries written as JSON lines.
    pub events: u64,
    /// Segments copied.
    pub segments: u64,
}

/// Copies the trail in `dir` to the new folder `to`: its segments and checkpoints as they are, and
/// `events.jsonl` with one record a line. Safe while the trail is written to: checkpoints are
/// copied first, so the copy holds at least what they cover.
///
/// # Errors
/// [`Error::File`] when `to` exists or a file cannot be copied.
pub fn export(dir: &Path, to: &Path) -> Result<Exported, Error> {
    let failed = |source| Error::File {
        path: to.to_path_buf(),
        source,
    };
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(to)
        .map_err(failed)?;
    copy_all(dir, to).map_err(failed)
}

fn copy_all(dir: &Path, to: &Path) -> io::Result<Exported> {
    for name in ["checkpoint", "checkpoints", "key.pub"] {
        match std::fs::copy(dir.join(name), to.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let mut exported = Exported {
        events: 0,
        segments: 0,
    };
    let mut lines = BufWriter::new(File::create_new(to.join("events.jsonl"))?);
    for first in segment::list(dir)? {
        // Leaves first: whatever they commit to is then surely in the payloads copied after.
        for kind in [Kind::Leaves, Kind::Payloads] {
            std::fs::copy(
                segment::path(dir, first, kind),
                segment::path(to, first, kind),
            )?;
        }
        exported.segments += 1;
        exported.events += crate::reader::each_event(to, first, |record| {
            serde_json::to_writer(&mut lines, record)?;
            lines.write_all(b"\n")
        })?;
    }
    lines.into_inner()?.sync_all()?;
    Ok(exported)
}
