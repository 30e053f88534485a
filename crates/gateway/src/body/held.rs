//! A body that is here in full, and the way it got here.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use super::Refused;
use super::budget::{Budget, Grant, Place};
use crate::exchange::BoxError;

/// LIMIT: bytes of one body kept in memory; the rest goes to a file.
pub(super) const MEMORY_MAX: usize = 64 * 1024;
/// Bytes read from a body's file at once.
const CHUNK: usize = 64 * 1024;

/// A whole body. As an `http_body::Body` it sends itself; [`Held::replay`] sends it again.
#[derive(Debug, Default)]
pub(crate) struct Held {
    content: Content,
    sent: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

#[derive(Clone, Debug, Default)]
enum Content {
    #[default]
    Empty,
    Memory(Arc<Memory>),
    Spooled(Arc<Spooled>),
}

#[derive(Debug)]
struct Memory {
    bytes: Bytes,
    _grant: Grant,
}

#[derive(Debug)]
struct Spooled {
    file: File,
    length: u64,
    _grant: Grant,
}

impl Held {
    /// No body.
    pub(crate) const fn empty() -> Self {
        Self {
            content: Content::Empty,
            sent: 0,
            reading: None,
        }
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> u64 {
        match &self.content {
            Content::Empty => 0,
            Content::Memory(memory) => u64::try_from(memory.bytes.len()).unwrap_or(u64::MAX),
            Content::Spooled(spooled) => spooled.length,
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of it, when it lies in memory.
    pub(crate) fn as_slice(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Empty => Some(&[]),
            Content::Memory(memory) => Some(&memory.bytes),
            Content::Spooled(_) => None,
        }
    }

    /// Up to 64 KiB from `offset` on; empty at the end. Reads a file off the worker's thread.
    pub(crate) async fn chunk(&self, offset: u64) -> io::Result<Bytes> {
        match &self.content {
            Content::Empty => Ok(Bytes::new()),
            Content::Memory(memory) => {
                let from = usize::try_from(offset)
                    .unwrap_or(usize::MAX)
                    .min(memory.bytes.len());
                Ok(memory.bytes.slice(from..))
            }
            Content::Spooled(spooled) => {
                let spooled = Arc::clone(spooled);
                spawn_blocking(move || spooled.read(offset)).await?
            }
        }
    }

    /// The same body, to be sent from its beginning.
    pub(crate) fn replay(&self) -> Self {
        Self {
            content: self.content.clone(),
            sent: 0,
            reading: None,
        }
    }
}

impl Spooled {
    fn read(&self, offset: u64) -> io::Result<Bytes> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut chunk = vec![0; left.min(CHUNK)];
        self.file.read_exact_at(&mut chunk, offset)?;
        Ok(Bytes::from(chunk))
    }
}

impl Body for Held {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if this.sent >= this.len() {
            return Poll::Ready(None);
        }
        let chunk = match &this.content {
            Content::Empty => return Poll::Ready(None),
            Content::Memory(memory) => memory.bytes.clone(),
            Content::Spooled(spooled) => {
                let reading = this.reading.get_or_insert_with(|| {
                    let (spooled, offset) = (Arc::clone(spooled), this.sent);
                    spawn_blocking(move || spooled.read(offset))
                });
                let read = ready!(Pin::new(reading).poll(cx));
                this.reading = None;
                match read.map_err(io::Error::from).flatten() {
                    Ok(chunk) => chunk,
                    Err(error) => return Poll::Ready(Some(Err(error.into()))),
                }
            }
        };
        this.sent = this
            .sent
            .saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.sent >= self.len()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len().saturating_sub(self.sent))
    }
}

/// A body on its way in.
#[derive(Debug)]
pub(super) struct Holder {
    memory: Vec<u8>,
    memory_grant: Grant,
    file: Option<Arc<File>>,
    file_length: u64,
    file_grant: Grant,
}

impl Holder {
    pub(super) fn new(budget: &Arc<Budget>) -> Self {
        Self {
            memory: Vec::new(),
            memory_grant: Grant::none(budget, Place::Memory),
            file: None,
            file_length: 0,
            file_grant: Grant::none(budget, Place::Disk),
        }
    }

    /// The body came in one piece: it is kept as it lies, without a copy.
    pub(super) fn whole(mut self, data: Bytes) -> Result<Held, Refused> {
        if !self.memory_grant.grow(size(data.len())) {
            return Err(Refused::Budget);
        }
        let memory = Memory {
            bytes: data,
            _grant: self.memory_grant,
        };
        Ok(Held {
            content: Content::Memory(Arc::new(memory)),
            sent: 0,
            reading: None,
        })
    }

    pub(super) async fn push(&mut self, data: Bytes) -> Result<(), Refused> {
        if self.fits(data.len()) {
            self.memory.extend_from_slice(&data);
            return Ok(());
        }
        self.flush().await?;
        if data.len() < MEMORY_MAX && self.fits(data.len()) {
            self.memory.extend_from_slice(&data);
            return Ok(());
        }
        self.write(data).await
    }

    pub(super) async fn finish(mut self) -> Result<Held, Refused> {
        let content = if self.file.is_some() {
            self.flush().await?;
            let file = self.file.and_then(Arc::into_inner).ok_or(Refused::Budget)?;
            let spooled = Spooled {
                file,
                length: self.file_length,
                _grant: self.file_grant,
            };
            Content::Spooled(Arc::new(spooled))
        } else if self.memory.is_empty() {
            Content::Empty
        } else {
            let memory = Memory {
                bytes: Bytes::from(self.memory),
                _grant: self.memory_grant,
            };
            Content::Memory(Arc::new(memory))
        };
        Ok(Held {
            content,
            sent: 0,
            reading: None,
        })
    }

    /// Whether `more` bytes go to memory; makes the room and takes it from the budget.
    fn fits(&mut self, more: usize) -> bool {
        let needed = self.memory.len().saturating_add(more);
        if needed > MEMORY_MAX {
            return false;
        }
        let capacity = self.memory.capacity();
        if needed <= capacity {
            return true;
        }
        let grown = capacity.saturating_mul(2).max(needed).min(MEMORY_MAX);
        if !self.memory_grant.grow(size(grown.saturating_sub(capacity))) {
            return false;
        }
        self.memory
            .reserve_exact(grown.saturating_sub(self.memory.len()));
        true
    }

    /// Moves what lies in memory to the file.
    async fn flush(&mut self) -> Result<(), Refused> {
        if self.memory.is_empty() {
            return Ok(());
        }
        let data = Bytes::from(std::mem::take(&mut self.memory));
        self.write(data).await?;
        self.memory_grant.release();
        Ok(())
    }

    async fn write(&mut self, data: Bytes) -> Result<(), Refused> {
        if !self.file_grant.grow(size(data.len())) {
            return Err(Refused::Budget);
        }
        let offset = self.file_length;
        self.file_length = offset.saturating_add(size(data.len()));
        let folder = self.file_grant.folder().to_path_buf();
        let file = self.file.take();
        // A disk that stalls must not stall the worker's other connections.
        let written = spawn_blocking(move || {
            let file = match file {
                Some(file) => file,
                None => Arc::new(tempfile::tempfile_in(folder)?),
            };
            file.write_all_at(&data, offset)?;
            io::Result::Ok(file)
        });
        match written.await.map_err(io::Error::from).flatten() {
            Ok(file) => {
                self.file = Some(file);
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "cannot keep a request body on disk");
                Err(Refused::Budget)
            }
        }
    }
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
