//! The frames of one file of the trail, read once and believed only when their checksum holds.

use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::Path;

use crate::leaf::{FILE_HEADER_BYTES, FRAME_HEADER_BYTES, Kind, checksum, file_header};

/// Frames of one file, one after another.
pub(super) struct Frames {
    file: BufReader<File>,
    length: u64,
    /// Where the next frame begins.
    pub(super) offset: u64,
}

pub(super) enum Frame {
    /// The body of a frame whose checksum holds.
    Whole(Vec<u8>),
    /// The file ends where a frame ends.
    End,
    /// What is there is no frame.
    Bad(&'static str),
}

impl Frames {
    /// Opens the file and checks its header.
    pub(super) fn open(path: &Path, kind: Kind, first: u64) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut file = BufReader::with_capacity(256 * 1024, file);
        let expected = file_header(kind, first);
        let mut found = vec![0; expected.len()];
        let headed = length >= FILE_HEADER_BYTES && {
            file.read_exact(&mut found)?;
            found == expected
        };
        // A file without its header has no frames: its first one is bad, at the very beginning.
        Ok(Self {
            file,
            length,
            offset: if headed { FILE_HEADER_BYTES } else { 0 },
        })
    }

    /// The next frame, of `limit` bytes at most.
    pub(super) fn next(&mut self, limit: usize) -> io::Result<Frame> {
        if self.offset == 0 {
            return Ok(if self.length == 0 {
                Frame::End
            } else {
                Frame::Bad("the file's header is not this trail's")
            });
        }
        let left = self.rest();
        if left == 0 {
            return Ok(Frame::End);
        }
        let mut header = [0; FRAME_HEADER_BYTES];
        if left < 8 {
            return Ok(Frame::Bad("the file ends in the middle of an entry"));
        }
        self.file.read_exact(&mut header)?;
        let [a, b, c, d, e, f, g, h] = header;
        let (length, expected) = ([a, b, c, d], u32::from_be_bytes([e, f, g, h]));
        let size = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if size > limit {
            return Ok(Frame::Bad("an entry is longer than any that was written"));
        }
        let whole = u64::try_from(FRAME_HEADER_BYTES + size).unwrap_or(u64::MAX);
        if left < whole {
            return Ok(Frame::Bad("the file ends in the middle of an entry"));
        }
        let mut body = vec![0; size];
        self.file.read_exact(&mut body)?;
        if checksum(length, &body) != expected {
            return Ok(Frame::Bad("an entry's checksum does not match"));
        }
        self.offset += whole;
        Ok(Frame::Whole(body))
    }

    /// Bytes that were not read.
    pub(super) fn rest(&self) -> u64 {
        self.length.saturating_sub(self.offset)
    }
}
