//! What waits until control has recorded it, in order, in a file that survives the process.
//!
//! The file is a list of entries, each four bytes of length, four of CRC-32C, and a JSON text: a
//! delivery, or the word that one is acknowledged. It begins anew whenever nothing waits.
//!
//! Each process has a file of its own, and takes over what those left that are gone.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::hold::{hold, is_at};
use crate::link::protocol::Content;

/// What the file begins with: its format and version.
const MAGIC: &[u8; 8] = b"RMPSPL01";
/// LIMIT: bytes of the file; more is dropped and counted.
const BYTES_MAX: u64 = 64 << 20;
/// LIMIT: bytes of one entry.
const ENTRY_BYTES_MAX: usize = 16 << 20;
/// The file begins anew when nothing waits and it has grown to this.
const WORTH_CLEARING: u64 = 64 << 10;
const HEAD_BYTES: usize = 8;
/// LIMIT: files of processes that live or left something: those that leave, and the next one.
const FILES_MAX: usize = 32;

/// The first has no number: there is seldom another.
fn name(number: usize) -> String {
    match number {
        0 => "spool".to_owned(),
        number => format!("spool.{number}"),
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Spool {
    file: File,
    number: usize,
    length: u64,
    waiting: VecDeque<(u64, Content)>,
    last_id: u64,
    dropped: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Delivery { id: u64, content: Content },
    Done(u64),
}

impl Spool {
    /// Opens a file in `folder` that nobody writes to; a torn end, which a crash leaves, is cut
    /// off.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        for number in 0..FILES_MAX {
            let path = folder.join(name(number));
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)?;
            if hold(&file)? && is_at(&file, &path)? {
                return Self::of(file, number);
            }
        }
        Err(io::Error::other("too many processes write here already"))
    }

    /// Takes over what processes left that are gone; whether others still write here.
    pub(super) fn adopt(&mut self, folder: &Path) -> io::Result<bool> {
        let mut others = false;
        let own = self.number;
        for number in (0..FILES_MAX).filter(|number| *number != own) {
            let path = folder.join(name(number));
            let file = match OpenOptions::new().read(true).write(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if !hold(&file)? {
                others = true;
                continue;
            }
            if !is_at(&file, &path)? {
                continue;
            }
            let left = Self::of(file, number)?;
            for (_, content) in left.waiting {
                self.push(content);
            }
            // Only now: what came in between is delivered twice, and taken once.
            std::fs::remove_file(&path)?;
        }
        Ok(others)
    }

    fn of(mut file: File, number: usize) -> io::Result<Self> {
        let mut bytes = Vec::new();
        (&mut file).take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
        let (waiting, last_id, good) = read(&bytes);
        let mut spool = Self {
            file,
            number,
            length: good,
            waiting,
            last_id,
            dropped: 0,
        };
        if good == 0 {
            spool.clear()?;
        } else {
            spool.file.set_len(good)?;
            spool.file.seek(SeekFrom::Start(good))?;
        }
        Ok(spool)
    }

    /// Adds one. What the disk has no room for still waits in memory; what the limit has no room
    /// for is dropped and counted.
    pub(super) fn push(&mut self, content: Content) {
        let id = self.last_id + 1;
        let entry = Entry::Delivery { id, content };
        let full = self.length >= BYTES_MAX;
        if full {
            self.dropped += match &entry {
                Entry::Delivery {
                    content: Content::Events(events),
                    ..
                } => u64::try_from(events.len()).unwrap_or(u64::MAX),
                _ => 1,
            };
            return;
        }
        if let Err(error) = self.append(&entry) {
            tracing::warn!(%error, "what waits for control is kept in memory only");
        }
        if let Entry::Delivery { content, .. } = entry {
            self.last_id = id;
            self.waiting.push_back((id, content));
        }
    }

    /// The oldest that comes after `after`.
    pub(super) fn after(&self, after: u64) -> Option<(u64, Content)> {
        self.waiting.iter().find(|(id, _)| *id > after).cloned()
    }

    /// One is recorded.
    pub(super) fn done(&mut self, id: u64) {
        let before = self.waiting.len();
        self.waiting.retain(|(waiting, _)| *waiting != id);
        if self.waiting.len() == before {
            return;
        }
        let kept = if self.waiting.is_empty() && self.length >= WORTH_CLEARING {
            self.clear()
        } else {
            self.append(&Entry::Done(id))
        };
        if let Err(error) = kept {
            // Then it is delivered again after a crash; control takes it once.
            tracing::debug!(%error, "an acknowledgement was not kept");
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes how many were dropped since the last call.
    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let mut bytes = vec![0; HEAD_BYTES];
        serde_json::to_writer(&mut bytes, entry)?;
        let body = bytes.get(HEAD_BYTES..).unwrap_or_default();
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        let head = [length.to_be_bytes(), crc32c::crc32c(body).to_be_bytes()].concat();
        if let Some(place) = bytes.get_mut(..HEAD_BYTES) {
            place.copy_from_slice(&head);
        }
        if let Err(error) = self.file.write_all(&bytes) {
            // Half an entry would hide every later one.
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
            return Err(error);
        }
        self.length += u64::try_from(bytes.len()).unwrap_or(0);
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.length = 0;
        self.file.write_all(MAGIC)?;
        self.length = u64::try_from(MAGIC.len()).unwrap_or(0);
        // Ids go on: an acknowledgement of an earlier one must not meet a new one.
        if self.last_id > 0 {
            self.append(&Entry::Done(self.last_id))?;
        }
        Ok(())
    }
}

/// What waits, the last id, and how many bytes are whole; zero when it is no spool.
fn read(bytes: &[u8]) -> (VecDeque<(u64, Content)>, u64, u64) {
    let mut waiting = VecDeque::new();
    let mut last_id = 0;
    let Some(mut rest) = bytes.strip_prefix(MAGIC) else {
        return (waiting, 0, 0);
    };
    while let Some((entry, after)) = entry(rest) {
        match entry {
            Entry::Delivery { id, content } => {
                last_id = last_id.max(id);
                waiting.push_back((id, content));
            }
            Entry::Done(done) => {
                last_id = last_id.max(done);
                waiting.retain(|(id, _)| *id != done);
            }
        }
        rest = after;
    }
    let good = bytes.len() - rest.len();
    (waiting, last_id, u64::try_from(good).unwrap_or(0))
}

fn entry(bytes: &[u8]) -> Option<(Entry, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    if length > ENTRY_BYTES_MAX {
        return None;
    }
    let (body, after) = rest.split_at_checked(length)?;
    if crc32c::crc32c(body) != u32::from_be_bytes(*crc) {
        return None;
    }
    Some((serde_json::from_slice(body).ok()?, after))
}

#[cfg(test)]
mod tests;
