//! Verifying a trail's folder, offline: nothing of a running Rampart is needed, and nothing it
//! says is believed.

mod frames;

use std::io;
use std::path::{Path, PathBuf};

use merkle::{Frontier, Hash, SignedCheckpoint, VerifyingKey};
use model::Event;
use serde::Serialize;

use crate::Error;
use crate::checkpoints::{HISTORY_BYTES_MAX, read_history, whole_notes};
use crate::leaf::{EVENT_BYTES_MAX, Kind, LEAF_BYTES, Leaf, PAYLOAD_HEADER_BYTES, Payload};
use crate::segment;
use frames::{Frame, Frames};

/// What is taken from outside the folder.
#[derive(Clone, Debug, Default)]
pub struct Trusted {
    /// The key that signs checkpoints, kept somewhere else.
    pub key: Option<VerifyingKey>,
    /// Checkpoints kept somewhere else.
    pub since: Vec<SignedCheckpoint>,
    /// The checkpoint that the running server holds in memory.
    pub remembered: Option<SignedCheckpoint>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whole entries that were read.
    pub entries: u64,
    /// Entries whose payload was erased; their place in the log is proven all the same.
    pub erased: u64,
    /// The root over them, in hex.
    pub root: String,
    /// How many entries the newest checkpoint covers.
    pub signed: u64,
    /// Older checkpoints of the folder that agree.
    pub checkpoints: u64,
    /// Bytes behind the last whole entry: an append was cut off there and never acknowledged.
    pub unfinished_bytes: u64,
    /// What is wrong; the first bad entry is named first.
    pub faults: Vec<Fault>,
    /// What cannot be excluded with what was given.
    pub not_excluded: Vec<String>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.faults.is_empty()
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The entry, when it is one entry's fault.
    pub entry: Option<u64>,
    /// The file.
    pub file: Option<PathBuf>,
    /// Where in the file.
    pub offset: Option<u64>,
    /// What is wrong, lower case, no full stop.
    pub what: String,
}

/// Verifies the trail in `dir`.
///
/// # Errors
/// [`Error::File`] when a file cannot be read at all; what is wrong with the content is in the
/// report.
pub fn verify(dir: &Path, trusted: &Trusted) -> Result<Report, Error> {
    verify_within(dir, trusted, HISTORY_BYTES_MAX)
}

/// As [`verify`], against the newest `history_bytes_max` bytes of the folder's own history.
pub(crate) fn verify_within(
    dir: &Path,
    trusted: &Trusted,
    history_bytes_max: u64,
) -> Result<Report, Error> {
    let failed = |source| Error::File {
        path: dir.to_path_buf(),
        source,
    };
    let claims = Claims::read(dir, trusted, history_bytes_max).map_err(failed)?;
    let mut reading = Reading::new(&claims);
    reading.segments(dir).map_err(failed)?;
    Ok(reading.report(trusted))
}

/// Bytes in hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hash from 64 hex digits.
pub(crate) fn unhex(text: &str) -> Option<Hash> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()?;
    let (pairs, odd) = digits.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high * 16 + low).collect();
    if odd.is_empty() {
        bytes.try_into().ok()
    } else {
        None
    }
}

/// What checkpoints say, by size.
struct Claims {
    /// Ascending by size; the flag says whether it came from outside.
    checkpoints: Vec<(SignedCheckpoint, Origin)>,
    newest: Option<SignedCheckpoint>,
    faults: Vec<Fault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Folder,
    Server,
    Outside,
}

impl Origin {
    fn name(self) -> &'static str {
        match self {
            Self::Folder => "the folder's own checkpoint",
            Self::Server => "the running server's checkpoint",
            Self::Outside => "the checkpoint given from outside",
        }
    }
}

impl Claims {
    fn read(dir: &Path, trusted: &Trusted, history_bytes_max: u64) -> io::Result<Self> {
        let mut claims = Self {
            checkpoints: Vec::new(),
            newest: None,
            faults: Vec::new(),
        };
        let newest = dir.join("checkpoint");
        let history = dir.join("checkpoints");
        let past = read_history(&history, history_bytes_max)?;
        match read_history(&newest, history_bytes_max)? {
            Some(text) => claims.newest = claims.parse(&newest, &text, trusted),
            // A log younger than its first signature has neither; the report says what that leaves
            // open.
            None if past.is_none() => {}
            None => claims.fault(&newest, "there is no newest checkpoint"),
        }
        let text = past.unwrap_or_default();
        // What stands behind the last whole note was cut off while it was written.
        for place in whole_notes(text.as_bytes()) {
            let note = text.get(place).unwrap_or_default();
            let note = note.strip_suffix('\n').unwrap_or(note);
            if let Some(signed) = claims.parse(&history, note, trusted) {
                claims.checkpoints.push((signed, Origin::Folder));
            }
        }
        claims
            .checkpoints
            .extend(claims.newest.clone().map(|signed| (signed, Origin::Folder)));
        for given in &trusted.since {
            claims.given(given, Origin::Outside, trusted);
        }
        if let Some(given) = &trusted.remembered {
            claims.given(given, Origin::Server, trusted);
        }
        claims
            .checkpoints
            .sort_by_key(|(signed, _)| signed.claimed().size);
        Ok(claims)
    }

