//! The copy of a PostgreSQL database, by `pg_dump`.

use std::path::{Path, PathBuf};

use model::Secret;
use tokio::process::Command;

use crate::backup::failed;
use crate::store::WithoutBackup;
use crate::{Error, files};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dumped {
    /// The dump is there.
    Whole,
    /// No dump was made: there is no `program`, and the operator said to go on.
    Nothing,
}

/// Runs `program` (`pg_dump`) into `target`.
pub(crate) async fn postgres(
    program: &Path,
    address: &str,
    target: &PathBuf,
    without: WithoutBackup,
) -> Result<Dumped, Error> {
    files::create_private(target)?;
    // SECURITY: the password goes by the environment, which only this user can read, never by the
    // command line, which everybody on this machine can.
    let (address, password) = without_password(address);
    let done = Command::new(program)
        .arg("--no-password")
        .arg("--file")
        .arg(target)
        .arg("--dbname")
        .arg(address)
        .env("PGPASSWORD", password.expose())
        .output()
        .await;
    match done {
        Ok(output) if output.status.success() => Ok(Dumped::Whole),
        Ok(output) => Err(failed(&String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) if without == WithoutBackup::Migrate => {
            tracing::warn!(%error, "migrating without a copy, as asked");
            Ok(Dumped::Nothing)
        }
        Err(error) => Err(failed(&format!(
            "pg_dump cannot be run ({error}); install the PostgreSQL client, or make a copy \
             yourself and start once with --migrate-without-backup"
        ))),
    }
}

/// A `postgres://` address without its password, and the password: between user and host, or as
/// the parameter `password`.
pub(crate) fn without_password(address: &str) -> (String, Secret<String>) {
    let mut password = Secret::default();
    let (scheme, rest) = address.split_once("://").unwrap_or(("postgres", address));
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let authority = match authority.rsplit_once('@') {
        Some((credentials, host)) => match credentials.split_once(':') {
            Some((user, encoded)) => {
                password = percent_decode(encoded);
                format!("{user}@{host}")
            }
            None => authority.to_owned(),
        },
        None => authority.to_owned(),
    };
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    let mut kept = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.strip_prefix("password=") {
            Some(encoded) => password = percent_decode(encoded),
            None => kept.push(parameter),
        }
    }
    let mark = if kept.is_empty() { "" } else { "?" };
    let kept = kept.join("&");
    (
        format!("{scheme}://{authority}{path}{mark}{kept}"),
        password,
    )
}

fn percent_decode(text: &str) -> Secret<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let decoded = (byte == b'%').then(|| {
            let high = char::from(bytes.clone().next()?).to_digit(16)?;
            let low = char::from(bytes.clone().nth(1)?).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        });
        match decoded.flatten() {
            Some(decoded) => {
                out.push(decoded);
                bytes.nth(1);
            }
            None => out.push(byte),
        }
    }
    Secret::new(String::from_utf8_lossy(&out).into_owned())
}
