//! Listening sockets: TCP shared between workers, and local ones only chosen users may use.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use tokio::net::{TcpStream, UnixListener, UnixStream};

use crate::Error;

/// Connections the kernel keeps while a worker is busy.
pub const BACKLOG: usize = 1024;

/// A listening TCP socket, non-blocking. Several may be bound to one address (`SO_REUSEPORT`): the
/// kernel spreads connections between them, so each worker accepts its own.
///
/// # Errors
/// [`Error::Bind`] with the address and the kernel's reason.
pub fn bind_tcp(address: SocketAddr) -> Result<std::net::TcpListener, Error> {
    open(address).map_err(|errno| Error::Bind {
        address,
        source: errno.into(),
    })
}

fn open(address: SocketAddr) -> rustix::io::Result<std::net::TcpListener> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_socket_reuseport(&socket, true)?;
    if family == AddressFamily::INET6 {
        // `[::]` and `0.0.0.0` are two lines of the estate; neither takes the other's address.
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, i32::try_from(BACKLOG).unwrap_or(i32::MAX))?;
    Ok(std::net::TcpListener::from(socket))
}

/// Sets up an accepted connection: answers leave at once (no Nagle).
///
/// # Errors
/// The kernel's, when the peer is gone already.
pub fn prepare_stream(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)
}

/// Who may use a local socket.
#[derive(Clone, Copy, Debug)]
pub struct UnixAccess {
    /// Mode of the socket file.
    pub mode: u32,
    /// One more user, beside root and our own.
    pub also: Option<u32>,
}

/// A listening local socket at `path`. What a dead process left there is replaced; a socket that
/// still answers is somebody else's, and an error.
///
/// # Errors
/// [`Error::BindUnix`] with the path and the reason.
pub async fn bind_unix(path: &Path, access: UnixAccess) -> Result<UnixListener, Error> {
    let fail = |source| Error::BindUnix {
        path: path.to_path_buf(),
        source,
    };
    if path.exists() {
        if UnixStream::connect(path).await.is_ok() {
            let in_use = std::io::Error::new(
                std::io::ErrorKind::AddrInUse,
                "another process answers there",
            );
            return Err(fail(in_use));
        }
        std::fs::remove_file(path).map_err(fail)?;
    }
    let listener = UnixListener::bind(path).map_err(fail)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(access.mode)).map_err(fail)?;
    if let Some(user) = access.also {
        // Root and our own user reach it all the same.
        std::os::unix::fs::chown(path, Some(user), None).map_err(fail)?;
    }
    Ok(listener)
}

/// The user id of a local peer, when it is one that may connect.
///
/// SECURITY: the file's mode already keeps others out; the kernel's word on who connected is the
/// second lock.
#[must_use]
pub fn permitted_peer(stream: &UnixStream, access: UnixAccess) -> Option<u32> {
    let uid = stream.peer_cred().ok()?.uid();
    let own = rustix::process::geteuid().as_raw();
    (uid == 0 || uid == own || access.also == Some(uid)).then_some(uid)
}

#[cfg(test)]
mod tests;