    fn given(&mut self, given: &SignedCheckpoint, origin: Origin, trusted: &Trusted) {
        if let Some(key) = &trusted.key
            && let Err(error) = given.verify(key)
        {
            self.faults.push(Fault {
                entry: None,
                file: None,
                offset: None,
                what: format!("{}: {error}", origin.name()),
            });
        }
        self.checkpoints.push((given.clone(), origin));
    }

    fn parse(&mut self, path: &Path, note: &str, trusted: &Trusted) -> Option<SignedCheckpoint> {
        let parsed = note
            .parse::<SignedCheckpoint>()
            .map_err(|error| error.to_string());
        let believed = parsed.and_then(|signed| match &trusted.key {
            Some(key) => signed
                .verify(key)
                .map(|_| signed.clone())
                .map_err(|e| e.to_string()),
            None => Ok(signed),
        });
        believed.map_err(|what| self.fault(path, &what)).ok()
    }

    fn fault(&mut self, path: &Path, what: &str) {
        let file = Some(path.to_path_buf());
        self.faults.push(Fault {
            entry: None,
            file,
            offset: None,
            what: what.to_owned(),
        });
    }
}

/// The state of reading every entry once, with flat memory.
struct Reading<'a> {
    claims: &'a Claims,
    /// The next checkpoint to compare with.
    next_claim: usize,
    agreed: u64,
    agreed_size: u64,
    frontier: Frontier,
    erased: u64,
    unfinished: u64,
    faults: Vec<Fault>,
}

impl<'a> Reading<'a> {
    fn new(claims: &'a Claims) -> Self {
        Self {
            claims,
            next_claim: 0,
            agreed: 0,
            agreed_size: 0,
            frontier: Frontier::new(),
            erased: 0,
            unfinished: 0,
            faults: Vec::new(),
        }
    }

    fn segments(&mut self, dir: &Path) -> io::Result<()> {
        self.compare();
        let firsts = segment::list(dir)?;
        for (position, first) in firsts.iter().enumerate() {
            let last = position + 1 == firsts.len();
            if *first != self.frontier.size() {
                let what = format!(
                    "entries {} to {} are missing: the next file begins at entry {first}",
                    self.frontier.size(),
                    first.saturating_sub(1)
                );
                self.fault(segment::path(dir, *first, Kind::Leaves), 0, &what);
                return Ok(());
            }
            if !self.segment(dir, *first, last)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads one segment; `false` when reading on makes no sense.
    fn segment(&mut self, dir: &Path, first: u64, last: bool) -> io::Result<bool> {
        let path = |kind| segment::path(dir, first, kind);
        let mut leaves = Frames::open(&path(Kind::Leaves), Kind::Leaves, first)?;
        let mut payloads = match Frames::open(&path(Kind::Payloads), Kind::Payloads, first) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.fault(path(Kind::Payloads), 0, "the file is missing");
                return Ok(false);
            }
            other => other?,
        };
        loop {
            let (leaf_at, payload_at) = (leaves.offset, payloads.offset);
            let leaf = leaves.next(LEAF_BYTES)?;
            let payload = payloads.next(EVENT_BYTES_MAX + PAYLOAD_HEADER_BYTES)?;
            let (leaf, payload) = match (leaf, payload) {
                (Frame::Whole(leaf), Frame::Whole(payload)) => (leaf, payload),
                (Frame::End, Frame::End) => return Ok(true),
                (leaf, payload) => {
                    let (file, at, what) = match (&leaf, &payload) {
                        (Frame::Bad(what), _) => (path(Kind::Leaves), leaf_at, *what),
                        (_, Frame::Bad(what)) => (path(Kind::Payloads), payload_at, *what),
                        (Frame::End, _) => (path(Kind::Leaves), leaf_at, "the leaf is missing"),
                        _ => (path(Kind::Payloads), payload_at, "the payload is missing"),
                    };
                    return Ok(self.stopped(file, at, what, last, &leaves, &payloads));
                }
            };
            if let Err((kind, what)) = self.entry(&leaf, &payload) {
                let at = if kind == Kind::Leaves {
                    leaf_at
                } else {
                    payload_at
                };
                self.fault(path(kind), at, what);
                return Ok(false);
            }
        }
    }

