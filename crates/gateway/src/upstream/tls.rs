//! TLS to a service: always verified; with a certificate of our own where the service asks for
//! one. Files are read at each new estate, and again when they change.

use std::fmt;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use estate::Service;
use model::{Severity, Timestamp};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use super::report::{Said, Topic};

/// Whoever must renew a certificate is told from so long before its end on, once a day.
const WARN_BEFORE: Duration = Duration::from_hours(14 * 24);
const WARN_EVERY: Duration = Duration::from_hours(24);

/// See the module.
pub(super) struct Tls {
    config: ArcSwap<ClientConfig>,
    pub(super) name: ServerName<'static>,
    files: Files,
    stamp: Mutex<Vec<Stamp>>,
    /// When our own certificate ends, in milliseconds; never when there is none.
    not_after: AtomicU64,
    warned_at: Mutex<Option<Timestamp>>,
}

#[derive(Clone, Debug, Default)]
struct Files {
    authority: Option<PathBuf>,
    own: Option<(PathBuf, PathBuf)>,
}

/// What of a file changes when it does.
type Stamp = Option<(u64, u64, i64, i64)>;

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// What the estate says of a service. Paths are relative to `base`.
    pub(super) fn new(service: &Service, base: &Path) -> Result<Self, String> {
        let first = match (service.named.first(), service.endpoints.first()) {
            (_, Some(address)) => shown(address.ip()),
            (Some(named), None) => named.name.clone(),
            (None, None) => return Err("it stands on no host".to_owned()),
        };
        let name = service.tls_name.clone().unwrap_or(first);
        let name =
            ServerName::try_from(name).map_err(|_| "`tls_name` is no host name".to_owned())?;
        let path = |path: &String| base.join(path);
        let files = Files {
            authority: service.tls_authority.as_ref().map(path),
            own: service
                .tls_certificate
                .as_ref()
                .map(path)
                .zip(service.tls_key.as_ref().map(path)),
        };
        let stamp = files.stamp();
        let (config, not_after) = files.load()?;
        Ok(Self {
            config: ArcSwap::new(config),
            name,
            files,
            stamp: Mutex::new(stamp),
            not_after: AtomicU64::new(not_after),
            warned_at: Mutex::default(),
        })
    }

    /// What a handshake goes by now.
    pub(super) fn config(&self) -> Arc<ClientConfig> {
        self.config.load_full()
    }

    /// Reads files that changed. Blocks, shortly. `None` when none did; an error, in one line,
    /// when what is there now cannot be used: then what was read before holds.
    pub(super) fn reload(&self) -> Option<Result<(), String>> {
        let fresh = self.files.stamp();
        let mut stamp = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        if *stamp == fresh {
            return None;
        }
        // Remembered even when it cannot be used: it is said once, and tried when it changes again.
        *stamp = fresh;
        Some(self.files.load().map(|(config, not_after)| {
            self.config.store(config);
            self.not_after.store(not_after, Ordering::Relaxed);
        }))
    }

    /// A warning that is due: our certificate ends soon, or has.
    pub(super) fn warning(&self, now: Timestamp) -> Option<Said> {
        let ends_ms = self.not_after.load(Ordering::Relaxed);
        let ends = Timestamp::from_millis(i64::try_from(ends_ms).unwrap_or(i64::MAX));
        let left = ends.since(now);
        if ends_ms == u64::MAX || left > WARN_BEFORE {
            return None;
        }
        let mut warned = self
            .warned_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if warned.is_some_and(|at| now.since(at) < WARN_EVERY) {
            return None;
        }
        *warned = Some(now);
        let (severity, text) = if left.is_zero() {
            let text = "the certificate the gateway proves itself with has ended".to_owned();
            (Severity::High, text)
        } else {
            let left = model::format_duration(Duration::from_secs(left.as_secs()));
            let text = format!("the certificate the gateway proves itself with ends in {left}");
            (Severity::Medium, text)
        };
        Some(Said {
            topic: Topic::Tls,
            kind: "gateway.upstream.certificate_ends",
            severity,
            text,
        })
    }
}

impl Files {
    fn load(&self) -> Result<(Arc<ClientConfig>, u64), String> {
        let roots = match &self.authority {
            Some(path) => net::tls::Roots::File(path.clone()),
            None => net::tls::Roots::System,
        };
        let Some((chain, key)) = &self.own else {
            let config = net::tls::client_config(&roots).map_err(|error| chained(&error))?;
            return Ok((config, u64::MAX));
        };
        check_private(key)?;
        let own =
            net::Certificate::load(Vec::new(), chain, key).map_err(|error| chained(&error))?;
        let config =
            net::tls::mutual_client_config(&own, &roots).map_err(|error| chained(&error))?;
        let not_after = u64::try_from(own.not_after.as_millis()).unwrap_or(0);
        Ok((config, not_after))
    }

    fn stamp(&self) -> Vec<Stamp> {
        let own = self.own.iter().flat_map(|(chain, key)| [chain, key]);
        let paths = self.authority.iter().chain(own);
        let one = |path: &PathBuf| {
            let meta = std::fs::metadata(path).ok()?;
            Some((meta.ino(), meta.size(), meta.mtime(), meta.mtime_nsec()))
        };
        paths.map(one).collect()
    }
}

/// SECURITY: whoever can read the key can be the gateway for every service that trusts it.
fn check_private(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let meta =
        std::fs::metadata(path).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    if !meta.is_file() {
        return Err(format!("`{shown}` is no file"));
    }
    let mode = meta.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "others may use the private key `{shown}` (mode {mode:03o}): run `chmod 600` on it"
        ));
    }
    Ok(())
}

fn shown(ip: IpAddr) -> String {
    ip.to_string()
}

/// An error with its causes, in one line.
fn chained(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
