//! The sides of the gateway's part, started and seen to decide as they should.

use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::super::super::contender::{
    Addresses, Certificate, Nginx, PROXY_CORE, PROXY_PASS, nginx_proxy, upstream,
};
use super::super::super::process::Pinned;
use super::super::super::rampart::{Ground, Rampart};
use super::super::put;
use super::requests::Case;

/// Where Debian puts the module.
pub(super) const MODULE: &str = "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so";

/// A proxy, with its rules or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Rampart without `[waf]`.
    Plain,
    /// Rampart with the Core Rule Set.
    Crs,
    /// Rampart with the rules it brings.
    Builtin,
    /// nginx alone.
    Nginx,
    /// nginx with ModSecurity and the Core Rule Set.
    Modsecurity,
}

impl Side {
    pub(super) const ALL: [Self; 5] = [
        Self::Plain,
        Self::Crs,
        Self::Builtin,
        Self::Nginx,
        Self::Modsecurity,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "rampart, without rules",
            Self::Crs => "rampart, Core Rule Set",
            Self::Builtin => "rampart, its own rules",
            Self::Nginx => "nginx, without rules",
            Self::Modsecurity => "nginx + ModSecurity, Core Rule Set",
        }
    }

    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Plain => "rampart_plain",
            Self::Crs => "rampart_crs",
            Self::Builtin => "rampart_builtin",
            Self::Nginx => "nginx",
            Self::Modsecurity => "nginx_modsecurity",
        }
    }

    const fn has_rules(self) -> bool {
        matches!(self, Self::Crs | Self::Builtin | Self::Modsecurity)
    }

    /// What the estate says about rules; nothing for a peer.
    const fn waf(self) -> &'static str {
        match self {
            Self::Crs => "\n[waf]\nrules = \"crs\"\nmode = \"block\"\nparanoia = 1\n",
            Self::Builtin => "\n[waf]\nrules = \"builtin\"\nmode = \"block\"\n",
            Self::Plain | Self::Nginx | Self::Modsecurity => "",
        }
    }
}

/// A side that runs.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) side: Side,
    /// Where it takes requests in clear.
    pub(super) at: SocketAddr,
    /// Whose time is counted.
    pub(super) pid: u32,
    /// Whose time is told apart.
    pub(super) beside: Option<u32>,
    /// Ends with this.
    _ours: Option<Rampart>,
    _peer: Option<Pinned>,
}

/// What every side is started from.
#[derive(Debug)]
pub(super) struct Ring<'a> {
    pub(super) program: &'a Path,
    pub(super) folder: &'a Path,
    pub(super) certificate: &'a Certificate,
    pub(super) backend: SocketAddr,
    pub(super) crs: &'a Path,
    /// The rules of the peer: settings, and the same set.
    pub(super) rules: &'a Path,
}

impl Ring<'_> {
    /// Starts a side in a folder of its own.
    pub(super) fn start(&self, side: Side) -> anyhow::Result<Running> {
        let folder = self.folder.join(side.key());
        std::fs::create_dir(&folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        match side {
            Side::Plain | Side::Crs | Side::Builtin => self.ours(side, &folder),
            Side::Nginx => {
                let (process, at) = nginx_proxy(&folder, self.certificate, self.backend)?;
                Ok(Running::peer(side, at.clear, process))
            }
            Side::Modsecurity => self.modsecurity(&folder),
        }
    }

    fn ours(&self, side: Side, folder: &Path) -> anyhow::Result<Running> {
        symlink(self.crs, folder.join("crs")).context("cannot link the rules")?;
        let ground = Ground {
            at: Addresses::free()?,
            certificate: self.certificate,
            backend: self.backend,
        };
        let route =
            "[[route]]\nname = \"all\"\npath = \"/**\"\nto = \"backend\"\nauth = \"none\"\n";
        let routes = format!("{route}{}", side.waf());
        let rampart = Rampart::start(self.program, folder, ground, &routes)?;
        Ok(Running {
            side,
            at: rampart.at.clear,
            pid: rampart.gateway,
            beside: Some(rampart.control),
            _ours: Some(rampart),
            _peer: None,
        })
    }

    fn modsecurity(&self, folder: &Path) -> anyhow::Result<Running> {
        let at = Addresses::free()?.clear;
        let server = format!(
            "{}server {{ listen {at} reuseport; keepalive_requests 1000000000; modsecurity on; \
             modsecurity_rules_file {}; location / {{ {PROXY_PASS} }} }}",
            upstream(self.backend),
            self.rules.display()
        );
        let nginx = Nginx {
            name: "modsecurity",
            core: PROXY_CORE,
            before: &format!("load_module {MODULE};"),
            level: "error",
            server: &server,
        };
        let process = nginx.start(folder, at).context(
            "nginx with ModSecurity does not start: it may be unable to load a rule, named below",
        )?;
        Ok(Running::peer(Side::Modsecurity, at, process))
    }
}

impl Running {
    fn peer(side: Side, at: SocketAddr, process: Pinned) -> Self {
        Self {
            side,
            at,
            pid: process.id(),
            beside: None,
            _ours: None,
            _peer: Some(process),
        }
    }

    /// Sees that it decides as it should: a side that lets everything through is fast, and so is
    /// one that refuses everything.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        for case in Case::ALL {
            let [honest, attack] = case.ask(self.at)?;
            let refused = if self.side.has_rules() { 403 } else { 200 };
            for (what, expected, (status, answer)) in
                [("honest request", 200, honest), ("attack", refused, attack)]
            {
                if status != expected {
                    bail!(
                        "{} answered {status}, not {expected}, to the {what} ({}): {answer}",
                        self.side.name(),
                        case.name()
                    );
                }
            }
        }
        Ok(())
    }

    /// The version of the library of ModSecurity it runs with, by the file that is mapped.
    pub(super) fn library(&self) -> Option<String> {
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", self.pid)).ok()?;
        library(&maps)
    }
}

fn library(maps: &str) -> Option<String> {
    let (_, version) = maps
        .lines()
        .find_map(|line| line.split_once("/libmodsecurity.so."))?;
    Some(format!("libmodsecurity {}", version.trim()))
}

/// The rules of the peer: what Rampart's settings say, in the peer's own configuration.
pub(super) fn rules(folder: &Path, engine: &Path) -> anyhow::Result<PathBuf> {
    let engine = engine.display();
    // Rampart looks into answers of these types.
    let text = format!(
        "Include {engine}\nSecResponseBodyMimeType text/plain text/html text/xml application/xml \
         application/json application/problem+json\n"
    );
    let path = folder.join("nginx-rules.conf");
    put(&path, text.as_bytes())?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_of_a_library_is_that_of_its_file() {
        let maps = "7f00-7f01 r--p 00 08:01 1  /usr/lib/x86_64-linux-gnu/libmodsecurity.so.3.0.9\n";
        assert_eq!(library(maps).unwrap(), "libmodsecurity 3.0.9");
        assert_eq!(library("7f00 /usr/lib/libc.so.6\n"), None);
    }
}
