//! Hands open sockets from one process to the next on this machine: packets over a local socket,
//! each with a text and file descriptors (`SCM_RIGHTS`).
//!
//! Blocking, with a deadline on every step; for threads of their own. Never parses what it carries.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType, sockopt,
};

use crate::Error;

/// LIMIT: bytes of one packet's text.
pub const TEXT_BYTES_MAX: usize = 4096;
/// LIMIT: descriptors in one packet; the kernel takes 253.
pub const DESCRIPTORS_MAX: usize = 64;

/// Where a successor knocks.
#[derive(Debug)]
pub struct Door(OwnedFd);

/// One conversation with a process of our own user, or root.
#[derive(Debug)]
pub struct Talk(OwnedFd);

/// One packet.
#[derive(Debug, Default)]
pub struct Packet {
    /// What was said.
    pub text: Vec<u8>,
    /// What came with it.
    pub descriptors: Vec<OwnedFd>,
}

impl Door {
    /// Opens one at `path`, in place of whatever is there: the last one to open it is the one that
    /// is found.
    ///
    /// # Errors
    /// [`Error::BindUnix`] with the path and the kernel's reason.
    pub fn open(path: &Path) -> Result<Self, Error> {
        open(path).map(Self).map_err(|source| Error::BindUnix {
            path: path.to_path_buf(),
            source,
        })
    }

    /// Waits for somebody of our own user, or root. Anyone else is turned away.
    ///
    /// # Errors
    /// The kernel's.
    pub fn accept(&self, step_timeout: Duration) -> io::Result<Talk> {
        loop {
            let socket = match rustix::net::accept_with(&self.0, SocketFlags::CLOEXEC) {
                Err(rustix::io::Errno::INTR) => continue,
                accepted => accepted?,
            };
            match talk(socket, step_timeout) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    tracing::warn!("refused a local peer that wanted to take over");
                }
                talk => return talk,
            }
        }
    }
}

fn open(path: &Path) -> io::Result<OwnedFd> {
    let socket = socket()?;
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = Path::new(&fresh);
    match std::fs::remove_file(fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    rustix::net::bind(&socket, &SocketAddrUnix::new(fresh)?)?;
    // SECURITY: nobody else may even knock; who does is looked at again (`talk`).
    std::fs::set_permissions(fresh, std::fs::Permissions::from_mode(0o600))?;
    rustix::net::listen(&socket, 4)?;
    std::fs::rename(fresh, path)?;
    Ok(socket)
}

fn socket() -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC;
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
}

/// SECURITY: sockets of the public are given to, and taken from, our own user and root alone; the
/// kernel says who it is.
fn talk(socket: OwnedFd, step_timeout: Duration) -> io::Result<Talk> {
    let uid = sockopt::socket_peercred(&socket)?.uid;
    if !uid.is_root() && uid != rustix::process::geteuid() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let talk = Talk(socket);
    talk.wait_at_most(step_timeout)?;
    Ok(talk)
}

impl Talk {
    /// Knocks at `path`; nothing when nobody is there.
    ///
    /// # Errors
    /// The kernel's; `PermissionDenied` when who answers is somebody else's process.
    pub fn begin(path: &Path, step_timeout: Duration) -> io::Result<Option<Self>> {
        use rustix::io::Errno;
        let socket = socket()?;
        match rustix::net::connect(&socket, &SocketAddrUnix::new(path)?) {
            Ok(()) => talk(socket, step_timeout).map(Some),
            Err(Errno::NOENT | Errno::CONNREFUSED) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// How long each step may take from now on.
    ///
    /// # Errors
    /// The kernel's.
    pub fn wait_at_most(&self, step_timeout: Duration) -> io::Result<()> {
        for way in [sockopt::Timeout::Recv, sockopt::Timeout::Send] {
            sockopt::set_socket_timeout(&self.0, way, Some(step_timeout))?;
        }
        Ok(())
    }

    /// Sends one packet.
    ///
    /// # Errors
    /// `InvalidInput` beyond the limits; else the kernel's.
    pub fn send(&self, text: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        if text.is_empty() || text.len() > TEXT_BYTES_MAX || descriptors.len() > DESCRIPTORS_MAX {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(descriptors))
        {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let text = [IoSlice::new(text)];
        // A peer that is gone is an error, never a signal.
        let flags = SendFlags::NOSIGNAL;
        rustix::io::retry_on_intr(|| {
            rustix::net::sendmsg(self.0.as_fd(), &text, &mut ancillary, flags)
        })?;
        Ok(())
    }

    /// Waits for one packet.
    ///
    /// # Errors
    /// `UnexpectedEof` when the peer is gone, `WouldBlock` when it says nothing in time,
    /// `InvalidData` when what it sent was cut off by a limit.
    pub fn receive(&self) -> io::Result<Packet> {
        let mut text = vec![0; TEXT_BYTES_MAX];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let got = rustix::io::retry_on_intr(|| {
            let parts = &mut [IoSliceMut::new(&mut text)];
            // What comes in is for this process alone, not for those it starts.
            rustix::net::recvmsg(&self.0, parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC)
        })?;
        let descriptors: Vec<OwnedFd> = ancillary
            .drain()
            .filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(rights) => Some(rights),
                _ => None,
            })
            .flatten()
            .collect();
        use rustix::net::ReturnFlags;
        if got.bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if got
            .flags
            .intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC)
        {
            return Err(io::ErrorKind::InvalidData.into());
        }
        text.truncate(got.bytes);
        Ok(Packet { text, descriptors })
    }
}

/// A TCP socket that listens, and where; anything else is refused.
///
/// # Errors
/// `InvalidData` when it is none; else the kernel's.
pub fn listening(socket: OwnedFd) -> io::Result<std::net::TcpListener> {
    let is_inet = matches!(
        sockopt::socket_domain(&socket)?,
        AddressFamily::INET | AddressFamily::INET6
    );
    let is_stream = sockopt::socket_type(&socket)? == SocketType::STREAM;
    if !is_inet || !is_stream || !sockopt::socket_acceptconn(&socket)? {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let listener = std::net::TcpListener::from(socket);
    listener.set_nonblocking(true)?;
    Ok(listener)
}

#[cfg(test)]
mod tests;
