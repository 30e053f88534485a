//! Users of this machine, to run the processes under separate ones.

use std::path::Path;

/// A user by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The user the gateway runs under, when it exists and we may.
pub(crate) const GATEWAY_USER: &str = "rampart-gateway";

/// The user named `name`, when this process is root and the user exists.
///
/// The lookup reads the passwd file itself: name services over a network have no say in which
/// user guards the keys.
pub(crate) fn switchable(name: &str) -> Option<User> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    find(name, Path::new("/etc/passwd"))
}

fn find(name: &str, passwd: &Path) -> Option<User> {
    let text = std::fs::read_to_string(passwd).ok()?;
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(User { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_is_found_by_its_whole_name_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passwd");
        let text = "rampart-x:x:5:6::/:/bin/false\nrampart:x:7:8:a:b:c\nbroken\n";
        store::atomic_write(&file, text.as_bytes(), 0o600).unwrap();
        assert_eq!(find("rampart", &file), Some(User { uid: 7, gid: 8 }));
        assert_eq!(find("ramp", &file), None);
        assert_eq!(find("broken", &file), None);
    }
}
