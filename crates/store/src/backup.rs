//! The copy before a migration.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use model::Timestamp;
use sqlx::{Connection as _, Executor as _};

use crate::engine::Engine;
use crate::store::Settings;
use crate::{Error, dump, files};

/// LIMIT: copies that are kept; the oldest go first, and only after a new one is whole.
const COPIES_MAX: usize = 20;
/// How the name of every copy begins; nothing else in the folder is ever touched.
const PREFIX: &str = "before-migration-";

/// Makes a copy of the database in the backups folder, and reads it back.
pub(crate) async fn copy(
    engine: &Engine,
    settings: &Settings,
    now: Timestamp,
) -> Result<(), Error> {
    let folder = &settings.backups;
    files::create_private_folder(folder).map_err(|error| failed(&error))?;
    let stamp = now.to_string().replace([':', '.'], "-");
    let made = match engine {
        Engine::Sqlite { path, .. } => {
            let target = folder.join(format!("{PREFIX}{stamp}.db"));
            whole(&target, copy_sqlite(path, &target).await)
        }
        Engine::Postgres { address, .. } => {
            let target = folder.join(format!("{PREFIX}{stamp}.sql"));
            let program = Path::new("pg_dump");
            let dumped =
                dump::postgres(program, address.expose(), &target, settings.without_backup).await;
            match dumped {
                Ok(dump::Dumped::Whole) => whole(&target, Ok(())),
                Ok(dump::Dumped::Nothing) => std::fs::remove_file(&target).map_err(|e| failed(&e)),
                Err(error) => whole(&target, Err(error)),
            }
        }
    };
    made?;
    prune(folder).map_err(|error| failed(&error))
}

pub(crate) fn failed(error: &dyn Display) -> Error {
    Error::Backup {
        reason: error.to_string(),
    }
}

/// Half a copy must not be taken for one: what was not made whole is removed.
fn whole(target: &Path, made: Result<(), Error>) -> Result<(), Error> {
    let made = made.and_then(|()| files::sync(target).map_err(|error| failed(&error)));
    if made.is_err() {
        drop(std::fs::remove_file(target));
    }
    made
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

/// Removes the oldest copies above the limit. Their names sort by time.
fn prune(folder: &Path) -> std::io::Result<()> {
    let mut copies = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            copies.push(entry.path());
        }
    }
    copies.sort();
    let surplus = copies.len().saturating_sub(COPIES_MAX);
    for old in copies.iter().take(surplus) {
        tracing::info!(file = %old.display(), "an old copy is removed");
        std::fs::remove_file(old)?;
    }
    Ok(())
}
