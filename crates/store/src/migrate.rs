//! Forward-only migrations, one list for each part.
//!
//! A step that has run is never edited: its checksum is kept, and a database whose steps this
//! program does not know is refused rather than guessed at.

use aws_lc_rs::digest;
use model::Timestamp;

use crate::engine::Engine;
use crate::store::Settings;
use crate::{Error, Row, Tx, backup};

/// The migrations of one part, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    /// Which part: `identity`.
    pub part: &'static str,
    /// Its steps, append-only.
    pub steps: &'static [Step],
}

/// One step: one SQL text for both engines.
///
/// Column types are `TEXT`, `INTEGER` and `BLOB` only; on PostgreSQL they become `TEXT COLLATE
/// "C"`, `BIGINT` and `BYTEA`, so that both engines sort and hold the same.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// `0001_people`.
    pub name: &'static str,
    /// One or more statements, separated by semicolons.
    pub sql: &'static str,
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_step (\
     part TEXT NOT NULL, step TEXT NOT NULL, checksum BLOB NOT NULL, at INTEGER NOT NULL, \
     PRIMARY KEY (part, step))";

/// Brings the database to the newest step of every part, in one transaction.
pub(crate) async fn run(
    engine: &Engine,
    settings: &Settings,
    now: Timestamp,
    parts: &[Migrations],
) -> Result<(), Error> {
    // Two processes that start at once migrate once: the second waits here.
    let mut tx = Tx::begin_migration(engine).await?;
    tx.run_text(&engine_text(engine, TABLE))
        .await
        .map_err(Error::read)?;
    let ran = tx
        .query("SELECT part, step, checksum FROM schema_step", &[])
        .await?;
    let missing = missing_steps(&ran, parts)?;
    if missing.is_empty() {
        return tx.commit().await;
    }
    if !ran.is_empty() {
        backup::copy(engine, settings, now).await?;
    }
    for (part, step) in missing {
        let failed = |source| Error::Migrate {
            part: part.to_owned(),
            step: step.name.to_owned(),
            source,
        };
        tx.run_text(&engine_text(engine, step.sql))
            .await
            .map_err(failed)?;
        tx.execute(
            "INSERT INTO schema_step (part, step, checksum, at) VALUES ($1, $2, $3, $4)",
            &[
                part.into(),
                step.name.into(),
                checksum(step).into(),
                now.into(),
            ],
        )
        .await?;
    }
    tx.commit().await
}

fn missing_steps(
    ran: &[Row],
    parts: &[Migrations],
) -> Result<Vec<(&'static str, &'static Step)>, Error> {
    for row in ran {
        let (part, step) = (row.text("part")?, row.text("step")?);
        let known = parts
            .iter()
            .filter(|migrations| migrations.part == part)
            .flat_map(|migrations| migrations.steps)
            .find(|known| known.name == step);
        match known {
            None => return Err(Error::Newer { part, step }),
            Some(known) if row.blob("checksum")? != checksum(known) => {
                return Err(Error::Edited { part, step });
            }
            Some(_) => {}
        }
    }
    let has_run = |part: &str, step: &Step| {
        ran.iter().any(|row| {
            row.text("part").is_ok_and(|p| p == part)
                && row.text("step").is_ok_and(|s| s == step.name)
        })
    };
    Ok(parts
        .iter()
        .flat_map(|migrations| migrations.steps.iter().map(|step| (migrations.part, step)))
        .filter(|(part, step)| !has_run(part, step))
        .collect())
}

fn checksum(step: &Step) -> Vec<u8> {
    digest::digest(&digest::SHA256, step.sql.as_bytes())
        .as_ref()
        .to_vec()
}

/// The text with the engine's own names of the three column types.
fn engine_text(engine: &Engine, sql: &str) -> String {
    match engine {
        Engine::Sqlite { .. } => sql.to_owned(),
        Engine::Postgres { .. } => {
            let word = |word: &str| match word {
                "INTEGER" => "BIGINT".to_owned(),
                "BLOB" => "BYTEA".to_owned(),
                "TEXT" => "TEXT COLLATE \"C\"".to_owned(),
                other => other.to_owned(),
            };
            let mut out = String::with_capacity(sql.len() + 64);
            let mut current = String::new();
            for letter in sql.chars() {
                if letter.is_ascii_alphanumeric() || letter == '_' {
                    current.push(letter);
                } else {
                    out.push_str(&word(&current));
                    current.clear();
                    out.push(letter);
                }
            }
            out.push_str(&word(&current));
            out
        }
    }
}
