//! Tells the service manager how far we are (sd_notify(3)): one datagram per word, to the socket
//! that it named. Without one, nothing.

use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Notify(Option<SocketAddr>);

impl Notify {
    /// `name` is what stands in `NOTIFY_SOCKET`: a path, or `@` and an abstract name.
    pub(super) fn new(name: Option<OsString>) -> Self {
        let Some(name) = name else {
            return Self(None);
        };
        let address = match name.as_bytes().strip_prefix(b"@") {
            Some(rest) => SocketAddr::from_abstract_name(rest),
            None => SocketAddr::from_pathname(&name),
        };
        match address {
            Ok(address) => Self(Some(address)),
            Err(error) => {
                tracing::warn!(%error, "the service manager cannot be told anything");
                Self(None)
            }
        }
    }

    /// Requests are served.
    pub(super) fn ready(&self) {
        self.say("READY=1\n");
    }

    /// The end has begun.
    pub(super) fn stopping(&self) {
        self.say("STOPPING=1\n");
    }

    fn say(&self, word: &str) {
        let Some(address) = &self.0 else {
            return;
        };
        let said = UnixDatagram::unbound()
            .and_then(|socket| {
                // A manager that does not read must not hold us up.
                socket.set_nonblocking(true)?;
                socket.send_to_addr(word.as_bytes(), address)
            })
            .map(drop);
        if let Err(error) = said {
            tracing::warn!(%error, word = word.trim_end(), "the service manager was not told");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 64];
        let read = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    }

    #[test]
    fn manager_hears_both_words_at_a_path_and_at_an_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        Notify::new(Some(path.into())).ready();
        assert_eq!(heard(&socket), "READY=1\n");
        let name = format!("rampart-notify-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        Notify::new(Some(format!("@{name}").into())).stopping();
        assert_eq!(heard(&socket), "STOPPING=1\n");
    }

    #[test]
    fn nobody_to_tell_is_no_trouble() {
        Notify::new(None).ready();
        Notify::new(Some("/nowhere/at/all".into())).stopping();
    }
}
