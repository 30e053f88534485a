//! A pair of files: leaves, and the payloads they commit to. And what the gateway says of its own
//! sealed segments of traffic records.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use model::{SegmentId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::leaf::{self, FILE_HEADER_BYTES, Kind};

/// A segment of traffic records that a gateway sealed: it becomes one entry of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentSeal {
    /// Which segment.
    pub segment: SegmentId,
    /// Which gateway.
    pub node: String,
    /// Root of the Merkle tree over its lines (RFC 9162 tree hash), in hex.
    pub root: String,
    /// How many records.
    pub count: u64,
    /// How many records were left out under pressure.
    pub gap: u64,
    /// Time of the first record.
    pub first: Timestamp,
    /// Time of the last record.
    pub last: Timestamp,
    /// How many of the records are of each route.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub routes: BTreeMap<String, u64>,
}

/// The path of one of a segment's files.
pub(crate) fn path(dir: &Path, first: u64, kind: Kind) -> PathBuf {
    dir.join(format!("{first:020}.{}", kind.extension()))
}

/// The first entries of every segment in `dir`, ascending.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<u64>> {
    let mut firsts = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        let first = name
            .to_str()
            .and_then(|name| name.strip_suffix(".leaves"))
            .and_then(|digits| digits.parse::<u64>().ok());
        firsts.extend(first);
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// Makes one file of a new segment, or takes up one whose making was cut off: a file that holds no
/// whole header holds nothing.
pub(crate) fn create(dir: &Path, first: u64, kind: Kind) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path(dir, first, kind))?;
    std::os::unix::fs::FileExt::write_all_at(&file, &leaf::file_header(kind, first), 0)?;
    file.sync_all()?;
    Ok(file)
}

/// Opens one file of a segment and checks its header. `Ok(None)` when the header was never
/// finished, which can only be where a segment was just being made.
pub(crate) fn open(dir: &Path, first: u64, kind: Kind) -> io::Result<Option<File>> {
    checked(
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(path(dir, first, kind))?,
        first,
        kind,
    )
}

/// As [`open`], for reading only.
pub(crate) fn open_read(dir: &Path, first: u64, kind: Kind) -> io::Result<Option<File>> {
    checked(File::open(path(dir, first, kind))?, first, kind)
}

fn checked(file: File, first: u64, kind: Kind) -> io::Result<Option<File>> {
    if file.metadata()?.len() < FILE_HEADER_BYTES {
        return Ok(None);
    }
    let expected = leaf::file_header(kind, first);
    let mut found = vec![0; expected.len()];
    std::os::unix::fs::FileExt::read_exact_at(&file, &mut found, 0)?;
    if found == expected {
        Ok(Some(file))
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "its header is not this segment's",
        ))
    }
}
