//! The files that checkpoints are kept in: the newest, synced; the history beside it; and the
//! files outside the folder that make a rollback visible.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use merkle::{SignedCheckpoint, SigningKey};

use crate::Settings;

/// A checkpoint is added to each history at most this often: some 100 MB in a year without rest.
const KEEP: Duration = Duration::from_secs(60);
/// LIMIT: bytes of a history's end that are searched for a note that was cut off.
const TAIL_BYTES_MAX: u64 = 16 * 1024;
/// LIMIT: bytes of a history that are read: the newest ones.
pub(crate) const HISTORY_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// What a line with a signature begins with (C2SP signed-note).
const SIGNATURE: &[u8] = "\u{2014} ".as_bytes();

/// Whether more will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The writer goes on: histories receive a checkpoint when it is time.
    Running,
    /// The writer ends: histories receive the last one now.
    Last,
}

/// Where checkpoints go.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    newest: PathBuf,
    histories: Vec<History>,
    /// What every history should have received.
    written: Option<(u64, String)>,
}

/// A file to which checkpoints are appended.
#[derive(Debug)]
struct History {
    path: PathBuf,
    /// Entries that its newest checkpoint covers, and when that was added; monotonic.
    added: Option<(u64, Duration)>,
    /// Whether it is known to end where a note ends.
    whole: bool,
}

impl Checkpoints {
    pub(crate) fn new(settings: &Settings) -> Self {
        let history = settings.dir.join("checkpoints");
        Self {
            newest: settings.dir.join("checkpoint"),
            histories: std::iter::once(&history)
                .chain(&settings.checkpoints)
                .map(|path| History {
                    path: path.clone(),
                    added: None,
                    whole: false,
                })
                .collect(),
            written: None,
        }
    }

    /// The newest checkpoint this key signed, if there is one.
    pub(crate) fn newest(&self, key: &SigningKey) -> io::Result<Option<SignedCheckpoint>> {
        let text = match std::fs::read_to_string(&self.newest) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
        let signed: SignedCheckpoint = text.parse().map_err(|e| invalid(format!("{e}")))?;
        signed
            .verify(key.verifying_key())
            .map_err(|e| invalid(format!("{e}")))?;
        Ok(Some(signed))
    }

    /// Puts the newest in place of the one before, on disk.
    pub(crate) fn write(&mut self, checkpoint: &SignedCheckpoint) -> io::Result<()> {
        let text = checkpoint.to_string();
        store::atomic_write(&self.newest, text.as_bytes(), 0o644).map_err(io::Error::other)?;
        self.written = Some((checkpoint.claimed().size, text));
        Ok(())
    }

    /// Adds the newest to every history that has yet to receive it. One that cannot be written
    /// does not keep the others from it; the first failure is returned, and tried again next time.
    pub(crate) fn keep(&mut self, now: Duration, moment: Moment) -> io::Result<()> {
        let Some((size, text)) = &self.written else {
            return Ok(());
        };
        let mut result = Ok(());
        for history in &mut self.histories {
            if !history.is_due(*size, now, moment) {
                continue;
            }
            match history.add(text) {
                Ok(()) => history.added = Some((*size, now)),
                Err(error) => {
                    history.whole = false;
                    let what = format!("`{}`: {error}", history.path.display());
                    result = result.and(Err(io::Error::new(error.kind(), what)));
                }
            }
        }
        result
    }
}

impl History {
    fn is_due(&self, size: u64, now: Duration, moment: Moment) -> bool {
        self.added.is_none_or(|(covered, at)| {
            covered != size && (moment == Moment::Last || now.saturating_sub(at) >= KEEP)
        })
    }

    /// Notes are separated by an empty line, as each ends in a line break.
    fn add(&mut self, text: &str) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .mode(0o644)
            .open(&self.path)?;
        let note = format!("{text}\n");
        if !self.whole {
            let last = cut_tail(&mut file, note.as_bytes())?;
            self.whole = true;
            // A start signs again what the last end signed.
            if last == note.as_bytes() {
                return Ok(());
            }
        }
        let length = file.metadata()?.len();
        let added = file.write_all(note.as_bytes());
        if added.is_err() {
            // Half a note is none; when it cannot be taken off now, the next try does it.
            file.set_len(length).ok();
        }
        added
    }
}

/// Takes off a note that was cut off by a crash or a full disk; returns the last whole one.
///
/// # Errors
/// Of the file; and when it holds something that is no history, which is left as it is.
fn cut_tail(file: &mut File, next: &[u8]) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(TAIL_BYTES_MAX);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    io::Read::by_ref(file)
        .take(TAIL_BYTES_MAX)
        .read_to_end(&mut tail)?;
    let last = whole_notes(&tail).last().unwrap_or(0..0);
    let unfinished = u64::try_from(tail.len() - last.end).unwrap_or(0);
    if unfinished == 0 {
        return Ok(tail.get(last).unwrap_or_default().to_vec());
    }
    // Nothing but the beginning of a first note of this log is known to be ours.
    let begun = |text: &[u8]| {
        text.split(|byte| *byte == b'\n').next() == next.split(|byte| *byte == b'\n').next()
    };
    let ours = last.end > 0 || (from == 0 && (next.starts_with(&tail) || begun(&tail)));
    if !ours {
        let what = "it holds something that is no checkpoint; name another file";
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    file.set_len(length - unfinished)?;
    Ok(tail.get(last).unwrap_or_default().to_vec())
}

/// Where whole notes stand in a history: each is a text, an empty line, signatures, an empty line.
pub(crate) fn whole_notes(bytes: &[u8]) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    let mut start = 0;
    let mut block = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = bytes.get(block..)?;
            let length = rest.windows(2).position(|pair| pair == b"\n\n")? + 2;
            let is_signature = rest.starts_with(SIGNATURE);
            block += length;
            if is_signature {
                let note = start..block;
                start = block;
                return Some(note);
            }
        }
    })
}

/// Every checkpoint in a text that holds one, or a history of them.
///
/// # Errors
/// Why the text, or the note at that number from one, is no checkpoint.
pub fn read_all(text: &str) -> Result<Vec<SignedCheckpoint>, merkle::ParseCheckpointError> {
    if let Ok(one) = text.parse() {
        return Ok(vec![one]);
    }
    let notes: Vec<_> = whole_notes(text.as_bytes())
        .filter_map(|place| text.get(place))
        .collect();
    if notes.is_empty() {
        return text.parse().map(|one| vec![one]);
    }
    notes.into_iter().map(parse_note).collect()
}

/// One note of a history.
pub(crate) fn parse_note(note: &str) -> Result<SignedCheckpoint, merkle::ParseCheckpointError> {
    note.strip_suffix('\n').unwrap_or(note).parse()
}

/// The newest part of a history, beginning at a note; `None` when there is no such file.
pub(crate) fn read_history(path: &Path, bytes_max: u64) -> io::Result<Option<String>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let from = file.metadata()?.len().saturating_sub(bytes_max);
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.take(bytes_max).read_to_end(&mut bytes)?;
    if from > 0 {
        // The first one is probably half a note.
        let first = whole_notes(&bytes)
            .next()
            .map_or(bytes.len(), |note| note.end);
        bytes.drain(..first);
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
