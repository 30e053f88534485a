//! A segment of traffic records: a file of lines, sealed by the root of a Merkle tree over them.
//!
//! The first line names format, segment and node; the tree is over the lines after it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use model::{SegmentId, Timestamp};
use serde::Deserialize;
use serde_json::json;

use super::hold::{hold, is_at};
use super::leaves::{Grouping, LEAF_LINES, Leaves};
use super::tally;
use crate::link::protocol::Seal;

/// Segments whose tree has a leaf for each line.
const FORMAT_V1: &str = "rampart.traffic.v1";
const FORMAT_V2: &str = "rampart.traffic.v2";
const OPEN: &str = ".ndjson";
const SEALED: &str = ".sealed.ndjson";

/// The open segment.
#[derive(Debug)]
pub(super) struct Segment {
    id: SegmentId,
    path: PathBuf,
    file: File,
    /// Bytes that are whole lines.
    length: u64,
    leaves: Leaves,
    /// How many of its lines are of each route.
    routes: BTreeMap<String, u64>,
    first: Timestamp,
    last: Timestamp,
    /// When it was begun.
    pub(super) begun: Timestamp,
}

/// The first line, as another process wrote it.
#[derive(Deserialize)]
struct Head {
    format: String,
    #[serde(default)]
    leaf_lines: usize,
}

impl Head {
    /// Which lines make a leaf; nothing when another version of this program knows it.
    fn grouping(&self) -> Option<Grouping> {
        match (self.format.as_str(), self.leaf_lines) {
            (FORMAT_V1, _) => Some(Grouping::Each),
            (FORMAT_V2, LEAF_LINES) => Some(Grouping::Several),
            _ => None,
        }
    }
}

/// What is read of a line that another process wrote.
#[derive(Deserialize)]
struct Line {
    time: Timestamp,
    #[serde(default)]
    route: String,
}

impl Segment {
    /// Begins one in `folder`.
    pub(super) fn begin(
        folder: &Path,
        id: SegmentId,
        node: &str,
        now: Timestamp,
    ) -> io::Result<Self> {
        let path = folder.join(format!("{id}{OPEN}"));
        // Held before it has the name by which another process would take it for left behind.
        let fresh = folder.join(format!("{id}.new"));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)?;
        hold(&file)?;
        std::fs::rename(&fresh, &path)?;
        let head = json!({
            "format": FORMAT_V2, "segment": id, "node": node, "leaf_lines": LEAF_LINES,
        });
        let head = format!("{head}\n");
        if let Err(error) = file.write_all(head.as_bytes()) {
            drop(std::fs::remove_file(&path));
            return Err(error);
        }
        Ok(Self {
            id,
            path,
            file,
            length: u64::try_from(head.len()).unwrap_or(0),
            leaves: Leaves::default(),
            routes: BTreeMap::new(),
            first: now,
            last: now,
            begun: now,
        })
    }

    /// Which it is.
    pub(super) fn id(&self) -> SegmentId {
        self.id
    }

    /// Bytes of the file.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Adds whole lines, so many of each route; after an error the segment is as it was before.
    pub(super) fn append(
        &mut self,
        lines: &[u8],
        of: &[(String, u64)],
        now: Timestamp,
    ) -> io::Result<()> {
        if let Err(error) = self.file.write_all(lines) {
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
            return Err(error);
        }
        self.length += u64::try_from(lines.len()).unwrap_or(0);
        self.leaves.add(lines);
        for (route, count) in of {
            tally::add(&mut self.routes, route, *count);
        }
        self.last = now;
        Ok(())
    }

    /// Seals it: on disk, under its final name.
    pub(super) fn seal(self, gap: u64) -> io::Result<Seal> {
        self.file.sync_data()?;
        let name = format!("{}{SEALED}", self.id);
        let sealed = self.path.with_file_name(name);
        std::fs::rename(&self.path, &sealed)?;
        if let Some(folder) = sealed.parent() {
            File::open(folder)?.sync_all()?;
        }
        let (root, count) = self.leaves.close();
        Ok(Seal {
            segment: self.id,
            root: hex(&root),
            count,
            gap,
            first: self.first,
            last: self.last,
            routes: self.routes,
        })
    }
}

