//! The copy before a migration.

use std::path::PathBuf;

use model::Timestamp;
use sqlx::{Connection as _, Executor as _};
use tokio::process::Command;

use crate::engine::Engine;
use crate::store::{Settings, WithoutBackup};
use crate::{Error, files};

/// Makes a copy of the database in the backups folder, and reads it back.
pub(crate) async fn copy(
    engine: &Engine,
    settings: &Settings,
    now: Timestamp,
) -> Result<(), Error> {
    let stamp = now.to_string().replace([':', '.'], "-");
    std::fs::create_dir_all(&settings.backups).map_err(|error| failed(&error))?;
    match engine {
        Engine::Sqlite { path, .. } => {
            let target = settings
                .backups
                .join(format!("before-migration-{stamp}.db"));
            copy_sqlite(path, &target).await
        }
        Engine::Postgres { address, .. } => {
            let target = settings
                .backups
                .join(format!("before-migration-{stamp}.sql"));
            dump_postgres(address.expose(), &target, settings.without_backup).await
        }
    }
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::Backup {
        reason: error.to_string(),
    }
}

/// A connection of its own: the writer is inside the migration's transaction, whose changes the
/// copy must not hold.
async fn copy_sqlite(path: &PathBuf, target: &PathBuf) -> Result<(), Error> {
    files::create_private(target)?;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut source = sqlx::SqliteConnection::connect_with(&options)
        .await
        .map_err(|error| failed(&error))?;
    // VACUUM INTO takes its target as a bound value; an empty file may be there already.
    let into = sqlx::query("VACUUM INTO $1").bind(target.display().to_string());
    source.execute(into).await.map_err(|error| failed(&error))?;
    source.close().await.map_err(|error| failed(&error))?;
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(target)
        .read_only(true);
    let mut copy = sqlx::SqliteConnection::connect_with(&options)
        .await
        .map_err(|error| failed(&error))?;
    let verdict: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut copy)
        .await
        .map_err(|error| failed(&error))?;
    copy.close().await.map_err(|error| failed(&error))?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(failed(&format!("the copy is damaged: {verdict}")))
    }
}

async fn dump_postgres(
    address: &str,
    target: &PathBuf,
    without: WithoutBackup,
) -> Result<(), Error> {
    files::create_private(target)?;
    // SECURITY: the address may hold the password: it goes by the environment, which only this
    // user can read, never by the command line, which everybody can.
    let done = Command::new("pg_dump")
        .arg("--no-password")
        .arg("--file")
        .arg(target)
        .env("PGSERVICEFILE", "/dev/null")
        .arg("--dbname")
        .arg(without_password(address))
        .env("PGPASSWORD", password(address))
        .output()
        .await;
    match done {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(failed(&String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) if without == WithoutBackup::Migrate => {
            tracing::warn!(%error, "migrating without a copy, as asked");
            Ok(())
        }
        Err(error) => Err(failed(&format!(
            "pg_dump cannot be run ({error}); install the PostgreSQL client, or make a copy \
             yourself and start once with --migrate-without-backup"
        ))),
    }
}

/// `postgres://user:password@host/db` without the password.
fn without_password(address: &str) -> String {
    match split(address) {
        Some((scheme, user, _, rest)) => format!("{scheme}://{user}@{rest}"),
        None => address.to_owned(),
    }
}

fn password(address: &str) -> String {
    let encoded = split(address)
        .map(|(_, _, password, _)| password)
        .unwrap_or_default();
    percent_decode(encoded)
}

fn split(address: &str) -> Option<(&str, &str, &str, &str)> {
    let (scheme, rest) = address.split_once("://")?;
    let (authority, rest) = rest.split_once('@')?;
    let (user, password) = authority.split_once(':')?;
    Some((scheme, user, password, rest))
}

fn percent_decode(text: &str) -> String {
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
    String::from_utf8_lossy(&out).into_owned()
}
