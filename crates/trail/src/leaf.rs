//! Leaf v1 and the frames both kinds of files are made of.
//!
//! ```text
//! file    = "RAMPTRL" version(1) kind(1) zero(7) first index(8, big endian)  then frames
//! kind    = 1 leaves, 2 payloads, 3 summary
//! frame   = length(4, big endian) crc32c(length ‖ body)(4) body
//! leaf    = version(1) event id(16) time ms(8) class(1) severity(1) class_uid(4) activity(1) commitment(32)
//! payload = state(1: 0 kept, 1 erased) salt(16) event as JSON
//! commitment = SHA-256("rampart trail payload v1" ‖ salt ‖ event as JSON)
//! ```
//!
//! The salt makes an erased payload unguessable from its commitment.

use aws_lc_rs::digest::{Context, SHA256};
use model::{Class, Event, EventId, Severity, Timestamp};

/// The only version so far.
pub(crate) const VERSION: u8 = 1;
/// Bytes of a file's header.
pub(crate) const FILE_HEADER_BYTES: u64 = 24;
/// Bytes of a leaf.
pub(crate) const LEAF_BYTES: usize = 64;
/// Bytes of a leaf with its frame: leaves stand at fixed distances.
pub(crate) const LEAF_FRAME_BYTES: u64 = 72;
/// Bytes before a frame's body.
pub(crate) const FRAME_HEADER_BYTES: usize = 8;
/// Bytes before the event in a payload.
pub(crate) const PAYLOAD_HEADER_BYTES: usize = 1 + SALT_BYTES;
/// Bytes of a salt.
pub(crate) const SALT_BYTES: usize = 16;
/// LIMIT: bytes of one event.
pub(crate) const EVENT_BYTES_MAX: usize = 256 * 1024;

const MAGIC: &[u8; 7] = b"RAMPTRL";

/// The kinds of files of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Leaves,
    Payloads,
    /// Of a closed one; see [`crate::summary`].
    Summary,
}

impl Kind {
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Leaves => "leaves",
            Self::Payloads => "payloads",
            Self::Summary => "summary",
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Leaves => 1,
            Self::Payloads => 2,
            Self::Summary => 3,
        }
    }
}

/// The header of a file that begins at entry `first`.
pub(crate) fn file_header(kind: Kind, first: u64) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend([VERSION, kind.code()]);
    bytes.extend([0; 7]);
    bytes.extend(first.to_be_bytes());
    bytes
}

/// Puts `body` into a frame.
pub(crate) fn frame(body: &[u8]) -> Vec<u8> {
    // LIMIT: bodies are bounded by `EVENT_BYTES_MAX`, far below 4 GiB.
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut bytes = Vec::with_capacity(FRAME_HEADER_BYTES + body.len());
    bytes.extend(length);
    bytes.extend(checksum(length, body).to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

pub(crate) fn checksum(length: [u8; 4], body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length), body)
}

/// One leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) event: EventId,
    pub(crate) time: Timestamp,
    pub(crate) class: u8,
    pub(crate) severity: u8,
    pub(crate) class_uid: u32,
    pub(crate) activity: u8,
    pub(crate) commitment: [u8; 32],
}

impl Leaf {
    pub(crate) fn of(event: &Event, commitment: [u8; 32]) -> Self {
        Self {
            event: event.id,
            time: event.time,
            class: class_code(event.class),
            severity: severity_code(event.severity),
            class_uid: event.class_uid,
            activity: event.activity_id,
            commitment,
        }
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LEAF_BYTES);
        bytes.push(VERSION);
        bytes.extend(self.event.as_raw().to_be_bytes());
        bytes.extend(self.time.as_millis().to_be_bytes());
        bytes.extend([self.class, self.severity]);
        bytes.extend(self.class_uid.to_be_bytes());
        bytes.push(self.activity);
        bytes.extend(self.commitment);
        bytes
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (event, rest) = rest.split_first_chunk::<16>()?;
        let (time, rest) = rest.split_first_chunk::<8>()?;
        let ([class, severity], rest) = rest.split_first_chunk::<2>()?;
        let (class_uid, rest) = rest.split_first_chunk::<4>()?;
        let (activity, commitment) = rest.split_first()?;
        (*version == VERSION).then_some(())?;
        Some(Self {
            event: EventId::from_raw(u128::from_be_bytes(*event)),
            time: Timestamp::from_millis(i64::from_be_bytes(*time)),
            class: *class,
            severity: *severity,
            class_uid: u32::from_be_bytes(*class_uid),
            activity: *activity,
            commitment: commitment.try_into().ok()?,
        })
    }

    /// Whether this is the leaf of `event` under `salt`.
    pub(crate) fn commits_to(&self, event: &Event, salt: &[u8], json: &[u8]) -> bool {
        *self == Self::of(event, commitment(salt, json))
    }
}

/// The commitment to a payload.
pub(crate) fn commitment(salt: &[u8], json: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(b"rampart trail payload v1");
    context.update(salt);
    context.update(json);
    context
        .finish()
        .as_ref()
        .first_chunk()
        .copied()
        .unwrap_or_default()
}

/// A payload as it stands in its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload<'a> {
    Kept { salt: &'a [u8], json: &'a [u8] },
    Erased,
}

impl<'a> Payload<'a> {
    pub(crate) fn bytes(salt: &[u8; SALT_BYTES], json: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PAYLOAD_HEADER_BYTES + json.len());
        bytes.push(0);
        bytes.extend(salt);
        bytes.extend_from_slice(json);
        bytes
    }

    pub(crate) fn parse(body: &'a [u8]) -> Option<Self> {
        let (state, rest) = body.split_first()?;
        match state {
            0 => rest
                .split_at_checked(SALT_BYTES)
                .map(|(salt, json)| Self::Kept { salt, json }),
            1 => Some(Self::Erased),
            _ => None,
        }
    }
}

fn class_code(class: Class) -> u8 {
    match class {
        Class::Change => 1,
        Class::Use => 2,
        Class::Traffic => 3,
    }
}

fn severity_code(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}