    /// A frame that is not whole: an append that was cut off, if it is the very end and nobody
    /// signed for it; otherwise damage.
    fn stopped(
        &mut self,
        file: PathBuf,
        at: u64,
        what: &str,
        last: bool,
        leaves: &Frames,
        payloads: &Frames,
    ) -> bool {
        let signed = self
            .claims
            .checkpoints
            .last()
            .map_or(0, |(signed, _)| signed.claimed().size);
        if last && self.frontier.size() >= signed {
            self.unfinished = leaves.rest() + payloads.rest();
        } else {
            self.fault(file, at, what);
        }
        false
    }

    fn entry(&mut self, leaf_bytes: &[u8], payload: &[u8]) -> Result<(), (Kind, &'static str)> {
        let leaf =
            Leaf::parse(leaf_bytes).ok_or((Kind::Leaves, "the leaf has an unknown version"))?;
        match Payload::parse(payload) {
            None => return Err((Kind::Payloads, "the payload is not one")),
            Some(Payload::Erased) => self.erased += 1,
            Some(Payload::Kept { salt, json }) => {
                let event: Event = serde_json::from_slice(json)
                    .map_err(|_| (Kind::Payloads, "the payload is not an event"))?;
                if !leaf.commits_to(&event, salt, json) {
                    return Err((
                        Kind::Payloads,
                        "the payload is not the one its leaf commits to",
                    ));
                }
            }
        }
        self.frontier.push(merkle::leaf_hash(leaf_bytes));
        self.compare();
        Ok(())
    }

    /// Holds the tree against every checkpoint of its present size.
    fn compare(&mut self) {
        while let Some((signed, origin)) = self.claims.checkpoints.get(self.next_claim) {
            let claimed = signed.claimed();
            if claimed.size != self.frontier.size() {
                return;
            }
            self.next_claim += 1;
            if claimed.root == self.frontier.root() {
                self.agreed += 1;
                self.agreed_size = claimed.size;
                continue;
            }
            let whose = origin.name();
            let what = format!(
                "an entry from {} to {} was changed, replaced or reordered: {whose} at {} entries has another root",
                self.agreed_size,
                claimed.size.saturating_sub(1),
                claimed.size
            );
            let entry = Some(self.agreed_size);
            self.faults.push(Fault {
                entry,
                file: None,
                offset: None,
                what,
            });
        }
    }

    fn fault(&mut self, file: PathBuf, offset: u64, what: &str) {
        self.faults.push(Fault {
            entry: Some(self.frontier.size()),
            file: Some(file),
            offset: Some(offset),
            what: what.to_owned(),
        });
    }

    fn report(mut self, trusted: &Trusted) -> Report {
        let size = self.frontier.size();
        if self.faults.is_empty()
            && let Some((signed, origin)) = self.claims.checkpoints.get(self.next_claim)
        {
            let whose = origin.name();
            let what = format!(
                "entries {size} to {} are missing: {whose} covers {} entries",
                signed.claimed().size.saturating_sub(1),
                signed.claimed().size
            );
            self.faults.push(Fault {
                entry: Some(size),
                file: None,
                offset: None,
                what,
            });
        }
        self.faults.extend(self.claims.faults.iter().cloned());
        let newest = self
            .claims
            .newest
            .as_ref()
            .map_or(0, |signed| signed.claimed().size);
        let not_excluded = not_excluded(trusted, size, newest);
        Report {
            entries: size,
            erased: self.erased,
            root: hex(&self.frontier.root()),
            signed: newest,
            checkpoints: self.agreed,
            unfinished_bytes: self.unfinished,
            faults: self.faults,
            not_excluded,
        }
    }
}

fn not_excluded(trusted: &Trusted, size: u64, signed: u64) -> Vec<String> {
    let mut open = Vec::new();
    if trusted.key.is_none() {
        open.push(
            "the whole folder was written anew by somebody else: no key was given from outside (--key)"
                .to_owned(),
        );
    }
    let since = trusted.since.iter().map(|since| since.claimed().size);
    match since.max() {
        None => open.push(
            "the whole folder was put back to an older state: consistent; rollback not excluded without a checkpoint from outside (--since)"
                .to_owned(),
        ),
        Some(since) if since < size => open.push(format!(
            "entries were removed from the end after the given checkpoint, of {since} entries"
        )),
        Some(_) => {}
    }
    if signed < size {
        open.push(format!(
            "entries {signed} to {} were changed: no checkpoint covers them yet",
            size - 1
        ));
    }
    open
}
