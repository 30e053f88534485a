//! Frames: four bytes of length, big-endian, then one JSON text.

use bytes::{Buf as _, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// LIMIT: bytes of one frame's text.
pub(super) const FRAME_BYTES_MAX: usize = 16 << 20;
const LENGTH_BYTES: usize = 4;

/// Why a link cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The other side closed it.
    #[error("the other side ended the link")]
    Ended,
    /// Reading or writing failed.
    #[error("the link broke")]
    Io(#[from] std::io::Error),
    /// A frame is longer than allowed.
    #[error("a frame of {0} bytes is longer than allowed")]
    TooLong(usize),
    /// A frame is not a message of this protocol.
    #[error("a frame is not a message of this protocol")]
    Malformed(#[source] serde_json::Error),
    /// Nothing was heard for too long.
    #[error("the other side was silent for too long")]
    Silent,
    /// Something came that does not belong here.
    #[error("{0}")]
    Unexpected(String),
}

/// The reading end.
#[derive(Debug)]
pub(super) struct Reader<R> {
    stream: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(super) fn new(stream: R) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
        }
    }

    /// The next message. What was read stays when the caller goes away in between.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> Result<T, Broken> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(message);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(Broken::Ended);
            }
        }
    }

    fn take<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Broken> {
        let Some(head) = self.buffer.first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
        if length > FRAME_BYTES_MAX {
            return Err(Broken::TooLong(length));
        }
        if self.buffer.len() < LENGTH_BYTES + length {
            // Room for the rest at once, but never for more than was announced within the limit.
            self.buffer
                .reserve((LENGTH_BYTES + length).saturating_sub(self.buffer.len()));
            return Ok(None);
        }
        self.buffer.advance(LENGTH_BYTES);
        let text = self.buffer.split_to(length);
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(Broken::Malformed)
    }
}

/// Writes one message.
pub(super) async fn send<W, T>(stream: &mut W, message: &T) -> Result<(), Broken>
where
    W: AsyncWrite + Unpin,
    T: Serialize,
{
    let mut frame = vec![0; LENGTH_BYTES];
    serde_json::to_writer(&mut frame, message).map_err(Broken::Malformed)?;
    let length = frame.len() - LENGTH_BYTES;
    if length > FRAME_BYTES_MAX {
        return Err(Broken::TooLong(length));
    }
    if let (Some(head), Ok(length)) = (
        frame.first_chunk_mut::<LENGTH_BYTES>(),
        u32::try_from(length),
    ) {
        *head = length.to_be_bytes();
    }
    stream.write_all(&frame).await?;
    stream.flush().await?;
    Ok(())
}

#[cfg(test)]
mod tests;