/// The word that lines were left out while no segment was open.
pub(super) fn gap_alone(id: SegmentId, gap: u64, now: Timestamp) -> Seal {
    Seal {
        segment: id,
        root: hex(&Leaves::default().close().0),
        count: 0,
        gap,
        first: now,
        last: now,
        routes: BTreeMap::new(),
    }
}

/// What [`recover`] found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Recovered {
    /// What it sealed.
    pub(super) seals: Vec<Seal>,
    /// Whether another process still writes to one.
    pub(super) others: bool,
}

/// Seals what a process that is gone left open in `folder`, without the half of a line at an end.
/// What a process that lives writes to is left alone: also the segment of this one.
pub(super) fn recover(folder: &Path, own: Option<SegmentId>) -> io::Result<Recovered> {
    let mut recovered = Recovered::default();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("");
        let id = name
            .strip_suffix(OPEN)
            .filter(|_| !name.ends_with(SEALED))
            .and_then(|id| id.parse::<SegmentId>().ok());
        let Some(id) = id.filter(|id| Some(*id) != own) else {
            continue;
        };
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => file,
            // Sealed meanwhile, by whoever wrote to it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if !hold(&file)? {
            recovered.others = true;
            continue;
        }
        if !is_at(&file, &path)? {
            continue;
        }
        match reopen(file, &path, id)? {
            Reopened::Whole(segment) => recovered.seals.push(segment.seal(0)?),
            Reopened::Empty => std::fs::remove_file(&path)?,
            Reopened::Unknown => {
                let path = path.display();
                tracing::warn!(%path, "traffic records of a format that is not known stay unsealed");
            }
        }
    }
    Ok(recovered)
}

/// What an open segment is.
enum Reopened {
    /// As far as its lines are whole.
    Whole(Box<Segment>),
    /// It holds no line.
    Empty,
    /// It begins as none of ours does: nothing is sealed that would say something else than its
    /// first line.
    Unknown,
}

fn reopen(file: File, path: &Path, id: SegmentId) -> io::Result<Reopened> {
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let mut length = 0;
    let mut leaves = Leaves::default();
    let mut routes = BTreeMap::new();
    let mut times: Option<(Timestamp, Timestamp)> = None;
    let mut is_head = true;
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        let Some(text) = line.strip_suffix(b"\n") else {
            break;
        };
        length += u64::try_from(read).unwrap_or(0);
        if std::mem::take(&mut is_head) {
            let head = serde_json::from_slice::<Head>(text).ok();
            match head.and_then(|head| head.grouping()) {
                Some(grouping) => leaves = Leaves::new(grouping),
                None => return Ok(Reopened::Unknown),
            }
            continue;
        }
        leaves.add(&line);
        if let Ok(Line { time, route }) = serde_json::from_slice(text) {
            tally::add(&mut routes, &route, 1);
            let first = times.map_or(time, |(first, _)| first);
            times = Some((first, time));
        }
    }
    let Some((first, last)) = times else {
        return Ok(Reopened::Empty);
    };
    let file = reader.into_inner();
    file.set_len(length)?;
    Ok(Reopened::Whole(Box::new(Segment {
        id,
        path: path.to_path_buf(),
        file,
        length,
        leaves,
        routes,
        first,
        last,
        begun: first,
    })))
}

/// The sealed segments of a folder with their sizes, oldest first: ids begin with the time.
pub(super) fn sealed(folder: &Path) -> io::Result<Vec<(SegmentId, PathBuf, u64)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let id = name
            .to_str()
            .and_then(|name| name.strip_suffix(SEALED))
            .and_then(|id| id.parse::<SegmentId>().ok());
        if let Some(id) = id {
            found.push((id, entry.path(), entry.metadata()?.len()));
        }
    }
    found.sort_unstable_by_key(|(id, ..)| *id);
    Ok(found)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
